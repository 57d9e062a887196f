from pathlib import Path

import pytest

from fakes.checkpoints import add, commit_at, flip, latest, must_load
from regista.errors import IntegrityError
from regista.model.commit import log_key
from regista.storage.checkpoint import (
    Checkpoint,
    CheckpointGoneError,
    manifest_bytes,
    manifest_key,
    scan,
)
from regista.storage.local import LocalStore
from regista.storage.log import Log
from regista.storage.memory import MemoryStore
from regista.storage.store import Store


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore("checkpoints") if request.param == "memory" else LocalStore(tmp_path)


def test_a_registry_without_checkpoints_has_none(store: Store) -> None:
    assert latest(store) is None


def test_prefixes_select_what_items_yields(store: Store) -> None:
    add(store, 1, {"n/a": 1, "n/b": 2, "e/x": 3, **{f"z/{i}": i for i in range(50)}})
    checkpoint = add(store, 2, {"n/b": 4})
    assert len(checkpoint.runs) == 2
    assert dict(checkpoint.items("n/")) == {"n/a": 1, "n/b": 4}


def test_a_checkpoint_of_another_history_is_passed_over(store: Store) -> None:
    add(store, 1, {"a": 1})
    add(store, 2, {"a": 2})
    commit_at(store, 2, "rewritten")
    assert must_load(store).get("a") == 1
    problems = [candidate.problem for candidate in scan(store, Log(store))]
    assert problems == ["commit 2 has another digest in the log", ""]


def test_a_checkpoint_beyond_the_head_is_passed_over(store: Store) -> None:
    add(store, 1, {"a": 1})
    add(store, 2, {"a": 2})
    store.delete(log_key(2))
    assert must_load(store).get("a") == 1
    assert next(scan(store, Log(store))).problem == "the log has no commit 2"


def test_every_damage_to_a_manifest_is_passed_over_and_said() -> None:
    store = MemoryStore("checkpoints")
    add(store, 1, {"a": 1})
    checkpoint = add(store, 2, {"a": 2})
    key = manifest_key(checkpoint.id)
    whole = store.get(key)
    assert whole is not None
    for position in range(len(whole) - 1):
        flip(store, key, position)
        assert must_load(store).seq == 1
        assert "manifest" in next(scan(store, Log(store))).problem
        store.put(key, whole[:position])
        assert must_load(store).seq == 1
        store.put(key, whole)
    assert must_load(store).seq == 2


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"null", b"{}", b'{"digest":"x"}', b'{"digest":"x","format":2}', b"\xff"]
)
def test_what_is_no_manifest_at_all_is_passed_over(data: bytes) -> None:
    store = MemoryStore("checkpoints")
    head = commit_at(store, 1)
    store.put(manifest_key(f"{1:012d}-{head[:12]}"), data)
    assert latest(store) is None


def test_a_manifest_in_another_folder_is_passed_over(store: Store) -> None:
    head = commit_at(store, 1)
    commit_at(store, 2)
    store.put(manifest_key(f"{2:012d}-{head[:12]}"), manifest_bytes(Checkpoint(store, 1, head, ())))
    assert latest(store) is None
    assert "another folder" in next(scan(store, Log(store))).problem


def test_a_damaged_run_is_found_by_whoever_reads_it(store: Store) -> None:
    checkpoint = add(store, 1, {"a": "x" * 100})
    flip(store, checkpoint.runs[0].key, 40)
    damaged = must_load(store)
    with pytest.raises(IntegrityError, match="damaged"):
        damaged.get("a")
    with pytest.raises(IntegrityError, match="damaged"):
        list(damaged.items())


def test_a_reader_that_loses_a_run_loads_one_that_is_whole(store: Store) -> None:
    add(store, 1, {"a": 1})
    checkpoint = add(store, 2, {"a": 2})
    loaded = must_load(store)
    store.delete(checkpoint.runs[0].key)
    with pytest.raises(CheckpointGoneError):
        loaded.get("a")
    assert must_load(store).get("a") == 1
    assert next(scan(store, Log(store))).problem.endswith("is missing")
