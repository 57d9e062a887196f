"""Tests on paired right-or-wrong outcomes: McNemar's, and Tango's score test with a margin.

Only the examples on which the two versions differ say which is better: `gained` are right for the
candidate alone, `lost` for the baseline alone. Without a margin the test is McNemar's; with one,
the score test of the difference of paired proportions, which is McNemar's at a margin of zero:

- McNemar (1947), Psychometrika 12(2), 153-157: under the hypothesis each differing example is a
  fair coin. Up to `EXACT_UP_TO` differing examples the binomial is summed exactly, in whole
  numbers; beyond, the statistic is (gained - lost) / sqrt(gained + lost).
- Tango (1998), "Equivalence test and confidence interval for the difference in proportions for
  the paired-sample design", Statistics in Medicine 17(8), 891-908; one-sided non-inferiority as in
  Liu et al. (2002), Statistics in Medicine 21(2), 231-245.
"""

from decimal import Decimal, localcontext

from regista.decide.statistics.pairs import Outcomes
from regista.decide.statistics.quantiles import ARITHMETIC

EXACT_UP_TO = 1_000


def exact_p(gained: int, lost: int) -> Decimal:
    """Return the chance of at least so many gained, if each differing example is a fair coin."""
    n = gained + lost
    term, total = 1, 1
    # over the shorter tail's complement: the terms n choose k for k = 0 … lost
    for k in range(1, lost + 1):
        term = term * (n - k + 1) // k
        total += term
    with localcontext(ARITHMETIC):
        return Decimal(total) / Decimal(1 << n)


def score(outcomes: Outcomes, margin: Decimal) -> Decimal | None:
    """Return Tango's z for the hypothesis that the candidate is worse by the margin or more.

    Args:
        outcomes: of one example at least.
        margin: from 0; below 1.

    Returns:
        The statistic, which is to exceed a normal quantile; None where nothing differs and there
        is no margin.
    """
    n, gained, lost = sum(outcomes), outcomes.gained, outcomes.lost
    with localcontext(ARITHMETIC):
        shift = -margin
        b = (2 * n - gained + lost) * shift - gained - lost
        c = -lost * shift * (1 - shift)
        # the share lost that is likeliest where the difference is the shift
        share = ((b**2 - 8 * n * c).sqrt() - b) / (4 * n)
        variance = n * (2 * share + shift * (1 - shift))
        if variance <= 0:
            return None
        return (gained - lost - n * shift) / variance.sqrt()
