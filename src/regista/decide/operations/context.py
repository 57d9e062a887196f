"""What a planner gets and gives.

A planner is a pure function `(Context, args, payload) -> Planned`. Everything that it may know
comes through the context; facts from outside the log come through `observe`, which records them,
so that a replay can hand the same facts back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

from regista.decide.evidence import Score
from regista.decide.heads import EntryHead, RunHead, VersionHead
from regista.decide.state import State
from regista.decide.statistics.pairs import Pairs
from regista.model import canonical
from regista.model.commit import Commit, DataRef, Row

if TYPE_CHECKING:
    # whoever only builds requests must not pay for the gates
    from regista.decide.policy import Policy
    from regista.decide.prehooks import Answer, Question

Json = dict[str, Any]
Grain = tuple[str, str, str]
RunOf = tuple[VersionHead, RunHead]


@dataclass(frozen=True, slots=True)
class Payload:
    """Bulk rows that an operation carries but does not decide.

    Attributes:
        rows: rows by table, without what the planner adds (entry, version, run).
        data: rows by digest, likewise.
    """

    rows: Mapping[str, list[Row]] = field(default_factory=dict)
    data: tuple[DataRef, ...] = ()

    def to_json(self) -> Json:
        """Return the payload as a JSON object; empty when it carries nothing."""
        rows = {table: list(rows) for table, rows in self.rows.items() if rows}
        data = [asdict(ref) for ref in self.data]
        return {"rows": rows, "data": data} if rows or data else {}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read what `to_json` wrote."""
        return cls(value["rows"], tuple(DataRef(**ref) for ref in value["data"]))

    def count(self, table: str) -> int:
        """Return the number of rows of a table, inline and by digest."""
        by_digest = sum(ref.rows for ref in self.data if ref.table == table)
        return len(self.rows.get(table, ())) + by_digest


@dataclass(frozen=True, slots=True)
class Request:
    """One operation that is asked for: its name, its arguments, its bulk rows."""

    op: str
    args: Json
    payload: Payload = field(default_factory=Payload)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a planner decided.

    Attributes:
        decision: what is recorded and told; its fields depend on the operation.
        rows: rows to add, each with its `table`.
        data: rows to add by digest.
        refused: whether the decision is a recorded refusal.
        existing: commit that already did this; set when there is nothing to do.
    """

    decision: Json
    rows: list[Row] = field(default_factory=list)
    data: list[DataRef] = field(default_factory=list)
    refused: bool = False
    existing: int | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """The pinned world of one operation.

    Attributes:
        state: heads at the parent commit, with the operations before this one applied.
        seq: number that the commit will have.
        first_i: position that this operation's first row will have.
        time: recorded time of the commit.
        actor: who asks.
        observe: facts from outside the log, by kind and subject.
        load_policy: the policy of a digest.
        load_scores: the scores of a run.
        load_pairs: what two runs say of the same examples, by (task, metric, slice).
        query: one sandboxed SELECT over an entry's pinned views, with or without the rows of
            the operations before this one.
        count_runs: how many eval runs of an entry have these columns, with those of the
            operations before this one.
        revisions: revision to judge by per gate kind, in a replay; the current ones else.
    """

    state: State
    seq: int
    first_i: int
    time: str
    actor: str
    observe: Callable[[str, str], Any]
    load_policy: Callable[[str], "Policy"]
    load_scores: Callable[[VersionHead, RunHead], tuple[Score, ...]]
    load_pairs: Callable[[RunOf, RunOf, Grain], Pairs | None]
    query: Callable[[str, Json, str, dict[str, int], bool], Any]
    count_runs: Callable[[str, Json], int]
    revisions: Mapping[str, int] = field(default_factory=dict)

    @property
    def policy(self) -> "Policy":
        """The policy in force."""
        return self.load_policy(self.state.policy_digest)


@dataclass(frozen=True, slots=True)
class Query:
    """What an SQL gate asks.

    Attributes:
        seq: number of the commit that the views are pinned at.
        pending: the next commit as far as it is planned, whose rows are there too; or None.
        entry_id: whose rows are there.
        names: values of `$name` in the query.
        sql: one SELECT.
        limits: `timeout_s` and `memory_mb`.
    """

    seq: int
    pending: Commit | None
    entry_id: str
    names: Json
    sql: str
    limits: dict[str, int]


@dataclass(frozen=True, slots=True)
class RunCount:
    """Which eval runs are to be counted.

    Attributes:
        seq: number of the last commit whose runs count.
        pending: the next commit as far as it is planned, whose runs count too; or None.
        entry_id: whose runs.
        wanted: values by column of `eval_runs` that a run must have.
    """

    seq: int
    pending: Commit | None
    entry_id: str
    wanted: Json


@dataclass(frozen=True, slots=True)
class SampleSource:
    """Where the per-example results of a run lie.

    Attributes:
        run_id: the run.
        refs: data files that hold them, others' among them.
        rows: those that a commit holds inline.
    """

    run_id: str
    refs: tuple[DataRef, ...]
    rows: tuple[Row, ...] = ()

    @property
    def identity(self) -> str:
        """What tells these results from all others."""
        return canonical.digest([self.run_id, [ref.sha256 for ref in self.refs], list(self.rows)])

    @classmethod
    def of(cls, run_id: str, rows: Sequence[Row], data: Sequence[DataRef]) -> Self:
        """Find them in what a commit adds."""

        def belongs(table: str, columns: Mapping[str, Any]) -> bool:
            return table == "eval_samples" and columns.get("run_id", run_id) == run_id

        return cls(
            run_id,
            tuple(ref for ref in data if belongs(ref.table, ref.columns)),
            tuple(row for row in rows if belongs(row["table"], row)),
        )


class Outside(Protocol):
    """What a plan may ask of the world: live answers, or the recorded ones in a replay."""

    def observe(self, request: Request, kind: str, subject: str) -> Any:  # noqa: ANN401
        """Return a fact from outside the log, as JSON."""
        ...

    def revisions(self, request: Request) -> Mapping[str, int]:
        """Return the revisions of gate kinds to judge by; empty for the current ones."""
        ...

    def hook_answers(self, request: Request, question: "Question") -> "Sequence[Answer]":
        """Return what the pre-hooks that are asked about an operation answered."""
        ...

    def load_policy(self, digest: str) -> "Policy":
        """Return the policy of a digest."""
        ...

    def load_scores(self, version: VersionHead, run: RunHead) -> tuple[Score, ...]:
        """Return the scores of a run that an earlier commit holds."""
        ...

    def load_data_scores(self, ref: DataRef, run_id: str) -> tuple[Score, ...]:
        """Return the scores of a run that a data file holds."""
        ...

    def find_samples(self, run: RunHead) -> SampleSource:
        """Return where the per-example results of a run of an earlier commit lie."""
        ...

    def load_pairs(
        self, candidate: SampleSource, baseline: SampleSource, grain: Grain
    ) -> Pairs | None:
        """Return what two runs say of the same examples; None where one says nothing."""
        ...

    def query(self, asked: "Query") -> Any:  # noqa: ANN401
        """Run one sandboxed SELECT over an entry's views as of a commit."""
        ...

    def count_runs(self, asked: "RunCount") -> int:
        """Count eval runs of an entry."""
        ...


Planner = Callable[[Context, Json, Payload], Planned]


def compact(table: str, **columns: Any) -> Row:  # noqa: ANN401 - JSON values
    """Return a row without its nulls and empty texts, as the log writes it."""
    kept = {name: value for name, value in columns.items() if value is not None and value != ""}
    return {"table": table, **kept}


def of_entry(entry: EntryHead) -> Json:
    """Return the columns that tie a row to an entry."""
    return {"entry_id": entry.entry_id, "entry": entry.name}


def of_version(entry: EntryHead, version: int) -> Json:
    """Return the columns that tie a row to a version."""
    return {**of_entry(entry), "version": version}
