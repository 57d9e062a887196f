r"""A run: one immutable file of keys and JSON values, sorted by hash, for look-ups in one read.

Layout:

    header      b"regista run 2\n"
    records     lines `key TAB json NEWLINE` (UTF-8), sorted by (hash, key)

The hash of a key is its 8-byte BLAKE2b. The records lie in buckets by the hash's top bits; so they
are in one order whatever the number of buckets, and merging runs is one pass
(`regista.storage.runsort`). Where each bucket lies and its CRC-32 stand in the run's *index*, and
which keys are not in the run is told by its *filter* (`regista.storage.keyfilter`); both are kept
by who names the run (`RunInfo`), so that a look-up reads one bucket and nothing else. The value
`null` is a tombstone. Which runs belong together is `regista.storage.checkpoint`'s business.
"""

import hashlib
import struct
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from regista.errors import IntegrityError
from regista.storage.keyfilter import make_filter, may_hold

TOMBSTONE = b"null"
Record = tuple[bytes, bytes, bytes]
"""A record: hash of the key, key in UTF-8, value as compact JSON."""

HEADER = b"regista run 2\n"
BUCKET = struct.Struct("<II")
_HASH_BYTES = 8
_RECORDS_PER_BUCKET = 32
# indexes are read with every question, so a bucket of a very large run has more records instead
_MAX_BUCKET_BITS = 12
# a filter of a megabyte costs more to read than it saves
_MOST_FILTERED = 1 << 20
_READ_AT_ONCE = 1 << 20
# up to this size reading all once costs less than reading a part for every key
_WHOLE_FILE = 1 << 16


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a reader must know of a run to look into it.

    Attributes:
        sha256: digest of the file.
        size: bytes of the file.
        records: number of records, tombstones included.
        index: for each bucket its bytes u32 and their CRC-32 u32, little-endian; the number of
            buckets is a power of two.
        filter: of the keys in the run; empty where there is none.
    """

    sha256: str
    size: int
    records: int
    index: bytes = field(repr=False)
    filter: bytes = field(repr=False, default=b"")


def key_hash(key: bytes) -> bytes:
    """Return the 8 bytes that decide where a key lies in a run."""
    return hashlib.blake2b(key, digest_size=_HASH_BYTES).digest()


class _Writer:
    """Writes the file front to back, hashing it and closing buckets as the order demands."""

    def __init__(self, file: BinaryIO, bits: int, *, filtered: bool) -> None:
        self._file = file
        self._shift = 64 - bits
        self._sha256 = hashlib.sha256()
        self._index = bytearray()
        self._lines: list[bytes] = []
        self._hashes = array("B") if filtered else None
        self._bucket = 0
        self._size = 0
        self._records = 0
        self._last = (b"", b"")
        self._write(HEADER)

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
        if self._hashes is not None:
            self._hashes.frombytes(hash_)

    def finish(self, buckets: int) -> RunInfo:
        """Close what is open; return what a reader needs."""
        while self._bucket < buckets:
            self._close_bucket()
        digest, index = self._sha256.hexdigest(), bytes(self._index)
        return RunInfo(digest, self._size, self._records, index, self._filter())

    def _filter(self) -> bytes:
        if self._hashes is None or self._records > _MOST_FILTERED:
            return b""
        raw = self._hashes.tobytes()
        hashes = (raw[i : i + _HASH_BYTES] for i in range(0, len(raw), _HASH_BYTES))
        return make_filter(hashes, self._records)

    def _close_bucket(self) -> None:
        data = b"".join(self._lines)
        self._index += BUCKET.pack(len(data), zlib.crc32(data))
        self._records += len(self._lines)
        self._lines.clear()
        self._bucket += 1
        self._write(data)

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._sha256.update(data)
        self._size += len(data)


def write_run(
    path: Path, records: Iterable[Record], count_hint: int, *, filtered: bool = True
) -> RunInfo:
    """Write a run in one pass; memory is one bucket, and 8 bytes for each record if filtered.

    Args:
        path: the file to write; what is there is replaced.
        records: sorted by (hash, key), each key once.
        count_hint: about how many records there will be; it decides the number of buckets.
        filtered: make a filter of the keys, unless they are too many. The oldest run needs none:
            it is where a key is that is in no other.

    Raises:
        ValueError: the records are not sorted, or a key or value does not fit on a line.
    """
    bits = min(_MAX_BUCKET_BITS, (count_hint // _RECORDS_PER_BUCKET).bit_length())
    with path.open("wb", buffering=_READ_AT_ONCE) as file:
        writer = _Writer(file, bits, filtered=filtered and count_hint <= _MOST_FILTERED)
        for record in records:
            writer.add(record)
        return writer.finish(1 << bits)


class RunReader:
    """Looks up and streams the records of one run.

    Args:
        read_range: returns up to so many bytes (second argument) from an offset (first).
        info: what `write_run` returned.
        name: how messages call the file.
    """

    def __init__(self, read_range: Callable[[int, int], bytes], info: RunInfo, name: str) -> None:
        self._read_range = read_range
        self._info = info
        self._name = name
        self._shift = 64 - (len(info.index) // BUCKET.size).bit_length() + 1
        self._whole: bytes | None = None
        self._starts: list[int] | None = None

    def find(self, key: bytes, hash_: bytes) -> bytes | None:
        """Return the value of a key as JSON; None when the run does not hold the key.

        Raises:
            IntegrityError: the bucket is damaged.
        """
        if self._info.filter and not may_hold(self._info.filter, hash_):
            return None
        if self._whole is None and self._info.size <= _WHOLE_FILE:
            self._whole = self._read(0, self._info.size)
        bucket = int.from_bytes(hash_, "big") >> self._shift
        length, crc = BUCKET.unpack_from(self._info.index, bucket * BUCKET.size)
        return _find_line(self._bucket(self._start_of(bucket), length, crc), key)

    def iterate(self, prefix: bytes = b"") -> Iterator[Record]:
        """Yield the records whose keys start with `prefix`, in (hash, key) order.

        Memory is about a megabyte. The whole file is checked on the way.

        Raises:
            IntegrityError: any byte of the file is not as it was written.
        """
        if self._read(0, len(HEADER)) != HEADER:
            raise self._damaged("its header is not as written")
        position, records = len(HEADER), 0
        for group in self._groups():
            data = self._read(position, sum(length for length, _ in group))
            start = 0
            for length, crc in group:
                bucket = self._checked(data[start : start + length], crc)
                start += length
                lines = bucket.split(b"\n")[:-1]
                records += len(lines)
                yield from _split(lines, prefix)
            position += len(data)
        if records != self._info.records or position != self._info.size:
            raise self._damaged(f"it holds {records} records, not {self._info.records}")

    def _start_of(self, bucket: int) -> int:
        if self._starts is None:
            lengths = (length for length, _crc in BUCKET.iter_unpack(self._info.index))
            self._starts = list(accumulate(lengths, initial=len(HEADER)))
        return self._starts[bucket]

    def _groups(self) -> Iterator[list[tuple[int, int]]]:
        """Yield the index in groups of buckets that are read at once."""
        group: list[tuple[int, int]] = []
        total = 0
        for length, crc in BUCKET.iter_unpack(self._info.index):
            if group and total + length > _READ_AT_ONCE:
                yield group
                group, total = [], 0
            group.append((length, crc))
            total += length
        yield group

    def _bucket(self, start: int, length: int, crc: int) -> bytes:
        return self._checked(self._read(start, length), crc) if length else b""

    def _checked(self, data: bytes, crc: int) -> bytes:
        if zlib.crc32(data) != crc:
            raise self._damaged("a bucket has another checksum")
        return data

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
