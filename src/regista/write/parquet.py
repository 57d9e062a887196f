"""Parquet files of tables: writing one sorted, and reading what one is.

Where the rows come from, and where the files go, is `regista.write.tabling`'s and
`regista.write.merging`'s business.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.model.tables import Table
from regista.read import duck

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MIN_ROW_GROUP = 8192
MAX_ROW_GROUP = 131_072

Columns = tuple[tuple[str, str], ...]


def sorted_copy(
    con: "DuckDBPyConnection",
    table: Table,
    query: str,
    path: Path,
    *,
    rows: int,
    parameters: Mapping[str, Any] | None = None,
) -> int:
    """Write a query's rows as a file of the table, in the table's order; return how many.

    Args:
        con: a connection that may spill, or one for few rows.
        table: whose columns the query returns.
        query: a SELECT; of one source where there are many rows, since DuckDB's sort of a union
            keeps all of them in memory.
        path: the file to write.
        rows: about how many rows there will be.
        parameters: values of the query's parameters.
    """
    # seq and i come last, so that rows that compare equal have one order whoever sorts them
    order = dict.fromkeys((*table.order, "seq", "i"))
    statement = (
        f"COPY (SELECT {duck.name_list(table.column_names)} FROM ({query})"
        f" ORDER BY {duck.name_list(order)}) TO {duck.quoted(str(path))}"
        # nobody looks for the file before it is whole, so it needs no other name until then
        f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {row_group_size(rows)},"
        " USE_TMP_FILE false)"
    )
    ((count,),) = con.execute(statement, dict(parameters or {})).fetchall()
    return int(count)


def unsorted_copy(
    con: "DuckDBPyConnection", query: str, path: Path, parameters: Mapping[str, Any]
) -> None:
    """Write a query's rows as a Parquet file, as they come."""
    con.execute(
        f"COPY ({query}) TO {duck.quoted(str(path))} (FORMAT parquet)", dict(parameters)
    ).fetchall()


def row_group_size(rows: int) -> int:
    """Return how many rows a row group should have in a file of so many rows.

    A look-up reads the footer, whose cost goes with the number of groups (57 us each), and a
    group or two (0.07 us a row). The sum is least near sqrt(800 * rows): 8,192 in a file of
    100,000 rows, 65,536 in one of 10 million.
    """
    size = MIN_ROW_GROUP
    while size < MAX_ROW_GROUP and 2 * size * size <= 800 * rows:
        size *= 2
    return size


def schemas_of(con: "DuckDBPyConnection", paths: Sequence[Path]) -> dict[Path, Columns]:
    """Return names and types of the columns of Parquet files, in order, by one look at each."""
    if not paths:
        return {}
    found: dict[str, list[tuple[str, str]]] = {str(path): [] for path in paths}
    files = ", ".join(duck.escaped_path(path) for path in paths)
    rows = con.execute(
        "SELECT file_name, name, duckdb_type"
        f" FROM parquet_schema([{files}]) WHERE duckdb_type IS NOT NULL"
    ).fetchall()
    for file, name, type_ in rows:
        found[file].append((name, type_))
    return {path: tuple(found[str(path)]) for path in paths}


def count_rows(con: "DuckDBPyConnection", *paths: Path) -> int:
    """Return how many rows Parquet files have together, by their footers."""
    ((count,),) = con.execute(f"SELECT count(*) FROM {duck.parquet(*paths)}").fetchall()
    return int(count)
