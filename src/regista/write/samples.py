"""Per-example results: from a file or objects to one sorted data file of `eval_samples`.

A row has `sample_id` (or `id`; text or an integer), `metric`, and `value`, a finite number, or
`passed`, true or false; `task`, `slices` (an object of text to text), `latency_s`, `cost_usd`,
`tokens_in` and `tokens_out` are optional. With `passed` alone the value is 1 or 0. `input` and
`output` are kept only where that is asked for, apart from the results, in a blob that a purge of
the version removes; what looks like a credential is left out of them in any case. Other fields
are left out. Nothing is kept of a source with one row in error. Any number of rows is read in
bounded memory.

The digest is the SHA-256 of the rows sorted by task, metric and sample, each the values separated
by tabs and ended by a newline; so equal results are known again in whatever order and format they
come. Formats are `regista.write.sample_sources`'s business, rules and SQL of single values
`regista.write.sample_rules`'s, runs the caller's.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.errors import InvalidInputError
from regista.model.commit import DataRef
from regista.model.names import shown
from regista.read import duck
from regista.storage.blobs import put_blob_file
from regista.storage.store import Store
from regista.write.bulk import write_relation
from regista.write.foreign import reading, reading_connection
from regista.write.sample_rules import MEASURES, TEXTS, problem, redacted, typed
from regista.write.sample_sources import SampleSource, open_source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH = 10_000
_GRAIN = "task, metric, sample_id"
_KEPT = ("task", "sample_id", "metric", "value", "passed")


@dataclass(frozen=True, slots=True)
class StoredSamples:
    """Per-example results that are in the store.

    Attributes:
        data: the reference to the rows; none when there are none.
        digest: SHA-256 of what the rows say.
        texts_digest: SHA-256 of the blob with inputs and outputs; '' when none are kept.
    """

    data: tuple[DataRef, ...]
    digest: str
    texts_digest: str = ""


def store_samples(
    store: Store,
    samples: str | PathLike[str] | Iterable[Mapping[str, Any]],
    *,
    keep_texts: bool = False,
) -> StoredSamples:
    """Store per-example results as a data file.

    Args:
        store: where the registry lies.
        samples: the path of a JSONL, CSV or Parquet file, told apart by content, or objects.
        keep_texts: keep inputs and outputs too.

    Raises:
        InvalidInputError: the file is missing or damaged, a row lacks a field or has a wrong
            one, or two rows have the same task, metric and sample; the message says where.
        StorageError: the data file cannot be written.
    """
    with reading_connection(store) as (con, folder):
        source = open_source(con, folder, samples, texts=keep_texts)
        staged, ordered = folder / "staged.parquet", folder / "ordered.parquet"
        with reading(source.name):
            _stage(con, source, staged, texts=keep_texts)
            measures = _measures(con, staged)
            rows = _sort(con, staged, ordered, (*_KEPT, *measures))
            _refuse_duplicates(con, ordered, source)
            digest = _digest(con, ordered, measures)
            texts = _texts(con, staged, folder / "texts.parquet") if keep_texts else None
        staged.unlink()
        if not rows:
            return StoredSamples((), digest)
        # the log names the blob, so it must be there before
        texts_digest = put_blob_file(store, texts) if texts else ""
        query = f"FROM {duck.parquet(ordered)}"
        ref = write_relation(store, con, folder, "eval_samples", query, rows=rows)
        return StoredSamples((ref,), digest, texts_digest)


def _stage(con: "DuckDBPyConnection", source: SampleSource, staged: Path, *, texts: bool) -> None:
    """Write the rows with typed values and their positions, and refuse the first wrong one."""
    import duckdb

    # staged first: sorting reads its input once, and a wrong row must be found before
    columns = ["n", *(f"{value} AS {name}" for name, value in typed().items())]
    columns += [f"{redacted(name)} AS {name}" for name in TEXTS if texts]
    query = f"SELECT {', '.join(columns)}, {problem()} AS problem FROM ({source.query()})"
    try:
        con.execute(f"COPY ({query}) TO {duck.quoted(str(staged))} (FORMAT parquet)")
    except duckdb.InvalidInputException:
        source.explain()
        raise
    wrong = con.execute(
        f"SELECT n, problem FROM {duck.parquet(staged)}"
        " WHERE problem IS NOT NULL ORDER BY n LIMIT 1"
    ).fetchone()
    if wrong:
        raise InvalidInputError(f"{source.where(wrong[0])}: {wrong[1]}")


def _measures(con: "DuckDBPyConnection", staged: Path) -> list[str]:
    """Return the optional columns that some row has; the others need no place in the file."""
    counts = ", ".join(f"count({name})" for name in MEASURES)
    found = con.execute(f"SELECT {counts} FROM {duck.parquet(staged)}").fetchone() or ()
    return [name for name, count in zip(MEASURES, found, strict=True) if count]


def _sort(con: "DuckDBPyConnection", staged: Path, ordered: Path, columns: Sequence[str]) -> int:
    """Write the rows in the order of their grain; return how many there are."""
    query = f"SELECT {', '.join(columns)} FROM {duck.parquet(staged)} ORDER BY {_GRAIN}"
    counted = con.execute(f"COPY ({query}) TO {duck.quoted(str(ordered))} (FORMAT parquet)")
    return int((counted.fetchone() or (0,))[0])


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


def _digest(con: "DuckDBPyConnection", ordered: Path, measures: Sequence[str]) -> str:
    hasher = hashlib.sha256()
    # a row without measures is what it was before there were any
    filled = " OR ".join(f"{name} IS NOT NULL" for name in measures) or "false"
    values = ", ".join(f"coalesce({name}::VARCHAR, '')" for name in measures) or "''"
    result = con.execute(
        f"SELECT concat_ws(chr(9), {_GRAIN}, value::VARCHAR, coalesce(passed::VARCHAR, ''),"
        f" CASE WHEN {filled} THEN concat_ws(chr(9), {values}) END)"
        f" FROM {duck.parquet(ordered)}"
    )
    if measures:
        hasher.update(f"{', '.join(measures)}\n".encode())
    while batch := result.fetchmany(_BATCH):
        hasher.update("".join(f"{line}\n" for (line,) in batch).encode())
    return hasher.hexdigest()


def _texts(con: "DuckDBPyConnection", staged: Path, target: Path) -> Path | None:
    """Write inputs and outputs, one row an example and not a metric; None when there are none."""
    query = (
        f"SELECT task, sample_id, min(input) AS input, min(output) AS output"
        f" FROM {duck.parquet(staged)} WHERE input IS NOT NULL OR output IS NOT NULL"
        " GROUP BY task, sample_id ORDER BY task, sample_id"
    )
    counted = con.execute(
        f"COPY ({query}) TO {duck.quoted(str(target))} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchone()
    return target if counted and counted[0] else None
