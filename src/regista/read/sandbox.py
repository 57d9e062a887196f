"""The sandbox in which an SQL gate's query runs: one SELECT over one entry's rows.

The rows of the entry, up to the pinned commit, are copied into a fresh database in memory, in one
order and on one thread. Then the database is shut off: no files, no network, no settings. So the
query sees nothing but these rows, and answers the same whenever it is run again; functions that
would not (a clock, chance) are refused by `regista.read.sqlcheck`. What a query does wrong is an
answer; only what is wrong with the registry itself is raised.
"""

import datetime as dt
import decimal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from regista.model.canonical import MAX_INT
from regista.model.tables import TABLES
from regista.model.times import format_time
from regista.read import duck
from regista.read.sqlcheck import objection
from regista.read.sqlfiles import VIEWS, load
from regista.read.views import INNER, Pinned, ReadTail, create_views, open_pinned, with_needs
from regista.storage.cover import COMMITS
from regista.storage.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DEFAULT_TIMEOUT_S = 10
DEFAULT_MEMORY_MB = 256
MAX_QUERY = 64 * 1024
MAX_ROWS = 2
MAX_COLUMNS = 50
MAX_TEXT = 4096
_PINNED = "pinned"
_INTERRUPT_EVERY_S = 0.05
_TYPES = frozenset((
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
    "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "VARCHAR", "DATE",
    "TIMESTAMP", "UUID", "\"NULL\"", "NULL",
))


def run_gate_query(
    store: Store,
    read_tail: ReadTail,
    entry_id: str,
    as_of: int,
    sql: str,
    params: Mapping[str, Any],
    limits: Mapping[str, int],
) -> dict[str, Any]:
    """Run one SELECT over the views of one entry, as of one commit.

    Args:
        store: where the registry lies.
        read_tail: as for `regista.read.sql.open_views`.
        entry_id: whose rows are there; tables without an `entry_id` are there whole, but for
            `commits`, which is not.
        as_of: number of the last commit to be seen.
        sql: the query.
        params: values of `$name` in the query; those that it does not use are left out.
        limits: `timeout_s` and `memory_mb` (10**6 bytes), each with a default.

    Returns:
        `{"columns": [...], "rows": [[...]]}` with at most `MAX_ROWS` rows of JSON values, where
        doubles and decimals are texts; or `{"error": "..."}`.

    Raises:
        IntegrityError: a file of the registry is missing or damaged.
        ConflictError: merges kept changing the files.
    """
    import duckdb

    memory_mb = limits.get("memory_mb", DEFAULT_MEMORY_MB)
    timeout_s = limits.get("timeout_s", DEFAULT_TIMEOUT_S)
    if problem := _too_long(sql) or objection(sql):
        return {"error": problem}

    def build(con: "DuckDBPyConnection", pinned: Pinned) -> None:
        _copy_rows(con, store, pinned, _tables_for(con, sql), entry_id)

    try:
        con = open_pinned(store, read_tail, build, as_of=as_of, memory_mb=memory_mb)
    except duckdb.OutOfMemoryException:
        return {"error": f"the rows of the entry need more than {memory_mb} MB of memory"}
    try:
        con.execute("SET enable_external_access = false")
        con.execute("SET lock_configuration = true")
        with _deadline(con, timeout_s):
            return _answer(con, sql, params)
    except duckdb.InterruptException:
        return {"error": f"the query took longer than {timeout_s} s"}
    except (duckdb.OutOfMemoryException, MemoryError):
        return {"error": f"the query needs more than {memory_mb} MB of memory"}
    except (duckdb.InternalException, duckdb.FatalException):
        # its text names places in DuckDB's memory
        return {"error": "DuckDB broke down on the query"}
    except duckdb.Error as error:
        return {"error": duck.first_line(error)}
    finally:
        con.close()


def _too_long(sql: str) -> str:
    return f"the query is longer than {MAX_QUERY} characters" if len(sql) > MAX_QUERY else ""


def _tables_for(con: "DuckDBPyConnection", sql: str) -> list[str]:
    named = {str(name).lower() for name in con.get_table_names(sql)}
    return [name for name in with_needs(con, named) if name != COMMITS]


def _copy_rows(
    con: "DuckDBPyConnection", store: Store, pinned: Pinned, names: list[str], entry_id: str
) -> None:
    """Copy the entry's rows into tables, and make the views on them."""
    tables = [TABLES[name] for name in names if name in TABLES]
    con.execute(f"CREATE SCHEMA {_PINNED}")
    create_views(con, store, pinned, [table.name for table in tables], schema=_PINNED)
    for table in tables:
        query = f'SELECT * FROM {_PINNED}."{table.name}"'  # noqa: S608 - ours
        values = []
        if "entry_id" in table.column_names:
            query += " WHERE entry_id = ?"
            values.append(entry_id)
        order = duck.name_list(dict.fromkeys((*table.order, "seq", "i")))
        con.execute(f'CREATE TABLE "{table.name}" AS {query} ORDER BY {order}', values)
    for schema in (_PINNED, INNER):
        con.execute(f"DROP SCHEMA {schema} CASCADE")
    for name in names:
        if name in VIEWS:
            con.execute(f'CREATE VIEW "{name}" AS {load(name).text}')


def _answer(con: "DuckDBPyConnection", sql: str, params: Mapping[str, Any]) -> dict[str, Any]:
    (statement,) = con.extract_statements(sql)
    values = {name: params[name] for name in statement.named_parameters if name in params}
    cursor = con.execute(statement, values)
    columns = [(item[0], str(item[1])) for item in cursor.description or ()]
    if len(columns) > MAX_COLUMNS:
        return {"error": f"the query returns more than {MAX_COLUMNS} columns"}
    for name, type_ in columns:
        if type_.partition("(")[0] not in _TYPES or type_.endswith("[]"):
            return {"error": f"column {name} is of type {type_}; cast it, say to VARCHAR"}
    rows = cursor.fetchmany(MAX_ROWS)
    return {
        "columns": [name for name, _ in columns],
        "rows": [[_json_value(value) for value in row] for row in rows],
    }


def _json_value(value: object) -> bool | int | str | None:
    match value:
        case None | bool():
            return value
        case int() if abs(value) <= MAX_INT:
            return value
        case float():
            return repr(value)
        case decimal.Decimal():
            return f"{value:f}"
        case dt.datetime():
            return format_time(value.replace(tzinfo=dt.UTC))
        case dt.date():
            return value.isoformat()
        case _:
            return str(value)[:MAX_TEXT]


@contextmanager
def _deadline(con: "DuckDBPyConnection", seconds: float) -> Iterator[None]:
    """Interrupt what the connection does when the time is up, until it has stopped."""
    done = threading.Event()

    def watch() -> None:
        wait = seconds
        # an interrupt that comes between two steps of the client is lost, so it is repeated
        while not done.wait(wait):
            con.interrupt()
            wait = _INTERRUPT_EVERY_S

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
