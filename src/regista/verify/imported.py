"""Versions that a commit carries by digest, with their files: what a bulk import brought.

They are read through DuckDB in one order, sorted on disk where they are many, so memory is
bounded; versions that keep all artifacts elsewhere, as most do, are passed over there.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from regista.model.commit import Commit, Row
from regista.model.manifest import FileEntry
from regista.model.tables import TABLES
from regista.read import duck
from regista.read.data_rows import data_path
from regista.read.rows import data_rows
from regista.storage.store import Store
from regista.write.tabling import tabling_connection

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

VERSION_COLUMNS = ("entry_id", "entry", "version", "digest", "uri", "files", "bytes")
TEXT_COLUMNS = {"versions": "card_digest", "descriptions": "description_digest"}
_BATCH = 8192


def versions_with_files(store: Store, commit: Commit) -> Iterator[tuple[Row, list[FileEntry]]]:
    """Yield the row of each version that has files, or says so, with these files.

    Raises:
        IntegrityError: a data file is missing or damaged, or a file's row is malformed.
        StorageError: the rows cannot be sorted.
    """
    if not any(ref.table == "versions" for ref in commit.data):
        return
    with (
        tabling_connection(store) as con,
        duck.guarded(f"read the versions of commit {commit.seq}"),
    ):
        columns = ", ".join(f"v.{name}" for name in VERSION_COLUMNS)
        versions, files = (_rows(store, con, commit, table) for table in ("versions", "files"))
        found = _fetched(
            con,
            f"SELECT {columns}, f.path, f.size, f.sha256 FROM ({versions}) v"
            f" LEFT JOIN ({files}) f USING (entry_id, version)"
            " WHERE v.files <> 0 OR f.path IS NOT NULL ORDER BY v.entry_id, v.version, f.path",
        )
        width = len(VERSION_COLUMNS)
        for values, group in groupby(found, lambda row: row[:width]):
            entries = [FileEntry(*row[width:]) for row in group if row[width] is not None]
            yield dict(zip(VERSION_COLUMNS, values, strict=True)), entries


def texts(store: Store, commit: Commit) -> Iterator[tuple[str, int, str]]:
    """Yield entry id, version (0 for the entry itself) and digest of each long text.

    Raises:
        IntegrityError, StorageError: as for `versions_with_files`.
    """
    tables = {ref.table for ref in commit.data} & TEXT_COLUMNS.keys()
    if not tables:
        return
    with tabling_connection(store) as con, duck.guarded(f"read the texts of commit {commit.seq}"):
        for table in sorted(tables):
            column = TEXT_COLUMNS[table]
            yield from _fetched(
                con,
                f"SELECT entry_id, coalesce(version, 0), {column}"
                f" FROM ({_rows(store, con, commit, table)}) WHERE {column} IS NOT NULL",
            )


def _rows(store: Store, con: "DuckDBPyConnection", commit: Commit, table: str) -> str:
    """Return a SELECT of the rows of a table that the commit carries by digest."""
    queries = [
        data_rows(con, TABLES[table], commit, ref, data_path(store, ref))
        for ref in commit.data
        if ref.table == table
    ]
    nothing = ", ".join(
        f'CAST(NULL AS {column.type}) AS "{column.name}"' for column in TABLES[table].columns
    )
    return " UNION ALL ".join(queries) or f"SELECT {nothing} WHERE false"


def _fetched(con: "DuckDBPyConnection", query: str) -> Iterator[tuple[Any, ...]]:
    result = con.execute(query)
    while batch := result.fetchmany(_BATCH):
        yield from batch
