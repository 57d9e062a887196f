"""A registry whose files are changed and put back, for tests of what a verification finds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from regista.model import canonical
from regista.model.canonical import sha256_hex
from regista.model.commit import log_key
from regista.storage.memory import MemoryStore
from regista.verify.problems import ProblemKind, Verification
from support.everything import EVERY_OPERATION, build_long, operations_in
from support.registries import reopen

Json = dict[str, Any]
Damage = Callable[[bytes], bytes]


@dataclass
class Scene:
    """A registry, and the bytes that it was made with."""

    store: MemoryStore
    files: dict[str, bytes]

    @property
    def head(self) -> int:
        return len(self.keys("log/"))

    def keys(self, prefix: str) -> list[str]:
        return [key for key in self.files if key.startswith(prefix)]

    def put_back(self) -> None:
        for key in list(self.store.list_after("")):
            if key not in self.files:
                self.store.delete(key)
        for key, data in self.files.items():
            if self.store.get(key) is not data:
                self.store.put(key, data)

    def verify(self, **options: Any) -> Verification:
        return reopen(self.store).verify(**options)

    def commit(self, seq: int) -> Json:
        value = canonical.decode(self.files[log_key(seq)])
        assert isinstance(value, dict)
        return value

    def change(self, key: str, change: Callable[[bytes], bytes]) -> None:
        before = self.files[key]
        after = change(before)
        assert after != before
        self.store.put(key, after)

    def rechain(self, seq: int, value: Json) -> None:
        """Rewrite one commit, and the parents of all that follow it."""
        data = as_file(value)
        self.store.put(log_key(seq), data)
        for later in range(seq + 1, self.head + 1):
            found = canonical.decode(self.store.get(log_key(later)) or b"")
            data = as_file({**found, "parent": sha256_hex(data)})
            self.store.put(log_key(later), data)


def make_scene() -> Scene:
    """Make the registry, with every operation in it."""
    store = MemoryStore("test")
    registry = build_long(store=store)
    assert operations_in(registry) == EVERY_OPERATION
    assert registry.verify(deep=True).problems == []
    return Scene(store, {key: store.get(key) or b"" for key in store.list_after("")})


def as_file(value: Json) -> bytes:
    return canonical.encode(value) + b"\n"


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


def seq_of(scene: Scene, op: str, **decision: Any) -> int:
    """Return the first commit with an operation that was decided so."""
    return next(
        seq
        for seq in range(1, scene.head + 1)
        for done in scene.commit(seq)["ops"]
        if done["op"] == op and decision.items() <= done["decision"].items()
    )


def found(result: Verification, seq: int, *kinds: ProblemKind) -> bool:
    assert not result.ok
    return any(problem.seq == seq and problem.kind in kinds for problem in result.problems)
