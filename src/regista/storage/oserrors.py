"""What the operating system refuses, in words: the one mapping from `OSError` to `StorageError`.

Invariant: every message is one line that names the path and what was tried. Which refusals are
expected outcomes (a key that is there, a folder that is not) is the caller's to know.
"""

import errno
import os

from regista.errors import StorageError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED = frozenset({errno.EACCES, errno.EPERM})
_LINKED = frozenset({errno.ELOOP, errno.EMLINK})


def storage_error(error: OSError, doing: str, path: str | os.PathLike[str]) -> StorageError:
    """Return the error to raise, `from` the original.

    Args:
        error: what the system said.
        doing: the verb, as in "cannot write PATH".
        path: the file or folder that it was about.
    """
    where = one_line(path)
    what = f"cannot {doing} {where}"
    if error.errno in _FULL:
        return StorageError(f"{what}: the disk is full", hint="free some space, then run it again")
    if error.errno == errno.EROFS:
        return StorageError(
            f"{what}: the file system is read-only", hint="mount it writable, or use a copy"
        )
    if error.errno in _DENIED:
        return StorageError(f"{what}: permission denied", hint=f"check the rights: ls -ld {where}")
    if error.errno == errno.EIO:
        return StorageError(
            f"{what}: the disk reports an input/output error", hint="look at the system's log"
        )
    if error.errno in _LINKED:
        return StorageError(
            f"{what}: it is a symbolic link, which a registry never holds",
            hint="replace it by what it points to",
        )
    return StorageError(f"{what}: {error.strerror or type(error).__name__}")


def one_line(path: str | os.PathLike[str]) -> str:
    """Return a path as text that fits on one line and in any encoding."""
    text = os.fspath(path)
    return text if text.isprintable() else ascii(text)
