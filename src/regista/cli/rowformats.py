"""Rows of a query, written in one of several formats.

Nulls are empty cells and JSON's null. Times are UTC. Rows are taken from the result in batches, so
a large one needs little more memory than the query did.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from regista.cli.ci import markdown
from regista.cli.output import dumps
from regista.cli.render import Page, plural
from regista.errors import InvalidInputError
from regista.model.names import shown

FORMATS = ("table", "csv", "json", "markdown", "parquet")
_BATCH = 50_000
_NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL", "REAL")


def write_result(rows: Any, format_: str, file: Path | None, page: Page) -> None:  # noqa: ANN401
    """Write the rows of a DuckDB relation.

    Args:
        rows: the relation.
        format_: one of `FORMATS`.
        file: where to; standard output when None.
        page: an empty page, for tables.

    Raises:
        InvalidInputError: parquet without a file, or a file that cannot be written.
    """
    if format_ == "parquet":
        _write_parquet(rows, file)
        return
    write = {"table": _table(page), "csv": _csv, "json": _json, "markdown": _markdown}[format_]
    with _opened(file) as stream:
        write(_fetchable(rows), stream)


def _write_parquet(rows: Any, file: Path | None) -> None:  # noqa: ANN401
    import duckdb

    if file is None:
        raise InvalidInputError("parquet needs a file", hint="add --output FILE")
    try:
        rows.write_parquet(str(file))
    except duckdb.Error as error:
        raise InvalidInputError(
            f"cannot write {shown(str(file), 200)}: {str(error).partition(chr(10))[0]}"
        ) from error


@contextmanager
def _opened(file: Path | None) -> Iterator[TextIO]:
    if file is None:
        yield sys.stdout
        return
    try:
        with file.open("w", encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as error:
        raise InvalidInputError(
            f"cannot write {shown(str(file), 200)}: {error.strerror}"
        ) from error


def _batches(rows: Any) -> Iterator[Sequence[Any]]:  # noqa: ANN401
    for offset in range(0, len(rows), _BATCH):
        yield from rows.limit(_BATCH, offset=offset).fetchall()


def _fetchable(rows: Any) -> Any:  # noqa: ANN401
    """Return the relation with types that arrive without further libraries."""
    types = [str(type_).upper() for type_ in rows.types]
    if not any("WITH TIME ZONE" in type_ for type_ in types):
        return rows
    parts = []
    for name, type_ in zip(rows.columns, types, strict=True):
        quoted = '"' + name.replace('"', '""') + '"'
        plain = "TIMESTAMP" if type_ == "TIMESTAMP WITH TIME ZONE" else "VARCHAR"
        parts.append(f"{quoted}::{plain} AS {quoted}" if "WITH TIME ZONE" in type_ else quoted)
    return rows.project(", ".join(parts))


def _table(page: Page) -> Callable[[Any, TextIO], None]:
    def write(rows: Any, stream: TextIO) -> None:  # noqa: ANN401
        columns = rows.columns
        numeric = [
            name
            for name, type_ in zip(columns, rows.types, strict=True)
            if any(word in str(type_).upper() for word in _NUMBERS)
        ]
        cells = [[_text(value) for value in row] for row in _batches(rows)]
        page.table(columns, cells, right=numeric)
        page.line(f"({plural(len(cells), 'row')})", "dim")
        stream.write(f"{page}\n")

    return write


def _csv(rows: Any, stream: TextIO) -> None:  # noqa: ANN401
    write_csv(rows.columns, _batches(rows), stream)


def write_csv(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO | None = None
) -> None:
    """Write rows as CSV with a header, to standard output unless a stream is given."""
    import csv

    writer = csv.writer(stream or sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_text(value) for value in row] for row in rows)


def _json(rows: Any, stream: TextIO) -> None:  # noqa: ANN401
    columns = rows.columns
    separator = "["
    for row in _batches(rows):
        stream.write(separator + dumps(dict(zip(columns, row, strict=True))))
        separator = ",\n"
    stream.write("]\n" if separator != "[" else "[]\n")


def _markdown(rows: Any, stream: TextIO) -> None:  # noqa: ANN401
    columns = rows.columns
    stream.write("| " + " | ".join(map(markdown, columns)) + " |\n")
    stream.write("|" + "---|" * len(columns) + "\n")
    for row in _batches(rows):
        cells = [
            _text(value) if isinstance(value, (int, float)) else markdown(_text(value))
            for value in row
        ]
        stream.write("| " + " | ".join(cells) + " |\n")


def _text(value: Any) -> str:  # noqa: ANN401 - whatever DuckDB gives
    match value:
        case None:
            text = ""
        case bool():
            text = "true" if value else "false"
        case datetime():
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
            text = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
            text = text.rstrip("0").rstrip(".")
        case dict() | list() | tuple():
            text = dumps(value)
        case bytes():
            text = value.hex()
        case _:
            text = str(value)
    return text
