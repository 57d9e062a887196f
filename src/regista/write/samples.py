"""Per-example results: from a file or objects to one sorted data file of `eval_samples`.

A row has `sample_id` (or `id`; text or an integer), `metric`, and `value`, a finite number, or
`passed`, true or false; `task` is optional. With `passed` alone the value is 1 or 0. Further
fields, such as inputs and outputs, are left out: a registry keeps results, not transcripts.
Nothing is kept of a source with one row in error. Any number of rows is read in bounded memory.

The digest is the SHA-256 of the rows sorted by task, metric and sample, each the five values
separated by tabs and ended by a newline; so equal results are known again in whatever order and
format they come. Formats are `regista.write.sample_sources`'s business, runs the caller's.
"""

import hashlib
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.errors import InvalidInputError
from regista.model.commit import DataRef
from regista.model.names import MAX_NAME, shown
from regista.read import duck
from regista.storage.store import Store
from regista.write.bulk import write_relation
from regista.write.foreign import reading, reading_connection
from regista.write.rules import NAMEABLE, no_identifier
from regista.write.sample_sources import SampleSource, open_source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH = 10_000
_GRAIN = "task, metric, sample_id"


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
        source = open_source(con, folder, samples)
        ordered = folder / "ordered.parquet"
        with reading(source.name):
            rows = _sort(con, source, folder / "staged.parquet", ordered)
            _refuse_duplicates(con, ordered, source)
            digest = _digest(con, ordered)
        if not rows:
            return None, digest
        query = f"FROM {duck.parquet(ordered)}"
        return write_relation(store, con, folder, "eval_samples", query, rows=rows), digest


def _sort(con: "DuckDBPyConnection", source: SampleSource, staged: Path, ordered: Path) -> int:
    """Write the source's rows in the order of their grain; return how many there are."""
    # staged first: sorting reads its input once, and a wrong row must be found before
    _copy(con, source, staged)
    wrong = con.execute(
        f"SELECT n, problem FROM {duck.parquet(staged)}"
        " WHERE problem IS NOT NULL ORDER BY n LIMIT 1"
    ).fetchone()
    if wrong:
        raise InvalidInputError(f"{source.where(wrong[0])}: {wrong[1]}")
    query = (
        f"SELECT task, sample_id, metric, value, passed FROM {duck.parquet(staged)}"
        f" ORDER BY {_GRAIN}"
    )
    counted = con.execute(f"COPY ({query}) TO {duck.quoted(str(ordered))} (FORMAT parquet)")
    staged.unlink()
    return int((counted.fetchone() or (0,))[0])


def _copy(con: "DuckDBPyConnection", source: SampleSource, target: Path) -> None:
    """Write the rows with typed values, their positions, and what is wrong with each."""
    import duckdb

    # what is too long is refused in the end, but must not fill the disk until then
    kept = ", ".join(
        f"nfc_normalize(left({name}, {MAX_NAME + 1})) AS {name}" for name in ("sample_id", "metric")
    )
    query = (
        f"SELECT n, {kept}, nfc_normalize(left(coalesce(task, ''), {MAX_NAME + 1})) AS task,"
        f" coalesce(value, passed::DOUBLE) + 0.0 AS value, passed, {_problem()} AS problem"
        f" FROM ({source.query()})"
    )
    try:
        con.execute(f"COPY ({query}) TO {duck.quoted(str(target))} (FORMAT parquet)")
    except duckdb.InvalidInputException:
        source.explain()
        raise


def _problem() -> str:
    """Return the SQL that says what is wrong with a row; null when nothing is."""
    cases = [
        ("sample_id IS NULL", "it has no sample_id that is text or an integer"),
        (no_identifier("sample_id"), f"its sample_id is not {NAMEABLE}"),
        ("metric IS NULL", "it has no metric that is text"),
        (no_identifier("metric"), f"its metric is not {NAMEABLE}"),
        ("has_task AND task IS NULL", "its task is not text"),
        (f"task <> '' AND {no_identifier('task')}", f"its task is not {NAMEABLE}"),
        ("has_value AND value IS NULL", "its value is not a number"),
        ("NOT isfinite(value)", "its value is not a finite number"),
        ("has_passed AND passed IS NULL", "its passed is neither true nor false"),
        ("NOT has_value AND NOT has_passed", "it has neither value nor passed"),
    ]
    whens = " ".join(f"WHEN {condition} THEN {duck.quoted(text)}" for condition, text in cases)
    return f"CASE {whens} END"


def _refuse_duplicates(con: "DuckDBPyConnection", ordered: Path, source: SampleSource) -> None:
    found = con.execute(
        f"SELECT task, metric, sample_id FROM (SELECT {_GRAIN},"
        f" ({_GRAIN}) = lag(({_GRAIN})) OVER () AS again FROM {duck.parquet(ordered)})"
        " WHERE again LIMIT 1"
    ).fetchone()
    if found:
        task, metric, sample = found
        of_task = f" of task {shown(task)}" if task else ""
        raise InvalidInputError(
            f"{shown(source.name, 200)}: sample {shown(sample)} has metric {shown(metric)}{of_task}"
            " twice"
        )


def _digest(con: "DuckDBPyConnection", ordered: Path) -> str:
    hasher = hashlib.sha256()
    result = con.execute(
        f"SELECT concat_ws(chr(9), {_GRAIN}, value::VARCHAR,"
        f" coalesce(passed::VARCHAR, '')) FROM {duck.parquet(ordered)}"
    )
    while batch := result.fetchmany(_BATCH):
        hasher.update("".join(f"{line}\n" for (line,) in batch).encode())
    return hasher.hexdigest()
