"""McNemar's test and Tango's score test against SciPy and statsmodels."""

import random
from decimal import Decimal

import pytest
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from regista.decide.statistics.mcnemar import exact_p, score
from regista.decide.statistics.pairs import Outcomes

CHANCE = random.Random(20261125)
TABLES = [Outcomes(*(CHANCE.randrange(0, limit) for limit in (400, 40, 40, 90))) for _ in range(60)]
WITH_DIFFERENCES = [table for table in TABLES if table.gained + table.lost]
MARGINS = ["0.005", "0.01", "0.05", "0.1"]


@pytest.mark.parametrize("table", WITH_DIFFERENCES)
def test_the_exact_p_is_the_binomials(table: Outcomes) -> None:
    gained, lost = table.gained, table.lost
    one_sided = stats.binomtest(gained, gained + lost, alternative="greater").pvalue
    assert float(exact_p(gained, lost)) == pytest.approx(one_sided, rel=1e-9)
    two_sided = statsmodels_mcnemar([[0, gained], [lost, 0]], exact=True).pvalue
    smaller = min(exact_p(gained, lost), exact_p(lost, gained))
    assert min(1.0, 2 * float(smaller)) == pytest.approx(two_sided, rel=1e-9)


@pytest.mark.parametrize("table", WITH_DIFFERENCES)
def test_without_a_margin_the_score_is_mcnemars(table: Outcomes) -> None:
    found = score(table, Decimal(0))
    expected = statsmodels_mcnemar(
        [[0, table.gained], [table.lost, 0]], exact=False, correction=False
    ).statistic
    assert found is not None
    assert float(found) ** 2 == pytest.approx(expected, rel=1e-9)


def likelihood_score(table: Outcomes, margin: float) -> float:
    """Return the score statistic with its nuisance share found by search, not by formula."""
    n, shift = sum(table), -margin
    rest = n - table.gained - table.lost

    def slope(share: float) -> float:
        return (
            table.gained / (share + shift) + table.lost / share - 2 * rest / (1 - 2 * share - shift)
        )

    low, high = max(0.0, -shift) + 1e-13, (1 - shift) / 2 - 1e-13
    share = optimize.brentq(slope, low, high, xtol=1e-15) if slope(low) > 0 else low
    variance = n * (2 * share + shift - shift**2)
    return float((table.gained - table.lost - n * shift) / variance**0.5)


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("table", [t for t in WITH_DIFFERENCES if t.gained and t.both + t.neither])
def test_with_a_margin_it_is_the_score_at_the_likeliest_nuisance(
    table: Outcomes, margin: str
) -> None:
    found = score(table, Decimal(margin))
    assert found is not None
    assert float(found) == pytest.approx(likelihood_score(table, float(margin)), rel=1e-5)


def test_where_nothing_differs_only_a_margin_says_anything() -> None:
    table = Outcomes(80, 0, 0, 20)
    assert score(table, Decimal(0)) is None
    z = score(table, Decimal("0.05"))
    assert z is not None
    assert float(z) == pytest.approx((100 * 0.05 / 0.95) ** 0.5)
