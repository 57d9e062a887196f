"""The replay: a recorded commit planned again on the state that it was decided on.

Pure. The requests come from the commit itself, facts from outside the log from its `reads`; what
a plan looks up in earlier commits is handed in. `differences` says what comes out otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from regista.decide.evidence import Score
from regista.decide.heads import RunHead, VersionHead
from regista.decide.operations.context import (
    Grain,
    Outside,
    Payload,
    Query,
    Request,
    RunCount,
    SampleSource,
)
from regista.decide.operations.importing import IMPORTABLE
from regista.decide.operations.policy_change import OPERATION
from regista.decide.planning import PAYLOAD, CommitPlan, plan_commit
from regista.decide.policy import Policy
from regista.decide.prehooks import Answer, Question
from regista.decide.state import State
from regista.decide.statistics.pairs import Pairs
from regista.decide.vetoes import READS
from regista.model.commit import Commit, DataRef, OpRecord, Row

PLANNED_COLUMNS = frozenset({"table", "entry_id", "entry", "version", "run_id", "suite"})


class UnrecordedFactError(Exception):
    """A replay asks for a fact that the commit does not record."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The world as a commit recorded it. Implements `operations.context.Outside`.

    Attributes:
        reads: recorded facts, by the request's identity.
        judged_by: recorded revisions of gate kinds, likewise.
        lookups: policies, scores and queries, which follow from the log.
    """

    reads: dict[int, dict[str, Any]]
    judged_by: dict[int, dict[str, int]]
    lookups: Outside

    def observe(self, request: Request, kind: str, subject: str) -> Any:  # noqa: ANN401
        """Return the recorded fact."""
        recorded = self.reads[id(request)]
        key = f"{kind}:{subject}"
        if key not in recorded:
            raise UnrecordedFactError(key)
        return recorded[key]

    def revisions(self, request: Request) -> dict[str, int]:
        """Return the revisions that the gates had."""
        return self.judged_by[id(request)]

    def hook_answers(self, request: Request, question: Question) -> list[Answer]:  # noqa: ARG002
        """Return what pre-hooks answered then, whichever there are now."""
        return [Answer.from_json(item) for item in self.reads[id(request)].get(READS, ())]

    def load_policy(self, digest: str) -> Policy:
        """Return the policy of a digest."""
        return self.lookups.load_policy(digest)

    def load_scores(self, version: VersionHead, run: RunHead) -> tuple[Score, ...]:
        """Return the scores of an earlier run."""
        return self.lookups.load_scores(version, run)

    def load_data_scores(self, ref: DataRef, run_id: str) -> tuple[Score, ...]:
        """Return the scores that a data file holds."""
        return self.lookups.load_data_scores(ref, run_id)

    def find_samples(self, run: RunHead) -> SampleSource:
        """Return where the per-example results of an earlier run lie."""
        return self.lookups.find_samples(run)

    def load_pairs(
        self, candidate: SampleSource, baseline: SampleSource, grain: Grain
    ) -> Pairs | None:
        """Pair the per-example results of two runs again, from the files that the log names."""
        return self.lookups.load_pairs(candidate, baseline, grain)

    def query(self, asked: Query) -> Any:  # noqa: ANN401
        """Run an SQL gate's query again, on the same views."""
        return self.lookups.query(asked)

    def count_runs(self, asked: RunCount) -> int:
        """Count eval runs again, in the same tables."""
        return self.lookups.count_runs(asked)


def replay(state: State, commit: Commit, lookups: Outside) -> CommitPlan:
    """Plan a recorded commit again.

    Raises:
        UnrecordedFactError: a fact that the decision needs is not among its reads.
        RegistaError: the operation could not be done on this state at all.
    """
    requests, outside = recorded(commit, lookups)
    return plan_commit(state, requests, outside, actor=commit.actor, clock=commit.clock)


def recorded(commit: Commit, lookups: Outside) -> tuple[list[Request], Recorded]:
    """Return what a commit was asked for, and the world as it recorded it."""
    requests = [Request(op.op, op.args, _payload(commit, op)) for op in commit.ops]
    pairs = list(zip(requests, commit.ops, strict=True))
    reads = {id(request): op.reads for request, op in pairs}
    judged_by = {id(request): _revisions(op) for request, op in pairs}
    return requests, Recorded(reads, judged_by, lookups)


def _revisions(op: OpRecord) -> dict[str, int]:
    """Return the revisions that an operation was decided by: of gate kinds, and its own."""
    decision = op.decision
    judged = (*decision.get("gates", ()), *decision.get("evidence", ()))
    kinds = {gate["kind"]: gate["revision"] for gate in judged}
    return {**kinds, op.op: decision.get("revision", 1)} if op.op == OPERATION else kinds


def differences(plan: CommitPlan, commit: Commit) -> list[str]:
    """Name what a replayed plan says otherwise than the recorded commit; empty when equal."""
    found = []
    for index, (mine, theirs) in enumerate(zip(plan.ops, commit.ops, strict=True)):
        if mine.decision != theirs.decision:
            found.append(f"operation {index} ({theirs.op}): {_first_difference(mine, theirs)}")
        if mine.reads != theirs.reads:
            found.append(f"operation {index} ({theirs.op}): its reads are not what it used")
    for name, mine_, theirs_ in (
        ("time", plan.time, commit.time),
        ("policy", plan.policy, commit.policy),
        ("rows", plan.rows, commit.rows),
        ("data", plan.data, commit.data),
    ):
        if mine_ != theirs_:
            found.append(
                f"the recorded {name} do not follow from the operations"
                if name in {"rows", "data"}
                else f"the recorded {name} is {theirs_}, and should be {mine_}"
            )
    return found


def _first_difference(mine: OpRecord, theirs: OpRecord) -> str:
    gates = zip(mine.decision.get("gates", ()), theirs.decision.get("gates", ()), strict=False)
    for now, then in gates:
        for field in then:
            if now.get(field) != then[field]:
                return (
                    f"gate {then.get('id')}: {field} was recorded as {then[field]!r} and"
                    f" comes out as {now.get(field)!r}"
                )
    for field in sorted({*mine.decision, *theirs.decision}):
        if mine.decision.get(field) != theirs.decision.get(field):
            return (
                f"{field} was recorded as {theirs.decision.get(field)!r} and comes out as"
                f" {mine.decision.get(field)!r}"
            )
    return "it differs"


def _payload(commit: Commit, op: OpRecord) -> Payload:
    """Return the bulk rows that an operation carried, as it was asked to carry them."""
    if PAYLOAD in op.reads:
        return Payload.from_json(op.reads[PAYLOAD])
    match op.op:
        case "register":
            # by id: in one commit an entry may give up its name and another take it
            of_version = {name: op.decision.get(name) for name in ("entry_id", "version")}
            return _carried(commit, of_version, ("files",))
        case "eval log":
            of_run = {"run_id": op.decision.get("run_id")}
            return _carried(commit, of_run, ("eval_scores", "eval_samples"))
        case "import":
            rows: dict[str, list[Row]] = {}
            for row in commit.rows:
                if row["table"] in IMPORTABLE:
                    bare = {key: value for key, value in row.items() if key != "table"}
                    rows.setdefault(row["table"], []).append(bare)
            return Payload(rows, _bare_refs(commit.data))
        case _:
            return Payload()


def _carried(commit: Commit, shared: dict[str, Any], tables: Sequence[str]) -> Payload:
    """Return the rows of some tables that have these values in common."""

    def belongs(columns: dict[str, Any]) -> bool:
        return all(columns.get(name) == value for name, value in shared.items())

    rows: dict[str, list[Row]] = {}
    for row in commit.rows:
        if row["table"] in tables and belongs(row):
            bare = {key: item for key, item in row.items() if key not in PLANNED_COLUMNS}
            rows.setdefault(row["table"], []).append(bare)
    refs = [ref for ref in commit.data if ref.table in tables and belongs(ref.columns)]
    return Payload(rows, _bare_refs(refs))


def _bare_refs(refs: Sequence[DataRef]) -> tuple[DataRef, ...]:
    return tuple(
        DataRef(
            ref.table,
            ref.sha256,
            ref.rows,
            ref.size,
            0,
            {key: value for key, value in ref.columns.items() if key not in PLANNED_COLUMNS},
        )
        for ref in refs
    )
