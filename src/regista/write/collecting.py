"""Collecting garbage: which blobs belong to purged versions only, and removing them.

Reachability comes from the log alone. What an unfinished `register` has stored and no commit
names yet is never touched.
"""

from collections.abc import Iterator
from typing import Any

from regista.model.commit import Commit, Row
from regista.read.replica import Replica
from regista.storage.blobs import blob_key
from regista.storage.store import Store

Owner = tuple[str, int]
TEXT_COLUMNS = ("card_digest", "description_digest", "texts_digest")


def purged_blobs(replica: Replica) -> dict[str, int]:
    """Return digest and size of every blob whose owners were all deleted with `--purge`."""
    owners: dict[str, set[Owner]] = {}
    purged: set[Owner] = set()
    head = replica.refresh().seq
    for commit, _digest in replica.log.iterate(1, head):
        for row in _rows(replica, commit):
            owner = (row.get("entry_id", ""), row.get("version", 0))
            for digest in _digests(row):
                owners.setdefault(digest, set()).add(owner)
            if row["table"] == "statuses" and row.get("purge"):
                purged.add(owner)
    sizes = {
        digest: replica.store.size(blob_key(digest))
        for digest, named_by in owners.items()
        if named_by <= purged
    }
    return {digest: size for digest, size in sizes.items() if size is not None}


def remove_blobs(store: Store, blobs: dict[str, int]) -> None:
    """Remove blobs."""
    for digest in blobs:
        store.delete(blob_key(digest))


def _digests(row: Row) -> Iterator[str]:
    match row["table"]:
        case "files":
            yield row["sha256"]
        case "versions" | "policies":
            yield row["digest"]
    for column in TEXT_COLUMNS:
        if row.get(column):
            yield row[column]


def _rows(replica: Replica, commit: Commit) -> Iterator[dict[str, Any]]:
    yield from commit.rows
    for ref in commit.data:
        if ref.table in {"files", "versions", "descriptions"}:
            from regista.read.data_rows import iter_rows

            yield from iter_rows(replica.store, ref)
