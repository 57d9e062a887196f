"""Bundles are made by whoever writes a checkpoint, and never at a commit's cost."""

from pathlib import Path

import pytest

from fakes.dear_store import DearStore
from fakes.faulty_store import KilledError
from fakes.interleaving import interleave
from regista.errors import StorageError
from regista.model.commit import log_key
from regista.registry.core import Registry
from regista.storage.bundles import BUNDLES_PREFIX, SMALL, bundle_key, list_bundles, load_sound
from regista.storage.cover import Span
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from support.registries import copy_of, new_registry, reopen

FIRST = Span(1, SMALL)


class NoBundles(DearStore):
    """A store that takes anything but bundles."""

    def put(self, key: str, source: bytes | Path) -> None:
        if key.startswith(BUNDLES_PREFIX):
            raise StorageError("it is full")
        super().put(key, source)


def tag(registry: Registry, times: int) -> None:
    for _ in range(times):
        registry.tag("m", {"k": str(registry.replica.refresh().seq)})


@pytest.fixture(scope="module")
def nearly() -> MemoryStore:
    """A registry whose next commit makes a bundle due."""
    store = MemoryStore("nearly")
    registry = new_registry(store=DearStore(store))
    registry.create("m")
    tag(registry, SMALL - 3)
    assert registry.replica.refresh().seq == SMALL - 1
    assert list_bundles(store) == set()
    return store


def test_the_commit_that_makes_one_due_makes_it(nearly: MemoryStore) -> None:
    store = copy_of(nearly)
    registry = reopen(DearStore(store))
    tag(registry, 1)
    assert registry.writer.warnings == []
    assert load_sound(store, FIRST)
    assert registry.verify().problems == []


def test_a_folder_has_none(nearly: MemoryStore) -> None:
    store = copy_of(nearly)
    tag(reopen(store), 1)
    reopen(store).compact()
    assert list_bundles(store) == set()


def test_a_commit_stands_whose_bundle_cannot_be_written(nearly: MemoryStore) -> None:
    store = copy_of(nearly)
    registry = reopen(NoBundles(store))
    tag(registry, 1)
    [warning] = registry.writer.warnings
    assert f"commit {SMALL} stands" in warning
    assert store.get(log_key(SMALL))
    tag(reopen(DearStore(store)), SMALL)
    assert load_sound(store, FIRST)
    assert reopen(store).verify().problems == []


@pytest.mark.parametrize("writes_left", [1, 2, 3, 5, 12, 25])
def test_a_kill_at_any_write_leaves_what_is_sound_and_is_made_good(
    nearly: MemoryStore, writes_left: int
) -> None:
    whole = DearStore(copy_of(nearly))
    tag(reopen(whole), 1)
    store = copy_of(nearly)
    doomed = DearStore(store)
    doomed.kill_at = whole.writes - writes_left
    with pytest.raises(KilledError):
        tag(reopen(doomed), 1)
    assert reopen(store).verify().problems == []
    survivor = reopen(DearStore(store))
    survivor.compact()
    tag(survivor, 1)
    assert list_bundles(store) == {FIRST}
    assert survivor.verify(deep=True).problems == []


@pytest.mark.parametrize("seed", range(3))
def test_two_writers_at_once_leave_sound_bundles(nearly: MemoryStore, seed: int) -> None:
    store = copy_of(nearly)

    def write(view: Store) -> None:
        registry = reopen(DearStore(view))
        tag(registry, 2)
        assert registry.writer.warnings == []

    interleave(store, [write, write], seed)
    assert store.get(bundle_key(FIRST))
    assert reopen(store).verify().problems == []
