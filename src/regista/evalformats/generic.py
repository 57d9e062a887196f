"""Scores as anybody can write them: JSON, JSON lines or CSV, told apart by content.

A file holds score rows (an array, one a line, or a CSV with a header), one object of metric to
value, or `{"scores": …}` with either and, if wanted, what the run is: `suite`, `dataset` and the
other texts of an `ImportedRun`. Rows under other names are taken by a map of our fields to theirs;
then what it does not name is left out. Without a map an unknown field is refused, since it is
most often a misspelt one. What well-known tools write as plain JSON or CSV is known by its own
fields (`regista.evalformats.presets`).
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError
from regista.evalformats import presets
from regista.evalformats.jsontext import (
    FINITE,
    NonFiniteError,
    Number,
    is_json,
    json_lines,
    line_of_constant,
    outline,
    parse_json,
    plain_reason,
    read_text,
)
from regista.evalformats.protocol import MAX_DOCUMENT, Choice, ImportedRun, Peek
from regista.model.names import shown
from regista.model.numbers import parse_decimal

FIELDS = (
    "metric", "value", "stderr", "n", "slice", "task", "direction", "higher_is_better",
)  # fmt: skip
FACTS = (
    "suite", "status", "dataset", "harness", "harness_version", "code", "time", "note",
)  # fmt: skip
DELIMITERS = ",;\t"
MAX_CELL = 1 << 20


class Generic:
    """Adapter for JSON, JSON lines and CSV of anybody's own."""

    name = "generic"
    about = (
        "JSON, JSON lines or CSV of scores; scikit-learn reports, DVC and DVCLive metrics, Ragas"
        " results, W&B summaries and results of Hugging Face evaluate"
    )

    def recognises(self, peek: Peek) -> bool:
        """Say whether the file may be JSON or CSV."""
        if outline(peek).kind:
            return True
        header = peek.head.partition(b"\n")[0].decode("utf-8", "replace")
        columns = {cell.strip().strip('"') for cell in header.split(_delimiter(header))}
        return len(columns) > 1 and bool(peek.head.strip()) and b"\0" not in peek.head

    def read(self, path: Path, choice: Choice) -> ImportedRun:
        """Read the scores of the file."""
        name = shown(path.name, 200)
        if choice.run is not None:
            raise InvalidInputError(f"{name} is read as one run", hint="leave --run out")
        unknown = [field for field in choice.mapping if field not in FIELDS]
        if unknown:
            raise InvalidInputError(
                f"a score has no field {shown(unknown[0])} to map",
                hint=f"known: {', '.join(FIELDS)}",
            )
        if path.is_file() and path.stat().st_size > MAX_DOCUMENT and _begins_with_a_line(path):
            return _of_rows(json_lines(path, finite=True), choice, name)
        text = read_text(path)
        if not text.strip():
            raise InvalidInputError(f"{name} is empty")
        if text.lstrip()[0] not in "{[" and _is_csv(text):
            return _of_csv(text, choice, name)
        document = _document(text, name)
        if document is _LINES:
            return _of_rows(json_lines(path, finite=True), choice, name)
        return _of_document(document, choice, name)


def _begins_with_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        return is_json(file.readline(MAX_CELL).decode("utf-8", "replace"))


_LINES: Any = object()


def _document(text: str, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the file as one JSON value; `_LINES` when it is JSON lines."""
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        first, _, rest = text.strip().partition("\n")
        if rest and is_json(first):
            return _LINES
        raise InvalidInputError(
            f"{name}, line {error.lineno}: it is not JSON: {error.msg}"
        ) from error
    except NonFiniteError as error:
        where = line_of_constant(text)
        # what tools write may have NaN where it does not matter
        document = _with_constants(text)
        if presets.of_document(document, name) is not None:
            return document
        raise InvalidInputError(f"{name}, line {where}: {error}", hint=FINITE) from error
    except (ValueError, RecursionError) as error:
        if is_json(text.strip().partition("\n")[0]):
            return _LINES
        raise InvalidInputError(f"{name}: {plain_reason(error)}") from error


def _with_constants(text: str) -> Any:  # noqa: ANN401
    try:
        return parse_json(text, finite=False)
    except (ValueError, RecursionError):
        return None


def _of_document(document: Any, choice: Choice, name: str) -> ImportedRun:  # noqa: ANN401
    known = None if choice.mapping else presets.of_document(document, name, choice)
    if known is not None:
        return known
    match document:
        case {"scores": list() | dict() as scores, **others}:
            return replace(_of_document(scores, choice, name), **_facts(others, name))
        case {"metric": str() as metric} if not isinstance(metric, Number) or choice.mapping:
            return _of_rows([(name, document)], choice, name)
        case dict() if choice.mapping:
            return _of_rows([(name, document)], choice, name)
        case dict():
            rows = presets.flattened(document, name)
            return ImportedRun(
                [_score({"metric": key, "value": value}, name) for key, value in rows]
            )
        case list():
            places = ((f"{name}, score {index}", item) for index, item in enumerate(document, 1))
            return _of_rows(places, choice, name)
        case _:
            raise InvalidInputError(f"{name} holds neither an object nor an array")


def _facts(others: Mapping[Any, Any], name: str) -> dict[str, Any]:
    for field, value in others.items():
        if field not in FACTS:
            raise InvalidInputError(
                f"{name}: beside scores there is a field {shown(field)}",
                hint=f"known: {', '.join(FACTS)}; the rest are options",
            )
        if not isinstance(value, str) or isinstance(value, Number):
            raise InvalidInputError(f"{name}: its {field} is not text")
    return dict(others)


def _of_rows(
    rows: "Iterator[tuple[str, Any]] | list[tuple[str, Any]]", choice: Choice, name: str
) -> ImportedRun:
    mapping = choice.mapping
    scores = [_score(_renamed(value, mapping), where) for where, value in rows]
    if mapping and not scores:
        raise InvalidInputError(f"{name} has no rows")
    return ImportedRun(scores)


def _renamed(value: Any, mapping: Mapping[str, str]) -> Any:  # noqa: ANN401
    if not mapping or not isinstance(value, dict):
        return value
    kept = {field: value[field] for field in FIELDS if field in value and field not in mapping}
    return kept | {field: value[theirs] for field, theirs in mapping.items() if theirs in value}


def _score(value: Any, where: str) -> dict[str, Any]:  # noqa: ANN401 - it is what is checked
    if not isinstance(value, dict):
        raise InvalidInputError(f"{where}: a score is an object with metric and value")
    unknown = [field for field in value if field not in FIELDS]
    if unknown:
        raise InvalidInputError(
            f"{where}: a score has no field {shown(unknown[0])}",
            hint=f"known: {', '.join(FIELDS)}; other names are taken by --map FIELD=THEIRS",
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


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _is_csv(text: str) -> bool:
    header = text.lstrip().partition("\n")[0]
    return any(char in header for char in DELIMITERS)


def _of_csv(text: str, choice: Choice, name: str) -> ImportedRun:
    """Read a CSV with a header: score rows, a tool's rows, or one row of metrics."""
    rows = list(_csv_rows(text, name))
    known = None if choice.mapping else presets.of_rows(rows, choice)
    if known is not None:
        return known
    columns = rows[0][1].keys() if rows else set()
    wide = rows and "metric" not in columns and "metric" not in choice.mapping
    if wide and len(rows) == 1 and not choice.mapping:
        where, row = rows[0]
        return ImportedRun([_score({"metric": key, "value": row[key]}, where) for key in row])
    if wide:
        raise InvalidInputError(
            f"{name} has no column metric", hint="name it with --map metric=COLUMN"
        )
    filled = ((where, {key: cell for key, cell in row.items() if cell}) for where, row in rows)
    return _of_rows(filled, choice, name)


def _csv_rows(text: str, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    csv.field_size_limit(MAX_CELL)
    stream = io.StringIO(text.lstrip(), newline="")
    reader = csv.reader(stream, delimiter=_delimiter(text.lstrip().partition("\n")[0]), strict=True)
    try:
        header = [cell.strip() for cell in next(reader)]
        if len(set(header)) != len(header) or not all(header[1:]):
            raise InvalidInputError(f"{name}, line 1: a column has no name, or that of another")
        for cells in reader:
            where = f"{name}, line {reader.line_num}"
            if not cells:
                continue
            if len(cells) != len(header):
                raise InvalidInputError(
                    f"{where}: it has {len(cells)} cells, and the header {len(header)}"
                )
            yield where, dict(zip(header, (cell.strip() for cell in cells), strict=True))
    except csv.Error as error:
        raise InvalidInputError(
            f"{name}, line {reader.line_num}: it is not CSV: {error}"
        ) from error


FORMAT = Generic()
