"""Temporary files and folders: how they are named, lent, and swept up after a killed process.

Invariants: every unfinished file has a name that starts with `.tmp-`, in the folder where it may
end up, and nothing finished has; whoever lists or reads a store never sees one.
"""

import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from regista.storage.locking import folder_lock
from regista.storage.oserrors import storage_error

TEMPORARY_PREFIX = ".tmp-"


def temporary_name() -> str:
    """Return a name that nobody else will choose."""
    return TEMPORARY_PREFIX + os.urandom(10).hex()


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """Lend a new, empty folder below an existing one; it and all in it go at the end.

    Raises:
        StorageError: it cannot be made there.
    """
    folder = parent / temporary_name()
    try:
        folder.mkdir()
    except OSError as error:
        raise storage_error(error, "make a folder in", parent) from error
    try:
        yield folder
    finally:
        remove_tree(folder)


@contextmanager
def claimed_folder(parent: Path, purpose: str) -> Iterator[Path]:
    """Lend a new, empty folder as `temporary_folder`, where nobody else sweeps up.

    Those of the same purpose whose owners were killed go at the beginning: the system has freed
    the locks on them. Where the disk knows no locks, they stay.

    Args:
        parent: an existing folder, of a user's.
        purpose: a word for the name.

    Raises:
        StorageError: it cannot be made there.
    """
    prefix = f"{TEMPORARY_PREFIX}{purpose}-"
    _remove_unclaimed(parent, prefix)
    with temporary_folder(parent) as folder, folder_lock(folder, 0, shared=False) as claimed:
        if not claimed:
            yield folder
            return
        # only now does it have a name that others look for
        named = parent / (prefix + os.urandom(10).hex())
        try:
            folder.rename(named)
        except OSError as error:
            raise storage_error(error, "make a folder in", parent) from error
        try:
            yield named
        finally:
            remove_tree(named)


def remove_tree(path: Path) -> None:
    """Remove a file, or a folder with all in it, as far as the system lets us."""
    import shutil

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def sweep_temporary(root: Path, older_than_s: float, *, now: float | None = None) -> list[Path]:
    """Remove what killed processes left behind; return what was removed, sorted.

    Args:
        root: the registry's folder. Symbolic links are not followed.
        older_than_s: spare what was changed within so many seconds: it may be in use.
        now: the time to reckon from, seconds since the epoch; the system's clock by default.

    Raises:
        StorageError: a folder cannot be listed.
    """
    newest = (time.time() if now is None else now) - older_than_s
    left_over = [path for path in _temporaries(root) if _last_change(path) <= newest]
    for path in left_over:
        remove_tree(path)
    return sorted(path for path in left_over if not os.path.lexists(path))


def _remove_unclaimed(parent: Path, prefix: str) -> None:
    with suppress(OSError):
        for folder in parent.iterdir():
            if re.fullmatch(re.escape(prefix) + "[0-9a-f]{20}", folder.name):
                with folder_lock(folder, 0, shared=False) as claimed:
                    if claimed:
                        remove_tree(folder)


def _temporaries(root: Path) -> Iterator[Path]:
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except FileNotFoundError:
            continue
        except OSError as error:
            raise storage_error(error, "list", folder) from error
        for name, is_folder in found:
            if name.startswith(TEMPORARY_PREFIX):
                yield folder / name
            elif is_folder:
                pending.append(folder / name)


def _last_change(path: Path) -> float:
    """Return when anything in the file or tree last changed; a folder's own time misses writes."""
    try:
        status = path.lstat()
        times = [status.st_mtime]
        if stat.S_ISDIR(status.st_mode):
            times.extend(_last_change(child) for child in path.iterdir())
    except FileNotFoundError:
        # its owner has just finished with it
        return 0.0
    except OSError as error:
        raise storage_error(error, "read", path) from error
    return max(times)
