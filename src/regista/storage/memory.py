"""A dictionary as a Store, for tests, examples and dry runs.

Invariants: the same semantics as a folder's, for many threads of one process; nothing outlives
the process. A store opened twice by one name is the same store.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from regista.errors import StorageError
from regista.storage.spool import spool_folder
from regista.storage.store import PutOutcome, checked_key, digest_key
from regista.storage.temporary import temporary_folder, temporary_name

_registered: dict[str, "MemoryStore"] = {}
_registering = threading.Lock()


def memory_store(name: str) -> "MemoryStore":
    """Return the store of this name, made on first use."""
    with _registering:
        return _registered.setdefault(name, MemoryStore(name))


class MemoryStore:
    """Bytes in a dictionary.

    Args:
        name: what its URI shows; only `memory_store` makes the name find the store again.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._values: dict[str, bytes] = {}
        self._written: dict[str, float] = {}
        self._guard = threading.Lock()
        self._locks: dict[str, _SharedLock] = {}
        self._spool: Path | None = None
        self._spooled: dict[str, bytes] = {}

    @property
    def uri(self) -> str:
        """`memory://` and the name."""
        return f"memory://{self._name}"

    def put_if_absent(self, key: str, data: bytes) -> PutOutcome:
        """Create the key, or leave what is there; of many racers one sees CREATED."""
        with self._guard:
            if checked_key(key) in self._values:
                return PutOutcome.EXISTS
            self._values[key] = bytes(data)
            self._written[key] = time.monotonic()
            return PutOutcome.CREATED

    def put(self, key: str, source: bytes | Path) -> None:
        """Write the key, replacing what is there; a path is read."""
        try:
            data = bytes(source) if isinstance(source, bytes) else source.read_bytes()
        except OSError as error:
            raise StorageError(f"cannot read {source!s}: {error.strerror}") from error
        with self._guard:
            self._values[checked_key(key)] = data
            self._written[key] = time.monotonic()

    def put_by_digest(
        self, source: Path, prefix: str, advance: Callable[[int], None]
    ) -> tuple[str, int]:
        """Store a copy of a file under the key that its content has; return digest and size."""
        from regista.storage.copying import hash_all
        from regista.storage.sources import Source

        data = bytearray()
        with Source(source) as opened:

            def read(buffer: memoryview) -> int:
                count = opened.read(buffer)
                data.extend(buffer[:count])
                return count

            sha256, size = hash_all(read, advance)
            opened.refuse_if_changed(size)
        key = digest_key(prefix, sha256)
        if self.size(key) != size:
            self.put(key, bytes(data))
        return sha256, size

    def settle(self, key: str) -> None:
        """Do nothing: no power cut is survived here."""

    def get(self, key: str) -> bytes | None:
        """Return the bytes, or None when the key does not exist."""
        return self._values.get(checked_key(key))

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Return up to `length` bytes from `start`; None when the key does not exist."""
        data = self._values.get(checked_key(key))
        return None if data is None else data[start : start + length]

    def size(self, key: str) -> int | None:
        """Return the size in bytes, or None when the key does not exist."""
        data = self._values.get(checked_key(key))
        return None if data is None else len(data)

    def age_s(self, key: str) -> float | None:
        """Return how many seconds ago the key was last written; None when it does not exist."""
        written = self._written.get(checked_key(key))
        return None if written is None else time.monotonic() - written

    def list_after(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys that start with `prefix` and sort after `after`, in order."""
        with self._guard:
            keys = [key for key in self._values if key.startswith(prefix) and key > after]
        return iter(sorted(keys))

    def delete(self, key: str) -> None:
        """Remove the key; a key that is not there is fine."""
        with self._guard:
            self._values.pop(checked_key(key), None)
            self._written.pop(key, None)

    def local_path(
        self,
        key: str,
        *,
        advance: Callable[[int], None] | None = None,  # noqa: ARG002 - nothing is fetched
        fresh: bool = False,  # noqa: ARG002
    ) -> Path | None:
        """Return a file in a private folder that goes when the interpreter ends."""
        with self._guard:
            data = self._values.get(checked_key(key))
            if data is None:
                return None
            path = self._spool_folder() / key
            if self._spooled.get(key) is not data:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                self._spooled[key] = data
            return path

    def copy_to(
        self,
        key: str,
        sink: int,
        advance: Callable[[int], None],
        *,
        fresh: bool = False,  # noqa: ARG002 - nothing is fetched
    ) -> str | None:
        """Copy a key to an open, empty file; return the SHA-256 of the bytes written."""
        from regista.storage.pipeline import copy_file

        path = self.local_path(key)
        return copy_file(path, sink, advance) if path else None

    @contextmanager
    def lock(self, name: str, *, timeout_s: float, shared: bool = False) -> Iterator[bool]:
        """Hold an advisory lock among this process's threads; yield whether it is held."""
        with self._guard:
            lock = self._locks.setdefault(name, _SharedLock())
        held = lock.acquire(timeout_s, shared=shared)
        try:
            yield held
        finally:
            if held:
                lock.release()

    def memory(self) -> None:
        """Remember nothing: everything is at hand."""

    def now(self) -> None:
        """Know no other time than this machine's."""

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Lend a new, empty local folder, removed at the end."""
        with self._guard:
            parent = self._spool_folder()
        with temporary_folder(parent) as folder:
            yield folder

    def _spool_folder(self) -> Path:
        if self._spool is None:
            self._spool = spool_folder() / temporary_name()
            self._spool.mkdir()
        return self._spool


class _SharedLock:
    """A lock for one, or for many that share it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        # how many share it; -1: one holds it alone
        self._holders = 0

    def acquire(self, timeout_s: float, *, shared: bool) -> bool:
        with self._changed:
            free = self._changed.wait_for(
                lambda: self._holders >= 0 if shared else self._holders == 0, timeout_s
            )
            if free:
                self._holders += 1 if shared else -1
            return free

    def release(self) -> None:
        with self._changed:
            self._holders -= 1 if self._holders > 0 else -1
            self._changed.notify_all()
