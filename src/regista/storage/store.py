"""The Store protocol: all that Regista asks of a place that keeps bytes.

Keys are relative paths with `/`, made of safe ASCII characters only (user text never becomes a
key). Few operations, so that a folder, S3, GCS, Azure and a dictionary can all be one. Every
method raises `StorageError` when the store is unreachable, denies access or is full, or when a
key is not one, and nothing else of its own; `put_by_digest` also blames its source, and `copy_to`
its sink.
What the keys mean is decided above: `storage.log`, `storage.blobs`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from regista.errors import StorageError

if TYPE_CHECKING:
    from regista.storage.remembering import Memory

_SEGMENT = r"(?!\.{1,2}(?:/|\Z)|\.tmp-)[A-Za-z0-9._=+-]+"
_KEY = re.compile(f"{_SEGMENT}(?:/{_SEGMENT})*")


class PutOutcome(Enum):
    """What became of a conditional put."""

    CREATED = "created"
    EXISTS = "exists"
    UNKNOWN = "unknown"
    UNSETTLED = "unsettled"


def is_key(text: str) -> bool:
    """Say whether a text can be a key, or one name in it: no `..`, nothing temporary."""
    return _KEY.fullmatch(text) is not None


def checked_key(key: str) -> str:
    """Return the key, or refuse it.

    Raises:
        StorageError: not a key; a bug, or a log from somebody who wants out of the folder.
    """
    if not is_key(key):
        raise StorageError(f"{key!r} is not a key of a registry", hint="regista verify")
    return key


def digest_key(prefix: str, sha256: str) -> str:
    """Return the key of content-addressed bytes: below `prefix`, fanned out by two digits."""
    return f"{prefix}{sha256[:2]}/{sha256}"


class Store(Protocol):
    """A flat map from keys to immutable-by-convention bytes."""

    @property
    def uri(self) -> str:
        """How a person names this store."""
        ...

    def put_if_absent(self, key: str, data: bytes) -> PutOutcome:
        """Create the key durably, or leave what is there; of many racers one sees CREATED.

        UNKNOWN means that the key may have been created: read it back before believing anything.
        UNSETTLED means that it was created, for all to see, but may not survive a power cut;
        reading it back tells nothing.
        """
        ...

    def put(self, key: str, source: bytes | Path) -> None:
        """Write the key durably and atomically, replacing what is there.

        A path is copied (by reflink where the file system can), never moved or hard-linked.
        """
        ...

    def put_by_digest(
        self, source: Path, prefix: str, advance: Callable[[int], None]
    ) -> tuple[str, int]:
        """Store a copy of a file under the key that its content has, and return digest and size.

        The key is `digest_key(prefix, sha256)`, and the digest is of the very bytes stored, taken
        as they are copied. What is there already with the same size is left alone.

        Args:
            source: a regular file; a symbolic link is not followed.
            prefix: ends in `/`.
            advance: told of each number of bytes done; what it raises ends the copy.

        Raises:
            InvalidInputError: the source cannot be read, is not a regular file, or changed
                meanwhile; nothing is stored then.
        """
        ...

    def settle(self, key: str) -> None:
        """Make a key that is there survive a power cut, whoever created it, and whenever.

        Another process may have died, or still be, between creating it and making it durable.
        Whoever builds on it, or says that it is there, settles it first. Nothing to do where
        what can be read is durable.
        """
        ...

    def get(self, key: str) -> bytes | None:
        """Return the bytes, or None when the key does not exist."""
        ...

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Return up to `length` bytes from `start`; None when the key does not exist."""
        ...

    def size(self, key: str) -> int | None:
        """Return the size in bytes, or None when the key does not exist."""
        ...

    def age_s(self, key: str) -> float | None:
        """Return how many seconds ago the key was last written, or None when it does not exist.

        As the store's own clock tells, as far as it has one: never more than it is.
        """
        ...

    def list_after(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys that start with `prefix` and sort after `after`, in order.

        `prefix` is empty or ends in `/`. Order is that of the whole keys' characters. Temporary
        files are never listed.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove the key; a key that is not there is fine."""
        ...

    def local_path(
        self, key: str, *, advance: Callable[[int], None] | None = None, fresh: bool = False
    ) -> Path | None:
        """Return a local file with the content of an immutable key, fetching it when remote.

        None when the key does not exist, though a file fetched earlier under a key that ends in
        its digest may outlive it. The file must not be changed or kept for long.

        Args:
            key: which file.
            advance: told of each number of bytes fetched; never called when none have to be.
            fresh: fetch it whatever was fetched before.
        """
        ...

    def copy_to(
        self, key: str, sink: int, advance: Callable[[int], None], *, fresh: bool = False
    ) -> str | None:
        """Copy an immutable key to a file, and return the SHA-256 of the very bytes written.

        None when the key does not exist, as for `local_path`. What it takes to fetch the bytes,
        check them and keep them at hand happens in one pass.

        Args:
            key: which file.
            sink: an open, empty file, for reading and writing; never a hard link of the store's.
            advance: told of each number of bytes done; what it raises ends the copy.
            fresh: fetch it whatever was fetched before.

        Raises:
            OSError: the sink cannot be written.
        """
        ...

    def lock(
        self, name: str, *, timeout_s: float, shared: bool = False
    ) -> AbstractContextManager[bool]:
        """Hold an advisory lock on the prefix `name/`, so that writers do not waste work.

        Yields True while the lock is held; False at once where there are no locks, and after
        `timeout_s` where others keep theirs. Correctness never rests on it. Shared holders
        exclude only those that are not.
        """
        ...

    def memory(self) -> "Memory | None":
        """Return what this machine remembers of the registry; None where asking costs nothing."""
        ...

    def now(self) -> datetime | None:
        """Return the store's own time, to the second; None where it has none that can be asked."""
        ...

    def scratch(self) -> AbstractContextManager[Path]:
        """Lend a new, empty local folder, removed at the end; files in it are cheap to `put`."""
        ...
