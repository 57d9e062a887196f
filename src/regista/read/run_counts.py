"""Counting eval runs of an entry, as of a commit: a query of ours, so it needs no sandbox."""

from typing import TYPE_CHECKING

from regista.decide.operations.context import RunCount
from regista.read import duck
from regista.read.views import Pinned, ReadTail, create_views, open_pinned, with_needs
from regista.storage.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TABLE = "eval_runs"


def count_runs(store: Store, read_tail: ReadTail, asked: RunCount) -> int:
    """Count eval runs.

    Args:
        store: where the registry lies.
        read_tail: as for `regista.read.sql.open_views`.
        asked: which runs.

    Raises:
        IntegrityError: a file of the registry is missing or damaged.
        ConflictError: merges kept changing the files.
    """
    found = 0

    def build(con: "DuckDBPyConnection", pinned: Pinned) -> None:
        nonlocal found
        create_views(con, store, pinned.followed_by(asked.pending), with_needs({_TABLE}))
        wanted = {"entry_id": asked.entry_id, **asked.wanted}
        conditions = " AND ".join(f"{duck.name_list([name])} = ?" for name in wanted)
        query = f"SELECT count(*) FROM {_TABLE} WHERE {conditions}"
        (found,) = con.execute(query, list(wanted.values())).fetchone() or (0,)

    open_pinned(store, read_tail, build, as_of=asked.seq, threads=1).close()
    return found
