"""The Store protocol: all that Regista asks of a place that keeps bytes.

Keys are relative paths with `/`, made of safe ASCII characters only (user text never becomes a
key). Six operations, so that a folder, S3, GCS, Azure and a dictionary can all be one. Every
method raises `StorageError` when the store is unreachable, denies access or is full, and
nothing else of its own.
"""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Protocol


class PutOutcome(Enum):
    """What became of a conditional put."""

    CREATED = "created"
    EXISTS = "exists"
    UNKNOWN = "unknown"


class Store(Protocol):
    """A flat map from keys to immutable-by-convention bytes."""

    @property
    def uri(self) -> str:
        """How a person names this store."""
        ...

    def put_if_absent(self, key: str, data: bytes) -> PutOutcome:
        """Create the key durably, or leave what is there; of many racers one sees CREATED."""
        ...

    def put(self, key: str, source: bytes | Path) -> None:
        """Write the key durably and atomically, replacing what is there.

        A path is copied (by reflink where the file system can), never moved or hard-linked.
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

    def list_after(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys that start with `prefix` and sort after `after`, in order.

        `prefix` is empty or ends in `/`. Temporary files are never listed.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove the key; a key that is not there is fine."""
        ...

    def local_path(self, key: str) -> Path | None:
        """Return a local file with the content of an immutable key, fetching it when remote.

        None when the key does not exist. The file must not be changed or kept for long.
        """
        ...
