"""One small history, and how to ask about it in SQL, tabled or not."""

from datetime import datetime
from typing import Any

from regista.read import duck
from regista.read.sql import run_query
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.write.schemas import ensure_schema_files
from regista.write.tabling import table_pending
from support.commit_samples import SampleLog, at_second, entry_row, placement_row, run_rows
from support.commit_samples import version_row as version


def moment(seq: int) -> datetime:
    return datetime.fromisoformat(at_second(seq)).replace(tzinfo=None)


def example() -> SampleLog:
    """Two models with scores; `fraud` goes to prod, is replaced, rolled back, and renamed."""
    log = SampleLog()
    log.add({"table": "policies", "digest": "f" * 64})
    log.add(
        entry_row("e2-0", "fraud"),
        version("e2-0", "fraud", 1),
        *run_rows("e2-0", "fraud", 1, "r2-2", {"auc": "0.8", "loss": "0.2"}),
    )
    log.add(
        entry_row("e3-0", "churn"),
        version("e3-0", "churn", 1),
        *run_rows("e3-0", "churn", 1, "r3-2", {"auc": "0.85"}),
    )
    log.add(
        version("e2-0", "fraud", 2, label="2.0"),
        *run_rows("e2-0", "fraud", 2, "r4-1", {"auc": "0.9"}),
    )
    log.add(placement_row("e2-0", "fraud", "prod", (None, 1)))
    log.add(placement_row("e2-0", "fraud", "prod", (1, 2)), actor="bob")
    log.add(
        {
            "table": "decisions",
            "entry_id": "e2-0",
            "entry": "fraud",
            "version": 1,
            "stage": "prod",
            "op": "promote",
            "outcome": "refused",
        },
        {
            "table": "verdicts",
            "entry_id": "e2-0",
            "entry": "fraud",
            "version": 1,
            "stage": "prod",
            "gate": "auc",
            "status": "failed",
        },
    )
    log.add(placement_row("e2-0", "fraud", "prod", (2, 1), "rollback"))
    log.add({"table": "names", "entry_id": "e2-0", "entry": "risk/fraud", "from_name": "fraud"})
    log.add(*run_rows("e2-0", "risk/fraud", 2, "r10-0", {"auc": "0.7"}, status="partial"))
    log.add(entry_row("e11-0", "fraud", "prompt"), version("e11-0", "fraud", 1))
    return log


def ask(
    store: Store,
    log: SampleLog,
    query: str,
    as_of: int | None = None,
    **values: Any,
) -> list[tuple[Any, ...]]:
    found = run_query(store, log.tail, query, values or None, as_of=as_of)
    return [tuple(row) for row in found.fetchall()]


def tabled(log: SampleLog, upto: int, name: str = "tabled") -> Store:
    store = MemoryStore(name)
    with duck.connect() as con:
        ensure_schema_files(store, con)
        table_pending(store, con, log.read, upto)
    return store
