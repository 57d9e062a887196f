"""Comparing one score of a candidate with the baseline's, by tolerance or by a z test.

All arithmetic is in decimals: 0.90 - 0.895 <= 0.005 holds here and not in doubles, and a square
root of decimals is the same on every machine. What is compared with what is `baseline.py`.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from typing import Self

from regista.decide.evidence import Score
from regista.decide.gates.field_types import Params, decimal_of
from regista.decide.gates.findings import EXACT, number, rounded, signed
from regista.decide.verdict import VerdictStatus

_STATISTICS = Context(prec=50)
_Z_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Terms:
    """What a baseline gate asks of every score.

    Attributes:
        direction: higher or lower is better; None leaves it to the scores.
        margin: how much worse is tolerated, not negative.
        stderr: whether sampling error is reckoned with.
        superiority: whether the candidate must be better, not only no worse.
        confidence: one-sided confidence of the test.
    """

    direction: str | None
    margin: Decimal
    stderr: bool
    superiority: bool
    confidence: Decimal

    @classmethod
    def of(cls, params: Params) -> Self:
        """Read the terms from a gate's checked parameters."""
        return cls(
            params.get("direction"),
            decimal_of(params, "max_regression"),
            params.get("test", "none") == "stderr",
            params.get("superiority", False),
            decimal_of(params, "confidence", "0.95"),
        )

    @property
    def z(self) -> Decimal:
        """The standard normal quantile at the confidence.

        The cut to 12 digits takes away what mathematical libraries differ in.
        """
        from statistics import NormalDist  # it loads random and fractions, which few gates need

        return Decimal(f"{NormalDist().inv_cdf(float(self.confidence)):.{_Z_DIGITS}g}")

    @property
    def percent(self) -> str:
        """The confidence for a sentence: `95%`."""
        return f"{number(_STATISTICS.scaleb(self.confidence, 2))}%"

    def reached(self, gain: Decimal) -> bool:
        """Say whether a gain is enough."""
        return gain > 0 if self.superiority else gain >= self.margin.copy_negate()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing two scores gave.

    Attributes:
        name: what was compared, such as `holdout/auc in slice hard`.
        gain: how much better the candidate is; None when that cannot be said.
        note: an assumption that a reader should know of; may be empty.
    """

    name: str
    status: VerdictStatus
    observed: str
    required: str
    reason: str
    remedy: str = ""
    gain: Decimal | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two finite scores of the same task, metric and slice.

    Attributes:
        remedy: the command that logs the candidate's run again.
    """

    name: str
    candidate: Score
    baseline: Score
    remedy: str

    def compare(self, terms: Terms) -> Comparison:
        """Compare the two on the gate's terms."""
        recorded = {self.candidate.higher_is_better, self.baseline.higher_is_better} - {None}
        if terms.direction is None and len(recorded) > 1:
            return Comparison(
                self.name,
                VerdictStatus.UNDECIDABLE,
                self._values(),
                "one direction",
                f"the two runs disagree on whether more of {self.name} is better",
                f"set direction in the gate, or log it again: {self.remedy}",
            )
        higher = terms.direction != "lower" if terms.direction else False not in recorded
        assumed = terms.direction is None and not recorded
        gain = EXACT.subtract(self.candidate.value, self.baseline.value)
        gain = gain if higher else gain.copy_negate()
        note = "higher was taken as better, as no direction is recorded" if assumed else ""
        required = self._required(terms, higher=higher)
        if terms.stderr:
            return self._tested(terms, gain, required, note)
        status = VerdictStatus.PASSED if terms.reached(gain) else VerdictStatus.FAILED
        change = EXACT.subtract(self.candidate.value, self.baseline.value)
        observed = f"{self._values()} ({signed(change)})"
        reason = f"{self.name} {_said(gain)}"
        return Comparison(self.name, status, observed, required, reason, "", gain, note)

    def _tested(self, terms: Terms, gain: Decimal, required: str, note: str) -> Comparison:
        """Test the difference of two independent estimates, one-sided, as normally distributed.

        The gain less z * sqrt(se1^2 + se2^2) must reach minus the margin (non-inferiority), or
        exceed zero (superiority): Blackwelder (1982), "Proving the null hypothesis" in clinical
        trials, Controlled Clinical Trials 3(4), 345-353. On the same examples the errors mostly
        go together, and then this errs towards refusing. The quantile is Wichura's AS 241, as
        `statistics.NormalDist` computes it.
        """
        required = f"{required}, {terms.percent} sure"
        errors = [self.candidate.stderr, self.baseline.stderr]
        known = [error for error in errors if error is not None and error.is_finite()]
        if len(known) < len(errors) or min(known) < 0:
            return Comparison(
                self.name,
                VerdictStatus.UNDECIDABLE,
                f"{self._values()}, no stderr",
                required,
                f"{self.name} has no standard error in one of the runs, so nothing can be tested",
                f"log it with stderr: {self.remedy}",
                None,
                note,
            )
        variance = _STATISTICS.fma(known[0], known[0], _STATISTICS.multiply(known[1], known[1]))
        spread = _STATISTICS.multiply(terms.z, _STATISTICS.sqrt(variance))
        bound = _STATISTICS.subtract(gain, spread)
        observed = f"{self._values()}, gain at least {signed(rounded(bound))}"
        reason, remedy = f"{self.name} {_said(gain)}", ""
        if terms.reached(bound):
            status = VerdictStatus.PASSED
        elif terms.reached(gain):
            status = VerdictStatus.UNDECIDABLE
            reason += ", but that may be chance"
            remedy = f"{self._more_examples(terms, gain, spread)}: {self.remedy}"
        else:
            status = VerdictStatus.FAILED
        return Comparison(self.name, status, observed, required, reason, remedy, gain, note)

    def _more_examples(self, terms: Terms, gain: Decimal, spread: Decimal) -> str:
        # standard errors shrink with the square root of n, so n must grow with its square
        room = gain if terms.superiority else _STATISTICS.add(gain, terms.margin)
        counts = [n for n in (self.candidate.n, self.baseline.n) if n]
        if not counts or not room:
            return "evaluate both on more examples"
        growth = _STATISTICS.power(_STATISTICS.divide(spread, room), Decimal(2))
        needed = _STATISTICS.multiply(growth, Decimal(min(counts)))
        text = rounded(needed).to_integral_value(ROUND_CEILING)
        return f"evaluate both on about {text:f} examples (now {min(counts)})"

    def _values(self) -> str:
        return f"{number(self.candidate.value)} vs {number(self.baseline.value)}"

    def _required(self, terms: Terms, *, higher: bool) -> str:
        base = self.baseline.value
        if terms.superiority:
            return f"{'>' if higher else '<'} {number(base)}"
        limit = EXACT.subtract(base, terms.margin) if higher else EXACT.add(base, terms.margin)
        return f"{'>=' if higher else '<='} {number(limit)}"


def _said(gain: Decimal) -> str:
    if not gain:
        return "is the same"
    return f"is {number(gain.copy_abs())} {'better' if gain > 0 else 'worse'}"
