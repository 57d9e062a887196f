"""One schema per table: the file without rows that tells it, and rewriting files that differ.

Invariant: when a table's `schema.parquet` has the columns of `regista.model.tables`, in order and
type, so have all its files; for it is written last. So a glob over the files never mixes columns.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from regista.errors import IntegrityError, NewerFormatError
from regista.model.tables import TABLES, Table
from regista.read import duck
from regista.read.rows import json_rows
from regista.storage.cover import TableFile, choose_cover, schema_key
from regista.storage.several import all_paths
from regista.storage.store import Store
from regista.storage.tablefiles import list_spans
from regista.write.parquet import Columns, count_rows, schemas_of, sorted_copy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def ensure_schema_files(
    store: Store, con: "DuckDBPyConnection", known: dict[str, bytes] | None = None
) -> None:
    """See to it that every table has its file without rows, and that no file differs from it.

    Raises:
        NewerFormatError: a newer Regista has added columns.
        IntegrityError, StorageError: a file cannot be read, or written.
    """
    with duck.guarded("write the tables' schemas"):
        require_schemas(store, con, TABLES.values(), known=known)


def require_schemas(
    store: Store,
    con: "DuckDBPyConnection",
    tables: Iterable[Table],
    *,
    known: dict[str, bytes] | None = None,
    skip_unreadable: bool = False,
) -> None:
    """See to it that files with today's columns may be added to the tables.

    Args:
        store: where the registry lies.
        con: a connection that may spill.
        tables: which ones.
        known: schema files that were right when this process looked, by table; they are not
            parsed again while their bytes are the same, and what is found right is added.
        skip_unreadable: leave damaged files, and such as are none of the table's, as they are;
            for a rebuild, which replaces them.

    Raises:
        NewerFormatError: a newer Regista has added columns.
        IntegrityError, StorageError: a file cannot be read, or written.
    """
    known = {} if known is None else known
    names = [table.name for table in tables]
    files = dict(zip(names, all_paths(store, list(map(schema_key, names))), strict=True))
    now = {name: path.read_bytes() if path else None for name, path in files.items()}
    wanted = [TABLES[name] for name, data in now.items() if not data or data != known.get(name)]
    found = _schemas_if_readable(con, [path for t in wanted if (path := files[t.name])])
    for table in wanted:
        path = files[table.name]
        columns = found.get(path) if path else None
        _refuse_newer(table, columns or ())
        if columns != today(table):
            upgrade_schema(store, con, table, skip_unreadable=skip_unreadable)
        elif data := now[table.name]:
            known[table.name] = data


def upgrade_schema(
    store: Store, con: "DuckDBPyConnection", table: Table, *, skip_unreadable: bool = False
) -> int:
    """Rewrite the files of a table that have not today's columns; return how many had not.

    Columns that a file lacks become null. A kill in between is made good by the next call.

    Raises:
        NewerFormatError: a file has columns that this Regista does not know.
        IntegrityError, StorageError: a file cannot be read, or written.
    """
    rewritten = 0
    with store.scratch() as folder, duck.guarded(f"rewrite table {table.name}"):
        for span in sorted(list_spans(store, table.name)):
            file = TableFile(table.name, span)
            path = store.local_path(file.key)
            if path is None:
                continue
            columns = _schemas_if_readable(con, [path]).get(path)
            if skip_unreadable and (columns is None or _unknown(table, columns)):
                continue
            if columns != today(table):
                store.put(file.key, _rewritten(con, table, path, columns or (), folder))
                rewritten += 1
        store.put(schema_key(table.name), _empty(con, table, folder))
    # a merge may have removed a short file before it was put again
    for span in choose_cover(list_spans(store, table.name)).superseded:
        store.delete(TableFile(table.name, span).key)
    return rewritten


def _schemas_if_readable(con: "DuckDBPyConnection", paths: list[Path]) -> dict[Path, Columns]:
    """Return the columns of each file, leaving out damaged ones."""
    import duckdb

    try:
        return schemas_of(con, paths)
    except duckdb.Error:
        if len(paths) == 1:
            return {}
        found: dict[Path, Columns] = {}
        for path in paths:
            found |= _schemas_if_readable(con, [path])
        return found


def today(table: Table) -> Columns:
    """Return names and types of the table's columns as this Regista writes them."""
    return tuple((column.name, column.type) for column in table.columns)


def _unknown(table: Table, columns: Columns) -> list[str]:
    return sorted({name for name, _ in columns} - set(table.column_names))


def _refuse_newer(table: Table, columns: Columns) -> None:
    if unknown := _unknown(table, columns):
        raise NewerFormatError(
            f"table {table.name} has columns that this Regista does not know: {', '.join(unknown)}",
            hint="pip install --upgrade regista",
        )


def _rewritten(
    con: "DuckDBPyConnection", table: Table, path: Path, columns: Columns, folder: Path
) -> Path:
    _refuse_newer(table, columns)
    known = {name for name, _ in columns}
    values = ", ".join(
        f'CAST({_value(column.name, known)} AS {column.type}) AS "{column.name}"'
        for column in table.columns
    )
    source = f"SELECT {values} FROM {duck.parquet(path)}"
    target = folder / f"{table.name}.parquet"
    rows = count_rows(con, path)
    if sorted_copy(con, table, source, target, rows=rows) != rows:
        raise IntegrityError(f"{path.name} of {table.name} changed while it was rewritten")
    return target


def _value(name: str, known: set[str]) -> str:
    return f'"{name}"' if name in known else "NULL"


def _empty(con: "DuckDBPyConnection", table: Table, folder: Path) -> Path:
    target = folder / "schema.parquet"
    sorted_copy(con, table, json_rows(table, "rows"), target, rows=0, parameters={"rows": "[]"})
    return target
