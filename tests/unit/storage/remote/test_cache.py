import errno
import fcntl
import os
import threading
import time
from pathlib import Path

import pytest

from fakes.failing_system import failing
from regista.errors import InvalidInputError, StorageError
from regista.storage.remote.cache import FileCache, cache_from_environment

HOUR = 3600


def filled(cache: FileCache, name: str, size: int, age_s: float = 0) -> Path:
    """Keep a file of that size, last used so long ago."""
    with cache.filling() as path:
        path.write_bytes(b"x" * size)
        kept = cache.keep(path, name)
    os.utime(kept, times=(time.time() - age_s,) * 2)
    return kept


def names(cache: FileCache) -> set[str]:
    return {path.name for path in cache.folder.rglob("*") if path.is_file()}


def test_what_was_kept_is_found_and_cannot_be_written(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "new", 1000)
    assert cache.find("sha256/ab/abc") is None
    path = filled(cache, "sha256/ab/abc", 3, age_s=HOUR)
    assert cache.find("sha256/ab/abc") == path
    assert path.read_bytes() == b"xxx"
    assert path.stat().st_mode & 0o222 == 0
    assert path.stat().st_mtime > time.time() - 60
    cache.drop("sha256/ab/abc")
    assert cache.find("sha256/ab/abc") is None


def test_what_was_not_kept_leaves_nothing(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 1000)
    with pytest.raises(ZeroDivisionError), cache.filling() as path:
        path.write_bytes(b"half")
        raise ZeroDivisionError
    assert names(cache) == set()


def test_what_was_begun_is_lent_again_unless_somebody_has_it(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 1000)
    with pytest.raises(ZeroDivisionError), cache.resuming("abc") as path:
        path.write_bytes(b"half")
        raise ZeroDivisionError
    with cache.resuming("abc") as mine:
        assert mine.read_bytes() == b"half"
        with cache.resuming("abc") as other, cache.resuming("") as third:
            assert len({mine, other, third}) == 3
            other.write_bytes(b"own")
        assert not other.exists()
        mine.write_bytes(b"whole")
        assert cache.keep(mine, "sha256/ab/abc").read_bytes() == b"whole"
    with cache.resuming("abc") as fresh:
        assert fresh.read_bytes() == b""


def test_a_file_that_was_finished_while_somebody_waited_for_it_is_never_lent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = FileCache(tmp_path, 1000)
    real = fcntl.flock

    def finished_first(handle: int, kind: int) -> None:
        monkeypatch.setattr(fcntl, "flock", real)
        (tmp_path / ".tmp-abc").replace(tmp_path / "finished")
        real(handle, kind)

    (tmp_path / ".tmp-abc").write_bytes(b"whole")
    monkeypatch.setattr(fcntl, "flock", finished_first)
    with cache.resuming("abc") as one, cache.resuming("abc") as other:
        # the lock on what has another name now would keep nobody out
        assert one != other
        one.write_bytes(b"other")
    assert (tmp_path / "finished").read_bytes() == b"whole"


def test_where_the_disk_knows_no_locks_nobody_shares_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOLCK))
    cache = FileCache(tmp_path, 1000)
    with cache.resuming("abc") as one, cache.resuming("abc") as other:
        assert one != other
    assert not list(tmp_path.glob(".tmp-*[!c]"))


def test_a_cache_without_a_place_is_a_storage_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with (
        pytest.raises(StorageError, match="file/below"),
        FileCache(tmp_path / "file/below", 1000).resuming("abc"),
    ):
        pass


def test_a_full_disk_is_a_storage_error_that_names_the_folder(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 1000)
    with pytest.raises(StorageError, match=str(tmp_path)), cache.filling():
        raise OSError(28, "No space left on device")


def test_the_longest_unused_files_make_room_and_those_in_use_stay(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 1000)
    for hours in (2, 3, 4, 5):
        filled(cache, f"files/{hours}", 300, age_s=hours * HOUR)
    filled(cache, "files/now", 300)
    cache.make_room()
    assert names(cache) == {"2", "3", "now"}


def test_filling_makes_room_by_itself(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 1000)
    for number in range(20):
        filled(cache, f"files/{number:02d}", 100, age_s=(100 - number) * HOUR)
    kept = names(cache)
    assert len(kept) <= 11
    assert "19" in kept


def test_what_dead_processes_left_is_swept_after_a_day(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 10)
    for name, age in ((".tmp-old", 25 * HOUR), (".tmp-new", 60)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, times=(time.time() - age,) * 2)
    cache.make_room()
    assert names(cache) == {".tmp-new"}


def test_many_may_fill_one_name_at_once(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 1_000_000)
    start = threading.Barrier(8)
    seen: list[bytes] = []

    def fill() -> None:
        start.wait()
        for _ in range(20):
            with cache.filling() as path:
                path.write_bytes(b"same" * 1000)
                seen.append(cache.keep(path, "sha256/aa/same").read_bytes())

    threads = [threading.Thread(target=fill) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {b"same" * 1000}
    assert names(cache) == {"same"}


@pytest.mark.parametrize(
    ("text", "limit"),
    [("500", 500), ("20GB", 20 * 10**9), ("3 mb", 3_000_000), ("1TiB", 10**12), ("0", 0)],
)
def test_a_size_may_be_written_in_several_ways(tmp_path: Path, text: str, limit: int) -> None:
    environ = {"REGISTA_CACHE_DIR": str(tmp_path), "REGISTA_CACHE_SIZE": text}
    assert cache_from_environment(environ).limit == limit


@pytest.mark.parametrize("text", ["much", "-1", "1 PB", "1e9"])
def test_what_is_no_size_is_refused(tmp_path: Path, text: str) -> None:
    environ = {"REGISTA_CACHE_DIR": str(tmp_path), "REGISTA_CACHE_SIZE": text}
    with pytest.raises(InvalidInputError, match="REGISTA_CACHE_SIZE"):
        cache_from_environment(environ)


def test_the_folder_is_found_by_the_rules_of_the_desktop(tmp_path: Path) -> None:
    home, xdg, own = (tmp_path / name for name in ("home", "xdg", "own"))
    environ = {"HOME": str(home)}
    assert cache_from_environment(environ).folder == home / ".cache/regista"
    environ["XDG_CACHE_HOME"] = str(xdg)
    assert cache_from_environment(environ).folder == xdg / "regista"
    assert (xdg / "regista").stat().st_mode & 0o077 == 0
    environ["REGISTA_CACHE_DIR"] = str(own)
    assert cache_from_environment(environ).folder == own


def test_where_nothing_can_be_kept_a_temporary_folder_serves(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    cache = cache_from_environment({"REGISTA_CACHE_DIR": str(tmp_path / "file" / "below")})
    path = filled(cache, "files/one", 3)
    assert path.read_bytes() == b"xxx"
