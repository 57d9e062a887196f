"""The baseline gate's tests on paired examples: verdicts, corrections, and what it would take."""

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.case import FakeCase, evaluate, score
from regista.decide.gates.fields import CheckContext
from regista.decide.gates.registry import find_kind
from regista.decide.statistics.pairs import Outcomes, Pairs
from regista.decide.verdict import Finding, VerdictStatus
from support.paired import binary, pairs_of

PASSED, FAILED, UNDECIDABLE = (
    VerdictStatus.PASSED,
    VerdictStatus.FAILED,
    VerdictStatus.UNDECIDABLE,
)
PAIRED_TESTS = ["mcnemar", "paired_t", "paired_bootstrap"]
WHOLE = ("", "acc", "")


def contest(pairs: Pairs | None, *, slices: tuple[str, ...] = (), higher: bool = True) -> FakeCase:
    """Let both versions have scores, and these pairs behind every one of them."""
    case = FakeCase()
    case.hold("prod", 1)
    for number in (1, 2):
        scores = [score("acc", "0.8", slice_=name, higher=higher) for name in ("", *slices)]
        case.log(number, "holdout", *scores)
    if pairs is not None:
        case.paired = {("", "acc", name): pairs for name in ("", *slices)}
    return case


def judged(case: FakeCase, test: str = "mcnemar", **params: Any) -> Finding:
    return evaluate("baseline", {"suite": "holdout", "metric": "acc", "test": test, **params}, case)


def gaussian(shift: float, n: int = 200, seed: int = 3) -> Pairs:
    chance = random.Random(seed)
    theirs = [chance.gauss(10, 3) for _ in range(n)]
    return pairs_of([value + shift + chance.gauss(0, 0.5) for value in theirs], theirs)


@pytest.mark.parametrize("test", PAIRED_TESTS)
def test_a_clear_gain_passes_and_a_clear_loss_fails(test: str) -> None:
    better, worse = binary(150, 40, 5, 5), binary(150, 5, 40, 5)
    assert judged(contest(better), test, superiority=True).status == PASSED
    assert judged(contest(better), test, max_regression="0.01").status == PASSED
    assert judged(contest(worse), test, max_regression="0.01").status == FAILED


@pytest.mark.parametrize("test", PAIRED_TESTS)
def test_a_gain_that_may_be_chance_is_undecidable_and_says_how_many_it_takes(test: str) -> None:
    finding = judged(contest(binary(150, 12, 8, 30)), test, superiority=True)
    assert (finding.status, "may be chance" in finding.reason) == (UNDECIDABLE, True)
    needed = finding.remedy.split(" about ")[1].split(" examples")[0]
    assert int(needed) in {1540, 1548}  # (1.645 + 0.842)^2 * 0.0996 / 0.02^2; n - 1 for t
    many = binary(*(count * int(needed) // 200 for count in (150, 12, 8, 30)))
    assert judged(contest(many), test, superiority=True).status == PASSED


def test_the_verdict_shows_counts_statistic_and_what_it_must_reach() -> None:
    finding = judged(contest(binary(150, 12, 8, 30)), superiority=True)
    assert finding.observed == ("0.8 vs 0.8, 12 gained and 8 lost of 200, p 0.2517 (at most 0.05)")
    assert finding.required == "> 0.8, 95% sure"
    finding = judged(contest(binary(150, 12, 8, 30)), max_regression="0.02")
    assert finding.observed == ("0.8 vs 0.8, 12 gained and 8 lost of 200, z 1.735 (at least 1.645)")
    finding = judged(contest(gaussian(0.2)), "paired_t", max_regression="0.1")
    assert finding.observed.startswith("0.8 vs 0.8, gain at least +0.1")


def test_many_differing_examples_are_tested_by_the_score() -> None:
    finding = judged(contest(binary(0, 700, 600, 0)), superiority=True)
    assert (finding.status, "z 2.774" in finding.observed) == (PASSED, True)


@pytest.mark.parametrize("test", ["paired_t", "paired_bootstrap"])
def test_lower_is_better_turns_the_differences(test: str) -> None:
    case = contest(gaussian(-1), higher=False)
    assert judged(case, test, superiority=True).status == PASSED
    assert judged(case, test, superiority=True, direction="higher").status == FAILED


def test_lower_is_better_makes_zero_right() -> None:
    assert judged(contest(binary(5, 5, 40, 150), higher=False), superiority=True).status == PASSED


def test_values_that_are_not_right_or_wrong_need_passed() -> None:
    finding = judged(contest(gaussian(1)))
    assert (finding.status, finding.observed) == (UNDECIDABLE, "not right or wrong")
    pairs = replace(gaussian(1), passed=Outcomes(100, 80, 5, 15))
    assert judged(contest(pairs), superiority=True).status == PASSED


def test_without_examples_in_common_it_is_undecidable() -> None:
    for pairs in (None, Pairs(0, 5, 5)):
        finding = judged(contest(pairs))
        assert (finding.status, finding.observed) == (UNDECIDABLE, "no paired examples")
        assert "--samples FILE" in finding.remedy


def test_an_example_in_one_run_alone_is_undecidable_unless_a_share_is_allowed() -> None:
    pairs = replace(binary(150, 40, 5, 5), only_candidate=3, only_baseline=1)
    finding = judged(contest(pairs), superiority=True)
    assert (finding.status, finding.observed) == (UNDECIDABLE, "4 of 204 unpaired")
    assert "3 in the candidate's run alone and 1 in the baseline's run alone" in finding.reason
    assert judged(contest(pairs), superiority=True, max_unpaired="0.02").status == PASSED
    assert judged(contest(pairs), superiority=True, max_unpaired="0.019").status == UNDECIDABLE


def test_too_few_pairs_are_undecidable() -> None:
    assert judged(contest(gaussian(5, n=19)), "paired_t").observed == "19 pairs"
    assert judged(contest(gaussian(5, n=20)), "paired_t").status == PASSED
    pairs = binary(150, 40, 5, 5)
    assert judged(contest(pairs), superiority=True, min_n=200).status == PASSED
    assert judged(contest(pairs), superiority=True, min_n=201).observed == "200 pairs"


def test_differences_that_are_all_alike_are_bounded_by_what_was_not_seen() -> None:
    # with n alike, up to 1 - 0.05^(1/n) of the examples may be of another kind
    same = pairs_of([0.5, 1.0] * 150, [0.5, 1.0] * 150)
    finding = judged(contest(same), "paired_bootstrap", max_regression="0.01")
    assert finding.status == PASSED
    few = pairs_of([0.5, 1.0] * 50, [0.5, 1.0] * 50)
    finding = judged(contest(few), "paired_t", max_regression="0.01")
    assert (finding.status, finding.observed[-10:]) == (UNDECIDABLE, "-0.0147565")
    assert "about 149 examples (now 100)" in finding.remedy
    alike = binary(80, 0, 0, 20)
    assert judged(contest(alike), max_regression="0.02").status == UNDECIDABLE
    assert "about 133 examples (now 100)" in judged(contest(alike), max_regression="0.02").remedy
    assert judged(contest(binary(110, 0, 0, 23)), max_regression="0.02").status == PASSED


def test_no_margin_and_no_difference_cannot_be_decided() -> None:
    for test in PAIRED_TESTS:
        finding = judged(contest(binary(80, 0, 0, 20)), test)
        assert finding.status == UNDECIDABLE, test


def test_a_bootstrap_of_too_skewed_differences_names_the_way_out() -> None:
    pairs = pairs_of([1000.0] + [0.001 * k for k in range(999)], [0.0] * 1000)
    finding = judged(contest(pairs), "paired_bootstrap", superiority=True)
    assert (finding.status, "use test: paired_t" in finding.remedy) == (UNDECIDABLE, True)


@pytest.mark.parametrize(
    ("correction", "status"),
    [("none", PASSED), ("holm", UNDECIDABLE), ("bonferroni", UNDECIDABLE)],
)
def test_slices_share_the_error_only_where_the_gate_says_so(
    correction: str, status: VerdictStatus
) -> None:
    # p is 0.0287: enough for one test at 95 %, not for one of three
    case = contest(binary(100, 15, 5, 10), slices=("a", "b"))
    finding = judged(case, superiority=True, slices="all", correction=correction)
    assert finding.status == status


def test_holm_lets_a_clear_slice_leave_more_error_to_the_next() -> None:
    case = contest(binary(100, 15, 5, 10), slices=("a", "b"))
    clear = binary(100, 40, 5, 10)
    case.paired |= {WHOLE: clear, ("", "acc", "a"): clear}
    params: dict[str, Any] = {"superiority": True, "slices": "all"}
    assert judged(case, correction="holm", **params).status == PASSED
    finding = judged(case, correction="bonferroni", **params)
    assert finding.status == UNDECIDABLE
    assert "at most 0.01667" in finding.observed


def test_a_required_direction_must_be_on_record() -> None:
    case = FakeCase()
    case.hold("prod", 1)
    case.log(1, "holdout", score("acc", "0.8"))
    case.log(2, "holdout", score("acc", "0.9"))
    finding = judged(case, "none", direction="required")
    assert (finding.status, finding.required) == (UNDECIDABLE, "a recorded direction")
    case.log(2, "holdout", score("acc", "0.9", higher=True))
    assert judged(case, "none", direction="required").status == PASSED


def test_fewer_examples_than_min_n_leave_a_comparison_undecided() -> None:
    case = FakeCase()
    case.hold("prod", 1)
    case.log(1, "holdout", score("acc", "0.8", n=100))
    case.log(2, "holdout", score("acc", "0.9", n=99))
    assert judged(case, "none", min_n=99).status == PASSED
    assert judged(case, "none", min_n=100).observed == "0.9 vs 0.8, n 99"
    case.log(2, "holdout", score("acc", "0.9"))
    assert judged(case, "none", min_n=1).observed == "0.9 vs 0.8, n unknown"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"correction": "holm"}, "correction needs a test"),
        ({"max_unpaired": "0.1", "test": "stderr"}, "max_unpaired needs a paired test"),
        ({"test": "paired_bootstrap", "confidence": "0.9999"}, "a bootstrap cannot be that sure"),
        ({"test": "mcnemar", "max_regression": 1}, "max_regression is a difference of shares"),
        ({"test": "mcnemar", "max_unpaired": 1}, "must be a share below 1, and is 1"),
    ],
)
def test_terms_that_do_not_go_together_are_refused(params: dict[str, Any], message: str) -> None:
    context = CheckContext(("dev", "prod"), target="prod")
    given_ = {"suite": "holdout", "metric": "acc", **params}
    [problem] = find_kind("baseline").check(given_, context)
    assert problem.message == message


COUNTS = st.tuples(*(st.integers(0, 60),) * 4).filter(sum)
MARGINS = st.integers(0, 30).map(lambda k: str(Decimal(k) / 100))


@settings(max_examples=60)
@given(COUNTS, st.sampled_from(PAIRED_TESTS[:2]))
def test_no_two_versions_are_each_surely_better_than_the_other(
    counts: tuple[int, int, int, int], test: str
) -> None:
    pairs = binary(*counts)
    swapped = binary(counts[0], counts[2], counts[1], counts[3])
    assert pairs.lower_is_better().mean == swapped.mean
    outcomes = {judged(contest(item), test, superiority=True).status for item in (pairs, swapped)}
    assert outcomes != {PASSED}


@settings(max_examples=60)
@given(COUNTS, MARGINS, MARGINS, st.sampled_from(PAIRED_TESTS))
def test_a_wider_margin_never_refuses_what_a_narrower_one_let_pass(
    counts: tuple[int, int, int, int], one: str, other: str, test: str
) -> None:
    narrow, wide = sorted((one, other), key=Decimal)
    case = contest(binary(*counts))
    if judged(case, test, max_regression=narrow).status == PASSED:
        assert judged(case, test, max_regression=wide).status == PASSED


@settings(max_examples=60)
@given(COUNTS, st.sampled_from(PAIRED_TESTS), st.sampled_from(["0.9", "0.95", "0.99"]))
def test_what_passes_at_a_confidence_passes_at_a_lower_one(
    counts: tuple[int, int, int, int], test: str, confidence: str
) -> None:
    case = contest(binary(*counts))
    if judged(case, test, max_regression="0.1", confidence=confidence).status == PASSED:
        lower = judged(case, test, max_regression="0.1", confidence="0.8")
        assert lower.status == PASSED
