"""Reading what a command line gives: `key=value` pairs, and texts from files."""

import sys
from collections.abc import Sequence
from pathlib import Path

from regista.errors import InvalidInputError
from regista.model.names import MAX_TEXT, shown


def pairs(items: Sequence[str], what: str) -> dict[str, str]:
    """Return `key=value` texts as a mapping.

    Args:
        items: the texts.
        what: where they stand, for the message.

    Raises:
        InvalidInputError: one without `=`, or a key that is given twice.
    """
    result: dict[str, str] = {}
    for item in items:
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise InvalidInputError(
                f"{shown(item)} is not a key and a value", hint=f"write {what} KEY=VALUE"
            )
        if key in result:
            raise InvalidInputError(f"{what} {shown(key)} is given twice")
        result[key] = value
    return result


def text_of(file: str) -> str:
    """Return the text of a file, or of standard input for `-`.

    Raises:
        InvalidInputError: it is missing, too long, or not UTF-8.
    """
    name = "standard input" if file == "-" else shown(file, 200)
    # four bytes are the longest that one character can be
    limit = 4 * MAX_TEXT
    try:
        if file == "-":
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInputError(f"cannot read {name}: {reason}") from error
    if len(data) > limit:
        raise InvalidInputError(f"{name} is longer than {MAX_TEXT:,} characters")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{name} is not UTF-8 text") from error
