"""Data files: rows of one table that a commit will carry by digest.

A file is Parquet, named by the SHA-256 of its bytes, and put before the commit that names it; a
file that no commit names is litter that `gc` finds. It holds only columns of the table's own, and
never those that every row of a commit shares. Row order is kept, for it decides each row's `i`.
Reading them back is `regista.read.data_rows`; what the rows mean is the caller's business.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.model.commit import DataRef, Row, data_key
from regista.model.tables import COMMON_COLUMNS, TABLES, Table
from regista.read import duck
from regista.storage.store import Store
from regista.write.parquet import row_group_size

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_MB = 1000
THREADS = 2
_OBJECT_BYTES = 64 << 20


def write_rows(store: Store, table: str, rows: Sequence[Row]) -> DataRef:
    """Store rows as a data file, in the order given.

    Args:
        store: where the registry lies.
        table: the table that they belong to.
        rows: log rows; columns that all of them share may be left out and added to the
            reference. Doubles are decimal texts.

    Raises:
        StorageError: the file cannot be written.
        ValueError: a row has a column that the table's data files cannot hold.
    """
    columns = _columns_of(TABLES[table], {name for row in rows for name in row} - {"table"})
    with store.scratch() as folder, duck.connect(memory_mb=MEMORY_MB) as con:
        path = folder / "rows.jsonl"
        write_lines(path, rows)
        query = f"SELECT * FROM {json_lines(path, columns)}"
        return write_relation(store, con, folder, table, query, rows=len(rows))


def write_relation(
    store: Store,
    con: "DuckDBPyConnection",
    folder: Path,
    table: str,
    query: str,
    *,
    rows: int,
    parameters: Mapping[str, Any] | None = None,
) -> DataRef:
    """Store a query's rows as a data file; memory is bounded by the connection.

    Args:
        store: where the registry lies.
        con: a connection; to sort many rows it must be able to spill.
        folder: an existing local folder for the file before it is stored.
        table: the table that the rows belong to.
        query: a SELECT of ours that gives columns of the table, typed alike, in order.
        rows: about how many rows there will be.
        parameters: values of the query's parameters.

    Raises:
        StorageError: the file cannot be written.
    """
    path = folder / f"{table}.parquet"
    # a dictionary in every row group also gives each a bloom filter, by which a look-up of a
    # run skips the groups without it
    size = row_group_size(rows)
    statement = (
        f"COPY ({query}) TO {duck.quoted(str(path))} (FORMAT parquet, COMPRESSION zstd,"
        f" ROW_GROUP_SIZE {size}, DICTIONARY_SIZE_LIMIT {size})"
    )
    with duck.guarded(f"write rows of {table}"):
        counted = con.execute(statement, dict(parameters or {})).fetchone()
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    ref = DataRef(table, sha256, int(counted[0]) if counted else 0, path.stat().st_size)
    store.put(data_key(table, sha256), path)
    path.unlink()
    return ref


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as one JSON object a line, for DuckDB to read; return how many."""
    count = 0
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(encode(row) + "\n")
            count += 1
    return count


def json_lines(path: Path, columns: Mapping[str, str]) -> str:
    """Return a table function that reads our own JSON lines, in order, as typed columns."""
    fields = ", ".join(f'"{name}": {duck.quoted(type_)}' for name, type_ in columns.items())
    return (
        f"read_json({duck.escaped_path(path)}, format = 'newline_delimited',"
        f" compression = 'none', maximum_object_size = {_OBJECT_BYTES}, columns = {{{fields}}})"
    )


def _columns_of(table: Table, names: set[str]) -> dict[str, str]:
    columns = {
        column.name: column.type
        for column in table.columns
        if column.name in names and column.name not in COMMON_COLUMNS
    }
    if names - set(columns):
        raise ValueError(f"a data file of {table.name} holds no column {min(names - set(columns))}")
    return columns
