"""Tabling: the rows of commits, as Parquet files beside the log.

Invariants:
- The file of `commits` for a span is put after those of all other tables, so whatever `commits`
  covers is complete. A kill in between leaves files that are written again, with the same rows.
- Rows depend on the log alone, so writers that table the same commit do each other no harm.
- A writer that was slow may put files of a span that a merge, or another writer with more
  commits at once, has covered meanwhile. Each looks after its own last put, and removes the
  shorter files: whoever comes second sees the other's.
- All files of a table have the columns of its `schema.parquet` (`regista.write.schemas`).

Merging files is `regista.write.merging`. What a commit means is not known here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.errors import IntegrityError
from regista.model.commit import Commit, DataRef
from regista.model.tables import TABLES, Table
from regista.read import duck
from regista.read.rows import commits_row, data_rows, full_row, json_rows, rows_json
from regista.storage.cover import COMMITS, Span, TableFile, blocks
from regista.storage.store import Store
from regista.storage.tablefiles import list_spans, tables_covered_to
from regista.write.parquet import sorted_copy, unsorted_copy
from regista.write.schemas import require_schemas

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ReadCommit = Callable[[int], tuple[Commit, str]]

MEMORY_MB = 1000
MAX_STAGED_ROWS = 20_000
MAX_STAGED_QUERIES = 64
_VERIFY = "regista verify"


@contextmanager
def tabling_connection(store: Store, *, threads: int = 2) -> Iterator["DuckDBPyConnection"]:
    """Lend a connection of bounded memory, which spills into a scratch folder of the store."""
    with (
        store.scratch() as spill,
        duck.connect(threads=threads, memory_mb=MEMORY_MB, spill=spill) as con,
    ):
        yield con


def table_commit(store: Store, con: "DuckDBPyConnection", commit: Commit, sha256: str) -> None:
    """Write the table files of one commit.

    Args:
        store: where the registry lies.
        con: see `tabling_connection`.
        commit: the commit.
        sha256: digest of its log file.

    Raises:
        IntegrityError: a data file is missing, or has not the rows that the commit says.
        StorageError: a file cannot be written.
    """
    write_span(store, con, Span(commit.seq, commit.seq), lambda _seq: (commit, sha256))


def table_pending(
    store: Store, con: "DuckDBPyConnection", read_commit: ReadCommit, head: int
) -> int:
    """Table every commit up to the head that is not yet; return how many these were.

    Args:
        store: where the registry lies.
        con: see `tabling_connection`.
        read_commit: returns a commit and the sha256 of its log file.
        head: number of the last commit.

    Raises:
        IntegrityError, StorageError: as `table_commit`.
    """
    covered = tables_covered_to(store)
    for span in blocks(covered + 1, head):
        write_span(store, con, span, read_commit)
    return max(0, head - covered)


def write_span(
    store: Store,
    con: "DuckDBPyConnection",
    span: Span,
    read_commit: ReadCommit,
    schemas: dict[str, bytes] | None = None,
) -> set[str]:
    """Write the table files of a span of commits from the log; return the tables with rows.

    Memory is bounded however many rows there are: they are staged in files, and the sort spills.

    Args:
        store: where the registry lies.
        con: see `tabling_connection`.
        span: which commits.
        read_commit: as for `table_pending`.
        schemas: as `known` of `regista.write.schemas.require_schemas`.

    Raises:
        IntegrityError, StorageError: as `table_commit`.
    """
    doing = f"table commits {span.first} to {span.last}"
    with store.scratch() as folder, duck.guarded(doing, mend=_VERIFY):
        staging = _Staging(store, con, folder)
        for seq in range(span.first, span.last + 1):
            staging.add(*read_commit(seq))
        tables = staging.tables()
        require_schemas(store, con, tables, known=schemas)
        for table in tables:
            # `tables` ends in commits
            store.put(TableFile(table.name, span).key, staging.write(table))
    _remove_shorter(store, span, tables)
    return {table.name for table in tables}


def _remove_shorter(store: Store, span: Span, tables: list[Table]) -> None:
    """Remove the span's own files if a longer one is there, else those that lie within it."""
    others = list_spans(store, COMMITS) - {span}
    if any(other.holds(span) for other in others):
        for table in tables:
            store.delete(TableFile(table.name, span).key)
    elif any(span.holds(other) for other in others):
        # rows follow from the log, so shorter files are in no other tables than ours
        for table in tables:
            for other in list_spans(store, table.name) - {span}:
                if span.holds(other):
                    store.delete(TableFile(table.name, other).key)


class _Staging:
    """Rows of commits on their way from the log into table files."""

    def __init__(self, store: Store, con: "DuckDBPyConnection", folder: Path) -> None:
        self._store = store
        self._con = con
        self._folder = folder
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._queries: dict[str, list[str]] = {}
        self._files: dict[str, list[Path]] = {}
        self._announced: dict[str, int] = {}
        self._in_memory = 0

    def add(self, commit: Commit, sha256: str) -> None:
        """Take in the rows of one commit."""
        for i, row in enumerate(commit.rows):
            self._keep(row["table"], full_row(commit, i, row))
        for ref in commit.data:
            self._keep_data(commit, ref)
        self._keep(COMMITS, commits_row(commit, sha256))
        for name, count in {**commit.row_counts(), COMMITS: 1}.items():
            self._announced[name] = self._announced.get(name, 0) + count
        if self._in_memory > MAX_STAGED_ROWS:
            self._stage(list(self._rows))

    def tables(self) -> list[Table]:
        """Return the tables that got rows, `commits` last."""
        names = {name for name, count in self._announced.items() if count}
        others = [table for table in TABLES.values() if table.name in names - {COMMITS}]
        return [*others, TABLES[COMMITS]]

    def write(self, table: Table) -> Path:
        """Write one table's file into the folder."""
        announced = self._announced[table.name]
        if announced > MAX_STAGED_ROWS:
            self._stage([table.name])
        path = self._folder / f"{table.name}.parquet"
        queries, parameters = self._pieces(table.name)
        if files := self._files.get(table.name):
            columns = duck.name_list(table.column_names)
            queries.append(f"SELECT {columns} FROM {duck.parquet(*files)}")
        query = " UNION ALL ".join(queries)
        written = sorted_copy(self._con, table, query, path, rows=announced, parameters=parameters)
        if written != announced:
            raise IntegrityError(
                f"the log announces {announced} rows of {table.name} and brings {written}",
                hint=_VERIFY,
            )
        return path

    def _keep(self, table: str, row: dict[str, Any]) -> None:
        if table not in TABLES:
            raise IntegrityError(f"the log has a row of an unknown table, {table!r}", hint=_VERIFY)
        self._rows.setdefault(table, []).append(row)
        self._in_memory += 1

    def _keep_data(self, commit: Commit, ref: DataRef) -> None:
        path = self._store.local_path(ref.key) if ref.table in TABLES else None
        if path is None:
            raise IntegrityError(
                f"commit {commit.seq} needs {ref.key}, which is not there", hint=_VERIFY
            )
        queries = self._queries.setdefault(ref.table, [])
        queries.append(data_rows(self._con, TABLES[ref.table], commit, ref, path))
        if len(queries) > MAX_STAGED_QUERIES:
            self._stage([ref.table])

    def _stage(self, names: list[str]) -> None:
        """Move what is not yet in a file to one, for each of some tables."""
        for name in names:
            files = self._files.setdefault(name, [])
            queries, parameters = self._pieces(name)
            if not queries or (len(queries) == 1 and not parameters and not files):
                # one data file and nothing else can be read as it is
                continue
            path = self._folder / f"{name}-{len(files)}.parquet"
            unsorted_copy(self._con, " UNION ALL ".join(queries), path, parameters)
            files.append(path)
            self._in_memory -= len(self._rows.pop(name, ()))
            self._queries.pop(name, None)

    def _pieces(self, name: str) -> tuple[list[str], dict[str, str]]:
        """Return SELECTs of what is not yet in a file, with their parameters."""
        queries, parameters = list(self._queries.get(name, ())), {}
        if inline := self._rows.get(name):
            queries.append(json_rows(TABLES[name], "rows"))
            parameters["rows"] = rows_json(inline)
        return queries, parameters
