"""Per-example results in a CSV file: a header that names the columns, an empty cell is none.

`slices` is a JSON object, or comes as columns `slice.NAME`. Implements
`regista.write.sample_sources.SampleSource`; any number of rows is read by DuckDB.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from regista.errors import InvalidInputError
from regista.model.names import shown
from regista.read import duck
from regista.write.sample_rules import AMOUNTS, COUNTS, MEASURES, TEXTS, parsed, sorted_object

MAX_LINE = 16 << 20
MAX_HEADER = 64 << 10
DELIMITERS = ",;\t"
SLICE = "slice."


def is_csv(path: Path) -> bool:
    """Say whether a file begins with a header of a per-example CSV."""
    columns = _header(path)
    return "metric" in columns and bool({"sample_id", "id"} & set(columns))


def _delimiter(line: str) -> str:
    return max(DELIMITERS, key=line.count)


def _header(path: Path) -> list[str]:
    with path.open("rb") as file:
        line = file.readline(MAX_HEADER).decode("utf-8-sig", "replace")
    cells = next(csv.reader([line], delimiter=_delimiter(line)), [])
    return [cell.strip() for cell in cells]


class CsvSource:
    """A CSV file, read as text and cast by column.

    Attributes:
        name: how messages call it.

    Raises:
        InvalidInputError: a column has no name, or the name of another.
    """

    def __init__(self, name: str, path: Path, *, texts: bool) -> None:
        self.name = name
        self._path = path
        self._texts = texts
        self._columns = _header(path)
        if len(set(self._columns)) != len(self._columns) or not all(self._columns):
            raise InvalidInputError(
                f"{shown(name, 200)}, line 1: a column has no name, or that of another"
            )
        with path.open("rb") as file:
            line = file.readline(MAX_HEADER).decode("utf-8", "replace")
        self._separator = _delimiter(line)

    def query(self) -> str:
        """Return a SELECT of the rows; see `SampleSource`."""
        has = {name: f"{_quoted(name)}" for name in self._columns}
        value = {name: has.get(name, "NULL") for name in ("task", "value", "passed", *MEASURES)}
        value["slices"] = self._slices()
        sample = has.get("sample_id", has.get("id", "NULL"))
        numbers = ", ".join(
            f"TRY_CAST({value[name]} AS DOUBLE) AS {name}" for name in (*AMOUNTS, *COUNTS)
        )
        texts = ", ".join(
            f"CAST({has.get(name, 'NULL') if self._texts else 'NULL'} AS VARCHAR) AS {name}"
            for name in TEXTS
        )
        slices = (
            "NULL::VARCHAR" if value["slices"] == "NULL" else sorted_object(parsed(value["slices"]))
        )
        passed = f"lower(CAST({value['passed']} AS VARCHAR))"
        given = ", ".join(f"{text} IS NOT NULL AS has_{name}" for name, text in value.items())
        return f"""
            SELECT row_number() OVER () - 1 AS n, {sample} AS sample_id, {has["metric"]} AS metric,
                CAST({value["task"]} AS VARCHAR) AS task,
                TRY_CAST({value["value"]} AS DOUBLE) AS value,
                CASE {passed} WHEN 'true' THEN true WHEN 'false' THEN false END AS passed,
                {slices} AS slices, {numbers}, {texts}, {given}
            FROM {self._table()}
        """

    def _table(self) -> str:
        columns = ", ".join(f"{_quoted(name)}: 'VARCHAR'" for name in self._columns)
        return (
            f"read_csv({duck.escaped_path(self._path)}, auto_detect = false, header = true,"
            f" delim = {duck.quoted(self._separator)}, quote = '\"', escape = '\"',"
            f" strict_mode = true, max_line_size = {MAX_LINE}, compression = 'none',"
            f" columns = {{{columns}}})"
        )

    def _slices(self) -> str:
        """Return the expression of the slices as given: one column of JSON, or several."""
        if "slices" in self._columns:
            return _quoted("slices")
        named = [name for name in self._columns if name.startswith(SLICE) and name != SLICE]
        if not named:
            return "NULL"
        pairs = ", ".join(
            f"{duck.quoted(name.removeprefix(SLICE))}, {_quoted(name)}" for name in named
        )
        filled = " OR ".join(f"{_quoted(name)} IS NOT NULL" for name in named)
        return f"CASE WHEN {filled} THEN json_merge_patch('{{}}', json_object({pairs})) END"

    def where(self, position: int) -> str:
        """Name a row by its position, from 0."""
        for index, line in enumerate(self._lines()):
            if index == position:
                return f"{shown(self.name, 200)}, line {line}"
        return f"{shown(self.name, 200)}, record {position + 1}"

    def explain(self) -> None:
        """Say which line has another number of cells, or is no CSV.

        Raises:
            InvalidInputError: what is wrong, and where.
        """
        for _line in self._lines():
            continue

    def _lines(self) -> Iterator[int]:
        """Yield the line on which each record ends.

        Raises:
            InvalidInputError: a record is no CSV, or has another number of cells.
        """
        csv.field_size_limit(MAX_LINE)
        name = shown(self.name, 200)
        with self._path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, delimiter=self._separator, strict=True)
            try:
                for number, cells in enumerate(reader):
                    if cells and len(cells) != len(self._columns):
                        raise InvalidInputError(
                            f"{name}, line {reader.line_num}: it has {len(cells)} cells, and the"
                            f" header {len(self._columns)}"
                        )
                    if number and cells:
                        yield reader.line_num
            except csv.Error as error:
                raise InvalidInputError(f"{name}, line {reader.line_num}: {error}") from error
            except UnicodeDecodeError as error:
                raise InvalidInputError(
                    f"{name}, line {reader.line_num + 1}: it is not UTF-8"
                ) from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
