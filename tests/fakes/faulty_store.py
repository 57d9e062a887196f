"""A store that fails on order, behind the real Store protocol.

Faults are scripted per operation and used up in the order of its calls; where the script ends,
the store behind it answers. `KilledError` stands for a process that dies: nothing catches it.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TypeVar

from regista.errors import StorageError
from regista.storage.remembering import Memory
from regista.storage.store import PutOutcome, Store

T = TypeVar("T")


class Fault(Enum):
    """How one call goes wrong."""

    NONE = "none"
    RAISE_BEFORE = "raise before applying"
    RAISE_AFTER = "apply, then lose the answer in an error"
    UNKNOWN_BEFORE = "say UNKNOWN without applying"
    UNKNOWN_AFTER = "apply, then say UNKNOWN"
    EXISTS_BEFORE = "say EXISTS without applying"
    UNSETTLED = "apply, then say that it may not survive a power cut"
    EXISTS_AFTER = "apply, then say EXISTS, as a client does that retries by itself"
    ABSENT = "say that the key does not exist"


_SAID = {
    Fault.UNKNOWN_BEFORE: PutOutcome.UNKNOWN,
    Fault.UNKNOWN_AFTER: PutOutcome.UNKNOWN,
    Fault.UNSETTLED: PutOutcome.UNSETTLED,
    Fault.EXISTS_BEFORE: PutOutcome.EXISTS,
    Fault.EXISTS_AFTER: PutOutcome.EXISTS,
}
_APPLIED = {Fault.NONE, Fault.RAISE_AFTER, Fault.UNKNOWN_AFTER, Fault.UNSETTLED, Fault.EXISTS_AFTER}


class KilledError(BaseException):
    """The process is dead."""


class FaultyStore:
    """Passes calls on to another store, except for what was ordered.

    Args:
        inner: the store behind.
        kill_at: dies instead of this write (a put, a conditional put or a delete), from 0;
            None to live on.
    """

    def __init__(self, inner: Store, *, kill_at: int | None = None) -> None:
        self.inner = inner
        self.kill_at = kill_at
        self.writes = 0
        self.calls: list[tuple[str, str]] = []
        self.before_put_if_absent: Callable[[], None] = lambda: None
        self._faults: dict[str, deque[Fault]] = {}

    def order(self, operation: str, *faults: Fault) -> None:
        """Let the next calls of an operation go wrong."""
        self._faults.setdefault(operation, deque()).extend(faults)

    def count(self, operation: str) -> int:
        """Return how often an operation was called."""
        return sum(1 for called, _ in self.calls if called == operation)

    @property
    def uri(self) -> str:
        return self.inner.uri

    def put_if_absent(self, key: str, data: bytes) -> PutOutcome:
        self._write_or_die()
        self.before_put_if_absent()
        fault = self._next("put_if_absent", key)
        outcome = PutOutcome.UNKNOWN
        if fault is Fault.RAISE_BEFORE:
            raise StorageError("refused")
        if fault in _APPLIED:
            outcome = self.inner.put_if_absent(key, data)
        if fault is Fault.RAISE_AFTER:
            raise StorageError("connection lost")
        return _SAID.get(fault, outcome)

    def put(self, key: str, source: bytes | Path) -> None:
        self._write_or_die()
        self._call("put", key, lambda: self.inner.put(key, source))

    def put_by_digest(
        self, source: Path, prefix: str, advance: Callable[[int], None]
    ) -> tuple[str, int]:
        self._write_or_die()
        return self._call(
            "put_by_digest", prefix, lambda: self.inner.put_by_digest(source, prefix, advance)
        )

    def settle(self, key: str) -> None:
        self._call("settle", key, lambda: self.inner.settle(key))

    def get(self, key: str) -> bytes | None:
        return self._look("get", key, lambda: self.inner.get(key))

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        return self._look("get_range", key, lambda: self.inner.get_range(key, start, length))

    def size(self, key: str) -> int | None:
        return self._look("size", key, lambda: self.inner.size(key))

    def age_s(self, key: str) -> float | None:
        return self._look("age_s", key, lambda: self.inner.age_s(key))

    def list_after(self, prefix: str, after: str = "") -> Iterator[str]:
        return self._call("list_after", prefix, lambda: self.inner.list_after(prefix, after))

    def delete(self, key: str) -> None:
        self._write_or_die()
        self._call("delete", key, lambda: self.inner.delete(key))

    def local_path(
        self, key: str, *, advance: Callable[[int], None] | None = None, fresh: bool = False
    ) -> Path | None:
        return self._look(
            "local_path", key, lambda: self.inner.local_path(key, advance=advance, fresh=fresh)
        )

    def copy_to(
        self, key: str, sink: int, advance: Callable[[int], None], *, fresh: bool = False
    ) -> str | None:
        return self._look(
            "copy_to", key, lambda: self.inner.copy_to(key, sink, advance, fresh=fresh)
        )

    def lock(
        self, name: str, *, timeout_s: float, shared: bool = False
    ) -> AbstractContextManager[bool]:
        return self.inner.lock(name, timeout_s=timeout_s, shared=shared)

    def memory(self) -> Memory | None:
        return self.inner.memory()

    def now(self) -> datetime | None:
        return self.inner.now()

    def scratch(self) -> AbstractContextManager[Path]:
        return self.inner.scratch()

    def _next(self, operation: str, key: str) -> Fault:
        self.calls.append((operation, key))
        faults = self._faults.get(operation)
        return faults.popleft() if faults else Fault.NONE

    def _call(self, operation: str, key: str, act: Callable[[], T]) -> T:
        fault = self._next(operation, key)
        if fault is Fault.RAISE_BEFORE:
            raise StorageError("refused")
        result = act()
        if fault is Fault.RAISE_AFTER:
            raise StorageError("connection lost")
        return result

    def _look(self, operation: str, key: str, act: Callable[[], T | None]) -> T | None:
        faults = self._faults.get(operation)
        if faults and faults[0] is Fault.ABSENT:
            self._next(operation, key)
            return None
        return self._call(operation, key, act)

    def _write_or_die(self) -> None:
        if self.kill_at is not None and self.writes >= self.kill_at:
            raise KilledError
        self.writes += 1
