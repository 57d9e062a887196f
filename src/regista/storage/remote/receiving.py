"""Fetching whole files: parts come several at a time, and are hashed and written in their order.

Invariants: all parts are of one version of the file, and what was fetched has the size that the
store said. At any moment the local file is the start of the remote one, without gaps, so that
another call goes on where one was killed. The digest returned is of the bytes written; whether it
is the right one, the caller knows.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import PreconditionError

from regista.storage.copying import Advance
from regista.storage.remote.failures import Answer
from regista.storage.remote.growing import Growing
from regista.storage.remote.versions import Version

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

Result = TypeVar("Result")

PART_BYTES = 8 << 20
# of one file, on their way or here before their turn
_AT_ONCE = 8
# of all files together, and one more of each; so many parts are in memory at most
_permits = threading.BoundedSemaphore(16)
# so soon does somebody who waits for a part hear that it is over
_HEED_S = 0.2
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
        first, data = _awaited(_started(partial(_first, client, key, growing.size)), growing)
    except Exception as error:
        if not Answer.of(error).beyond_end:
            raise
        return _without_more(client, key, growing)
    version = Version.of(first)
    growing.add(data)
    with closing(_parts(client, key, first, growing)) as parts:
        for part in parts:
            growing.add(part)
    return version


def _first(client: "ObjectStore", key: str, start: int) -> "tuple[ObjectMeta, memoryview]":
    got = obstore.get(client, key, options={"range": (start, start + PART_BYTES)})
    return got.meta, memoryview(got.bytes())


def _without_more(client: "ObjectStore", key: str, growing: Growing) -> Version:
    """Return the version of a file that has no bytes beyond those that are here."""
    version = Version.of(_awaited(_started(lambda: obstore.head(client, key)), growing))
    if version.size == growing.size:
        return version
    # what was here is longer than the whole file
    growing.restart()
    return _receive(client, key, growing)


def _parts(
    client: "ObjectStore", key: str, whole: "ObjectMeta", growing: Growing
) -> Generator[memoryview, None, None]:
    """Yield the parts that are missing, in order, while later ones are on their way."""

    def fetch(start: int) -> memoryview:
        span = (start, min(start + PART_BYTES, whole["size"]))
        part = obstore.get(client, key, options={"range": span, "if_match": whole["e_tag"]})
        return memoryview(part.bytes())

    starts = deque(range(growing.size, whole["size"], PART_BYTES))
    pending: deque[tuple[Future[memoryview], bool]] = deque()

    def start_more() -> None:
        while starts and len(pending) < _AT_ONCE:
            permitted = _permits.acquire(blocking=False)
            # each file may have one, or they would wait for each other
            if pending and not permitted:
                return
            pending.append((_started(partial(fetch, starts.popleft())), permitted))

    try:
        start_more()
        while pending:
            part = _awaited(pending[0][0], growing)
            _give_back(pending.popleft())
            # the next one is on its way while this one is written
            start_more()
            yield part
    finally:
        for one in pending:
            _give_back(one)


def _give_back(one: "tuple[Future[memoryview], bool]") -> None:
    if one[1]:
        _permits.release()


def _started(work: Callable[[], Result]) -> "Future[Result]":
    """Do work in a thread that nobody has to wait for, as those of a pool would at the end."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _awaited(future: "Future[Result]", growing: Growing) -> Result:
    while not wait([future], _HEED_S).done:
        growing.heed()
    return future.result()
