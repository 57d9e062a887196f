"""Asking in SQL: a connection with the registry's views, fixed queries, and queries of users.

A user's query may read whatever the user may read, but it only reads. An error in it is the
user's; a file that a merge removed while it ran is nobody's, and the query runs again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.errors import ConflictError, IntegrityError, InvalidInputError
from regista.model.tables import TABLES
from regista.read import duck
from regista.read.rows import with_all_columns
from regista.read.sqlfiles import VIEWS, load
from regista.read.syntax import tables_in
from regista.read.views import (
    Pinned,
    ReadTail,
    TailCommit,
    create_views,
    open_pinned,
    renamed_query,
    table_query,
    with_needs,
)
from regista.storage.cover import TableFile, choose_cover, schema_key
from regista.storage.log import Log
from regista.storage.store import Store
from regista.storage.tablefiles import list_spans

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

Parameters = Sequence[Any] | Mapping[str, Any]

_ATTEMPTS = 8
_COMMENTS = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*"
_EXPLAIN = r"(?:explain\b(?:\s+analyze\b|\s*\([^)]*\))?)?"
_ASKING = re.compile(
    rf"{_COMMENTS}{_EXPLAIN}{_COMMENTS}\(*{_COMMENTS}"
    r"(select|from|with|values|table|pivot|unpivot|describe|desc|show|summarize)\b",
    re.IGNORECASE | re.DOTALL,
)


def log_tail(log: Log, last: int) -> ReadTail:
    """Return a function that yields the commits after a number, up to `last`."""

    def after(seq: int) -> Iterable[TailCommit]:
        return log.iterate(seq + 1, last)

    return after


def open_views(
    store: Store,
    read_tail: ReadTail,
    *,
    as_of: int | None = None,
    threads: int = 2,
    query: str | None = None,
) -> "DuckDBPyConnection":
    """Open an in-memory database with the registry's views, pinned at one commit.

    Args:
        store: where the registry lies.
        read_tail: yields the commits after a number, in order, up to the last to be seen, each
            with the sha256 of its log file; see `log_tail`.
        as_of: number of the commit to pin; None for the last that `read_tail` yields.
        threads: 1 where a floating sum must come out the same each time.
        query: create only the views that this query names, which is faster; None for all.

    Raises:
        IntegrityError: a file is missing or damaged.
        ConflictError: merges kept changing the files.
    """

    def build(con: "DuckDBPyConnection", pinned: Pinned) -> None:
        create_views(con, store, pinned, _named_in(con, query))

    return open_pinned(store, read_tail, build, as_of=as_of, threads=threads)


def run_query(
    store: Store,
    read_tail: ReadTail,
    query: str,
    parameters: Parameters | None = None,
    *,
    as_of: int | None = None,
    threads: int = 2,
) -> "DuckDBPyRelation":
    """Run one statement that reads, and return all its rows as a DuckDB relation.

    Args:
        store: as for `open_views`.
        read_tail: as for `open_views`.
        query: one SELECT, or PIVOT, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN of one.
        parameters: values for `?`, or by name for `$name`.
        as_of: as for `open_views`.
        threads: as for `open_views`.

    Raises:
        InvalidInputError: the query is wrong, or does not only read; the message is DuckDB's.
        IntegrityError: a file of the registry is missing or damaged.
        ConflictError: merges kept removing the files.
    """
    import duckdb

    for _ in range(_ATTEMPTS):
        con = open_views(store, read_tail, as_of=as_of, threads=threads, query=query)
        try:
            _require_asking(con, query)
            return con.sql(query, params=parameters).materialize()
        except duckdb.Error as error:
            if not duck.is_missing_file(error) or "/tables/" not in str(error):
                raise InvalidInputError(duck.first_line(error), hint="regista tables") from error
    raise ConflictError("the table files kept changing while they were read", hint="try again")


def named_query(
    store: Store,
    read_tail: ReadTail,
    name: str,
    parameters: Mapping[str, Any],
    *,
    as_of: int | None = None,
) -> list[dict[str, Any]]:
    """Run one of the fixed queries; return its rows by column.

    Args:
        store: as for `open_views`.
        read_tail: as for `open_views`.
        name: one of `regista.read.sqlfiles.QUERIES`.
        parameters: by name; those that are not given are null.
        as_of: as for `open_views`.

    Raises:
        IntegrityError: a file of the registry is missing or damaged.
        ConflictError: merges kept removing the files.
    """
    file = load(name)
    values = {key: parameters.get(key) for key in file.parameters}
    found = run_query(store, read_tail, file.text, values, as_of=as_of)
    return [dict(zip(file.columns, row, strict=True)) for row in found.fetchall()]


def emit_views(store: Store, as_of: int | None = None) -> str:
    """Return SQL that creates the same views in a plain DuckDB shell.

    For a registry in a folder they read all files of each table's folder: they follow it as it
    grows, and are right whenever no writer is at work and every commit is tabled. For any other
    store they read local copies of the files that there are now.

    Args:
        store: where the registry lies.
        as_of: number of the commit to pin; None for whatever is there.

    Raises:
        IntegrityError: a table has no schema file.
    """
    return "\n".join(f"{statement};" for statement in _view_statements(store, as_of)) + "\n"


def _view_statements(store: Store, as_of: int | None) -> Iterator[str]:
    rows = {table: _file_query(store, table, as_of) for table in TABLES}
    renamed = renamed_query(f"({rows['names']})")
    yield f"CREATE OR REPLACE TEMP VIEW renamed_entries AS {renamed}"
    for table in TABLES.values():
        query = table_query(table, rows[table.name], renamed=True, names="renamed_entries")
        yield f'CREATE OR REPLACE TEMP VIEW "{table.name}" AS {query}'
    for view in VIEWS:
        yield f'CREATE OR REPLACE TEMP VIEW "{view}" AS\n{load(view).text}'


def _file_query(store: Store, table: str, as_of: int | None) -> str:
    """Return a SELECT of a table's rows from files, for a shell that knows nothing of ours."""
    key = schema_key(table)
    schema = store.local_path(key)
    if schema is None:
        raise IntegrityError(f"table {table} has no schema file", hint="regista rebuild")
    columns = duck.name_list(TABLES[table].column_names)
    where = "" if as_of is None else f" WHERE seq <= {as_of}"
    if schema == Path(store.uri) / key:
        folder = duck.escaped_path(schema.parent).removesuffix("'")
        source = f"read_parquet({folder}/*.parquet', hive_partitioning = false)"
    else:
        files = [TableFile(table, span) for span in choose_cover(list_spans(store, table)).chosen]
        paths = [store.local_path(file.key) for file in files]
        source = duck.parquet(schema, *filter(None, paths))
    return f"SELECT {columns} FROM {with_all_columns(TABLES[table], source)}{where}"


def _named_in(con: "DuckDBPyConnection", query: str | None) -> list[str]:
    """Return the tables and views that a query names; all of them where that is not sure."""
    import duckdb

    everything = [*TABLES, *VIEWS]
    if query is None:
        return everything
    try:
        names = tables_in(con, query)
    except duckdb.Error:
        return everything
    # a name that is not ours may be a slip, and DuckDB's hint then wants to know all names
    return everything if not names or names - set(everything) else with_needs(names)


def _require_asking(con: "DuckDBPyConnection", query: str) -> None:
    """Refuse whatever could change something.

    The type of a statement is not enough: `EXPLAIN ANALYZE COPY …` is an EXPLAIN, and runs.
    """
    try:
        kinds = [statement.type.name for statement in con.extract_statements(query)]
    except ValueError:
        # a statement that the client has no name for, such as UPDATE EXTENSIONS
        kinds = ["OTHER"]
    if len(kinds) != 1:
        raise InvalidInputError(
            f"there are {len(kinds)} statements; give one", hint="regista sql 'SELECT …'"
        )
    if kinds[0] not in {"SELECT", "EXPLAIN", "MULTI"} or not _ASKING.match(query):
        raise InvalidInputError(
            "the statement does not only read; the registry is changed by its commands",
            hint="begin with SELECT; to write a file, use regista sql --format",
        )
