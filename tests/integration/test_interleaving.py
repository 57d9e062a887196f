"""Writers, merges, checkpoints, gc and readers, switched at each call of a store without locks.

Set REGISTA_CAMPAIGN=1 for hundreds of orders.
"""

import os
from random import Random

import pytest

from fakes.interleaving import Job, interleave
from regista.storage import cover
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.storage.tablefiles import list_spans, tables_covered_to
from regista.write import following
from support.registries import copy_of, new_registry, register, reopen

BEFORE = 9
ORDERS = 200 if os.environ.get("REGISTA_CAMPAIGN") else 6


@pytest.fixture(autouse=True)
def _much_upkeep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merge every four commits, and replace checkpoints at once."""
    monkeypatch.setattr(cover, "FANOUT", 4)
    monkeypatch.setattr(following, "EVERY", 4)
    monkeypatch.setattr(following, "SPARE_S", 0.0)


@pytest.fixture(scope="module")
def prepared() -> MemoryStore:
    registry = new_registry()
    for number in range(BEFORE):
        register(registry, "m", str(number))
    return copy_of(registry.replica.store)


def write(store: Store, *, key: str = "one") -> list[int]:
    registry = reopen(store)
    seqs = [registry.tag("m", {key: str(number)}).seq for number in range(3)]
    assert registry.writer.warnings == []
    return seqs


def write_other(store: Store) -> list[int]:
    return write(store, key="other")


def compact(store: Store) -> int:
    return reopen(store).compact().seq


def rebuild(store: Store) -> int:
    return reopen(store).rebuild().seq


def collect(store: Store) -> int:
    return len(reopen(store).gc(grace="1h").files)


def look(store: Store) -> int:
    registry = reopen(store)
    for _ in range(3):
        head = registry.replica.refresh().seq
        [[counted]] = registry.sql("SELECT count(*) FROM commits", as_of=head).fetchall()
        assert counted == head
        assert registry.resolve("m@latest").version == BEFORE
        assert registry.show("m@3")["version"] == 3
    return head


def assert_sound(store: Store, told: list[int]) -> None:
    registry = reopen(store)
    assert registry.verify(deep=True).problems == []
    assert len(set(told)) == len(told)
    assert max(told, default=0) <= registry.replica.log.head()
    registry.compact()
    assert registry.verify().problems == []
    assert registry.doctor().ok
    assert tables_covered_to(store) == registry.replica.log.head()
    assert len(list_spans(store, "commits")) <= 7
    register(registry, "m", "after all")
    assert registry.verify(deep=True).problems == []


@pytest.mark.parametrize("seed", range(ORDERS))
def test_upkeep_by_several_at_once_is_harmless(prepared: MemoryStore, seed: int) -> None:
    store = copy_of(prepared)
    jobs: list[Job] = [write, write_other, compact, compact, collect, look]
    first, second, *_ = interleave(store, jobs, seed)
    assert_sound(store, [*first, *second])


@pytest.mark.parametrize("seed", range(ORDERS))
def test_a_kill_in_the_middle_of_it_is_harmless_too(prepared: MemoryStore, seed: int) -> None:
    store, chance = copy_of(prepared), Random(seed)
    jobs: list[Job] = [write, write_other, compact, rebuild, collect]
    kills = {number: chance.randrange(12) for number in (1, 2, 3, 4)}
    first, *_ = interleave(store, jobs, seed, kills=kills)
    assert_sound(store, first)
