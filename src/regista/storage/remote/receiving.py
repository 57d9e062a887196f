"""Fetching whole files: the first part tells the size, the others come several at a time.

Invariants: all parts are of one version of the file, and what was fetched has the size that the
store said. Whether the content is right, its digest tells whoever knows it.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import PreconditionError

from regista.storage.copying import Advance
from regista.storage.remote.failures import Answer
from regista.storage.remote.versions import Version

if TYPE_CHECKING:
    from obstore.store import ObjectStore

PART_BYTES = 8 << 20
# memory is so many parts
_AT_ONCE = 4
_ATTEMPTS = 3
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


def receive(client: "ObjectStore", key: str, path: Path, advance: Advance) -> Version:
    """Write a file of the store to a local one, and return which version it was.

    Args:
        client: which store.
        key: which file.
        path: the file to make.
        advance: told of each number of bytes that came.

    Raises:
        Exception: whatever the client raises.
        OSError: the local file cannot be written.
    """
    for attempt in range(_ATTEMPTS):
        handle = os.open(path, _NEW, 0o600)
        try:
            return _receive(client, key, handle, advance)
        except PreconditionError:
            # somebody replaced it between two parts
            if attempt == _ATTEMPTS - 1:
                raise
        finally:
            os.close(handle)
    raise AssertionError


def _receive(client: "ObjectStore", key: str, handle: int, advance: Advance) -> Version:
    try:
        first = obstore.get(client, key, options={"range": (0, PART_BYTES)})
        data = memoryview(first.bytes())
    except Exception as error:
        if not Answer.of(error).beyond_end:
            raise
        # no range of an empty file can be had
        return Version.of(obstore.head(client, key))
    version, mark = Version.of(first.meta), first.meta["e_tag"]
    _write_at(handle, data, 0)
    advance(len(data))

    def fetch(start: int) -> None:
        span = (start, min(start + PART_BYTES, version.size))
        part = obstore.get(client, key, options={"range": span, "if_match": mark})
        data = memoryview(part.bytes())
        _write_at(handle, data, start)
        advance(len(data))

    if len(data) < version.size:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            # leaving the block early would wait for parts that nobody wants any more
            futures = [pool.submit(fetch, k) for k in range(PART_BYTES, version.size, PART_BYTES)]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    return version


def _write_at(handle: int, data: memoryview, start: int) -> None:
    while data:
        written = os.pwrite(handle, data, start)
        data, start = data[written:], start + written
