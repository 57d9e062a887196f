r"""A run: one immutable file of keys and JSON values, sorted by hash, for look-ups in two reads.

Layout, integers little-endian:

    header      b"regista run 1\n"
    records     lines `key TAB json NEWLINE` (UTF-8), sorted by (hash, key), in buckets
    directory   per bucket: offset u64, length u32, CRC-32 u32
    footer      number of records u64, of buckets u32, offset of the directory u64, its CRC-32 u32,
                b"regista run end\n"

The hash of a key is its 8-byte BLAKE2b. The bucket is the hash's top bits, so that records are in
one order whatever the number of buckets, and merging runs is one pass (`regista.storage.runsort`).
A look-up reads one entry of the directory and one bucket. The CRC covers both, for a wrong entry
does not fit the bytes that it points at. The value `null` is a tombstone. Which runs belong
together is `regista.storage.checkpoint`'s business.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from regista.errors import IntegrityError

TOMBSTONE = b"null"
Record = tuple[bytes, bytes, bytes]
"""A record: hash of the key, key in UTF-8, value as compact JSON."""

_HEADER = b"regista run 1\n"
_FOOTER = struct.Struct("<QIQI16s")
_FOOTER_END = b"regista run end\n"
_ENTRY = struct.Struct("<QII")
_RECORDS_PER_BUCKET = 32
_MAX_BUCKET_BITS = 24
_READ_AT_ONCE = 1 << 20
_DIRECTORY_AT_ONCE = 4096
# up to these sizes reading all once costs less than reading a part for every key
_WHOLE_FILE = 1 << 16
WHOLE_DIRECTORY = 1 << 16


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a reader must know of a run to look into it.

    Attributes:
        sha256: digest of the file.
        size: bytes of the file.
        records: number of records, tombstones included.
        buckets: number of buckets, a power of two.
        directory: offset of the directory in bytes.
    """

    sha256: str
    size: int
    records: int
    buckets: int
    directory: int


def key_hash(key: bytes) -> bytes:
    """Return the 8 bytes that decide where a key lies in a run."""
    return hashlib.blake2b(key, digest_size=8).digest()


class _Writer:
    """Writes the file front to back, hashing it and closing buckets as the order demands."""

    def __init__(self, file: BinaryIO, bits: int) -> None:
        self._file = file
        self._shift = 64 - bits
        self._sha256 = hashlib.sha256()
        self._directory = bytearray()
        self._lines: list[bytes] = []
        self._bucket = 0
        self._offset = 0
        self._records = 0
        self._last = (b"", b"")
        self._write(_HEADER)

    def add(self, record: Record) -> None:
        """Append a record; it must come after the one before in (hash, key) order."""
        hash_, key, value = record
        if (hash_, key) <= self._last:
            raise ValueError(f"records are not sorted at key {key!r}")
        if b"\t" in key or b"\n" in key or b"\n" in value:
            raise ValueError(f"record {key!r} does not fit on a line")
        self._last = (hash_, key)
        bucket = int.from_bytes(hash_, "big") >> self._shift
        while self._bucket < bucket:
            self._close_bucket()
        self._lines.append(b"%b\t%b\n" % (key, value))

    def finish(self, buckets: int) -> RunInfo:
        """Write the directory and the footer."""
        while self._bucket < buckets:
            self._close_bucket()
        directory = self._offset
        crc = zlib.crc32(self._directory)
        self._write(bytes(self._directory))
        self._write(_FOOTER.pack(self._records, buckets, directory, crc, _FOOTER_END))
        return RunInfo(self._sha256.hexdigest(), self._offset, self._records, buckets, directory)

    def _close_bucket(self) -> None:
        data = b"".join(self._lines)
        self._directory += _ENTRY.pack(self._offset, len(data), zlib.crc32(data))
        self._records += len(self._lines)
        self._lines.clear()
        self._bucket += 1
        self._write(data)

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._sha256.update(data)
        self._offset += len(data)


def write_run(path: Path, records: Iterable[Record], count_hint: int) -> RunInfo:
    """Write a run in one pass; memory is one bucket and 16 bytes for each.

    Args:
        path: the file to write; what is there is replaced.
        records: sorted by (hash, key), each key once.
        count_hint: about how many records there will be; it decides the number of buckets.

    Raises:
        ValueError: the records are not sorted, or a key or value does not fit on a line.
    """
    bits = min(_MAX_BUCKET_BITS, (count_hint // _RECORDS_PER_BUCKET).bit_length())
    with path.open("wb", buffering=_READ_AT_ONCE) as file:
        writer = _Writer(file, bits)
        for record in records:
            writer.add(record)
        return writer.finish(1 << bits)


class RunReader:
    """Looks up and streams the records of one run.

    Args:
        read_range: returns up to so many bytes (second argument) from an offset (first).
        info: what `write_run` returned.
        name: how messages call the file.
        whole_directory: up to how many bytes the directory is read at once, and not one entry
            for every key.
    """

    def __init__(
        self,
        read_range: Callable[[int, int], bytes],
        info: RunInfo,
        name: str,
        *,
        whole_directory: int = WHOLE_DIRECTORY,
    ) -> None:
        self._read_range = read_range
        self._info = info
        self._name = name
        self._shift = 64 - (info.buckets.bit_length() - 1)
        self._whole_directory = whole_directory
        self._whole: bytes | None = None
        self._directory: bytes | None = None

    def find(self, key: bytes, hash_: bytes) -> bytes | None:
        """Return the value of a key as JSON; None when the run does not hold the key.

        Raises:
            IntegrityError: the bucket is damaged.
        """
        if self._whole is None and self._info.size <= _WHOLE_FILE:
            self._whole = self._read(0, self._info.size)
        bucket = int.from_bytes(hash_, "big") >> self._shift
        offset, length, crc = self._entry(bucket)
        if offset + length > self._info.directory:
            raise self._damaged(f"bucket {bucket} lies beyond its end")
        data = self._read(offset, length)
        if zlib.crc32(data) != crc:
            raise self._damaged(f"bucket {bucket} has another checksum")
        return _find_line(data, key)

    def iterate(self, prefix: bytes = b"") -> Iterator[Record]:
        """Yield the records whose keys start with `prefix`, in (hash, key) order.

        Memory is about a megabyte. The whole file is checked on the way; damage in the
        directory may be found only after the last record.

        Raises:
            IntegrityError: any byte of the file is not as it was written.
        """
        directory_crc = self._check_frame()
        position, seen_crc, records = len(_HEADER), 0, 0
        for raw in self._directory_chunks():
            seen_crc = zlib.crc32(raw, seen_crc)
            for group in self._groups(raw, position):
                data = self._read(position, sum(length for _, length, _ in group))
                for offset, length, crc in group:
                    start = offset - position
                    lines = self._lines(data[start : start + length], crc)
                    records += len(lines)
                    yield from _split(lines, prefix)
                position += len(data)
        if seen_crc != directory_crc or position != self._info.directory:
            raise self._damaged("its directory is not as written")
        if records != self._info.records:
            raise self._damaged(f"it holds {records} records, not {self._info.records}")

    def _entry(self, bucket: int) -> tuple[int, int, int]:
        first, size = bucket * _ENTRY.size, self._info.buckets * _ENTRY.size
        if self._directory is None and size <= self._whole_directory:
            self._directory = self._read(self._info.directory, size)
        if self._directory is not None:
            offset, length, crc = _ENTRY.unpack_from(self._directory, first)
        else:
            entry = self._read(self._info.directory + first, _ENTRY.size)
            offset, length, crc = _ENTRY.unpack(entry)
        return offset, length, crc

    def _check_frame(self) -> int:
        info = self._info
        footer = self._read(info.size - _FOOTER.size, _FOOTER.size)
        records, buckets, directory, crc, end = _FOOTER.unpack(footer)
        expected = (info.records, info.buckets, info.directory, _FOOTER_END)
        if (records, buckets, directory, end) != expected:
            raise self._damaged("its footer is not as written")
        if info.directory + info.buckets * _ENTRY.size + _FOOTER.size != info.size:
            raise self._damaged("its size does not fit its directory")
        if self._read(0, len(_HEADER)) != _HEADER:
            raise self._damaged("its header is not as written")
        return int(crc)

    def _directory_chunks(self) -> Iterator[bytes]:
        step = _DIRECTORY_AT_ONCE
        for first in range(0, self._info.buckets, step):
            count = min(step, self._info.buckets - first)
            yield self._read(self._info.directory + first * _ENTRY.size, count * _ENTRY.size)

    def _groups(self, raw: bytes, position: int) -> Iterator[list[tuple[int, int, int]]]:
        """Yield directory entries in groups that are read at once, checking that they adjoin."""
        group: list[tuple[int, int, int]] = []
        total = 0
        for offset, length, crc in _ENTRY.iter_unpack(raw):
            if offset != position or offset + length > self._info.directory:
                raise self._damaged("its buckets do not adjoin")
            position += length
            if group and total + length > _READ_AT_ONCE:
                yield group
                group, total = [], 0
            group.append((offset, length, crc))
            total += length
        yield group

    def _lines(self, data: bytes, crc: int) -> list[bytes]:
        if zlib.crc32(data) != crc:
            raise self._damaged("a bucket has another checksum")
        return data.split(b"\n")[:-1]

    def _read(self, start: int, length: int) -> bytes:
        if self._whole is not None:
            data = self._whole[start : start + length]
        else:
            data = self._read_range(start, length)
        if len(data) != length:
            raise self._damaged("it is too short")
        return data

    def _damaged(self, detail: str) -> IntegrityError:
        return IntegrityError(
            f"checkpoint file {self._name} is damaged: {detail}", hint="regista rebuild"
        )


def _find_line(data: bytes, key: bytes) -> bytes | None:
    # neither keys nor JSON hold a raw newline, so this can match at the start of a line only
    needle = b"\n%b\t" % key
    if data.startswith(needle[1:]):
        start = len(needle) - 1
    else:
        found = data.find(needle)
        if found < 0:
            return None
        start = found + len(needle)
    return data[start : data.index(b"\n", start)]


def _split(lines: list[bytes], prefix: bytes) -> Iterator[Record]:
    for line in lines:
        if line.startswith(prefix):
            key, _, value = line.partition(b"\t")
            yield key_hash(key), key, value
