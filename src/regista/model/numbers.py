"""Decimals: how a score is read, kept exact, and written.

A score travels as a decimal text, so that 0.1 stays 0.1; tables hold it as a double. So every
score must be finite as a double too.
"""

import math
from decimal import Decimal, InvalidOperation

from regista.errors import InvalidInputError
from regista.model.names import shown

MAX_DIGITS = 40


def parse_decimal(value: object, what: str) -> Decimal:
    """Read a finite decimal from a text, an int, a float or a Decimal.

    Raises:
        InvalidInputError: not a number, NaN, infinite, or beyond what a double holds.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise InvalidInputError(f"{what} is not a number")
    text = str(value).strip()
    if len(text) > 4 * MAX_DIGITS:
        raise InvalidInputError(f"{what} has too many digits")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise InvalidInputError(f"{what} is {shown(text)}, which is not a number") from None
    if not number.is_finite() or not math.isfinite(float(number)):
        raise InvalidInputError(
            f"{what} is {shown(text)}, which is not a finite number",
            hint="log the run as --status failed or --status partial instead",
        )
    return number


def decimal_text(number: Decimal) -> str:
    """Return the one text of a decimal: plain or scientific, without idle zeros."""
    digits = number.normalize() if number else Decimal(0)
    exponent = digits.adjusted()
    plain = -7 <= exponent <= 20  # noqa: PLR2004 - as repr(float) does, roughly
    return f"{digits:f}" if plain else str(digits).replace("E+", "e").replace("E", "e")


def double_text(number: float) -> str:
    """Return the shortest text that reads back as the same double."""
    return decimal_text(Decimal(repr(number)))
