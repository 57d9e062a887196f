"""A local file that grows part by part, hashed as it grows, and a second one that gets the same.

Invariants: the file is at any moment a start of the whole; bytes are hashed in the memory that
both are written from, and never read again. Where the two can share blocks, the second gets its
content at the end, and the disk holds it once.
"""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from regista.storage.copying import BLOCK_BYTES, Advance, copy, reflink
from regista.storage.oserrors import storage_error

_FILE = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class Growing:
    """One file on its way in.

    Args:
        path: made if it is not there; what is in it stays.
        also: an open, empty file, for reading and writing, that gets the same bytes; None for
            no such file.
        advance: told of each number of bytes done, once each, however often they are done again.

    Raises:
        StorageError: the file cannot be opened.

    Attributes:
        size: how many bytes are done.
    """

    def __init__(self, path: Path, also: int | None, advance: Advance) -> None:
        try:
            self._handle = os.open(path, _FILE, 0o600)
        except OSError as error:
            raise storage_error(error, "write", path) from error
        self._path = path
        self._also = also
        self._shared = also is not None and reflink(self._handle, also)
        self._advance = advance
        self._told = 0
        self._hasher = hashlib.sha256()
        # one more thread writes while this one hashes
        self._writer = ThreadPoolExecutor(1)
        self.size = 0

    def take_over(self) -> int:
        """Take what an earlier call left in the file for done; return how many bytes it is.

        Raises:
            StorageError: it cannot be read.
            OSError: the second file cannot be written.
        """
        while data := self._read():
            self._tee(data)
            self._hasher.update(data)
            self._count(len(data))
        return self.size

    def add(self, data: memoryview) -> None:
        """Append bytes.

        Raises:
            StorageError: the file cannot be written.
            OSError: the second file cannot be written.
        """
        written = self._writer.submit(self._write, data)
        try:
            self._hasher.update(data)
        finally:
            written.result()
        self._count(len(data))

    def finish(self) -> str:
        """Return the SHA-256 of all bytes, which are now in both files.

        Raises:
            OSError: the second file cannot be written.
        """
        if self._shared and self._also is not None:
            os.ftruncate(self._also, 0)
            copy(self._handle, self._also)
        return self._hasher.hexdigest()

    def restart(self) -> None:
        """Begin with nothing.

        Raises:
            StorageError: the file cannot be written.
            OSError: the second file cannot be written.
        """
        try:
            os.ftruncate(self._handle, 0)
        except OSError as error:
            raise storage_error(error, "write", self._path) from error
        if self._also is not None:
            os.ftruncate(self._also, 0)
        self._hasher = hashlib.sha256()
        self.size = 0

    def heed(self) -> None:
        """Raise what whoever counts the bytes raises when it is over."""
        self._advance(0)

    def close(self) -> None:
        """Close the file; the second one is its owner's."""
        self._writer.shutdown()
        os.close(self._handle)

    def _read(self) -> bytes:
        try:
            return os.pread(self._handle, BLOCK_BYTES, self.size)
        except OSError as error:
            raise storage_error(error, "read", self._path) from error

    def _write(self, data: memoryview) -> None:
        try:
            _write_at(self._handle, data, self.size)
        except OSError as error:
            raise storage_error(error, "write", self._path) from error
        self._tee(data)

    def _tee(self, data: bytes | memoryview) -> None:
        if self._also is not None and not self._shared:
            _write_at(self._also, data, self.size)

    def _count(self, n_bytes: int) -> None:
        self.size += n_bytes
        # what is done again was counted at the first time
        new = max(0, self.size - self._told)
        self._told += new
        self._advance(new)


def _write_at(handle: int, data: bytes | memoryview, start: int) -> None:
    # positions of both files stay at their beginning, where a copy of the whole begins
    rest = memoryview(data)
    while rest:
        written = os.pwrite(handle, rest, start)
        rest, start = rest[written:], start + written
