"""Merging table files into longer ones, and writing all of them anew.

Invariants:
- A file is replaced by one that holds at least the same commits, whole, before it is removed. So
  at every moment each tabled row is in some file, and the longest files are a right cover.
- A merge is believed only when it has as many rows as `commits` announces for its span: a
  listing that raced with another merge would otherwise lose rows for good.
- Anyone may merge at any time, also two at once: they write the same rows.

What rows there are is `regista.write.tabling`'s business.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from regista.errors import IntegrityError
from regista.model import canonical
from regista.model.tables import TABLES, Table
from regista.read import duck
from regista.storage.cover import (
    COMMITS,
    Span,
    TableFile,
    blocks,
    choose_cover,
    due_merges,
    schema_key,
)
from regista.storage.several import all_paths, delete_all
from regista.storage.store import Store
from regista.storage.tablefiles import list_all, list_spans
from regista.write.parquet import count_rows, sorted_copy
from regista.write.schemas import require_schemas
from regista.write.tabling import ReadCommit, write_span

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ATTEMPTS = 5


def merge_ready(store: Store, con: "DuckDBPyConnection") -> list[Span]:
    """Merge every complete span of files, remove what became superfluous; return the spans.

    Args:
        store: where the registry lies.
        con: `regista.write.tabling.tabling_connection`.

    Raises:
        IntegrityError: the files of a span do not hold the rows that `commits` announces.
        StorageError: a file cannot be read or written.
    """
    spans = due_merges(list_spans(store, COMMITS))
    for span in spans:
        with duck.guarded(f"merge the tables of commits {span.first} to {span.last}"):
            _merge_span(store, con, span)
    remove_superseded(store)
    return spans


def remove_superseded(store: Store) -> int:
    """Remove the table files whose rows are in a longer file; return how many there were."""
    keys = [
        TableFile(table, span).key
        for table, spans in list_all(store).items()
        for span in choose_cover(spans).superseded
    ]
    delete_all(store, keys)
    return len(keys)


def rebuild_tables(
    store: Store,
    con: "DuckDBPyConnection",
    read_commit: ReadCommit,
    read_head: Callable[[], int],
) -> int:
    """Write all table files anew from the log, as long spans; return the last commit tabled.

    Files are replaced in place from the first commit to the last and never removed before their
    replacement is there: readers and writers go on meanwhile, tables that were right stay right
    throughout, and a kill leaves some of them new and the others as they were.

    Args:
        store: where the registry lies.
        con: `regista.write.tabling.tabling_connection`.
        read_commit: returns a commit and the sha256 of its log file.
        read_head: returns the number of the last commit now.

    Raises:
        IntegrityError: the log's data files are not what it says.
        StorageError: a file cannot be written.
    """
    listed = list_all(store)
    head = read_head()
    # files were listed first, so what reaches beyond this head was never the log's
    _remove_beyond(store, listed, head)
    _remove_strays(store)
    with duck.guarded("write the tables' schemas"):
        # whatever cannot be read is about to be replaced
        require_schemas(store, con, TABLES.values(), skip_unreadable=True)
    done: set[Span] = set()
    todo = blocks(1, head)
    while todo:
        for span in todo:
            _rewrite_span(store, con, span, read_commit)
        done.update(todo)
        # meanwhile others may have merged a span from files that were not yet rewritten
        head = read_head()
        todo = [span for span in blocks(1, head) if span.commits > 1 and span not in done]
    remove_superseded(store)
    return head


def _rewrite_span(
    store: Store, con: "DuckDBPyConnection", span: Span, read_commit: ReadCommit
) -> None:
    with_rows = write_span(store, con, span, read_commit)
    for table in TABLES.keys() - with_rows:
        for inside in list_spans(store, table):
            if span.holds(inside):
                store.delete(TableFile(table, inside).key)


def _remove_beyond(store: Store, listed: dict[str, set[Span]], head: int) -> None:
    for table, spans in listed.items():
        for span in spans:
            if span.last > head:
                store.delete(TableFile(table, span).key)


def _remove_strays(store: Store) -> None:
    """Remove Parquet files that a glob over a table would read and that no span names."""
    for table in TABLES:
        for key in list(store.list_after(f"tables/{table}/")):
            if not TableFile.parse(key) and key != schema_key(table):
                store.delete(key)


def _merge_span(store: Store, con: "DuckDBPyConnection", span: Span) -> None:
    announced = _announced(store, con, span)
    tables = [table for table in TABLES.values() if announced.get(table.name)]
    require_schemas(store, con, [*tables, TABLES[COMMITS]])
    for table in tables:
        _merge_table(store, con, table, span, announced[table.name])
    _merge_table(store, con, TABLES[COMMITS], span, span.commits)


def _announced(store: Store, con: "DuckDBPyConnection", span: Span) -> dict[str, int]:
    """Return how many rows each table has in a span, by what `commits` says."""
    counts: dict[str, int] = {}

    def read(source: str, _paths: list[Path]) -> int:
        counts.clear()
        commits = con.execute(f"SELECT rows {source}").fetchall()
        for (rows,) in commits:
            for name, count in canonical.decode(rows).items():
                counts[name] = counts.get(name, 0) + count
        return len(commits)

    _read_whole(store, TABLES[COMMITS], span, span.commits, read)
    return counts


def _merge_table(
    store: Store, con: "DuckDBPyConnection", table: Table, span: Span, rows: int
) -> None:
    if any(longer.holds(span) for longer in list_spans(store, table.name)):
        return
    with store.scratch() as folder:
        merged = folder / f"{table.name}.parquet"

        def merge(source: str, paths: list[Path]) -> int:
            nonlocal merged
            if len(paths) == 1 and count_rows(con, paths[0]) == rows:
                # a bulk import's file, say, is copied and not sorted again
                merged = paths[0]
                return rows
            merged = folder / f"{table.name}.parquet"
            query = f"SELECT {duck.name_list(table.column_names)} {source}"
            return sorted_copy(con, table, query, merged, rows=rows)

        _read_whole(store, table, span, rows, merge)
        store.put(TableFile(table.name, span).key, merged)


def _read_whole(
    store: Store,
    table: Table,
    span: Span,
    rows: int,
    read: Callable[[str, list[Path]], int],
) -> None:
    """Read the rows of a span until they are as many as announced.

    Args:
        store: where the registry lies.
        table: what to read.
        span: its commits.
        rows: how many rows there must be.
        read: gets a FROM clause and the files in it, and returns how many rows it saw.
    """
    import duckdb

    found = 0
    for _ in range(_ATTEMPTS):
        cover = choose_cover(list_spans(store, table.name)).chosen
        spans = [other for other in cover if span.holds(other) or other.holds(span)]
        files = all_paths(store, [TableFile(table.name, other).key for other in spans])
        paths = [path for path in files if path]
        if not paths or len(paths) < len(files):
            continue
        within = f"seq BETWEEN {span.first} AND {span.last}"
        try:
            found = read(f"FROM {duck.parquet(*paths)} WHERE {within}", paths)
        except duckdb.IOException as error:
            # another merge has just removed one
            if not duck.is_missing_file(error):
                raise
            continue
        if found == rows:
            return
    raise IntegrityError(
        f"table {table.name} has {found} rows of commits {span.first} to {span.last},"
        f" and the log announces {rows}",
        hint="regista rebuild",
    )
