import hashlib
from pathlib import Path

import pytest

from fakes.dear_store import DearStore
from regista.errors import IntegrityError, NewerFormatError
from regista.model.manifest import FileEntry, Manifest
from regista.storage.blobs import (
    BlobState,
    blob_key,
    blob_states,
    check,
    get_blob,
    get_manifest,
    put_blob_bytes,
)
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.storage.store import Store


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore("blobs") if request.param == "memory" else LocalStore(tmp_path)


def put_version(store: Store, **contents: bytes) -> str:
    files = [
        FileEntry(path, len(data), put_blob_bytes(store, data)) for path, data in contents.items()
    ]
    return put_blob_bytes(store, Manifest(tuple(files)).to_bytes())


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_the_key_fans_out_by_the_first_two_digits() -> None:
    assert blob_key("1f2e3d" + "0" * 58) == "blobs/sha256/1f/1f2e3d" + "0" * 58


def test_a_blob_comes_back_by_its_digest(store: Store) -> None:
    assert put_blob_bytes(store, b"content") == sha(b"content")
    assert get_blob(store, sha(b"content")) == b"content"
    assert get_blob(store, sha(b"other")) is None


def test_a_blob_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    digest = put_blob_bytes(store, b"content")
    before = (tmp_path / blob_key(digest)).stat()
    put_blob_bytes(store, b"content")
    assert (tmp_path / blob_key(digest)).stat().st_ino == before.st_ino


def test_where_questions_are_dear_small_blobs_are_made_young_and_not_asked_for() -> None:
    store = DearStore(MemoryStore("dear"))
    for _ in range(2):
        put_blob_bytes(store, b"text")
    key = blob_key(sha(b"text"))
    assert store.calls == [("put", key), ("put", key)]


def test_a_blob_cut_short_is_mended_by_putting_it_again(store: Store) -> None:
    digest = put_blob_bytes(store, b"content")
    store.put(blob_key(digest), b"cont")
    put_blob_bytes(store, b"content")
    assert get_blob(store, digest) == b"content"


def test_bytes_that_do_not_match_their_digest_are_never_returned(store: Store) -> None:
    digest = put_blob_bytes(store, b"content")
    store.put(blob_key(digest), b"CONTENT")
    with pytest.raises(IntegrityError, match=digest) as caught:
        get_blob(store, digest)
    assert caught.value.hint == "regista verify --deep"


def test_a_manifest_comes_back_by_the_versions_digest(store: Store) -> None:
    digest = put_version(store, a=b"one")
    assert get_manifest(store, digest) == Manifest((FileEntry("a", 3, sha(b"one")),))


def test_a_missing_manifest_is_an_integrity_error(store: Store) -> None:
    with pytest.raises(IntegrityError, match=f"manifest {'0' * 64} is missing"):
        get_manifest(store, "0" * 64)


@pytest.mark.parametrize("deep", [False, True])
def test_a_whole_version_is_ok(store: Store, *, deep: bool) -> None:
    digest = put_version(store, a=b"one", b=b"", c=b"one")
    found = check(store, digest, deep=deep)
    assert found.ok
    assert (found.files, found.bytes) == (3, 6)


@pytest.mark.parametrize("deep", [False, True])
def test_every_path_of_a_missing_blob_is_named(store: Store, *, deep: bool) -> None:
    digest = put_version(store, a=b"one", b=b"two", c=b"one")
    store.delete(blob_key(sha(b"one")))
    found = check(store, digest, deep=deep)
    assert not found.ok
    assert (found.missing, found.corrupt) == (("a", "c"), ())


@pytest.mark.parametrize("deep", [False, True])
def test_a_blob_of_another_size_is_corrupt(store: Store, *, deep: bool) -> None:
    digest = put_version(store, a=b"one", b=b"two")
    store.put(blob_key(sha(b"two")), b"twofold")
    found = check(store, digest, deep=deep)
    assert (found.missing, found.corrupt) == ((), ("b",))


def test_only_a_deep_look_finds_a_flipped_byte_even_in_the_middle(store: Store) -> None:
    data = bytearray(9 << 20)
    digest = put_version(store, big=bytes(data), small=b"x")
    data[5 << 20] ^= 1
    store.put(blob_key(sha(bytes(9 << 20))), bytes(data))
    assert check(store, digest, deep=False).ok
    assert check(store, digest, deep=True).corrupt == ("big",)


def test_a_missing_manifest_is_named_by_its_digest(store: Store) -> None:
    found = check(store, "0" * 64, deep=False)
    assert not found.ok
    assert (found.missing, found.files, found.bytes) == ((f"sha256:{'0' * 64}",), 0, 0)


@pytest.mark.parametrize("data", [b"{}", b"junk"])
def test_what_is_not_a_manifest_is_corrupt(store: Store, data: bytes) -> None:
    digest = put_blob_bytes(store, data)
    assert check(store, digest, deep=False).corrupt == (f"sha256:{digest}",)


def test_a_changed_manifest_is_corrupt(store: Store) -> None:
    digest = put_version(store, a=b"one")
    store.put(blob_key(digest), Manifest(()).to_bytes())
    assert check(store, digest, deep=False).corrupt == (f"sha256:{digest}",)


def test_a_newer_manifest_is_not_called_corrupt(store: Store) -> None:
    digest = put_blob_bytes(store, b'{"files":[],"format":2}')
    with pytest.raises(NewerFormatError):
        check(store, digest, deep=False)


def test_a_blob_deleted_during_a_deep_look_is_missing() -> None:
    class Vanishing(MemoryStore):
        def get_range(self, key: str, start: int, length: int) -> bytes | None:
            self.delete(key)
            return super().get_range(key, start, length)

    store = Vanishing("vanishing")
    digest = put_blob_bytes(store, b"content")
    assert blob_states(store, {digest: 7}, deep=True) == {digest: BlobState.MISSING}


def test_many_blobs_are_looked_at_each_with_its_own_answer(store: Store) -> None:
    contents = [str(number).encode() for number in range(60)]
    sizes = {put_blob_bytes(store, data): len(data) for data in contents}
    store.delete(blob_key(sha(b"7")))
    store.put(blob_key(sha(b"33")), b"xx")
    states = blob_states(store, sizes, deep=True)
    assert states.pop(sha(b"7")) is BlobState.MISSING
    assert states.pop(sha(b"33")) is BlobState.CORRUPT
    assert set(states.values()) == {BlobState.PRESENT}
