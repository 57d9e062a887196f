"""Sorting and merging records of runs in bounded memory.

Both give records in the (hash, key) order that `regista.storage.runfile` writes, each key once.
Only writers of checkpoints come here; no file format lives here but that of temporary parts.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from regista.storage.runfile import TOMBSTONE, Record, key_hash

_PARTS = 256
_BUFFER_BYTES = 32 << 20
# what a line costs in memory beyond its bytes
_LINE_OVERHEAD = 48


def merge(sources: Sequence[Iterable[Record]], *, drop_tombstones: bool) -> Iterator[Record]:
    """Merge sorted sources, newest first, in one pass: the newest record of a key wins.

    Args:
        sources: each sorted by (hash, key), each key once.
        drop_tombstones: leave out keys whose newest record is a tombstone; right only when no
            older source may hold the key.
    """
    last: bytes | None = None
    streams = [_aged(source, age) for age, source in enumerate(sources)]
    for hash_, key, _age, value in heapq.merge(*streams):
        if key == last:
            continue
        last = key
        if not (drop_tombstones and value == TOMBSTONE):
            yield hash_, key, value


def sort_records(items: Iterable[tuple[bytes, bytes]]) -> list[Record]:
    """Return (key, value) pairs as records in order; of equal keys the last one counts."""
    return sorted((key_hash(key), key, value) for key, value in dict(items).items())


def external_sort(
    items: Iterable[tuple[bytes, bytes]], scratch: Path
) -> tuple[int, Iterator[Record]]:
    """Sort any number of (key, value) pairs in bounded memory; of equal keys the last counts.

    Args:
        items: keys in UTF-8 and values as compact JSON, in any order.
        scratch: an empty folder for temporary parts; each is removed once it is read.

    Returns:
        How many pairs there were (repeated keys counted each time), and the records in order.
        The pairs have all been read by then.
    """
    parts: list[list[bytes]] = [[] for _ in range(_PARTS)]
    count = buffered = 0
    spilled = False
    for key, value in items:
        line = b"%b\t%b\n" % (key, value)
        parts[key_hash(key)[0]].append(line)
        count += 1
        buffered += len(line) + _LINE_OVERHEAD
        if buffered > _BUFFER_BYTES:
            _spill(parts, scratch)
            buffered, spilled = 0, True
    if spilled:
        _spill(parts, scratch)
    return count, _sorted_parts(parts, scratch, spilled=spilled)


def _aged(source: Iterable[Record], age: int) -> Iterator[tuple[bytes, bytes, int, bytes]]:
    for hash_, key, value in source:
        yield hash_, key, age, value


def _part_path(scratch: Path, part: int) -> Path:
    return scratch / f"part-{part:03d}"


def _spill(parts: list[list[bytes]], scratch: Path) -> None:
    for part, lines in enumerate(parts):
        if lines:
            with _part_path(scratch, part).open("ab") as file:
                file.writelines(lines)
            lines.clear()


def _sorted_parts(parts: list[list[bytes]], scratch: Path, *, spilled: bool) -> Iterator[Record]:
    # a part is the hashes with one first byte, so that the parts follow each other in order
    for part, lines in enumerate(parts):
        path = _part_path(scratch, part)
        if spilled and path.exists():
            data = path.read_bytes()
            path.unlink()
        else:
            data = b"".join(lines)
            lines.clear()
        yield from sort_records(
            (key, value) for key, _, value in (line.partition(b"\t") for line in _lines(data))
        )


def _lines(data: bytes) -> list[bytes]:
    return data.split(b"\n")[:-1]
