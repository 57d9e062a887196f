"""Quantiles against SciPy's, over the whole range that policies may name."""

from decimal import Decimal, localcontext

import pytest
from scipy import stats

from regista.decide.statistics.quantiles import normal_quantile, student_quantile

CONFIDENCES = ["0.5", "0.6", "0.8", "0.9", "0.95", "0.975", "0.99", "0.999", "0.9999", "0.999999"]


@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_the_normal_quantile_is_scipys(confidence: str) -> None:
    found = normal_quantile(Decimal(confidence))
    assert float(found) == pytest.approx(stats.norm.ppf(float(confidence)), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("confidence", CONFIDENCES[:8])
@pytest.mark.parametrize("freedom", [19, 25, 30, 60, 120, 1_000, 10_000_000])
def test_students_quantile_is_scipys_to_a_ten_thousandth(confidence: str, freedom: int) -> None:
    found = student_quantile(Decimal(confidence), freedom)
    assert float(found) == pytest.approx(stats.t.ppf(float(confidence), freedom), abs=1e-4)


def test_no_thread_s_decimal_context_changes_a_quantile() -> None:
    before = student_quantile(Decimal("0.95"), 24)
    with localcontext(prec=3):
        assert student_quantile(Decimal("0.95"), 24) == before
