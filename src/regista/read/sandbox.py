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
from typing import IO, TYPE_CHECKING, Any

from regista.model import canonical
from regista.model.tables import TABLES
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
_LOADING_MEMORY_MB = 1000


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
        entry_id: whose rows are there; `policies` is there whole, `commits` is not.
        as_of: number of the last commit to be seen.
        sql: the query.
        params: JSON values of `$name` in the query; those that it does not use are left out.
        limits: `timeout_s` and `memory_mb` (10**6 bytes), each with a default.

    Returns:
        `{"columns": [...], "rows": [[...]]}` with at most two rows of JSON values, where doubles
        and decimals are texts and texts are cut at 4,096 characters; or `{"error": "..."}`.

    Raises:
        IntegrityError: a file of the registry is missing or damaged.
        ConflictError: merges kept changing the files.
        StorageError: the rows cannot be laid out for the worker.
    """
    checked = check(sql)
    if checked.objection:
        return {"error": checked.objection}
    with TemporaryDirectory(prefix="regista-") as name:
        folder = Path(name)

        def build(con: "DuckDBPyConnection", pinned: Pinned) -> None:
            _lay_out(con, store, pinned, checked.tables, entry_id, folder)

        open_pinned(
            store, read_tail, build, as_of=as_of, memory_mb=_LOADING_MEMORY_MB, spill=folder
        ).close()
        return _ask_worker({
            "tables": {path.stem: str(path) for path in sorted(folder.glob("*.parquet"))},
            "views": {view: load(view).text for view in VIEWS if view in _needs(checked.tables)},
            "sql": sql,
            "params": dict(params),
            "timeout_s": limits.get("timeout_s", DEFAULT_TIMEOUT_S),
            "memory_mb": limits.get("memory_mb", DEFAULT_MEMORY_MB),
        })
