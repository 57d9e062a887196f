"""Pairs made in plain Python: the reference that DuckDB's must equal, and the tests' examples.

A difference is rounded as `regista.read.pairs` does it, but with fractions, one by one.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from regista.decide.statistics.pairs import COARSER, LISTED, Outcomes, Pairs


def pairs_of(
    ours: Sequence[float], theirs: Sequence[float], *, passed: Sequence[tuple[bool, bool]] = ()
) -> Pairs:
    """Return the pairs of two runs on the same examples, one value each."""
    sides = list(zip(ours, theirs, strict=True))
    half = max((abs(x / 2 - y / 2) for x, y in sides), default=0.0)
    scale = min(29 - math.frexp(half)[1], 1000)
    fine, coarse = (_in_units(sides, s) for s in (scale, scale - COARSER))
    every = [*ours, *theirs]
    binary = all(value in {0, 1} for value in every)
    return Pairs(
        len(sides),
        0,
        0,
        Decimal(repr(min(every, default=0))),
        Decimal(repr(max(every, default=0))),
        scale,
        (sum(fine), sum(d * d for d in fine)),
        (sum(coarse), sum(d**2 for d in coarse), sum(d**3 for d in coarse),
         sum(d**4 for d in coarse)),
        tuple(sorted(Counter(fine).items())) if len(sides) <= LISTED else None,
        outcomes_of([(bool(x), bool(y)) for x, y in sides]) if binary else None,
        outcomes_of(passed) if passed else None,
    )  # fmt: skip


def paired(ours: Mapping[str, float], theirs: Mapping[str, float]) -> Pairs:
    """Return the pairs of two runs by example."""
    ids = sorted(set(ours) & set(theirs))
    found = pairs_of([ours[k] for k in ids], [theirs[k] for k in ids])
    alone = (len(ours) - len(ids), len(theirs) - len(ids))
    return replace(found, only_candidate=alone[0], only_baseline=alone[1])


def outcomes_of(sides: Sequence[tuple[bool, bool]]) -> Outcomes:
    """Return how many are right for both, one, the other, neither."""
    counted = Counter(sides)
    return Outcomes(
        counted[True, True], counted[True, False], counted[False, True], counted[False, False]
    )


def binary(both: int, gained: int, lost: int, neither: int) -> Pairs:
    """Return the pairs of right-or-wrong examples."""
    ours = [1] * (both + gained) + [0] * (lost + neither)
    theirs = [1] * both + [0] * gained + [1] * lost + [0] * neither
    return pairs_of(ours, theirs)


def _in_units(sides: Sequence[tuple[float, float]], scale: int) -> list[int]:
    factor = Fraction(2) ** scale
    return [math.floor((Fraction(x / 2 - y / 2) * 2 * factor) + Fraction(1, 2)) for x, y in sides]
