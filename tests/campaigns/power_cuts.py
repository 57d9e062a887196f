"""Power cuts: what would be on the disk if all that was not synced were lost.

Killing a process shows nothing of this, as the system keeps what it was given. So the calls of a
run without faults are replayed on a model of a disk: a file's bytes survive as they were when it
was last synced, and a name as its folder was when that was. What the model says is left after a
cut at any call is laid out as a folder and judged like any other.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from random import Random

from campaigns.system_calls import Call

ROOT = "."
# of the changes that nobody synced, so many survive where chance decides
_SURVIVE = 0.5


@dataclass(frozen=True, slots=True)
class Node:
    """What a name stands for: a file by its number, or a folder (0)."""

    file: int


FOLDER = Node(0)
Image = dict[str, bytes | None]


@dataclass(slots=True)
class Disk:
    """A tree as programs see it, and as it would be found after a power cut.

    Attributes:
        live: by folder, its names now.
        kept: by folder, its names when it was last synced.
        pending: by folder, the changes since then; None for a name that was removed.
        synced: by file, its bytes when it was last synced.
        written: by file, its bytes as far as anybody looked.
    """

    live: dict[str, dict[str, Node]] = field(default_factory=dict)
    kept: dict[str, dict[str, Node]] = field(default_factory=dict)
    pending: dict[str, list[tuple[str, Node | None]]] = field(default_factory=dict)
    synced: dict[int, bytes] = field(default_factory=dict)
    written: dict[int, bytes] = field(default_factory=dict)
    _by_inode: dict[int, int] = field(default_factory=dict)
    _files: int = 0

    @classmethod
    def of(cls, folder: Path) -> "Disk":
        """Return the disk on which all of a folder is safe."""
        disk = cls()
        disk._take(ROOT)
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_dir():
                disk._take(name)
                disk._name(name, FOLDER)
            else:
                disk._name(name, disk._new_file(path.read_bytes()))
        for name in disk.live:
            disk._sync_folder(name)
        return disk

    def apply(self, call: Call) -> None:
        """Do what a call did."""
        if call.failed:
            return
        match call.name:
            case "open":
                made = self._new_file(None)
                self._by_inode[call.inode] = made.file
                self._name(call.path, made)
            case "fsync" | "fdatasync" if call.content is not None:
                file = self._by_inode.get(call.inode, 0)
                self.synced[file] = self.written[file] = call.content
            case "fsync":
                self._sync_folder(call.path)
            case "link" | "rename" | "replace":
                node = self._find(call.path) or self._new_file(None)
                self.written[node.file] = call.content or b""
                self._name(call.target, node)
                if call.name != "link":
                    self._name(call.path, None)
            case "mkdir":
                self._take(call.path)
                self._name(call.path, FOLDER)
            case "unlink" | "rmdir":
                self._name(call.path, None)

    def after_cut(self, chance: Random | None = None) -> Image:
        """Return the tree that is found after a power cut; a folder's content is None.

        Args:
            chance: lets some of the changes survive that nobody synced; None loses all.
        """
        image: Image = {}
        self._walk(ROOT, image, chance)
        return image

    def seen(self) -> Image:
        """Return the tree as programs see it now."""
        image: Image = {}
        pending = [ROOT]
        while pending:
            folder = pending.pop()
            for name, node in self.live[folder].items():
                path = _join(folder, name)
                if node == FOLDER:
                    pending.append(path)
                image[path] = None if node == FOLDER else self.written.get(node.file, b"")
        return image

    def _walk(self, folder: str, image: Image, chance: Random | None) -> None:
        names: dict[str, Node | None] = dict(self.kept[folder])
        if chance:
            survivors = [change for change in self.pending[folder] if chance.random() < _SURVIVE]
            names.update(survivors)
        for name, node in names.items():
            path = _join(folder, name)
            if node == FOLDER:
                image[path] = None
                self._walk(path, image, chance)
            elif node:
                image[path] = self.synced.get(node.file, b"")

    def _take(self, folder: str) -> None:
        self.live[folder], self.kept[folder], self.pending[folder] = {}, {}, []

    def _sync_folder(self, folder: str) -> None:
        self.kept[folder] = dict(self.live[folder])
        self.pending[folder] = []

    def _new_file(self, content: bytes | None) -> Node:
        self._files += 1
        if content is not None:
            self.synced[self._files] = self.written[self._files] = content
        return Node(self._files)

    def _find(self, path: str) -> Node | None:
        folder, name = _split(path)
        return self.live.get(folder, {}).get(name)

    def _name(self, path: str, node: Node | None) -> None:
        folder, name = _split(path)
        if node is None:
            self.live[folder].pop(name, None)
        else:
            self.live[folder][name] = node
        self.pending[folder].append((name, node))


def cuts(disk: Disk, calls: Sequence[Call]) -> Iterator[tuple[int, Disk]]:
    """Replay calls; yield the disk before each that changes anything, and at the end."""
    for number, call in enumerate(calls):
        if not call.reads:
            yield number, disk
        disk.apply(call)
    yield len(calls), disk


def lay_out(image: Image, folder: Path) -> None:
    """Make a folder hold exactly what an image does."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, content in sorted(image.items()):
        if content is None:
            (folder / path).mkdir()
        else:
            (folder / path).write_bytes(content)


def _split(path: str) -> tuple[str, str]:
    pure = PurePosixPath(path)
    return str(pure.parent), pure.name


def _join(folder: str, name: str) -> str:
    return name if folder == ROOT else f"{folder}/{name}"
