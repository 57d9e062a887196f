"""Many small files of a store, read or removed several at a time where a question takes its time.

Invariant: what is in memory at once is one handful of files, or what the caller asked for in one
call. Where questions are dear is where a store has a memory (`Store.memory`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from regista.storage.parallel import Meter, run_all
from regista.storage.store import Store

Get = Callable[[str], bytes | None]

HANDFUL = 64


def is_dear(store: Store) -> bool:
    """Say whether each question to a store takes so long that it pays to ask fewer."""
    return store.memory() is not None


def get_all(store: Store, keys: Sequence[str], get: Get | None = None) -> list[bytes | None]:
    """Return the files of some keys in their order, None for each that does not exist.

    Args:
        store: where they lie.
        keys: which.
        get: reads one of them, for many threads, where that is not the store's own business.

    Raises:
        StorageError: as `Store.get`.
    """
    read = get or store.get
    if not is_dear(store):
        return [read(key) for key in keys]
    return run_all(read, keys, Meter(None, 0))


def all_paths(store: Store, keys: Sequence[str]) -> list[Path | None]:
    """Return local files with the content of some immutable keys, as `Store.local_path`.

    Raises:
        StorageError: as `Store.local_path`.
    """
    if not is_dear(store):
        return [store.local_path(key) for key in keys]
    return run_all(store.local_path, keys, Meter(None, 0))


def delete_all(store: Store, keys: Sequence[str]) -> None:
    """Remove some keys, in any order.

    Raises:
        StorageError: as `Store.delete`.
    """
    if is_dear(store):
        run_all(store.delete, keys, Meter(None, 0))
        return
    for key in keys:
        store.delete(key)


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
