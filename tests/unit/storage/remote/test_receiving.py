"""Downloads that are broken off, resumed, damaged, raced and swept, against a real S3 server."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import obstore
import pytest

from regista.errors import IntegrityError, StorageError
from regista.model.manifest import FileEntry, Manifest
from regista.storage.blobs import blob_key
from regista.storage.fetching import fetch
from regista.storage.remote import growing, receiving
from regista.storage.remote.cache import FileCache
from regista.storage.remote.receiving import PART_BYTES
from regista.storage.remote.store import RemoteStore
from support import emulators

SIZE = 5 * PART_BYTES + 7


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def store(cache: Path) -> RemoteStore:
    return emulators.s3().store(cache)


@pytest.fixture
def data() -> bytes:
    return os.urandom(SIZE)


@pytest.fixture
def blob(store: RemoteStore, data: bytes) -> FileEntry:
    sha256 = hashlib.sha256(data).hexdigest()
    store.put(blob_key(sha256), data)
    return FileEntry("model.bin", len(data), sha256)


class Line:
    """The way to the store, which counts bytes, and breaks when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.received = 0
        # how many more parts come through; -1: all
        self.parts = -1
        self.before_second_part: Callable[[], object] = lambda: None
        # how many parts were asked for at one moment
        self.most = self._now = 0
        self._guard = threading.Lock()
        self._counting = threading.Lock()
        self._real = obstore.get
        monkeypatch.setattr(obstore, "get", self._get)

    def _get(self, client: Any, key: str, *, options: Any) -> Any:
        if self.parts == 0:
            # what the client says of it
            raise obstore.exceptions.GenericError("HTTP error: kind: Connect")
        self.parts -= 1
        if self.received and self._guard.acquire(blocking=False):
            self.before_second_part()
        with self._counting:
            self._now += 1
            self.most = max(self.most, self._now)
        got = self._real(client, key, options=options)
        with self._counting:
            self._now -= 1
            self.received += got.range[1] - got.range[0]
        return got


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(monkeypatch)


def partial(cache: Path, blob: FileEntry) -> Path:
    return cache / f".tmp-{blob.sha256}"


def get(store: RemoteStore, blob: FileEntry, dest: Path) -> bytes:
    fetch(store, Manifest((blob,)), dest)
    return (dest / blob.path).read_bytes()


@contextmanager
def broken_after(line: Line, parts: int) -> Iterator[None]:
    line.parts = parts
    with pytest.raises(StorageError, match="cannot be reached"):
        yield
    line.parts = -1
    line.received = 0


def test_a_download_goes_on_where_the_network_broke_it_off(
    store: RemoteStore, blob: FileEntry, data: bytes, line: Line, cache: Path, tmp_path: Path
) -> None:
    with broken_after(line, 3):
        get(store, blob, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    before = partial(cache, blob).read_bytes()
    assert len(before) >= PART_BYTES
    assert data.startswith(before)
    steps: list[int] = []
    path = store.local_path(blob_key(blob.sha256), advance=steps.append)
    assert path
    assert path.read_bytes() == data
    assert line.received == SIZE - len(before)
    assert sum(steps) == SIZE
    assert not partial(cache, blob).exists()


@pytest.mark.parametrize("left", [1, PART_BYTES, PART_BYTES + 1, SIZE - 1, SIZE])
def test_whatever_was_left_is_continued_into_cache_and_destination(
    store: RemoteStore, blob: FileEntry, data: bytes, line: Line, cache: Path, tmp_path: Path,
    left: int,
) -> None:  # fmt: skip
    cache.mkdir(exist_ok=True)
    partial(cache, blob).write_bytes(data[:left])
    assert get(store, blob, tmp_path / "out") == data
    assert line.received == SIZE - left
    line.received = 0
    assert get(store, blob, tmp_path / "again") == data
    assert line.received == 0


@pytest.mark.parametrize("damage", ["flipped", "longer", "zeros"])
def test_a_damaged_start_is_thrown_away_and_all_fetched_once(
    store: RemoteStore, blob: FileEntry, data: bytes, line: Line, cache: Path, tmp_path: Path,
    damage: str,
) -> None:  # fmt: skip
    start = data[: 2 * PART_BYTES]
    spoilt = {
        "flipped": start[:-1] + bytes([start[-1] ^ 1]), "longer": data + b"more",
        "zeros": bytes(PART_BYTES),
    }  # fmt: skip
    cache.mkdir(exist_ok=True)
    partial(cache, blob).write_bytes(spoilt[damage])
    steps: list[int] = []
    with (tmp_path / "sink").open("w+b") as sink:
        key = blob_key(blob.sha256)
        assert store.copy_to(key, sink.fileno(), steps.append) == blob.sha256
    assert (tmp_path / "sink").read_bytes() == data
    kept = store.local_path(key)
    assert kept
    assert kept.read_bytes() == data
    assert SIZE <= line.received < 2 * SIZE
    assert sum(steps) in {SIZE, len(spoilt["longer"])}
    assert not partial(cache, blob).exists()


def test_what_is_wrong_in_the_store_is_fetched_twice_and_then_said(
    store: RemoteStore, blob: FileEntry, data: bytes, line: Line, cache: Path, tmp_path: Path
) -> None:
    store.put(blob_key(blob.sha256), data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(IntegrityError, match="corrupt in the store"):
        get(store, blob, tmp_path / "out")
    assert line.received == 2 * SIZE
    assert not partial(cache, blob).exists()
    assert not (tmp_path / "out").exists()


def test_what_was_purged_leaves_nothing_of_an_old_download(
    store: RemoteStore, blob: FileEntry, data: bytes, cache: Path, tmp_path: Path
) -> None:
    cache.mkdir(exist_ok=True)
    partial(cache, blob).write_bytes(data[:PART_BYTES])
    store.delete(blob_key(blob.sha256))
    with pytest.raises(IntegrityError, match="missing"):
        get(store, blob, tmp_path / "out")
    assert list(cache.iterdir()) == []


def test_a_file_replaced_between_two_parts_comes_whole_all_the_same(
    store: RemoteStore, line: Line, data: bytes
) -> None:
    key, other = "tables/t/000000000001-000000000002.parquet", bytes(reversed(data))
    store.put(key, data)
    line.before_second_part = lambda: store.put(key, other)
    path = store.local_path(key)
    assert path
    assert path.read_bytes() == other


def test_two_who_want_the_same_never_write_into_one_file(
    store: RemoteStore, blob: FileEntry, data: bytes, line: Line, cache: Path, tmp_path: Path
) -> None:
    second = RemoteStore(store._where, client=store._client, cache=FileCache(cache, 1 << 30))  # noqa: SLF001
    line.before_second_part = lambda: got.append(get(second, blob, tmp_path / "second"))
    got: list[bytes] = []
    assert get(store, blob, tmp_path / "first") == data
    assert got == [data]
    kept = store.local_path(blob_key(blob.sha256))
    assert kept
    assert kept.read_bytes() == data
    assert [path.name for path in cache.iterdir()] == ["sha256"]


@pytest.mark.parametrize("what", ["nothing", "the file", "everything"])
def test_a_cache_that_is_emptied_meanwhile_costs_no_download(
    store: RemoteStore, blob: FileEntry, data: bytes, line: Line, cache: Path, tmp_path: Path,
    what: str,
) -> None:  # fmt: skip
    def empty() -> None:
        if what == "nothing":
            # what is being filled is not to be had for making room
            FileCache(cache, 0).make_room()
            return
        partial(cache, blob).unlink()
        if what == "everything":
            cache.rmdir()
            cache.write_bytes(b"no folder")

    line.before_second_part = empty
    assert get(store, blob, tmp_path / "out") == data
    assert line.received == SIZE
    if what == "nothing":
        assert FileCache(cache, 0).find(f"sha256/{blob.sha256[:2]}/{blob.sha256}")


def test_many_large_files_at_once_keep_few_parts_in_memory_and_all_arrive(
    store: RemoteStore, line: Line, tmp_path: Path
) -> None:
    contents = [os.urandom(4 * PART_BYTES) for _ in range(6)]
    files = []
    for number, content in enumerate(contents):
        digest = hashlib.sha256(content).hexdigest()
        store.put(blob_key(digest), content)
        files.append(FileEntry(f"{number}.bin", len(content), digest))
    with pytest.MonkeyPatch.context() as patch:
        # two for all of them, and one more of each
        patch.setattr(receiving, "_permits", threading.BoundedSemaphore(2))
        fetch(store, Manifest(tuple(files)), tmp_path / "out")
        # a permit kept would be one too few for ever, one too many raises
        for _ in range(2):
            assert receiving._permits.acquire(blocking=False)  # noqa: SLF001
    assert line.most <= 2 + len(files)
    for number, content in enumerate(contents):
        assert (tmp_path / f"out/{number}.bin").read_bytes() == content


def test_a_download_that_broke_off_leaves_the_others_their_share_of_memory(
    store: RemoteStore, blob: FileEntry, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_permits", threading.BoundedSemaphore(3))
    with broken_after(line, 2):
        get(store, blob, tmp_path / "out")
    for _ in range(3):
        assert receiving._permits.acquire(blocking=False)  # noqa: SLF001


def test_where_blocks_can_be_shared_the_disk_holds_the_file_once(
    store: RemoteStore, blob: FileEntry, data: bytes, cache: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    shared: list[int] = []

    def reflink(source: int, sink: int) -> bool:
        content = os.pread(source, SIZE, 0)
        os.pwrite(sink, content, 0)
        shared.append(len(content))
        return True

    cache.mkdir(exist_ok=True)
    partial(cache, blob).write_bytes(data[:PART_BYTES])
    monkeypatch.setattr(growing, "reflink", reflink)
    monkeypatch.setattr(growing, "copy", reflink)
    written = count_written(monkeypatch)
    assert get(store, blob, tmp_path / "out") == data
    assert shared == [PART_BYTES, SIZE]
    assert sum(written) == SIZE - PART_BYTES


def count_written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the number of bytes of each write of a part."""
    counts: list[int] = []
    real = growing._write_at  # noqa: SLF001

    def write(handle: int, data: bytes, start: int) -> None:
        counts.append(len(data))
        real(handle, data, start)

    monkeypatch.setattr(growing, "_write_at", write)
    return counts
