"""Where per-example results come from: JSON lines, CSV, Parquet, or objects of the program.

Each source says how DuckDB reads it as typed columns with the row's position `n` from 0, and
where a row stands, for messages. What makes a row wrong, and what becomes of the rows, is
`regista.write.samples`'s business.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from regista.errors import InvalidInputError
from regista.model.names import shown
from regista.read import duck
from regista.write.foreign import ForeignFile, is_parquet, judge, regular_file
from regista.write.sample_csv import CsvSource, is_csv
from regista.write.sample_rules import AMOUNTS, COUNTS, MEASURES, TEXTS, parsed, sorted_object

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAX_SAMPLES = 100_000_000
FIELDS = ("sample_id", "id", "task", "metric", "value", "passed", *MEASURES, *TEXTS)
NUMBERS = (*AMOUNTS, *COUNTS)

_MAX_LINE_BYTES = 16 << 20
_WORD = ("VARCHAR",)
_INTEGER = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
            "UINTEGER", "UBIGINT", "UHUGEINT")  # fmt: skip
_NUMBER = (*_INTEGER, "FLOAT", "DOUBLE", "DECIMAL")
_PARQUET_TYPES = {
    "sample_id": (*_WORD, "UUID", *_INTEGER),
    "id": (*_WORD, "UUID", *_INTEGER),
    "task": _WORD,
    "metric": _WORD,
    "value": _NUMBER,
    "passed": ("BOOLEAN",),
    "slices": (*_WORD, "JSON", "MAP", "STRUCT"),
    **dict.fromkeys(NUMBERS, _NUMBER),
    **dict.fromkeys(TEXTS, _WORD),
}
_COMPRESSED = {
    b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"BZh": "bzip2",
}  # fmt: skip
_COPIED_AT_ONCE = 1 << 20
_BOM = b"\xef\xbb\xbf"


class SampleSource(Protocol):
    """Rows as somebody gave them.

    Attributes:
        name: how messages call the source.
    """

    name: str

    def query(self) -> str:
        """Return a SELECT of n, `FIELDS` but id, and has_* of what may be left out."""
        ...

    def where(self, position: int) -> str:
        """Name a row by its position, from 0."""
        ...

    def explain(self) -> None:
        """After DuckDB failed to read the source, say it better, where that can be.

        Raises:
            InvalidInputError: what is wrong, and where.
        """
        ...


def open_source(
    con: "DuckDBPyConnection",
    folder: Path,
    samples: str | PathLike[str] | Iterable[Mapping[str, Any]],
    *,
    texts: bool = False,
) -> SampleSource:
    """Look at a file, told apart by its content, or write objects to one in `folder`.

    Args:
        con: the connection that will read it.
        folder: an existing local folder for temporary files.
        samples: the file, or objects.
        texts: whether inputs and outputs are read too; else they are null.

    Raises:
        InvalidInputError: the file is missing, of another format, or claims too much.
    """
    if not isinstance(samples, (str, PathLike)):
        path = folder / "samples.jsonl"
        _write_objects(path, samples)
        return _JsonLines("the samples", path, given=False, texts=texts)
    path = regular_file(Path(samples), "the samples file")
    if is_parquet(path):
        return _Parquet(judge(con, path, max_rows=MAX_SAMPLES), texts=texts)
    _refuse_other_formats(path)
    plain = _without_mark(path, folder)
    if is_csv(plain):
        return CsvSource(path.name, plain, texts=texts)
    return _JsonLines(path.name, plain, given=True, texts=texts)


class _JsonLines:
    def __init__(self, name: str, path: Path, *, given: bool, texts: bool) -> None:
        self.name = name
        self._path = path
        self._given = given
        self._texts = texts

    def query(self) -> str:
        fields = ", ".join(f"{name}: 'JSON'" for name in FIELDS if self._texts or name not in TEXTS)
        numbers = ", ".join(
            f"CASE WHEN json_type({name}) <> 'BOOLEAN'"
            f" THEN TRY_CAST({name}->>'$' AS DOUBLE) END AS {name}"
            for name in NUMBERS
        )
        texts = ", ".join(
            _text(name) if self._texts else f"NULL::VARCHAR AS {name}" for name in TEXTS
        )
        optional = ("task", "value", "passed", *MEASURES)
        return f"""
            SELECT row_number() OVER () - 1 AS n,
                CASE WHEN json_type(coalesce(sample_id, id)) IN ('VARCHAR', 'BIGINT', 'UBIGINT')
                    THEN coalesce(sample_id, id)->>'$' END AS sample_id,
                CASE WHEN json_type(task) = 'VARCHAR' THEN task->>'$' END AS task,
                CASE WHEN json_type(metric) = 'VARCHAR' THEN metric->>'$' END AS metric,
                CASE WHEN json_type(value) <> 'BOOLEAN'
                    THEN TRY_CAST(value->>'$' AS DOUBLE) END AS value,
                CASE WHEN json_type(passed) = 'BOOLEAN' THEN passed = 'true' END AS passed,
                {sorted_object("slices")} AS slices, {numbers},
                {texts},
                {", ".join(map(_given, optional))}
            FROM read_json({duck.escaped_path(self._path)}, format = 'newline_delimited',
                compression = 'none', maximum_object_size = {_MAX_LINE_BYTES},
                columns = {{{fields}}})
        """

    def where(self, position: int) -> str:
        if not self._given:
            return f"sample {position + 1}"
        with self._path.open("rb") as file:
            filled = (number for number, line in enumerate(file, 1) if line.strip())
            for index, number in enumerate(filled):
                if index == position:
                    return f"{shown(self.name, 200)}, line {number}"
        return f"{shown(self.name, 200)}, record {position + 1}"

    def explain(self) -> None:
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                reason = _trouble_with(line.strip())
                if reason:
                    where = f"{shown(self.name, 200)}, line" if self._given else "sample"
                    raise InvalidInputError(f"{where} {number}: {reason}")


class _Parquet:
    def __init__(self, file: ForeignFile, *, texts: bool) -> None:
        self.name = file.path.name
        self._file = file
        self._texts = texts
        types = {name: type_.partition("(")[0] for name, type_ in file.columns.items()}
        self._id = "sample_id" if "sample_id" in types else "id"
        for name, called in ((self._id, "sample_id"), ("metric", "metric")):
            if name not in types:
                raise InvalidInputError(
                    f"{shown(self.name, 200)} has no column {called}",
                    hint="its columns are " + ", ".join(shown(name, 40) for name in [*types][:20]),
                )
        for name, allowed in _PARQUET_TYPES.items():
            if name in types and types[name] not in allowed and name in self._used():
                raise InvalidInputError(
                    f"{shown(self.name, 200)}: column {name} has the type {types[name]}, not"
                    f" {' or '.join(dict.fromkeys((allowed[0], allowed[-1])))}"
                )

    def _used(self) -> set[str]:
        known = {self._id, "task", "metric", "value", "passed", *MEASURES}
        return known | set(TEXTS) if self._texts else known

    def query(self) -> str:
        has = self._file.columns.keys() & self._used()
        value = {name: f'"{name}"' if name in has else "NULL" for name in FIELDS}
        slices = "NULL::VARCHAR"
        if "slices" in has:
            # a struct, a map and a JSON text come to the same
            is_text = self._file.columns["slices"] == "VARCHAR"
            slices = sorted_object(parsed("slices") if is_text else "to_json(slices)")
        numbers = ", ".join(f"CAST({value[name]} AS DOUBLE) AS {name}" for name in NUMBERS)
        texts = ", ".join(f"CAST({value[name]} AS VARCHAR) AS {name}" for name in TEXTS)
        optional = ("task", "value", "passed", *MEASURES)
        given = ", ".join(f"{value[name]} IS NOT NULL AS has_{name}" for name in optional)
        return f"""
            SELECT file_row_number AS n, CAST("{self._id}" AS VARCHAR) AS sample_id,
                CAST({value["task"]} AS VARCHAR) AS task, CAST(metric AS VARCHAR) AS metric,
                CAST({value["value"]} AS DOUBLE) AS value,
                CAST({value["passed"]} AS BOOLEAN) AS passed,
                {slices} AS slices, {numbers}, {texts}, {given}
            FROM {self._file.source}
        """

    def where(self, position: int) -> str:
        return f"{shown(self.name, 200)}, row {position + 1}"

    def explain(self) -> None:
        """Leave it to DuckDB: its words on Parquet are as good as any."""


def _text(name: str) -> str:
    """Return the expression of a text; what is an object, such as messages, stays JSON."""
    return (
        f"CASE WHEN coalesce(json_type({name}), 'NULL') <> 'NULL' THEN {name}->>'$' END AS {name}"
    )


def _given(name: str) -> str:
    return f"coalesce(json_type({name}), 'NULL') <> 'NULL' AS has_{name}"


def _trouble_with(line: bytes) -> str:
    """Return why a line cannot be read as one JSON object; '' when it can, or is empty."""
    if not line:
        return ""
    if len(line) > _MAX_LINE_BYTES:
        return f"it is longer than {_MAX_LINE_BYTES:,} bytes"
    try:
        value = json.loads(line, object_pairs_hook=_once)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError:
        return "its text is not valid Unicode"
    except json.JSONDecodeError as error:
        return f"it is not JSON: {error.msg} at column {error.colno}"
    except (ValueError, RecursionError) as error:
        return f"it is not JSON that can be read: {error}"
    return "" if isinstance(value, dict) else "it is not a JSON object"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object has the same key twice")
    return value


def _refuse_other_formats(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(4096)
    for magic, name in _COMPRESSED.items():
        if head.startswith(magic):
            raise InvalidInputError(
                f"{shown(path.name, 200)} is compressed ({name})", hint="unpack it first"
            )
    text = head.removeprefix(_BOM).lstrip()
    if text.startswith(b"["):
        raise InvalidInputError(
            f"{shown(path.name, 200)} is one JSON array; samples are JSON lines, CSV or Parquet",
            hint="jq -c '.[]' FILE writes one object a line",
        )
    if text and not text.startswith(b"{") and not is_csv(path):
        raise InvalidInputError(f"{shown(path.name, 200)} is neither JSON lines, CSV nor Parquet")


def _without_mark(path: Path, folder: Path) -> Path:
    """Return a file with the same lines and without a byte order mark, which DuckDB refuses."""
    with path.open("rb") as file:
        if file.read(len(_BOM)) != _BOM:
            return path
        target = folder / "samples.jsonl"
        with target.open("wb") as copy:
            shutil.copyfileobj(file, copy, _COPIED_AT_ONCE)
        return target


def _write_objects(path: Path, samples: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for line in _lines(samples):
            file.write(line)


def _lines(samples: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    encode = json.JSONEncoder(default=_plain, separators=(",", ":")).encode
    for position, sample in enumerate(samples, 1):
        if not isinstance(sample, Mapping):
            raise InvalidInputError(f"sample {position} is not an object")
        try:
            yield encode({name: sample[name] for name in FIELDS if name in sample}) + "\n"
        except (TypeError, ValueError) as error:
            raise InvalidInputError(f"sample {position}: {error}") from error


def _plain(value: object) -> object:
    """Return a number of another library, such as numpy, as one that JSON has."""
    item = getattr(value, "item", None)
    if callable(item):
        return item()
    if hasattr(value, "__float__"):
        return str(value)
    raise TypeError(f"a field has the type {type(value).__name__}")
