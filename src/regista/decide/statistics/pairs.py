"""Pairs: what two runs say of the same examples, as counts and sums that depend on no order.

Ten million examples come down to a few whole numbers here, so a decision about them is exact, and
the same with any number of threads. How they are read from data files is
`regista.read.pairs`.
"""

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import NamedTuple, Self

from regista.decide.statistics.quantiles import ARITHMETIC

LISTED = 500
"""Up to so many pairs their differences are listed, so that they can be resampled."""

MIN_PAIRS = 20
"""Fewer pairs say too little of how differences spread."""

COARSER = 15
"""A coarse unit is 2**COARSER fine ones."""


class Outcomes(NamedTuple):
    """Examples by what the two versions made of them.

    Attributes:
        both: right for both.
        gained: right for the candidate alone.
        lost: right for the baseline alone.
        neither: right for neither.
    """

    both: int
    gained: int
    lost: int
    neither: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """What two runs say of the same examples.

    A difference is the candidate's value less the baseline's, rounded to a whole number of fine
    units of 2**-scale; the largest one has some 30 bits. Higher powers are summed in coarse units
    of 2**(COARSER - scale).

    Attributes:
        pairs: number of examples that both runs have.
        only_candidate: number of examples that the candidate's run alone has.
        only_baseline: number of examples that the baseline's run alone has.
        low: least value of either run.
        high: greatest value of either run.
        scale: the exponent of the unit.
        fine: sums of the differences and of their squares.
        coarse: sums of powers 1 to 4 of the differences in coarse units.
        listed: each difference with how often it occurs, sorted; None above LISTED pairs.
        values: outcomes by value, where every value is 0 or 1; higher counts as right.
        passed: outcomes by `passed`, where every example of both runs has it.
    """

    pairs: int
    only_candidate: int
    only_baseline: int
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    scale: int = 0
    fine: tuple[int, int] = (0, 0)
    coarse: tuple[int, int, int, int] = (0, 0, 0, 0)
    listed: tuple[tuple[int, int], ...] | None = None
    values: Outcomes | None = None
    passed: Outcomes | None = None

    @property
    def unpaired(self) -> int:
        """Number of examples that one run alone has."""
        return self.only_candidate + self.only_baseline

    @property
    def mean(self) -> Decimal:
        """Mean difference."""
        with localcontext(ARITHMETIC):
            return Decimal(self.fine[0]) / self.pairs * Decimal(2) ** -self.scale

    @property
    def deviation(self) -> int:
        """Number of pairs times the sum of squares less the squared sum, in squared fine units."""
        return self.pairs * self.fine[1] - self.fine[0] ** 2

    @property
    def stderr(self) -> Decimal:
        """Standard error of the mean difference; two pairs at least."""
        with localcontext(ARITHMETIC):
            spread = (Decimal(self.deviation) / (self.pairs - 1)).sqrt()
            return spread / self.pairs * Decimal(2) ** -self.scale

    def lower_is_better(self) -> Self:
        """Return the same pairs with every value negated."""
        listed = self.listed
        if listed is not None:
            listed = tuple(sorted((-value, count) for value, count in listed))
        values = self.values
        if values is not None:
            values = Outcomes(values.neither, values.lost, values.gained, values.both)
        first, second, third, fourth = self.coarse
        return replace(
            self,
            low=self.high.copy_negate(),
            high=self.low.copy_negate(),
            fine=(-self.fine[0], self.fine[1]),
            coarse=(-first, second, -third, fourth),
            listed=listed,
            values=values,
        )
