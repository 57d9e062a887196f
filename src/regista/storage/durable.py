"""Files that are on the disk when we say so: the order of system calls that makes it true.

Invariants: a file is synced before it gets its final name, and the folder after; a name that must
be new is made by linking, which fails where it exists, and never by renaming, which replaces.
Every failure is a `StorageError` that names the final path. Keys are `regista.storage.local`'s.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from regista.errors import StorageError
from regista.storage.copying import copy, write_all
from regista.storage.oserrors import one_line, storage_error
from regista.storage.store import PutOutcome
from regista.storage.temporary import temporary_name

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
# with any other error than these the link may have been made, on a network file system
_NOT_LINKED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOENT})


@contextmanager
def new_file(folder: Path) -> Iterator[tuple[int, Path]]:
    """Open a new temporary file for reading and writing; it is closed and unlinked at the end.

    Raises:
        FileNotFoundError: there is no such folder.
        StorageError: the file cannot be made.
    """
    path = folder / temporary_name()
    try:
        handle = os.open(path, _NEW, 0o666)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise storage_error(error, "write in", folder) from error
    try:
        yield handle, path
    finally:
        with suppress(OSError):
            path.unlink()
        with suppress(OSError):
            os.close(handle)


def write_synced(handle: int, data: bytes, path: Path) -> None:
    """Write all of the data to the open file and sync it; `path` is for messages."""
    try:
        write_all(handle, data)
        os.fsync(handle)
    except OSError as error:
        raise storage_error(error, "write", path) from error


def copy_synced(source: Path, handle: int, path: Path) -> None:
    """Copy a file into the open one and sync it; `path` is for messages."""
    try:
        opened = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise storage_error(error, "read", source) from error
    try:
        copy(opened, handle)
        os.fsync(handle)
    except OSError as error:
        raise storage_error(error, "write", path) from error
    finally:
        os.close(opened)


def publish_new(temporary: Path, path: Path) -> PutOutcome:
    """Give a synced file its final name unless that is taken, durably.

    Returns:
        UNKNOWN where the name may have been given; UNSETTLED where it was, and may not survive a
        power cut.
    """
    outcome = _link(temporary, path)
    if outcome is PutOutcome.CREATED:
        try:
            sync_folder(path.parent)
        except OSError:
            # the file is there for all to see, so "failed" would be as wrong as "done"
            return PutOutcome.UNSETTLED
    return outcome


def publish(temporary: Path, path: Path) -> None:
    """Give a synced file its final name, durably, replacing what has it.

    Raises:
        FileNotFoundError: its folder is gone.
        StorageError: it cannot be made or synced.
    """
    try:
        temporary.replace(path)
        sync_folder(path.parent)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise storage_error(error, "write", path) from error


def make_folders(folder: Path) -> None:
    """Make a folder, and those above it that are missing, each on the disk before the next.

    Raises:
        OSError: from making or syncing.
    """
    if folder.is_dir():
        # whoever made it may have died before it was on the disk; a folder above that we may
        # not read is nothing that we can mend
        with suppress(PermissionError):
            sync_folder(folder.parent)
        return
    make_folders(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk.

    Raises:
        OSError: from opening or syncing.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _link(temporary: Path, path: Path) -> PutOutcome:
    try:
        os.link(temporary, path, follow_symlinks=False)
    except OSError as error:
        # a network file system may have linked, lost its answer, and met its own file
        with suppress(OSError):
            if temporary.lstat().st_nlink > 1:
                return PutOutcome.CREATED
        if error.errno == errno.EEXIST:
            return PutOutcome.EXISTS
        if error.errno in _NO_HARD_LINKS:
            raise StorageError(
                f"{one_line(path.parent)} cannot hold a registry: its file system has no hard"
                " links, so of two writers both could win",
                hint="use a file system with hard links, such as ext4, XFS, Btrfs, APFS or NTFS",
            ) from error
        if error.errno in _NOT_LINKED:
            raise storage_error(error, "write", path) from error
        return PutOutcome.UNKNOWN
    return PutOutcome.CREATED
