"""Gates about time: freshness, soak and drill go by recorded times alone."""

from typing import Any

import pytest

from fakes.case import NOW, FakeCase, evaluate, score
from regista.decide.heads import DrillHead, Status
from regista.decide.verdict import VerdictStatus

DAY_BEFORE = "2026-03-09T12:00:00.000000Z"
PASSED, FAILED, UNDECIDABLE = (
    VerdictStatus.PASSED,
    VerdictStatus.FAILED,
    VerdictStatus.UNDECIDABLE,
)


@pytest.mark.parametrize(
    ("max_age", "status"), [("24h", PASSED), ("1d", PASSED), ("86399s", FAILED)]
)
def test_freshness_allows_exactly_the_greatest_age(max_age: str, status: VerdictStatus) -> None:
    case = FakeCase()
    run_id = case.log(2, "holdout", score("auc", "0.9"), time=DAY_BEFORE)
    finding = evaluate("freshness", {"suite": "holdout", "max_age": max_age}, case)
    assert (finding.status, finding.observed) == (status, "1d old")
    assert finding.evidence == (f"run:{run_id}",)


@pytest.mark.parametrize("status", ["partial", "failed"])
def test_freshness_of_a_run_that_is_not_complete_is_undecidable(status: str) -> None:
    case = FakeCase()
    case.log(2, "holdout", score("auc", "0.9"), time=NOW, status=status)
    finding = evaluate("freshness", {"suite": "holdout", "max_age": "7d"}, case)
    assert finding.status == UNDECIDABLE


def test_freshness_without_a_run_is_undecidable() -> None:
    finding = evaluate("freshness", {"suite": "holdout", "max_age": "7d"}, FakeCase())
    assert (finding.status, finding.observed) == (UNDECIDABLE, "no run")


SOAK = {"stage": "staging", "min": "24h"}


def test_soak_counts_the_current_hold_to_the_second() -> None:
    case = FakeCase()
    case.hold("staging", 2, time=DAY_BEFORE)
    finding = evaluate("soak", SOAK, case)
    assert (finding.status, finding.evidence) == (PASSED, ("commit:7",))


def test_soak_that_is_too_short_says_until_when_to_wait() -> None:
    case = FakeCase()
    case.hold("staging", 2, time="2026-03-10T09:30:00.000000Z")
    finding = evaluate("soak", SOAK, case)
    assert (finding.status, finding.observed) == (FAILED, "2h 30m in staging")
    assert finding.remedy == "wait until 2026-03-11T09:30:00.000000Z, 21h 30m more"


@pytest.mark.parametrize(("holder", "said"), [(1, "holds version 1"), (None, "is empty")])
def test_soak_of_a_version_that_does_not_hold_the_stage_fails(
    holder: int | None, said: str
) -> None:
    case = FakeCase()
    case.hold("staging", holder)
    finding = evaluate("soak", SOAK, case)
    assert finding.status == FAILED
    assert finding.reason.endswith(said)
    assert finding.remedy == "regista promote fraud/card@2 --to staging"


def test_soak_of_a_stage_that_was_never_filled_fails() -> None:
    assert evaluate("soak", SOAK, FakeCase()).observed == "not in staging"


def drilled(*, ok: bool = True, time: str = DAY_BEFORE, detail: str = "") -> FakeCase:
    case = FakeCase(number=3)
    case.hold("prod", 2)
    case.stack("prod", 1, 2, drill=DrillHead(9, time, "ana", ok, 2, 1, detail))
    return case


def drill(case: FakeCase, **params: Any) -> Any:
    return evaluate("drill", {"max_age": "30d", **params}, case)


def test_a_good_young_drill_passes() -> None:
    finding = drill(drilled())
    assert (finding.status, finding.observed) == (PASSED, "good, 1d old")
    assert finding.evidence == ("commit:9",)


def test_a_drill_that_is_too_old_fails_with_the_command() -> None:
    finding = drill(drilled(), max_age="23h")
    assert finding.status == FAILED
    assert finding.remedy == "regista drill fraud/card --stage prod"


def test_a_failed_drill_fails_and_says_what_went_wrong() -> None:
    finding = drill(drilled(ok=False, detail="smoke command exited 1"))
    assert finding.status == FAILED
    assert finding.reason.endswith("and failed: smoke command exited 1")


def test_a_stage_that_was_never_drilled_is_undecidable() -> None:
    case = FakeCase()
    case.hold("prod", 2)
    case.stack("prod", 1, 2)
    assert drill(case).status == UNDECIDABLE


@pytest.mark.parametrize("stack", [(), (1,)])
def test_without_a_version_below_the_holder_there_is_no_rollback_target_yet(
    stack: tuple[int, ...],
) -> None:
    case = FakeCase()
    if stack:
        case.hold("prod", 1)
    case.stack("prod", *stack)
    finding = drill(case)
    assert finding.status == PASSED
    assert finding.reason.startswith("no rollback target yet")
    assert drill(case, when_absent="fail").status == FAILED


def test_an_emptied_slot_has_its_stack_to_go_back_to() -> None:
    case = FakeCase()
    case.hold("prod", None)
    case.stack("prod", 1)
    assert drill(case).status == UNDECIDABLE


def test_versions_that_cannot_be_restored_are_no_target() -> None:
    case = FakeCase()
    case.hold("prod", 2)
    case.stack("prod", 1, 2)
    case.add(1, status=Status.DELETED)
    assert drill(case).observed == "no rollback target"


def test_a_drill_of_another_stage_is_asked_for_by_name() -> None:
    case = FakeCase()
    case.hold("staging", 2)
    case.stack("staging", 1, 2)
    assert drill(case).status == PASSED
    finding = drill(case, stage="staging")
    assert (finding.status, finding.remedy) == (
        UNDECIDABLE,
        "regista drill fraud/card --stage staging",
    )
