"""The process in which gates' queries run: it gets rows as files, and gives JSON answers.

A process of its own, because DuckDB's memory limit does not hold for every value that it makes,
and an interrupt not within every function: this one is limited by the system, and can be killed
without harm. It reads one request per line and writes two lines for each: one when the rows are
there, and the answer. It ends when its input does. Nothing but `regista.read.sandbox` talks to it.
"""

import datetime as dt
import decimal
import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import duckdb

from regista.model.canonical import MAX_INT
from regista.model.times import format_time
from regista.read import duck

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Answer = dict[str, Any]

MAX_ROWS = 2
MAX_COLUMNS = 50
MAX_TEXT = 4096
_INTERRUPT_EVERY_S = 0.05
_MB = 1_000_000
# what the interpreter and DuckDB take beside a query's values
_SLACK_MB = 64
_TYPES = frozenset(
    (
        "BOOLEAN",
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "UHUGEINT",
        "FLOAT",
        "DOUBLE",
        "DECIMAL",
        "VARCHAR",
        "DATE",
        "TIMESTAMP",
        "UUID",
        '"NULL"',
        "NULL",
    )
)


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Answer one request after another until there are no more."""
    for line in requests:
        for reply in _replies(json.loads(line)):
            answers.write(json.dumps(reply) + "\n")
            answers.flush()


def _replies(request: Mapping[str, Any]) -> Iterator[Answer]:
    memory_mb, timeout_s = request["memory_mb"], request["timeout_s"]
    _limit_memory(memory_mb)
    con = duck.connect(memory_mb=memory_mb)
    try:
        try:
            _load(con, request["tables"], request["views"])
        except (duckdb.OutOfMemoryException, MemoryError):
            yield {}
            yield {"error": f"the rows of the entry need more than {memory_mb} MB of memory"}
            return
        yield {}
        yield _answer(con, request["sql"], request["params"], memory_mb, timeout_s)
    finally:
        con.close()


def _limit_memory(memory_mb: int) -> None:
    """Have the system refuse more than twice the limit beyond what is in use now.

    Only Linux counts what this needs; elsewhere DuckDB's own limit must do.
    """
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text("ascii").split()[5])
    now = pages * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = now + (2 * memory_mb + _SLACK_MB) * _MB
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _load(con: "DuckDBPyConnection", tables: Mapping[str, str], views: Mapping[str, str]) -> None:
    """Load the rows, in their order, and shut the database off from everything else."""
    for name, path in tables.items():
        con.execute(f'CREATE TABLE "{name}" AS FROM {duck.parquet(Path(path))}')
    for name, text in views.items():
        con.execute(f'CREATE VIEW "{name}" AS {text}')
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _answer(
    con: "DuckDBPyConnection", sql: str, params: Mapping[str, Any], memory_mb: int, timeout_s: float
) -> Answer:
    try:
        with _deadline(con, timeout_s):
            return _run(con, sql, params)
    except duckdb.InterruptException:
        return {"error": f"the query took longer than {timeout_s} s"}
    except (duckdb.OutOfMemoryException, MemoryError):
        return {"error": f"the query needs more than {memory_mb} MB of memory"}
    except (duckdb.InternalException, duckdb.FatalException):
        # its text names places in DuckDB's memory
        return {"error": "DuckDB broke down on the query"}
    except duckdb.Error as error:
        return {"error": duck.first_line(error)[:MAX_TEXT]}


def _run(con: "DuckDBPyConnection", sql: str, params: Mapping[str, Any]) -> Answer:
    (statement,) = con.extract_statements(sql)
    values = {name: params[name] for name in statement.named_parameters if name in params}
    cursor = con.execute(statement, values)
    columns = [(str(item[0]), str(item[1])) for item in cursor.description or ()]
    if len(columns) > MAX_COLUMNS:
        return {"error": f"the query returns more than {MAX_COLUMNS} columns"}
    names = [name[:MAX_TEXT] for name, _ in columns]
    for name, (_, type_) in zip(names, columns, strict=True):
        if type_.partition("(")[0] not in _TYPES or type_.endswith("]"):
            return {"error": f"column {name} is of type {type_}; cast it, say to VARCHAR"}
    rows = cursor.fetchmany(MAX_ROWS)
    return {
        "columns": names,
        "rows": [[_json_value(value) for value in row] for row in rows],
    }


def _json_value(value: object) -> bool | int | str | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_INT else str(value)
    return _text(value)[:MAX_TEXT]


def _text(value: object) -> str:
    match value:
        case float():
            return repr(value)
        case decimal.Decimal():
            return f"{value:f}"
        case dt.datetime():
            return format_time(value.replace(tzinfo=dt.UTC))
        case _:
            return str(value)


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


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):
        serve(sys.stdin, sys.stdout)
