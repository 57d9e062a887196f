"""Corrections against statsmodels: the same tests are refused, whatever their p values."""

import random
from decimal import Decimal

import pytest
from statsmodels.stats.multitest import multipletests

from regista.decide.statistics.correcting import Passes, levels

CONFIDENCE = Decimal("0.95")


def at_p(p: float) -> Passes:
    return lambda level: Decimal(p) <= 1 - level


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("correction", ["holm", "bonferroni"])
def test_what_passes_is_what_statsmodels_rejects(correction: str, seed: int) -> None:
    chance = random.Random(seed)
    p_values = [chance.random() ** 4 * 0.2 for _ in range(chance.randrange(1, 12))]
    tests = [at_p(p) for p in p_values]
    found = levels(CONFIDENCE, correction, tests)
    passes = [test(level) for test, level in zip(tests, found, strict=True)]
    assert passes == list(multipletests(p_values, 0.05, method=correction)[0])


def test_without_a_correction_each_test_has_the_whole_error() -> None:
    assert levels(CONFIDENCE, "none", [at_p(0.04)] * 3) == [CONFIDENCE] * 3


def test_holm_passes_all_only_if_all_would_pass_alone() -> None:
    assert levels(CONFIDENCE, "holm", [at_p(0.001)] * 4) == [Decimal("0.9875")] * 4
    assert levels(CONFIDENCE, "bonferroni", [at_p(0.001)] * 4) == [Decimal("0.9875")] * 4
