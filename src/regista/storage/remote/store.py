"""A bucket, or a prefix in one, as a Store.

Invariants: a conditional put is believed only when the store says plainly that it was done;
anything else is looked at, or said to be unknown. What is cached are files whose name, or whose
version in the store, says what they hold. Every failure is a `StorageError` in words
(`regista.storage.remote.failures`); none of the client's exceptions gets out.
"""

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from regista.errors import RegistaError, StorageError
from regista.storage.copying import Advance
from regista.storage.oserrors import storage_error as os_storage_error
from regista.storage.remote import failures
from regista.storage.remote.cache import FileCache, cache_from_environment
from regista.storage.remote.calling import MOST_BREAKS, call, call_again
from regista.storage.remote.client import endpoint_url, make_client
from regista.storage.remote.clouds import AZURE
from regista.storage.remote.location import Location
from regista.storage.remote.naming import Wanted, by_content, by_version
from regista.storage.remote.versions import RecentVersions, Version
from regista.storage.store import PutOutcome, checked_key, is_key

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

    from regista.storage.remote.memory import RemoteMemory

Result = TypeVar("Result")

# memory is so many parts of a file
_PARTS_AT_ONCE = 4


class RemoteStore:
    """Bytes in an object store.

    Args:
        where: bucket and prefix.
        client: speaks with the store; made from the environment by default.
        cache: copies on the local disk; the user's own by default.
    """

    def __init__(
        self,
        where: Location,
        *,
        client: "ObjectStore | None" = None,
        cache: FileCache | None = None,
    ) -> None:
        self._where = where
        self._client = client or make_client(where)
        self._given_cache = cache
        self._versions = RecentVersions()

    @property
    def uri(self) -> str:
        """Cloud, bucket and prefix."""
        return str(self._where)

    def put_if_absent(self, key: str, data: bytes) -> PutOutcome:
        """Create the key, or leave what is there; of many racers one sees CREATED."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        checked_key(key)
        try:
            done = call(lambda: obstore.put(self._client, key, data, mode="create"))
        except AlreadyExistsError:
            # also said of our own write when its answer was lost, and of conflicts with nothing
            return self._outcome_by_looking(key, data)
        except Exception as error:
            if failures.Answer.of(error).refused:
                raise self._error(error, "write", key) from error
            return PutOutcome.UNKNOWN
        self._versions.created(key, len(data), done["e_tag"])
        return PutOutcome.CREATED

    def put(self, key: str, source: bytes | Path) -> None:
        """Write the key atomically, replacing what is there; a path is copied."""
        import obstore

        checked_key(key)
        if isinstance(source, Path) and not source.is_file():
            raise StorageError(f"cannot read {source!s}: no such file")
        self._versions.forget(key)
        self._do("write", key, lambda: obstore.put(self._client, key, source))

    def put_by_digest(self, source: Path, prefix: str, advance: Advance) -> tuple[str, int]:
        """Store a copy of a file under the key that its content has; return digest and size."""
        from regista.storage.remote.sending import send_by_digest

        return send_by_digest(self, source, prefix, advance)

    def put_parts(self, key: str, blocks: Iterator[bytes], size: int, part: int) -> None:
        """Store what the blocks make together, several parts at a time.

        Args:
            key: where to; it says what the content is, so that equal size means stored.
            blocks: what they raise ends the upload, with nothing stored.
            size: of all blocks, in bytes.
            part: bytes to send at once.
        """
        import obstore

        try:
            self._do(
                "write",
                key,
                lambda: obstore.put(
                    self._client,
                    key,
                    blocks,
                    use_multipart=True,
                    chunk_size=part,
                    max_concurrency=_PARTS_AT_ONCE,
                ),
            )
        except StorageError:
            # the answer to the last request may have been lost, after it took effect
            if self.size(key) != size:
                raise
            return
        if self.size(key) != size:
            raise StorageError(
                f"{key} in {self.uri} has not the {size} bytes that were sent",
                hint="run it again; if that does not help, the store cannot be trusted",
            )

    def settle(self, key: str) -> None:
        """Do nothing: what can be read is durable."""

    def get(self, key: str) -> bytes | None:
        """Return the bytes, or None when the key does not exist."""
        import obstore

        checked_key(key)
        return self._look(key, lambda: bytes(obstore.get(self._client, key).bytes()))

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Return up to `length` bytes from `start`; None when the key does not exist."""
        import obstore

        checked_key(key)
        if length <= 0:
            return None if self.size(key) is None else b""
        return self._look(
            key,
            lambda: bytes(obstore.get_range(self._client, key, start=start, length=length)),
            beyond_end=b"",
        )

    def size(self, key: str) -> int | None:
        """Return the size in bytes, or None when the key does not exist."""
        version = self._version(key)
        return version.size if version else None

    def age_s(self, key: str) -> float | None:
        """Return how many seconds ago the key was last written, by the store's own clock."""
        found = self._head(key)
        return found and max(0.0, time.time() - self._ahead_s - found["last_modified"].timestamp())

    def list_after(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys that start with `prefix` and sort after `after`, in order."""
        last = ""
        for page in self._pages(prefix, after):
            for found in page:
                key = found["path"]
                if not is_key(key) or key <= after:
                    continue
                if key <= last:
                    raise StorageError(
                        f"{self.uri} lists its files in no order, which a registry needs",
                        hint="use a general purpose bucket",
                    )
                last = key
                self._versions.note(key, found)
                yield key

    def delete(self, key: str) -> None:
        """Remove the key; a key that is not there is fine."""
        import obstore

        checked_key(key)
        self._versions.forget(key)
        self._look(key, lambda: obstore.delete(self._client, key), doing="remove")

    def local_path(
        self, key: str, *, advance: Advance | None = None, fresh: bool = False
    ) -> Path | None:
        """Return a local copy of an immutable key from the cache, fetched when it is not there."""
        wanted = self._wanted(key)
        if wanted is None:
            return None
        kept = None if fresh else self._cache.find(wanted.name)
        fetched = None if kept else self._fetch(wanted, advance or (lambda _: None))
        return fetched[0] if fetched else kept

    def copy_to(self, key: str, sink: int, advance: Advance, *, fresh: bool = False) -> str | None:
        """Copy an immutable key to an open, empty file; return the SHA-256 of the bytes written."""
        from regista.storage.pipeline import copy_file

        wanted = self._wanted(key)
        if wanted is None:
            return None
        kept = None if fresh else self._cache.find(wanted.name)
        if kept:
            return copy_file(kept, sink, advance)
        fetched = self._fetch(wanted, advance, sink)
        return fetched[1] if fetched else None

    def lock(
        self,
        name: str,
        *,
        timeout_s: float,  # noqa: ARG002 - there is nothing to wait for
        shared: bool = False,  # noqa: ARG002
    ) -> AbstractContextManager[bool]:
        """Yield False at once: object stores have no locks, and correctness rests on none."""
        checked_key(name)
        return nullcontext(enter_result=False)

    def memory(self) -> "RemoteMemory":
        """Return what this machine remembers of the registry."""
        from regista.storage.remote.memory import RemoteMemory

        return RemoteMemory(self, self._cache)

    def now(self) -> datetime | None:
        """Return the time that the store's answers bear; None when it cannot be learned."""
        from regista.storage.remote.clock import time_at

        return call(lambda: time_at(endpoint_url(self._where)))

    def last_seen(self, key: str) -> Version | None:
        """Return the version of the file that was listed or created last, if it is this one."""
        return self._versions.last(key)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Lend a new, empty folder among the system's temporary ones, removed at the end."""
        from tempfile import TemporaryDirectory

        try:
            lent = TemporaryDirectory(prefix="regista-", ignore_cleanup_errors=True)
        except OSError as error:
            raise os_storage_error(
                error, "make a folder in", "the system's temporary folder"
            ) from error
        with lent as folder:
            yield Path(folder)

    def _outcome_by_looking(self, key: str, data: bytes) -> PutOutcome:
        try:
            found = self.get(key)
        except StorageError:
            return PutOutcome.UNKNOWN
        return PutOutcome.UNKNOWN if found in {None, data} else PutOutcome.EXISTS

    @cached_property
    def _cache(self) -> FileCache:
        return self._given_cache or cache_from_environment(os.environ)

    @cached_property
    def _ahead_s(self) -> float:
        """How far this machine's clock is ahead of the store's, in seconds, rather too many."""
        said = self.now()
        # without a clock of the store's, nothing is old
        return time.time() - said.timestamp() if said else math.inf

    def _version(self, key: str) -> Version | None:
        found = self._head(key)
        return Version.of(found) if found else None

    def _head(self, key: str) -> "ObjectMeta | None":
        import obstore

        checked_key(key)
        return self._look(key, lambda: obstore.head(self._client, key))

    def _wanted(self, key: str) -> Wanted | None:
        """Return what a key is called in the cache; None when it is known not to exist."""
        wanted = by_content(checked_key(key))
        if wanted:
            return wanted
        version = self._versions.recent(key) or self._version(key)
        return by_version(self.uri, key, version) if version else None

    def _fetch(
        self, wanted: Wanted, advance: Advance, sink: int | None = None
    ) -> tuple[Path, str] | None:
        """Bring a file into the cache, and into another file; return where it is and its SHA-256.

        It gets the name by content only when it has that content.
        """
        from regista.storage.remote.receiving import receive

        key, sha256 = wanted.key, wanted.sha256
        with self._cache.resuming(sha256) as path:
            received = self._look(
                key,
                lambda: receive(self._client, key, path, advance, sha256=sha256, also=sink),
            )
            if received is None:
                # nothing of what was purged stays
                path.unlink(missing_ok=True)
                return None
            version, digest = received
            if sha256 != digest:
                wanted = by_version(self.uri, key, version)
            try:
                return self._cache.keep(path, wanted.name), digest
            except OSError as error:
                if sink is None:
                    raise os_storage_error(error, "write in", self._cache.folder) from error
                # somebody emptied the cache, but the other file has everything
                return path, digest

    def _pages(self, prefix: str, after: str) -> "Iterator[Sequence[ObjectMeta]]":
        import obstore

        checked_key(prefix.rstrip("/") or "all")
        if after and self._where.cloud is AZURE:
            yield from self._walk(prefix, after)
            return
        last, breaks = after, 0
        stream = obstore.list(self._client, prefix or None, offset=last or None)
        while True:
            try:
                page = call(partial(next, stream, None))
            except RegistaError:
                raise
            except Exception as error:
                # the client asks again for a file that broke off, and not for a page of a list
                breaks += 1
                if breaks > MOST_BREAKS or not failures.Answer.of(error).broke_off:
                    raise self._error(error, "list", "") from error
                stream = obstore.list(self._client, prefix or None, offset=last or None)
                continue
            if not page:
                return
            last = page[-1]["path"]
            yield page

    def _walk(self, prefix: str, after: str) -> "Iterator[Sequence[ObjectMeta]]":
        """List folder by folder, for a store that cannot start in the middle of a list."""
        import obstore

        listed = self._do(
            "list",
            "",
            lambda: call_again(lambda: obstore.list_with_delimiter(self._client, prefix or None)),
        )
        here: dict[str, ObjectMeta | None] = {found["path"]: found for found in listed["objects"]}
        here |= {f"{folder}/": None for folder in listed["common_prefixes"]}
        for name in sorted(here):
            found = here[name]
            if found:
                yield [found]
            elif after.startswith(name):
                yield from self._walk(name, after)
            elif name > after:
                yield from self._pages(name, "")

    def _look(
        self,
        key: str,
        work: Callable[[], Result],
        *,
        doing: str = "read",
        beyond_end: Result | None = None,
    ) -> Result | None:
        """Do what fails when the key is not there; return None then."""
        try:
            return call(work)
        except RegistaError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None:
                # of the local disk; the client's own have no number
                raise
            answer = failures.Answer.of(error)
            if isinstance(error, FileNotFoundError) and not answer.no_bucket:
                return None
            if answer.beyond_end and beyond_end is not None:
                return beyond_end
            raise self._error(error, doing, key) from error

    def _do(self, doing: str, key: str, work: Callable[[], Result]) -> Result:
        try:
            return call(work)
        except RegistaError:
            raise
        except Exception as error:
            raise self._error(error, doing, key) from error

    def _error(self, error: Exception, doing: str, key: str) -> StorageError:
        return failures.storage_error(error, doing, key, self._where)
