import errno
import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from regista.storage.locking import folder_lock

HOLD = """
import sys
from pathlib import Path
from regista.storage.locking import folder_lock

with folder_lock(Path(sys.argv[1]), 0, shared=False) as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def open_handles() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting is all


def test_the_lock_keeps_other_processes_out_and_dies_with_its_holder(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with folder_lock(tmp_path, 0, shared=False) as held:
            assert not held
        holder.kill()
    with folder_lock(tmp_path, 60, shared=False) as held:
        assert held


def test_who_gave_up_waiting_does_not_keep_the_lock_later(tmp_path: Path) -> None:
    before = open_handles()
    threads_before = set(threading.enumerate())
    with folder_lock(tmp_path, 0, shared=False) as held:
        assert held
        with folder_lock(tmp_path, 0.01, shared=False) as late:
            assert not late
        waiting = set(threading.enumerate()) - threads_before
    for thread in waiting:
        # it gets the lock only now, when nobody wants it any more
        thread.join()
    with folder_lock(tmp_path, 0, shared=False) as held:
        assert held
    assert open_handles() == before


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_without_locks_gives_none_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def flock(_handle: int, _kind: int) -> None:
        raise OSError(code, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock)
    with folder_lock(tmp_path, 60, shared=False) as held:
        assert not held


def test_a_lock_that_is_lost_while_waiting_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(_handle: int, kind: int) -> None:
        if kind & fcntl.LOCK_NB:
            raise BlockingIOError
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock)
    with folder_lock(tmp_path, 60, shared=False) as held:
        assert not held


def test_what_is_not_a_folder_has_no_lock(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    for name in ("file", "link", "none"):
        with folder_lock(tmp_path / name, 60, shared=False) as held:
            assert not held
