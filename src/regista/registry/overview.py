"""What can be queried: the tables and views, their columns, and how much is in them."""

from typing import Any

from regista.model.tables import TABLES, Table
from regista.read.sqlfiles import VIEWS, SqlFile, load
from regista.registry.reads import AsOf, Reads
from regista.storage.tablefiles import list_all


def table_overview(reads: Reads, *, as_of: AsOf = None) -> list[dict[str, Any]]:
    """Return the tables, then the views.

    Args:
        reads: the registry.
        as_of: commit number or time, for the counts.

    Returns:
        Objects with `name`, `type` (table or view), `about` (of a view), `grain`, `rows`, `files`
        (Parquet files; None for a view), and `columns`: name, and for a table's type and doc.
    """
    counts = " UNION ALL ".join(
        f"SELECT '{name}', count(*) FROM \"{name}\"" for name in (*TABLES, *VIEWS)
    )
    rows = dict(reads.sql(counts, as_of=as_of).fetchall())
    files = list_all(reads.replica.store)
    tables = [_table(table, rows[table.name], len(files[table.name])) for table in TABLES.values()]
    return [*tables, *(_view(view, rows[view.name]) for view in map(load, VIEWS))]


def _table(table: Table, rows: int, files: int) -> dict[str, Any]:
    return {
        "name": table.name,
        "type": "table",
        "about": "",
        "grain": table.grain,
        "rows": rows,
        "files": files,
        "columns": [
            {"name": column.name, "type": column.type, "doc": column.doc}
            for column in table.columns
        ],
    }


def _view(view: SqlFile, rows: int) -> dict[str, Any]:
    return {
        "name": view.name,
        "type": "view",
        "about": view.summary,
        "grain": view.grain,
        "rows": rows,
        "files": None,
        "columns": [{"name": column, "type": None, "doc": ""} for column in view.columns],
    }
