"""Intervals and p for people, against SciPy and statsmodels."""

import random
from dataclasses import replace
from decimal import Decimal

import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from regista.decide.statistics.intervals import (
    MCNEMAR,
    PAIRED_BOOTSTRAP,
    PAIRED_T,
    of_errors,
    of_pairs,
)
from regista.decide.statistics.mcnemar import score
from regista.decide.statistics.pairs import Outcomes, Pairs
from support.paired import binary, pairs_of


def gaussian(n: int, shift: float, seed: int = 3) -> list[float]:
    chance = random.Random(seed)
    return [chance.gauss(shift, 1) for _ in range(n)]


def against_zero(differences: list[float]) -> Pairs:
    return pairs_of(differences, [0.0] * len(differences))


@pytest.mark.parametrize(("difference", "z"), [("0.05", 0.05), ("-0.02", -0.02), ("0", 0.0)])
def test_two_standard_errors_give_the_normal_distributions_interval(
    difference: str, z: float
) -> None:
    found = of_errors(Decimal(difference), (Decimal("0.01"), Decimal("0.02")))
    spread = (0.01**2 + 0.02**2) ** 0.5
    assert float(found.p) == pytest.approx(2 * stats.norm.sf(abs(z) / spread), rel=1e-9)
    assert float(found.low) == pytest.approx(stats.norm.ppf(0.025, z, spread), abs=1e-9)
    assert float(found.high) == pytest.approx(stats.norm.ppf(0.975, z, spread), abs=1e-9)


def test_without_any_error_a_difference_is_sure() -> None:
    assert of_errors(Decimal("0.1"), (Decimal(0), Decimal(0))).p == 0
    assert of_errors(Decimal(0), (Decimal(0), Decimal(0))).p == 1


@pytest.mark.parametrize(("gained", "lost"), [(12, 3), (3, 12), (5, 5), (0, 0), (900, 700)])
def test_right_or_wrong_examples_get_mcnemars_p(gained: int, lost: int) -> None:
    found = of_pairs(binary(50, gained, lost, 20))
    assert found is not None
    exact = gained + lost <= 1000
    expected = statsmodels_mcnemar([[50, gained], [lost, 20]], exact=exact, correction=False)
    assert (found.method, found.n) == (MCNEMAR, 70 + gained + lost)
    assert float(found.p) == pytest.approx(float(expected.pvalue), rel=1e-9)
    assert found.low <= found.difference <= found.high


def test_an_end_of_tangos_interval_is_just_not_refused() -> None:
    table = Outcomes(30, 14, 4, 12)
    found = of_pairs(binary(*table))
    assert found is not None
    low, high = (score(table, -end) for end in (found.low, found.high))
    assert low is not None
    assert high is not None
    assert float(low) == pytest.approx(1.959964, abs=1e-5)
    assert float(high) == pytest.approx(-1.959964, abs=1e-5)


@pytest.mark.parametrize("n", [40, 200, 2_000])
@pytest.mark.parametrize("shift", [-0.3, 0.0, 0.15])
def test_the_bootstrap_is_near_to_students_t_where_nothing_is_skewed(n: int, shift: float) -> None:
    differences = gaussian(n, shift)
    found = of_pairs(against_zero(differences))
    assert found is not None
    assert found.method == PAIRED_BOOTSTRAP
    student = stats.ttest_1samp(differences, 0)
    ends = student.confidence_interval(0.95)
    width = ends.high - ends.low
    assert float(found.low) == pytest.approx(ends.low, abs=0.08 * width)
    assert float(found.high) == pytest.approx(ends.high, abs=0.08 * width)
    assert float(found.p) == pytest.approx(max(student.pvalue, 0.001), abs=0.06)


@pytest.mark.parametrize("n", [30, 700])
@pytest.mark.parametrize("seed", range(12))
def test_an_interval_holds_zero_just_when_p_is_above_its_error(n: int, seed: int) -> None:
    found = of_pairs(against_zero(gaussian(n, 2.0 / n**0.5, seed)))
    assert found is not None
    assert (found.low <= 0 <= found.high) == (found.p > Decimal("0.05"))


def test_a_negated_difference_has_the_same_p() -> None:
    differences = gaussian(60, 0.3)
    there, back = (of_pairs(against_zero([sign * d for d in differences])) for sign in (1, -1))
    assert there is not None
    assert back is not None
    assert float(there.p) == pytest.approx(float(back.p), abs=0.05)
    assert float(there.low) == pytest.approx(-float(back.high), abs=0.08)


def test_more_skewness_than_the_bootstrap_bears_gets_students_t() -> None:
    differences = [1000.0] + [0.001 * k for k in range(999)]
    found = of_pairs(against_zero(differences))
    assert found is not None
    student = stats.ttest_1samp(differences, 0)
    assert found.method == PAIRED_T
    assert float(found.p) == pytest.approx(student.pvalue, rel=1e-3)
    assert float(found.low) == pytest.approx(student.confidence_interval(0.95).low, rel=1e-3)


def test_differences_that_are_all_alike_are_not_taken_as_certain() -> None:
    found = of_pairs(pairs_of([0.5] * 30, [0.25] * 30))
    assert found is not None
    assert float(found.difference) == 0.25
    assert found.low < found.difference < found.high
    same = of_pairs(pairs_of([0.5] * 30, [0.5] * 30))
    assert same is not None
    assert (same.p, same.difference) == (Decimal(1), Decimal(0))


def test_too_few_examples_have_no_interval() -> None:
    assert of_pairs(against_zero(gaussian(19, 1.0))) is None
    assert of_pairs(replace(against_zero([]), only_candidate=4)) is None
