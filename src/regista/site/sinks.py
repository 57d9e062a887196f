"""What takes the files of a site: the interface, and which paths a file may have.

Every file belongs to a group, which is announced by `keep` with a fingerprint of all that its
files are made of; a sink that has the group's files from an earlier build says that they need not
be rendered. `FolderSink` knows of no earlier build; `regista.site.publication` does.
"""

import os
import unicodedata
from pathlib import Path
from typing import Protocol

from regista.site.trees import make_parents, put_content, whole_file
from regista.storage.oserrors import storage_error

_LONGEST_SEGMENT_BYTES = 255


class Sink(Protocol):
    """Somewhere to write a site to. Everything that is misuse raises a `ValueError`."""

    def keep(self, group: str, fingerprint: str) -> bool:
        """Announce a group; True where its files are there and must not be written."""
        ...

    def write(self, group: str, path: str, data: bytes) -> None:
        """Add a file to an announced group."""
        ...

    def add_file(self, group: str, path: str, source: Path) -> None:
        """Add a copy of a file, of any size, to an announced group."""
        ...


class PathClaims:
    """The paths of one build, each claimed once, and safe on every file system.

    A clash is a bug of the caller, whose encoding of names has to exclude it: so it is a
    `ValueError`, not an input error.
    """

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: dict[str, str] = {}
        self._checked: set[str] = {""}

    def claim(self, path: str) -> None:
        """Take a path.

        Raises:
            ValueError: it is not relative and plain, is taken, or differs from another file's
                or folder's only in case or normalization; or it is hidden at the top.
        """
        parent, _, name = path.rpartition("/")
        if not name or (parent not in self._checked) or not _is_plain(name):
            self._check(path)
            self._claim_folders(parent)
        if path.startswith((".", "/")):
            raise ValueError(f"absolute, or hidden at the top, which is the owner's: {path!r}")
        folded = _folded(path)
        if folded in self._files or folded in self._folders:
            raise ValueError(f"the path {path!r} is taken, at least where case does not count")
        self._files.add(folded)

    def _check(self, path: str) -> None:
        if not all(_is_plain(segment) for segment in path.split("/")):
            raise ValueError(f"not a plain relative path: {path!r}")

    def _claim_folders(self, folder: str) -> None:
        while folder not in self._checked:
            folded = _folded(folder)
            if folded in self._files or self._folders.setdefault(folded, folder) != folder:
                raise ValueError(f"the folder {folder!r} is taken, at least where case counts not")
            self._checked.add(folder)
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


class FolderSink:
    """Writes straight into a folder that somebody else owns and publishes, such as MkDocs.

    Args:
        folder: an existing folder.

    Attributes:
        paths: all files so far, in order.
        replaced: those of them that took the place of a file that was there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._claims, self._groups = PathClaims(), Groups()
        self._made: set[str] = {""}
        self.paths: list[str] = []
        self.replaced: list[str] = []

    def keep(self, group: str, fingerprint: str) -> bool:  # noqa: ARG002 - the protocol's
        """Announce a group; nothing is ever kept."""
        self._groups.announce(group, kept=False)
        return False

    def write(self, group: str, path: str, data: bytes) -> None:
        """Write a file.

        Raises:
            StorageError: it cannot be written, or a folder has its name.
        """
        self._add(group, path, data)

    def add_file(self, group: str, path: str, source: Path) -> None:
        """Copy a file; errors as for `write`."""
        self._add(group, path, source)

    def _add(self, group: str, path: str, content: bytes | Path) -> None:
        self._groups.check(group)
        self._claims.claim(path)
        target = self._folder / path
        try:
            make_parents(self._folder, path, self._made)
            if os.path.lexists(target):
                self.replaced.append(path)
            with whole_file(target) as beside:
                put_content(beside, content)
        except OSError as error:
            raise storage_error(error, "write", target) from error
        self.paths.append(path)


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
