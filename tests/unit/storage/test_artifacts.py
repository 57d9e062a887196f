import hashlib
import os
import socket
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from fakes.progress_bar import Bar
from regista.errors import InvalidInputError, StorageError
from regista.model.manifest import FileEntry
from regista.storage.artifacts import collect, store_files
from regista.storage.blobs import BLOB_PREFIX, blob_key, get_manifest
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.storage.sources import Source
from regista.storage.store import Store


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder `model` with `weights.bin`, `sub/card.md`, and `empty/`."""
    model = tmp_path / "model"
    (model / "sub").mkdir(parents=True)
    (model / "empty").mkdir()
    (model / "weights.bin").write_bytes(b"weights")
    (model / "sub" / "card.md").write_bytes(b"card")
    return model


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore("artifacts") if request.param == "memory" else LocalStore(tmp_path / "store")


def stored_paths(*paths: Path) -> list[str]:
    return [path for path, _ in collect(paths)]


def refusal(*paths: Path) -> str:
    with pytest.raises(InvalidInputError) as caught:
        collect(paths)
    assert caught.value.message.isprintable()
    return caught.value.message


def test_one_folder_alone_contributes_its_contents(tree: Path) -> None:
    assert collect([tree]) == [
        ("sub/card.md", tree / "sub" / "card.md"),
        ("weights.bin", tree / "weights.bin"),
    ]


def test_one_file_keeps_its_name(tree: Path) -> None:
    assert stored_paths(tree / "weights.bin") == ["weights.bin"]


def test_several_paths_keep_their_base_names(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"")
    assert stored_paths(tmp_path / "notes.txt", tree) == [
        "model/sub/card.md", "model/weights.bin", "notes.txt",
    ]  # fmt: skip


def test_dots_are_named_after_the_folder_that_they_mean(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.txt").write_bytes(b"")
    monkeypatch.chdir(tree / "sub")
    assert stored_paths(Path()) == ["card.md"]
    assert stored_paths(Path(), Path("../weights.bin")) == ["sub/card.md", "weights.bin"]
    assert stored_paths(Path(".."), Path("../../notes.txt"))[0] == "model/sub/card.md"


def test_a_folder_without_files_contributes_nothing(tree: Path) -> None:
    assert collect([tree / "empty"]) == []


def test_a_link_given_by_name_is_resolved_and_keeps_its_own_name(
    tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "latest.bin").symlink_to(tree / "weights.bin")
    (tmp_path / "current").symlink_to(tree)
    assert collect([tmp_path / "latest.bin"]) == [("latest.bin", tree / "weights.bin")]
    assert stored_paths(tmp_path / "current") == ["sub/card.md", "weights.bin"]
    assert stored_paths(tmp_path / "current", tmp_path / "latest.bin")[0] == "current/sub/card.md"


def test_a_link_inside_a_folder_is_refused_by_name(tree: Path) -> None:
    (tree / "sub" / "link").symlink_to(tree / "weights.bin")
    assert "sub/link is a symbolic link" in refusal(tree)


def test_a_linked_folder_inside_a_folder_is_refused(tree: Path) -> None:
    (tree / "loop").symlink_to(tree)
    assert "loop is a symbolic link" in refusal(tree)


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert "cannot read" in refusal(tmp_path / "a")


def test_what_does_not_exist_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.bin") == f"no such file: {tmp_path}/none.bin"
    (tmp_path / "dangling").symlink_to(tmp_path / "none.bin")
    assert refusal(tmp_path / "dangling") == f"no such file: {tmp_path}/dangling"
    (tmp_path / "file").write_bytes(b"")
    assert "cannot read" in refusal(tmp_path / "file" / "below")
    assert "cannot be a path" in refusal(tmp_path / "a\0b")


def test_sockets_pipes_and_devices_are_refused(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    assert "pipe is not a regular file" in refusal(tree)
    assert "null is not a regular file" in refusal(Path("/dev/null"))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tree / "sub" / "s"))
        assert "s is not a regular file" in refusal(tree / "sub" / "s")


@pytest.mark.parametrize("name", ["a\nb", "a\x1bb", "a\\b", "a\u2028b"])
def test_names_with_control_characters_or_backslashes_are_refused(tree: Path, name: str) -> None:
    (tree / name).write_bytes(b"")
    assert "cannot store" in refusal(tree)


def test_names_that_are_not_valid_utf_8_are_refused(tree: Path) -> None:
    Path(os.fsdecode(os.fsencode(tree) + b"/caf\xe9")).write_bytes(b"")
    assert "U+DCE9" in refusal(tree)


def test_names_are_stored_in_nfc(tree: Path) -> None:
    (tree / unicodedata.normalize("NFD", "café")).write_bytes(b"")
    assert "café" in stored_paths(tree)


def test_two_names_that_are_one_in_nfc_are_refused(tree: Path) -> None:
    for form in ("NFC", "NFD"):
        (tree / unicodedata.normalize(form, "café")).write_bytes(b"")
    assert "two files would have the path 'café'" in refusal(tree)


def test_two_paths_with_one_base_name_are_refused(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"others")
    assert "two files" in refusal(tree / "weights.bin", tmp_path / "weights.bin")


def test_a_file_and_a_folder_of_one_name_are_refused(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "model").write_bytes(b"")
    assert "the folder of" in refusal(tree, tmp_path / "other" / "model")


def test_the_root_folder_among_several_has_no_name(tree: Path) -> None:
    assert "no name" in refusal(Path("/"), tree)


def test_the_registry_among_its_own_artifacts_is_refused(tree: Path) -> None:
    registry = tree / "sub"
    with pytest.raises(InvalidInputError, match="the registry itself"):
        collect([tree], registry=registry)
    with pytest.raises(InvalidInputError, match="the registry itself"):
        collect([registry], registry=registry)
    assert len(collect([tree], registry=tree / "not-made-yet")) == 2


def test_what_may_not_be_read_is_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def access(path: Path, _mode: int) -> bool:
        return path.name != "card.md"

    monkeypatch.setattr(os, "access", access)
    assert "card.md: permission denied" in refusal(tree)


def test_a_folder_that_may_not_be_listed_is_refused(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scandir(_: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", scandir)
    assert "model: Permission denied" in refusal(tree)


def test_a_folder_that_may_be_listed_but_not_entered_is_refused(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        if path.name == "card.md":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "lstat", lstat)
    assert "card.md: Permission denied" in refusal(tree)


def test_files_and_manifest_are_stored_under_their_digests(store: Store, tree: Path) -> None:
    manifest = store_files(store, collect([tree]))
    assert manifest.files == (
        FileEntry("sub/card.md", 4, hashlib.sha256(b"card").hexdigest()),
        FileEntry("weights.bin", 7, hashlib.sha256(b"weights").hexdigest()),
    )
    assert get_manifest(store, manifest.digest) == manifest
    for file in manifest.files:
        data = store.get(blob_key(file.sha256))
        assert data is not None
        assert hashlib.sha256(data).hexdigest() == file.sha256


def test_equal_files_are_stored_once(store: Store, tmp_path: Path) -> None:
    files = []
    for number in range(30):
        path = tmp_path / f"file-{number:02d}"
        path.write_bytes(b"the same" if number % 2 else b"the other")
        files.append(path)
    manifest = store_files(store, collect(files))
    assert len(manifest.files) == 30
    # two contents and the manifest
    assert len(list(store.list_after(BLOB_PREFIX))) == 3


def test_the_digest_depends_on_content_and_paths_only(tree: Path, tmp_path: Path) -> None:
    first = store_files(MemoryStore("one"), collect([tree]))
    copy = tmp_path / "copy"
    (copy / "sub").mkdir(parents=True)
    (copy / "sub" / "card.md").write_bytes(b"card")
    (copy / "weights.bin").write_bytes(b"weights")
    assert store_files(MemoryStore("two"), collect([copy])).digest == first.digest


def test_progress_reaches_its_total(store: Store, tree: Path) -> None:
    (tree / "big").write_bytes(bytes(3_000_000))
    for likely in (set[int](), {3_000_000, 7, 4}):
        bar = Bar()
        store_files(store, collect([tree]), bar, likely_sizes=likely)
        assert bar.done == bar.total == 3_000_011


def test_progress_counts_a_file_once_that_was_likely_but_is_new(store: Store, tree: Path) -> None:
    bar = Bar()
    store_files(store, collect([tree]), bar, likely_sizes={7})
    assert bar.done == bar.total == 11


def test_a_file_that_is_likely_there_and_is_is_not_copied(tree: Path) -> None:
    class Counting(MemoryStore):
        copies = 0

        def put_by_digest(
            self, source: Path, prefix: str, advance: Callable[[int], None]
        ) -> tuple[str, int]:
            self.copies += 1
            return super().put_by_digest(source, prefix, advance)

    store = Counting("counting")
    first = store_files(store, collect([tree]))
    assert store.copies == 2
    assert store_files(store, collect([tree]), likely_sizes={4, 7}) == first
    assert store.copies == 2


def test_a_uri_goes_into_the_manifest(store: Store, tree: Path) -> None:
    manifest = store_files(store, collect([tree]), uri="s3://bucket/rest")
    assert get_manifest(store, manifest.digest).uri == "s3://bucket/rest"


def test_no_files_give_an_empty_manifest(store: Store) -> None:
    assert get_manifest(store, store_files(store, []).digest).files == ()


def growing(monkeypatch: pytest.MonkeyPatch, path: Path, change: Callable[[Path], object]) -> None:
    """Change the file when its first bytes have been read."""
    real = Source.read
    pending = [change]

    def read(self: Source, buffer: memoryview) -> int:
        count = real(self, buffer)
        if pending:
            pending.pop()(path)
        return count

    monkeypatch.setattr(Source, "read", read)


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def rewrite_in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"X")
    os.utime(path, (1, 1))


def truncate(path: Path) -> None:
    os.truncate(path, 3)


@pytest.mark.parametrize("change", [append, rewrite_in_place, truncate])
@pytest.mark.parametrize("size", [10, 4_000_000])
@pytest.mark.parametrize("likely", [False, True])
def test_a_file_that_changes_meanwhile_is_refused_and_no_manifest_stored(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], object],
    size: int,
    *,
    likely: bool,
) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(size))
    growing(monkeypatch, file, change)
    with pytest.raises(InvalidInputError, match="file changed while it was read"):
        store_files(store, [("file", file)], likely_sizes={size} if likely else ())
    assert list(store.list_after("")) == []


def test_a_file_that_goes_away_meanwhile_is_refused(store: Store, tree: Path) -> None:
    files = collect([tree])
    (tree / "weights.bin").unlink()
    with pytest.raises(InvalidInputError, match=r"weights\.bin"):
        store_files(store, files)


def test_a_file_that_becomes_a_link_meanwhile_is_refused(store: Store, tree: Path) -> None:
    files = collect([tree])
    (tree / "weights.bin").unlink()
    (tree / "weights.bin").symlink_to("/etc/passwd")
    with pytest.raises(InvalidInputError, match=r"weights\.bin"):
        store_files(store, files)


def test_a_file_that_cannot_be_read_to_the_end_is_refused(
    store: Store, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_handle: int, _buffers: object) -> int:
        raise OSError(5, "Input/output error")

    files = collect([tree])
    monkeypatch.setattr(os, "readv", fail)
    with pytest.raises(InvalidInputError, match="Input/output error"):
        store_files(store, files)


def test_a_store_that_is_full_stores_no_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = []
    for number in range(20):
        (tmp_path / f"file-{number}").write_bytes(str(number).encode())
        files.append(tmp_path / f"file-{number}")
    store = LocalStore(tmp_path / "store")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="the disk is full"):
        store_files(store, collect(files))
    monkeypatch.undo()
    assert list(store.list_after("")) == []
