"""What table files must hold, worked out from the log in plain Python, and what they do hold."""

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from regista.model.canonical import sha256_hex
from regista.model.commit import DataRef
from regista.model.tables import TABLES
from regista.read import duck
from regista.storage.cover import COMMITS
from regista.storage.store import Store
from regista.storage.tablefiles import take_snapshot
from support.commit_samples import SampleLog, entry_row, placement_row, run_rows, version_row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def a_log(commits: int = 5) -> SampleLog:
    log = SampleLog()
    log.add(entry_row("e1-0", "fraud"), version_row("e1-0", "fraud", 1, label="1.0"))
    for version in range(2, commits + 1):
        log.add(
            version_row("e1-0", "fraud", version),
            *run_rows("e1-0", "fraud", version, f"r{version}-1", {"auc": "0.1", "f1": "1e-7"}),
            placement_row("e1-0", "fraud", "dev", (version - 1, version), "register"),
        )
    return log


@cache
def _connection() -> "DuckDBPyConnection":
    return duck.connect()


def stored_rows(store: Store, table: str) -> list[dict[str, Any]]:
    """The rows of a table as our readers choose its files, by column, in order of (seq, i)."""
    snapshot = take_snapshot(store)
    paths = [path for file in snapshot.files[table] if (path := store.local_path(file.key))]
    if not paths:
        return []
    found = _connection().sql(
        f"FROM {duck.parquet(*paths)} WHERE seq <= {snapshot.covered_to} ORDER BY seq, i"
    )
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def logged_rows(log: SampleLog, table: str, *, upto: int = 10**9) -> list[dict[str, Any]]:
    """What the rows of a table must be: read from the log in plain Python."""
    rows = []
    for commit in log.commits[:upto]:
        for i, row in commit.rows_of(table):
            full = {**row, "seq": commit.seq, "i": i, "time": commit.time, "actor": commit.actor}
            rows.append(
                {
                    column.name: _typed(full.get(column.name), column.type)
                    for column in TABLES[table].columns
                }
            )
    return rows


def _typed(value: Any, type_: str) -> Any:
    if value is None:
        return None
    if type_ == "DOUBLE":
        return float(value)
    if type_ == "TIMESTAMP":
        return datetime.fromisoformat(value).replace(tzinfo=None)
    return value


def assert_tables_are_the_log(store: Store, log: SampleLog, *, upto: int | None = None) -> None:
    last = log.head if upto is None else upto
    for table in TABLES:
        if table != COMMITS:
            assert stored_rows(store, table) == logged_rows(log, table, upto=last), table
    commits = stored_rows(store, COMMITS)
    assert [row["seq"] for row in commits] == list(range(1, last + 1))
    assert [row["sha256"] for row in commits] == [log.digest(seq + 1) for seq in range(last)]


def data_ref(store: Store, table: str, query: str, *, i: int, **columns: Any) -> DataRef:
    with store.scratch() as folder:
        path = folder / "data.parquet"
        ((rows,),) = _connection().execute(f"COPY ({query}) TO {duck.quoted(str(path))}").fetchall()
        data = path.read_bytes()
        ref = DataRef(table, sha256_hex(data), rows, len(data), i, columns)
        store.put(ref.key, path)
    return ref
