"""Per-example results: from a file or objects to one sorted data file of `eval_samples`.

A row has `sample_id` (or `id`; text or an integer), `metric`, and `value`, a finite number, or
`passed`, true or false; `task` is optional. With `passed` alone the value is 1 or 0. Further
fields, such as inputs and outputs, are left out: a registry keeps results, not transcripts.
Nothing is kept of a source with one row in error. Any number of rows is read in bounded memory.

The digest is the SHA-256 of the rows sorted by task, metric and sample, each the five values
separated by tabs and ended by a newline; so equal results are known again in whatever order and
format they come. What a run is, and where its rows go, is the caller's business.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.errors import InvalidInputError
from regista.model.commit import DataRef
from regista.model.names import MAX_NAME, shown
from regista.read import duck
from regista.storage.store import Store
from regista.write.bulk import write_relation
from regista.write.foreign import ForeignFile, is_parquet, judge, reading, reading_connection
from regista.write.foreign import regular_file as _regular_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAX_SAMPLES = 100_000_000
FIELDS = ("sample_id", "id", "task", "metric", "value", "passed")

_MAX_OBJECT_BYTES = 16 << 20
_BATCH = 10_000
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
             "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")
_NUMBERS = (*_INTEGERS, "FLOAT", "DOUBLE", "DECIMAL")
_TYPES = {
    "sample_id": ("VARCHAR", "UUID", *_INTEGERS), "id": ("VARCHAR", "UUID", *_INTEGERS),
    "task": ("VARCHAR",), "metric": ("VARCHAR",), "value": _NUMBERS, "passed": ("BOOLEAN",),
}
_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK": "zip", b"BZ": "bzip2"}


def store_samples(
    store: Store, samples: str | PathLike[str] | Iterable[Mapping[str, Any]]
) -> tuple[DataRef | None, str]:
    """Store per-example results as a data file.

    Args:
        store: where the registry lies.
        samples: the path of a JSONL or Parquet file, told apart by content, or objects.

    Returns:
        The reference to the rows (task, sample_id, metric, value, passed), or None when there
        are none; and the digest of what the rows say.

    Raises:
        InvalidInputError: the file is missing or damaged, a row lacks a field or has a wrong
            one, or two rows have the same task, metric and sample; the message says where.
        StorageError: the data file cannot be written.
    """
    with reading_connection(store) as (con, folder):
        source = _Source.open(con, folder, samples)
        staged = folder / "staged.parquet"
        with reading(source.name):
            source.stage(con, staged)
            _refuse_bad_rows(con, staged, source)
            counted = con.execute(f"SELECT count(*) FROM {duck.parquet(staged)}").fetchone()
        rows = int(counted[0]) if counted else 0
        if not rows:
            return None, hashlib.sha256().hexdigest()
        ordered = folder / "ordered.parquet"
        with reading(source.name):
            _sort(con, staged, ordered)
            staged.unlink()
            _refuse_duplicates(con, ordered, source)
            digest = _digest(con, ordered)
        query = f"FROM {duck.parquet(ordered)}"
        return write_relation(store, con, folder, "eval_samples", query, rows=rows), digest


class _Source:
    """Rows as somebody gave them.

    Attributes:
        name: how messages call the source.
        path: a file with the rows.
        parquet: its judged footer when it is Parquet; else it holds JSON lines.
        given: whether the file is the caller's, so that messages name its lines.
    """

    def __init__(
        self, name: str, path: Path, parquet: ForeignFile | None, *, given: bool
    ) -> None:
        self.name = name
        self.path = path
        self.parquet = parquet
        self.given = given

    @classmethod
    def open(
        cls,
        con: "DuckDBPyConnection",
        folder: Path,
        samples: str | PathLike[str] | Iterable[Mapping[str, Any]],
    ) -> "_Source":
        """Look at a file, or write objects to one."""
        if not isinstance(samples, (str, PathLike)):
            path = folder / "samples.jsonl"
            _write_objects(path, samples)
            return cls("the samples", path, None, given=False)
        path = _regular_file(Path(samples), "the samples file")
        if is_parquet(path):
            return cls(path.name, path, judge(con, path, max_rows=MAX_SAMPLES), given=True)
        _refuse_other_formats(path)
        return cls(path.name, path, None, given=True)

    def stage(self, con: "DuckDBPyConnection", target: Path) -> None:
        """Write the rows with typed values, their position, and what is wrong with each."""
        values = self._from_parquet() if self.parquet else self._from_json()
        query = (
            f"SELECT nfc_normalize(coalesce(task, '')) AS task, sample_id,"  # noqa: S608 - ours
            f" nfc_normalize(metric) AS metric,"
            f" coalesce(value, passed::INTEGER) + 0.0 AS value, passed, n,"
            f" {_PROBLEM} AS problem FROM ({values})"
        )
        try:
            con.execute(f"COPY ({query}) TO {duck.quoted(str(target))} (FORMAT parquet)")
        except duck_error():
            if self.given and not self.parquet:
                _explain_json(self.path)
            raise

    def where(self, position: int) -> str:
        """Name a row by its position, from 0."""
        if not self.given:
            return f"sample {position + 1}"
        if self.parquet:
            return f"{shown(self.name, 200)}, row {position + 1}"
        return f"{shown(self.name, 200)}, line {_line_of(self.path, position)}"

    def _from_json(self) -> str:
        fields = ", ".join(f"{name}: 'JSON'" for name in FIELDS)
        return f"""
            SELECT row_number() OVER () - 1 AS n,
                {_json_text("coalesce(sample_id, id)", integers=True)} AS sample_id,
                {_json_text("task")} AS task, {_json_text("metric")} AS metric,
                CASE WHEN json_type(value) IN ('UBIGINT', 'BIGINT', 'DOUBLE', 'VARCHAR')
                    THEN TRY_CAST(value->>'$' AS DOUBLE) END AS value,
                CASE WHEN json_type(passed) = 'BOOLEAN' THEN CAST(passed AS BOOLEAN) END AS passed,
                coalesce(json_type(value), 'NULL') <> 'NULL' AS has_value,
                coalesce(json_type(passed), 'NULL') <> 'NULL' AS has_passed,
                coalesce(json_type(task), 'NULL') <> 'NULL' AS has_task
            FROM read_json({duck.escaped_path(self.path)}, format = 'newline_delimited',
                compression = 'none', maximum_object_size = {_MAX_OBJECT_BYTES},
                columns = {{{fields}}})
        """  # noqa: S608 - names are ours, the path is quoted

    def _from_parquet(self) -> str:
        assert self.parquet is not None
        return _parquet_query(self.parquet)
