"""Strict JSON of strangers: exact number texts, duplicate keys refused, size and depth bounded.

A number stays the text that the file has (`Number`), so 0.1 stays 0.1 and 5,000 digits are no
work. NaN and the infinities are refused, or kept as `Number` where a format has them in fields
that do not matter: whoever takes one for a score is told then. Each error is one line that says
where. What the values mean is each adapter's business.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from regista.errors import InvalidInputError
from regista.evalformats.protocol import MAX_DOCUMENT, Peek
from regista.model.names import shown

# a line of JSON lines above this is refused
MAX_LINE = 16 << 20
FINITE = "log the run as --status failed or --status partial instead"

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity')
# a string that the end cuts off is taken as a whole: tried again at each quote in it, it would take
# minutes
_SCANNED = re.compile(rb'"((?:[^"\\]|\\.)*)(?:"|\\?\Z)|[{}\[\]:,]', re.DOTALL)
_BOM = b"\xef\xbb\xbf"


class Number(str):
    """The exact text of a number in a JSON file; a string in it stays a plain `str`."""

    __slots__ = ()


class NonFiniteError(ValueError):
    """JSON text with NaN, Infinity or -Infinity, which are not numbers of JSON."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What the beginning of a file shows of its JSON.

    Attributes:
        kind: `object`, `array`, or '' when it is neither.
        keys: keys of the outermost object, of what was seen of it.
        inner: keys of the objects within it, or within the outermost array.
        first: the first line as a value, when that is an object of its own; None else.
        lines: whether that line is followed by others: JSON lines.
    """

    kind: str = ""
    keys: frozenset[str] = frozenset()
    inner: frozenset[str] = frozenset()
    first: dict[str, Any] | None = field(default=None)
    lines: bool = False


def outline(peek: Peek) -> Outline:
    """Return what the beginning of a file shows of its JSON; never an error."""
    text = peek.head.removeprefix(_BOM).lstrip()
    kind = {b"{": "object", b"[": "array"}.get(text[:1], "")
    if not kind:
        return Outline()
    by_depth = _keys_by_depth(text)
    outermost = 1 if kind == "object" else 0
    keys, inner = by_depth.get(1, set()), by_depth.get(outermost + 1, set())
    line, _, rest = text.partition(b"\n")
    first = _object_or_none(line)
    return Outline(
        kind,
        frozenset(keys if outermost else ()),
        frozenset(inner if outermost else by_depth.get(2, set())),
        first,
        first is not None and bool(rest.strip()),
    )


def _keys_by_depth(text: bytes) -> dict[int, set[str]]:
    """Return the keys of objects of the first document, by how deep these are, as far as it goes.

    A key is a string before a colon; whether the text is JSON otherwise is not looked at.
    """
    found: dict[int, set[str]] = {}
    depth, last = 0, b""
    for match in _SCANNED.finditer(text):
        token = match[0]
        if token in b"{[":
            depth += 1
        elif token in b"}]":
            depth -= 1
            if depth <= 0:
                break
        elif token == b":":
            found.setdefault(depth, set()).add(last.decode("utf-8", "replace"))
        elif token != b",":
            last = match[1]
    return found


def _object_or_none(line: bytes) -> dict[str, Any] | None:
    try:
        value = parse_json(line.decode(), finite=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read_text(path: Path) -> str:
    """Return a whole file as text, without a byte order mark.

    Raises:
        InvalidInputError: it is missing, is no file, is larger than `MAX_DOCUMENT` or not UTF-8.
    """
    name = shown(str(path), 200)
    try:
        if not path.is_file():
            there = "is not a file" if path.exists() else "does not exist"
            raise InvalidInputError(f"the eval file {name} {there}")
        with path.open("rb") as file:
            data = file.read(MAX_DOCUMENT + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInputError(f"cannot read {name}: {reason}") from error
    if len(data) > MAX_DOCUMENT:
        raise InvalidInputError(
            f"{name} is larger than {MAX_DOCUMENT >> 20} MB",
            hint="per-example results belong in --samples, as JSON lines, CSV or Parquet",
        )
    try:
        return data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{name} is not UTF-8 at byte {error.start}") from error


def parse_json(text: str, *, finite: bool = True) -> Any:  # noqa: ANN401 - any JSON value
    """Parse strict JSON with numbers as `Number`.

    Args:
        text: one JSON value.
        finite: refuse NaN and the infinities; else they are `Number` too.

    Raises:
        json.JSONDecodeError: not JSON.
        NonFiniteError: NaN or an infinity.
        ValueError: an object has a key twice.
        RecursionError: nested too deep.
    """
    return json.loads(
        text, parse_float=Number, parse_int=Number, object_pairs_hook=_once,
        parse_constant=_refuse_constant if finite else Number,
    )  # fmt: skip


def load_json(path: Path, *, finite: bool = False) -> Any:  # noqa: ANN401 - any JSON value
    """Read a file that is one JSON document.

    Args:
        path: the file.
        finite: as for `parse_json`.

    Raises:
        InvalidInputError: it is missing, empty, too large, not JSON, or nested too deep; the
            message says where.
    """
    name = shown(path.name, 200)
    text = read_text(path)
    if not text.strip():
        raise InvalidInputError(f"{name} is empty")
    return parse_document(text, name, finite=finite)


def parse_document(text: str, name: str, *, finite: bool = False) -> Any:  # noqa: ANN401
    """Parse one JSON document; `name` is how messages call it.

    Raises:
        InvalidInputError: it is not JSON, or nested too deep; the message says where.
    """
    try:
        return parse_json(text, finite=finite)
    except json.JSONDecodeError as error:
        raise InvalidInputError(
            f"{name}, line {error.lineno}: it is not JSON: {error.msg}"
        ) from error
    except NonFiniteError as error:
        where = line_of_constant(text)
        raise InvalidInputError(f"{name}, line {where}: {error}", hint=FINITE) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{name}: {plain_reason(error)}") from error


def json_lines(path: Path, *, finite: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield where each filled line of a file of any size stands, and its value.

    Raises:
        InvalidInputError: a line is too long, not UTF-8 or not JSON; the message says which.
    """
    name = shown(path.name, 200)
    try:
        with path.open("rb") as file:
            number = 0
            # not by text: it takes characters for line ends that JSON allows inside a string
            while line := file.readline(MAX_LINE + 1):
                number += 1
                where = f"{name}, line {number}"
                if len(line) > MAX_LINE:
                    raise InvalidInputError(f"{where}: it is longer than {MAX_LINE >> 20} MB")
                line = line.removeprefix(_BOM) if number == 1 else line
                if line.strip():
                    yield where, _parse_line(line, where, finite=finite)
    except OSError as error:
        raise InvalidInputError(f"cannot read {name}: {error.strerror}") from error


def _parse_line(line: bytes, where: str, *, finite: bool) -> Any:  # noqa: ANN401
    try:
        return parse_json(line.decode("utf-8"), finite=finite)
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{where}: it is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise InvalidInputError(
            f"{where}: it is not JSON: {error.msg} at column {error.colno}"
        ) from error
    except NonFiniteError as error:
        raise InvalidInputError(f"{where}: {error}", hint=FINITE) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{where}: {plain_reason(error)}") from error


def is_json(text: str) -> bool:
    """Say whether a text is one JSON value."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def line_of_constant(text: str) -> int:
    """Return the line of the first NaN or infinity outside a string."""
    for match in _TOKEN.finditer(text):
        if match[0][0] != '"':
            return text.count("\n", 0, match.start()) + 1
    return 1


def plain_reason(error: Exception) -> str:
    """Return why a text cannot be parsed, for a message."""
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    return str(error)


def is_number(value: object) -> bool:
    """Say whether a parsed value is a number of the file that is finite."""
    return isinstance(value, Number) and value not in {"NaN", "Infinity", "-Infinity"}


def text_of(value: object) -> str:
    """Return a parsed value that is text, stripped; '' for any other."""
    return value.strip() if isinstance(value, str) and not isinstance(value, Number) else ""


def object_of(value: object) -> dict[str, Any]:
    """Return a parsed value that is an object; an empty one for any other."""
    return value if isinstance(value, dict) else {}


def _refuse_constant(text: str) -> NoReturn:
    raise NonFiniteError(f"{text} is not a finite number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = counted.most_common(1)[0][0]
        raise ValueError(f"an object has the key {shown(twice)} twice")
    return value
