"""Simulated error rates, in brief: the campaign's own functions, with its seeds and few trials.

A rate of 5 % that is simulated 400 times lies within 2.2 to 8.5 % in 998 cases of a thousand; the
seeds are fixed, so these either hold or do not.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[4] / "benchmarks" / "gate_error_rates.py"
LOW, HIGH, TRIALS = 0.022, 0.085, 400


@pytest.fixture(scope="module")
def campaign() -> ModuleType:
    spec = spec_from_file_location("gate_error_rates", SCRIPT)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.modules["gate_error_rates"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("margin", [0.02, 0.05])
def test_a_candidate_exactly_too_bad_rarely_passes_mcnemar(
    campaign: ModuleType, margin: float
) -> None:
    assert LOW <= campaign.binary(1000, 0.2, -margin, margin, TRIALS) <= HIGH


def test_the_exact_test_errs_on_the_safe_side(campaign: ModuleType) -> None:
    assert campaign.binary(50, 0.06, 0.0, 0.0, TRIALS) <= HIGH


@pytest.mark.parametrize("kind", ["normal", "unequal variances"])
@pytest.mark.parametrize("n", [20, 200])
def test_a_candidate_exactly_too_bad_rarely_passes_the_t_test(
    campaign: ModuleType, n: int, kind: str
) -> None:
    [drawn] = [item for item in campaign.KINDS if item.name == kind]
    found = campaign.continuous("paired_t", drawn, n, -0.1, margin=0.1, trials=TRIALS)
    assert LOW <= found <= HIGH


def test_nor_the_expanded_bootstrap_however_skewed(campaign: ModuleType) -> None:
    for kind in campaign.KINDS:
        found = campaign.continuous("paired_bootstrap", kind, 1000, -0.1, margin=0.1, trials=TRIALS)
        assert LOW <= found <= HIGH, kind.name


def test_an_equal_candidate_passes_at_the_n_that_verdicts_name(campaign: ModuleType) -> None:
    n = campaign.needed(1, 0.1)
    [normal, *_] = campaign.KINDS
    passes = campaign.continuous("paired_t", normal, n, 0.0, margin=0.1, trials=TRIALS)
    assert 0.74 <= passes <= 0.86


def test_slices_do_not_add_to_false_passes_and_holm_guards_each_claim(
    campaign: ModuleType,
) -> None:
    gate, _wrong = campaign.slices("none", 4, 1, TRIALS)
    assert LOW <= gate <= HIGH
    _gate, wrong = campaign.slices("holm", 0, 5, TRIALS)
    assert wrong <= HIGH
