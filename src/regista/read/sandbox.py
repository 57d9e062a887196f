"""The sandbox of SQL gates: one SELECT over one entry's rows, in a process of its own.

The rows of the entry, up to the pinned commit, are laid out in one order and handed to a worker
process, which shuts its database off: no files, no network, no settings, one thread, and limits on
time and memory that the system holds it to. So a query sees nothing but these rows; functions
whose answer varies (a clock, chance) are refused by `regista.read.sqlcheck`. What a query does
wrong is an answer; only what is wrong with the registry itself is raised.

What runs in the worker is `regista.read.sandbox_worker`.
"""

import atexit
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from regista.decide.operations.context import Query
from regista.model import canonical
from regista.model.tables import TABLES, Table
from regista.read import duck
from regista.read.sqlcheck import check
from regista.read.sqlfiles import VIEWS, load
from regista.read.views import Pinned, ReadTail, create_views, open_pinned, with_needs
from regista.storage.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DEFAULT_TIMEOUT_S = 10
DEFAULT_MEMORY_MB = 256
# the worker ends a query by itself, or else is ended
_GRACE_S = 1.0
_LAYING_OUT_MB = 1000


def run_gate_query(store: Store, read_tail: ReadTail, asked: Query) -> dict[str, Any]:
    """Run one SELECT over the views of one entry, as of one commit.

    Args:
        store: where the registry lies.
        read_tail: as for `regista.read.sql.open_views`.
        asked: the query. Of tables without an entry, `policies` is there whole, and `commits`
            is not; names that the query does not use are left out; each limit has a default.

    Returns:
        `{"columns": [...], "rows": [[...]]}` with at most two rows of JSON values, where doubles
        and decimals are texts and texts are cut at 4,096 characters; or `{"error": "..."}`.

    Raises:
        IntegrityError: a file of the registry is missing or damaged.
        ConflictError: merges kept changing the files.
        StorageError: the rows cannot be laid out for the worker.
    """
    checked = check(asked.sql)
    if checked.objection:
        return {"error": checked.objection}
    needs = with_needs(checked.tables)
    with TemporaryDirectory(prefix="regista-") as name:
        folder = Path(name)
        tables = [TABLES[table] for table in needs if table in TABLES]

        def build(con: "DuckDBPyConnection", pinned: Pinned) -> None:
            create_views(con, store, pinned.followed_by(asked.pending), needs)
            for table in tables:
                _lay_out(con, table, asked.entry_id, folder)

        spill = folder / "spill"
        open_pinned(
            store, read_tail, build, as_of=asked.seq, memory_mb=_LAYING_OUT_MB, spill=spill
        ).close()
        return _ask_a_worker(
            {
                "tables": {table.name: str(folder / f"{table.name}.parquet") for table in tables},
                "views": {view: load(view).text for view in needs if view in VIEWS},
                "sql": asked.sql,
                "params": asked.names,
                "timeout_s": asked.limits.get("timeout_s", DEFAULT_TIMEOUT_S),
                "memory_mb": asked.limits.get("memory_mb", DEFAULT_MEMORY_MB),
            }
        )


def _lay_out(con: "DuckDBPyConnection", table: Table, entry_id: str, folder: Path) -> None:
    """Write the entry's rows of one table, in one order, as a file for the worker."""
    found, ordered = folder / "found.parquet", folder / f"{table.name}.parquet"
    own = "entry_id" in table.column_names
    where = " WHERE entry_id = ?" if own else ""
    order = duck.name_list(dict.fromkeys((*table.order, "seq", "i")))
    # in two steps, since DuckDB's sort of a union keeps all rows in memory
    con.execute(
        f'COPY (FROM "{table.name}"{where}) TO {duck.quoted(str(found))} (FORMAT parquet)',
        [entry_id] if own else [],
    )
    con.execute(
        f"COPY (FROM {duck.parquet(found)} ORDER BY {order})"
        f" TO {duck.quoted(str(ordered))} (FORMAT parquet)"
    )


def _ask_a_worker(request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        worker = _workers.pop()
    except IndexError:
        worker = _Worker()
    if not worker.usable:
        worker.close()
        worker = _Worker()
    answer = worker.ask(request)
    if worker.usable:
        _workers.append(worker)
    return answer


class _Worker:
    """A process that runs queries, one after another."""

    def __init__(self) -> None:
        # where this process finds its modules, so does the worker; never in the current folder
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "regista.read.sandbox_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
            encoding="utf-8",
        )

    @property
    def usable(self) -> bool:
        """Whether it runs, and is this process's: a fork shares the worker of its parent."""
        return self._owner == os.getpid() and self._process.poll() is None

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a request; kill the process when it gives none in time."""
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None and answers is not None  # noqa: S101, PT018 - for the types
        try:
            requests.write(canonical.encode(request).decode() + "\n")
            requests.flush()
            if not answers.readline():
                return self._broken(request, timed_out=False)
            timed_out = threading.Event()
            timer = threading.Timer(request["timeout_s"] + _GRACE_S, self._kill, [timed_out])
            timer.start()
            line = answers.readline()
            timer.cancel()
            if line.endswith("\n"):
                reply: dict[str, Any] = json.loads(line)
                return reply
            return self._broken(request, timed_out=timed_out.is_set())
        except BrokenPipeError:
            return self._broken(request, timed_out=False)
        except BaseException:
            # an unread answer must not be taken for the next one
            self.close()
            raise

    def close(self) -> None:
        """End the process."""
        if self._owner == os.getpid():
            self._process.kill()
            self._process.communicate()

    def _kill(self, timed_out: threading.Event) -> None:
        timed_out.set()
        self._process.kill()

    def _broken(self, request: Mapping[str, Any], *, timed_out: bool) -> dict[str, Any]:
        self.close()
        if timed_out:
            return {"error": f"the query took longer than {request['timeout_s']} s"}
        # out of memory in a place where DuckDB cannot say so, above all
        return {
            "error": f"the query broke the process that ran it, limited to"
            f" {request['memory_mb']} MB of memory"
        }


_workers: list[_Worker] = []


@atexit.register
def _close_workers() -> None:
    while _workers:
        _workers.pop().close()
