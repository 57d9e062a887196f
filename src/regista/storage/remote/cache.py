"""Copies of immutable files on the local disk, shared by all processes of one user.

Invariants: a file has its name only when it is whole, and never changes under that name, so
any number of processes may read, fill and clean up at once; losing any file at any time costs a
download and nothing else. Names say what the content is (a digest, or place and version of the
file in its store), so a hit needs no question to the store. Which files those are is
`regista.storage.remote.store`'s business.
"""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from regista.errors import InvalidInputError
from regista.model.names import shown
from regista.storage.oserrors import storage_error
from regista.storage.spool import spool_folder
from regista.storage.temporary import TEMPORARY_PREFIX, temporary_name

FOLDER = "REGISTA_CACHE_DIR"
SIZE = "REGISTA_CACHE_SIZE"
DEFAULT_SIZE = "10GB"
# whoever was lent a file may still have it open, or open it again
_IN_USE_S = 3600.0
_LEFT_OVER_S = 86_400.0
# a clean-up goes so far below the limit that the next one is not due at once
_KEPT = 0.9
# what one process adds before it looks at the whole folder, as a share of the limit
_LOOK_AFTER = 0.02
_SIZE = re.compile(r"(\d{1,12}) ?([KMGT]?)i?B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}


def cache_from_environment(environ: Mapping[str, str]) -> "FileCache":
    """Return the cache of this user.

    It lies in `REGISTA_CACHE_DIR`, else in `regista` below `XDG_CACHE_HOME`, else in
    `~/.cache/regista`, and where none of these can be written, among the temporary files of this
    process. `REGISTA_CACHE_SIZE` limits it: a number of bytes, or one with KB, MB, GB or TB.

    Raises:
        InvalidInputError: `REGISTA_CACHE_SIZE` is not a size.
    """
    text = environ.get(SIZE) or DEFAULT_SIZE
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InvalidInputError(
            f"{SIZE} is {shown(text)}, not a size", hint=f"set {SIZE} to {DEFAULT_SIZE}, say"
        )
    limit = int(match[1]) * _UNITS[match[2].upper()]
    return FileCache(_usable(_folder(environ)), limit)


def _folder(environ: Mapping[str, str]) -> Path:
    if environ.get(FOLDER):
        return Path(environ[FOLDER])
    base = environ.get("XDG_CACHE_HOME")
    home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - never raises
    return (Path(base) if base else Path(home) / ".cache") / "regista"


def _usable(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return spool_folder()
    return folder.absolute() if os.access(folder, os.W_OK | os.X_OK) else spool_folder()


@dataclass(slots=True)
class FileCache:
    """Files below one folder, by name.

    Attributes:
        folder: where they lie.
        limit: how many bytes they may have in all; those used within the last hour stay anyway.
    """

    folder: Path
    limit: int
    _added: int = 0

    def find(self, name: str) -> Path | None:
        """Return the file of that name, now marked as used; None where there is none."""
        path = self.folder / name
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    @contextmanager
    def filling(self) -> Iterator[Path]:
        """Lend the path of a new file to fill, which goes at the end unless it was kept."""
        path = self.folder / temporary_name()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            yield path
        except OSError as error:
            raise storage_error(error, "write in", self.folder) from error
        finally:
            with suppress(OSError):
                path.unlink()

    @contextmanager
    def resuming(self, name: str) -> Iterator[Path]:
        """Lend the path of a file to fill that may hold what an earlier call put into it.

        What is in it stays there for the next one, until it is kept, or a day has passed. While
        somebody else has it, and where the disk knows no locks, it is a new file instead, which
        goes at the end unless it was kept.

        Args:
            name: says what will be in the file; '' for a new one in any case.

        Raises:
            StorageError: there is no place for it.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, "make", self.folder) from error
        path = self.folder / (TEMPORARY_PREFIX + name)
        handle = _locked(path) if name else None
        if handle is None:
            path = self.folder / temporary_name()
        try:
            yield path
        finally:
            if handle is None:
                with suppress(OSError):
                    path.unlink()
            else:
                os.close(handle)

    def keep(self, filled: Path, name: str) -> Path:
        """Give a whole file its name, make room for it, and return its path.

        Raises:
            OSError: it cannot be given the name.
        """
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # nobody may change what others read
        filled.chmod(0o444)
        size = filled.stat().st_size
        filled.replace(path)
        self._added += size
        if self._added > self.limit * _LOOK_AFTER:
            self._added = 0
            self.make_room()
        return path

    def drop(self, name: str) -> None:
        """Forget a file."""
        with suppress(OSError):
            (self.folder / name).unlink()

    def make_room(self) -> None:
        """Remove the files that were not used for longest until the rest fits the limit."""
        now = time.time()
        files = sorted(_files(self.folder, now))
        total = sum(size for _used, size, _path in files)
        if total <= self.limit:
            return
        for used, size, path in files:
            if total <= self.limit * _KEPT or used > now - _IN_USE_S:
                break
            with suppress(OSError):
                path.unlink()
            total -= size


def _locked(path: Path) -> int | None:
    """Open a file, made if it is not there, that nobody else has and has its name; else None."""
    try:
        import fcntl

        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # or it was finished, and got its name for good, between opening and locking
        if os.path.samestat(os.fstat(handle), path.lstat()):
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def _files(root: Path, now: float) -> Iterator[tuple[float, int, Path]]:
    """Yield when each file was used last, its size and its path; sweep what was left unfinished."""
    pending = [root]
    while pending:
        folder = pending.pop()
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(folder / entry.name)
                    continue
                status = entry.stat(follow_symlinks=False)
                if not entry.name.startswith(TEMPORARY_PREFIX):
                    yield status.st_mtime, status.st_size, folder / entry.name
                elif status.st_mtime < now - _LEFT_OVER_S:
                    with suppress(OSError):
                        (folder / entry.name).unlink()
