"""Estimates: what a test makes of one gain, behind one protocol.

Each says whether the gain surely reaches a limit, and how many examples it would take. They know
numbers and nothing of runs, gates or verdicts; what follows from them is `testing.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal, localcontext
from typing import Protocol

from regista.decide.gates.findings import number, rounded, signed
from regista.decide.statistics import bootstrap, mcnemar
from regista.decide.statistics.pairs import Outcomes, Pairs
from regista.decide.statistics.quantiles import (
    ARITHMETIC,
    POWER,
    normal_quantile,
    student_quantile,
)

_EVEN = Decimal("0.5")


class Estimate(Protocol):
    """A gain with its uncertainty."""

    @property
    def gain(self) -> Decimal:
        """How much better the candidate is in the examples at hand."""
        ...

    def holds(self, limit: Decimal, confidence: Decimal, *, strict: bool) -> bool:
        """Say whether the true gain surely reaches the limit, or exceeds it."""
        ...

    def shown(self, limit: Decimal, confidence: Decimal) -> str:
        """Return what was found, for a table cell."""
        ...

    def needed(self, limit: Decimal, confidence: Decimal) -> str:
        """Return what it would take, for a sentence; '' where nothing helps."""
        ...


@dataclass(frozen=True, slots=True)
class Normal:
    """A gain with a standard error, and so many standard errors to allow for.

    Attributes:
        quantile: how many at a confidence; None when that cannot be said.
        n: number of examples; None when not known.
        power: chance of passing that a number of examples is given for.
        unsure: what would help where the quantile is None.
    """

    gain: Decimal
    stderr: Decimal
    quantile: Callable[[Decimal], Decimal | None]
    n: int | None
    power: Decimal = POWER
    unsure: str = ""

    def bound(self, confidence: Decimal) -> Decimal | None:
        """Return what the true gain surely reaches."""
        quantile = self.quantile(confidence)
        if quantile is None:
            return None
        with localcontext(ARITHMETIC):
            return self.gain - quantile * self.stderr

    def holds(self, limit: Decimal, confidence: Decimal, *, strict: bool) -> bool:
        """Say whether the bound reaches the limit.

        Non-inferiority as a one-sided confidence bound that stays above minus the margin:
        Blackwelder (1982), "Proving the null hypothesis" in clinical trials, Controlled Clinical
        Trials 3(4), 345-353.
        """
        bound = self.bound(confidence)
        return bound is not None and (bound > limit if strict else bound >= limit)

    def shown(self, limit: Decimal, confidence: Decimal) -> str:  # noqa: ARG002 - see Estimate
        """Return the bound."""
        bound = self.bound(confidence)
        return f"gain {_short(self.gain)}" if bound is None else f"gain at least {_short(bound)}"

    def needed(self, limit: Decimal, confidence: Decimal) -> str:
        """Return about how many examples would pass, if gain and spread stay as they are.

        n = ((z_confidence + z_power) * sd / room)^2: Chow, Shao and Wang (2008), Sample Size
        Calculations in Clinical Research, section 3.1.2.
        """
        if self.quantile(confidence) is None:
            return self.unsure
        with localcontext(ARITHMETIC):
            room = self.gain - limit
            if self.n is None or not room:
                return "evaluate both on more examples"
            variance = self.stderr**2 * self.n
            return _enough(room, variance, (confidence, self.power), self.n)


@dataclass(frozen=True, slots=True)
class Constant:
    """A gain that is the same on every one of n examples.

    With n draws alike, another kind has a share of up to 1 - (1 - confidence)^(1/n) (Hanley and
    Lippman-Hand (1983), "If nothing goes wrong, is everything all right?", JAMA 249(13),
    1743-1745); each could be worse by the whole range of values seen.
    """

    gain: Decimal
    span: Decimal
    n: int

    def bound(self, confidence: Decimal) -> Decimal:
        """Return what the true gain surely reaches."""
        with localcontext(ARITHMETIC):
            share = 1 - (1 - confidence) ** (Decimal(1) / self.n)
            return self.gain - share * self.span

    def holds(self, limit: Decimal, confidence: Decimal, *, strict: bool) -> bool:
        """Say whether the bound reaches the limit."""
        bound = self.bound(confidence)
        return bound > limit if strict else bound >= limit

    def shown(self, limit: Decimal, confidence: Decimal) -> str:  # noqa: ARG002 - see Estimate
        """Return the bound."""
        return f"gain at least {_short(self.bound(confidence))}"

    def needed(self, limit: Decimal, confidence: Decimal) -> str:
        """Return how many such examples would pass."""
        with localcontext(ARITHMETIC):
            room = self.gain - limit
            if room <= 0 or room >= self.span:
                return ""
            wanted = (1 - confidence).ln() / (1 - room / self.span).ln()
        return _examples(wanted, self.n)


@dataclass(frozen=True, slots=True)
class Proportions:
    """A gain in the share that is right, by the examples on which the versions differ."""

    outcomes: Outcomes

    @property
    def gain(self) -> Decimal:
        """The difference of the shares."""
        with localcontext(ARITHMETIC):
            return Decimal(self.outcomes.gained - self.outcomes.lost) / sum(self.outcomes)

    def _is_exact(self, limit: Decimal) -> bool:
        return not limit and self.outcomes.gained + self.outcomes.lost <= mcnemar.EXACT_UP_TO

    def holds(self, limit: Decimal, confidence: Decimal, *, strict: bool) -> bool:  # noqa: ARG002
        """Say whether the test refuses the hypothesis that the gain is at the limit or below."""
        gained, lost = self.outcomes.gained, self.outcomes.lost
        if self._is_exact(limit):
            with localcontext(ARITHMETIC):
                return mcnemar.exact_p(gained, lost) <= 1 - confidence
        z = mcnemar.score(self.outcomes, limit.copy_negate())
        return z is not None and z >= normal_quantile(confidence)

    def shown(self, limit: Decimal, confidence: Decimal) -> str:
        """Return the counts with the statistic and what it must reach."""
        gained, lost = self.outcomes.gained, self.outcomes.lost
        counts = f"{gained:,} gained and {lost:,} lost of {sum(self.outcomes):,}"
        if self._is_exact(limit):
            with localcontext(ARITHMETIC):
                most = 1 - confidence
            p = mcnemar.exact_p(gained, lost)
            return f"{counts}, p {number(_cut(p))} (at most {number(_cut(most))})"
        z = mcnemar.score(self.outcomes, limit.copy_negate())
        at = "none" if z is None else number(_cut(z))
        return f"{counts}, z {at} (at least {number(_cut(normal_quantile(confidence)))})"

    def needed(self, limit: Decimal, confidence: Decimal) -> str:
        """Return about how many examples would pass, if the shares stay as they are.

        n = (z_confidence + z_power)^2 * (discordant - gain^2) / room^2: Connor (1987), "Sample
        size for testing differences in proportions for the paired-sample design", Biometrics
        43(1), 207-211, with a margin. Where none differ, Tango's z is sqrt(n m / (1 - m)).
        """
        n = sum(self.outcomes)
        with localcontext(ARITHMETIC):
            room = self.gain - limit
            discordant = Decimal(self.outcomes.gained + self.outcomes.lost) / n
            if discordant:
                variance = discordant - self.gain**2
                return _enough(room, variance, (confidence, POWER), n)
            if not room:
                return "evaluate both on more examples"
            wanted = normal_quantile(confidence) ** 2 * (1 - room) / room
        return _examples(wanted, n)


def of_errors(gain: Decimal, errors: tuple[Decimal, Decimal], n: int | None) -> Normal:
    """Return the gain of two independent estimates with standard errors, as normal.

    On the same examples the errors mostly go together, and then this errs towards refusing.
    """
    with localcontext(ARITHMETIC):
        stderr = (errors[0] ** 2 + errors[1] ** 2).sqrt()
    # at the spread that was seen, so that the same gain would just pass
    return Normal(gain, stderr, normal_quantile, n, _EVEN)


def of_differences(pairs: Pairs, *, resampled: bool) -> Estimate:
    """Return the mean gain of pairs, by Student's t or by the bootstrap's own t."""
    if not pairs.deviation:
        span = ARITHMETIC.subtract(pairs.high, pairs.low)
        return Constant(pairs.mean, span, pairs.pairs)
    if not resampled:
        freedom = pairs.pairs - 1
        return Normal(
            pairs.mean, pairs.stderr, lambda level: student_quantile(level, freedom), pairs.pairs
        )
    return Normal(
        pairs.mean,
        pairs.stderr,
        lambda level: bootstrap.t_quantile(pairs, level),
        pairs.pairs,
        unsure="evaluate both on more examples, or use test: paired_t",
    )


def _enough(room: Decimal, variance: Decimal, sure: tuple[Decimal, Decimal], now: int) -> str:
    if room <= 0 or variance <= 0:
        return "evaluate both on more examples"
    z = sum(normal_quantile(share) for share in sure)
    return _examples(z**2 * variance / room**2, now)


def _examples(wanted: Decimal, now: int) -> str:
    count = rounded(wanted).to_integral_value(ROUND_CEILING)
    return f"evaluate both on about {count:f} examples (now {now})"


def _short(value: Decimal) -> str:
    return signed(rounded(value))


def _cut(value: Decimal) -> Decimal:
    return Context(prec=4).plus(value)
