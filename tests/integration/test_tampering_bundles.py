"""Tampering with bundles of log files, and with the log beside them: `verify` finds each.

Nobody is led astray meanwhile: who reads the log through bundles gets the log, or is told.
"""

from collections.abc import Iterator

import pytest

from fakes.dear_store import DearStore
from regista.model.commit import log_key
from regista.storage.bundles import (
    BUNDLES_PREFIX,
    LARGE,
    SMALL,
    bundle_bytes,
    bundle_key,
    list_bundles,
    span_of,
)
from regista.storage.cover import Span
from regista.storage.memory import MemoryStore
from regista.verify.problems import ProblemKind, Verification
from support.registries import new_registry, reopen
from support.tampering import Damage, Scene, flip, found, truncate

HEAD = 2 * SMALL + 2
FIRST, SECOND = Span(1, SMALL), Span(SMALL + 1, 2 * SMALL)


@pytest.fixture(scope="module")
def made() -> Scene:
    """A registry whose log is in two bundles, and a little more."""
    store = MemoryStore("bundled")
    registry = new_registry(store=DearStore(store))
    registry.create("m")
    for number in range(HEAD - 2):
        registry.tag("m", {"k": str(number)})
    assert registry.replica.refresh().seq == HEAD
    assert list_bundles(store) == {FIRST, SECOND}
    assert registry.verify(deep=True).problems == []
    return Scene(store, {key: store.get(key) or b"" for key in store.list_after("")})


@pytest.fixture
def scene(made: Scene) -> Iterator[Scene]:
    yield made
    made.put_back()


def heads(store: MemoryStore) -> dict[str, object]:
    """Return the heads that the whole log leads to, read as from a bucket."""
    replica = reopen(DearStore(store)).replica
    log = replica.log.over(1, HEAD)
    assert log is not replica.log
    for commit, digest in log.iterate(1, HEAD):
        replica.advance(commit, digest)
    state = replica.pinned
    assert state
    return state.heads.changed


def only_bundles_are_wrong(result: Verification) -> bool:
    assert not result.ok
    assert all(item.detail.endswith("; regista rebuild") for item in result.problems)
    return {item.kind for item in result.problems} == {ProblemKind.BUNDLE}


@pytest.mark.parametrize(
    "damage",
    [flip, truncate, lambda data: data + b"\n", lambda _data: b""],
    ids=["flipped", "truncated", "longer", "emptied"],
)
@pytest.mark.parametrize("span", [FIRST, SECOND], ids=str)
def test_a_damaged_bundle_is_found_and_read_past(scene: Scene, span: Span, damage: Damage) -> None:
    scene.change(bundle_key(span), damage)
    result = scene.verify()
    assert only_bundles_are_wrong(result)
    assert span.first <= result.problems[0].seq <= span.last
    assert bundle_key(span) in result.problems[0].detail


def test_every_flipped_byte_is_found(scene: Scene) -> None:
    key = bundle_key(FIRST)
    data = scene.files[key]
    for place in range(0, len(data), len(data) // 20):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        scene.store.put(key, changed)
        assert only_bundles_are_wrong(scene.verify())


def test_swapped_bundles_are_found(scene: Scene) -> None:
    first, second = bundle_key(FIRST), bundle_key(SECOND)
    scene.store.put(first, scene.files[second])
    scene.store.put(second, scene.files[first])
    result = scene.verify()
    assert only_bundles_are_wrong(result)
    assert [item.seq for item in result.problems] == [FIRST.first, SECOND.first]


def test_two_commits_swapped_within_a_bundle_are_found(scene: Scene) -> None:
    files = [scene.files[log_key(seq)] for seq in range(1, SMALL + 1)]
    files[10], files[11] = files[11], files[10]
    scene.store.put(bundle_key(FIRST), bundle_bytes(FIRST, files))
    result = scene.verify()
    assert only_bundles_are_wrong(result)
    assert [item.seq for item in result.problems] == [11]


@pytest.mark.parametrize(
    "name",
    [
        "000000000002-000000000065.jsonl",
        "000000000001-000000000032.jsonl",
        "000000000001-000000000064.json",
        "other",
    ],
)
def test_a_file_that_is_no_bundle_by_its_name_is_found(scene: Scene, name: str) -> None:
    scene.store.put(BUNDLES_PREFIX + name, scene.files[bundle_key(FIRST)])
    result = scene.verify()
    assert only_bundles_are_wrong(result)
    assert name in result.problems[0].detail


def test_a_renamed_bundle_is_found(scene: Scene) -> None:
    scene.store.put(bundle_key(span_of(1, LARGE)), scene.files[bundle_key(FIRST)])
    result = scene.verify()
    assert only_bundles_are_wrong(result)
    assert [item.seq for item in result.problems] == [1, HEAD + 1]


def test_a_bundle_beyond_the_logs_head_is_found(scene: Scene) -> None:
    third = span_of(HEAD, SMALL)
    scene.store.put(bundle_key(third), scene.files[bundle_key(SECOND)])
    assert found(scene.verify(), HEAD + 1, ProblemKind.BUNDLE)


def test_a_log_that_was_cut_off_below_a_bundle_is_found_by_it(scene: Scene) -> None:
    for seq in range(SMALL + 10, HEAD + 1):
        scene.store.delete(log_key(seq))
    for prefix in ("tables/", "checkpoints/0"):
        for key in scene.keys(prefix):
            if f"-{SMALL:012d}" not in key and "schema" not in key:
                scene.store.delete(key)
    assert only_bundles_are_wrong(scene.verify())


def test_a_commit_that_was_changed_in_the_log_differs_from_its_bundle(scene: Scene) -> None:
    scene.change(log_key(20), flip)
    result = scene.verify()
    assert found(result, 20, ProblemKind.BUNDLE)
    # and breaks the chain, as without a bundle
    assert found(result, 21, ProblemKind.PARENT)


def test_a_missing_bundle_is_no_problem(scene: Scene) -> None:
    scene.store.delete(bundle_key(FIRST))
    assert scene.verify().ok


@pytest.mark.parametrize("damage", [flip, truncate, None], ids=["flipped", "truncated", "missing"])
def test_the_state_is_the_same_whatever_becomes_of_bundles(
    scene: Scene, damage: Damage | None
) -> None:
    before = heads(scene.store)
    for span in (FIRST, SECOND):
        if damage:
            scene.change(bundle_key(span), damage)
        else:
            scene.store.delete(bundle_key(span))
    assert heads(scene.store) == before


@pytest.mark.parametrize("dear", [True, False], ids=["bucket", "folder"])
def test_a_rebuild_mends_what_is_found(scene: Scene, dear: bool) -> None:  # noqa: FBT001
    scene.change(bundle_key(FIRST), flip)
    scene.store.put(bundle_key(span_of(HEAD, SMALL)), b"x")
    scene.store.put(f"{BUNDLES_PREFIX}other", b"x")
    assert not scene.verify().ok
    reopen(DearStore(scene.store) if dear else scene.store).rebuild()
    assert scene.verify().problems == []
    kept = {key: scene.store.get(key) for key in scene.store.list_after(BUNDLES_PREFIX)}
    assert kept == ({key: scene.files[key] for key in scene.keys(BUNDLES_PREFIX)} if dear else {})


def test_compact_makes_what_is_missing(scene: Scene) -> None:
    scene.store.delete(bundle_key(FIRST))
    reopen(DearStore(scene.store)).compact()
    assert scene.store.get(bundle_key(FIRST)) == scene.files[bundle_key(FIRST)]


def test_garbage_is_not_found_among_bundles(scene: Scene) -> None:
    before = set(scene.keys(BUNDLES_PREFIX))
    assert before.isdisjoint(
        item["key"] for item in reopen(DearStore(scene.store)).gc(grace="0s").files
    )
    assert set(scene.store.list_after(BUNDLES_PREFIX)) == before
