"""The bootstrap: drawn as stated, as NumPy would draw it, and its expansion near to both."""

import random
from decimal import Decimal

import numpy as np
import pytest

from regista.decide.statistics import bootstrap
from regista.decide.statistics.bootstrap import seed_of, skew_shift, t_quantile
from support.paired import pairs_of

CONFIDENCE = Decimal("0.95")


def sample(n: int, *, skewed: bool, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [chance.expovariate(1) - 1 if skewed else chance.gauss(0.1, 1) for _ in range(n)]


def numpy_quantile(differences: list[float], confidence: float, draws: int = 8_000) -> float:
    values, n = np.array(differences), len(differences)
    drawn = np.random.default_rng(7).choice(values, size=(draws, n))
    shifts = drawn.mean(axis=1) - values.mean()
    return float(np.quantile(shifts / (drawn.std(axis=1, ddof=1) / n**0.5), confidence))


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("n", [20, 50, 200, 500])
def test_the_drawn_quantile_is_numpys_within_its_noise(n: int, *, skewed: bool) -> None:
    differences = sample(n, skewed=skewed)
    found = t_quantile(pairs_of(differences, [0.0] * n), CONFIDENCE)
    assert found is not None
    assert float(found) == pytest.approx(numpy_quantile(differences, 0.95), abs=0.15)


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("confidence", ["0.9", "0.95", "0.99"])
@pytest.mark.parametrize("n", [501, 2_000])
def test_the_expansion_is_the_bootstraps_own_quantile(
    n: int, confidence: str, *, skewed: bool
) -> None:
    differences = sample(n, skewed=skewed)
    found = t_quantile(pairs_of(differences, [0.0] * n), Decimal(confidence))
    assert found is not None
    assert float(found) == pytest.approx(numpy_quantile(differences, float(confidence)), abs=0.06)


def test_more_skewness_than_the_expansion_bears_has_no_quantile() -> None:
    pairs = pairs_of([1000.0] + [0.001 * k for k in range(999)], [0.0] * 1000)
    assert abs(skew_shift(pairs, CONFIDENCE)) > bootstrap.MAX_SHIFT
    assert t_quantile(pairs, CONFIDENCE) is None


def test_a_drawing_is_pinned_by_its_evidence_alone() -> None:
    pairs = pairs_of([0.5, 0.25, 1.0, 0.75] * 6, [0.25, 0.5, 0.5, 0.5] * 6)
    shuffled = pairs_of([1.0, 0.75, 0.25, 0.5] * 6, [0.5, 0.5, 0.5, 0.25] * 6)
    assert seed_of(pairs) == seed_of(shuffled)
    # changing what is drawn is a new revision of the gate: recorded verdicts rest on it
    assert seed_of(pairs).hex()[:16] == "0486485f8237c08e"
    assert str(t_quantile(pairs, CONFIDENCE))[:12] == "1.9036265947"


def test_a_confidence_beyond_the_number_of_draws_has_no_quantile() -> None:
    differences = sample(30, skewed=False)
    pairs = pairs_of(differences, [0.0] * 30)
    assert t_quantile(pairs, Decimal("0.9999")) is not None
    assert t_quantile(pairs, Decimal("0.99999")) is None


def test_draws_without_any_spread_count_as_far_out() -> None:
    # one example differs, so a third of the draws have none that does
    pairs = pairs_of([1.0] + [0.0] * 29, [0.0] * 30)
    assert t_quantile(pairs.lower_is_better(), CONFIDENCE) is None
