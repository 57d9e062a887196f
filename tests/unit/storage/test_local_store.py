"""What is particular to a folder as a store; the rest is in the conformance suite."""

import errno
import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.failing_system import failing, files_below
from regista.errors import StorageError
from regista.storage import copying
from regista.storage.local import LocalStore
from regista.storage.store import PutOutcome


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "registry")


def test_temporary_and_foreign_names_are_not_listed(store: LocalStore) -> None:
    store.put("log/1", b"x")
    root = Path(store.uri)
    (root / "log" / ".tmp-0123").write_bytes(b"half")
    (root / ".tmp-folder").mkdir()
    (root / ".tmp-folder" / "file").write_bytes(b"half")
    (root / "my notes.txt").write_bytes(b"mine")
    assert list(store.list_after("")) == ["log/1"]


def test_symbolic_links_are_neither_listed_nor_read(store: LocalStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    store.put("log/1", b"x")
    (Path(store.uri) / "log" / "2").symlink_to(secret)
    assert list(store.list_after("log/")) == ["log/1"]
    assert store.size("log/2") is None
    assert store.local_path("log/2") is None
    with pytest.raises(StorageError, match="symbolic link"):
        store.get("log/2")
    assert store.put_if_absent("log/2", b"x") is PutOutcome.EXISTS
    store.put("log/2", b"x")
    assert secret.read_bytes() == b"secret"


def test_a_folder_behind_a_symbolic_link_is_refused(store: LocalStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "sub").mkdir(parents=True)
    (outside / "sub" / "key").write_bytes(b"outside")
    store.put("real/key", b"x")
    (Path(store.uri) / "linked").symlink_to(outside)
    operations: list[Callable[[], object]] = [
        lambda: store.get("linked/sub/key"),
        lambda: store.size("linked/sub/key"),
        lambda: store.put("linked/sub/new", b"x"),
        lambda: store.put_if_absent("linked/sub/new", b"x"),
        lambda: store.delete("linked/sub/key"),
        lambda: list(store.list_after("linked/sub/")),
    ]
    for operation in operations:
        with pytest.raises(StorageError, match="linked: it is a symbolic link"):
            operation()
    assert files_below(outside) == ["sub/key"]


def test_the_root_itself_may_be_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "registry").symlink_to(tmp_path / "disk")
    store = LocalStore(tmp_path / "registry")
    store.put("log/1", b"x")
    assert files_below(tmp_path / "disk") == ["log/1"]


def test_a_pipe_among_the_files_does_not_block(store: LocalStore) -> None:
    store.put("log/1", b"x")
    os.mkfifo(Path(store.uri) / "log" / "2")
    assert store.get("log/2") is None
    assert list(store.list_after("log/")) == ["log/1"]


def test_a_root_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    store = LocalStore(tmp_path / "file")
    assert store.get("log/1") is None
    with pytest.raises(StorageError, match="file"):
        store.put("log/1", b"x")


def test_a_folder_removed_meanwhile_is_made_again(store: LocalStore) -> None:
    store.put("checkpoints/1/a", b"x")
    (Path(store.uri) / "checkpoints" / "1" / "a").unlink()
    (Path(store.uri) / "checkpoints" / "1").rmdir()
    (Path(store.uri) / "checkpoints").rmdir()
    store.put("checkpoints/1/b", b"y")
    assert store.get("checkpoints/1/b") == b"y"


def test_deleting_the_last_key_removes_empty_folders_but_not_those_that_locks_are_on(
    store: LocalStore,
) -> None:
    for key in ("checkpoints/1/heads/a", "checkpoints/2/b"):
        store.put(key, b"x")
    with store.lock("checkpoints", timeout_s=0):
        store.delete("checkpoints/1/heads/a")
        assert [path.name for path in Path(store.uri, "checkpoints").iterdir()] == ["2"]
        store.delete("checkpoints/2/b")
        with store.lock("checkpoints", timeout_s=0) as other:
            assert not other
    assert list(Path(store.uri, "checkpoints").iterdir()) == []


def vanishing_folder(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Remove the folder that a file is about to be moved to, as a sweep of empty ones would."""
    real = Path.replace
    left = times

    def replace(source: Path, target: Path) -> Path:
        nonlocal left
        if left and not list(target.parent.iterdir()):
            left -= 1
            target.parent.rmdir()
        return real(source, target)

    monkeypatch.setattr(Path, "replace", replace)


def test_a_blobs_folder_swept_away_as_empty_is_made_again(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "source").write_bytes(b"content")
    vanishing_folder(monkeypatch, times=3)
    sha256, _ = store.put_by_digest(tmp_path / "source", "blobs/", lambda _: None)
    assert store.get(f"blobs/{sha256[:2]}/{sha256}") == b"content"


def test_a_blobs_folder_that_never_stays_is_a_storage_error(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "source").write_bytes(b"content")
    vanishing_folder(monkeypatch, times=1000)
    with pytest.raises(StorageError, match="cannot write"):
        store.put_by_digest(tmp_path / "source", "blobs/", lambda _: None)
    assert files_below(Path(store.uri)) == []


def test_the_root_stays_where_it_was_when_the_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = LocalStore(Path("registry"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.put("log/1", b"x")
    assert store.uri == str(tmp_path / "registry")
    assert files_below(tmp_path) == ["registry/log/1"]


def test_a_listing_does_not_open_folders_that_sort_before(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in range(4):
        store.put(f"log/{folder:06d}/1.json", b"x")
    opened: list[str] = []
    real = os.scandir

    def scandir(path: Path) -> object:
        opened.append(path.name)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert list(store.list_after("log/", "log/000002/0.json")) == [
        "log/000002/1.json", "log/000003/1.json",
    ]  # fmt: skip
    assert opened == ["log", "000002", "000003"]


def test_stored_files_are_copies_even_where_reflinks_work(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reflink(source: int, sink: int) -> bool:
        copying.write_all(sink, os.pread(source, os.fstat(source).st_size, 0))
        os.lseek(sink, 0, os.SEEK_SET)
        return True

    monkeypatch.setattr(copying, "reflink", reflink)
    file = tmp_path / "file"
    file.write_bytes(b"content" * 400_000)
    steps: list[int] = []
    sha256, size = store.put_by_digest(file, "blobs/", steps.append)
    store.put("copy", file)
    assert sum(steps) == size == 2_800_000
    assert store.get(f"blobs/{sha256[:2]}/{sha256}") == store.get("copy") == file.read_bytes()
    assert file.stat().st_nlink == 1


def test_a_reflink_is_taken_for_made_only_when_the_system_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr(fcntl, "ioctl", lambda *args: asked.append(args))
    assert copying.reflink(5, 6)
    assert asked == [(6, 0x40049409, 5)]
    monkeypatch.setattr(fcntl, "ioctl", failing(errno.EOPNOTSUPP))
    assert not copying.reflink(5, 6)
    assert files_below(tmp_path) == []


def test_a_copy_in_the_kernel_that_fails_is_made_by_hand(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content" * 400_000)
    monkeypatch.setattr(os, "copy_file_range", failing(errno.EXDEV))
    store.put("copy", file)
    assert store.get("copy") == file.read_bytes()


def test_a_scratch_folder_lies_in_the_root_under_a_temporary_name(store: LocalStore) -> None:
    with store.scratch() as folder:
        assert folder.parent == Path(store.uri)
        assert folder.name.startswith(".tmp-")


def test_a_lock_on_a_folder_that_is_not_there_is_not_held(store: LocalStore) -> None:
    with store.lock("log", timeout_s=60) as held:
        assert not held
    assert not Path(store.uri).exists()


def test_a_registry_removed_under_a_put_is_a_storage_error(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.replace

    def replace(source: Path, target: Path) -> Path:
        shutil.rmtree(store.uri)
        return real(source, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(StorageError, match=r"cannot write .*log/1"):
        store.put("log/1", b"x")


def test_scratch_of_a_registry_that_cannot_be_written_lies_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_parent: Path) -> None:
        raise StorageError("the file system is read-only")

    monkeypatch.setattr("regista.storage.local.temporary_folder", refuse)
    with LocalStore(tmp_path / "registry").scratch() as folder:
        assert folder.is_dir()
        assert not folder.is_relative_to(tmp_path / "registry")
    assert not folder.exists()
