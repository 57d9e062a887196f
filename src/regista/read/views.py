"""The views: every table, pinned at one commit, and what follows from the tables.

A table's view is the files that cover it, and the rows of commits that are not tabled yet, up to
the pinned commit. `entry` in a view is the entry's name as of then; rows in the files carry the
name as it was when they were written. Only renamed entries pay for that: all other rows come
straight from the files, so that a filter on the name or on the id skips what it can.

Asking, and asking again when a merge removed a file meanwhile, is `regista.read.sql`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.errors import ConflictError, IntegrityError
from regista.model.commit import Commit
from regista.model.tables import TABLES, Table
from regista.read import duck
from regista.read.rows import (
    commits_row,
    data_rows,
    full_row,
    json_rows,
    rows_json,
    with_all_columns,
)
from regista.read.sqlfiles import VIEWS, load
from regista.storage.cover import COMMITS
from regista.storage.several import all_paths
from regista.storage.store import Store
from regista.storage.tablefiles import take_snapshot

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TailCommit = tuple[Commit, str]
ReadTail = Callable[[int], Iterable[TailCommit]]

# what is not for people to see lies in a schema of its own
INNER = "untabled"
_NAMES = "names"


_ATTEMPTS = 8


class _FilesMovedError(Exception):
    """A merge has removed a table file since the files were listed."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """The rows of a registry as of one commit: where they are.

    Attributes:
        seq: number of the commit.
        files: by table, the Parquet files to read.
        filtered: tables whose files also hold rows of commits after `files_to`.
        files_to: the last commit whose rows are taken from files.
        tail: commits after that, up to `seq`, each with the sha256 of its log file.
    """

    seq: int
    files: dict[str, tuple[Path, ...]]
    filtered: frozenset[str]
    files_to: int
    tail: tuple[TailCommit, ...]

    def followed_by(self, pending: Commit | None) -> "Pinned":
        """Return these rows with those of a commit in the making, if there is one."""
        if pending is None:
            return self
        return replace(self, seq=pending.seq, tail=(*self.tail, (pending, "")))


def open_pinned(
    store: Store,
    read_tail: ReadTail,
    build: Callable[["DuckDBPyConnection", Pinned], None],
    *,
    as_of: int | None,
    threads: int = 1,
    memory_mb: int | None = None,
    spill: Path | None = None,
) -> "DuckDBPyConnection":
    """Open an in-memory database and build something in it from the rows as of one commit.

    Args:
        store: where the registry lies.
        read_tail: yields the commits after a number, in order, up to the last to be seen.
        build: makes tables or views; called again, on a fresh database, when a merge removed a
            file meanwhile.
        as_of: number of a commit; None for the last that `read_tail` yields.
        threads: as for `duck.connect`.
        memory_mb: as for `duck.connect`.
        spill: as for `duck.connect`.

    Raises:
        StorageError: what is built does not fit.
        IntegrityError: a file is missing or damaged.
        ConflictError: merges kept changing the files.
    """
    import duckdb

    for _ in range(_ATTEMPTS):
        con = duck.connect(threads=threads, memory_mb=memory_mb, spill=spill)
        try:
            build(con, _pin(store, read_tail, as_of))
        except (_FilesMovedError, duckdb.Error) as error:
            con.close()
            _raise_unless_moved(error)
        except BaseException:
            con.close()
            raise
        else:
            return con
    raise ConflictError("the table files kept changing while they were read", hint="try again")


def _raise_unless_moved(error: Exception) -> None:
    import duckdb

    if isinstance(error, duckdb.Error) and not duck.is_missing_file(error):
        with duck.guarded("read the tables"):
            raise error


def _pin(store: Store, read_tail: ReadTail, as_of: int | None) -> Pinned:
    """Find the rows of all commits up to one."""
    snapshot = take_snapshot(store)
    tail: list[TailCommit] = []
    if as_of is None or as_of > snapshot.covered_to:
        tail = [
            item
            for item in read_tail(snapshot.covered_to)
            if item[0].seq > snapshot.covered_to and (as_of is None or item[0].seq <= as_of)
        ]
    last = tail[-1][0].seq if tail else snapshot.covered_to
    seq = last if as_of is None else as_of
    files_to = min(seq, snapshot.covered_to)
    wanted = {
        table: [file for file in covering if file.span.first <= files_to]
        for table, covering in snapshot.files.items()
    }
    keys = [file.key for some in wanted.values() for file in some]
    paths = dict(zip(keys, all_paths(store, keys), strict=True))
    if None in paths.values():
        raise _FilesMovedError
    files = {
        table: tuple(path for file in some if (path := paths[file.key]))
        for table, some in wanted.items()
    }
    filtered = frozenset(
        table for table, some in wanted.items() if any(file.span.last > files_to for file in some)
    )
    return Pinned(seq, files, filtered, files_to, tuple(tail))


def create_views(
    con: "DuckDBPyConnection",
    store: Store,
    pinned: Pinned,
    wanted: Iterable[str] = (*TABLES, *VIEWS),
    *,
    schema: str = "main",
) -> None:
    """Create the views of tables, and the views on these, in an empty database.

    Args:
        con: a connection to the database.
        store: where the registry lies.
        pinned: the rows to show.
        wanted: names of tables and views; what they need is created too.
        schema: where to; it exists.

    Raises:
        duckdb.Error: a file is missing or damaged.
        IntegrityError: a data file that the tail needs is missing.
    """
    names = with_needs(wanted)
    inner = [name for name in (*names, _NAMES) if name in TABLES]
    con.execute(f"CREATE SCHEMA {INNER}")
    _store_tail(con, store, pinned, dict.fromkeys(inner))
    renamed = _store_renamed(con, pinned)
    for name in names:
        query = (
            table_query(TABLES[name], _plain_query(TABLES[name], pinned), renamed=renamed)
            if name in TABLES
            else load(name).text
        )
        con.execute(f'CREATE VIEW {schema}."{name}" AS {query}')


def with_needs(wanted: Iterable[str]) -> list[str]:
    """Return tables and views with all that the views need, in the order to create them in."""
    needed = set(wanted)
    for view in reversed(VIEWS):
        if view in needed:
            needed |= load(view).reads
    return [name for name in (*TABLES, *VIEWS) if name in needed]


def table_query(table: Table, rows: str, *, renamed: bool, names: str = f"{INNER}.renamed") -> str:
    """Return a SELECT of a table's rows with the entries' names as of the pinned commit.

    Args:
        table: which table.
        rows: a SELECT of its rows as they were written.
        renamed: whether any entry was ever renamed.
        names: table of `entry_id` and `name` of the entries that were.
    """
    if not renamed or "entry" not in table.column_names:
        return rows
    columns = ", ".join(
        'n.name AS "entry"' if name == "entry" else f't."{name}"' for name in table.column_names
    )
    # two branches, not one outer join: a filter on entry reaches the files in the first, and
    # the few names in the second (20 ms instead of 600 ms on 10 million scores)
    return (
        f"SELECT {duck.name_list(table.column_names)} FROM ({rows})"
        # what is said of a policy is of no entry
        f" WHERE entry_id IS NULL OR entry_id NOT IN (SELECT entry_id FROM {names})"
        f" UNION ALL SELECT {columns} FROM ({rows}) AS t"
        f" JOIN {names} AS n ON n.entry_id = t.entry_id"
    )


def renamed_query(names: str) -> str:
    """Return a SELECT of `entry_id` and `name` of each renamed entry, from rows of `names`."""
    return f"SELECT entry_id, arg_max(entry, (seq, i)) AS name FROM {names} GROUP BY entry_id"


def _plain_query(table: Table, pinned: Pinned) -> str:
    """Return a SELECT of a table's rows as they were written."""
    columns = duck.name_list(table.column_names)
    parts = []
    if paths := pinned.files[table.name]:
        part = f"SELECT {columns} FROM {with_all_columns(table, duck.parquet(*paths))}"
        if table.name in pinned.filtered:
            part += f" WHERE seq <= {pinned.files_to}"
        parts.append(part)
    if pinned.tail or not parts:
        parts.append(f'SELECT {columns} FROM {INNER}."{table.name}"')
    return " UNION ALL ".join(parts)


def _store_tail(
    con: "DuckDBPyConnection", store: Store, pinned: Pinned, names: Iterable[str]
) -> None:
    """Keep the tail's rows of some tables in memory, typed."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    queries: dict[str, list[str]] = {name: [] for name in rows}
    for commit, sha256 in pinned.tail:
        for i, row in enumerate(commit.rows):
            if row["table"] in rows:
                rows[row["table"]].append(full_row(commit, i, row))
        for ref in commit.data:
            if ref.table in rows:
                path = store.local_path(ref.key)
                if path is None:
                    raise IntegrityError(
                        f"commit {commit.seq} needs {ref.key}, which is not there",
                        hint="regista verify",
                    )
                queries[ref.table].append(data_rows(con, TABLES[ref.table], commit, ref, path))
        if COMMITS in rows:
            rows[COMMITS].append(commits_row(commit, sha256))
    for name, found in rows.items():
        if pinned.tail or not pinned.files[name]:
            _create_tail(con, TABLES[name], found, queries[name])


def _create_tail(
    con: "DuckDBPyConnection", table: Table, rows: Sequence[dict[str, Any]], queries: list[str]
) -> None:
    columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    con.execute(f'CREATE TABLE {INNER}."{table.name}" ({columns})')
    insert = f'INSERT INTO {INNER}."{table.name}"'
    if rows:
        con.execute(f"{insert} {json_rows(table, 'rows')}", {"rows": rows_json(rows)})
    for query in queries:
        con.execute(f"{insert} {query}")


def _store_renamed(con: "DuckDBPyConnection", pinned: Pinned) -> bool:
    """Keep the names of renamed entries in memory; say whether there are any."""
    rows = f"({_plain_query(TABLES[_NAMES], pinned)})"
    con.execute(f"CREATE TABLE {INNER}.renamed AS {renamed_query(rows)}")
    return bool(con.execute(f"SELECT 1 FROM {INNER}.renamed LIMIT 1").fetchall())
