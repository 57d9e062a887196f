"""Comparing one score of a candidate with the baseline's: the terms, and the plain comparison.

All arithmetic is in decimals: 0.90 - 0.895 <= 0.005 holds here and not in doubles. What is
compared with what is `pairing.py`; tests that reckon with chance are `testing.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from regista.decide.evidence import Score
from regista.decide.gates.field_types import Params, decimal_of
from regista.decide.gates.findings import EXACT, number, signed
from regista.decide.statistics.pairs import Pairs
from regista.decide.statistics.quantiles import ARITHMETIC
from regista.decide.verdict import VerdictStatus

NO_TEST, STDERR = "none", "stderr"
PAIRED_T, PAIRED_BOOTSTRAP, MCNEMAR = "paired_t", "paired_bootstrap", "mcnemar"
PAIRED = (PAIRED_BOOTSTRAP, PAIRED_T, MCNEMAR)
REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a baseline gate asks of every score.

    Attributes:
        direction: higher or lower is better; None leaves it to the scores, `required` too, but
            one of them must say it.
        margin: how much worse is tolerated, not negative.
        test: how sampling error is reckoned with.
        superiority: whether the candidate must be better, not only no worse.
        confidence: one-sided confidence of the test.
        correction: how several tests in one gate share the error.
        min_n: examples that must be behind each score.
        max_unpaired: share of the examples that may be in one run alone.
    """

    direction: str | None
    margin: Decimal
    test: str
    superiority: bool
    confidence: Decimal
    correction: str
    min_n: int
    max_unpaired: Decimal

    @classmethod
    def of(cls, params: Params) -> Self:
        """Read the terms from a gate's checked parameters."""
        return cls(
            params.get("direction"),
            decimal_of(params, "max_regression"),
            params.get("test", NO_TEST),
            params.get("superiority", False),
            decimal_of(params, "confidence", "0.95"),
            params.get("correction", "none"),
            params.get("min_n", 0),
            decimal_of(params, "max_unpaired"),
        )

    @property
    def tested(self) -> bool:
        """Whether sampling error is reckoned with."""
        return self.test != NO_TEST

    @property
    def limit(self) -> Decimal:
        """The gain that must be reached, or exceeded for superiority."""
        return Decimal(0) if self.superiority else self.margin.copy_negate()

    def reached(self, gain: Decimal) -> bool:
        """Say whether a gain is enough."""
        return gain > 0 if self.superiority else gain >= self.limit


def percent(share: Decimal) -> str:
    """Return a share for a sentence: `95%`."""
    return f"{number(ARITHMETIC.plus(share.scaleb(2, ARITHMETIC)))}%"


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
        samples: looks up what the two runs say of the same examples.
    """

    name: str
    candidate: Score
    baseline: Score
    remedy: str
    samples: Callable[[], Pairs | None] = field(repr=False, compare=False)

    def oriented(self, terms: Terms) -> "Oriented | Comparison":
        """Say which way is better, or why that cannot be said."""
        recorded = {self.candidate.higher_is_better, self.baseline.higher_is_better} - {None}
        given = None if terms.direction == REQUIRED else terms.direction
        if given is None and len(recorded) > 1:
            reason = f"the two runs disagree on whether more of {self.name} is better"
            return self.open("one direction", reason)
        if terms.direction == REQUIRED and not recorded:
            reason = f"neither run says whether more of {self.name} is better"
            return self.open("a recorded direction", reason)
        higher = given != "lower" if given else False not in recorded
        assumed = given is None and not recorded
        note = "higher was taken as better, as no direction is recorded" if assumed else ""
        return Oriented(self, higher, note)

    def open(self, required: str, reason: str) -> Comparison:
        """Return that it cannot be compared for want of a direction."""
        remedy = f"set direction in the gate, or log it again: {self.remedy}"
        return Comparison(
            self.name, VerdictStatus.UNDECIDABLE, self.values, required, reason, remedy
        )

    @property
    def values(self) -> str:
        """The two values, for a table cell."""
        return f"{number(self.candidate.value)} vs {number(self.baseline.value)}"

    @property
    def least_n(self) -> int | None:
        """The smaller number of examples behind the two; None when one is not known."""
        counts = [score.n for score in (self.candidate, self.baseline) if score.n is not None]
        return min(counts) if len(counts) == 2 else None  # noqa: PLR2004 - both of the two


@dataclass(frozen=True, slots=True)
class Oriented:
    """A pair of scores of which it is known which way is better."""

    pair: Pair
    higher: bool
    note: str

    @property
    def gain(self) -> Decimal:
        """How much better the candidate is."""
        gain = EXACT.subtract(self.pair.candidate.value, self.pair.baseline.value)
        return gain if self.higher else gain.copy_negate()

    def compare(self, terms: Terms) -> Comparison:
        """Compare the two as they are, without a thought of chance."""
        pair, gain = self.pair, self.gain
        status = VerdictStatus.PASSED if terms.reached(gain) else VerdictStatus.FAILED
        change = EXACT.subtract(pair.candidate.value, pair.baseline.value)
        observed = f"{pair.values} ({signed(change)})"
        reason = f"{pair.name} {said(gain)}"
        required = self.required(terms)
        return Comparison(pair.name, status, observed, required, reason, "", gain, self.note)

    def too_few(self, terms: Terms) -> Comparison | None:
        """Return that there are too few examples behind the scores, if the gate says how many."""
        n = self.pair.least_n
        if n is not None and n >= terms.min_n:
            return None
        has = "no known number of examples" if n is None else f"{n} examples"
        return self.undecided(
            terms,
            f"{self.pair.values}, n {'unknown' if n is None else n}",
            f"{self.pair.name} has {has} behind it, and {terms.min_n} are asked for",
            f"log it with n, on {terms.min_n} examples or more: {self.pair.remedy}",
        )

    def undecided(self, terms: Terms, observed: str, reason: str, remedy: str) -> Comparison:
        """Return that the evidence does not answer."""
        required, note = self.required(terms), self.note
        if terms.tested:
            required += f", {percent(terms.confidence)} sure"
        return Comparison(
            self.pair.name,
            VerdictStatus.UNDECIDABLE,
            observed,
            required,
            reason,
            remedy,
            None,
            note,
        )

    def required(self, terms: Terms) -> str:
        """Return what the candidate's score must be."""
        base = self.pair.baseline.value
        if terms.superiority:
            return f"{'>' if self.higher else '<'} {number(base)}"
        step = EXACT.subtract if self.higher else EXACT.add
        return f"{'>=' if self.higher else '<='} {number(step(base, terms.margin))}"


def said(gain: Decimal) -> str:
    """Return a gain for a sentence."""
    if not gain:
        return "is the same"
    return f"is {number(gain.copy_abs())} {'better' if gain > 0 else 'worse'}"
