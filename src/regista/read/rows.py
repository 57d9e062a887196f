"""Rows of the log as typed DuckDB rows.

The log carries rows as JSON, or by digest as Parquet files without the columns that all their
rows share; tables and tails need them with all columns and types. Both ways of getting them, by
writing table files and by reading the log's tail, start here, so they cannot differ.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.model import canonical
from regista.model.commit import Commit, DataRef, Row
from regista.model.tables import ADDED, COMMON_COLUMNS, Table
from regista.read import duck

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def commits_row(commit: Commit, sha256: str) -> dict[str, Any]:
    """Return the row of `commits` that tells what a commit brought, how many rows above all."""
    row = {
        "clock": commit.clock,
        "sha256": sha256,
        "parent": commit.parent,
        "txid": commit.txid,
        "ops": canonical.encode([op.op for op in commit.ops]).decode(),
        "rows": canonical.encode(commit.row_counts()).decode(),
        "policy": commit.policy,
        "engine": commit.engine,
    }
    return full_row(commit, 0, row)


def full_row(commit: Commit, i: int, row: Row) -> dict[str, Any]:
    """Return an inline row with the columns that all tables share."""
    return {**row, "seq": commit.seq, "i": i, "time": commit.time, "actor": commit.actor}


def row_struct(table: Table) -> str:
    """Return the JSON structure by which `from_json` reads an array of the table's rows."""
    fields = {column.name: column.type for column in table.columns}
    return json.dumps([fields])


def json_rows(table: Table, parameter: str) -> str:
    """Return a SELECT of all columns from a parameter that holds `rows_json`."""
    structure = duck.quoted(row_struct(table))
    return f"SELECT unnest(from_json(${parameter}, {structure}), recursive := true)"


def rows_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as the JSON text that `json_rows` reads."""
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def with_all_columns(table: Table, source: str) -> str:
    """Return a table function over a table's files as one with all of today's columns.

    Files of an older Regista lack some, and only a writer may rewrite them.
    """
    added = ADDED.get(table.name)
    if not added:
        return source
    nulls = ", ".join(
        f'CAST(NULL AS {column.type}) AS "{column.name}"'
        for column in table.columns
        if column.name in added
    )
    # without rows, so that DuckDB drops it, and filters still reach the files
    return f"(FROM {source} UNION ALL BY NAME SELECT {nulls} WHERE false)"


def data_rows(
    con: "DuckDBPyConnection", table: Table, commit: Commit, ref: DataRef, path: Path
) -> str:
    """Return a SELECT of all columns of the rows that a commit carries by digest.

    Values come from the reference where it has the column, else from the file, else are null.
    """
    found = _columns_of(con, path)
    fixed: dict[str, Any] = {
        "seq": commit.seq,
        "time": commit.time,
        "actor": commit.actor,
        **ref.columns,
    }
    values = []
    for column in table.columns:
        if column.name == "i":
            value = f"{ref.i} + file_row_number"
        elif fixed.get(column.name) is not None:
            value = duck.quoted(_as_text(fixed[column.name]))
        elif column.name in found and column.name not in COMMON_COLUMNS:
            value = f'"{column.name}"'
        else:
            value = "NULL"
        values.append(f'CAST({value} AS {column.type}) AS "{column.name}"')
    source = duck.parquet(path, options=", file_row_number = true")
    return f"SELECT {', '.join(values)} FROM {source}"


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _columns_of(con: "DuckDBPyConnection", path: Path) -> set[str]:
    rows = con.execute(f"DESCRIBE FROM {duck.parquet(path)}").fetchall()
    return {str(row[0]) for row in rows}
