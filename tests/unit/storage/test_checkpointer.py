import itertools
import random
from pathlib import Path

import pytest

from fakes.checkpoints import (
    Changes,
    add,
    commit_at,
    contents,
    keys_of,
    latest,
    must_load,
    run_keys,
)
from fakes.faulty_store import Fault, FaultyStore, KilledError
from regista.errors import InvalidInputError, StorageError
from regista.model import canonical
from regista.storage.checkpoint import CHECKPOINTS_PREFIX, CheckpointGoneError, manifest_key, scan
from regista.storage.checkpointer import (
    MERGE_FACTOR,
    prune,
    write_bulk_checkpoint,
    write_checkpoint,
)
from regista.storage.local import LocalStore
from regista.storage.log import Log
from regista.storage.memory import MemoryStore
from regista.storage.store import Store


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore("checkpoints") if request.param == "memory" else LocalStore(tmp_path)


def test_hundreds_of_random_updates_agree_with_a_dict() -> None:
    store = MemoryStore("checkpoints")
    rng = random.Random(7)
    model: Changes = {}
    most_runs = 0
    for seq in range(1, 301):
        changed = {
            f"v/e{rng.randrange(400)}-0/{rng.randrange(3)}": rng.choice([None, seq, [seq], "é"])
            for _ in range(rng.randrange(12))
        }
        model.update(changed)
        checkpoint = add(store, seq, changed)
        if seq % 7 == 0:
            prune(store)
        most_runs = max(most_runs, len(checkpoint.runs))
        loaded = must_load(store)
        assert (loaded.seq, loaded.id) == (seq, checkpoint.id)
        assert all(loaded.get(key) == value for key, value in changed.items())
        if seq % 20 == 0:
            assert all(loaded.get(key) == value for key, value in model.items())
            assert contents(loaded) == {k: v for k, v in model.items() if v is not None}
    assert most_runs <= 6


def test_a_removed_key_stays_removed_when_its_tombstone_has_no_run_below() -> None:
    store = MemoryStore("checkpoints")
    add(store, 1, {f"k{i}": i for i in range(100)})
    checkpoint = add(store, 2, {"k1": None})
    assert [run.info.records for run in checkpoint.runs] == [1, 100]
    assert checkpoint.get("k1") is None
    assert "k1" not in contents(checkpoint)
    merged = add(store, 3, {f"k{i}": None for i in range(50)})
    assert [run.info.records for run in merged.runs] == [50]
    assert contents(merged) == {f"k{i}": i for i in range(50, 100)}


def test_a_checkpoint_may_hold_nothing(store: Store) -> None:
    add(store, 1, {"a": 1})
    checkpoint = add(store, 2, {"a": None})
    assert checkpoint.runs == ()
    assert contents(must_load(store)) == {}
    assert must_load(store).seq == 2


def test_a_commit_without_changes_adds_no_run(store: Store) -> None:
    first = add(store, 1, {"a": 1})
    second = add(store, 2, {})
    assert second.runs == first.runs
    assert must_load(store).get("a") == 1


def test_each_record_is_rewritten_a_logarithmic_number_of_times() -> None:
    inner = MemoryStore("checkpoints")
    store, written = FaultyStore(inner), 0
    seen: set[str] = set()
    count = 400
    for seq in range(1, count + 1):
        checkpoint = add(store, seq, {f"k{seq}-{i}": i for i in range(5)})
        fresh = [run for run in checkpoint.runs if run.key not in seen]
        seen |= {run.key for run in fresh}
        written += sum(run.info.records for run in fresh)
        sizes = [run.info.records for run in checkpoint.runs]
        assert all(newer * MERGE_FACTOR <= older for newer, older in itertools.pairwise(sizes))
        prune(store)
    assert written / (5 * count) < 3 * MERGE_FACTOR


def test_values_that_are_not_canonical_json_are_refused() -> None:
    store = MemoryStore("checkpoints")
    with pytest.raises(InvalidInputError, match="float"):
        add(store, 1, {"a": 0.5})
    assert keys_of(store) == []


def test_bulk_records_agree_with_a_dict_and_merge_with_what_was_there(store: Store) -> None:
    base = add(store, 1, {"old": 1, "both": 1, "gone": 1})
    records = [(f"v/{i % 900}", canonical.encode(i)) for i in range(1000)]
    records += [("both", b"2"), ("gone", b"null")]
    checkpoint = write_bulk_checkpoint(store, base, 2, commit_at(store, 2), iter(records))
    expected = {f"v/{i % 900}": i for i in range(1000)} | {"old": 1, "both": 2}
    assert contents(checkpoint) == contents(must_load(store)) == expected
    assert len(checkpoint.runs) == 1


def test_a_bulk_checkpoint_of_nothing_is_one(store: Store) -> None:
    checkpoint = write_bulk_checkpoint(store, None, 1, commit_at(store, 1), [])
    assert contents(checkpoint) == {}
    assert must_load(store).seq == 1


def test_writing_on_a_base_that_was_removed_publishes_nothing(store: Store) -> None:
    base = add(store, 1, {f"k{i}": i for i in range(100)})
    prune(store, keep=0)
    with pytest.raises(CheckpointGoneError):
        write_checkpoint(store, base, 2, commit_at(store, 2), {"a": 1})
    with pytest.raises(CheckpointGoneError):
        write_checkpoint(store, base, 2, commit_at(store, 2), {f"k{i}": 0 for i in range(90)})
    assert latest(store) is None


def test_two_writers_of_one_checkpoint_agree(store: Store) -> None:
    base = add(store, 1, {"a": 1, "b": 1})
    head = commit_at(store, 2)
    first = write_checkpoint(store, base, 2, head, {"a": 2})
    second = write_checkpoint(store, None, 2, head, {"a": 2, "b": 1})
    assert second.runs == first.runs
    assert contents(must_load(store)) == {"a": 2, "b": 1}


def test_a_damaged_manifest_in_the_way_is_replaced(store: Store) -> None:
    head = commit_at(store, 1)
    key = manifest_key(f"{1:012d}-{head[:12]}")
    store.put(key, b"torn")
    write_checkpoint(store, None, 1, head, {"a": 1})
    assert must_load(store).get("a") == 1


def test_a_manifest_in_the_way_that_lost_its_runs_is_replaced(store: Store) -> None:
    broken = add(store, 1, {"a": 1})
    store.delete(broken.runs[0].key)
    write_checkpoint(store, None, 1, broken.head, {"a": 1, "b": 2})
    assert contents(must_load(store)) == {"a": 1, "b": 2}


@pytest.mark.parametrize("fault", [Fault.UNKNOWN_AFTER, Fault.UNKNOWN_BEFORE, Fault.EXISTS_AFTER])
def test_a_manifest_put_in_doubt_ends_published(fault: Fault) -> None:
    store = FaultyStore(MemoryStore("checkpoints"))
    store.order("put_if_absent", fault)
    add(store, 1, {"a": 1})
    assert must_load(store).get("a") == 1


def test_a_kill_at_any_write_leaves_the_state_before_or_after() -> None:
    before = {f"k{i}": i for i in range(40)}
    changed: Changes = {f"k{i}": None for i in range(30)}
    after = {f"k{i}": i for i in range(30, 40)}
    states = []
    for kill_at in range(1000):
        inner = MemoryStore("checkpoints")
        for seq in range(1, 6):
            add(inner, seq, before if seq == 1 else {})
        head = commit_at(inner, 6)
        dying = FaultyStore(inner, kill_at=kill_at)
        try:
            write_checkpoint(dying, latest(inner), 6, head, changed)
            prune(dying)
            survived = True
        except KilledError:
            survived = False
        states.append(contents(must_load(inner)))
        # whatever the dead left, the next writer goes on and cleans up
        add(inner, 7, {"new": 1})
        prune(inner, keep=1)
        assert contents(must_load(inner)) == {**states[-1], "new": 1}
        assert len(keys_of(inner)) == 1 + len(must_load(inner).runs)
        if survived:
            break
    assert states[0] == before
    assert states[-1] == after
    assert all(state in (before, after) for state in states)
    assert len(states) > 5


@pytest.mark.parametrize("operation", ["put", "put_if_absent", "get", "size", "list_after"])
def test_a_failing_store_is_a_storage_error_and_harms_nothing(operation: str) -> None:
    inner = MemoryStore("checkpoints")
    add(inner, 1, {"a": 1})
    head = commit_at(inner, 2)
    store = FaultyStore(inner)
    store.order(operation, Fault.RAISE_BEFORE)
    with pytest.raises(StorageError):
        write_checkpoint(store, latest(store), 2, head, {"a": 2})
    assert must_load(inner).get("a") == 1


def test_a_full_scratch_folder_is_a_storage_error(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("regista.storage.checkpointer.write_run", full)
    with pytest.raises(StorageError, match="the disk is full"):
        add(store, 1, {"a": 1})
    assert latest(store) is None


def test_pruning_keeps_the_newest_and_the_runs_that_they_name(store: Store) -> None:
    add(store, 1, {f"k{i}": i for i in range(1000)})
    for seq in range(2, 20):
        add(store, seq, {f"k{seq}": None})
    kept = [candidate.checkpoint for candidate in scan(store, Log(store))][:3]
    expected = [contents(checkpoint) for checkpoint in kept]
    prune(store)
    left = [candidate.checkpoint for candidate in scan(store, Log(store))]
    assert [checkpoint.seq for checkpoint in left if checkpoint] == [19, 18, 17]
    assert [contents(checkpoint) for checkpoint in left] == expected
    named = {run.key for checkpoint in left if checkpoint for run in checkpoint.runs}
    assert run_keys(store) == named
    assert any(key.startswith(f"{CHECKPOINTS_PREFIX}{1:012d}-") for key in named)


def test_pruning_spares_a_writer_at_work_and_sweeps_what_the_dead_left(store: Store) -> None:
    for seq in (1, 64, 128):
        add(store, seq, {"a": seq})
    dead = f"{CHECKPOINTS_PREFIX}{100:012d}-{'a' * 12}/{'0' * 16}.run"
    at_work = f"{CHECKPOINTS_PREFIX}{192:012d}-{'b' * 12}/{'0' * 16}.run"
    store.put(dead, b"x")
    store.put(at_work, b"x")
    prune(store, keep=1)
    assert dead not in keys_of(store)
    assert at_work in keys_of(store)
    assert must_load(store).get("a") == 128


def test_pruning_counts_only_checkpoints_of_this_history(store: Store) -> None:
    for seq in range(1, 8):
        add(store, seq, {"a": seq})
    for seq in range(4, 8):
        commit_at(store, seq, "rewritten")
    prune(store)
    assert must_load(store).get("a") == 3
    problems = [bool(candidate.problem) for candidate in scan(store, Log(store))]
    assert problems == [True] * 4 + [False] * 3


def test_pruning_where_nothing_is_usable_removes_nothing(store: Store) -> None:
    add(store, 1, {"a": 1})
    commit_at(store, 1, "rewritten")
    keys = keys_of(store)
    prune(store)
    assert keys_of(store) == keys


def test_keeping_none_removes_all_but_files_of_others(store: Store) -> None:
    for seq in range(1, 4):
        add(store, seq, {"a": seq})
    other = f"{CHECKPOINTS_PREFIX}{1:012d}-{'c' * 12}/bundle.jsonl"
    store.put(other, b"x")
    prune(store, keep=0)
    assert keys_of(store) == [other]
