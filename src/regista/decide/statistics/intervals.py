"""Two-sided answers for people: a difference with its interval and p, and how they were made.

Gates ask one-sided questions with a margin (`regista.decide.gates.estimates`); a person who looks
at two scores asks how far apart they are. The tests are the same ones. An interval holds zero just
when its p is above `ERROR`; McNemar's exact p alone is more careful than Tango's interval beside
it. Nothing here is part of a decision, so p of the normal distribution may come from a
mathematical library.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from math import erfc, sqrt

from regista.decide.statistics import bootstrap, mcnemar
from regista.decide.statistics.pairs import MIN_PAIRS, Outcomes, Pairs
from regista.decide.statistics.quantiles import ARITHMETIC, normal_quantile, student_quantile

ERROR = Decimal("0.05")
"""Chance of error that an interval allows, half of it to each side."""

UPPER = 1 - ERROR / 2
"""Share of what lies below an interval's upper end."""

Z, MCNEMAR, PAIRED_BOOTSTRAP, PAIRED_T = "z", "mcnemar", "paired_bootstrap", "paired_t"
METHODS = {
    Z: "z test on the two standard errors, as of independent runs",
    MCNEMAR: "McNemar's test, with Tango's interval, on examples that are right or wrong",
    PAIRED_BOOTSTRAP: "paired bootstrap of the differences per example",
    PAIRED_T: "t test on the differences per example",
}

_HALVINGS = 40
_SURE = Decimal("0.9999999")


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference of two scores, and how sure it is.

    Attributes:
        method: one of `METHODS`.
        n: number of paired examples; None for aggregates.
        difference: the second less the first, as this method sees it.
        low: lower end of the 95 % interval.
        high: upper end.
        p: chance of a difference this far from zero, to either side, if there were none.
    """

    method: str
    n: int | None
    difference: Decimal
    low: Decimal
    high: Decimal
    p: Decimal


def of_errors(difference: Decimal, errors: tuple[Decimal, Decimal]) -> Interval:
    """Return the interval of two independent scores with standard errors."""
    with localcontext(ARITHMETIC):
        stderr = (errors[0] ** 2 + errors[1] ** 2).sqrt()
        reach = normal_quantile(UPPER) * stderr
        p = _normal_p(difference / stderr) if stderr else Decimal(0 if difference else 1)
        return Interval(Z, None, difference, difference - reach, difference + reach, p)


def of_pairs(pairs: Pairs) -> Interval | None:
    """Return the interval of the mean difference of paired examples.

    Right-or-wrong values get McNemar's test; others the bootstrap, or where skewness is more than
    it bears, Student's t.

    Returns:
        None for too few examples.
    """
    if not pairs.pairs:
        return None
    if pairs.values:
        return _of_outcomes(pairs.values)
    if pairs.pairs < MIN_PAIRS:
        return None
    if not pairs.deviation:
        return _of_constant(pairs)
    return _resampled(pairs) or _student(pairs)


def _of_outcomes(outcomes: Outcomes) -> Interval:
    """Return McNemar's p, and the interval of the score test: Tango (1998), section 3."""
    n, gained, lost = sum(outcomes), outcomes.gained, outcomes.lost
    with localcontext(ARITHMETIC):
        difference = Decimal(gained - lost) / n
        if gained + lost <= mcnemar.EXACT_UP_TO:
            p = min(Decimal(1), 2 * mcnemar.exact_p(max(gained, lost), min(gained, lost)))
        else:
            p = _normal_p(Decimal(gained - lost) / Decimal(gained + lost).sqrt())
        mirrored = Outcomes(outcomes.both, lost, gained, outcomes.neither)
        low, high = _score_bound(outcomes), -_score_bound(mirrored)
    return Interval(MCNEMAR, n, difference, low, high, p)


def _score_bound(outcomes: Outcomes) -> Decimal:
    """Return the least difference that the score test does not refuse."""
    z = normal_quantile(UPPER)

    def refused(difference: Decimal) -> bool:
        score = mcnemar.score(outcomes, -difference)
        return score is not None and score > z

    low, high = Decimal(-1), Decimal(outcomes.gained - outcomes.lost) / sum(outcomes)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if refused(middle) else (low, middle)
    return high


def _of_constant(pairs: Pairs) -> Interval:
    """Return the interval where every difference is the same: see `estimates.Constant`."""
    with localcontext(ARITHMETIC):
        gain, span = pairs.mean, pairs.high - pairs.low
        reach = (1 - (1 - UPPER) ** (Decimal(1) / pairs.pairs)) * span
        p = min(Decimal(1), 2 * (1 - abs(gain) / span) ** pairs.pairs) if gain else Decimal(1)
        return Interval(PAIRED_T, pairs.pairs, gain, gain - reach, gain + reach, p)


def _resampled(pairs: Pairs) -> Interval | None:
    below, above = (bootstrap.t_quantile(pairs, level) for level in (1 - UPPER, UPPER))
    if below is None or above is None:
        return None
    with localcontext(ARITHMETIC):
        mean, stderr = pairs.mean, pairs.stderr
        p = min(Decimal(1), 2 * bootstrap.tail(pairs, mean / stderr))
        low, high = mean - above * stderr, mean - below * stderr
    return Interval(PAIRED_BOOTSTRAP, pairs.pairs, mean, low, high, p)


def _student(pairs: Pairs) -> Interval:
    freedom = pairs.pairs - 1
    with localcontext(ARITHMETIC):
        mean, stderr = pairs.mean, pairs.stderr
        reach = student_quantile(UPPER, freedom) * stderr
        at = abs(mean / stderr)
        p = 2 * (1 - level_of(lambda level: student_quantile(level, freedom), at, _SURE))
        return Interval(PAIRED_T, pairs.pairs, mean, mean - reach, mean + reach, p)


def level_of(quantile: Callable[[Decimal], Decimal], value: Decimal, most: Decimal) -> Decimal:
    """Return the probability, from one half to `most`, whose quantile is the value."""
    low, high = Decimal("0.5"), most
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if quantile(middle) < value else (low, middle)
    return high


def _normal_p(z: Decimal) -> Decimal:
    """Return the two-sided p of a standard normal value."""
    return Decimal(repr(erfc(abs(float(z)) / sqrt(2))))
