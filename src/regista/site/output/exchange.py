"""One folder takes the place of another, in one step where the system has such a step.

Linux has `renameat2(RENAME_EXCHANGE)`, macOS `renamex_np(RENAME_SWAP)`: whoever opens the path
finds the old folder or the new one, never none. Where neither works, two renames do it, and for
an instant there is no folder. What the folders hold is not looked at.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from pathlib import Path

_RENAME_EXCHANGE = 2
_RENAME_SWAP = 2
_AT_FDCWD = -100
# the folder is a mount point, comes from a lower layer, or its parent must not be written
_IMMOVABLE = frozenset({errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS})

_Exchange = Callable[[bytes, bytes], int]


class Way(StrEnum):
    """How a new folder came to its place."""

    UNTOUCHED = "untouched"
    """Nothing had to change."""
    AT_ONCE = "at once"
    """In one step."""
    TWO_RENAMES = "two renames"
    """There was no folder for an instant."""
    FILE_BY_FILE = "file by file"
    """The folder cannot be renamed, so readers could see old and new files together."""


def replace_folder(new: Path, target: Path, aside: Path) -> Way:
    """Put `new` at the path `target`; what was there is then at `new` or at `aside`.

    Args:
        new: the folder to put there, on the same file system.
        target: a folder, or nothing.
        aside: a free path beside `new`, for the old folder where it takes two renames.

    Returns:
        FILE_BY_FILE where the folder cannot be renamed at all: nothing has changed then.

    Raises:
        OSError: any other refusal; the old folder is back in its place.
    """
    if not os.path.lexists(target):
        new.rename(target)
        return Way.AT_ONCE
    try:
        if _exchanged(new, target):
            return Way.AT_ONCE
        target.rename(aside)
    except OSError as error:
        if error.errno in _IMMOVABLE:
            return Way.FILE_BY_FILE
        raise
    try:
        new.rename(target)
    except OSError:
        aside.rename(target)
        raise
    return Way.TWO_RENAMES


def _exchanged(first: Path, second: Path) -> bool:
    """Exchange two paths; whatever the reason why not, plain renames meet it again or work."""
    exchange = _system_call()
    return exchange is not None and exchange(os.fsencode(first), os.fsencode(second)) == 0


@cache
def _system_call() -> _Exchange | None:
    try:
        library = ctypes.CDLL(None)
        if sys.platform == "darwin":
            swap = library.renamex_np
            swap.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint]
            return lambda first, second: int(swap(first, second, _RENAME_SWAP))
        rename = library.renameat2
    except (AttributeError, OSError, TypeError):
        return None
    rename.argtypes = [
        ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint,
    ]  # fmt: skip
    return lambda first, second: int(rename(_AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE))
