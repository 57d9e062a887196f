"""Looks into what another program wrote: values that may have any type, or be absent.

Each returns the value in the one type that an adapter needs, or its absence: an adapter never
stumbles over a text where it expects an object. Only a number that is there and is none, or is
not finite, is an error; `present` leaves such a number out where it is a mere addition.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any, NoReturn

from regista.errors import InvalidInputError
from regista.evalformats.jsontext import Number, object_of, text_of
from regista.model.names import MAX_NAME, identifier, shown
from regista.model.numbers import decimal_text, parse_decimal
from regista.model.times import format_time, parse_time

# what a double carries; a quotient of two of a file's numbers says no more
_QUOTIENT = Context(prec=17)
_DIGEST = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sequence(value: object) -> list[Any]:
    """Return an array; an empty one for anything else."""
    return value if isinstance(value, list) else []


def name_of(value: object) -> str:
    """Return a text or a number as the name of something; '' for anything else."""
    return str(value) if isinstance(value, str) else ""


def number(value: object, what: str) -> str | None:
    """Return a number's exact text; None where there is none.

    Raises:
        InvalidInputError: it is no number, or not a finite one.
    """
    if value is None:
        return None
    if not isinstance(value, Number):
        raise InvalidInputError(f"{what} is not a number")
    parse_decimal(value, what)
    return str(value)


def required(value: object, what: str) -> str:
    """Return a number's exact text.

    Raises:
        InvalidInputError: there is none, or it is no number, or not a finite one.
    """
    found = number(value, what)
    if found is None:
        raise InvalidInputError(f"{what} has no value")
    return found


def present(value: object) -> str | None:
    """Return a finite number's exact text; None for anything else."""
    try:
        return number(value, "it")
    except InvalidInputError:
        return None


def count(value: object) -> int | None:
    """Return a whole number from 0 up; None for anything else."""
    text = present(value)
    if text is None:
        return None
    found = Decimal(text)
    # 1e999999 is whole too, and would be written out
    whole = found.adjusted() < 18 and found == found.to_integral_value()  # noqa: PLR2004
    return int(found) if whole and found >= 0 else None


def as_number(value: int | Decimal) -> Number:
    """Return a number that was reckoned as one that a file has."""
    return Number(decimal_text(Decimal(value)))


def quotient(dividend: str | int | Decimal, divisor: str | int | Decimal) -> str:
    """Return one number divided by another, above zero, to the digits of a double."""
    return decimal_text(_QUOTIENT.divide(Decimal(dividend), Decimal(divisor)))


def stderr_of_mean(stddev: str, n: int) -> str:
    """Return the standard error of the mean of n values from their sample standard deviation.

    It is stddev / sqrt(n): NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.5.2.
    """
    return quotient(stddev, _QUOTIENT.sqrt(Decimal(n)))


def moment(text: object) -> str:
    """Return a time with a zone as RFC 3339 in UTC; '' for anything else."""
    try:
        found = parse_time(text_of(text))
    except InvalidInputError:
        return ""
    return format_time(found) if len(text_of(text)) > len("2026-03-03") else ""


def unix_time(milliseconds: object) -> str:
    """Return milliseconds since 1970 as RFC 3339 in UTC; '' for anything else."""
    try:
        return format_time(_EPOCH + timedelta(milliseconds=int(str(milliseconds))))
    except (ValueError, OverflowError):
        return ""


def labels(value: object) -> dict[str, str]:
    """Return those fields of an object that are short names of something, for slices."""
    found = {}
    for field, item in object_of(value).items():
        if isinstance(item, str) and is_name(field) and is_name(item):
            found[field] = item.strip()
    return found


def is_name(text: str) -> bool:
    """Say whether a text can be an id, a metric or a slice: short and on one line."""
    if len(text) > MAX_NAME:
        return False
    try:
        identifier(text, "it")
    except InvalidInputError:
        return False
    return True


def id_of(text: str) -> str:
    """Return a text as an id or a metric: as it is, or on one line, cut, with its digest's begin.

    The digest keeps apart what is equal once it is cut.
    """
    if is_name(text):
        return text
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:_DIGEST]
    visible = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"{visible[: MAX_NAME - _DIGEST - 2]} #{digest}".strip()


class Repeats:
    """Ids that may come again: the second one of a kind gets `#2`, and so on."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def id_of(self, text: str) -> str:
        """Return an id that was not given before."""
        times = self._seen[text] = self._seen.get(text, 0) + 1
        return id_of(text if times == 1 else f"{text} #{times}")


def filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {field: value for field, value in fields.items() if value not in (None, "", {})}


def choose(found: Mapping[str, Any], run: str | None, where: str) -> str:
    """Return the name of the run that was asked for, or of the only one.

    Raises:
        InvalidInputError: there is none, or none of that name, or several and none was chosen.
    """
    if run is None and len(found) == 1:
        return next(iter(found))
    if run is not None and run in found:
        return run
    if not found:
        raise InvalidInputError(f"{where} has no run in it")
    known = ", ".join(shown(name) for name in list(found)[:10])
    more = f" and {len(found) - 10} more" if len(found) > 10 else ""  # noqa: PLR2004
    if run is None:
        raise InvalidInputError(
            f"{where} holds {len(found)} runs", hint=f"choose one with --run: {known}{more}"
        )
    raise InvalidInputError(f"{where} has no run {shown(run)}", hint=f"it has {known}{more}")


def not_of_format(where: str, what: str) -> NoReturn:
    """Say that a file is not what it was taken for.

    Raises:
        InvalidInputError: always.
    """
    raise InvalidInputError(
        f"{where} is not {what}", hint="--format auto finds the format by the content"
    )
