"""Members of a zip file of a stranger, one at a time, in bounded memory.

Deflate and stored members go through Python's zipfile. Zstandard, method 93 of the ZIP
specification (APPNOTE.TXT 6.3.10, section 4.4.5), is what zipfile reads from Python 3.14 on only,
so its bytes are taken raw and decompressed by Arrow, which Regista needs anyhow and which reads
several frames in a row. Nothing is ever unpacked to disk, and a member that claims little and
unpacks to much is given up at `MAX_DOCUMENT`.
"""

import struct
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from regista.errors import InvalidInputError
from regista.evalformats.protocol import MAX_DOCUMENT
from regista.model.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

ZSTANDARD = 93
_ENCRYPTED = 1
_LOCAL_HEADER = 30
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError,
    NotImplementedError,
)  # fmt: skip


def first_member(head: bytes) -> str:
    """Return the name of a zip file's first member, from the file's first bytes; '' if none."""
    if not head.startswith(b"PK\x03\x04"):
        return ""
    length = int.from_bytes(head[26:28], "little")
    return head[_LOCAL_HEADER : _LOCAL_HEADER + length].decode("utf-8", "replace")


class Archive:
    """An open zip file; a context manager.

    Attributes:
        name: how messages call it.
    """

    def __init__(self, path: Path, *, limit: int = MAX_DOCUMENT) -> None:
        """Open it.

        Args:
            path: the file.
            limit: bytes that a member may unpack to.

        Raises:
            InvalidInputError: it is missing, no zip file, or truncated.
        """
        self.name = shown(path.name, 200)
        self._limit = limit
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise InvalidInputError(f"cannot read {self.name}: {error.strerror}") from error
        try:
            self._zip = zipfile.ZipFile(self._file)
        except _DAMAGE as error:
            self._file.close()
            raise InvalidInputError(
                f"{self.name} is no zip file, or is truncated: {error}",
                hint="copy it again from where the tool wrote it",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()
        self._file.close()

    def names(self) -> list[str]:
        """Return the names of all members, in the order of the directory."""
        return self._zip.namelist()

    def read(self, name: str) -> bytes:
        """Return the bytes of a member.

        Raises:
            InvalidInputError: it is damaged, encrypted, compressed in another way, or unpacks to
                more than the limit.
        """
        where = f"{self.name}: {shown(name, 200)}"
        try:
            info = self._zip.getinfo(name)
            if info.flag_bits & _ENCRYPTED:
                raise InvalidInputError(f"{where} is encrypted", hint="unpack and pack it again")
            with self._opened(info) as stream:
                data = stream.read(self._limit + 1)
        except KeyError:
            raise InvalidInputError(f"{self.name} has no member {shown(name, 200)}") from None
        except _DAMAGE as error:
            raise InvalidInputError(f"{where} is damaged: {error}") from error
        if len(data) > self._limit:
            raise InvalidInputError(f"{where} unpacks to more than {self._limit >> 20} MB")
        if info.compress_type == ZSTANDARD and zlib.crc32(data) != info.CRC:
            raise InvalidInputError(f"{where} is damaged: its checksum is another")
        return data

    @contextmanager
    def _opened(self, info: zipfile.ZipInfo) -> "Iterator[IO[bytes]]":
        if info.compress_type != ZSTANDARD:
            with self._zip.open(info) as stream:
                yield stream
            return
        import pyarrow as pa

        raw = _Slice(self._file, self._data_offset(info), info.compress_size)
        with pa.PythonFile(raw, mode="r") as source:
            yield pa.CompressedInputStream(source, "zstd")

    def _data_offset(self, info: zipfile.ZipInfo) -> int:
        """Return where a member's bytes begin: behind its local header, which has no fixed size."""
        self._file.seek(info.header_offset)
        header = self._file.read(_LOCAL_HEADER)
        if not header.startswith(b"PK\x03\x04") or len(header) < _LOCAL_HEADER:
            raise zipfile.BadZipFile("its local header is not where the directory says")
        name_length, extra_length = struct.unpack_from("<HH", header, 26)
        return info.header_offset + _LOCAL_HEADER + int(name_length) + int(extra_length)


class _Slice:
    """A part of an open file, as a file that is read from its begin to its end."""

    def __init__(self, file: IO[bytes], offset: int, size: int) -> None:
        self._file = file
        self._position = offset
        self._end = offset + size
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        left = self._end - self._position
        self._file.seek(self._position)
        data = self._file.read(left if size < 0 else min(size, left))
        self._position += len(data)
        return data

    def close(self) -> None:
        self.closed = True
