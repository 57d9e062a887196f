"""Quantiles of the normal and of Student's distribution, the same on every machine.

The normal quantile is the one number here that a mathematical library has a part in; it is cut to
12 digits, which takes away what such libraries differ in. Everything after it is decimal.
"""

from decimal import Context, Decimal, localcontext

ARITHMETIC = Context(prec=50)
"""The context of all statistics: 50 digits, whatever the thread's own context is."""

POWER = Decimal("0.8")
"""Chance of passing that a number of examples is given for."""

_DIGITS = 12


def normal_quantile(confidence: Decimal) -> Decimal:
    """Return z so that a standard normal variable is at most z with this probability.

    Wichura (1988), "Algorithm AS 241: The percentage points of the normal distribution", Applied
    Statistics 37(3), 477-484, as `statistics.NormalDist` computes it.
    """
    from statistics import NormalDist  # it loads random and fractions, which few gates need

    return Decimal(f"{NormalDist().inv_cdf(float(confidence)):.{_DIGITS}g}")


def student_quantile(confidence: Decimal, freedom: int) -> Decimal:
    """Return the quantile of Student's t, by its expansion around the normal quantile.

    Abramowitz and Stegun (1964), Handbook of Mathematical Functions, 26.7.5. From 19 degrees of
    freedom on, the error is below 1e-4 up to a confidence of 0.999.

    Args:
        confidence: the probability.
        freedom: degrees of freedom, at least 1.
    """
    z, nu = normal_quantile(confidence), Decimal(freedom)
    # coefficients of z, z^3, z^5, …
    terms = (
        ((1, 1), 4),
        ((3, 16, 5), 96),
        ((-15, 17, 19, 3), 384),
        ((-945, -1920, 1482, 776, 79), 92160),
    )
    with localcontext(ARITHMETIC):
        quantile = z
        for power, (coefficients, divisor) in enumerate(terms, start=1):
            value = sum(c * z ** (2 * k + 1) for k, c in enumerate(coefficients))
            quantile += value / (divisor * nu**power)
        return quantile
