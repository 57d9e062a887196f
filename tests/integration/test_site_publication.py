"""Builds that are killed, that race, and that run out of disk, under the eyes of readers."""

import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from regista.errors import StorageError
from regista.site.output.exchange import Way
from support.publications import PAGES, assert_whole, generation, publish
from support.publishing import start

KILLS = 80
SMALL_DISK_BYTES = 1 << 20


def read_once(out: Path) -> int:
    """Read some pages of the one site that is there; say how many were."""
    folder = os.open(out, os.O_RDONLY | os.O_DIRECTORY)
    found = set()
    try:
        for path in ("index.html", *PAGES, "entries/e3/v/3.html", "entries/e6/v/146.html"):
            # a site that was replaced is being removed
            with suppress(FileNotFoundError):
                handle = os.open(path, os.O_RDONLY, dir_fd=folder)
                found.add(os.read(handle, 100))
                os.close(handle)
    finally:
        os.close(folder)
    assert len(found) <= 1
    return len(found)


def test_readers_and_kills_see_one_whole_site(tmp_path: Path) -> None:
    out = tmp_path / "site"
    publish(out, generation(0))
    reads = 0
    with start("kill_at_random", out, KILLS, 1) as process:
        while process.poll() is None:
            reads += read_once(out)
        told, errors = process.communicate()
    assert process.returncode == 0, errors
    before, after = map(int, told.split())
    assert before + after == KILLS
    assert min(before, after) > 0
    assert reads > KILLS
    publish(out, generation(0))
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("way", [Way.AT_ONCE, Way.TWO_RENAMES, Way.FILE_BY_FILE])
def test_a_kill_before_any_step_leaves_a_site_that_can_be_built(tmp_path: Path, way: Way) -> None:
    process = start("kill_at_each_step", tmp_path / "site", way)
    told, errors = process.communicate()
    assert process.returncode == 0, errors
    assert int(told) > 40


def test_of_builds_that_race_each_publishes_all_or_nothing(tmp_path: Path) -> None:
    out = tmp_path / "site"
    publish(out, generation(0))
    reads = 0
    with start("race", out, 4, 10) as process:
        while process.poll() is None:
            reads += read_once(out)
        told, errors = process.communicate()
    assert process.returncode == 0, errors
    assert told == "site\n"
    assert reads > 0


@contextmanager
def small_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make a folder a small disk, or writing fail as there where mounting is not permitted."""
    size = f"size={SMALL_DISK_BYTES}"
    mount = ["mount", "-t", "tmpfs", "-o", size, "regista-test", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        _limit_writes(monkeypatch)
        yield
    else:
        try:
            yield
        finally:
            subprocess.run(["umount", str(folder)], check=True)


def _limit_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    left = SMALL_DISK_BYTES
    write = os.write

    def limited(handle: int, data: bytes) -> int:
        nonlocal left
        left -= len(data)
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data)

    monkeypatch.setattr(os, "write", limited)


def test_a_full_disk_leaves_the_old_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, monkeypatch):
        out = disk / "site"
        publish(out, generation(1))
        large = {f"{n}.html": os.urandom(100_000) for n in range(20)}
        with pytest.raises(StorageError, match="the disk is full"):
            publish(out, large, "2")
        assert assert_whole(out) == 1
        assert [path.name for path in disk.iterdir()] == ["site"]
        publish(out, generation(3), "3")
        assert assert_whole(out) == 3


def test_a_mount_point_is_published_file_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "site"
    out.mkdir()
    with small_disk(out, monkeypatch):
        for number in (1, 2):
            done = publish(out, generation(number), str(number))
            assert (done.way is Way.FILE_BY_FILE) == out.is_mount()
            assert assert_whole(out) == number


def test_a_file_that_is_too_large_leaves_the_old_site(tmp_path: Path) -> None:
    out = tmp_path / "site"
    publish(out, generation(1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_DISK_BYTES, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"cannot write .*large\.bin: File too large"):
            publish(out, {"large.bin": bytes(2 * SMALL_DISK_BYTES)}, "2")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert assert_whole(out) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
