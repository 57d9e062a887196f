"""What is particular to a folder as a store; the rest is in the conformance suite."""

import errno
import fcntl
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from regista.errors import StorageError
from regista.storage import copying
from regista.storage.local import LocalStore
from regista.storage.store import PutOutcome
from regista.storage.temporary import sweep_temporary


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "registry")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The system calls that make a write durable, in order, with temporary names as `.tmp`."""
    log: list[str] = []
    real_fsync = os.fsync

    def name(path: Path) -> str:
        return re.sub(r"\.tmp-[0-9a-f]+", ".tmp", path.name)

    def fsync(handle: int) -> None:
        log.append(f"fsync {name(Path(f'/proc/self/fd/{handle}').readlink())}")
        real_fsync(handle)

    def recorded(call: str) -> Callable[..., None]:
        real: Callable[..., None] = getattr(os, call)

        def run(*args: Path | int, **options: bool) -> None:
            shown = [name(arg) for arg in args if isinstance(arg, Path)]
            log.append(" ".join([call, *shown]))
            real(*args, **options)

        return run

    monkeypatch.setattr(os, "fsync", fsync)
    for call in ("link", "replace", "mkdir"):
        monkeypatch.setattr(os, call, recorded(call))
    return log


def leave(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def failing(code: int) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    return fail


def test_a_conditional_put_syncs_folders_then_the_file_then_links_then_syncs_its_folder(
    store: LocalStore, calls: list[str]
) -> None:
    store.put_if_absent("log/000000/1.json", b"x")
    assert calls == [
        "mkdir registry", f"fsync {Path(store.uri).parent.name}",
        "mkdir log", "fsync registry",
        "mkdir 000000", "fsync log",
        "fsync .tmp", "link .tmp 1.json", "fsync 000000",
    ]  # fmt: skip
    calls.clear()
    store.put_if_absent("log/000000/2.json", b"x")
    assert calls == ["fsync .tmp", "link .tmp 2.json", "fsync 000000"]


def test_folders_that_another_process_made_are_synced_once(
    store: LocalStore, calls: list[str]
) -> None:
    LocalStore(Path(store.uri)).put("log/1", b"x")
    calls.clear()
    store.put("log/2", b"x")
    assert calls == ["mkdir log", "fsync registry", "fsync .tmp", "replace .tmp 2", "fsync log"]


@pytest.mark.parametrize("from_path", [False, True])
def test_put_syncs_the_file_then_replaces_then_syncs_its_folder(
    store: LocalStore, calls: list[str], tmp_path: Path, *, from_path: bool
) -> None:
    (tmp_path / "source").write_bytes(b"x")
    store.put("folder/first", b"x")
    calls.clear()
    store.put("folder/key", tmp_path / "source" if from_path else b"x")
    assert calls == ["fsync .tmp", "replace .tmp key", "fsync folder"]


def test_a_blob_is_synced_before_it_has_its_name_and_its_folder_after(
    store: LocalStore, calls: list[str], tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(b"content" * 1_000_000)
    sha256, _ = store.put_by_digest(tmp_path / "source", "blobs/", lambda _: None)
    end = calls.index(f"mkdir {sha256[:2]}")
    assert calls[end:] == [
        f"mkdir {sha256[:2]}", "fsync blobs",
        "fsync .tmp", f"replace .tmp {sha256}", f"fsync {sha256[:2]}",
    ]  # fmt: skip


def test_a_blob_that_is_there_is_not_synced_again(
    store: LocalStore, calls: list[str], tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(b"content")
    store.put_by_digest(tmp_path / "source", "blobs/", lambda _: None)
    calls.clear()
    store.put_by_digest(tmp_path / "source", "blobs/", lambda _: None)
    assert calls == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EPERM, "permission denied"),
        (errno.EIO, "input/output error"),
        (errno.ENAMETOOLONG, "name too long"),
    ],
)
@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace", "mkdir"])
def test_what_the_system_refuses_is_a_one_line_storage_error_that_names_the_path(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, call: str, code: int, words: str
) -> None:
    monkeypatch.setattr(os, call, failing(code))
    with pytest.raises(StorageError, match=f"(?i){words}") as caught:
        store.put("folder/key", b"data")
    assert str(store.uri) in caught.value.message
    assert "\n" not in caught.value.message
    monkeypatch.undo()
    assert store.get("folder/key") is None
    assert leave(Path(store.uri).parent) == []


@pytest.mark.parametrize("call", ["open", "write", "fsync"])
def test_a_failed_conditional_put_leaves_nothing_and_can_be_made_again(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store.put("log/0", b"x")
    monkeypatch.setattr(os, call, failing(errno.ENOSPC))
    with pytest.raises(StorageError, match="full"):
        store.put_if_absent("log/1", b"data")
    monkeypatch.undo()
    assert leave(Path(store.uri)) == ["log/0"]
    assert store.put_if_absent("log/1", b"data") is PutOutcome.CREATED


@pytest.mark.parametrize("call", ["open", "listdir"])
def test_reading_what_the_system_refuses_is_a_storage_error(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store.put("log/1", b"x")
    monkeypatch.setattr(os, "open", failing(errno.EACCES))
    monkeypatch.setattr(os, "scandir", failing(errno.EACCES))
    with pytest.raises(StorageError, match="permission denied"):
        store.get("log/1") if call == "open" else list(store.list_after("log/"))


def test_a_disk_that_fails_while_reading_is_a_storage_error(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("log/1", b"x")
    monkeypatch.setattr(os, "pread", failing(errno.EIO))
    with pytest.raises(StorageError, match="input/output"):
        store.get_range("log/1", 0, 1)


@pytest.mark.parametrize("call", ["size", "delete"])
def test_looking_and_removing_where_the_system_refuses_are_storage_errors(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store.put("log/1", b"x")
    monkeypatch.setattr(Path, "lstat" if call == "size" else "unlink", failing(errno.EROFS))
    with pytest.raises(StorageError, match="log/1: the file system is read-only"):
        store.size("log/1") if call == "size" else store.delete("log/1")


def test_a_copy_whose_source_cannot_be_read_is_a_storage_error(
    store: LocalStore, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match=r"cannot write .*key"):
        store.put("folder/key", tmp_path)
    assert leave(Path(store.uri)) == []


def test_a_folder_sync_that_fails_after_the_link_leaves_the_outcome_unknown(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("log/0", b"x")
    real = os.fsync

    def fsync(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EIO, "gone")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    assert store.put_if_absent("log/1", b"data") is PutOutcome.UNKNOWN
    assert store.get("log/1") == b"data"


def test_a_link_whose_answer_is_an_error_may_have_been_made(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EIO))
    assert store.put_if_absent("log/1", b"data") is PutOutcome.UNKNOWN


def test_a_link_that_was_made_though_the_answer_says_exists_is_a_win(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.link

    def link(source: Path, target: Path, **options: bool) -> None:
        real(source, target, **options)
        raise FileExistsError(errno.EEXIST, "the request was sent twice")

    monkeypatch.setattr(os, "link", link)
    assert store.put_if_absent("log/1", b"data") is PutOutcome.CREATED
    assert leave(Path(store.uri)) == ["log/1"]


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_hard_links_is_refused_with_the_reason(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(os, "link", failing(code))
    with pytest.raises(StorageError, match="no hard links") as caught:
        store.put_if_absent("log/1", b"data")
    assert "ext4" in caught.value.hint
    assert leave(Path(store.uri)) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_link_that_was_surely_not_made_is_an_error(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(os, "link", failing(code))
    with pytest.raises(StorageError, match="cannot write"):
        store.put_if_absent("log/1", b"data")


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from regista.storage.local import LocalStore

store = LocalStore(Path(sys.argv[1]))
left = int(sys.argv[2])

def dying(real):
    def call(*args, **options):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return real(*args, **options)
    return call

for name in ("open", "write", "fsync", "link", "mkdir", "unlink", "close"):
    setattr(os, name, dying(getattr(os, name)))
store.put_if_absent("log/1", b"whole" * 1000)
"""


def test_a_put_killed_at_any_call_leaves_the_whole_file_or_none(tmp_path: Path) -> None:
    found = []
    for calls in range(60):
        root = tmp_path / f"killed-{calls}"
        command = [sys.executable, "-c", KILLED_AT, str(root), str(calls)]
        code = subprocess.run(command, check=False).returncode
        found.append(LocalStore(root).get("log/1"))
        assert list(LocalStore(root).list_after("")) in ([], ["log/1"])
        if root.exists():
            sweep_temporary(root, older_than_s=-60)
            assert leave(root) in ([], ["log/1"])
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert set(found) == {None, b"whole" * 1000}
    # nothing that was there is gone after a later kill
    assert found == sorted(found, key=lambda data: data is not None)


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
    assert leave(outside) == ["sub/key"]


def test_the_root_itself_may_be_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "registry").symlink_to(tmp_path / "disk")
    store = LocalStore(tmp_path / "registry")
    store.put("log/1", b"x")
    assert leave(tmp_path / "disk") == ["log/1"]


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
    store.delete("checkpoints/1/a")
    (Path(store.uri) / "checkpoints" / "1").rmdir()
    (Path(store.uri) / "checkpoints").rmdir()
    store.put("checkpoints/1/b", b"y")
    assert store.get("checkpoints/1/b") == b"y"


def test_the_root_stays_where_it_was_when_the_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = LocalStore(Path("registry"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.put("log/1", b"x")
    assert store.uri == str(tmp_path / "registry")
    assert leave(tmp_path) == ["registry/log/1"]


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
    assert leave(tmp_path) == []


def test_a_copy_in_the_kernel_that_fails_is_made_by_hand(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content" * 400_000)
    monkeypatch.setattr(os, "copy_file_range", failing(errno.EXDEV))
    store.put("copy", file)
    assert store.get("copy") == file.read_bytes()


@pytest.mark.parametrize("size", [10, 40 << 20])
@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_a_disk_that_fills_up_under_a_blob_leaves_nothing(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, size: int
) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(size))
    monkeypatch.setattr(os, call, failing(errno.ENOSPC))
    if call == "fdatasync" and size == 10:
        # too small to be sent to the disk on the way
        monkeypatch.setattr(os, "fsync", failing(errno.ENOSPC))
    with pytest.raises(StorageError, match="the disk is full"):
        store.put_by_digest(file, "blobs/", lambda _: None)
    monkeypatch.undo()
    assert leave(Path(store.uri)) == []


def test_a_scratch_folder_lies_in_the_root_under_a_temporary_name(store: LocalStore) -> None:
    with store.scratch() as folder:
        assert folder.parent == Path(store.uri)
        assert folder.name.startswith(".tmp-")


def test_a_scratch_folder_that_cannot_be_made_is_a_storage_error(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "mkdir", failing(errno.EROFS))
    with pytest.raises(StorageError, match="read-only"), store.scratch():
        pass


def test_a_lock_on_a_folder_that_is_not_there_is_not_held(store: LocalStore) -> None:
    with store.lock("log", timeout_s=60) as held:
        assert not held
    assert not Path(store.uri).exists()
