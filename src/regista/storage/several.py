"""Many small files of a store, asked for several at a time where each question takes its time.

Invariant: what is in memory at once is one handful of files, or what the caller asked for in one
call. Where questions are dear is where a store has a memory (`Store.memory`).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from regista.storage.parallel import Meter, run_all
from regista.storage.store import Store

HANDFUL = 64


def is_dear(store: Store) -> bool:
    """Say whether each question to a store takes so long that it pays to ask fewer."""
    return store.memory() is not None


def get_all(store: Store, keys: Sequence[str]) -> list[bytes | None]:
    """Return the files of some keys in their order, None for each that does not exist.

    Raises:
        StorageError: as `Store.get`.
    """
    if not is_dear(store):
        return [store.get(key) for key in keys]
    return run_all(store.get, keys, Meter(None, 0))


def get_ahead(store: Store, keys: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
    """Yield each key with its file, None where there is none, a handful ahead where that pays.

    Raises:
        StorageError: as `Store.get`.
    """
    if not is_dear(store):
        for key in keys:
            yield key, store.get(key)
        return
    rest = iter(keys)
    while some := list(islice(rest, HANDFUL)):
        yield from zip(some, get_all(store, some), strict=True)
