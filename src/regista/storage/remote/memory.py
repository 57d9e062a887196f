"""The memory of a registry in an object store, in the cache of this user.

Invariants: nothing here is believed because it lies here. The mark that the store gave the last
commit's file must be the one that it gives now; a range is one of a file that is named by its
content, and a commit is checked against its neighbours by whoever reads it. What is damaged, or
of another version of Regista, counts as not there.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from regista.errors import StorageError
from regista.model import canonical
from regista.model.commit import log_key, seq_of_key
from regista.storage.log import LOG_PREFIX
from regista.storage.remembering import Recalled
from regista.storage.remote.cache import FileCache
from regista.version import __version__

if TYPE_CHECKING:
    from regista.storage.remote.store import RemoteStore

_FORMAT = 1
_AT_ONCE = 8
_SUM = hashlib.sha256().digest_size


class RemoteMemory:
    """What is remembered of one store.

    Args:
        store: which.
        cache: where it is kept.
    """

    def __init__(self, store: "RemoteStore", cache: FileCache) -> None:
        self._store = store
        self._cache = cache
        self._name = f"heads/{_hash(store.uri, __version__, str(_FORMAT))}.json"
        # what was kept while another history was believed is never found again
        self._epoch = os.urandom(8).hex()

    def recall(self) -> Recalled | None:
        """Return what is remembered, after one question to the store; None for nothing."""
        try:
            path = self._cache.find(self._name)
            kept = json.loads(path.read_bytes()) if path else {}
            seq, mark, said = int(kept["seq"]), str(kept["mark"]), dict(kept["said"])
            epoch = str(kept["epoch"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        listed = self._store.list_after(LOG_PREFIX, log_key(seq - 1))
        if next(listed, None) != log_key(seq) or self._mark(seq) != mark:
            self._cache.drop(self._name)
            return None
        self._epoch = epoch
        return Recalled(seq, said, max((seq_of_key(key) or 0 for key in listed), default=seq))

    def remember(self, seq: int, said: dict[str, Any]) -> None:
        """Keep what is known at a commit that was just listed, or written, if it can be kept."""
        mark = self._mark(seq)
        if not mark:
            return
        kept = {"seq": seq, "mark": mark, "epoch": self._epoch, "said": said}
        data = canonical.encode(kept)
        # a full disk, say, is no reason to fail: it only costs questions
        with suppress(OSError, StorageError), self._cache.filling() as path:
            path.write_bytes(data)
            self._cache.keep(path, self._name)

    def get(self, key: str) -> bytes | None:
        """Return a file of the log; asked for once."""
        return self._once(("log", key), lambda: self._store.get(key))

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Return bytes of a file that never changes; asked for once."""
        parts = ("range", key, str(start), str(length))
        return self._once(parts, lambda: self._store.get_range(key, start, length))

    def fetch(self, keys: Sequence[str]) -> None:
        """Ask for files of the log several at a time, so that `get` finds them kept."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(self.get, keys):
                pass

    def keep(self, key: str, data: bytes) -> None:
        """Keep a file of the log that was just written, so that it need not be asked for."""
        self._keep(self._piece(("log", key)), data)

    def _once(self, parts: tuple[str, ...], ask: Callable[[], bytes | None]) -> bytes | None:
        """Return what is kept under some parts of a name, or ask and keep it.

        A checksum stands before it: damage on this disk must not look like damage in the store.
        """
        name = self._piece(parts)
        with suppress(OSError):
            path = self._cache.find(name)
            kept = path.read_bytes() if path else b""
            if kept[:_SUM] == hashlib.sha256(kept[_SUM:]).digest():
                return kept[_SUM:]
        found = ask()
        if found is not None:
            self._keep(name, found)
        return found

    def _piece(self, parts: tuple[str, ...]) -> str:
        digest = _hash(self._store.uri, self._epoch, *parts)
        return f"pieces/{digest[:2]}/{digest}"

    def _keep(self, name: str, data: bytes) -> None:
        with suppress(OSError, StorageError), self._cache.filling() as path:
            path.write_bytes(hashlib.sha256(data).digest() + data)
            self._cache.keep(path, name)

    def _mark(self, seq: int) -> str:
        version = self._store.last_seen(log_key(seq))
        return f"{version.size} {version.mark}" if version else ""


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
