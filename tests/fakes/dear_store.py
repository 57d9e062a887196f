"""A store that acts as if each question took its time, and remembers nothing."""

from collections.abc import Sequence
from typing import Any

from fakes.faulty_store import FaultyStore
from regista.storage.remembering import Memory
from regista.storage.store import Store


class DearStore(FaultyStore):
    """Passes calls on, and notes them, as `FaultyStore` does; questions to it are dear."""

    def memory(self) -> Memory:
        return _Forgetful(self)

    def asked(self, prefix: str) -> int:
        """Return how many files below a prefix were asked for."""
        return sum(
            1 for operation, key in self.calls if operation == "get" and key.startswith(prefix)
        )


class _Forgetful:
    def __init__(self, store: Store) -> None:
        self.get = store.get
        self.get_range = store.get_range

    def recall(self) -> None:
        return None

    def remember(self, seq: int, said: dict[str, Any]) -> None:
        pass

    def fetch(self, keys: Sequence[str]) -> None:
        pass

    def keep(self, key: str, data: bytes) -> None:
        pass
