"""Bytes from one open file to another: reflinked, copied, hashed.

Works on file descriptors only; what the files are called, who may read them and when they become
visible is the callers' business, and so is turning an `OSError` into words. Hashing while copying
is `regista.storage.pipeline`.
"""

import hashlib
import os
from collections.abc import Callable

BLOCK_BYTES = 1 << 20
_FICLONE = 0x40049409

Read = Callable[[memoryview], int]
Advance = Callable[[int], None]


def reflink(source: int, sink: int) -> bool:
    """Make the empty `sink` share the source's blocks; False where that cannot be done."""
    try:
        import fcntl

        fcntl.ioctl(sink, _FICLONE, source)
    except (ImportError, OSError):
        # whatever the reason was, a plain copy meets it again if it matters
        return False
    return True


def copy(source: int, sink: int) -> None:
    """Copy all of `source` to the empty `sink`, by reflink or inside the kernel if possible.

    Raises:
        OSError: from reading or writing.
    """
    if reflink(source, sink) or _copy_in_kernel(source, sink):
        return
    read, block = reader(source), memoryview(bytearray(BLOCK_BYTES))
    while count := read(block):
        write_all(sink, block[:count])


def reader(source: int) -> Read:
    """Return a function that fills a buffer from the file and says how much; 0 at the end."""
    return lambda buffer: os.readv(source, [buffer])


def hash_all(read: Read, advance: Advance) -> tuple[str, int]:
    """Read to the end; return the SHA-256 and the number of bytes."""
    hasher, size = hashlib.sha256(), 0
    block = memoryview(bytearray(BLOCK_BYTES))
    while count := read(block):
        hasher.update(block[:count])
        size += count
        advance(count)
    return hasher.hexdigest(), size


def write_all(sink: int, data: bytes | memoryview) -> None:
    """Write every byte, however few of them one call takes.

    Raises:
        OSError: from writing.
    """
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(sink, rest) :]


def _copy_in_kernel(source: int, sink: int) -> bool:
    try:
        while os.copy_file_range(source, sink, 1 << 30):
            pass
    except (AttributeError, OSError):
        # not on this system, or not between these two: start over by hand
        os.lseek(source, 0, os.SEEK_SET)
        os.lseek(sink, 0, os.SEEK_SET)
        return False
    return True
