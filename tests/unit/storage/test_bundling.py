"""Making and removing bundles: when, at what price, and whatever is killed."""

import time

import pytest

from fakes.dear_store import DearStore
from fakes.faulty_store import Fault, KilledError
from fakes.interleaving import interleave
from regista.errors import StorageError
from regista.model.commit import log_key
from regista.storage import bundling
from regista.storage.bundles import (
    BUNDLES_PREFIX,
    LARGE,
    SMALL,
    bundle_bytes,
    bundle_key,
    list_bundles,
    load_sound,
    span_of,
)
from regista.storage.bundling import (
    RECENT,
    bundle_recent,
    make_bundles,
    rebuild_bundles,
    stale_bundles,
)
from regista.storage.cover import Span
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from support.chains import chain, write_chain
from support.tampering import flip, truncate

FILES = chain(LARGE + SMALL)
WHOLE = Span(1, LARGE)


def holding(commits: int) -> DearStore:
    inner = MemoryStore("bundling")
    write_chain(inner, FILES[:commits])
    return DearStore(inner)


def small(*numbers: int) -> set[Span]:
    """Return the spans of the small bundles with these numbers, from 1."""
    return {span_of(number * SMALL, SMALL) for number in numbers}


def bundles_of(store: Store) -> dict[str, bytes | None]:
    return {key: store.get(key) for key in store.list_after(BUNDLES_PREFIX)}


def test_the_writer_of_a_checkpoint_makes_what_has_become_due() -> None:
    store = holding(2 * SMALL)
    bundle_recent(store, SMALL - 1, spare_s=0)
    assert list_bundles(store) == set()
    bundle_recent(store, SMALL, spare_s=0)
    assert list_bundles(store) == small(1)
    bundle_recent(store, 2 * SMALL, spare_s=0)
    assert list_bundles(store) == small(1, 2)
    assert all(load_sound(store, span) for span in small(1, 2))


def test_what_is_there_is_not_made_again() -> None:
    store = holding(2 * SMALL)
    make_bundles(store, 2 * SMALL)
    store.calls.clear()
    make_bundles(store, 2 * SMALL)
    bundle_recent(store, 2 * SMALL, spare_s=0)
    assert {operation for operation, _key in store.calls} == {"list_after"}


def test_a_commit_pays_for_the_newest_bundles_alone() -> None:
    store = holding(10 * SMALL)
    bundle_recent(store, 10 * SMALL, spare_s=0)
    assert list_bundles(store) == small(7, 8, 9, 10)
    assert store.asked("log/000000/") == RECENT
    make_bundles(store, 10 * SMALL)
    assert list_bundles(store) == small(*range(1, 11))


def test_where_questions_cost_nothing_none_are_made() -> None:
    store = holding(2 * SMALL).inner
    make_bundles(store, 2 * SMALL)
    bundle_recent(store, 2 * SMALL, spare_s=0)
    rebuild_bundles(store)
    assert list_bundles(store) == set()


def test_a_large_bundle_takes_the_place_of_small_ones_once_it_is_old_enough() -> None:
    store = holding(LARGE)
    for number in range(1, LARGE // SMALL + 1):
        bundle_recent(store, number * SMALL, spare_s=3600)
    assert list_bundles(store) == {WHOLE} | small(*range(1, 65))
    # it was made of the small ones: each log file was read once, and ends of bundles again
    assert store.asked("log/") <= LARGE + LARGE // SMALL + 1
    bundle_recent(store, LARGE, spare_s=3600)
    assert len(list_bundles(store)) == 65
    bundle_recent(store, LARGE, spare_s=0)
    assert list_bundles(store) == {WHOLE}
    assert load_sound(store, WHOLE)


def test_small_bundles_stay_while_the_large_one_cannot_be_read() -> None:
    store = holding(LARGE)
    make_bundles(store, 2 * SMALL)
    store.put(bundle_key(WHOLE), truncate(bundle_bytes(WHOLE, FILES[:LARGE])))
    assert stale_bundles(store) == []
    store.put(bundle_key(WHOLE), bundle_bytes(WHOLE, FILES[:LARGE]))
    assert stale_bundles(store) == sorted(map(bundle_key, small(1, 2)))


def test_a_long_log_without_bundles_gets_large_ones_at_once() -> None:
    store = holding(LARGE + SMALL)
    make_bundles(store, LARGE + SMALL)
    assert list_bundles(store) == {WHOLE} | small(65)
    # and its writers never read it all for one
    other = holding(LARGE + SMALL)
    bundle_recent(other, LARGE + SMALL, spare_s=0)
    assert list_bundles(other) == small(62, 63, 64, 65)


def test_commits_too_large_for_one_bundle_in_memory_have_smaller_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = holding(LARGE)
    size = sum(map(len, FILES[:SMALL]))
    monkeypatch.setattr(bundling, "MOST_BYTES", size)
    make_bundles(store, LARGE)
    found = list_bundles(store)
    assert small(1) <= found
    assert WHOLE not in found
    assert all(sum(map(len, FILES[span.first - 1 : span.last])) <= size for span in found)


@pytest.mark.parametrize("damaged", [True, False], ids=["changed", "missing"])
def test_a_damaged_log_is_not_copied(damaged: bool) -> None:  # noqa: FBT001
    store = holding(2 * SMALL)
    if damaged:
        store.put(log_key(70), FILES[69].replace(b'"ann"', b'"eve"'))
    else:
        store.delete(log_key(70))
    make_bundles(store, 2 * SMALL)
    assert list_bundles(store) == small(1)


def test_a_rebuild_replaces_what_is_wrong_and_keeps_what_is_right() -> None:
    store = holding(3 * SMALL)
    make_bundles(store, 3 * SMALL)
    right = bundles_of(store)
    first, second, third = sorted(small(1, 2, 3))
    store.put(bundle_key(first), flip(right[bundle_key(first)] or b""))
    store.put(bundle_key(second), right[bundle_key(third)] or b"")
    store.put(bundle_key(span_of(4 * SMALL, SMALL)), right[bundle_key(third)] or b"")
    store.put(f"{BUNDLES_PREFIX}else", b"x")
    store.calls.clear()
    assert rebuild_bundles(store) == 3 * SMALL
    assert bundles_of(store) == right
    assert ("put", bundle_key(third)) not in store.calls


def test_a_failing_store_is_told_and_leaves_nothing_wrong() -> None:
    store = holding(2 * SMALL)
    store.order("put", Fault.NONE, Fault.RAISE_BEFORE)
    with pytest.raises(StorageError):
        make_bundles(store, 2 * SMALL)
    assert list_bundles(store) == small(1)
    make_bundles(store, 2 * SMALL)
    assert list_bundles(store) == small(1, 2)


def test_a_kill_at_any_write_is_made_good_by_the_next() -> None:
    whole = holding(LARGE)
    for number in range(1, 65):
        bundle_recent(whole, number * SMALL, spare_s=0)
    # two bundles are written, and 64 removed
    for kill_at in (0, 1, 2, 3, 20, 65):
        inner = MemoryStore("killed")
        for key in whole.list_after(""):
            inner.put(key, whole.get(key) or b"")
        inner.delete(bundle_key(WHOLE))
        for span in small(*range(1, 64)):
            inner.put(bundle_key(span), bundle_bytes(span, FILES[span.first - 1 : span.last]))
        inner.delete(bundle_key(span_of(LARGE, SMALL)))
        doomed = DearStore(inner)
        doomed.kill_at = kill_at
        with pytest.raises(KilledError):
            bundle_recent(doomed, LARGE, spare_s=0)
        assert all(load_sound(inner, span) for span in list_bundles(inner))
        bundle_recent(DearStore(inner), LARGE, spare_s=0)
        assert bundles_of(inner) == bundles_of(whole)


@pytest.mark.parametrize("seed", range(5))
def test_two_writers_at_once_make_the_same(seed: int) -> None:
    store = holding(3 * SMALL).inner

    def make(view: Store) -> None:
        seen = DearStore(view)
        make_bundles(seen, 3 * SMALL)
        rebuild_bundles(seen)

    interleave(store, [make, make], seed)
    make_bundles(DearStore(store), 3 * SMALL)
    alone = holding(3 * SMALL)
    make_bundles(alone, 3 * SMALL)
    assert bundles_of(store) == bundles_of(alone)


def test_the_age_of_the_large_one_is_asked_only_while_small_ones_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = holding(LARGE)
    make_bundles(store, LARGE)
    store.calls.clear()
    monkeypatch.setattr(time, "monotonic", lambda: 1e9)
    assert stale_bundles(store, spare_s=60) == []
    assert [operation for operation, _key in store.calls] == ["list_after"]
