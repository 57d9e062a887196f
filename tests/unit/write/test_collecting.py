"""Garbage: what may go, why, when, and what never does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.faulty_store import FaultyStore, KilledError
from regista.decide.operations.context import Request
from regista.errors import ConflictError, IntegrityError, InvalidInputError, StorageError
from regista.model.commit import log_key
from regista.read.replica import Replica
from regista.registry import maintenance, requests
from regista.registry.core import Registry
from regista.registry.maintenance import Collected
from regista.registry.preparing import Preparing
from regista.storage.blobs import blob_key, put_blob_bytes
from regista.storage.bundles import LARGE, SMALL, bundle_bytes, bundle_key, list_bundles
from regista.storage.checkpoint import CHECKPOINTS_PREFIX
from regista.storage.cover import Span
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.write.collecting import find_garbage, remove_garbage
from support.chains import REGISTRY_ID as CHAIN_ID
from support.chains import chain, write_chain
from support.everything import build, build_long
from support.registries import (
    GATED,
    OPEN,
    apply_policy,
    artifact,
    bundle_of,
    copy_of,
    new_registry,
    register,
    reopen,
)

SAMPLES = [{"sample_id": f"s{k}", "metric": "acc", "value": 1, "passed": True} for k in range(9)]


@pytest.fixture(params=["memory", "local"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    if request.param == "local":
        return new_registry(store=LocalStore(tmp_path / "registry"))
    return new_registry(store=MemoryStore("gc"))


def keys(registry: Registry) -> set[str]:
    return set(registry.replica.store.list_after(""))


def test_what_a_killed_register_left_goes_after_the_grace_period(registry: Registry) -> None:
    register(registry, "m", "kept")
    before = keys(registry)
    artifact(registry.replica.store, "never committed")
    registry.replica.store.put(f"data/eval_samples/{'ab' * 32}.parquet", b"nor this")
    left = keys(registry) - before
    assert len(left) == 3

    assert registry.gc().files == []
    planned = registry.gc(dry_run=True, grace="0s")
    assert {(item["key"], item["reason"]) for item in planned.files} == {
        (key, "unnamed") for key in left
    }
    assert len(planned.blobs) == 2
    assert keys(registry) == before | left

    done = registry.gc(grace="0s")
    assert done.files == planned.files
    assert done.bytes == sum(item["size"] for item in done.files) > 0
    assert keys(registry) == before


def test_the_age_of_a_local_file_is_that_of_its_last_write(tmp_path: Path) -> None:
    import os
    import time

    store = LocalStore(tmp_path)
    key = blob_key(put_blob_bytes(store, b"old"))
    then = time.time() - 7200
    os.utime(tmp_path / key, (then, then))
    age = store.age_s(key)
    assert age is not None
    assert 7100 < age < 7300
    store.put(key, b"old")
    assert (store.age_s(key) or 0) < 60


def test_nothing_that_the_log_names_ever_goes() -> None:
    registry = build()
    before = keys(registry)
    done = registry.gc(grace="0s")
    assert done.files
    assert {item["reason"] for item in done.files} == {"purged"}
    assert keys(registry) == before - {item["key"] for item in done.files}
    assert registry.verify(deep=True).problems == []
    assert registry.gc(grace="0s").files == []


def test_what_a_refused_operation_brought_is_replayed_and_stays() -> None:
    registry = new_registry(GATED)
    register(registry, "m", "one")
    with registry.transaction() as tx:
        tx.log_eval("m@1", "holdout", {"acc": "0.1"}, samples=SAMPLES)
        tx.promote("m@1", "staging")
    commit, _digest = registry.replica.log.read(registry.replica.log.head())
    assert commit.data == ()
    assert [key for key in keys(registry) if key.startswith("data/eval_samples/")]
    assert registry.gc(grace="0s").files == []
    assert registry.verify(deep=True).problems == []


def test_a_policy_that_was_refused_is_replayed_and_stays() -> None:
    guarded = {**OPEN, "groups": {"risk": ["zoe"]}}
    registry = new_registry({**guarded, "policy_change": [{"approvals": {"from": ["risk"]}}]})
    assert apply_policy(registry, guarded).outcome == "refused"
    digest = put_blob_bytes(registry.replica.store, bundle_of(guarded).data)
    assert registry.gc(grace="0s").files == []
    assert registry.replica.store.get(blob_key(digest))
    assert registry.verify(deep=True).problems == []


def purge(registry: Registry, ref: str) -> None:
    registry.demote("m", "dev")
    registry.delete(ref, purge=True)


def test_a_purged_file_goes_at_once_and_a_shared_one_stays(registry: Registry) -> None:
    register(registry, "m", "secret")
    register(registry, "other", "shared")
    register(registry, "m", "shared")
    register(registry, "m", "last")
    registry.delete("m@1", purge=True)
    registry.delete("m@2", purge=True)
    done = registry.gc(dry_run=True)
    assert [item["reason"] for item in done.files] == ["purged", "purged"]
    registry.gc()
    assert registry.verify(deep=True).problems == []


def test_what_a_new_commit_names_is_spared(registry: Registry) -> None:
    store = registry.replica.store
    artifact(store, "reused")
    artifact(store, "garbage")
    head = registry.replica.log.head()
    found = find_garbage(registry.replica, head, 0.0)
    assert len(found) == 4
    registry.submit(register_again(store))
    removed = remove_garbage(registry.replica, found, head)
    assert len(removed) == 2
    assert reopen(store).verify(deep=True).problems == []


def register_again(store: Store) -> Request:
    manifest, payload = artifact(store, "reused")
    return requests.register(
        "m", manifest, kind="model", label=None, run=None, code=None,
        relations={"dataset": (), "base": (), "member": ()}, params={}, tags={}, card={},
        source={}, force_new=False, payload=payload,
    )  # fmt: skip


def test_what_is_taken_up_at_the_very_moment_is_said() -> None:
    store = FaultyStore(MemoryStore("gc"))
    registry = new_registry(store=store)
    artifact(store, "reused")
    request = register_again(store)
    delete, other = store.inner.delete, reopen(store.inner)
    taken: list[str] = []

    def delete_after_a_commit(key: str) -> None:
        if not taken:
            taken.append(key)
            other.submit(request)
        delete(key)

    store.inner.delete = delete_after_a_commit  # type: ignore[method-assign]
    with pytest.raises(IntegrityError, match="while it was removed") as caught:
        registry.gc(grace="0s")
    assert caught.value.hint == "register the same files again"
    store.inner.delete = delete  # type: ignore[method-assign]
    artifact(store, "reused")
    assert other.verify(deep=True).problems == []


@pytest.mark.parametrize("manifest_only", [False, True])
def test_a_register_that_reused_what_gc_took_stores_it_again(
    tmp_path: Path, *, manifest_only: bool
) -> None:
    store = FaultyStore(MemoryStore("gc"))
    registry = new_registry(store=store)
    path = tmp_path / "model.bin"
    path.write_text("reused")
    if manifest_only:
        # its file is another version's too
        registry.register("other", path, uri="s3://elsewhere")
    registry.preparing.artifacts([path], "")
    collected: list[Collected] = []

    def collect() -> None:
        # on a store without locks, between the artifacts and the commit
        if not collected:
            collected.append(reopen(store.inner).gc(grace="0s"))

    store.inner.lock = no_lock  # type: ignore[method-assign,assignment]
    store.before_put_if_absent = collect
    assert registry.register("m", path).created
    assert len(collected[0].files) == (1 if manifest_only else 2)
    assert registry.verify(deep=True).problems == []


def test_a_register_whose_blobs_cannot_be_looked_after_warns_as_the_commit_stands(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Preparing, _manifest: object) -> bool:
        raise StorageError("the disk is gone")

    path = tmp_path / "model.bin"
    path.write_text("x")
    monkeypatch.setattr(Preparing, "all_stored", refuse)
    made = registry.register("m", path)
    assert registry.replica.log.head() == made.seq
    assert "the version stands" in registry.writer.warnings[0]
    assert "the disk is gone" in registry.writer.warnings[0]
    with pytest.raises(StorageError), registry.transaction() as transaction:
        transaction.register("m", path, force_new=True)
    assert registry.replica.log.head() == made.seq


@contextmanager
def no_lock(_name: str, *, timeout_s: float, shared: bool = False) -> Iterator[bool]:  # noqa: ARG001
    yield False


def test_a_register_at_work_keeps_gc_away(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "GC_LOCK_WAIT_S", 0.05)
    artifact(registry.replica.store, "being registered")
    before = keys(registry)
    with registry.preparing.holding_blobs():
        with pytest.raises(ConflictError, match="being registered"):
            reopen(registry.replica.store).gc(grace="0s")
        assert keys(registry) == before
    assert len(registry.gc(grace="0s").files) == 2


def test_a_store_without_locks_is_collected_all_the_same() -> None:
    store = MemoryStore("gc")
    registry = new_registry(store=store)
    artifact(store, "left")
    store.lock = no_lock  # type: ignore[method-assign,assignment]
    assert len(registry.gc(grace="0s").files) == 2


def test_superseded_checkpoints_and_table_files_live_for_the_grace_period() -> None:
    registry = build_long()
    store = registry.replica.store
    for number in range(4):
        registry.tag("m", {"again": str(number)})
        registry.compact()
    [first, *_] = [key for key in store.list_after(CHECKPOINTS_PREFIX) if "manifest" in key]
    table = "tables/commits/000000000001-000000000001.parquet"
    store.put(table, store.get("tables/commits/schema.parquet") or b"")
    purged = {item["key"] for item in registry.gc().files}
    assert not purged & {first, table}
    done = registry.gc(grace="0s")
    assert {item["reason"] for item in done.files} == {"superseded"}
    assert {first, table} <= {item["key"] for item in done.files}
    assert registry.verify(deep=True).problems == []
    assert registry.doctor().ok


def test_a_kill_at_any_write_of_gc_leaves_a_sound_registry() -> None:
    registry = build_long()
    for number in range(5):
        registry.tag("m", {"again": str(number)})
        registry.compact()
    artifact(registry.replica.store, "left")
    whole = copy_of(registry.replica.store)
    for kill_at in range(1000):
        store = copy_of(whole)
        faulty = FaultyStore(store, kill_at=kill_at)
        try:
            reopen(faulty).gc(grace="0s")
        except KilledError:
            assert reopen(store).verify(deep=True).problems == []
            continue
        assert kill_at > 3
        break
    assert reopen(store).gc(grace="0s").files == []


@pytest.mark.parametrize("damage", ["gap", "chain", "junk"])
def test_by_a_damaged_log_nothing_is_judged(damage: str) -> None:
    registry = build()
    store = registry.replica.store
    if damage == "gap":
        store.delete(log_key(7))
    else:
        other = store.get(log_key(8)) or b""
        store.put(log_key(7), other if damage == "junk" else other[:-1] + b" \n")
    before = keys(registry)
    with pytest.raises(IntegrityError):
        reopen(store).gc(grace="0s")
    assert keys(registry) == before


def test_a_grace_period_is_a_duration(registry: Registry) -> None:
    with pytest.raises(InvalidInputError, match="duration"):
        registry.gc(grace="soon")


def test_bundles_of_the_log_that_a_longer_one_holds_go_after_the_grace_period() -> None:
    store, files = MemoryStore("bundles"), chain(LARGE)
    write_chain(store, files)
    short, long = Span(1, SMALL), Span(1, LARGE)
    store.put(bundle_key(short), bundle_bytes(short, files[:SMALL]))
    replica = Replica(store, CHAIN_ID)
    assert find_garbage(replica, LARGE, 0) == []
    store.put(bundle_key(long), bundle_bytes(long, files))
    assert find_garbage(replica, LARGE, 3600) == []
    found = find_garbage(replica, LARGE, 0)
    assert [(item.key, item.reason) for item in found] == [(bundle_key(short), "superseded")]
    remove_garbage(replica, found, LARGE)
    assert list_bundles(store) == {long}
