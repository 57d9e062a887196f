"""When a folder's writes are durable, and what it says when the system refuses them."""

import errno
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.failing_system import failing, files_below
from regista.errors import StorageError
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


def test_a_conditional_put_syncs_folders_then_the_file_then_links_then_syncs_its_folder(
    store: LocalStore, calls: list[str]
) -> None:
    store.put_if_absent("log/000000/1.json", b"x")
    folder = Path(store.uri).parent
    assert calls == [
        f"fsync {folder.parent.name}", "mkdir registry", f"fsync {Path(store.uri).parent.name}",
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
    assert calls == [
        f"fsync {Path(store.uri).parent.name}", "mkdir log", "fsync registry",
        "fsync .tmp", "replace .tmp 2", "fsync log",
    ]  # fmt: skip


def test_a_registry_below_a_folder_that_we_may_not_read_can_be_written(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    LocalStore(Path(store.uri)).put("log/1", b"x")
    real, above = os.open, Path(store.uri).parent

    def opening(path: Path, *args: int, **options: int) -> int:
        if path == above:
            raise PermissionError(errno.EACCES, "denied")
        return real(path, *args, **options)

    monkeypatch.setattr(os, "open", opening)
    store.put("log/2", b"x")
    assert store.get("log/2") == b"x"


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
    end = calls.index(f"mkdir {sha256[:2]}") - 1
    assert calls[end:] == [
        "fsync .tmp", f"mkdir {sha256[:2]}", "fsync blobs",
        f"replace .tmp {sha256}", f"fsync {sha256[:2]}",
    ]  # fmt: skip


def test_of_a_blob_that_is_there_only_the_name_is_synced_again(
    store: LocalStore, calls: list[str], tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(b"content")
    store.put_by_digest(tmp_path / "source", "blobs/", lambda _: None)
    calls.clear()
    sha256, _ = store.put_by_digest(tmp_path / "source", "blobs/", lambda _: None)
    assert calls == [f"fsync {sha256[:2]}"]


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
    assert files_below(Path(store.uri).parent) == []


@pytest.mark.parametrize("call", ["open", "write", "fsync"])
def test_a_failed_conditional_put_leaves_nothing_and_can_be_made_again(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store.put("log/0", b"x")
    monkeypatch.setattr(os, call, failing(errno.ENOSPC))
    with pytest.raises(StorageError, match="full"):
        store.put_if_absent("log/1", b"data")
    monkeypatch.undo()
    assert files_below(Path(store.uri)) == ["log/0"]
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
    assert files_below(Path(store.uri)) == []


def test_a_folder_sync_that_fails_after_the_link_leaves_the_commit_unsettled(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("log/0", b"x")
    real = os.fsync

    def fsync(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EIO, "gone")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    assert store.put_if_absent("log/1", b"data") is PutOutcome.UNSETTLED
    assert store.get("log/1") == b"data"
    with pytest.raises(StorageError, match=r"cannot sync .*log/1: the disk reports"):
        store.settle("log/1")


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
    assert files_below(Path(store.uri)) == ["log/1"]


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_hard_links_is_refused_with_the_reason(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(os, "link", failing(code))
    with pytest.raises(StorageError, match="no hard links") as caught:
        store.put_if_absent("log/1", b"data")
    assert "ext4" in caught.value.hint
    assert files_below(Path(store.uri)) == []


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
            assert files_below(root) in ([], ["log/1"])
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert set(found) == {None, b"whole" * 1000}
    # nothing that was there is gone after a later kill
    assert found == sorted(found, key=lambda data: data is not None)


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
    assert files_below(Path(store.uri)) == []
