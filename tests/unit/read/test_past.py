"""The past: the state as of a commit is the fold of the commits up to it, whatever is asked."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from regista.decide.state import Overlay
from regista.errors import InvalidInputError, NotFoundError
from regista.model.times import format_time, parse_time
from regista.read.past import seq_as_of, state_as_of
from regista.read.replica import Replica, fold_commit
from regista.registry.core import Registry
from support.chance import run_at_random
from support.registries import GATED, OPEN, apply_policy, new_registry, register, register_request


def random_registry(seed: int, commits: int, policy: dict[str, Any] = OPEN) -> Registry:
    registry = new_registry(policy)

    def make(content: str, name: str = "m", **options: Any) -> Any:
        return register_request(registry.replica.store, name, content, **options)

    run_at_random(registry.submit_all, make, seed=seed, commits=commits)
    return registry


def prefixes(replica: Replica) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each commit's number with all heads folded from the commits up to it."""
    heads = Overlay(lambda _key: None)
    for seq in range(1, replica.refresh().seq + 1):
        commit, _digest = replica.log.read(seq)
        fold_commit(heads, commit, replica.data_rows(commit))
        yield seq, {key: value for key, value in heads.changed.items() if value is not None}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_state_as_of_every_commit_is_the_fold_of_those_up_to_it(seed: int) -> None:
    registry = random_registry(seed, 30, GATED if seed % 2 else OPEN)
    replica = registry.replica
    every = list(prefixes(replica))
    keys = sorted({key for _seq, heads in every for key in heads})
    assert {key[0] for key in keys} >= set("gnevsdrhat")
    for seq, heads in every:
        past = state_as_of(replica, seq)
        found = {key: past.heads.get(key) for key in keys}
        assert {key: value for key, value in found.items() if value is not None} == heads, seq
        commit, digest = replica.log.read(seq)
        assert (past.seq, past.digest, past.time) == (seq, digest, commit.time)


def test_the_past_is_the_same_when_it_lies_in_the_log_alone() -> None:
    registry = random_registry(3, 12)
    store = registry.replica.store
    expected = dict(prefixes(registry.replica))
    for key in list(store.list_after("tables/")):
        store.delete(key)
    for seq, heads in expected.items():
        past = state_as_of(registry.replica, seq)
        assert {key: past.heads.get(key) for key in heads} == heads


def test_what_the_past_never_heard_of_is_not_there() -> None:
    registry = new_registry()
    for number in range(3):
        register(registry, "m", f"content {number}")
    past = state_as_of(registry.replica, 2)
    for key in (
        "n/x",
        "e/e9-9",
        "v/e2-0/7",
        "s/e2-0/prod",
        "l/e2-0/1.0",
        "d/e2-0/00000000",
        "r/r1-1",
        "h/prod",
        "a/best",
        "t/never",
    ):
        assert past.heads.get(key) is None
    assert past.entry("m").last_version == 1
    with pytest.raises(NotFoundError):
        past.version(past.entry("m"), 2)


def test_equal_versions_of_the_past_are_those_that_counted_then() -> None:
    registry = new_registry()
    for _ in range(3):
        register(registry, "m", "same", force_new=True)
    for number in (2, 1):
        registry.delete(f"m@{number}")
    registry.demote("m", "dev")
    registry.delete("m@3")
    register(registry, "m", "same")
    every = list(prefixes(registry.replica))
    keys = sorted({key for _seq, heads in every for key in heads})
    assert "p/e2-0/3" in keys
    for seq, heads in every:
        past = state_as_of(registry.replica, seq)
        found = {key: past.heads.get(key) for key in keys}
        assert {key: value for key, value in found.items() if value is not None} == heads, seq


def test_scores_are_as_exact_in_the_past_as_they_are_now() -> None:
    registry = new_registry()
    register(registry, "m", "one")
    exact = "0.12345678901234567890123"
    registry.log_eval("m@1", "holdout", {"acc": exact})
    before = registry.show("m@1")
    register(registry, "m", "two")
    past = registry.show("m@1", as_of=3)
    assert past["evals"]["holdout"]["main"][0]["value"] == exact
    assert past["evals"] == before["evals"]


def test_bulk_scores_of_the_past_are_shown_as_now() -> None:
    registry = new_registry()
    register(registry, "m", "one")
    scores = [{"metric": f"m{k:03}", "value": f"0.{k + 1}"} for k in range(600)]
    registry.log_eval("m@1", "holdout", scores)
    assert registry.replica.log.read(3)[0].data
    now = registry.show("m@1")
    register(registry, "m", "two")
    assert registry.show("m@1", as_of=3)["evals"] == now["evals"]
    assert len(now["evals"]["holdout"]["main"]) > 10


def test_a_renamed_entry_has_its_old_name_before_and_its_new_one_after() -> None:
    registry = new_registry()
    register(registry, "m", "one")
    registry.rename("m", "n")
    register(registry, "m", "other")
    assert registry.resolve("m@1", as_of=2).digest == registry.resolve("n@1", as_of=3).digest
    with pytest.raises(NotFoundError):
        registry.resolve("m@1", as_of=3)
    with pytest.raises(NotFoundError):
        registry.resolve("n@1", as_of=2)


def test_the_policy_of_the_past_is_the_one_that_was_in_force() -> None:
    registry = new_registry(OPEN)
    first = registry.policy()["digest"]
    apply_policy(registry, GATED)
    register(registry, "m", "one")
    assert registry.policy(as_of=1)["digest"] == first
    assert registry.policy(as_of=2)["digest"] == registry.policy()["digest"] != first


def test_a_merge_that_removes_files_while_the_past_is_read_does_no_harm(tmp_path: Path) -> None:
    registry = new_registry(folder=tmp_path)
    store = registry.replica.store
    with registry.transaction() as transaction:
        for number in range(5):
            transaction.submit(register_request(store, "m", f"content {number}"))
    for number in range(61):
        registry.tag("m", {"k": str(number)})
    expected = dict(prefixes(registry.replica))[40]
    past = state_as_of(registry.replica, 40)
    assert past.entry("m").last_version == 5
    before = len(list(store.list_after("tables/tags/")))
    registry.tag("m", {"k": "the 64th commit"})
    assert len(list(store.list_after("tables/tags/"))) < before
    assert {key: past.heads.get(key) for key in expected} == expected


def test_a_time_means_the_last_commit_up_to_it() -> None:
    registry = new_registry()
    for number in range(6):
        register(registry, "m", f"content {number}")
    replica = registry.replica
    times = {seq: replica.log.read(seq)[0].time for seq in range(1, 8)}
    for seq, time in times.items():
        last = max(other for other, at in times.items() if at == time)
        assert seq_as_of(replica, time) == last
        just_before = format_time(parse_time(time) - timedelta(microseconds=1))
        if seq > 1 and times[seq - 1] < time:
            assert seq_as_of(replica, just_before) == seq - 1
    assert seq_as_of(replica, "2999-01-01T00:00:00Z") == 7
    assert seq_as_of(replica, format_time(datetime.now(UTC))[:10]) == 7


def test_a_number_means_itself() -> None:
    registry = new_registry()
    register(registry, "m", "one")
    assert [seq_as_of(registry.replica, as_of) for as_of in (1, 2, "1", "2", "002")] == [
        1,
        2,
        1,
        2,
        2,
    ]


@pytest.mark.parametrize("as_of", [0, 3, -1, "0", "3", "2000-01-01T00:00:00Z", "2000-01-01"])
def test_a_moment_without_a_registry_is_not_found(as_of: int | str) -> None:
    registry = new_registry()
    register(registry, "m", "one")
    with pytest.raises(NotFoundError):
        seq_as_of(registry.replica, as_of)


@pytest.mark.parametrize(
    "as_of", ["", "x", "-1", "1.5", "²", "٣", "9" * 5000, "2026-03-03T09:30:00", "2026-13-01"]
)
def test_what_is_neither_a_number_nor_a_time_is_refused(as_of: str) -> None:
    registry = new_registry()
    with pytest.raises(InvalidInputError):
        seq_as_of(registry.replica, as_of)
