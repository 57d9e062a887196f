"""Trees of files by relative path: listed, linked to one another, replaced file by file.

A hidden name at the top of a site, such as `.git` or `.nojekyll`, belongs to the site's owner:
it is never listed, and goes along when the site is replaced. Symbolic links are not followed.
"""

import os
import shutil
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from regista.site.output.site_manifest import MANIFEST
from regista.site.output.staging import INSIDE
from regista.storage.copying import BLOCK_BYTES, copy, write_all
from regista.storage.durable import sync_folder
from regista.storage.temporary import TEMPORARY_PREFIX, temporary_name

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def list_tree(top: Path) -> dict[str, os.DirEntry[str]]:
    """Return all that is no folder, by path; nothing where there is no such tree.

    Raises:
        OSError: from listing.
    """
    found: dict[str, os.DirEntry[str]] = {}
    pending = [""]
    while pending:
        prefix = pending.pop()
        try:
            with os.scandir(f"{top}/{prefix}") as entries:
                for entry in entries:
                    if not prefix and _is_hidden(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(f"{prefix}{entry.name}/")
                    else:
                        found[prefix + entry.name] = entry
        except FileNotFoundError:
            continue
    return found


def put_file(path: str | Path, data: bytes) -> None:
    """Write a new file whose folder is there.

    Raises:
        OSError: from writing.
    """
    handle = os.open(path, _NEW, 0o666)
    try:
        write_all(handle, data)
    finally:
        os.close(handle)


def copy_file(source: str | Path, path: str | Path) -> None:
    """Copy a file's bytes to a new one whose folder is there.

    Raises:
        OSError: from reading or writing.
    """
    opened = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        handle = os.open(path, _NEW, 0o666)
        try:
            copy(opened, handle)
        finally:
            os.close(handle)
    finally:
        os.close(opened)


def put_content(path: str | Path, content: bytes | Path) -> None:
    """Make a new file of bytes or of another file; errors as for the two above."""
    if isinstance(content, bytes):
        put_file(path, content)
    else:
        copy_file(content, path)


def size_of_file(path: str | os.DirEntry[str]) -> int | None:
    """Return a file's size in bytes; None where there is no such file, or something else."""
    try:
        status = os.lstat(path) if isinstance(path, str) else path.stat(follow_symlinks=False)
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def holds(path: str | Path, content: bytes | Path) -> bool:
    """Say whether a file has this content; False where it cannot be read.

    Raises:
        OSError: from reading the content, where that is a file.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    with os.fdopen(handle, "rb") as stream:
        if isinstance(content, bytes):
            return stream.read() == content
        with content.open("rb") as other:
            while block := other.read(BLOCK_BYTES):
                if stream.read(len(block)) != block:
                    return False
            return not stream.read(1)


def link_files(old: Path, new: Path, paths: Collection[str], made: set[str]) -> None:
    """Make files of one tree part of another, as they are.

    Args:
        old: where the files are.
        new: where they are to be, too.
        paths: which files.
        made: the folders that `new` has; those that are made are added.

    Raises:
        OSError: from linking or copying.
    """
    for path in paths:
        make_parents(new, path, made)
        _link(f"{old}/{path}", f"{new}/{path}")


def make_parents(top: str | Path, path: str, made: set[str]) -> None:
    """Make the folders that a path of a tree needs; `made` says which are there.

    Raises:
        OSError: from making.
    """
    parent = path.rpartition("/")[0]
    if parent not in made:
        Path(top, parent).mkdir(parents=True, exist_ok=True)
        made.add(parent)


def carry_hidden(old: Path, new: Path) -> None:
    """Make what is hidden at the top of one tree part of another.

    Raises:
        OSError: from linking or copying.
    """
    for entry in _hidden(old):
        target = new / entry.name
        if entry.is_symlink():
            target.symlink_to(Path(entry.path).readlink())
        elif entry.is_dir():
            shutil.copytree(entry.path, target, symlinks=True, copy_function=_link)
        else:
            _link(entry.path, str(target))


def replace_files(new: Path, target: Path, written: Collection[str], gone: Collection[str]) -> None:
    """Move files from one tree into another one by one, then remove those that are gone.

    The order lets no page link to one that is not there: files that are no pages come first,
    then pages from the deepest up, `index.html` at the top last.

    Raises:
        OSError: from moving or removing; the target then holds old and new files.
    """
    ordered = sorted(written, key=_linked_last)
    in_the_way = _in_the_way(written, gone)
    _remove_files(target, in_the_way)
    made: set[str] = set()
    for path in ordered:
        make_parents(target, path, made)
        replace_file(new / path, target / path)
    _remove_files(target, [path for path in gone if path not in in_the_way])
    for folder in made:
        sync_folder(target / folder)


def replace_file(source: Path, path: Path) -> None:
    """Move a file to a path, in one step for those who read there.

    Raises:
        OSError: from moving or copying.
    """
    try:
        source.replace(path)
    except OSError:
        # from another file system, or another mount of the same
        with whole_file(path) as beside:
            copy_file(source, beside)
        source.unlink()


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Lend a free path, where a file is to be made that then takes its place in one step.

    Raises:
        OSError: from moving it to its place.
    """
    beside = path.parent / temporary_name()
    try:
        yield beside
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def _hidden(top: Path) -> Iterator[os.DirEntry[str]]:
    with suppress(FileNotFoundError), os.scandir(top) as entries:
        for entry in entries:
            if _is_hidden(entry.name) and entry.name not in {MANIFEST, INSIDE}:
                yield entry


def _is_hidden(name: str) -> bool:
    # what a killed copy left is ours, and goes
    return name.startswith(".") and not name.startswith(TEMPORARY_PREFIX)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        # no links here, or too many of this file
        copy_file(source, target)
        shutil.copystat(source, target)


def _linked_last(path: str) -> tuple[bool, bool, int, str]:
    return (path.endswith(".html"), path == "index.html", -path.count("/"), path)


def _in_the_way(written: Collection[str], gone: Collection[str]) -> set[str]:
    """Return what is gone and has a folder's name now, or lies in a folder that is a file now."""
    folders = {above for path in written for above in _above(path)}
    files = set(written)
    return {path for path in gone if path in folders or not files.isdisjoint(_above(path))}


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _remove_files(top: Path, paths: Collection[str]) -> None:
    """Remove files, and the folders that they leave empty."""
    for path in paths:
        (top / path).unlink(missing_ok=True)
        for folder in _above(path):
            try:
                (top / folder).rmdir()
            except OSError:
                break
