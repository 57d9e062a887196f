"""What every Store must do. A new kind of store adds one line to `STORES` and nothing else."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regista.errors import InvalidInputError, StorageError
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.storage.store import PutOutcome, Store, digest_key
from support import emulators

MiB = 1 << 20
numbers = count()


def local(folder: Path) -> Store:
    return LocalStore(folder / "registry")


def memory(_: Path) -> Store:
    return MemoryStore(f"conformance-{next(numbers)}")


def s3(folder: Path) -> Store:
    return emulators.s3().store(folder / "cache")


def gcs(folder: Path) -> Store:
    return emulators.gcs().store(folder / "cache")


def azure(folder: Path) -> Store:
    return emulators.azure().store(folder / "cache")


STORES: dict[str, Callable[[Path], Store]] = {
    "local": local, "memory": memory, "s3": s3, "gcs": gcs, "azure": azure,
}  # fmt: skip
# object stores have no locks, and say so at once
LOCKING = ("local", "memory")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return STORES[request.param](tmp_path)


@pytest.fixture(params=LOCKING)
def locking(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return STORES[request.param](tmp_path)


def nothing(_: int) -> None:
    """Not interested in progress."""


def test_of_sixteen_racers_for_fifty_keys_one_creates_each(store: Store) -> None:
    keys = [f"log/000000/{number:012d}.json" for number in range(50)]
    start = threading.Barrier(16)

    def race(racer: int) -> list[str]:
        start.wait()
        return [
            key
            for key in keys
            if store.put_if_absent(key, f"{racer} {key}".encode()) is PutOutcome.CREATED
        ]

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(race, range(16)))
    assert sorted(key for keys_won in won for key in keys_won) == keys
    for racer, keys_won in enumerate(won):
        for key in keys_won:
            assert store.get(key) == f"{racer} {key}".encode()
    assert list(store.list_after("log/")) == keys


def test_a_second_conditional_put_changes_nothing(store: Store) -> None:
    assert store.put_if_absent("registry.json", b"first") is PutOutcome.CREATED
    assert store.put_if_absent("registry.json", b"second") is PutOutcome.EXISTS
    assert store.get("registry.json") == b"first"


def test_a_conditional_put_does_not_replace_what_a_put_wrote(store: Store) -> None:
    store.put("a/b", b"put")
    assert store.put_if_absent("a/b", b"late") is PutOutcome.EXISTS
    assert store.get("a/b") == b"put"


def test_put_replaces_by_longer_shorter_and_empty_bytes(store: Store) -> None:
    for data in (b"one", b"much longer than one", b"", b"x"):
        store.put("a/key", data)
        assert store.get("a/key") == data
        assert store.size("a/key") == len(data)
    assert list(store.list_after("")) == ["a/key"]


def test_readers_never_see_a_value_half_replaced(store: Store) -> None:
    values = [bytes([letter]) * 50_000 for letter in b"abc"]
    store.put("value", values[0])
    done = threading.Event()
    seen: list[bytes | None] = []

    def read() -> None:
        while not done.is_set():
            seen.append(store.get("value"))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        for value in values:
            store.put("value", value)
    done.set()
    reader.join()
    assert set(seen) <= set(values)


def test_put_of_a_path_copies_the_file_and_leaves_it(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content" * 100_000)
    store.put("tables/t/1-1.parquet", file)
    file.write_bytes(b"edited")
    assert store.get("tables/t/1-1.parquet") == b"content" * 100_000
    assert file.stat().st_nlink == 1


def test_put_of_a_path_that_is_gone_is_a_storage_error(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="gone"):
        store.put("key", tmp_path / "gone")
    assert store.get("key") is None


def test_a_file_is_stored_once_under_its_digest(store: Store, tmp_path: Path) -> None:
    for number, data in enumerate((b"", b"small", b"x" * MiB, b"y" * (MiB + 1), b"small")):
        file = tmp_path / f"file-{number}"
        file.write_bytes(data)
        steps: list[int] = []
        sha256, size = store.put_by_digest(file, "blobs/sha256/", steps.append)
        assert sha256 == hashlib.sha256(data).hexdigest()
        assert size == sum(steps) == len(data)
        assert store.get(digest_key("blobs/sha256/", sha256)) == data
    assert len(list(store.list_after("blobs/"))) == 4


def test_content_that_is_there_with_a_wrong_size_is_mended(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"whole")
    key = digest_key("blobs/sha256/", hashlib.sha256(b"whole").hexdigest())
    store.put(key, b"who")
    store.put_by_digest(file, "blobs/sha256/", nothing)
    assert store.get(key) == b"whole"


@pytest.mark.parametrize("what", ["missing", "folder", "link"])
def test_only_regular_files_are_stored_by_digest(store: Store, tmp_path: Path, what: str) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with pytest.raises(InvalidInputError, match=what):
        store.put_by_digest(tmp_path / what, "blobs/sha256/", nothing)
    assert list(store.list_after("")) == []


def test_stopping_a_copy_by_digest_stores_nothing(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"z" * (3 * MiB))

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.put_by_digest(file, "blobs/sha256/", stop)
    assert list(store.list_after("")) == []


def test_ranges_are_cut_at_the_end(store: Store) -> None:
    store.put("key", b"0123456789")
    assert store.get_range("key", 0, 4) == b"0123"
    assert store.get_range("key", 4, 4) == b"4567"
    assert store.get_range("key", 8, 4) == b"89"
    assert store.get_range("key", 10, 4) == b""
    assert store.get_range("key", 99, 4) == b""
    assert store.get_range("key", 3, 0) == b""


def test_eight_megabytes_come_back_whole_and_in_parts(store: Store) -> None:
    data = hashlib.sha256(b"seed").digest() * (8 * MiB // 32)
    assert store.put_if_absent("data/big", data) is PutOutcome.CREATED
    assert store.get("data/big") == data
    assert store.get_range("data/big", 5 * MiB + 7, MiB) == data[5 * MiB + 7 : 6 * MiB + 7]


def test_a_missing_key_is_none_and_deleting_it_is_fine(store: Store, tmp_path: Path) -> None:
    store.put("there/key", b"x")
    # below nothing, beside something, a folder, below a file
    for key in ("nowhere/key", "there/other", "there", "there/key/below"):
        assert store.get(key) is None
        assert store.get_range(key, 0, 1) is None
        assert store.size(key) is None
        assert store.local_path(key) is None
        assert copied(store, key, tmp_path) is None
    for key in ("nowhere/key", "there/other", "there/key/below"):
        store.delete(key)
    assert list(store.list_after("")) == ["there/key"]


def test_a_deleted_key_is_gone_and_can_be_created_again(store: Store) -> None:
    store.put("a/b/c", b"x")
    store.delete("a/b/c")
    assert store.get("a/b/c") is None
    assert list(store.list_after("a/")) == []
    assert store.put_if_absent("a/b/c", b"y") is PutOutcome.CREATED


def test_keys_may_have_many_levels(store: Store) -> None:
    key = "/".join(f"level-{number}" for number in range(30))
    assert store.put_if_absent(key, b"deep") is PutOutcome.CREATED
    assert store.get(key) == b"deep"
    assert list(store.list_after("level-0/level-1/")) == [key]


def test_a_prefix_lists_only_what_is_below_it(store: Store) -> None:
    for key in ("log/1", "log/2", "logs/3", "log-4", "other/log/5"):
        store.put(key, b"x")
    assert list(store.list_after("log/")) == ["log/1", "log/2"]
    assert list(store.list_after("nothing/")) == []


def test_after_need_not_exist_nor_lie_below_the_prefix(store: Store) -> None:
    keys = [f"log/{number // 3:03d}/{number:05d}" for number in range(9)]
    for key in keys:
        store.put(key, b"x")
    assert list(store.list_after("log/", "log/001/00003")) == keys[4:]
    assert list(store.list_after("log/", "log/001/00003x")) == keys[4:]
    assert list(store.list_after("log/", "log/001")) == keys[3:]
    assert list(store.list_after("log/", "a")) == keys
    assert list(store.list_after("log/", "z")) == []
    assert list(store.list_after("log/", keys[-1])) == []


segments = st.text(st.sampled_from("ab0-._=+Z"), min_size=1, max_size=3).filter(
    lambda text: text not in {".", ".."}
)


def is_a_tree(keys: set[str]) -> bool:
    return not any(key.startswith(f"{other}/") for key in keys for other in keys)


key_sets = st.sets(st.lists(segments, min_size=1, max_size=3).map("/".join), max_size=12).filter(
    is_a_tree
)


@pytest.mark.parametrize("kind", STORES)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(keys=key_sets, after=st.lists(segments, max_size=3).map("/".join))
def test_a_listing_is_in_the_order_of_whole_keys(
    kind: str, tmp_path_factory: pytest.TempPathFactory, keys: set[str], after: str
) -> None:
    store = STORES[kind](tmp_path_factory.mktemp("listing"))
    for key in keys:
        store.put(key, b"x")
    assert list(store.list_after("")) == sorted(keys)
    assert list(store.list_after("", after)) == sorted(key for key in keys if key > after)


BAD_KEYS = ["", "/", "/etc/passwd", "../up", "a/../../up", "a//b", "a/", "./a", "a/.", "a b", "é",
            "a\n", "a\0b", ".tmp-1", "a/.tmp-1/b", "a\\b"]  # fmt: skip


@pytest.mark.parametrize("key", BAD_KEYS)
def test_what_is_not_a_key_is_refused_by_every_operation(
    store: Store, tmp_path: Path, key: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    operations: list[Callable[[], object]] = [
        lambda: store.put_if_absent(key, b""),
        lambda: store.put(key, b""),
        lambda: store.put(key, file),
        lambda: store.get(key),
        lambda: store.get_range(key, 0, 1),
        lambda: store.size(key),
        lambda: store.delete(key),
        lambda: store.local_path(key),
        lambda: copied(store, key, tmp_path),
    ]
    for operation in operations:
        with pytest.raises(StorageError, match="not a key"):
            operation()
    assert list(store.list_after("")) == []


def test_a_local_path_holds_the_bytes(store: Store) -> None:
    store.put("blobs/one", b"content")
    path = store.local_path("blobs/one")
    assert path is not None
    assert path.read_bytes() == b"content"


@pytest.mark.parametrize("size", [0, 1, 9 * MiB + 1])
def test_a_copy_holds_the_bytes_and_tells_their_digest(
    store: Store, tmp_path: Path, size: int
) -> None:
    data = (bytes(range(256)) * (size // 256 + 1))[:size]
    key = digest_key("blobs/sha256/", hashlib.sha256(data).hexdigest())
    store.put(key, data)
    for fresh in (False, False, True):
        steps: list[int] = []
        assert copied(store, key, tmp_path, steps, fresh=fresh) == data
        assert sum(steps) == size


def test_a_copy_tells_the_digest_of_what_is_there_whatever_the_key_says(
    store: Store, tmp_path: Path
) -> None:
    key = digest_key("blobs/sha256/", hashlib.sha256(b"right").hexdigest())
    store.put(key, b"wrong")
    assert copied(store, key, tmp_path) == b"wrong"
    store.put(key, b"right")
    assert copied(store, key, tmp_path, fresh=True) == b"right"


def copied(
    store: Store, key: str, folder: Path, steps: list[int] | None = None, *, fresh: bool = False
) -> bytes | None:
    """Copy a key to a new file; return what is in it, which must have the digest that was told."""
    path = folder / f"copy-{next(numbers)}"
    with path.open("w+b") as sink:
        heed = steps.append if steps is not None else lambda _: None
        digest = store.copy_to(key, sink.fileno(), heed, fresh=fresh)
    data = path.read_bytes()
    assert path.stat().st_nlink == 1
    assert digest is None or digest == hashlib.sha256(data).hexdigest()
    return None if digest is None else data


def test_an_exclusive_lock_keeps_others_out_until_it_is_released(locking: Store) -> None:
    locking.put("log/1", b"x")
    with locking.lock("log", timeout_s=0) as held:
        assert held
        with locking.lock("log", timeout_s=0) as other:
            assert not other
        with locking.lock("log", timeout_s=0.01, shared=True) as other:
            assert not other
    # whoever gave up waiting may still be on the way out of the queue
    with locking.lock("log", timeout_s=60) as held:
        assert held


def test_a_shared_lock_excludes_only_exclusive_ones(locking: Store) -> None:
    locking.put("blobs/1", b"x")
    with (
        locking.lock("blobs", timeout_s=0, shared=True) as first,
        locking.lock("blobs", timeout_s=0, shared=True) as second,
    ):
        assert first
        assert second
        with locking.lock("blobs", timeout_s=0) as alone:
            assert not alone
    with locking.lock("blobs", timeout_s=0) as alone:
        assert alone


def test_locks_of_different_names_are_different(locking: Store) -> None:
    locking.put("log/1", b"x")
    locking.put("blobs/1", b"x")
    with locking.lock("log", timeout_s=0) as one, locking.lock("blobs", timeout_s=0) as other:
        assert one
        assert other


def test_who_waits_for_a_lock_gets_it_when_it_is_released(locking: Store) -> None:
    locking.put("log/1", b"x")
    order: list[str] = []
    waiting = threading.Event()

    def wait() -> None:
        waiting.set()
        with locking.lock("log", timeout_s=60) as held:
            order.append(f"second {held}")

    with locking.lock("log", timeout_s=0):
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second True"]


def test_a_lock_is_released_when_its_block_fails(locking: Store) -> None:
    locking.put("log/1", b"x")
    with pytest.raises(ZeroDivisionError), locking.lock("log", timeout_s=0):
        raise ZeroDivisionError
    with locking.lock("log", timeout_s=0) as held:
        assert held


@pytest.mark.parametrize("kind", sorted(STORES.keys() - set(LOCKING)))
def test_without_locks_nobody_waits_for_one(kind: str, tmp_path: Path) -> None:
    store = STORES[kind](tmp_path)
    for shared in (False, True):
        with store.lock("log", timeout_s=3600, shared=shared) as held:
            assert not held


def test_a_scratch_folder_is_empty_its_own_unlisted_and_gone_afterwards(store: Store) -> None:
    with store.scratch() as one, store.scratch() as other:
        assert one != other
        assert list(one.iterdir()) == []
        (one / "sub").mkdir()
        (one / "sub" / "file").write_bytes(b"x")
        store.put("from-scratch", one / "sub" / "file")
        assert list(store.list_after("")) == ["from-scratch"]
    assert not one.exists()
    assert not other.exists()


def test_a_scratch_folder_goes_when_its_block_fails(store: Store) -> None:
    lent: list[Path] = []

    def fail() -> None:
        with store.scratch() as folder:
            (folder / "file").write_bytes(b"x")
            lent.append(folder)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not lent[0].exists()


def test_a_key_is_as_old_as_its_last_write(store: Store) -> None:
    assert store.age_s("log/none") is None
    assert store.put_if_absent("log/x", b"1") is PutOutcome.CREATED
    store.put("log/y", b"1")
    for key in ("log/x", "log/y"):
        age = store.age_s(key)
        assert age is not None
        assert 0 <= age < 60
    store.delete("log/x")
    assert store.age_s("log/x") is None
