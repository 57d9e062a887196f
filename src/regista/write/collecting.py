"""Collecting garbage: what nothing refers to, and removing it.

Garbage is a blob that purged versions alone name; a blob or data file that no commit names and
that is older than the grace period, for a younger one may be of a `register` whose commit is
still to come; and what merges, checkpoints and bundles replaced, after the same period.
Reachability comes from the log alone. Why this is safe beside writers, with locks and without:
see ADR 9.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from regista.errors import IntegrityError
from regista.read.naming import mentioned, named, purged_by
from regista.read.replica import Replica
from regista.storage.blobs import BLOB_PREFIX
from regista.storage.bundling import stale_bundles
from regista.storage.checkpointer import stale_files
from regista.storage.cover import TableFile, choose_cover
from regista.storage.store import Store
from regista.storage.tablefiles import list_all
from regista.write.reaching import DATA_PREFIX, digest_of, reachable

PURGED = "purged"
UNNAMED = "unnamed"
SUPERSEDED = "superseded"
# few, so that little time lies between the look at the log and the last removal
BATCH = 100


@dataclass(frozen=True, slots=True)
class Garbage:
    """One file that may go.

    Attributes:
        key: where it lies in the store.
        size: its bytes.
        reason: `purged`, `unnamed` or `superseded`.
    """

    key: str
    size: int
    reason: str


def find_garbage(replica: Replica, head: int, grace_s: float) -> list[Garbage]:
    """Return what may go, in the order to remove it.

    Args:
        replica: the registry.
        head: number of the last commit to look at.
        grace_s: seconds that what nobody names, and was not purged, is left alone.

    Raises:
        IntegrityError: the log is damaged, so that nothing can be said.
    """
    store = replica.store
    reach = reachable(replica, head)
    found = []
    for prefix in (BLOB_PREFIX, DATA_PREFIX):
        for key in store.list_after(prefix):
            if reach.names(key):
                continue
            if digest_of(key) in reach.purged:
                found.append((key, PURGED))
            elif _is_older(store, key, grace_s):
                found.append((key, UNNAMED))
    found += [(key, SUPERSEDED) for key in _superseded(store, grace_s)]
    sizes = ((key, store.size(key), reason) for key, reason in found)
    return [Garbage(key, size, reason) for key, size, reason in sizes if size is not None]


def remove_garbage(replica: Replica, garbage: list[Garbage], head: int) -> list[Garbage]:
    """Remove garbage, unless a commit after `head` names it; return what was removed.

    Raises:
        IntegrityError: a commit named a file at the very moment when it was removed.
    """
    removed: list[Garbage] = []
    spared: set[bytes] = set()
    for start in range(0, len(garbage), BATCH):
        head = _spare(replica, head, spared)
        for item in garbage[start : start + BATCH]:
            if item.reason == SUPERSEDED or digest_of(item.key) not in spared:
                replica.store.delete(item.key)
                removed.append(item)
    _spare(replica, head, spared)
    lost = [item.key for item in removed if item.reason != SUPERSEDED]
    lost = [key for key in lost if digest_of(key) in spared and replica.store.size(key) is None]
    if lost:
        raise IntegrityError(
            f"a commit took up {lost[0]} while it was removed"
            + (f", and {len(lost) - 1} more" if len(lost) > 1 else ""),
            hint="register the same files again",
        )
    return removed


def _spare(replica: Replica, head: int, spared: set[bytes]) -> int:
    """Add what commits after `head` name to `spared`; return the last commit looked at."""
    last = replica.log.head(after=head)
    for seq in range(head + 1, last + 1):
        commit, _digest = replica.log.read(seq)
        gone = purged_by(commit)
        spared.update(
            bytes.fromhex(item.sha256)
            for item in named(replica.store, commit)
            if item.owner not in gone
        )
        spared.update(map(bytes.fromhex, mentioned(commit)))
    return last


def _superseded(store: Store, grace_s: float) -> Iterator[str]:
    """Yield files of tables and checkpoints in the order in which to remove them."""
    for table, spans in list_all(store).items():
        for span in choose_cover(spans).superseded:
            if _is_older(store, key := TableFile(table, span).key, grace_s):
                yield key
    yield from stale_files(store, spare_s=grace_s)
    yield from stale_bundles(store, spare_s=grace_s)


def _is_older(store: Store, key: str, seconds: float) -> bool:
    age = store.age_s(key)
    return age is not None and age >= seconds
