import errno
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from regista.storage.copying import BLOCK_BYTES, Read
from regista.storage.pipeline import copy_hashed


def reading(data: bytes, at_most: int = BLOCK_BYTES) -> Read:
    """A source that gives at most so many bytes at a time."""
    position = 0

    def read(buffer: memoryview) -> int:
        nonlocal position
        part = data[position : position + min(len(buffer), at_most)]
        buffer[: len(part)] = part
        position += len(part)
        return len(part)

    return read


def nothing(_: int) -> None:
    """Not interested in progress."""


@pytest.mark.parametrize("write_back", [False, True])
@pytest.mark.parametrize(
    "size",
    [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 7 * BLOCK_BYTES, 40 * BLOCK_BYTES + 3],
)
def test_the_digest_is_of_the_bytes_written(tmp_path: Path, size: int, *, write_back: bool) -> None:
    data = os.urandom(size)
    steps: list[int] = []
    with (tmp_path / "sink").open("wb") as sink:
        digest, copied = copy_hashed(
            reading(data), sink.fileno(), steps.append, write_back=write_back
        )
    assert (tmp_path / "sink").read_bytes() == data
    assert digest == hashlib.sha256(data).hexdigest()
    assert copied == sum(steps) == size


@pytest.mark.parametrize("at_most", [1000, 65_537, BLOCK_BYTES - 1])
def test_a_source_that_gives_little_at_a_time_is_read_to_the_end(
    tmp_path: Path, at_most: int
) -> None:
    data = os.urandom(5 * BLOCK_BYTES + 11)
    with (tmp_path / "sink").open("wb") as sink:
        digest, _ = copy_hashed(reading(data, at_most), sink.fileno(), nothing)
    assert (tmp_path / "sink").read_bytes() == data
    assert digest == hashlib.sha256(data).hexdigest()


def test_a_write_may_take_only_part_of_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(3 * BLOCK_BYTES)
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, part: real(handle, part[:300_000]))
    with (tmp_path / "sink").open("wb") as sink:
        copy_hashed(reading(data), sink.fileno(), nothing)
    assert (tmp_path / "sink").read_bytes() == data


def fail_at(call: int) -> Callable[[int], None]:
    """A progress that raises at its n-th call."""
    calls = 0

    def advance(_: int) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise KeyboardInterrupt

    return advance


@pytest.mark.parametrize("call", [1, 2, 9])
def test_an_exception_in_the_middle_leaves_no_thread_behind(tmp_path: Path, call: int) -> None:
    before = threading.active_count()
    with (tmp_path / "sink").open("wb") as sink, pytest.raises(KeyboardInterrupt):
        copy_hashed(reading(bytes(20 * BLOCK_BYTES)), sink.fileno(), fail_at(call))
    assert threading.active_count() == before


@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_a_failure_of_the_disk_ends_the_copy_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, call, fail)
    steps: list[int] = []
    before = threading.active_count()
    with (tmp_path / "sink").open("wb") as sink, pytest.raises(OSError, match="full"):
        copy_hashed(reading(bytes(200 * BLOCK_BYTES)), sink.fileno(), steps.append, write_back=True)
    assert threading.active_count() == before
    if call == "write":
        assert len(steps) < 20
