"""The baseline gate: the same data, the same grain, decimals, and no silent gaps."""

import pytest

from fakes.case import FakeCase, evaluate, score
from regista.decide.verdict import Finding, VerdictStatus

PASSED, FAILED, UNDECIDABLE = (
    VerdictStatus.PASSED,
    VerdictStatus.FAILED,
    VerdictStatus.UNDECIDABLE,
)


def judged(case: FakeCase, **params: object) -> Finding:
    return evaluate("baseline", {"suite": "holdout", "metric": "auc", **params}, case)


def contest(
    ours: str,
    theirs: str,
    *,
    higher: bool | None = None,
    stderr: str | None = None,
    n: int | None = None,
) -> FakeCase:
    case = FakeCase()
    case.hold("prod", 1)
    for number, value in ((2, ours), (1, theirs)):
        case.log(number, "holdout", score("auc", value, higher=higher, stderr=stderr, n=n))
    return case


def test_a_regression_of_exactly_the_tolerance_passes_though_doubles_say_otherwise() -> None:
    assert 0.90 - 0.895 > 0.005
    assert judged(contest("0.895", "0.90"), max_regression="0.005").status == PASSED


def test_a_regression_a_hair_beyond_the_tolerance_fails() -> None:
    finding = judged(contest("0.89499999999999999999999999999999", "0.90"), max_regression="0.005")
    assert finding.status == FAILED


def test_the_verdict_names_both_scores_the_limit_the_runs_and_the_command() -> None:
    finding = judged(contest("0.88", "0.90"), max_regression="0.005")
    assert finding.observed == "0.88 vs 0.9 (-0.02)"
    assert finding.required == ">= 0.895"
    assert finding.reason == (
        "against version 1 in prod, holdout/auc is 0.02 worse, and 0.005 worse is tolerated "
        "(higher was taken as better, as no direction is recorded)"
    )
    assert finding.evidence == ("run:r2-0", "run:r1-1")
    assert "regista diff fraud/card@1 fraud/card@2" in finding.remedy


def test_without_a_tolerance_equal_is_not_worse() -> None:
    assert judged(contest("0.90", "0.9")).status == PASSED
    assert judged(contest("0.8999", "0.9")).status == FAILED


def test_superiority_asks_for_better_not_for_equal() -> None:
    assert judged(contest("0.9", "0.9"), superiority=True).status == FAILED
    assert judged(contest("0.9001", "0.9"), superiority=True).status == PASSED


def test_the_direction_is_the_gates_then_the_scores() -> None:
    assert judged(contest("1", "2"), direction="lower").status == PASSED
    assert judged(contest("1", "2", higher=False)).status == PASSED
    assert judged(contest("1", "2", higher=False), direction="higher").status == FAILED
    assert judged(contest("1", "2", higher=True)).status == FAILED


def test_lower_is_better_puts_the_limit_above() -> None:
    finding = judged(contest("2.2", "2", higher=False), max_regression="0.1")
    assert (finding.status, finding.required) == (FAILED, "<= 2.1")


def test_the_direction_of_one_run_serves_for_both() -> None:
    case = FakeCase()
    case.hold("prod", 1)
    case.log(2, "holdout", score("auc", "1", higher=False))
    case.log(1, "holdout", score("auc", "2"))
    assert judged(case).status == PASSED


def test_runs_that_disagree_on_the_direction_are_undecidable() -> None:
    case = FakeCase()
    case.hold("prod", 1)
    case.log(2, "holdout", score("auc", "1", higher=False))
    case.log(1, "holdout", score("auc", "2", higher=True))
    assert judged(case).status == UNDECIDABLE
    assert judged(case, direction="lower").status == PASSED


def test_no_incumbent_passes_and_says_so() -> None:
    finding = judged(FakeCase())
    assert (finding.status, finding.observed) == (PASSED, "no incumbent")
    assert finding.reason.startswith("no incumbent")


def test_no_incumbent_fails_where_the_policy_says_so() -> None:
    assert judged(FakeCase(), when_absent="fail").status == FAILED


def test_an_emptied_slot_is_no_incumbent() -> None:
    case = FakeCase()
    case.hold("prod", None)
    assert judged(case).observed == "no incumbent"


def test_the_incumbent_itself_is_not_worse_than_itself() -> None:
    case = FakeCase()
    case.hold("prod", 2)
    assert judged(case).status == PASSED


def test_against_may_name_another_stage_or_a_version() -> None:
    case = contest("0.8", "0.9")
    case.log(3, "holdout", score("auc", "0.7"))
    case.hold("staging", 3)
    assert judged(case, against="staging").status == PASSED
    assert judged(case, against={"version": 3}).status == PASSED
    assert judged(case, against={"version": 1}).status == FAILED
    assert judged(case, against={"version": 9}).status == UNDECIDABLE


def test_a_gated_alias_is_an_incumbent_too() -> None:
    case = FakeCase(stage="champion")
    case.hold("prod", 1)
    case.log(2, "holdout", score("auc", "0.8"))
    case.log(1, "holdout", score("auc", "0.9"))
    case.entry.aliases["champion"] = case.entry.slots["prod"]
    assert judged(case).status == FAILED


@pytest.mark.parametrize(
    ("ours", "theirs", "status"),
    [
        (("digits@1", "aa"), ("digits@1", "aa"), PASSED),
        (("digits@prod", "aa"), ("digits@1", "aa"), PASSED),
        (("digits@1", "aa"), ("digits@2", "bb"), UNDECIDABLE),
        (("digits@1", "aa"), ("digits@1", ""), UNDECIDABLE),
        (("mine.csv", ""), ("mine.csv", ""), PASSED),
        (("mine.csv", ""), ("other.csv", ""), UNDECIDABLE),
        (("mine.csv", ""), ("", ""), UNDECIDABLE),
        (("", ""), ("", ""), PASSED),
    ],
)
def test_only_runs_on_the_same_dataset_are_compared(
    ours: tuple[str, str], theirs: tuple[str, str], status: VerdictStatus
) -> None:
    case = FakeCase()
    case.hold("prod", 1)
    case.log(2, "holdout", score("auc", "0.9"), dataset=ours[0], dataset_digest=ours[1])
    case.log(1, "holdout", score("auc", "0.9"), dataset=theirs[0], dataset_digest=theirs[1])
    finding = judged(case)
    assert finding.status == status
    said = "neither run has its dataset recorded" in finding.reason
    assert said == (ours == theirs == ("", ""))


def test_another_dataset_is_named_with_the_command_for_the_same_one() -> None:
    case = FakeCase()
    case.hold("prod", 1)
    case.log(2, "holdout", score("auc", "0.9"), dataset="digits@2", dataset_digest="bb")
    case.log(1, "holdout", score("auc", "0.9"), dataset="digits@1", dataset_digest="aa")
    finding = judged(case)
    assert "version 2 on digits@2 (bb), version 1 on digits@1 (aa)" in finding.reason
    assert finding.remedy.endswith("--suite holdout --from FILE --dataset digits@1")


def test_a_missing_run_names_the_version_that_lacks_it() -> None:
    case = FakeCase()
    case.hold("prod", 1)
    case.log(2, "holdout", score("auc", "0.9"))
    finding = judged(case)
    assert finding.status == UNDECIDABLE
    assert finding.reason == "version 1 has no eval run of holdout"
    assert finding.remedy.startswith("regista eval log fraud/card@1 ")


@pytest.mark.parametrize("number", [1, 2])
def test_a_metric_that_is_missing_or_no_number_is_undecidable(number: int) -> None:
    case = contest("0.9", "0.9")
    case.log(number, "holdout", score("f1", "0.9"))
    assert judged(case).status == UNDECIDABLE
    case.log(number, "holdout", score("auc", "NaN"))
    assert judged(case).status == UNDECIDABLE


def sliced(ours: dict[str, str], theirs: dict[str, str]) -> FakeCase:
    case = FakeCase()
    case.hold("prod", 1)
    for number, values in ((2, ours), (1, theirs)):
        scores = [score("auc", value, slice_=name) for name, value in values.items()]
        case.log(number, "holdout", *scores)
    return case


def test_all_slices_are_those_of_the_baseline_and_the_worst_is_shown() -> None:
    ours = {"": "0.9", "a": "0.9", "b": "0.6", "new": "0.1"}
    finding = judged(sliced(ours, {"": "0.9", "a": "0.8", "b": "0.7"}), slices="all")
    assert finding.status == FAILED
    assert finding.observed == "holdout/auc in slice b: 0.6 vs 0.7 (-0.1), worst of 3"
    assert finding.required == "not worse than version 1 in prod"


def test_a_slice_that_the_candidate_lacks_is_undecidable() -> None:
    case = sliced({"": "0.9", "a": "0.9"}, {"": "0.9", "a": "0.8", "b": "0.7"})
    finding = judged(case, slices="all")
    assert finding.status == UNDECIDABLE
    assert "holdout/auc in slice b" in finding.reason


def test_all_slices_of_a_baseline_without_any_is_undecidable() -> None:
    finding = judged(sliced({"": "0.9", "a": "0.9"}, {"": "0.9"}), slices="all")
    assert (finding.status, finding.observed) == (UNDECIDABLE, "nothing to compare")


def test_failed_outranks_undecidable_and_both_are_told() -> None:
    finding = judged(sliced({"a": "0.1"}, {"a": "0.8", "b": "0.7"}), slices=["a", "b"])
    assert finding.status == FAILED
    assert "; 1 more cannot be compared" in finding.reason


def every(case: FakeCase, **params: object) -> Finding:
    return evaluate("baseline", {"suite": "*", "metric": "*", **params}, case)


def test_every_suite_and_metric_of_the_incumbent_is_compared() -> None:
    case = FakeCase()
    case.hold("prod", 1)
    for number, drop in ((1, "0.9"), (2, "0.8")):
        case.log(number, "smoke", score("accuracy", "0.9"))
        case.log(number, "holdout", score("auc", "0.9"), score("f1", drop, task="t"))
    finding = every(case)
    assert finding.status == FAILED
    assert finding.observed == "holdout/t/f1: 0.8 vs 0.9 (-0.1), worst of 3"
    assert len(finding.evidence) == 4
    assert every(case, metric="auc").status == PASSED
    assert every(case, task="t", metric="f1", max_regression="0.1").status == PASSED


def test_a_suite_that_the_candidate_lacks_is_undecidable_and_named() -> None:
    case = contest("0.9", "0.9")
    case.log(1, "safety", score("toxicity", "0.1", higher=False))
    finding = every(case)
    assert finding.status == UNDECIDABLE
    assert finding.remedy == "regista eval log fraud/card@2 --suite safety --from FILE"


def test_new_suites_of_the_candidate_do_not_matter() -> None:
    case = contest("0.9", "0.9")
    case.log(2, "extra", score("auc", "0.1"))
    assert every(case).status == PASSED


def test_an_incumbent_without_any_run_leaves_it_undecidable() -> None:
    case = FakeCase()
    case.hold("prod", 1)
    case.log(2, "holdout", score("auc", "0.9"))
    finding = every(case)
    assert (finding.status, finding.observed) == (UNDECIDABLE, "nothing to compare")


def test_a_metric_that_no_suite_of_the_incumbent_has_is_undecidable() -> None:
    assert every(contest("0.9", "0.9"), metric="f1").status == UNDECIDABLE


def z_tested(ours: str, theirs: str, stderr: str, **params: object) -> Finding:
    case = contest(ours, theirs, stderr=stderr, n=100, higher=True)
    return judged(case, test="stderr", **params)


def test_non_inferiority_subtracts_the_standard_error_of_the_difference() -> None:
    # 0.003 + 1.6448536 * sqrt(2) * 0.001 = 0.0053262
    assert z_tested("0.897", "0.9", "0.001", max_regression="0.0054").status == PASSED
    finding = z_tested("0.897", "0.9", "0.001", max_regression="0.0053")
    assert finding.status == UNDECIDABLE
    assert finding.observed == "0.897 vs 0.9, gain at least -0.00532617"
    assert finding.required == ">= 0.8947, 95% sure"


def test_what_may_be_chance_is_undecidable_with_the_examples_it_would_take() -> None:
    finding = z_tested("0.9", "0.9", "0.01", max_regression="0.01")
    assert finding.status == UNDECIDABLE
    # (1.6448536 * sqrt(2) * 0.01 / 0.01)^2 * 100 = 541.1
    assert finding.remedy.startswith("evaluate both on about 542 examples (now 100): regista eval")


def test_a_drop_beyond_the_margin_fails_whatever_the_error() -> None:
    assert z_tested("0.7", "0.9", "0.5", max_regression="0.01").status == FAILED


def test_superiority_wants_the_bound_above_zero() -> None:
    assert z_tested("0.91", "0.9", "0.001", superiority=True).status == PASSED
    assert z_tested("0.91", "0.9", "0.01", superiority=True).status == UNDECIDABLE
    assert z_tested("0.9", "0.9", "0", superiority=True).status == FAILED


def test_more_confidence_asks_for_more() -> None:
    assert z_tested("0.9", "0.9", "0.004", max_regression="0.01").status == PASSED
    surer = z_tested("0.9", "0.9", "0.004", max_regression="0.01", confidence="0.999")
    assert surer.status == UNDECIDABLE
    assert surer.required.endswith("99.9% sure")


@pytest.mark.parametrize("stderr", [None, "NaN", "-0.1"])
def test_no_usable_standard_error_is_undecidable(stderr: str | None) -> None:
    case = contest("0.99", "0.9", stderr=stderr)
    finding = judged(case, test="stderr")
    assert (finding.status, "no stderr" in finding.observed) == (UNDECIDABLE, True)


def test_without_n_the_remedy_asks_for_more_examples_without_a_number() -> None:
    case = contest("0.9", "0.9", stderr="0.01")
    finding = judged(case, test="stderr", max_regression="0.01")
    assert finding.remedy.startswith("evaluate both on more examples: ")
