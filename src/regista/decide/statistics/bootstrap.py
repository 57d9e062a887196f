"""The paired bootstrap of a mean difference: bootstrap-t, seeded by the evidence itself.

Differences are drawn with replacement, and each draw is studentized with its own standard error;
the distribution of these t values stands for the unknown one (Efron and Tibshirani (1993), An
Introduction to the Bootstrap, section 12.5). Its one-sided bounds are second-order right, which
those of the plain percentile bootstrap are not (Hall (1988), "Theoretical comparison of bootstrap
confidence intervals", Annals of Statistics 16(3), 927-953).

Up to `pairs.LISTED` pairs it is drawn. Beyond, its quantile comes from the same distribution's
expansion to the order 1/n, which is then nearer to it than any drawing of a thousand or two.

Drawing is one stated algorithm and not a library's: the seed is the SHA-256 of the canonical
differences; replicate r takes its 32-bit little-endian words from SHAKE-256 of seed and r; a word
w picks item (w * n) >> 32 of the sorted differences. Sums are whole numbers.
"""

import math
import struct
from decimal import ROUND_CEILING, Decimal, localcontext
from functools import lru_cache
from hashlib import sha256, shake_256
from operator import mul

from regista.decide.statistics.pairs import Pairs
from regista.decide.statistics.quantiles import ARITHMETIC, normal_quantile
from regista.model import canonical

DRAWS = 1_999
MORE_DRAWS = 19_999
FEW = Decimal("0.005")
"""Below this chance of error, more draws are made, so that its quantile has some behind it."""

_HALVINGS = 40

MAX_SHIFT = Decimal("0.5")
"""How far the expansion may lie from the normal quantile and still be believed."""


def t_quantile(pairs: Pairs, confidence: Decimal) -> Decimal | None:
    """Return the quantile of the bootstrap's t; None where it has none that can be relied on.

    Args:
        pairs: at least two pairs whose differences are not all the same.
        confidence: the probability.
    """
    if pairs.listed is None:
        too_skewed = skew_shift(pairs, confidence).copy_abs() > MAX_SHIFT
        return None if too_skewed else _expanded(pairs, confidence)
    with localcontext(ARITHMETIC):
        draws = DRAWS if 1 - confidence >= FEW else MORE_DRAWS
        rank = int((confidence * (draws + 1)).to_integral_value(ROUND_CEILING))
    if rank > draws:
        return None
    _key, shift, deviation = _drawn(pairs, draws)[rank - 1]
    if shift and not deviation:
        return None
    with localcontext(ARITHMETIC):
        square = Decimal((pairs.pairs - 1) * shift * shift) / (deviation or 1)
        return square.sqrt().copy_sign(Decimal(shift))


def tail(pairs: Pairs, t: Decimal) -> Decimal:
    """Return the chance that the bootstrap's t is as far out as this one, on its side of zero.

    Of a drawing it is (1 + those as far out) / (1 + draws), which is never zero: Davison and
    Hinkley (1997), Bootstrap Methods and their Application, equation 4.11. The expansion is asked
    for no less than a drawing can say.

    Args:
        pairs: as for `t_quantile`.
        t: the mean difference by its standard error.
    """
    side = 1 if t >= 0 else -1
    with localcontext(ARITHMETIC):
        if pairs.listed is None:
            return _expanded_tail(pairs, t, side)
        square = t * abs(t) * side
        beyond = sum(
            _signed_square(pairs, shift, deviation) * side >= square
            for _key, shift, deviation in _drawn(pairs, DRAWS)
        )
        return Decimal(1 + beyond) / (1 + DRAWS)


def _expanded_tail(pairs: Pairs, t: Decimal, side: int) -> Decimal:
    turned = pairs if side > 0 else pairs.lower_is_better()
    low, high = Decimal(1) / (1 + DRAWS), 1 - Decimal(1) / (1 + DRAWS)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # the chance is above the middle as long as its quantile lies beyond t
        beyond = _expanded(turned, 1 - middle) > abs(t)
        low, high = (middle, high) if beyond else (low, middle)
    return high


def _signed_square(pairs: Pairs, shift: int, deviation: int) -> Decimal:
    """Return the signed square of a replicate's t."""
    if not deviation:
        return Decimal("Infinity").copy_sign(Decimal(shift)) if shift else Decimal(0)
    return Decimal((pairs.pairs - 1) * shift * abs(shift)) / deviation


def skew_shift(pairs: Pairs, confidence: Decimal) -> Decimal:
    """Return what skewness moves the quantile by, to first order; it falls with the root of n."""
    z = normal_quantile(confidence)
    with localcontext(ARITHMETIC):
        skewness, _excess = _shape(pairs)
        return -_first(z, skewness) / Decimal(pairs.pairs).sqrt()


def seed_of(pairs: Pairs) -> bytes:
    """Return the seed of a drawing: SHA-256 of the canonical JSON of what is drawn from."""
    differences = [list(item) for item in pairs.listed or ()]
    return sha256(canonical.encode({"differences": differences, "scale": pairs.scale})).digest()


@lru_cache(maxsize=64)
def _drawn(pairs: Pairs, draws: int) -> tuple[tuple[float, int, int], ...]:
    """Return all replicates by their t: its signed square over n - 1, and what it is made of."""
    items = [value for value, count in pairs.listed or () for _ in range(count)]
    n, seed = len(items), seed_of(pairs)
    read_words = struct.Struct(f"<{n}I").unpack
    found = []
    for replicate in range(draws):
        words = read_words(shake_256(seed + struct.pack("<I", replicate)).digest(4 * n))
        drawn = [items[word * n >> 32] for word in words]
        total = sum(drawn)
        deviation = n * sum(map(mul, drawn, drawn)) - total * total
        found.append(_replicate(total - pairs.fine[0], deviation))
    return tuple(sorted(found))


def _replicate(shift: int, deviation: int) -> tuple[float, int, int]:
    if deviation:
        # the quotient of two whole numbers is the nearest double on every machine
        return shift * abs(shift) / deviation, shift, deviation
    # all draws are the same: nothing to studentize with, so as far out as can be
    return math.copysign(math.inf, shift) if shift else 0.0, shift, deviation


def _expanded(pairs: Pairs, confidence: Decimal) -> Decimal:
    """Return the quantile by the Cornish-Fisher expansion of the studentized mean, to 1/n.

    Hall (1992), The Bootstrap and Edgeworth Expansion, sections 2.5 and 2.6: with
    q1 = g (2x^2 + 1) / 6 and q2 = x (k (x^2 - 3) / 12 - g^2 (x^4 + 2x^2 - 3) / 18 - (x^2 + 3) / 4)
    for skewness g and excess kurtosis k, the quantile is
    z - q1 / sqrt(n) + (q1 q1' - z q1^2 / 2 - q2) / n. The book's standard error divides by n and
    ours by n - 1, hence the last factor.
    """
    z, n = normal_quantile(confidence), Decimal(pairs.pairs)
    with localcontext(ARITHMETIC):
        g, k = _shape(pairs)
        first, slope = _first(z, g), 2 * g * z / 3
        second = z * (k * (z**2 - 3) / 12 - g**2 * (z**4 + 2 * z**2 - 3) / 18 - (z**2 + 3) / 4)
        quantile = z - first / n.sqrt() + (first * slope - z * first**2 / 2 - second) / n
        return quantile * ((n - 1) / n).sqrt()


def _first(z: Decimal, skewness: Decimal) -> Decimal:
    return skewness * (2 * z**2 + 1) / 6


def _shape(pairs: Pairs) -> tuple[Decimal, Decimal]:
    """Return skewness and excess kurtosis of the differences; zeros when they do not vary."""
    n = Decimal(pairs.pairs)
    m1, r2, r3, r4 = (Decimal(total) / n for total in pairs.coarse)
    m2 = r2 - m1**2
    if m2 <= 0:
        return Decimal(0), Decimal(0)
    m3 = r3 - 3 * m1 * r2 + 2 * m1**3
    m4 = r4 - 4 * m1 * r3 + 6 * m1**2 * r2 - 3 * m1**4
    return m3 / (m2 * m2.sqrt()), m4 / m2**2 - 3
