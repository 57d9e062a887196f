from collections.abc import Callable, Iterator

import pytest

from fakes.dear_store import DearStore
from fakes.faulty_store import Fault, FaultyStore
from regista.errors import StorageError
from regista.storage.memory import MemoryStore
from regista.storage.several import (
    HANDFUL,
    all_paths,
    delete_all,
    get_ahead,
    get_all,
    is_dear,
)
from regista.storage.store import Store

KEYS = [f"a/{number:03d}" for number in range(3 * HANDFUL + 1)]


@pytest.fixture(params=[FaultyStore, DearStore], ids=["cheap", "dear"])
def store(request: pytest.FixtureRequest) -> FaultyStore:
    inner = MemoryStore("several")
    for key in KEYS[1:]:
        inner.put(key, key.encode())
    make: Callable[[Store], FaultyStore] = request.param
    return make(inner)


def expected(keys: list[str]) -> list[bytes | None]:
    return [key.encode() if key != KEYS[0] else None for key in keys]


def test_files_come_in_the_order_asked_for_and_none_for_what_is_not_there(
    store: FaultyStore,
) -> None:
    keys = [KEYS[5], KEYS[0], KEYS[3], *KEYS[7:90]]
    assert get_all(store, keys) == expected(keys)
    assert get_all(store, []) == []
    assert list(get_ahead(store, KEYS)) == list(zip(KEYS, expected(KEYS), strict=True))


def test_no_more_than_a_handful_is_asked_for_ahead(store: FaultyStore) -> None:
    taken = []

    def keys() -> Iterator[str]:
        for key in KEYS:
            taken.append(key)
            yield key

    ahead = get_ahead(store, keys())
    next(ahead)
    assert len(taken) == (HANDFUL if is_dear(store) else 1)


def test_a_failure_of_one_is_the_failure_of_all(store: FaultyStore) -> None:
    store.order("get", Fault.NONE, Fault.NONE, Fault.RAISE_BEFORE)
    with pytest.raises(StorageError):
        get_all(store, KEYS[:10])


def test_local_files_come_in_the_order_asked_for(store: FaultyStore) -> None:
    keys = [KEYS[5], KEYS[0], *KEYS[7:40]]
    paths = all_paths(store, keys)
    assert [path.read_bytes() if path else None for path in paths] == expected(keys)


def test_all_that_is_named_is_removed_and_nothing_else(store: FaultyStore) -> None:
    delete_all(store, KEYS[:90])
    assert list(store.list_after("")) == KEYS[90:]
    store.order("delete", Fault.NONE, Fault.RAISE_BEFORE)
    with pytest.raises(StorageError):
        delete_all(store, KEYS[90:])
