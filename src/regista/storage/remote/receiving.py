"""Fetching whole files: parts come several at a time, and are hashed and written in their order.

Invariants: all parts are of one version of the file, and what was fetched has the size that the
store said. At any moment the local file is the start of the remote one, without gaps, so that
another call goes on where one was killed. The digest returned is of the bytes written; whether it
is the right one, the caller knows.
"""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import PreconditionError

from regista.storage.copying import Advance
from regista.storage.remote.failures import Answer
from regista.storage.remote.growing import Growing
from regista.storage.remote.versions import Version

if TYPE_CHECKING:
    from obstore.store import ObjectStore

PART_BYTES = 8 << 20
# under way or waiting for the one before; memory is so many parts and two more
_AT_ONCE = 4
_ATTEMPTS = 3


def receive(
    client: "ObjectStore",
    key: str,
    path: Path,
    advance: Advance,
    *,
    sha256: str = "",
    also: int | None = None,
) -> tuple[Version, str]:
    """Make a local file what one in the store is; return which version, and the SHA-256.

    Args:
        client: which store.
        key: which file.
        path: the local file. What is in it is taken for the start of the remote one.
        advance: told of each number of bytes that came, or were there.
        sha256: what the file should have: if what comes after an old start has another, it is
            fetched from its beginning.
        also: an open, empty file, for reading and writing, that gets the bytes too.

    Raises:
        Exception: whatever the client raises.
        StorageError: the local file cannot be written.
        OSError: `also` cannot be written.
    """
    with closing(Growing(path, also, advance)) as growing:
        resumed = growing.take_over() > 0
        for attempt in range(_ATTEMPTS):
            try:
                version = _receive(client, key, growing)
            except PreconditionError:
                # somebody replaced it between two parts
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                digest = growing.finish()
                if digest == sha256 or not (sha256 and resumed):
                    return version, digest
            growing.restart()
            resumed = False
    raise AssertionError


def _receive(client: "ObjectStore", key: str, growing: Growing) -> Version:
    try:
        start = growing.size
        first = obstore.get(client, key, options={"range": (start, start + PART_BYTES)})
        data = memoryview(first.bytes())
    except Exception as error:
        if not Answer.of(error).beyond_end:
            raise
        return _without_more(client, key, growing)
    version = Version.of(first.meta)
    growing.add(data)
    starts = range(growing.size, version.size, PART_BYTES)
    if starts:
        with closing(_parts(client, key, starts, version, first.meta["e_tag"])) as parts:
            for part in parts:
                growing.add(part)
    return version


def _without_more(client: "ObjectStore", key: str, growing: Growing) -> Version:
    """Return the version of a file that has no bytes beyond those that are here."""
    version = Version.of(obstore.head(client, key))
    if version.size == growing.size:
        return version
    # what was here is longer than the whole file
    growing.restart()
    return _receive(client, key, growing)


def _parts(
    client: "ObjectStore", key: str, starts: Sequence[int], version: Version, mark: str | None
) -> Generator[memoryview, None, None]:
    """Yield the parts that begin at `starts`, in order, while later ones are on their way."""

    def fetch(start: int) -> memoryview:
        span = (start, min(start + PART_BYTES, version.size))
        part = obstore.get(client, key, options={"range": span, "if_match": mark})
        return memoryview(part.bytes())

    pending: deque[Future[memoryview]] = deque()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            for start in starts:
                pending.append(pool.submit(fetch, start))
                if len(pending) > _AT_ONCE:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            # those that nobody wants any more
            pool.shutdown(wait=False, cancel_futures=True)
