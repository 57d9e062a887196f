"""Policy tests: what is given in each test made a history, asked, and compared with what is said.

The decision is the planner's of `promote` (of `alias`, for a gated alias), on a state that other
planners left: there is no second evaluator.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from regista.decide.policy_bundle import PolicyBundle
from regista.decide.verdict import VerdictStatus
from regista.errors import InvalidInputError, NotFoundError, RefusedError
from regista.model.names import shown
from regista.model.selectors import VersionRef
from regista.model.times import parse_duration
from regista.policyfile.case_fields import CORRUPT, ELSEWHERE, MISSING
from regista.policyfile.cases import (
    ApprovalFacts,
    PolicyCase,
    RunFacts,
    VersionFacts,
    WaiverFacts,
    read_cases,
)
from regista.policyfile.loading import read_policy
from regista.registry.rehearsing import Rehearsal
from regista.registry.results import Aliased, Decided

MAX_RELATED = 100
_DAMAGE = {MISSING: {"missing": ["artifact"]}, CORRUPT: {"corrupt": ["artifact"]}}
# as long ago as anything can be
_FIRST = "36525d"


@dataclass(frozen=True, slots=True)
class _Event:
    """Something that happened `age` before the decision; `place` orders what is equally old."""

    age: str
    place: int
    actor: str
    act: Callable[[], object]

    @property
    def order(self) -> tuple[float, int]:
        """What to sort by: the oldest first."""
        return -parse_duration(self.age).total_seconds(), self.place


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that came out otherwise than expected.

    Attributes:
        what: `outcome`, or the id of a gate.
        expected: the outcome or verdict that the test names.
        actual: what came out; `none` for a gate that the decision does not have.
        reason: why, in the gate's words.
    """

    what: str
    expected: str
    actual: str
    reason: str


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one test.

    Attributes:
        name: what the test shows.
        line: where it begins in its file.
        ok: whether all came out as expected.
        outcome: outcome of the decision.
        differences: what came out otherwise.
        gates: all verdicts, as of `Decided`.
        notes: what was given and had no effect, such as an approval that no gate counts.
    """

    name: str
    line: int
    ok: bool
    outcome: str
    differences: list[Difference]
    gates: list[dict[str, Any]]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of a test file; `policy` says which policy was tested."""

    file: str
    policy: str
    tests: list[CaseResult]

    @property
    def failed(self) -> int:
        """Number of tests with differences."""
        return sum(not test.ok for test in self.tests)

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return asdict(self)


def run_tests(
    path: Path, policy: Path | None = None, in_force: Callable[[], PolicyBundle] | None = None
) -> FileResult:
    """Run the tests of a file.

    Args:
        path: the test file.
        policy: the policy file to test; else the one that the test file names.
        in_force: gives the policy to test where neither names one.

    Raises:
        InvalidInputError: a file is missing or malformed, no policy is named, or a test says what
            cannot be, such as a stage that the policy does not have.
    """
    cases = read_cases(path)
    named = policy or cases.policy
    if named:
        bundle = read_policy(named)
    elif in_force:
        bundle = in_force()
    else:
        raise InvalidInputError(f"{path} names no policy", hint="add policy: FILE")
    shown = str(named) if named else "in force"
    return FileResult(str(path), shown, [run_case(bundle, cases.file, it) for it in cases.cases])


def run_case(bundle: PolicyBundle, file: str, case: PolicyCase) -> CaseResult:
    """Run one test.

    Raises:
        InvalidInputError: what it gives cannot be.
    """
    try:
        return _Run(bundle, case).result()
    except (InvalidInputError, NotFoundError, RefusedError) as error:
        where = f"{file}:{case.line}: test {case.name!r}"
        raise InvalidInputError(f"{where}: {error.message}", hint=error.hint) from error


class _Run:
    """One test on its way: the registry in memory, and the numbers of its versions."""

    def __init__(self, bundle: PolicyBundle, case: PolicyCase) -> None:
        self.case = case
        self.policy = bundle.policy
        self.rehearsal = Rehearsal(bundle)
        self.numbers: dict[int, int] = {}
        self.notes: list[str] = []

    def result(self) -> CaseResult:
        """Let everything happen in the order of time, then ask."""
        self._register_related()
        versions = [*self.case.incumbents, self.case.candidate]
        events = [event for version in versions for event in self._events(version)]
        # sorting keeps the order of what is equally old
        for event in sorted([*events, *self._drills()], key=lambda event: event.order):
            self.rehearsal.at(event.age, event.actor)
            event.act()
        return self._asked()

    def _register_related(self) -> None:
        """Register what versions say that they came from, and were evaluated on."""
        last: dict[str, tuple[str, int]] = {}
        for ref, kind in _related(self.case):
            name, number = _numbered(ref)
            if name != self.case.entry:
                last[name] = (kind, max(number, last.get(name, ("", 0))[1]))
        self.rehearsal.at(_FIRST, "author")
        for name, (kind, most) in last.items():
            for _number in range(most):
                self.rehearsal.register_told(name, kind, {}, damage={})

    def _events(self, version: VersionFacts) -> Iterator[_Event]:
        """Give what happened to a version."""
        target = self.case.target
        held = dict(version.holds)
        if version is not self.case.candidate:
            held.setdefault(target, version.age)
        yield _Event(version.age, 0, version.by, partial(self._register, version))
        for run in version.runs:
            yield _Event(run.age, 1, run.by, partial(self._evaluate, version, run))
        for stage, age in held.items():
            yield _Event(age, 2, "ci", partial(self._place, version, stage))
        for yes in version.approvals:
            yield _Event(yes.age, 4, yes.by, partial(self._approve, version, yes))
        for waiver in version.waivers:
            yield _Event(waiver.age, 5, waiver.by, partial(self._waive, version, waiver))

    def _drills(self) -> Iterator[_Event]:
        drill = self.case.drill
        if drill:
            stage = drill.stage or self.case.target
            act = partial(self.rehearsal.drill_told, self.case.entry, stage, ok=drill.ok)
            yield _Event(drill.age, 3, "ci", act)

    def _ref(self, version: VersionFacts) -> str:
        if id(version) not in self.numbers:
            raise InvalidInputError(
                "something happened to a version before it was registered",
                hint="give the version a greater age",
            )
        return f"{self.case.entry}@{self.numbers[id(version)]}"

    def _register(self, version: VersionFacts) -> None:
        self.numbers[id(version)] = self.rehearsal.register_told(
            self.case.entry,
            self.case.kind,
            version.record,
            damage=_DAMAGE.get(version.artifacts, {}),
            uri="elsewhere:artifact" if version.artifacts == ELSEWHERE else "",
        )
        if version.description:
            self.rehearsal.describe(self._ref(version), version.description)

    def _evaluate(self, version: VersionFacts, run: RunFacts) -> None:
        self.rehearsal.log_eval(
            self._ref(version),
            run.suite,
            run.scores,
            samples=run.samples,
            status=run.status,
            dataset=run.dataset,
        )

    def _place(self, version: VersionFacts, stage: str) -> None:
        known = (*self.policy.all_stages, *self.policy.gated_aliases)
        if stage not in known:
            raise InvalidInputError(
                f"there is no stage {shown(stage)}", hint=f"the policy has {', '.join(known)}"
            )
        self._ref(version)
        self.rehearsal.place(self.case.entry, self.numbers[id(version)], stage)

    def _approve(self, version: VersionFacts, yes: ApprovalFacts) -> None:
        ref = self._ref(version)
        try:
            self.rehearsal.approve(ref, self.case.target, meaning=yes.meaning)
        except RefusedError as error:
            self.notes.append(f"approval by {yes.by}: {error.message}")

    def _waive(self, version: VersionFacts, waiver: WaiverFacts) -> None:
        ref, until = self._ref(version), self.rehearsal.until(waiver.lasts)
        try:
            self.rehearsal.waive(waiver.gate, ref, self.case.target, reason="a test", until=until)
        except RefusedError as error:
            self.notes.append(f"waiver by {waiver.by}: {error.message}")

    def _asked(self) -> CaseResult:
        case, ref = self.case, self._ref(self.case.candidate)
        self.rehearsal.at("0s", case.by)
        decided: Decided | Aliased
        if case.target in self.policy.gated_aliases:
            decided = self.rehearsal.alias(ref, case.target)
        else:
            decided = self.rehearsal.promote(ref, case.target)
        differences = list(_compared(case, decided.outcome, decided.gates))
        return CaseResult(
            case.name,
            case.line,
            not differences,
            decided.outcome,
            differences,
            decided.gates,
            self.notes,
        )


def _compared(
    case: PolicyCase, outcome: str, gates: Sequence[Mapping[str, Any]]
) -> Iterator[Difference]:
    if outcome != case.expect:
        why = "; ".join(f"{gate['id']}: {gate['reason']}" for gate in gates if _decides(gate))
        yield Difference("outcome", case.expect, outcome, why)
    by_id = {gate["id"]: gate for gate in gates}
    for name, expected in case.gates.items():
        gate = by_id.get(name)
        if gate is None:
            has = f"the decision has {', '.join(by_id) or 'no gate'}"
            yield Difference(name, expected, "none", has)
        elif gate["status"] != expected:
            yield Difference(name, expected, gate["status"], gate["reason"])


def _decides(gate: Mapping[str, Any]) -> bool:
    return VerdictStatus(gate["status"]) is not VerdictStatus.PASSED


def _related(case: PolicyCase) -> Iterator[tuple[str, str]]:
    """Give the versions of other entries that a test names, each with the kind of its entry."""
    for version in (*case.incumbents, case.candidate):
        for relation, kind in (("dataset", "dataset"), ("base", case.kind), ("member", "model")):
            for ref in version.record.get(relation, ()):
                yield ref, kind
        for run in version.runs:
            if "@" in run.dataset:
                yield run.dataset, "dataset"


def _numbered(ref: str) -> tuple[str, int]:
    parsed = VersionRef.parse(ref)
    number = parsed.selector.value
    if parsed.selector.how != "number" or int(number) > MAX_RELATED:
        raise InvalidInputError(
            f"{shown(ref)} is not a version by its number",
            hint=f"write NAME@NUMBER, up to {MAX_RELATED}",
        )
    return parsed.name, int(number)
