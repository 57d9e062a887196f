"""What takes the files of a site: the interface, and which paths a file may have.

Every file belongs to a group, which is announced by `keep` with a fingerprint of all that its
files are made of; a sink that has the group's files from an earlier build says that they need not
be rendered. `FolderSink` knows of no earlier build; `regista.site.output.publication` does.

A sink's hand puts files in their places; it can be sent to another process, which then tells the
sink what was put.
"""

import os
import unicodedata
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

from regista.model.canonical import sha256_hex
from regista.site.output.trees import make_parents, put_content, whole_file
from regista.storage.copying import hash_all, reader
from regista.storage.oserrors import storage_error

_LONGEST_SEGMENT_BYTES = 255


class Put(NamedTuple):
    """A file that is in its place.

    Attributes:
        size: in bytes.
        is_new: whether it had to be written.
    """

    path: str
    size: int
    sha256: str
    is_new: bool


class Hand(Protocol):
    """Puts files where a sink wants them."""

    def put(self, path: str, content: bytes | Path) -> Put:
        """Make a file of bytes, or a copy of a file of any size.

        Args:
            path: relative, of the segments that the URL will have.
            content: what it holds.

        Raises:
            ValueError: a bug of the caller: no plain relative path, or one that is taken.
            StorageError: it cannot be written.
        """
        ...


class Sink(ABC):
    """Somewhere to write a site to. Everything that is misuse raises a `ValueError`."""

    hand: Hand

    @abstractmethod
    def keep(self, group: str, fingerprint: str) -> bool:
        """Announce a group; True where its files are there and must not be written."""

    @abstractmethod
    def took(self, group: str, put: Put) -> None:
        """Add what the hand has put to an announced group that is not kept.

        Raises:
            ValueError: a bug of the caller, see `PathClaims` and `Groups`.
        """

    def write(self, group: str, path: str, content: bytes | Path) -> None:
        """Add a file to an announced group that is not kept; errors as for the hand."""
        self.took(group, self.hand.put(path, content))


def measured(content: bytes | Path) -> tuple[int, str]:
    """Return the size in bytes and the SHA-256 of bytes, or of a file.

    Raises:
        StorageError: the file cannot be read.
    """
    if isinstance(content, bytes):
        return len(content), sha256_hex(content)
    try:
        handle = os.open(content, os.O_RDONLY | os.O_CLOEXEC)
        try:
            sha256, size = hash_all(reader(handle), lambda _: None)
        finally:
            os.close(handle)
    except OSError as error:
        raise storage_error(error, "read", content) from error
    return size, sha256


def check_plain(path: str) -> None:
    """Be sure that a path is relative, goes nowhere else, and is not hidden at the top.

    Raises:
        ValueError: it is not so.
    """
    if not all(map(_is_plain, path.split("/"))):
        raise ValueError(f"not a plain relative path: {path!r}")
    if path.startswith("."):
        raise ValueError(f"hidden at the top, which is the owner's: {path!r}")


class PathClaims:
    """The paths of one build, which are plain, each claimed once on every file system.

    A clash is a bug of the caller, whose encoding of names has to exclude it: so it is a
    `ValueError`, not an input error.
    """

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: dict[str, str] = {}
        self._claimed: set[str] = {""}

    def claim(self, path: str) -> None:
        """Take a path.

        Raises:
            ValueError: it is taken, or differs from another file's or folder's only in case or
                normalization.
        """
        self._claim_folders(path.rpartition("/")[0])
        folded = _folded(path)
        if folded in self._files or folded in self._folders:
            raise ValueError(f"the path {path!r} is taken, at least where case does not count")
        self._files.add(folded)

    def _claim_folders(self, folder: str) -> None:
        while folder not in self._claimed:
            folded = _folded(folder)
            if folded in self._files or self._folders.setdefault(folded, folder) != folder:
                raise ValueError(f"the folder {folder!r} is taken, at least where case counts not")
            self._claimed.add(folder)
            folder = folder.rpartition("/")[0]


class Groups:
    """The groups of one build, each announced once."""

    def __init__(self) -> None:
        self._kept: dict[str, bool] = {}

    def announce(self, group: str, *, kept: bool) -> None:
        """Note whether a group's files are kept.

        Raises:
            ValueError: it was announced before.
        """
        if group in self._kept:
            raise ValueError(f"the group {group!r} is announced twice")
        self._kept[group] = kept

    def check(self, group: str) -> None:
        """Be sure that files may be added to a group.

        Raises:
            ValueError: it was not announced, or is kept as it is.
        """
        if self._kept.get(group, True):
            raise ValueError(f"the group {group!r} takes no files: it is kept, or not announced")


@dataclass(frozen=True, slots=True)
class FolderHand:
    """Puts files into a folder, in the place of what is there."""

    folder: Path
    _made: set[str] = field(default_factory=lambda: {""})

    def put(self, path: str, content: bytes | Path) -> Put:
        """Put a file; `is_new` where there was none. Errors as for every hand."""
        check_plain(path)
        target = self.folder / path
        size, sha256 = measured(content)
        try:
            make_parents(self.folder, path, self._made)
            is_new = not os.path.lexists(target)
            with whole_file(target) as beside:
                put_content(beside, content)
        except OSError as error:
            raise storage_error(error, "write", target) from error
        return Put(path, size, sha256, is_new)


class FolderSink(Sink):
    """Writes straight into a folder that somebody else owns and publishes, such as MkDocs.

    Args:
        folder: an existing folder.

    Attributes:
        paths: all files so far, in order.
        replaced: those of them that took the place of a file that was there.
    """

    def __init__(self, folder: Path) -> None:
        self.hand = FolderHand(folder)
        self._claims, self._groups = PathClaims(), Groups()
        self.paths: list[str] = []
        self.replaced: list[str] = []

    def keep(self, group: str, fingerprint: str) -> bool:  # noqa: ARG002 - the protocol's
        """Announce a group; nothing is ever kept."""
        self._groups.announce(group, kept=False)
        return False

    def took(self, group: str, put: Put) -> None:
        """Note a file; errors as for every sink."""
        self._groups.check(group)
        self._claims.claim(put.path)
        self.paths.append(put.path)
        if not put.is_new:
            self.replaced.append(put.path)


@lru_cache(maxsize=4096)
def _is_plain(segment: str) -> bool:
    return (
        segment not in {"", ".", ".."}
        and segment.isprintable()
        and "\\" not in segment
        and len(segment.encode("utf-8", "replace")) <= _LONGEST_SEGMENT_BYTES
    )


def _folded(path: str) -> str:
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
