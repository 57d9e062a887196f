"""Equal versions: which of an entry's versions with one digest counts, at a cost that stays small.

`d/<entry_id>/<digest[:8]>` lists for each digest that begins so `[digest, version]`: the newest
version that was not deleted, or the newest of all where every one was. Where a newer one was
deleted, its number stands third. `p/<entry_id>/<version>` is the version that counted before that
one came, if it was not deleted then. So a list has one item per digest, however often equal
artifacts are registered, and a deletion passes over each deleted version once at most.
"""

from collections.abc import Callable, Sequence
from typing import Any

from regista.decide import keys
from regista.decide.keys import Heads

Item = Sequence[Any]
"""`[digest, version]`, or `[digest, version, newest]`."""


IsDeleted = Callable[[int], bool]


def add(heads: Heads, entry_id: str, digest: str, version: int, is_deleted: IsDeleted) -> None:
    """List a new version, whose number is higher than all others of the entry."""
    key = keys.equals(entry_id, digest)
    listed = list(heads.get(key) or ())
    equal = [place for place, item in enumerate(listed) if item[0] == digest]
    if not equal:
        heads.put(key, [*listed, [digest, version]])
        return
    before = listed[equal[-1]][1]
    if not is_deleted(before):
        heads.put(keys.before(entry_id, version), before)
    listed[equal[-1]] = [digest, version]
    heads.put(key, listed)


def delete(heads: Heads, entry_id: str, digest: str, version: int, is_deleted: IsDeleted) -> None:
    """Let an equal version count instead of one that has just been deleted."""
    key = keys.equals(entry_id, digest)
    listed = heads.get(key) or []
    if any(item[1] == version for item in listed):
        heads.put(
            key,
            [
                _without(heads, entry_id, item, is_deleted) if item[1] == version else item
                for item in listed
            ],
        )


def _without(heads: Heads, entry_id: str, item: Item, is_deleted: IsDeleted) -> Item:
    digest, version, newest = item[0], item[1], item[-1]
    while (version := heads.get(keys.before(entry_id, version))) is not None:
        if not is_deleted(version):
            return [digest, version, newest]
    return [digest, newest]


def counting(items: Sequence[Item], is_deleted: IsDeleted) -> int:
    """Return the version that counts among the items of one digest, of which there is one or more.

    It is a deleted one only where all are.
    """
    live = (item[1] for item in reversed(items) if not is_deleted(item[1]))
    return int(next(live, items[-1][-1]))
