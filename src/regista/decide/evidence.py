"""Evidence: the eval rows that a gate looks at, and the case that it judges.

A gate sees a `Case` and nothing else. Whoever runs it fills the case from the pinned state, or,
in a replay, from the log; either way the answer is the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol, Self

from regista.decide.heads import EntryHead, RunHead, SlotHead, VersionHead
from regista.decide.people import Groups
from regista.decide.statistics.pairs import Pairs


@dataclass(frozen=True, slots=True)
class Score:
    """One score of a run, exact.

    Attributes:
        value: the score as written, a decimal.
        stderr: its standard error; None when not known.
        n: number of examples behind it; None when not known.
        higher_is_better: direction; None when not known.
    """

    task: str
    metric: str
    slice: str
    value: Decimal
    stderr: Decimal | None = None
    n: int | None = None
    higher_is_better: bool | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """What approvals of a placement are bound to now, and who the policy's groups are.

    Attributes:
        version: digest of the version.
        rules: digest of the matching rules.
        evidence: digest of the rows that the gates beside approvals read.
        newest: what of these rows commits brought: number of the commit, and its name in words.
        read_by: the same with the gate that reads it: number, gate, name.
        timeless: the gates that read what no commit's number is known of, such as tags.
        groups: the policy's groups.
    """

    version: str
    rules: str
    evidence: str
    newest: tuple[tuple[int, str], ...] = ()
    read_by: tuple[tuple[int, str, str], ...] = ()
    timeless: tuple[str, ...] = ()
    groups: Groups = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """The latest eval run of one suite for one version, with its scores sorted by grain."""

    suite: str
    head: RunHead
    scores: tuple[Score, ...]

    def find(self, metric: str, *, task: str = "", slice_: str = "") -> Score | None:
        """Return the score of a metric, or None when the run lacks it."""
        for score in self.scores:
            if (score.metric, score.task, score.slice) == (metric, task, slice_):
                return score
        return None


class Case(Protocol):
    """The pinned facts of one requested placement.

    Attributes:
        entry: the entry.
        version: the candidate.
        stage: the stage that it asks for.
        time: recorded time of the decision (RFC 3339, UTC).
        actor: who asks for it.
        bound: what approvals are bound to; there when the rules ask for any.
    """

    @property
    def entry(self) -> EntryHead: ...  # noqa: D102 - documented as attributes above
    @property
    def version(self) -> VersionHead: ...  # noqa: D102
    @property
    def stage(self) -> str: ...  # noqa: D102
    @property
    def time(self) -> str: ...  # noqa: D102
    @property
    def actor(self) -> str: ...  # noqa: D102
    @property
    def bound(self) -> Bound | None: ...  # noqa: D102

    def with_bound(self, bound: Bound) -> Self:
        """Return the same case with what approvals are bound to."""
        ...

    def slot(self, stage: str) -> SlotHead:
        """Return the stack and latest drill of a stage of this entry."""
        ...

    def version_of(self, number: int) -> VersionHead | None:
        """Return another version of this entry."""
        ...

    def run(self, version: VersionHead, suite: str) -> Run | None:
        """Return the latest run of a suite for a version of this entry."""
        ...

    def pairs(self, baseline: VersionHead, suite: str, grain: tuple[str, str, str]) -> Pairs | None:
        """Return what the latest runs of two versions say of the same examples.

        Args:
            baseline: the version that the candidate is compared with.
            suite: the suite.
            grain: task, metric and slice.

        Returns:
            The pairs; None where a run has no per-example results of that slice.
        """
        ...

    def observe(self, kind: str, subject: str) -> Any:  # noqa: ANN401 - a recorded JSON fact
        """Return a fact from outside the log; live it is looked up and recorded.

        Kinds: `blobs` (subject: a version's digest) gives
        {"ok": bool, "missing": [path], "corrupt": [path]}.
        """
        ...

    def query(self, sql: str, limits: dict[str, int], *, pending: bool) -> Any:  # noqa: ANN401
        """Run one sandboxed SELECT over this entry's pinned views.

        With `pending`, the rows of the operations before in the same commit are there too.

        Returns {"rows": [[...]], "columns": [...]} with values as JSON (decimals and doubles as
        strings), or {"error": "..."}.
        """
        ...

    def count_runs(self, **wanted: str | int) -> int:
        """Count the entry's eval runs, of whatever version, suite and status.

        Those of operations before in the same commit count too.

        Args:
            wanted: values that a run must have, by column of the table `eval_runs`.
        """
        ...


Observer = Callable[[str, str], Any]
