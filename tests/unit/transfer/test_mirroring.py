"""Mirrors: a sound prefix at every moment, and refused where they are none."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import regista
from fakes.dear_store import DearStore
from fakes.faulty_store import Fault, FaultyStore, KilledError
from regista.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError
from regista.model.commit import log_key
from regista.read.opening import REGISTRY_KEY, replica_of
from regista.registry.core import Registry
from regista.storage.blobs import blob_key, put_blob_bytes
from regista.storage.bundles import SMALL, bundle_key, list_bundles
from regista.storage.bundling import make_bundles
from regista.storage.cover import Span
from regista.storage.local import LocalStore
from regista.storage.log import Log
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.transfer import copying, mirroring
from regista.transfer.archive import Archive
from regista.transfer.backupfiles import write_backup
from regista.transfer.mirroring import Mirrored, mirror
from support.everything import build, build_long
from support.import_folders import URI, WORLD, write_folder
from support.registries import GATED, OPEN, artifact, copy_of, new_registry, register, reopen


@pytest.fixture(params=["memory", "local"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore("mirror") if request.param == "memory" else LocalStore(tmp_path / "mirror")


@pytest.fixture(scope="module")
def built() -> Store:
    return build().replica.store


@pytest.fixture(scope="module")
def built_long() -> Store:
    return build_long().replica.store


@pytest.fixture
def source(built: Store) -> Registry:
    return reopen(copy_of(built))


def run(source: Store, target: Store) -> Mirrored:
    return mirror(replica_of(source), target)


def content(store: Store) -> dict[str, bytes]:
    kept = ("log/", "data/", "blobs/", REGISTRY_KEY)
    return {key: store.get(key) or b"" for key in store.list_after("") if key.startswith(kept)}


def assert_sound(store: Store) -> int:
    """Check that a mirror is a registry that verifies; return its head."""
    registry = Registry(replica_of(store), actor="reader")
    found = registry.verify(deep=True)
    assert found.problems == []
    assert registry.sql("SELECT count(*) FROM commits").fetchall() == [(found.commits,)]
    return found.commits


def test_a_mirror_is_the_same_registry(built_long: Store, target: Store) -> None:
    source = reopen(built_long)
    store = source.replica.store
    done = run(store, target)
    head = source.replica.log.head()
    assert (done.seq, done.commits) == (head, head)
    assert done.commit == source.replica.log.digest(head)
    assert done.registry == source.id
    assert (done.source, done.destination) == (store.uri, target.uri)
    assert assert_sound(target) == head
    assert content(target) == content(store)
    assert done.files == sum(1 for key in content(store) if key.startswith(("data/", "blobs/")))
    assert done.bytes == sum(
        len(data) for key, data in content(store).items() if key.startswith(("data/", "blobs/"))
    )
    assert reopen(target).doctor().ok
    assert target.get(".gitattributes")


def test_the_next_run_brings_only_what_is_new(source: Registry, target: Store) -> None:
    store = source.replica.store
    run(store, target)
    assert (run(store, target).commits, run(store, target).files) == (0, 0)
    register(source, "m", "one more")
    counting = FaultyStore(target)
    done = run(store, counting)
    assert (done.commits, done.files) == (1, 2)
    assert counting.count("put_if_absent") <= 4
    assert content(target) == content(store)
    assert_sound(target)


def test_artifacts_of_no_commit_stay_where_they_are(source: Registry, target: Store) -> None:
    before = content(source.replica.store)
    artifact(source.replica.store, "being registered")
    run(source.replica.store, target)
    assert content(target) == before


def test_what_only_the_record_of_a_refusal_names_comes_along(target: Store) -> None:
    source = new_registry(GATED)
    register(source, "m", "one")
    samples = [{"sample_id": "a", "metric": "acc", "value": 1, "passed": True}]
    with source.transaction() as tx:
        tx.log_eval("m@1", "holdout", {"acc": "0.1"}, samples=samples)
        tx.promote("m@1", "staging")
    run(source.replica.store, target)
    assert [key for key in content(target) if key.startswith("data/eval_samples/")]
    assert content(target) == content(source.replica.store)
    assert_sound(target)


def test_an_import_is_mirrored_with_its_data(tmp_path: Path, target: Store) -> None:
    source = new_registry()
    source.import_bulk(write_folder(tmp_path / "tables", WORLD))
    run(source.replica.store, target)
    assert assert_sound(target) == 2
    assert content(target) == content(source.replica.store)
    mirrored = reopen(target)
    assert mirrored.show("fraud/card@1")["uri"] == URI
    assert mirrored.replica.checkpoint is not None


@pytest.mark.parametrize("from_folder", [True, False])
def test_large_files_are_copied_in_parts(
    target: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, from_folder: bool
) -> None:
    monkeypatch.setattr(copying, "PART_BYTES", 100)
    store = LocalStore(tmp_path / "source") if from_folder else MemoryStore("source")
    source = new_registry(store=store)
    register(source, "m", "x" * 1234)
    run(store, target)
    assert_sound(target)
    assert content(target) == content(store)

    key = blob_key(put_blob_bytes(store, b"y" * 1234))
    register(source, "m", "y" * 1234)
    store.put(key, b"z" * 1234)
    with pytest.raises(IntegrityError, match=rf"commit 3: {key} .* is not what its digest says"):
        run(store, target)
    assert (target.size(key), Log(target).head()) == (None, 2)


def test_a_large_file_that_is_purged_while_it_is_copied_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PART_BYTES", 100)
    store = LocalStore(tmp_path / "source")
    source = new_registry(store=store)
    register(source, "m", "x" * 1234)
    register(source, "m", "two")
    key = blob_key(put_blob_bytes(store, b"x" * 1234))
    ask = store.local_path

    def purge_and_answer(asked: str, **options: Any) -> Path | None:
        path = ask(asked, **options)
        if asked == key and store.size(key) is not None:
            source.delete("m@1", purge=True)
            source.gc()
        return path

    monkeypatch.setattr(store, "local_path", purge_and_answer)
    target = MemoryStore("mirror")
    assert run(store, target).seq == 4
    assert_sound(target)


def test_a_kill_at_any_write_leaves_a_prefix_and_the_next_run_completes_it(
    source: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirroring, "COMMITS_AT_ONCE", 7)
    store = source.replica.store
    head = source.replica.log.head()
    heads = set()
    for kill_at in range(0, 1000, 7):
        target = MemoryStore("mirror")
        try:
            run(store, FaultyStore(target, kill_at=kill_at))
        except KilledError:
            at = Log(target).head()
            if at and at not in heads:
                # a reader, and a whole look, at whatever a kill left
                assert assert_sound(target) == at
            heads.add(at)
            if kill_at % 21 == 0:
                assert run(store, target).seq == head
                assert content(target) == content(store)
            continue
        break
    assert len(heads) > 10
    assert content(target) == content(store)


def test_two_mirrors_at_once_do_each_other_no_harm(built_long: Store, target: Store) -> None:
    store = built_long
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: run(store, target), range(2)))
    assert {item.seq for item in done} == {66}
    assert content(target) == content(store)
    assert assert_sound(target) == 66


def test_what_is_written_meanwhile_comes_whole_or_next_time(source: Registry) -> None:
    store, target = source.replica.store, FaultyStore(MemoryStore("mirror"))
    at = source.replica.log.head()
    written: list[int] = []

    def write() -> None:
        if len(written) < 5:
            written.append(register(source, "m", f"number {len(written)}").seq)

    target.before_put_if_absent = write
    assert run(store, target).seq == at
    assert assert_sound(target.inner) == at
    assert run(store, target).seq == at + 5
    assert content(target) == content(store)


def test_a_purge_that_took_a_file_comes_along(target: Store) -> None:
    source = new_registry(OPEN)
    register(source, "m", "secret")
    register(source, "m", "two")
    source.delete("m@1", purge=True)
    source.gc()
    assert run(source.replica.store, target).seq == 4
    assert_sound(target)


def test_a_purge_after_the_mirror_began_comes_along_too() -> None:
    source = new_registry(OPEN)
    register(source, "m", "secret")
    register(source, "m", "two")
    store = FaultyStore(source.replica.store)
    purged: list[bool] = []

    def purge_once(key: str) -> bytes | None:
        # the head was looked up, and nothing copied yet
        if key == log_key(1) and not purged:
            purged.append(True)
            source.delete("m@1", purge=True)
            source.gc()
        return store.inner.get(key)

    store.get = purge_once  # type: ignore[method-assign]
    target = MemoryStore("mirror")
    assert run(store, target).seq == 4
    assert_sound(target)


def test_a_purge_reaches_a_mirror_with_its_own_gc(target: Store) -> None:
    source = new_registry(OPEN)
    register(source, "m", "secret")
    register(source, "m", "two")
    run(source.replica.store, target)
    source.delete("m@1", purge=True)
    source.gc()
    run(source.replica.store, target)
    assert len(content(target)) > len(content(source.replica.store))
    reopen(target).gc()
    assert content(target) == content(source.replica.store)
    run(source.replica.store, target)
    assert_sound(target)


def test_another_registry_is_refused_untouched(built: Store, target: Store) -> None:
    target.put(REGISTRY_KEY, b'{"format":1,"id":"ffffffffffffffffffffffffffffffff"}\n')
    before = content(target)
    with pytest.raises(InvalidInputError, match="another registry, ffffffffffff"):
        run(built, target)
    assert content(target) == before


def test_of_mirrors_of_two_registries_to_one_place_one_is_refused(built: Store) -> None:
    target = FaultyStore(MemoryStore("mirror"))
    other = b'{"format":1,"id":"ffffffffffffffffffffffffffffffff"}\n'
    target.before_put_if_absent = lambda: target.inner.put(REGISTRY_KEY, other)
    with pytest.raises(InvalidInputError, match="another registry"):
        run(built, target)
    assert not list(target.list_after("log/"))


def test_the_registry_itself_is_no_place_for_its_mirror(built: Store) -> None:
    with pytest.raises(InvalidInputError, match="what is to be mirrored"):
        run(built, built)


def test_an_empty_registry_cannot_be_mirrored(target: Store) -> None:
    source = MemoryStore("empty")
    with pytest.raises(NotFoundError):
        run(source, target)
    source.put(REGISTRY_KEY, b'{"format":1,"id":"ffffffffffffffffffffffffffffffff"}\n')
    with pytest.raises(NotFoundError, match="empty"):
        run(source, target)
    assert content(target) == {}


def test_a_registry_is_not_mirrored_into_another(built: Store, tmp_path: Path) -> None:
    new_registry(folder=tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidInputError, match="inside the registry"):
        run(built, LocalStore(tmp_path / "log" / "copy"))
    assert sorted(tmp_path.rglob("*")) == before


def test_commits_without_a_registry_are_refused(built: Store, target: Store) -> None:
    target.put(log_key(1), built.get(log_key(1)) or b"")
    with pytest.raises(IntegrityError, match=r"has commits and no registry\.json"):
        run(built, target)


@pytest.mark.parametrize("also", [0, 1, 5])
def test_writing_to_a_mirror_is_found_with_the_first_commit_that_is_too_many(
    source: Registry, target: Store, also: int
) -> None:
    run(source.replica.store, target)
    head = source.replica.log.head()
    reopen(target).tag("m", {"written": "here"})
    for number in range(also):
        source.tag("m", {"written": str(number)})
    before = content(target)
    what = "differs" if also else "is not in the source"
    with pytest.raises(IntegrityError, match=f"its commit {head + 1} {what}"):
        run(source.replica.store, target)
    assert content(target) == before


@pytest.mark.parametrize("seq", [1, 2, 3, 17])
def test_the_first_commit_that_differs_is_named(built: Store, seq: int) -> None:
    target = FaultyStore(copy_of(built))
    for later in range(seq, Log(built).head() + 1):
        target.put(log_key(later), (built.get(log_key(later)) or b"") + b"signed\n")
    with pytest.raises(IntegrityError, match=f"its commit {seq} differs"):
        run(built, target)


def test_a_commit_that_another_writes_at_the_same_moment_is_found(source: Registry) -> None:
    target = FaultyStore(MemoryStore("mirror"))
    head = source.replica.log.head()

    def write() -> None:
        if Log(target.inner).head() == head - 1:
            target.inner.put_if_absent(log_key(head), b"ours\n")

    target.before_put_if_absent = write
    with pytest.raises(IntegrityError, match=f"its commit {head} differs"):
        run(source.replica.store, target)


def test_an_answer_that_never_comes_is_said(
    source: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    target = FaultyStore(MemoryStore("mirror"))
    store = source.replica.store
    run(store, target)
    register(source, "m", "more")
    target.order("put_if_absent", *[Fault.UNKNOWN_BEFORE] * 5)
    with pytest.raises(ConflictError, match="did not say whether"):
        run(store, target)
    assert run(store, target).commits == 1


@pytest.mark.parametrize("kind", ["blobs/", "data/", "log/"])
@pytest.mark.parametrize("damage", ["flipped", "missing"])
def test_a_damaged_file_stops_it_before_the_commit_that_needs_it(
    source: Registry, kind: str, damage: str, target: Store
) -> None:
    store = source.replica.store
    source.gc()
    keys = list(store.list_after(kind))
    key = keys[len(keys) // 2]
    if damage == "missing":
        store.delete(key)
    else:
        data = store.get(key) or b""
        store.put(key, data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
    with pytest.raises(IntegrityError, match=r"commit \d+"):
        run(store, target)
    at = Log(target).head()
    assert at < source.replica.log.head()
    if at:
        found = Registry(replica_of(target), actor="reader").verify(deep=True)
        # its tables are made at the end of a run
        assert {item.kind for item in found.problems} <= {"table"}


def test_a_target_that_lost_its_tables_gets_them_again(built_long: Store, target: Store) -> None:
    run(built_long, target)
    for prefix in ("tables/", "checkpoints/"):
        for key in list(target.list_after(prefix)):
            target.delete(key)
    assert run(built_long, target).commits == 0
    assert_sound(target)
    assert list(target.list_after("checkpoints/"))


def test_registries_are_moved_from_python(built: Store, tmp_path: Path) -> None:
    original, copy, again = (str(tmp_path / name) for name in ("original", "copy", "again"))
    run(built, LocalStore(Path(original)))
    assert regista.mirror(original, copy).seq == Log(built).head()
    done = regista.export_full(copy, tmp_path / "backup.tar")
    assert regista.import_full(tmp_path / "backup.tar", again).commit == done.commit
    assert regista.open(again).verify(deep=True).ok


def test_what_an_earlier_run_left_is_settled_before_it_is_vouched_for(source: Registry) -> None:
    store, target = source.replica.store, MemoryStore("settled")
    blobs = list(store.list_after("blobs/"))
    for key in blobs:
        target.put(key, store.get(key) or b"")
    watched = FaultyStore(target)
    done = run(store, watched)
    assert {("settle", key) for key in blobs} <= set(watched.calls)
    again = FaultyStore(target)
    run(store, again)
    assert ("settle", log_key(done.seq)) in again.calls


@pytest.mark.parametrize("way", ["mirror", "backup"])
def test_bundles_of_the_log_are_made_anew_where_questions_are_dear(
    built_long: Store, tmp_path: Path, way: str
) -> None:
    source, target = copy_of(built_long), DearStore(MemoryStore("dear"))
    span = Span(1, SMALL)
    source.put(bundle_key(span), b"not copied")
    if way == "mirror":
        run(source, target)
    else:
        done = write_backup(replica_of(source), str(tmp_path / "backup.tar"))
        with (tmp_path / "backup.tar").open("rb") as file, Archive(file.fileno(), "it") as archive:
            assert not list(archive.list_after("checkpoints/"))
            assert mirror(replica_of(archive), target).commit == done.commit
    assert list_bundles(target) == {span}
    # read once for the bundle, and the tables and heads are made from that
    assert target.asked("log/") <= SMALL + 16
    assert_sound(target)


def test_a_source_with_bundles_is_mirrored_by_them_and_a_damaged_one_is_passed_over(
    built_long: Store,
) -> None:
    source, head = copy_of(built_long), Log(built_long).head()
    make_bundles(DearStore(source), head)
    seen = DearStore(source)
    done = run(seen, MemoryStore("by bundles"))
    assert seen.asked("log/") < 10
    source.put(bundle_key(Span(1, SMALL)), b"damaged")
    assert run(DearStore(source), MemoryStore("by files")).commit == done.commit


def test_what_the_log_of_a_bucket_lost_is_mirrored_from_a_bundle(built_long: Store) -> None:
    source, head = copy_of(built_long), Log(built_long).head()
    make_bundles(DearStore(source), head)
    source.delete(log_key(20))
    source.put(log_key(21), b"damaged")
    target = MemoryStore("whole")
    run(DearStore(source), target)
    assert all(target.get(log_key(seq)) == built_long.get(log_key(seq)) for seq in (20, 21))
    assert_sound(target)
    # and of a log whose end is not what it was, nothing is believed
    source.put(log_key(SMALL), b"damaged")
    with pytest.raises(IntegrityError, match="commit 20 is missing"):
        run(DearStore(source), MemoryStore("broken"))
