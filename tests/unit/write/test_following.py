"""What follows a commit, and that a kill at any point of it is made good by the next."""

import pytest

from fakes.faulty_store import FaultyStore, KilledError
from regista.model.tables import TABLES
from regista.storage.cover import schema_key
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.storage.tablefiles import tables_covered_to
from support.registries import copy_of, new_registry, register, reopen

EVERY = 64


def has_all_schemas(store: Store) -> bool:
    return all(store.size(schema_key(table)) is not None for table in TABLES)


def test_a_registry_with_tables_has_the_schemas_of_all_of_them_wherever_init_was_killed() -> None:
    for kill_at in range(0, 60, 4):
        inner = MemoryStore("test")
        try:
            new_registry(store=FaultyStore(inner, kill_at=kill_at))
        except KilledError:
            covered = tables_covered_to(inner)
            assert covered == 0 or has_all_schemas(inner)
            registry = new_registry(store=inner)
            assert register(registry, "m", "one").version == 1
            assert registry.verify().ok
            assert has_all_schemas(inner)
        else:
            break
    else:
        pytest.fail("init takes more than 60 writes")


def test_a_commit_killed_at_any_write_is_there_whole_or_not_at_all() -> None:
    for kill_at in range(40):
        inner = MemoryStore("test")
        new_registry(store=inner)
        doomed = reopen(FaultyStore(inner, kill_at=kill_at))
        try:
            register(doomed, "m", "one")
        except KilledError:
            survivor = reopen(inner)
            assert survivor.verify(deep=True).ok
            assert survivor.replica.refresh().seq in {1, 2}
            assert register(survivor, "m", "two").version == survivor.replica.refresh().seq - 1
            assert survivor.verify(deep=True).ok
        else:
            break
    else:
        pytest.fail("a registration takes more than 40 writes")


@pytest.fixture(scope="module")
def nearly_merged() -> MemoryStore:
    store = MemoryStore("test")
    registry = new_registry(store=store)
    registry.create("m")
    for number in range(EVERY - 3):
        registry.tag("m", {"k": str(number)})
    assert registry.replica.refresh().seq == EVERY - 1
    return store


@pytest.mark.parametrize("kill_at", [2, 4, 6, 9, 13, 25, 60, 100])
def test_a_merge_killed_at_any_write_leaves_a_sound_registry(
    nearly_merged: MemoryStore, kill_at: int
) -> None:
    inner = copy_of(nearly_merged)
    with pytest.raises(KilledError):
        reopen(FaultyStore(inner, kill_at=kill_at)).tag("m", {"k": "the 64th"})
    assert reopen(inner).verify().ok
    survivor = reopen(inner)
    survivor.tag("m", {"k": "after"})
    survivor.compact()
    assert survivor.verify().ok
    assert survivor.show("m")["tags"]["k"] == "after"
    assert survivor.doctor().ok
