"""Decimals: how a score is read, kept exact, and written.

A score travels as a decimal text, so that 0.1 stays 0.1; tables hold it as a double. So every
score must be finite as a double too.
"""

import math
import re
from decimal import Context, Decimal
from numbers import Real

from regista.errors import InvalidInputError
from regista.model.names import shown

MAX_DIGITS = 40
_NUMBER = re.compile(r"[+-]?([0-9]*)\.?([0-9]*)(?:[eE][+-]?[0-9]{1,4})?")
_NOT_FINITE = re.compile(r"[+-]?(?:s?nan[0-9]*|inf(?:inity)?)", re.IGNORECASE)
# the default context would round to 28 digits
_EXACT = Context(prec=MAX_DIGITS)


def parse_decimal(value: object, what: str) -> Decimal:
    """Read a finite decimal of up to 40 digits from a text, an int, a float or a Decimal.

    Raises:
        InvalidInputError: not a number, NaN, infinite, or beyond what a double holds.
    """
    if isinstance(value, bool) or not isinstance(value, (str, Real, Decimal)):
        raise InvalidInputError(f"{what} is not a number")
    try:
        text = str(value).strip()
    except ValueError:
        raise InvalidInputError(f"{what} has too many digits") from None
    match = _NUMBER.fullmatch(text)
    if not match or not match[1] + match[2]:
        if _NOT_FINITE.fullmatch(text):
            raise _not_finite(text, what)
        raise InvalidInputError(f"{what} is {shown(text)}, which is not a number")
    if len((match[1] + match[2]).lstrip("0")) > MAX_DIGITS:
        raise InvalidInputError(f"{what} has too many digits", hint=f"write up to {MAX_DIGITS}")
    number = Decimal(text)
    if not math.isfinite(float(number)):
        raise _not_finite(text, what)
    return number


def _not_finite(text: str, what: str) -> InvalidInputError:
    return InvalidInputError(
        f"{what} is {shown(text)}, which is not a finite number",
        hint="log the run as --status failed or --status partial instead",
    )


def decimal_text(number: Decimal) -> str:
    """Return the one text of a decimal: plain or scientific, without idle zeros."""
    digits = number.normalize(_EXACT) if number else Decimal(0)
    exponent = digits.adjusted()
    plain = -7 <= exponent <= 20  # noqa: PLR2004 - as repr(float) does, roughly
    return f"{digits:f}" if plain else str(digits).replace("E+", "e").replace("E", "e")


def double_text(number: float) -> str:
    """Return the shortest text that reads back as the same double."""
    text = repr(number)
    if "e" in text or not number:
        return decimal_text(Decimal(text))
    # most doubles, and there may be millions: they have no idle zeros but this one
    return text.removesuffix(".0")
