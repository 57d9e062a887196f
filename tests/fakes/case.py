"""A case for gates, held in memory: what an entry, its versions and their runs are, said in a test.

It stands behind the real protocol (`regista.decide.evidence.Case`) and decides nothing itself.
"""

from copy import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any, Self

from regista.decide.evidence import Bound, Case, Run, Score
from regista.decide.gates import KINDS
from regista.decide.gates.fields import CheckContext
from regista.decide.heads import (
    DrillHead,
    EntryHead,
    LineageHead,
    Pointer,
    RunHead,
    SlotHead,
    VersionHead,
)
from regista.decide.statistics.pairs import Pairs
from regista.decide.verdict import Finding

NOW = "2026-03-10T12:00:00.000000Z"
EARLIER = "2026-03-01T12:00:00.000000Z"
NAME = "fraud/card"


def score(
    metric: str,
    value: str,
    *,
    slice_: str = "",
    task: str = "",
    stderr: str | None = None,
    n: int | None = None,
    higher: bool | None = None,
) -> Score:
    """Return a score; numbers are given as they are written."""
    error = None if stderr is None else Decimal(stderr)
    return Score(task, metric, slice_, Decimal(value), error, n, higher)


class FakeCase:
    """Version 2 of `fraud/card` asks for prod, unless a test says otherwise."""

    def __init__(
        self, *, number: int = 2, stage: str = "prod", name: str = NAME, kind: str = "model"
    ) -> None:
        self.entry = EntryHead("e1-0", name, kind, 1, EARLIER, "ana", last_version=number)
        self.stage = stage
        self.time = NOW
        self.versions: dict[int, VersionHead] = {}
        self.slots: dict[str, SlotHead] = {}
        self.runs: dict[tuple[int, str], Run] = {}
        self.facts: dict[tuple[str, str], Any] = {}
        self.paired: dict[tuple[str, str, str], Pairs] = {}
        self.saw_pending: list[bool] = []
        self.answer: Any = {"error": "no query was expected"}
        self.queries: list[tuple[str, dict[str, int]]] = []
        self.counts: list[dict[str, Any]] = []
        self.run_count = 0
        self.actor = "cam"
        self.bound: Bound | None = None
        self._number = number
        self.add(number)

    @property
    def version(self) -> VersionHead:
        """The candidate."""
        return self.versions[self._number]

    def with_bound(self, bound: Bound) -> Self:
        """Return a case with what approvals are bound to."""
        other = copy(self)
        other.bound = bound
        return other

    def add(self, number: int, **fields: Any) -> VersionHead:
        """Add or replace a version."""
        head = self.versions.get(number) or VersionHead(
            "e1-0", number, f"{number:064x}", number, EARLIER, "ana", files=1, bytes=10
        )
        self.versions[number] = replace(head, **fields)
        return self.versions[number]

    def log(
        self,
        number: int,
        suite: str,
        *scores: Score,
        status: str = "complete",
        dataset: str = "digits@1",
        dataset_digest: str = "",
        time: str = EARLIER,
    ) -> str:
        """Log an eval run, which becomes the latest of its suite; returns its id."""
        if number not in self.versions:
            self.add(number)
        run_id = f"r{number}-{len(self.runs)}"
        head = RunHead(run_id, 10, time, "ana", status, dataset, dataset_digest, len(scores), 0)
        ordered = sorted(scores, key=lambda item: (item.task, item.metric, item.slice))
        self.versions[number].runs[suite] = head
        self.runs[number, suite] = Run(suite, head, tuple(ordered))
        return run_id

    def hold(self, stage: str, number: int | None, time: str = EARLIER) -> None:
        """Let a stage hold a version since a time."""
        if number is not None and number not in self.versions:
            self.add(number)
        self.entry.slots[stage] = Pointer(number, 7, time, "ana", "promote")

    def stack(self, stage: str, *numbers: int, drill: DrillHead | None = None) -> None:
        """Give a stage a stack, the last on top and, unless said otherwise, held."""
        self.slots[stage] = SlotHead(list(numbers), drill=drill)
        for number in numbers:
            if number not in self.versions:
                self.add(number)

    def link(self, relation: str, target: str) -> None:
        """Put one more lineage relation on the candidate's record."""
        self.version.lineage.append(LineageHead(relation, target))

    def slot(self, stage: str) -> SlotHead:
        """Return the stack and latest drill of a stage."""
        return self.slots.get(stage, SlotHead())

    def version_of(self, number: int) -> VersionHead | None:
        """Return another version."""
        return self.versions.get(number)

    def run(self, version: VersionHead, suite: str) -> Run | None:
        """Return the latest run of a suite."""
        return self.runs.get((version.version, suite))

    def pairs(self, baseline: VersionHead, suite: str, grain: tuple[str, str, str]) -> Pairs | None:
        """Return the pairs that the test has put in place, whatever the suite."""
        assert baseline.version != self.version.version, suite
        return self.paired.get(grain)

    def observe(self, kind: str, subject: str) -> Any:
        """Return a fact that the test has put in place."""
        return self.facts[kind, subject]

    def query(self, sql: str, limits: dict[str, int], *, pending: bool) -> Any:
        """Return the answer that the test has put in place, and note what was asked."""
        self.queries.append((sql, limits))
        self.saw_pending.append(pending)
        return self.answer

    def count_runs(self, **wanted: str | int) -> int:
        """Return the number that the test has put in place, and note what was asked."""
        self.counts.append(wanted)
        return self.run_count


def evaluate(kind: str, params: dict[str, Any], case: Case) -> Finding:
    """Evaluate a gate whose parameters the lint accepts, as a policy would."""
    groups = ("risk", "leads")
    context = CheckContext(("dev", "staging", "prod"), target=case.stage, groups=groups)
    assert KINDS[kind].check(params, context) == []
    return KINDS[kind].evaluate(params, case)
