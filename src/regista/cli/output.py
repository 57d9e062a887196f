"""Writing to the two streams: data to standard output, prose to standard error.

JSON is ASCII, so that it is the same under every locale and harmless on a terminal; it has no
NaN. Errors and warnings are one line each, whatever they quote.
"""

import json
import math
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from regista.cli.text import one_line
from regista.errors import OutcomeUnknownError, RegistaError
from regista.model.times import format_time


def dumps(value: Any) -> str:  # noqa: ANN401 - any JSON-like value
    """Return a value as one line of JSON."""
    return json.dumps(_jsonable(value), separators=(",", ":"), allow_nan=False)


def _jsonable(value: Any) -> Any:  # noqa: ANN401
    result: Any
    match value:
        case None | bool() | int() | str():
            result = value
        case float():
            result = value if math.isfinite(value) else None
        case Mapping():
            result = {str(key): _jsonable(item) for key, item in value.items()}
        case list() | tuple():
            result = [_jsonable(item) for item in value]
        case datetime():
            result = format_time(value if value.tzinfo else value.replace(tzinfo=UTC))
        case _:
            result = _foreign(value)
    return result


def _foreign(value: Any) -> Any:  # noqa: ANN401
    """Return a value that only SQL gives: a decimal as the number it is, the rest as text."""
    from decimal import Decimal

    if isinstance(value, bytes):
        return value.hex()
    return float(value) if isinstance(value, Decimal) else str(value)


def write(text: str) -> None:
    """Write text and a newline to standard output."""
    sys.stdout.write(text + "\n")


def warn(text: str) -> None:
    """Write a warning to standard error."""
    sys.stderr.write(f"warning: {one_line(text)}\n")


def note(text: str) -> None:
    """Write a line about what is going on to standard error."""
    sys.stderr.write(f"{one_line(text)}\n")


def report(error: RegistaError, *, as_json: bool) -> None:
    """Write an error to standard error, as one line."""
    txid = {"txid": error.txid} if isinstance(error, OutcomeUnknownError) else {}
    fail(error.code, error.message, error.hint, as_json=as_json, **txid)


def fail(code: str, message: str, hint: str, *, as_json: bool, **more: str) -> None:
    """Write the contract's error object, or the line that people get."""
    if as_json:
        problem = {"code": code, "message": message, "hint": hint, **more}
        sys.stderr.write(dumps({"error": problem}) + "\n")
        return
    tail = f" (hint: {one_line(hint)})" if hint else ""
    sys.stderr.write(f"error: {one_line(message)}{tail}\n")
