"""Sending files of a user's: hashed first, then sent in parts, and never stored torn.

Invariants: bytes are stored under a digest only when they have it, for a large file is hashed
again as it is sent, and one that was changed in between ends the upload before it takes effect;
memory is a few parts, however large the file.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from regista.errors import InvalidInputError
from regista.storage.copying import BLOCK_BYTES, Advance, hash_all
from regista.storage.oserrors import one_line
from regista.storage.sources import Source
from regista.storage.store import digest_key

if TYPE_CHECKING:
    from regista.storage.remote.store import RemoteStore

# what is sent in one piece, and no part is smaller; S3 asks for 5 MiB at least
PART_BYTES = 8 << 20
# S3 and GCS take 10,000 parts of one file
_MOST_PARTS = 9_000


def part_size(size: int) -> int:
    """Return how many bytes each part of a file of that size should have."""
    return max(PART_BYTES, -(-size // _MOST_PARTS))


def send_by_digest(
    store: "RemoteStore", source: Path, prefix: str, advance: Advance
) -> tuple[str, int]:
    """Store a copy of a file under the key that its content has; return digest and size.

    Args, raises: as `Store.put_by_digest`.
    """
    with Source(source) as opened:
        if opened.size > PART_BYTES:
            return _send_large(store, opened, prefix, advance)
        data = bytearray()
        buffer = memoryview(bytearray(BLOCK_BYTES))
        while count := opened.read(buffer):
            data += buffer[:count]
            advance(0)
        opened.refuse_if_changed(len(data))
        sha256 = hashlib.sha256(data).hexdigest()
        key = digest_key(prefix, sha256)
        if store.size(key) != len(data):
            store.put(key, bytes(data))
        advance(len(data))
        return sha256, len(data)


def _send_large(
    store: "RemoteStore", opened: Source, prefix: str, advance: Advance
) -> tuple[str, int]:
    # bytes count when they are sent, but whoever wants to stop may do so meanwhile
    sha256, size = hash_all(opened.read, lambda _: advance(0))
    opened.refuse_if_changed(size)
    key = digest_key(prefix, sha256)
    if store.size(key) == size:
        advance(size)
    else:
        opened.rewind()
        blocks = _checked_blocks(opened, sha256, size, advance)
        store.put_parts(key, blocks, size, part_size(size))
    return sha256, size


def _checked_blocks(source: Source, sha256: str, size: int, advance: Advance) -> Iterator[bytes]:
    """Yield a file's blocks, unless they turn out not to have the digest before the last one."""
    hasher, rest = hashlib.sha256(), size
    buffer = memoryview(bytearray(BLOCK_BYTES))
    while rest and (count := source.read(buffer[: min(BLOCK_BYTES, rest)])):
        hasher.update(buffer[:count])
        rest -= count
        # after the last block the upload would be completed
        if not rest and hasher.hexdigest() != sha256:
            break
        advance(count)
        yield bytes(buffer[:count])
    if rest or hasher.hexdigest() != sha256:
        raise InvalidInputError(
            f"{one_line(source.path)} changed while it was read",
            hint="run it again when nothing writes to the file",
        )
