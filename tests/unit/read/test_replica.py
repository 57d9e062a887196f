"""The replica: a process's view of the state, brought up to date, each one pinned."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fakes.faulty_store import FaultyStore
from regista.decide.state import Overlay
from regista.errors import IntegrityError, NewerFormatError
from regista.model import canonical
from regista.model.canonical import sha256_hex
from regista.model.commit import Commit, log_key
from regista.read import replica as replica_module
from regista.read.replica import Replica, fold_commit
from regista.registry.core import Registry
from regista.storage.store import Store
from support.chance import run_at_random
from support.registries import GATED, REGISTRY_ID, new_registry, register, register_request, reopen


def folded(replica: Replica) -> dict[str, Any]:
    heads = Overlay(lambda _key: None)
    for seq in range(1, replica.log.head() + 1):
        fold_commit(heads, replica.log.read(seq)[0], ())
    return heads.changed


def small(commits: int = 4) -> Registry:
    registry = new_registry()
    for number in range(1, commits):
        register(registry, "m", f"content {number}")
    return registry


def rewrite(store: Store, seq: int, change: Callable[[Commit], Commit]) -> None:
    commit, _digest = Replica(store, REGISTRY_ID).log.read(seq)
    store.put(log_key(seq), change(commit).to_bytes())


@pytest.mark.parametrize("seed", range(3))
def test_a_checkpoint_and_the_tail_give_the_heads_that_the_whole_log_gives(seed: int) -> None:
    registry = new_registry(GATED)

    def make(content: str, name: str = "m", **options: Any) -> Any:
        return register_request(registry.replica.store, name, content, **options)

    for part in range(3):
        run_at_random(registry.submit_all, make, seed=10 * seed + part, commits=8)
        if part < 2:
            registry.compact()
    fresh = reopen(registry.replica.store).replica
    state = fresh.refresh()
    assert fresh.checkpoint is not None
    assert 0 < fresh.checkpoint.seq < state.seq
    expected = folded(fresh)
    assert {key: state.heads.get(key) for key in expected} == expected
    assert {key: registry.replica.refresh().heads.get(key) for key in expected} == expected


def test_the_time_of_a_checkpoints_commit_is_not_looked_up_in_the_log() -> None:
    registry = small(3)
    registry.compact()
    store, head = FaultyStore(registry.replica.store), registry.replica.refresh()
    state = reopen(store).replica.refresh()
    assert (state.seq, state.time) == (head.seq, head.time)
    # once, to see that it is the commit that the checkpoint follows
    assert store.calls.count(("get", log_key(head.seq))) == 1


def test_a_checkpoint_that_tells_another_time_is_found() -> None:
    registry = small(3)
    registry.compact()
    store = registry.replica.store
    [key] = [key for key in store.list_after("checkpoints/") if key.endswith("manifest.json")]
    body = canonical.decode(store.get(key) or b"")
    del body["digest"]
    body["time"] = "2020-01-01T00:00:00.000000Z"
    store.put(key, canonical.encode({**body, "digest": canonical.digest(body)}) + b"\n")
    assert "its time is not" in registry.verify().problems[0].detail


def test_a_state_that_was_handed_out_stays_as_it_was() -> None:
    registry = small(2)
    before = registry.replica.refresh()
    register(registry, "m", "two")
    registry.rename("m", "n")
    after = registry.replica.refresh()
    assert (before.seq, after.seq) == (2, 4)
    assert before.entry("m").last_version == 1
    assert before.find_entry("n") is None
    assert after.find_entry("m") is None


def test_views_of_one_registry_see_each_others_commits() -> None:
    registry = small(1)
    other = reopen(registry.replica.store, actor="bob")
    assert register(registry, "m", "one").version == 1
    assert register(other, "m", "two").version == 2
    assert register(registry, "m", "three").version == 3
    assert registry.replica.refresh().digest == other.replica.refresh().digest


def test_an_empty_log_gives_the_state_before_the_first_commit() -> None:
    state = Replica(small(1).replica.store, REGISTRY_ID).reload()
    assert (state.seq, state.digest, state.time, state.policy_digest) == (0, REGISTRY_ID, "", "")


def test_a_log_that_got_shorter_is_an_integrity_problem() -> None:
    registry = small(4)
    registry.replica.store.delete(log_key(4))
    with pytest.raises(IntegrityError, match="ends with commit 3, though commit 4 was there"):
        registry.replica.refresh()


def test_nothing_is_written_on_top_of_a_log_that_got_shorter() -> None:
    registry = small(4)
    registry.replica.store.delete(log_key(4))
    with pytest.raises(IntegrityError):
        register(registry, "m", "more")
    assert registry.replica.log.head() == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda commit: replace(commit, registry="other", parent="other"), "another registry"),
        (lambda commit: replace(commit, parent="0" * 64), "does not follow"),
        (
            lambda commit: replace(commit, rows=({"table": "placements"}, *commit.rows)),
            "rows that cannot be applied",
        ),
        (
            lambda commit: replace(
                commit, rows=({**commit.rows[0], "table": "tags", "version": 77},)
            ),
            "rows that cannot be applied",
        ),
        (lambda commit: replace(commit, seq=9), "holds commit 9"),
    ],
)
@pytest.mark.parametrize("seq", [1, 3])
def test_a_commit_that_cannot_be_followed_is_an_integrity_problem(
    change: Callable[[Commit], Commit], message: str, seq: int
) -> None:
    registry = small(3)
    # whose parent is another is found first, wherever there is one
    message = f"{message}|does not follow|another registry"
    rewrite(registry.replica.store, seq, change)
    with pytest.raises(IntegrityError, match=message) as caught:
        reopen(registry.replica.store).replica.refresh()
    assert caught.value.hint == "regista verify"


def test_a_commit_of_a_newer_format_is_not_read() -> None:
    registry = small(3)
    store = registry.replica.store
    store.put(log_key(4), canonical.encode({"format": 99}) + b"\n")
    with pytest.raises(NewerFormatError):
        registry.replica.refresh()


def test_a_view_that_fell_far_behind_moves_on_to_a_newer_checkpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replica_module, "LOOK_AGAIN_AFTER", 5)
    registry = small(3)
    registry.compact()
    behind = reopen(registry.replica.store).replica
    behind.refresh()
    for number in range(8):
        registry.tag("m", {"k": str(number)})
    registry.compact()
    registry.tag("m", {"k": "last"})
    state = behind.refresh()
    assert behind.checkpoint is not None
    assert (behind.checkpoint.seq, state.seq) == (11, 12)
    assert state.entry("m").tags == {"k": "last"}
    assert state.digest == sha256_hex(registry.replica.log.read_bytes(12))


def test_a_view_that_fell_far_behind_without_a_newer_checkpoint_goes_on_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replica_module, "LOOK_AGAIN_AFTER", 2)
    registry = small(3)
    registry.compact()
    behind = reopen(registry.replica.store).replica
    behind.refresh()
    for number in range(6):
        registry.tag("m", {"k": str(number)})
        assert behind.refresh().entry("m").tags == {"k": str(number)}
    assert behind.checkpoint is not None
    assert behind.checkpoint.seq == 3
