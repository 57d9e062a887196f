"""Files of eval scores that people bring: from bytes to score objects, one adapter per format.

An adapter turns a file into objects with metric, value and optionally stderr, n, slice, task and
direction. Numbers stay the text that the file has, so 0.1 stays 0.1. Each error is one line that
says where. What a score may be is checked again where runs are logged; here only as far as it
takes to name the place.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

from regista.errors import InvalidInputError
from regista.model.names import shown
from regista.model.numbers import parse_decimal

MAX_BYTES = 64 << 20
FIELDS = (
    "metric", "value", "stderr", "n", "slice", "task", "direction", "higher_is_better",
)  # fmt: skip
AUTO = "auto"

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity')
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class EvalFile:
    """What a file says of one eval run.

    Attributes:
        scores: objects with some of `FIELDS`, in the file's order, numbers as decimal texts.
    """

    scores: list[dict[str, Any]]


class EvalFormat(Protocol):
    """One kind of file with eval scores."""

    def read(self, path: Path) -> EvalFile:
        """Return what the file says.

        Raises:
            InvalidInputError: the file is not of this format; the message says where.
        """
        ...


def read_scores(path: Path, format_: str = "generic") -> EvalFile:
    """Return what a file with eval scores says.

    Args:
        path: a file of at most `MAX_BYTES`.
        format_: a name in `FORMATS`, or `auto`.

    Raises:
        InvalidInputError: the file is missing, too large or malformed, a number in it is not
            finite, or the format is unknown; the message says where.
    """
    adapter = FORMATS.get("generic" if format_ == AUTO else format_)
    if adapter is None:
        known = ", ".join((AUTO, *FORMATS))
        raise InvalidInputError(
            f"{shown(format_)} is not a format of eval files", hint=f"use {known}"
        )
    return adapter.read(path)


class Number(str):
    """The exact text of a number in a JSON file; a string in it stays a plain `str`."""

    __slots__ = ()


class Generic:
    """JSON or JSON lines, told apart by content.

    A file holds score objects, one a line or in an array; or one object of metric to value; or
    `{"scores": …}` with either of these.
    """

    def read(self, path: Path) -> EvalFile:
        """Return the scores of the file."""
        name = shown(path.name, 200)
        text = read_text(path)
        if not text.strip():
            raise InvalidInputError(f"{name} is empty")
        document = self._document(text, name)
        if document is None:
            return EvalFile([_score(value, where) for where, value in _json_lines(text, name)])
        return EvalFile(list(self._of_document(document, name)))

    def _document(self, text: str, name: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return the file as one JSON value; None when it is JSON lines."""
        try:
            return parse_json(text)
        except json.JSONDecodeError as error:
            first, _, rest = text.strip().partition("\n")
            if rest and _is_json(first):
                return None
            raise InvalidInputError(
                f"{name}, line {error.lineno}: it is not JSON: {error.msg}"
            ) from error
        except NonFiniteError as error:
            where = _line_of_token(text)
            raise InvalidInputError(f"{name}, line {where}: {error}", hint=_FINITE) from error
        except (ValueError, RecursionError) as error:
            if _is_json(text.strip().partition("\n")[0]):
                return None
            raise InvalidInputError(f"{name}: {_plain(error)}") from error

    def _of_document(self, document: Any, name: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        match document:
            case {"scores": list() | dict() as scores, **others}:
                if others:
                    raise InvalidInputError(
                        f"{name}: beside scores there is a field {shown(str(next(iter(others))))}",
                        hint="give the suite, the dataset and the rest as options",
                    )
                yield from self._of_document(scores, name)
            case {"metric": str() as metric} if not isinstance(metric, Number):
                yield _score(document, name)
            case dict():
                for metric, value in document.items():
                    yield _score({"metric": metric, "value": value}, name)
            case list():
                for index, item in enumerate(document, 1):
                    yield _score(item, f"{name}, score {index}")
            case _:
                raise InvalidInputError(f"{name} holds neither an object nor an array")


FORMATS: Mapping[str, EvalFormat] = {"generic": Generic()}

_FINITE = "log the run as --status failed or --status partial instead"


class NonFiniteError(ValueError):
    """JSON text with NaN, Infinity or -Infinity, which are not numbers of JSON."""


def read_text(path: Path) -> str:
    """Return a whole file as text, without a byte order mark.

    Raises:
        InvalidInputError: it is missing, is no file, is larger than `MAX_BYTES` or not UTF-8.
    """
    name = shown(str(path), 200)
    try:
        if not path.is_file():
            there = "is not a file" if path.exists() else "does not exist"
            raise InvalidInputError(f"the eval file {name} {there}")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InvalidInputError(
                f"{name} is larger than {MAX_BYTES >> 20} MB",
                hint="per-example results belong in --samples",
            )
        return data.removeprefix(_BOM).decode("utf-8")
    except OSError as error:
        raise InvalidInputError(f"cannot read {name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{name} is not UTF-8 at byte {error.start}") from error


def parse_json(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Parse strict JSON with numbers as `Number`.

    Raises:
        json.JSONDecodeError: not JSON.
        NonFiniteError: NaN or an infinity.
        ValueError: an object has a key twice.
        RecursionError: nested too deep.
    """
    return json.loads(
        text, parse_float=Number, parse_int=Number, parse_constant=_refuse_constant,
        object_pairs_hook=_once,
    )  # fmt: skip


def _json_lines(text: str, name: str) -> Iterator[tuple[str, Any]]:
    # not splitlines: it takes characters for line ends that JSON allows inside a string
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            yield where, parse_json(line)
        except json.JSONDecodeError as error:
            raise InvalidInputError(
                f"{where}: it is not JSON: {error.msg} at column {error.colno}"
            ) from error
        except NonFiniteError as error:
            raise InvalidInputError(f"{where}: {error}", hint=_FINITE) from error
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(f"{where}: {_plain(error)}") from error


def _score(value: Any, where: str) -> dict[str, Any]:  # noqa: ANN401 - it is what is checked
    if not isinstance(value, dict):
        raise InvalidInputError(f"{where}: a score is an object with metric and value")
    unknown = [field for field in value if field not in FIELDS]
    if unknown:
        raise InvalidInputError(
            f"{where}: a score has no field {shown(unknown[0])}", hint=f"known: {', '.join(FIELDS)}"
        )
    metric = value.get("metric")
    if not isinstance(metric, str) or isinstance(metric, Number) or not metric:
        raise InvalidInputError(f"{where}: a score has no metric that is text")
    for field in ("value", "stderr", "n"):
        if field == "value" or value.get(field) is not None:
            _check_number(value.get(field), f"{field} of {shown(metric)}", where)
    return {field: str(item) if isinstance(item, str) else item for field, item in value.items()}


def _check_number(value: object, what: str, where: str) -> None:
    try:
        parse_decimal(value, what)
    except InvalidInputError as error:
        raise InvalidInputError(f"{where}: {error.message}", hint=error.hint) from error


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _line_of_token(text: str) -> int:
    """Return the line of the first NaN or infinity outside a string."""
    for match in _TOKEN.finditer(text):
        if match[0][0] != '"':
            return text.count("\n", 0, match.start()) + 1
    return 1


def _refuse_constant(text: str) -> NoReturn:
    raise NonFiniteError(f"{text} is not a finite number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = counted.most_common(1)[0][0]
        raise ValueError(f"an object has the key {shown(twice)} twice")
    return value


def _plain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    return str(error)
