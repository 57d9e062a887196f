"""Publishing a site: a reader sees the old site or the new one, and so does a killed build's next.

Invariants:
- All is put together in a staging folder (`staging`): what is new is written there, what stays is
  linked there from the old site. Then the whole folder takes the old one's place (`exchange`), and
  the old one is removed. Until then nothing has changed.
- A published folder holds exactly what its build made, and a manifest of it; other files go, and
  are named in the result. Hidden names at the top (`.git`, `.nojekyll`) are the owner's and stay.
- A file is written only where its bytes differ from those on the disk.

Where a site is a mount point, or in a folder that must not be written, its files are replaced one
by one, and readers can meet old and new ones together; the manifest then says so until the end.

    with Publication.open(Path("site"), incremental=True) as publication:
        inputs = {"head": "1f2e…", "options": "3d4c…"}
        if publication.unchanged(inputs):
            return publication.untouched()
        if not publication.keep("entry/fraud", fingerprint):
            publication.write("entry/fraud", "entries/fraud/index.html", page)
        return publication.finish(inputs)
"""

import ctypes
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from regista.site.output.exchange import Way, replace_folder
from regista.site.output.sinks import Groups, PathClaims, Put, Sink, check_plain, measured
from regista.site.output.site_manifest import (
    MANIFEST,
    Group,
    Header,
    Manifest,
    file_record,
    listing_digest,
    manifest_bytes,
    read_groups,
    read_header,
    recorded_size,
)
from regista.site.output.staging import Staging, checked_place, staged
from regista.site.output.trees import (
    carry_hidden,
    holds,
    link_files,
    list_tree,
    make_parents,
    put_content,
    put_file,
    replace_file,
    replace_files,
    size_of_file,
)
from regista.storage.durable import sync_folder
from regista.storage.oserrors import storage_error

# no build has these: an unfinished replacement of files is trusted by nobody
_UNFINISHED = {"unfinished": "files are being replaced"}
_UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Published:
    """What a build did to a site.

    Attributes:
        written: how many files are new or have new bytes.
        kept: how many are as they were.
        removed: how many of an earlier build are gone.
        bytes: the size of what was written.
        paths: the files written, sorted.
        strangers: files that no build had made, sorted; they are gone.
        way: how the new site came to its place.
    """

    written: int
    kept: int
    removed: int
    bytes: int
    paths: tuple[str, ...]
    strangers: tuple[str, ...]
    way: Way


@dataclass(frozen=True, slots=True)
class TreeHand:
    """Puts a file into the tree of a new site, unless the old site has the same one.

    Attributes:
        tree: top of the new site.
        old: top of the old one; '' where there is none.
        made: the folders of the new one that are known to be there.
    """

    tree: str
    old: str
    made: set[str] = field(default_factory=set)

    def put(self, path: str, content: bytes | Path) -> Put:
        """Put a file; errors as for every hand, and the site is as it was."""
        check_plain(path)
        size, sha256 = measured(content)
        # with 50,000 files, joining them by `Path` took as long as writing them
        there = f"{self.old}/{path}"
        try:
            if self.old and size_of_file(there) == size and holds(there, content):
                return Put(path, size, sha256, is_new=False)
            make_parents(self.tree, path, self.made)
            put_content(f"{self.tree}/{path}", content)
        except OSError as error:
            raise storage_error(error, "write", there) from error
        return Put(path, size, sha256, is_new=True)


class Publication(Sink):
    """One build of one site; see the module. Made by `open`."""

    def __init__(
        self, out: Path, staging: Staging, header: Header | None, *, incremental: bool
    ) -> None:
        self._out, self._staging, self._header = out, staging, header
        self._incremental = incremental
        self._claims, self._announced = PathClaims(), Groups()
        self._groups: dict[str, tuple[str, dict[str, str]]] = {}
        self._kept: set[str] = set()
        self._new: dict[str, int] = {}
        self.hand: TreeHand = TreeHand(str(staging.tree), str(out) if out.is_dir() else "")

    @classmethod
    @contextmanager
    def open(
        cls, out: Path, *, incremental: bool = False, apart_from: Sequence[Path] = ()
    ) -> Iterator[Self]:
        """Begin a build; only `finish` changes the site.

        Args:
            out: the site's folder: missing, empty, or built by Regista.
            incremental: trust the manifest: groups whose fingerprint is the same are kept.
            apart_from: folders that the site may not be, hold or lie in, such as the registry.

        Raises:
            InvalidInputError: the folder is no place for a site.
            ConflictError: another process builds this site.
            StorageError: it cannot be read or written.
        """
        place = checked_place(out, apart_from)
        with staged(place) as staging:
            yield cls(place, staging, read_header(place), incremental=incremental)

    @cached_property
    def previous(self) -> Manifest | None:
        """The manifest of the site that is there, if it is whole."""
        header = self._header
        groups = read_groups(self._out, header) if header else None
        return Manifest(header.inputs, groups) if header and groups is not None else None

    def unchanged(self, inputs: Mapping[str, str]) -> bool:
        """Say whether an incremental build has nothing to do.

        True when the site was built from the same inputs, and exactly its files are there, by
        name: neither their sizes nor their bytes are looked at.

        Raises:
            StorageError: the site cannot be listed.
        """
        header = self._header
        if not self._incremental or header is None:
            return False
        return header.inputs == inputs and header.listing == listing_digest(self._there)

    def untouched(self) -> Published:
        """Return the result of a build that has nothing to do."""
        return Published(0, len(self._there), 0, 0, (), (), Way.UNTOUCHED)

    def keep(self, group: str, fingerprint: str) -> bool:
        """Announce a group; say whether its files are kept as they are and need no rendering.

        True in an incremental build whose previous one made the group from the same fingerprint,
        when all its files are there in their sizes.
        """
        before = self._previous_groups().get(group) if self._incremental else None
        if before and (before.fingerprint != fingerprint or not self._are_there(before)):
            before = None
        self._announced.announce(group, kept=before is not None)
        files = dict(before.files) if before else {}
        for path in files:
            self._claims.claim(path)
        self._kept.update(files)
        self._groups[group] = (fingerprint, files)
        return before is not None

    def took(self, group: str, put: Put) -> None:
        """Note a file of a group that is not kept; errors as for every sink."""
        self._announced.check(group)
        self._claims.claim(put.path)
        self._groups[group][1][put.path] = file_record(put.size, put.sha256)
        if put.is_new:
            self._new[put.path] = put.size
        else:
            self._kept.add(put.path)

    def finish(self, inputs: Mapping[str, str]) -> Published:
        """Publish what was kept and written, and nothing else.

        Args:
            inputs: names of all that the site was built from, with their digests.

        Raises:
            StorageError: it cannot be written. The site is as it was, unless its files had to be
                replaced one by one, as the message then says.
        """
        gone = self._there.keys() - self._kept - self._new.keys()
        ours = {path for group in self._previous_groups().values() for path in group.files}
        groups = {name: Group(*fields) for name, fields in self._groups.items()}
        content = manifest_bytes(Manifest(inputs, groups))
        try:
            way = self._publish(content, gone)
        except OSError as error:
            raise storage_error(error, "publish", self._out) from error
        return Published(
            written=len(self._new),
            kept=len(self._kept),
            removed=len(gone & ours),
            bytes=sum(self._new.values()),
            paths=tuple(sorted(self._new)),
            strangers=tuple(sorted(gone - ours)),
            way=way,
        )

    @cached_property
    def _there(self) -> dict[str, os.DirEntry[str]]:
        try:
            return list_tree(self._out)
        except OSError as error:
            raise storage_error(error, "list", self._out) from error

    def _previous_groups(self) -> Mapping[str, Group]:
        return self.previous.groups if self.previous else {}

    def _are_there(self, group: Group) -> bool:
        return all(
            self._size(path) == recorded_size(record) for path, record in group.files.items()
        )

    def _size(self, path: str) -> int | None:
        """Return the size of a file of the old site; None where there is no such file."""
        return size_of_file(self._there[path]) if path in self._there else None

    def _publish(self, manifest: bytes, gone: set[str]) -> Way:
        if not self._new and not gone and self._header is not None:
            if holds(self._out / MANIFEST, manifest):
                return Way.UNTOUCHED
            # files that stay as they are need no exchange
            self._put_manifest(manifest)
            return Way.AT_ONCE
        self._staging.tree.mkdir(exist_ok=True)
        put_file(self._staging.tree / MANIFEST, manifest)
        way = Way.FILE_BY_FILE if self._staging.inside else self._exchange()
        if way is Way.FILE_BY_FILE:
            self._replace_files(manifest, gone)
        return way

    def _exchange(self) -> Way:
        tree = self._staging.tree
        link_files(self._out, tree, sorted(self._kept), self.hand.made)
        carry_hidden(self._out, tree)
        if self._out.exists():
            _like(self._out, tree)
        _sync_all(tree)
        way = replace_folder(tree, self._out, self._staging.aside)
        if way is not Way.FILE_BY_FILE:
            # it is there for all to see, and an unsynced folder survives all but a power cut
            with suppress(OSError):
                sync_folder(self._out.parent)
        return way

    def _replace_files(self, manifest: bytes, gone: set[str]) -> None:
        """Replace file by file, with a manifest meanwhile by which nothing is trusted."""
        untrusted = {
            name: Group(_UNKNOWN, group.files) for name, group in self._previous_groups().items()
        }
        for name, (_, files) in self._groups.items():
            before = untrusted[name].files if name in untrusted else {}
            untrusted[name] = Group(_UNKNOWN, {**before, **files})
        self._put_manifest(manifest_bytes(Manifest(_UNFINISHED, untrusted)))
        _sync_all(self._staging.tree)
        try:
            replace_files(self._staging.tree, self._out, sorted(self._new), sorted(gone))
            self._put_manifest(manifest)
        except OSError as error:
            half = storage_error(error, "replace all files of", self._out)
            half.hint = "some are new and some old now: build again"
            raise half from error

    def _put_manifest(self, manifest: bytes) -> None:
        made = self._staging.folder / MANIFEST
        put_file(made, manifest)
        replace_file(made, self._out / MANIFEST)
        sync_folder(self._out)


def _like(old: Path, new: Path) -> None:
    """Give a folder another's rights, and its owner where the system lets us."""
    status = old.stat()
    with suppress(OSError):
        os.chown(new, status.st_uid, status.st_gid)
    new.chmod(stat.S_IMODE(status.st_mode))


def _sync_all(folder: Path) -> None:
    """Put all of a tree on the disk: one call for its file system, as 50,000 would take minutes."""
    try:
        sync = ctypes.CDLL(None, use_errno=True).syncfs
    except (AttributeError, OSError, TypeError):
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if sync(handle) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(handle)
