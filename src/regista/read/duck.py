"""DuckDB, as Regista uses it: how a connection is set up, and how log rows become typed rows.

Invariants: no connection looks at Python's variables or loads extensions; one that spills does so
in a folder that the caller lends, else not at all; DuckDB's exceptions do not leave the library.
Which files are read, and what the views say, is `regista.read.sql`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.errors import IntegrityError, StorageError
from regista.model.commit import Commit, DataRef, Row
from regista.model.tables import COMMON_COLUMNS, Table

if TYPE_CHECKING:
    import duckdb
    from duckdb import DuckDBPyConnection

_REBUILD = "regista rebuild"
_STORAGE_SIGNS = ("no space left", "permission denied", "read-only", "input/output error")
_MISSING_SIGNS = ("no files found", "no such file", "does not exist")


def connect(
    *, threads: int = 1, memory_mb: int | None = None, spill: Path | None = None
) -> "DuckDBPyConnection":
    """Open an in-memory database.

    Args:
        threads: 1 for whatever a decision rests on: floating sums depend on the order of rows.
        memory_mb: limit in MB (10**6 bytes); DuckDB's default, 80 % of the machine's, if None.
        spill: folder for what does not fit; without one nothing is ever written to a disk.
    """
    import duckdb

    config: dict[str, str | bool | int] = {
        "threads": threads,
        "temp_directory": str(spill) if spill else "",
        # names of a query's tables must never mean variables of the program around it
        "python_enable_replacements": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    if memory_mb is not None:
        config["memory_limit"] = f"{memory_mb}MB"
    con = duckdb.connect(":memory:", config=config)
    con.execute("SET TimeZone = 'UTC'")
    return con


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Turn DuckDB's exceptions about our own files into the library's.

    Args:
        what: what was being done, for the message, such as `table commit 7`.

    Raises:
        StorageError: the disk is full, read-only or denies access.
        IntegrityError: a file is missing or is not the Parquet file that it should be.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        line = first_line(error)
        if any(sign in line.lower() for sign in _STORAGE_SIGNS):
            raise StorageError(f"cannot {what}: {line}") from error
        raise IntegrityError(f"cannot {what}: {line}", hint=_REBUILD) from error


def first_line(error: "duckdb.Error") -> str:
    """Return what DuckDB says, without the excerpt of the query that follows."""
    return str(error).strip().partition("\n")[0]


def is_missing_file(error: "duckdb.Error") -> bool:
    """Say whether a file that was to be read is gone."""
    import duckdb

    line = first_line(error).lower()
    return isinstance(error, duckdb.IOException) and any(sign in line for sign in _MISSING_SIGNS)


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def name_list(names: Iterable[str], prefix: str = "") -> str:
    """Return column names of ours as SQL, quoted, since some are keywords."""
    return ", ".join(f'{prefix}"{name}"' for name in names)


def row_struct(table: Table) -> str:
    """Return the JSON structure by which `from_json` reads an array of the table's rows."""
    fields = {column.name: column.type for column in table.columns}
    return json.dumps([fields])


def json_rows(table: Table, parameter: str) -> str:
    """Return a SELECT of all columns from a parameter that holds `rows_json`."""
    structure = quoted(row_struct(table))
    return f"SELECT unnest(from_json(${parameter}, {structure}), recursive := true)"  # noqa: S608


def rows_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as the JSON text that `json_rows` reads."""
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def full_row(commit: Commit, i: int, row: Row) -> dict[str, Any]:
    """Return an inline row with the columns that all tables share."""
    return {**row, "seq": commit.seq, "i": i, "time": commit.time, "actor": commit.actor}


def data_rows(
    con: "DuckDBPyConnection", table: Table, commit: Commit, ref: DataRef, path: Path
) -> str:
    """Return a SELECT of all columns of the rows that a commit carries by digest.

    Values come from the reference where it has the column, else from the file, else are null.
    """
    found = {name for name, _ in columns_of(con, path)}
    fixed: dict[str, Any] = {
        "seq": commit.seq, "time": commit.time, "actor": commit.actor, **ref.columns
    }
    values = []
    for column in table.columns:
        if column.name == "i":
            value = f"{ref.i} + file_row_number"
        elif fixed.get(column.name) is not None:
            value = quoted(_as_text(fixed[column.name]))
        elif column.name in found and column.name not in COMMON_COLUMNS:
            value = f'"{column.name}"'
        else:
            value = "NULL"
        values.append(f'CAST({value} AS {column.type}) AS "{column.name}"')
    source = parquet(path, options=", file_row_number = true")
    return f"SELECT {', '.join(values)} FROM {source}"  # noqa: S608 - literals are quoted


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def columns_of(con: "DuckDBPyConnection", path: Path) -> tuple[tuple[str, str], ...]:
    """Return names and types of the columns of a Parquet file, in order."""
    rows = con.execute(f"DESCRIBE FROM {parquet(path)}").fetchall()
    return tuple((str(row[0]), str(row[1])) for row in rows)


def escaped_path(path: Path) -> str:
    """Return a path as an SQL literal that, read as a pattern, matches nothing but it."""
    return quoted(re.sub(r"([*?\[])", r"[\1]", str(path)))


def parquet(*paths: Path, options: str = "") -> str:
    """Return a table function that reads Parquet files, which all have one schema."""
    files = ", ".join(escaped_path(path) for path in paths)
    # a folder called a=b above the registry must not become a column
    return f"read_parquet([{files}], hive_partitioning = false{options})"
