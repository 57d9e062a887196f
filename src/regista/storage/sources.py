"""A user's file on its way into a store: opened once, hashed as it is copied, watched for change.

Invariant: whatever is wrong with the file is an `InvalidInputError` that names it; what is wrong
with the store's side stays an `OSError` for the store to explain.
"""

import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from regista.errors import InvalidInputError
from regista.storage import copying
from regista.storage.oserrors import one_line
from regista.storage.pipeline import copy_hashed

# O_NONBLOCK: a pipe put in the file's place must not make us wait for its other end
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class Source:
    """One regular file, open for reading while the `with` block runs.

    Args:
        path: the file; a symbolic link is not followed.

    Raises:
        InvalidInputError: on entering, when it cannot be opened or is not a regular file.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        try:
            self._handle = os.open(self.path, _READ)
        except OSError as error:
            raise self._unreadable(error) from error
        self._status = os.fstat(self._handle)
        if not stat.S_ISREG(self._status.st_mode):
            os.close(self._handle)
            raise InvalidInputError(f"{one_line(self.path)} is not a regular file")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._handle)

    @property
    def size(self) -> int:
        """The file's size in bytes when it was opened."""
        return self._status.st_size

    def rewind(self) -> None:
        """Let the next `read` begin at the start again."""
        os.lseek(self._handle, 0, os.SEEK_SET)

    def read(self, buffer: memoryview) -> int:
        """Fill the buffer from where the last call ended; return the number of bytes, 0 at the end.

        Raises:
            InvalidInputError: the file cannot be read.
        """
        try:
            return os.readv(self._handle, [buffer])
        except OSError as error:
            raise self._unreadable(error) from error

    def copy_to(self, sink: int, advance: copying.Advance) -> tuple[str, int]:
        """Copy to an empty file open for reading and writing; return the copy's SHA-256 and size.

        Where the file system can share blocks, the copy is made first and hashed afterwards, so
        that the digest is of the copy whatever happens to the source.

        Raises:
            OSError: from the sink.
            InvalidInputError: the file cannot be read.
        """
        if copying.reflink(self._handle, sink):
            return copying.hash_all(copying.reader(sink), advance)
        return copy_hashed(self.read, sink, advance, write_back=True)

    def refuse_if_changed(self, size: int) -> None:
        """Refuse a file that somebody wrote to, so that no torn artifact is registered.

        Args:
            size: bytes that were read.

        Raises:
            InvalidInputError: the size or the time of the last change is another than at first.
        """
        now = os.fstat(self._handle)
        before = self._status
        if now.st_mtime_ns != before.st_mtime_ns or not size == now.st_size == before.st_size:
            raise InvalidInputError(
                f"{one_line(self.path)} changed while it was read",
                hint="run it again when nothing writes to the file",
            )

    def _unreadable(self, error: OSError) -> InvalidInputError:
        if isinstance(error, FileNotFoundError):
            return InvalidInputError(f"no such file: {one_line(self.path)}")
        return InvalidInputError(f"cannot read {one_line(self.path)}: {error.strerror}")
