"""Reading a backup: checked from end to end first, then a read-only Store.

Invariant: an `Archive` that could be opened is whole. Its members are in the exact form and order
in which `regista.transfer.exporting` writes them, each has the digest that `SHA256SUMS` and its
own name tell, the commits make one chain that ends in the head announced, and all that they need
is there. So whoever copies from it can only be stopped by the place that is copied to.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn, Self

from regista.errors import IntegrityError, InvalidInputError, NewerFormatError, StorageError
from regista.model import canonical
from regista.model.commit import log_key, parse, seq_of_key
from regista.read.opening import REGISTRY_KEY, replica_of
from regista.storage.oserrors import storage_error
from regista.storage.parallel import Progress
from regista.storage.store import PutOutcome
from regista.transfer.exporting import FORMAT, HEADER_KEY, SUMS_KEY, backup_header
from regista.transfer.members import BLOCK_BYTES, END, padding, parse_header
from regista.write.reaching import digest_of, reachable

# what is parsed is read whole
MAX_COMMIT_BYTES = 256 << 20
MAX_HEADER_BYTES = 1 << 16
_PART_BYTES = 4 << 20
_HINT = "use another backup"


class Archive:
    """A backup as a Store that can only be read. Use it as a context manager.

    Args:
        handle: an open regular file.
        name: what it is called, for messages.
        progress: told of bytes checked.

    Raises:
        InvalidInputError: it is no backup.
        NewerFormatError: a newer Regista wrote it.
        IntegrityError: it is truncated or damaged, or has what no export writes.
    """

    def __init__(self, handle: int, name: str, progress: Progress | None = None) -> None:
        self._handle = handle
        self._name = name
        self._stack = ExitStack()
        self._spool: Path | None = None
        self._members: dict[str, tuple[int, int]] = {}
        try:
            _Scan(self, handle, progress).run()
            self._check_needed()
        except BaseException as error:
            self._stack.close()
            if isinstance(error, IntegrityError):
                raise IntegrityError(f"{name} is damaged: {error.message}", hint=_HINT) from error
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, key: str, start: int, size: int) -> None:
        """Take in a member that was checked."""
        self._members[key] = start, size

    def _check_needed(self) -> None:
        replica = replica_of(self)
        for key, needed in reachable(replica, replica.log.head()).files():
            if needed and key not in self._members:
                raise IntegrityError(f"{key} is needed and missing")

    @property
    def uri(self) -> str:
        """The file's name."""
        return self._name

    def get(self, key: str) -> bytes | None:
        """Return the bytes, or None when there is no such member."""
        member = self._members.get(key)
        return None if member is None else self.read(member[0], member[1])

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Return up to `length` bytes from `start`; None when there is no such member."""
        member = self._members.get(key)
        if member is None:
            return None
        return self.read(member[0] + start, max(0, min(length, member[1] - start)))

    def read(self, start: int, length: int) -> bytes:
        """Return bytes of the file.

        Raises:
            IntegrityError: it ends before.
            StorageError: it cannot be read.
        """
        parts = []
        while length:
            try:
                part = os.pread(self._handle, min(length, _PART_BYTES), start)
            except OSError as error:
                raise storage_error(error, "read", self._name) from error
            if not part:
                raise IntegrityError("it is truncated", hint=_HINT)
            parts.append(part)
            start, length = start + len(part), length - len(part)
        return b"".join(parts)

    def size(self, key: str) -> int | None:
        """Return the size in bytes, or None when there is no such member."""
        member = self._members.get(key)
        return None if member is None else member[1]

    def settle(self, key: str) -> None:
        """Do nothing: a backup is read, and never written to."""

    def age_s(self, key: str) -> float | None:
        """Return 0: a backup tells no times."""
        return 0.0 if key in self._members else None

    def list_after(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys that start with `prefix` and sort after `after`, in order."""
        return iter(sorted(k for k in self._members if k.startswith(prefix) and k > after))

    def local_path(
        self,
        key: str,
        *,
        advance: Callable[[int], None] | None = None,  # noqa: ARG002 - nothing is fetched
        fresh: bool = False,  # noqa: ARG002
    ) -> Path | None:
        """Return a copy in a private folder that goes with the archive."""
        data = self.get_range(key, 0, _PART_BYTES)
        if data is None:
            return None
        if self._spool is None:
            self._spool = Path(self._stack.enter_context(TemporaryDirectory(prefix="regista-")))
        path = self._spool / key.replace("/", "+")
        try:
            with path.open("wb") as file:
                start = 0
                while data:
                    file.write(data)
                    start += len(data)
                    data = self.get_range(key, start, _PART_BYTES)
        except OSError as error:
            raise storage_error(error, "write", path) from error
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

    def lock(
        self,
        name: str,  # noqa: ARG002
        *,
        timeout_s: float,  # noqa: ARG002
        shared: bool = False,  # noqa: ARG002
    ) -> AbstractContextManager[bool]:
        """There are no locks."""
        return nullcontext(enter_result=False)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Lend a new, empty local folder, removed at the end."""
        with TemporaryDirectory(prefix="regista-") as folder:
            yield Path(folder)

    def memory(self) -> None:
        """Remember nothing: everything is at hand."""

    def now(self) -> None:
        """Know no other time than this machine's."""

    def put_if_absent(self, key: str, data: bytes) -> PutOutcome:  # noqa: ARG002
        """Refuse."""
        self._refuse()

    def put(self, key: str, source: bytes | Path) -> None:  # noqa: ARG002
        """Refuse."""
        self._refuse()

    def put_by_digest(
        self,
        source: Path,  # noqa: ARG002
        prefix: str,  # noqa: ARG002
        advance: Callable[[int], None],  # noqa: ARG002
    ) -> tuple[str, int]:
        """Refuse."""
        self._refuse()

    def delete(self, key: str) -> None:  # noqa: ARG002
        """Refuse."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise StorageError(f"{self._name} is a backup, which is never written to")


class _Scan:
    """One pass over a backup, in which every byte is accounted for."""

    def __init__(self, archive: Archive, handle: int, progress: Progress | None) -> None:
        self._archive = archive
        self._end = os.fstat(handle).st_size
        self._place = 0
        self._progress = progress
        self._sums, self._sums_size = hashlib.sha256(), 0
        self._announced: dict[str, Any] = {}
        self._last_key, self._found = "", ""
        self._seq, self._digest = 0, ""

    def run(self) -> None:
        """Check everything, and tell the archive what there is."""
        if self._progress:
            self._progress.start(self._end)
        self._begin()
        while (key := self._next()) != SUMS_KEY:
            self._check_order(key)
        self._finish()

    def _begin(self) -> None:
        try:
            key = self._next(most=MAX_HEADER_BYTES)
        except IntegrityError as error:
            raise self._no_backup() from error
        if key != HEADER_KEY:
            raise self._no_backup()
        self._announced = _announced(self._archive)
        if self._next(most=MAX_HEADER_BYTES) != REGISTRY_KEY:
            raise IntegrityError(f"{REGISTRY_KEY} is missing")
        self._digest = str(self._announced["registry"])

    def _no_backup(self) -> InvalidInputError:
        return InvalidInputError(
            f"{self._archive.uri} is no backup of a registry",
            hint="regista export --full makes one; a compressed one must be unpacked first",
        )

    def _next(self, most: int | None = None) -> str:
        """Read a member, check its digest where its name tells it, and return its key."""
        key, size = parse_header(self._take(BLOCK_BYTES))
        start = self._place
        limit = MAX_COMMIT_BYTES if seq_of_key(key) else most
        if start + size > self._end:
            raise IntegrityError("it is truncated")
        if limit is not None and size > limit:
            raise IntegrityError(f"{key} is larger than {limit:,} bytes")
        digest = self._hash(size)
        if self._take(-size % BLOCK_BYTES) != padding(size):
            raise IntegrityError(f"there is something behind {key}")
        if key == SUMS_KEY:
            if (digest, size) != (self._sums.hexdigest(), self._sums_size):
                raise IntegrityError(f"its files are not what {SUMS_KEY} says")
            return key
        line = f"{digest}  {key}\n".encode()
        self._sums.update(line)
        self._sums_size += len(line)
        self._archive.add(key, start, size)
        self._found = digest
        return key

    def _check_order(self, key: str) -> None:
        if key <= self._last_key:
            raise IntegrityError(f"{key} is not in its place, or is there twice")
        self._last_key = key
        named = digest_of(key)
        if named is not None:
            if named.hex() != self._found:
                raise IntegrityError(f"{key} is not what its name says")
            return
        if seq_of_key(key) != self._seq + 1:
            raise IntegrityError(f"{key} has no place in a backup, or commits before it miss")
        commit = parse(self._archive.get(key) or b"")
        told = commit.registry, commit.seq, commit.parent
        if told != (self._announced["registry"], self._seq + 1, self._digest):
            raise IntegrityError(f"{log_key(self._seq + 1)} does not follow from what is before it")
        self._seq, self._digest = commit.seq, self._found

    def _finish(self) -> None:
        if self._take(len(END)) != END or self._place != self._end:
            raise IntegrityError("there is something behind its end")
        if (self._seq, self._digest) != (self._announced["seq"], self._announced["head"]):
            raise IntegrityError(
                f"it announces commit {self._announced['seq']} and ends with {self._seq}"
            )
        try:
            found = replica_of(self._archive).registry_id
        except StorageError as error:
            raise IntegrityError(error.message) from error
        if found != self._announced["registry"]:
            raise IntegrityError(f"{REGISTRY_KEY} is of another registry")

    def _hash(self, size: int) -> str:
        hasher = hashlib.sha256()
        while size:
            part = self._take(min(size, _PART_BYTES))
            hasher.update(part)
            size -= len(part)
        return hasher.hexdigest()

    def _take(self, count: int) -> bytes:
        data = self._archive.read(self._place, count)
        self._place += count
        if self._progress:
            self._progress.advance(count)
        return data


def _announced(archive: Archive) -> dict[str, Any]:
    """Return what the first member says: registry, seq and head."""
    data = archive.get(HEADER_KEY) or b""
    try:
        value = canonical.decode(data)
        version = int(value["format"])
        same = backup_header(*(value[name] for name in ("registry", "seq", "head"))) == data
    except (InvalidInputError, KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"{HEADER_KEY} is not as it was written") from error
    if version > FORMAT:
        raise NewerFormatError(
            f"{archive.uri} has format {version}; this Regista knows up to {FORMAT}",
            hint="pip install --upgrade regista",
        )
    if not same:
        raise IntegrityError(f"{HEADER_KEY} is not as it was written")
    return dict(value)
