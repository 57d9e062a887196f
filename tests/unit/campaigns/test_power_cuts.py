"""The model of a disk: what was not synced is lost, and nothing else is."""

from pathlib import Path
from random import Random

import pytest

from campaigns.power_cuts import Disk, lay_out
from campaigns.system_calls import Call

OPEN = Call("open", "log/.tmp", inode=7)
SYNC = Call("fsync", "log/.tmp", inode=7, content=b"commit")
LINK = Call("link", "log/.tmp", "log/1", content=b"commit")
FOLDER = Call("fsync", "log")
UNLINK = Call("unlink", "log/.tmp")


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "0").write_bytes(b"before")
    return Disk.of(tmp_path)


def after(disk: Disk, *calls: Call) -> dict[str, bytes | None]:
    for call in calls:
        disk.apply(call)
    return disk.after_cut()


def test_what_was_there_is_safe(disk: Disk) -> None:
    assert disk.after_cut() == disk.seen() == {"log": None, "log/0": b"before"}


def test_a_file_and_a_name_that_are_synced_survive(disk: Disk) -> None:
    assert after(disk, OPEN, SYNC, LINK, UNLINK, FOLDER)["log/1"] == b"commit"


def test_a_name_that_is_not_synced_is_lost(disk: Disk) -> None:
    assert "log/1" not in after(disk, OPEN, SYNC, LINK, UNLINK)
    assert disk.seen()["log/1"] == b"commit"


def test_bytes_that_are_not_synced_are_lost_though_the_name_is_there(disk: Disk) -> None:
    assert after(disk, OPEN, LINK, UNLINK, FOLDER)["log/1"] == b""


def test_a_removed_name_comes_back_until_its_folder_is_synced(disk: Disk) -> None:
    assert after(disk, Call("unlink", "log/0"))["log/0"] == b"before"
    assert "log/0" not in after(disk, FOLDER)


def test_a_new_folder_is_lost_with_all_in_it_until_the_one_above_is_synced(disk: Disk) -> None:
    calls = [Call("mkdir", "new"), Call("open", "new/.tmp", inode=8), Call("fsync", "new")]
    assert "new" not in after(disk, *calls)
    assert "new/.tmp" in after(disk, Call("fsync", "."))


def test_a_call_that_failed_did_nothing(disk: Disk) -> None:
    assert after(disk, OPEN, SYNC, LINK, Call("fsync", "log", failed=True)).keys() == {
        "log",
        "log/0",
    }


def test_chance_lets_some_of_the_unsynced_changes_survive(disk: Disk) -> None:
    after(disk, OPEN, SYNC, LINK, UNLINK)
    found = {"log/1" in disk.after_cut(Random(seed)) for seed in range(20)}
    assert found == {True, False}


def test_an_image_is_laid_out_as_a_folder(disk: Disk, tmp_path: Path) -> None:
    lay_out(disk.after_cut(), tmp_path / "copy")
    assert Disk.of(tmp_path / "copy").after_cut() == disk.after_cut()
