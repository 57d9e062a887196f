"""What follows a commit, and that a kill at any point of it is made good by the next."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fakes.faulty_store import FaultyStore, KilledError
from regista.model.commit import log_key
from regista.model.tables import TABLES
from regista.registry.core import Registry
from regista.storage.cover import COMMITS, Span, schema_key
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.storage.tablefiles import list_spans, tables_covered_to
from regista.write.following import Follower
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


def wait_for_the_log(registry: Registry, head: int) -> None:
    deadline = time.monotonic() + 20
    while registry.replica.log.head() < head:
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return LocalStore(tmp_path) if request.param == "folder" else MemoryStore("test")


def test_others_commit_while_tables_are_written_and_are_tabled_many_to_a_file(
    store: Store,
) -> None:
    registry = new_registry(store=store)
    registry.create("m")
    with ThreadPoolExecutor(6) as pool:
        with store.lock("tables", timeout_s=5):
            jobs = [pool.submit(reopen(store).tag, "m", {f"k{number}": "v"}) for number in range(6)]
            wait_for_the_log(registry, 8)
            assert tables_covered_to(store) == 2
        for job in jobs:
            job.result()
    assert tables_covered_to(store) == 8
    assert list_spans(store, COMMITS) < {Span(n, n) for n in range(1, 9)} | {
        Span(3, 4),
        Span(5, 6),
        Span(5, 8),
        Span(7, 8),
    }
    assert len(list_spans(store, COMMITS)) < 8
    assert registry.verify().ok


def test_a_commit_that_somebody_else_has_tabled_is_left_alone(store: Store) -> None:
    registry = new_registry(store=store)
    registry.create("m")
    watched = FaultyStore(store)
    late = Follower(reopen(watched).replica)
    late.follow(*late.replica.log.read(2))
    assert watched.writes == 0


def test_what_a_killed_writer_left_is_tabled_with_the_next_commit_in_few_files(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = new_registry(store=store)
    registry.create("m")
    with monkeypatch.context() as patch:
        patch.setattr(Follower, "follow", lambda *_arguments: None)
        for number in range(5):
            registry.tag("m", {"k": str(number)})
    assert tables_covered_to(store) == 2
    registry.tag("m", {"k": "after"})
    assert {Span(3, 4), Span(5, 8)} <= list_spans(store, COMMITS)
    assert registry.verify().ok


def test_a_checkpoint_whose_base_was_pruned_meanwhile_is_written_on_the_newest(
    store: Store,
) -> None:
    registry = new_registry(store=store)
    registry.create("m")
    registry.compact()
    behind = reopen(store)
    behind.replica.refresh()
    for number in range(4):
        registry.tag("m", {"k": str(number)})
        registry.compact()
    behind.compact()
    assert registry.verify().ok


def test_a_commit_whose_file_is_taken_away_at_once_is_tabled_all_the_same(store: Store) -> None:
    registry = new_registry(store=store)
    registry.create("m")
    commit, digest = registry.replica.log.read(2)
    for key in list(store.list_after("tables/")):
        if "000000000002" in key:
            store.delete(key)
    store.delete(log_key(2))
    Follower(registry.replica).follow(commit, digest)
    assert tables_covered_to(store) == 2
