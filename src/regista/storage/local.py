"""A folder as a Store.

Invariants: a file has its final name only when all its bytes are on the disk, and a write returns
only when the name is too; a conditional put never replaces a winner; stored files are copies,
never hard links of the user's. Symbolic links inside the folder are refused, so that a registry
from strangers cannot reach out of itself. How a write is made durable is
`regista.storage.durable`; what writers that died left behind is swept by
`regista.storage.temporary`.
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

from regista.errors import StorageError
from regista.storage import durable
from regista.storage.locking import folder_lock
from regista.storage.oserrors import storage_error
from regista.storage.store import PutOutcome, checked_key, digest_key, is_key
from regista.storage.temporary import temporary_folder

# O_NONBLOCK: a pipe among the files must not make us wait for its other end
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
# a folder made again this often was not lost to a sweep of empty ones
_ATTEMPTS = 10
_ABSENT = (FileNotFoundError, NotADirectoryError)


class LocalStore:
    """Bytes in files below one folder, which is made by the first write.

    Args:
        root: the folder; made absolute, so that a later change of directory does no harm.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._durable: set[Path] = set()
        self._real: set[Path] = {self._root}

    @property
    def uri(self) -> str:
        """The folder's absolute path."""
        return str(self._root)

    def put_if_absent(self, key: str, data: bytes) -> PutOutcome:
        """Create the key durably, or leave what is there; of many racers one sees CREATED."""
        path = self._path(key)
        if os.path.lexists(path):
            return PutOutcome.EXISTS
        with self._new_file(path.parent) as (handle, temporary):
            durable.write_synced(handle, data, path)
            return durable.publish_new(temporary, path)

    def put(self, key: str, source: bytes | Path) -> None:
        """Write the key durably and atomically, replacing what is there; a path is copied."""
        path = self._path(key)
        with self._new_file(path.parent) as (handle, temporary):
            if isinstance(source, bytes):
                durable.write_synced(handle, source, path)
            else:
                durable.copy_synced(source, handle, path)
            self._publish(temporary, path)

    def put_by_digest(
        self, source: Path, prefix: str, advance: Callable[[int], None]
    ) -> tuple[str, int]:
        """Store a copy of a file under the key that its content has; return digest and size."""
        from regista.storage.sources import Source

        folder = self._path(prefix.rstrip("/"))
        with Source(source) as opened, self._new_file(folder) as (handle, temporary):
            try:
                sha256, size = opened.copy_to(handle, advance)
                opened.refuse_if_changed(size)
                key = digest_key(prefix, sha256)
                if self.size(key) == size:
                    self.settle(key)
                else:
                    os.fsync(handle)
                    self._publish(temporary, self._path(key))
            except OSError as error:
                raise storage_error(error, "write in", folder) from error
        return sha256, size

    def settle(self, key: str) -> None:
        """Make a key that is there survive a power cut: its folder is synced once more."""
        path = self._path(key)
        try:
            durable.sync_folder(path.parent)
        except OSError as error:
            raise storage_error(error, "sync", path) from error

    def get(self, key: str) -> bytes | None:
        """Return the bytes, or None when the key does not exist."""
        return self._read(key, 0, None)

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Return up to `length` bytes from `start`; None when the key does not exist."""
        return self._read(key, start, length)

    def size(self, key: str) -> int | None:
        """Return the size in bytes, or None when the key does not exist."""
        status = self._status(key)
        return None if status is None else status.st_size

    def age_s(self, key: str) -> float | None:
        """Return how many seconds ago the key was last written; None when it does not exist."""
        status = self._status(key)
        return None if status is None else max(0.0, time.time() - status.st_mtime)

    def list_after(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys that start with `prefix` and sort after `after`, in order."""
        if prefix:
            self._refuse_links(self._path(prefix.rstrip("/")))
        # most of a folder is often passed over, and cheaply so only here
        least = after[len(prefix) :].partition("/")[0] if after.startswith(prefix) else ""
        for name in self._names(prefix, least):
            key = prefix + name
            if not name.endswith("/"):
                if key > after:
                    yield key
            elif key > after or after.startswith(key):
                # else every key in the folder sorts before
                yield from self.list_after(key, after)

    def delete(self, key: str) -> None:
        """Remove the key; a key that is not there is fine."""
        path = self._path(key)
        self._refuse_links(path.parent)
        try:
            path.unlink()
        except _ABSENT:
            return
        except OSError as error:
            raise storage_error(error, "remove", path) from error
        self._drop_empty(path.parent)

    def local_path(
        self,
        key: str,
        *,
        advance: Callable[[int], None] | None = None,  # noqa: ARG002 - nothing is fetched
        fresh: bool = False,  # noqa: ARG002
    ) -> Path | None:
        """Return the file itself; None when the key does not exist."""
        return None if self.size(key) is None else self._path(key)

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
        self, name: str, *, timeout_s: float, shared: bool = False
    ) -> AbstractContextManager[bool]:
        """Hold an advisory lock on the folder `name`; yield whether it is held."""
        return folder_lock(self._path(name), timeout_s, shared=shared)

    def memory(self) -> None:
        """Remember nothing: everything is at hand."""

    def now(self) -> None:
        """Know no other time than this machine's."""

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Lend a new, empty folder, removed at the end.

        It is on the registry's own file system, unless that cannot be written: whoever only
        reads a registry, or verifies a copy, gets one among the system's temporary folders.
        """
        with ExitStack() as stack:
            try:
                self._make_folder(self._root)
                folder = stack.enter_context(temporary_folder(self._root))
            except (OSError, StorageError):
                from tempfile import TemporaryDirectory

                folder = Path(stack.enter_context(TemporaryDirectory(prefix="regista-")))
            yield folder

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _status(self, key: str) -> os.stat_result | None:
        path = self._path(key)
        self._refuse_links(path.parent)
        try:
            status = path.lstat()
        except _ABSENT:
            return None
        except OSError as error:
            raise storage_error(error, "read", path) from error
        return status if stat.S_ISREG(status.st_mode) else None

    def _read(self, key: str, start: int, length: int | None) -> bytes | None:
        path = self._path(key)
        self._refuse_links(path.parent)
        try:
            handle = os.open(path, _READ)
        except _ABSENT:
            return None
        except OSError as error:
            raise storage_error(error, "read", path) from error
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                return None
            rest = max(0, status.st_size - start)
            return _read_fully(handle, start, rest if length is None else min(rest, length))
        except OSError as error:
            raise storage_error(error, "read", path) from error
        finally:
            os.close(handle)

    def _names(self, prefix: str, least: str) -> list[str]:
        """Return the names in a folder that may not sort before `least`.

        Those of folders end in `/`, which also sorts them.
        """
        path = self._root / prefix
        names = []
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    # `a/` sorts after `a-b`, so a name that `least` begins with is kept
                    before = entry.name < least and not least.startswith(entry.name)
                    if before or not is_key(entry.name):
                        # unfinished, or somebody's own file: nothing that has a key
                        continue
                    if entry.is_file(follow_symlinks=False):
                        names.append(entry.name)
                    elif entry.is_dir(follow_symlinks=False):
                        names.append(entry.name + "/")
        except _ABSENT:
            return []
        except OSError as error:
            raise storage_error(error, "list", path) from error
        names.sort()
        return names

    @contextmanager
    def _new_file(self, folder: Path) -> Iterator[tuple[int, Path]]:
        """Open a new temporary file in a folder, made if need be; it is gone at the end."""
        with ExitStack() as stack:
            yield self._open_new(folder, stack)

    def _open_new(self, folder: Path, stack: ExitStack) -> tuple[int, Path]:
        for _ in range(_ATTEMPTS):
            try:
                self._make_folder(folder)
                return stack.enter_context(durable.new_file(folder))
            except FileNotFoundError as error:
                # somebody removed the folder as an empty one just before we needed it
                lost = error
            except OSError as error:
                raise storage_error(error, "make", folder) from error
        raise storage_error(lost, "make", folder) from lost

    def _publish(self, temporary: Path, path: Path) -> None:
        """Give a synced file its name, in a folder that a sweep of empty ones may have taken."""
        for _ in range(_ATTEMPTS):
            self._make_folder(path.parent)
            try:
                durable.publish(temporary, path)
            except FileNotFoundError as error:
                lost = error
            else:
                return
        raise storage_error(lost, "write", path) from lost

    def _drop_empty(self, folder: Path) -> None:
        """Remove a folder that was left empty, and so on upwards, as object stores have none.

        Thousands of them would slow down every listing. Those directly in the root stay: they
        are what locks are on, and a lock on a folder that is gone would keep nobody out.
        """
        with suppress(OSError):
            while self._root not in {folder, folder.parent}:
                folder.rmdir()
                self._durable.discard(folder)
                folder = folder.parent

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and its parents, each on the disk before anything is put into it.

        One that another process has made may not be on the disk yet, so each is synced once.
        """
        if folder in self._durable and folder.is_dir():
            return
        if folder == self._root:
            durable.make_folders(folder)
        else:
            self._make_folder(folder.parent)
            with suppress(FileExistsError):
                folder.mkdir()
            self._refuse_links(folder)
            durable.sync_folder(folder.parent)
        self._durable.add(folder)

    def _refuse_links(self, folder: Path) -> None:
        """Refuse a folder of the registry that is, or lies behind, a symbolic link."""
        if folder in self._real:
            return
        self._refuse_links(folder.parent)
        try:
            status = folder.lstat()
        except OSError:
            # whoever needs the folder will say what is wrong with it
            return
        if stat.S_ISLNK(status.st_mode):
            raise storage_error(OSError(errno.ELOOP, ""), "use", folder)
        self._real.add(folder)


def _read_fully(handle: int, start: int, length: int) -> bytes:
    """Read exactly that many bytes unless the file ends before; one call is often enough."""
    parts = []
    while length > 0 and (part := os.pread(handle, length, start)):
        parts.append(part)
        start += len(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
