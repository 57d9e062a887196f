"""What this machine remembers of a registry that lies elsewhere, so that it asks for less.

A memory is believed only after the store has confirmed it: the last commit that was read must
still be the last but those that came later, and the very same file. All commits before it hang on
that one by their parents' digests. What is kept, and what it means, is the caller's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was remembered, confirmed by the store.

    Attributes:
        seq: number of the last commit that was known then.
        said: what was remembered, as JSON.
        head: number of the last commit now.
    """

    seq: int
    said: dict[str, Any]
    head: int


class Memory(Protocol):
    """The memory of one registry on this machine."""

    def recall(self) -> Recalled | None:
        """Return what is remembered, after one question to the store; None for nothing.

        Raises:
            StorageError: the store cannot be asked.
        """
        ...

    def remember(self, seq: int, said: dict[str, Any]) -> None:
        """Keep what is known at a commit that was just listed, or written, if it can be kept."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return a file of the log, as `Store.get`; asked for once while the memory is right."""
        ...

    def fetch(self, keys: Sequence[str]) -> None:
        """Ask for files of the log several at a time, so that `get` finds them kept."""
        ...

    def keep(self, key: str, data: bytes) -> None:
        """Keep a file of the log that was just written, so that it need not be asked for."""
        ...

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Return bytes of a file that never changes, as `Store.get_range`; asked for once."""
        ...
