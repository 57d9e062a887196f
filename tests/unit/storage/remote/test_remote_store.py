"""What a Store in a bucket does beyond the conformance suite, mostly against a real S3 server."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import obstore
import pytest

from regista.errors import IntegrityError, InvalidInputError, StorageError
from regista.model.manifest import FileEntry, Manifest
from regista.storage.blobs import blob_key
from regista.storage.fetching import fetch
from regista.storage.probing import probe
from regista.storage.remote.sending import PART_BYTES, part_size
from regista.storage.remote.store import RemoteStore
from regista.storage.store import PutOutcome
from support import emulators

MiB = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> RemoteStore:
    return emulators.s3().store(tmp_path / "cache")


class Requests:
    """Counts what is asked of a store's client."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        for name in ("get", "head", "put", "get_range", "list", "delete"):
            monkeypatch.setattr(obstore, name, self._counting(name))

    def _counting(self, name: str) -> object:
        real = getattr(obstore, name)

        def counted(*args: object, **options: object) -> object:
            self.made.append(name)
            return real(*args, **options)

        return counted


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Requests:
    return Requests(monkeypatch)


def a_file(folder: Path, size: int, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(os.urandom(size))
    return path


def test_our_own_bytes_under_the_key_are_never_said_to_be_anothers(store: RemoteStore) -> None:
    assert store.put_if_absent("log/1", b"ours") is PutOutcome.CREATED
    assert store.put_if_absent("log/1", b"ours") is PutOutcome.UNKNOWN
    assert store.put_if_absent("log/1", b"theirs") is PutOutcome.EXISTS


def test_a_large_file_is_sent_in_parts_and_counted_once(
    store: RemoteStore, tmp_path: Path, requests: Requests
) -> None:
    size = 2 * PART_BYTES + 5
    file = a_file(tmp_path, size)
    steps: list[int] = []
    sha256, stored = store.put_by_digest(file, "blobs/sha256/", steps.append)
    assert stored == size == sum(steps)
    assert hashlib.sha256(store.get(blob_key(sha256)) or b"").hexdigest() == sha256
    requests.made.clear()
    steps.clear()
    assert store.put_by_digest(file, "blobs/sha256/", steps.append) == (sha256, size)
    assert sum(steps) == size
    assert requests.made == ["head"]


def test_a_large_file_that_changes_while_it_is_sent_is_not_stored(
    store: RemoteStore, tmp_path: Path
) -> None:
    file = a_file(tmp_path, 3 * PART_BYTES)
    sent = 0

    def change(count: int) -> None:
        nonlocal sent
        sent += count
        if sent == MiB:
            with file.open("r+b") as stream:
                stream.seek(2 * PART_BYTES)
                stream.write(b"other bytes")

    with pytest.raises(InvalidInputError, match="changed while it was read"):
        store.put_by_digest(file, "blobs/sha256/", change)
    assert list(store.list_after("")) == []


def test_parts_grow_with_the_file_so_that_no_store_has_too_many() -> None:
    assert part_size(PART_BYTES + 1) == PART_BYTES
    for size in (10**9, 10**11, 5 * 10**12):
        assert -(-size // part_size(size)) <= 10_000


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 7])
def test_a_blob_is_fetched_once_and_then_lies_in_the_cache(
    store: RemoteStore, tmp_path: Path, requests: Requests, size: int
) -> None:
    file = a_file(tmp_path, size)
    sha256, _ = store.put_by_digest(file, "blobs/sha256/", lambda _: None)
    steps: list[int] = []
    path = store.local_path(blob_key(sha256), advance=steps.append)
    assert path
    assert path.read_bytes() == file.read_bytes()
    assert sum(steps) == size
    requests.made.clear()
    steps.clear()
    assert store.local_path(blob_key(sha256), advance=steps.append) == path
    assert (requests.made, steps) == ([], [])


def test_a_file_that_was_replaced_is_fetched_again(store: RemoteStore) -> None:
    key = "tables/commits/000000000001-000000000001.parquet"
    store.put(key, b"one")
    first = store.local_path(key)
    store.put(key, b"two")
    second = store.local_path(key)
    assert first
    assert second
    assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")


def test_a_listing_saves_asking_for_each_file(store: RemoteStore, requests: Requests) -> None:
    keys = [f"tables/t/{number}.parquet" for number in range(5)]
    for key in keys:
        store.put(key, key.encode())
    assert list(store.list_after("tables/")) == keys
    for key in keys:
        assert store.local_path(key)
    requests.made.clear()
    assert list(store.list_after("tables/")) == keys
    assert all(store.local_path(key) for key in keys)
    assert requests.made == ["list"]


def test_a_corrupt_blob_is_handed_out_as_it_is_and_never_under_its_digest(
    store: RemoteStore,
) -> None:
    sha256 = hashlib.sha256(b"right").hexdigest()
    store.put(blob_key(sha256), b"wrong")
    path = store.local_path(blob_key(sha256))
    assert path
    assert path.read_bytes() == b"wrong"
    store.put(blob_key(sha256), b"right")
    path = store.local_path(blob_key(sha256))
    assert path
    assert path.read_bytes() == b"right"


def test_damage_in_the_cache_is_mended_and_damage_in_the_store_is_found(
    store: RemoteStore, tmp_path: Path
) -> None:
    sha256, size = store.put_by_digest(a_file(tmp_path, 1000), "blobs/sha256/", lambda _: None)
    manifest = Manifest((FileEntry("model.bin", size, sha256),), "")
    cached = store.local_path(blob_key(sha256))
    assert cached
    cached.chmod(0o644)
    cached.write_bytes(b"x" * size)
    fetch(store, manifest, tmp_path / "out")
    assert hashlib.sha256((tmp_path / "out/model.bin").read_bytes()).hexdigest() == sha256
    store.put(blob_key(sha256), b"x" * size)
    cached.unlink()
    with pytest.raises(IntegrityError, match="corrupt in the store"):
        fetch(store, manifest, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_what_get_lays_down_is_nobody_elses_file(store: RemoteStore, tmp_path: Path) -> None:
    sha256, size = store.put_by_digest(a_file(tmp_path, 1000), "blobs/sha256/", lambda _: None)
    fetch(store, Manifest((FileEntry("model.bin", size, sha256),), ""), tmp_path / "out")
    path = tmp_path / "out/model.bin"
    assert path.stat().st_nlink == 1
    assert path.stat().st_mode & 0o200
    path.write_bytes(b"edited")
    cached = store.local_path(blob_key(sha256))
    assert cached
    assert cached.read_bytes() != b"edited"


def test_a_store_that_ignores_the_condition_is_refused(tmp_path: Path) -> None:
    careless = emulators.careless_s3().store(tmp_path)
    with pytest.raises(StorageError, match="cannot create a file exactly once"):
        probe(careless)
    assert list(careless.list_after("")) == []
    for one in (emulators.s3(), emulators.gcs(), emulators.azure()):
        probe(one.store(tmp_path))


FORKED = """
import os, sys
from regista.errors import StorageError
from regista.storage.opening import open_store
store = open_store(sys.argv[1])
store.get("key")
child = os.fork()
if child == 0:
    try:
        store.get("key")
    except StorageError as error:
        os._exit(7 if "forked" in error.message else 1)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_process_is_told_and_never_waits_for_ever() -> None:
    server = emulators.s3()
    done = subprocess.run(
        [sys.executable, "-c", FORKED, server.new_uri()],
        env={**os.environ, **server.environ}, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 7


def test_ctrl_c_is_heard_while_the_store_says_nothing(tmp_path: Path) -> None:
    with emulators.silent_server() as url:
        process = subprocess.Popen(
            [sys.executable, "-m", "regista", "resolve", "m@prod", "--registry", "s3://bucket/x"],
            env={**os.environ, **emulators.s3_environ(url), "HOME": str(tmp_path)},
            stderr=subprocess.PIPE,
        )
        threading.Timer(2, process.send_signal, [signal.SIGINT]).start()
        before = time.monotonic()
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - before < 10
    assert b"Traceback" not in err
