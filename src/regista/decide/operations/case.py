"""The case that gates judge, over a planner's context. Implements `evidence.Case`."""

from dataclasses import dataclass, replace
from typing import Any, Self

from regista.decide.evidence import Bound, Run
from regista.decide.heads import EntryHead, SlotHead, VersionHead
from regista.decide.operations.context import Context
from regista.decide.statistics.pairs import Pairs


@dataclass(frozen=True, slots=True)
class PinnedCase:
    """One requested placement in the pinned world of one operation."""

    context: Context
    entry: EntryHead
    version: VersionHead
    stage: str
    bound: Bound | None = None

    def with_bound(self, bound: Bound) -> Self:
        """Return the same case with what approvals are bound to."""
        return replace(self, bound=bound)

    @property
    def actor(self) -> str:
        """Who asks."""
        return self.context.actor

    @property
    def time(self) -> str:
        """Recorded time of the decision."""
        return self.context.time

    def slot(self, stage: str) -> SlotHead:
        """Return the stack and latest drill of a stage of this entry."""
        return self.context.state.slot(self.entry.entry_id, stage)

    def version_of(self, number: int) -> VersionHead | None:
        """Return another version of this entry."""
        return self.context.state.find_version(self.entry.entry_id, number)

    def run(self, version: VersionHead, suite: str) -> Run | None:
        """Return the latest run of a suite for a version, its scores sorted by grain."""
        head = version.runs.get(suite)
        if head is None:
            return None
        scores = self.context.load_scores(version, head)
        ordered = sorted(scores, key=lambda score: (score.task, score.metric, score.slice))
        return Run(suite, head, tuple(ordered))

    def pairs(self, baseline: VersionHead, suite: str, grain: tuple[str, str, str]) -> Pairs | None:
        """Return what the latest runs of two versions say of the same examples."""
        candidate, other = self.version.runs.get(suite), baseline.runs.get(suite)
        if candidate is None or other is None or not candidate.samples or not other.samples:
            return None
        return self.context.load_pairs((self.version, candidate), (baseline, other), grain)

    def observe(self, kind: str, subject: str) -> Any:  # noqa: ANN401 - a recorded JSON fact
        """Return a fact from outside the log, recorded for the replay."""
        return self.context.observe(kind, subject)

    def query(self, sql: str, limits: dict[str, int], *, pending: bool) -> Any:  # noqa: ANN401
        """Run one sandboxed SELECT over this entry's pinned views."""
        names = {"entry": self.entry.name, "version": self.version.version, "stage": self.stage}
        return self.context.query(self.entry.entry_id, names, sql, limits, pending)

    def count_runs(self, **wanted: str | int) -> int:
        """Count the entry's eval runs that have these columns."""
        return self.context.count_runs(self.entry.entry_id, wanted)
