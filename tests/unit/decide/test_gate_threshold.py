"""The threshold gate: fixed bounds, in decimals, on the latest run and no other."""

from decimal import Decimal
from typing import Any

import pytest

from fakes.case import FakeCase, evaluate, score
from regista.decide.verdict import Finding, VerdictStatus


def judged(case: FakeCase, **params: object) -> Finding:
    return evaluate("threshold", {"suite": "holdout", "metric": "auc", **params}, case)


def logged(*values: str) -> FakeCase:
    case = FakeCase()
    case.log(2, "holdout", *(score("auc", value) for value in values))
    return case


@pytest.mark.parametrize(
    ("value", "bounds", "status"),
    [
        ("0.80", {"min": "0.8"}, VerdictStatus.PASSED),
        ("0.7999999999999999999999999999999", {"min": "0.8"}, VerdictStatus.FAILED),
        ("0.8", {"min": "0.8", "strict": True}, VerdictStatus.FAILED),
        ("0.3", {"max": "0.30"}, VerdictStatus.PASSED),
        ("0.31", {"max": "0.3"}, VerdictStatus.FAILED),
        ("5", {"min": 1, "max": 10}, VerdictStatus.PASSED),
        ("11", {"min": 1, "max": 10}, VerdictStatus.FAILED),
        ("1e3", {"min": "1000"}, VerdictStatus.PASSED),
    ],
)
def test_bounds_are_compared_as_exact_decimals(
    value: str, bounds: dict[str, Any], status: VerdictStatus
) -> None:
    assert judged(logged(value), **bounds).status == status


def test_a_failed_verdict_says_what_was_seen_asked_used_and_what_to_do() -> None:
    case = FakeCase()
    run_id = case.log(2, "holdout", score("auc", "0.75"))
    finding = judged(case, min="0.8")
    assert (finding.observed, finding.required) == ("0.75", ">= 0.8")
    assert finding.reason == "holdout/auc is 0.75, not >= 0.8"
    assert finding.evidence == (f"run:{run_id}",)
    assert "regista show fraud/card@2" in finding.remedy


def test_a_passed_verdict_has_no_remedy() -> None:
    assert not judged(logged("0.9"), min="0.8").remedy


def test_no_run_is_undecidable_and_the_remedy_is_the_command() -> None:
    finding = judged(FakeCase(), min="0.8")
    assert (finding.status, finding.observed) == (VerdictStatus.UNDECIDABLE, "no run")
    assert finding.remedy == "regista eval log fraud/card@2 --suite holdout --from FILE"


@pytest.mark.parametrize("status", ["partial", "failed"])
def test_a_run_that_is_not_complete_is_undecidable_though_its_score_would_do(status: str) -> None:
    case = FakeCase()
    case.log(2, "holdout", score("auc", "0.99"))
    case.log(2, "holdout", score("auc", "0.99"), status=status)
    finding = judged(case, min="0.8")
    assert (finding.status, finding.observed) == (VerdictStatus.UNDECIDABLE, f"{status} run")


def test_a_missing_metric_is_undecidable_and_the_reason_names_the_ones_there() -> None:
    case = FakeCase()
    case.log(2, "holdout", score("accuracy", "0.9"), score("f1", "0.9"))
    finding = judged(case, min="0.8")
    assert finding.status == VerdictStatus.UNDECIDABLE
    assert finding.reason.endswith("no score for holdout/auc; it has accuracy, f1")


def test_another_task_is_another_score() -> None:
    case = FakeCase()
    case.log(2, "holdout", score("auc", "0.9", task="law"))
    assert judged(case, min="0.8").status == VerdictStatus.UNDECIDABLE
    assert judged(case, min="0.8", task="law").status == VerdictStatus.PASSED


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_score_that_is_no_finite_number_is_undecidable(value: str) -> None:
    case = FakeCase()
    case.log(2, "holdout", score("auc", value))
    assert judged(case, min="0.8").status == VerdictStatus.UNDECIDABLE


def sliced(**values: str) -> FakeCase:
    case = FakeCase()
    scores = [score("auc", value, slice_=name) for name, value in values.items()]
    case.log(2, "holdout", score("auc", "0.9"), *scores)
    return case


def test_all_slices_means_the_worst_one_decides() -> None:
    finding = judged(sliced(a="0.85", b="0.7"), min="0.8", slices="all")
    assert finding.status == VerdictStatus.FAILED
    assert finding.observed == "0.7 in slice b, worst of 3"
    assert finding.required == ">= 0.8 in every slice"
    assert finding.reason == "holdout/auc is 0.7 in slice b, not >= 0.8"


def test_named_slices_leave_the_others_out() -> None:
    assert judged(sliced(a="0.85", b="0.7"), min="0.8", slices=["a"]).status == (
        VerdictStatus.PASSED
    )


def test_a_named_slice_that_is_absent_is_undecidable() -> None:
    finding = judged(sliced(a="0.85"), min="0.8", slices=["a", "c"])
    assert finding.status == VerdictStatus.UNDECIDABLE
    assert finding.reason.endswith("holdout/auc in slice c; it has the slices a")


def test_all_slices_of_a_run_without_any_is_undecidable() -> None:
    assert judged(logged("0.9"), min="0.8", slices="all").observed == "no slices"


def test_all_slices_of_an_absent_metric_is_undecidable() -> None:
    case = FakeCase()
    case.log(2, "holdout", score("f1", "0.9", slice_="a"))
    assert judged(case, min="0.8", slices="all").observed == "no score"


def test_a_run_whose_scores_cannot_be_read_is_undecidable() -> None:
    case = logged("0.9")
    case.runs.clear()
    assert judged(case, min="0.8").remedy == "regista verify"


def test_numbers_show_every_digit_that_a_double_has() -> None:
    assert judged(logged("0.89999999999999991"), min="0.9").observed == "0.89999999999999991"


def test_the_threads_decimal_context_changes_nothing() -> None:
    import decimal

    with decimal.localcontext() as context:
        context.prec = 2
        finding = judged(logged("0.8049"), min=str(Decimal("0.805")))
    assert (finding.status, finding.observed) == (VerdictStatus.FAILED, "0.8049")


def test_a_name_with_spaces_is_quoted_in_the_remedy() -> None:
    case = FakeCase(name="my model's")
    finding = judged(case, min="0.8")
    assert finding.remedy.startswith("""regista eval log 'my model'"'"'s@2' --suite""")
