"""The system calls that touch a registry's folder: written down, and made to fail one by one.

Regista makes them through the module `os`, so standing in for its functions sees them all;
`traced.py` checks under strace that it does. What DuckDB writes itself goes to scratch folders,
is never read after a failure, and is copied into place by calls that are seen here.
"""

import errno
import io
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path
from threading import Lock
from types import FrameType
from typing import Any
from unittest.mock import patch

_TEMPORARY = re.compile(r"\.tmp-[0-9a-f]+")
_DIGEST = re.compile(r"[0-9a-f]{64}|\b[0-9a-f]{16}\b")
# by how they name what they touch: an open file, one path, two paths
_BY_HANDLE = ("write", "fsync", "fdatasync", "pread", "readv")
_BY_PATH = ("unlink", "mkdir", "rmdir", "scandir", "lstat", "stat")
_BY_TWO = ("link", "rename", "replace")
_READING = frozenset({"pread", "readv", "scandir", "lstat", "stat", "open to read"})


class Fault(Enum):
    """What happens at one call."""

    KILL = "killed before the call"
    EIO = "EIO"
    ENOSPC = "ENOSPC"
    LOST_ANSWER = "EIO though the call was done"
    DEAD_DISK = "EIO at this call and all later ones"
    FULL_DISK = "ENOSPC at this call and all later ones that write"


_CODES = {
    Fault.EIO: errno.EIO,
    Fault.ENOSPC: errno.ENOSPC,
    Fault.LOST_ANSWER: errno.EIO,
    Fault.DEAD_DISK: errno.EIO,
    Fault.FULL_DISK: errno.ENOSPC,
}
_SYNCS = frozenset({"fsync", "fdatasync"})
_LASTING = frozenset({Fault.DEAD_DISK, Fault.FULL_DISK})
_HELPER, _CALLERS = "durable.sync_folder", 2
# a full disk still reads, and still takes names away
_TAKES_NO_ROOM = _READING | {"unlink", "rmdir", "fsync", "fdatasync"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was made.

    Attributes:
        name: of the function; `open` is told apart by whether it makes a file.
        path: what it touched, from the registry's folder.
        target: the second path, of a link or a rename.
        inode: which file it was; 0 where that does not matter.
        content: a file's bytes as they were when it was synced, or got another name.
        failed: whether the system refused it.
        site: for a sync, which place in the program asked for it.
    """

    name: str
    path: str
    target: str = ""
    inode: int = 0
    content: bytes | None = None
    failed: bool = False
    site: str = ""

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.name in _READING

    def __str__(self) -> str:
        text = " ".join(part for part in (self.name, self.path, self.target) if part)
        return _DIGEST.sub("…", _TEMPORARY.sub(".tmp", text))


@dataclass(slots=True)
class Watch:
    """Counts the calls below one folder and lets one of them, or all from it on, fail.

    Attributes:
        root: the folder.
        at: number of the call, from 0; None to watch only.
        fault: what happens there.
        contents: whether to keep what is synced, for `power_cuts`.
    """

    root: Path
    at: int | None = None
    fault: Fault = Fault.KILL
    contents: bool = False
    calls: list[Call] = field(default_factory=list)
    _counting: Lock = field(default_factory=Lock)

    def made(self, call: Call, act: Callable[[], Any]) -> Any:
        """Make a call, or what was ordered instead."""
        return self.numbered(call, act)[1]

    def numbered(self, call: Call, act: Callable[[], Any]) -> tuple[int, Any]:
        """Do the same; return its number too."""
        with self._counting:
            number = len(self.calls)
            self.calls.append(call)
        due = self.at is not None and (
            number == self.at or (number > self.at and self.fault in _LASTING)
        )
        if due and self.fault is Fault.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if due and not (self.fault is Fault.FULL_DISK and call.name in _TAKES_NO_ROOM):
            refused = Call(call.name, call.path, call.target, failed=True)
            if self.fault is not Fault.LOST_ANSWER:
                self.calls[number] = refused
            else:
                self._do_all_the_same(number, call, refused, act)
            code = _CODES[self.fault]
            raise OSError(code, os.strerror(code), call.path)
        try:
            return number, act()
        except OSError:
            self.calls[number] = Call(call.name, call.path, call.target, failed=True)
            raise

    def _do_all_the_same(
        self, number: int, call: Call, refused: Call, act: Callable[[], Any]
    ) -> None:
        """Do a call whose answer is going to be lost, and note whether it did anything."""
        try:
            act()
        except OSError:
            self.calls[number] = refused
            raise
        # names that were made are there; of a sync that failed nobody knows what it did
        if call.name in _SYNCS:
            self.calls[number] = refused

    def below(self, path: Any, dir_fd: int | None = None) -> str | None:
        """Return a path, or an open file's, from the folder; None when it lies elsewhere."""
        if isinstance(path, int):
            found = _path_of(path)
        else:
            text = os.fsdecode(path)
            found = f"{_path_of(dir_fd)}/{text}" if dir_fd is not None else text
        # links are to stay what they are
        found = os.path.abspath(found)  # noqa: PTH100
        base = str(self.root)
        if found != base and not found.startswith(base + "/"):
            return None
        return os.path.relpath(found, base)


@contextmanager
def watching(watch: Watch) -> Iterator[Watch]:
    """Watch the calls of this process while the block runs."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        for name in _BY_HANDLE:
            stack.enter_context(patch.object(os, name, _by_handle(watch, name)))
        for name in _BY_PATH:
            stack.enter_context(patch.object(os, name, _by_path(watch, name)))
        for name in _BY_TWO:
            stack.enter_context(patch.object(os, name, _by_two(watch, name)))
        stack.enter_context(patch.object(os, "open", _opening(watch)))
        stack.enter_context(patch.object(os, "copy_file_range", _copying(watch)))
        stack.enter_context(patch.object(io, "open", _opening_stream(watch)))
        yield watch


def _path_of(handle: int) -> str:
    try:
        return _READLINK(f"/proc/self/fd/{handle}").removesuffix(" (deleted)")
    except OSError:
        return "/"


_READLINK = os.readlink
_FSTAT = os.fstat
_PREAD = os.pread
_OPEN = os.open
_CLOSE = os.close


def _by_handle(watch: Watch, name: str) -> Callable[..., Any]:
    real = getattr(os, name)

    def call(handle: int, *args: Any, **options: Any) -> Any:
        path = watch.below(handle)
        if path is None:
            return real(handle, *args, **options)
        status = _FSTAT(handle)
        syncs = watch.contents and name in {"fsync", "fdatasync"} and status.st_mode & 0o100000
        content = _PREAD(handle, status.st_size, 0) if syncs else None
        site = _site() if name in {"fsync", "fdatasync"} else ""
        made = Call(name, path, inode=status.st_ino, content=content, site=site)
        return watch.made(made, lambda: real(handle, *args, **options))

    return call


def _site() -> str:
    """Return which function of Regista syncs, and for what where it is a helper."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - the stack is what is asked for
    names: list[str] = []
    while frame and len(names) < _CALLERS:
        if "/regista/" in frame.f_code.co_filename:
            names.append(f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(names[: _CALLERS if names[:1] == [_HELPER] else 1])


def _by_path(watch: Watch, name: str) -> Callable[..., Any]:
    real = getattr(os, name)

    def call(path: Any = ".", *args: Any, **options: Any) -> Any:
        found = watch.below(path, options.get("dir_fd"))
        if found is None:
            return real(path, *args, **options)
        return watch.made(Call(name, found), lambda: real(path, *args, **options))

    return call


def _by_two(watch: Watch, name: str) -> Callable[..., Any]:
    real = getattr(os, name)

    def call(source: Any, target: Any, **options: Any) -> Any:
        found = watch.below(target)
        if found is None:
            return real(source, target, **options)
        content = _content(source) if watch.contents else None
        made = Call(name, watch.below(source) or "(outside)", found, content=content)
        return watch.made(made, lambda: real(source, target, **options))

    return call


def _content(path: Any) -> bytes | None:
    handle = _OPEN(path, os.O_RDONLY)
    try:
        return _PREAD(handle, _FSTAT(handle).st_size, 0)
    finally:
        _CLOSE(handle)


def _opening(watch: Watch) -> Callable[..., int]:
    real = os.open

    def call(path: Any, flags: int, *args: Any, **options: Any) -> int:
        found = watch.below(path, options.get("dir_fd"))
        if found is None:
            return real(path, flags, *args, **options)
        name = "open" if flags & os.O_CREAT else "open to read"
        act = partial(real, path, flags, *args, **options)
        number, handle = watch.numbered(Call(name, found), act)
        watch.calls[number] = Call(name, found, inode=_FSTAT(handle).st_ino)
        return int(handle)

    return call


def _opening_stream(watch: Watch) -> Callable[..., Any]:
    real = io.open

    def call(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        found = watch.below(file)
        if found is None:
            return real(file, mode, *args, **options)
        name = "open to read" if mode.startswith("r") else "open"
        return watch.made(Call(name, found), lambda: real(file, mode, *args, **options))

    return call


def _copying(watch: Watch) -> Callable[..., int]:
    real = os.copy_file_range

    def call(source: int, sink: int, *args: Any, **options: Any) -> int:
        found = watch.below(sink)
        if found is None:
            return real(source, sink, *args, **options)
        made = Call("copy_file_range", found, inode=_FSTAT(sink).st_ino)
        copied: int = watch.made(made, lambda: real(source, sink, *args, **options))
        return copied

    return call
