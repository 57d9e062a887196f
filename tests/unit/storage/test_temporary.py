import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fakes.failing_system import failing
from regista.errors import StorageError
from regista.storage import temporary
from regista.storage.temporary import (
    claimed_folder,
    sweep_temporary,
    temporary_folder,
    temporary_name,
)

HOUR = 3600.0
NOW = 2_000_000_000.0


def put(path: Path, age_s: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    os.utime(path, (NOW - age_s, NOW - age_s))
    return path


def aged(folder: Path, age_s: float) -> None:
    os.utime(folder, (NOW - age_s, NOW - age_s))


def test_names_are_never_chosen_twice() -> None:
    assert len({temporary_name() for _ in range(1000)}) == 1000


KILLED = """
import os, signal, sys
from pathlib import Path
from regista.storage.temporary import claimed_folder
with claimed_folder(Path(sys.argv[1]), "get") as folder:
    (folder / "file").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_owner_left_goes_with_the_next_and_all_else_stays(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.glob("*/file")] == ["file"]
    others = [tmp_path / name for name in (".tmp-get-mine", ".tmp-get", ".tmp-put-" + "0" * 20)]
    for other in others:
        other.mkdir()
    with claimed_folder(tmp_path, "get") as one, claimed_folder(tmp_path, "get") as two:
        assert sorted(tmp_path.iterdir()) == sorted([one, two, *others])
        assert list(one.iterdir()) == list(two.iterdir()) == []
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_where_the_disk_knows_no_locks_nobody_removes_anothers_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOLCK))
    with claimed_folder(tmp_path, "get") as one:
        monkeypatch.undo()
        with claimed_folder(tmp_path, "get"):
            assert one.exists()
    assert list(tmp_path.iterdir()) == []


def test_old_left_overs_go_and_all_else_stays(tmp_path: Path) -> None:
    old = put(tmp_path / "log" / "000000" / ".tmp-old", 2 * HOUR)
    new = put(tmp_path / "log" / "000000" / ".tmp-new", 60)
    kept = put(tmp_path / "log" / "000000" / "1.json", 2 * HOUR)
    assert sweep_temporary(tmp_path, HOUR, now=NOW) == [old]
    assert not old.exists()
    assert new.exists()
    assert kept.exists()


def test_an_old_folder_goes_with_all_in_it(tmp_path: Path) -> None:
    folder = tmp_path / ".tmp-scratch"
    put(folder / "sub" / "file", 2 * HOUR)
    aged(folder / "sub", 2 * HOUR)
    aged(folder, 2 * HOUR)
    assert sweep_temporary(tmp_path, HOUR, now=NOW) == [folder]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_which_a_file_is_being_written_stays(tmp_path: Path) -> None:
    folder = tmp_path / ".tmp-scratch"
    put(folder / "sub" / "file", 10)
    aged(folder / "sub", 2 * HOUR)
    aged(folder, 2 * HOUR)
    assert sweep_temporary(tmp_path, HOUR, now=NOW) == []
    assert (folder / "sub" / "file").exists()


def test_links_are_removed_and_never_followed(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside" / ".tmp-mine", 2 * HOUR)
    root = tmp_path / "root"
    root.mkdir()
    (root / ".tmp-link").symlink_to(tmp_path / "outside")
    (root / "folder-link").symlink_to(tmp_path / "outside")
    assert sweep_temporary(root, 0.0, now=time.time() + HOUR) == [root / ".tmp-link"]
    assert outside.exists()
    assert (root / "folder-link").is_symlink()


def test_a_root_that_is_not_there_has_nothing_to_sweep(tmp_path: Path) -> None:
    assert sweep_temporary(tmp_path / "none", 0.0) == []


def test_the_systems_clock_is_the_default(tmp_path: Path) -> None:
    left_over = tmp_path / ".tmp-x"
    left_over.write_bytes(b"x")
    assert sweep_temporary(tmp_path, HOUR) == []
    assert sweep_temporary(tmp_path, -HOUR) == [left_over]


def test_what_its_owner_removes_meanwhile_is_no_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_over = put(tmp_path / ".tmp-x", 2 * HOUR)
    real = temporary._temporaries  # noqa: SLF001 - the moment between listing and looking

    def then_removed(root: Path) -> list[Path]:
        found = list(real(root))
        left_over.unlink()
        return found

    monkeypatch.setattr(temporary, "_temporaries", then_removed)
    assert sweep_temporary(tmp_path, HOUR, now=NOW) == [left_over]


@pytest.mark.parametrize("call", ["scandir", "listdir"])
def test_a_folder_that_cannot_be_read_is_a_storage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (tmp_path / ".tmp-folder").mkdir()

    def fail(_: Path) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StorageError, match="input/output"):
        sweep_temporary(tmp_path, HOUR)


def test_a_temporary_folder_in_a_folder_that_is_not_there_is_a_storage_error(
    tmp_path: Path,
) -> None:
    with pytest.raises(StorageError, match="none"), temporary_folder(tmp_path / "none"):
        pass
