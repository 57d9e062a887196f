"""Where a site is put together before anybody sees it, and who may do so.

The staging folder `.NAME.building` stands beside the site, on its file system. It is also the
lock: whoever has locked it (by `flock`, which ends with its holder) builds the site, so a folder
that nobody has locked was left by a killed build, and the next one takes it over. Where the site
cannot be renamed, being a mount point or in a folder that must not be written, the staging folder
stands inside it.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from regista.errors import ConflictError, InvalidInputError
from regista.site.output.site_manifest import read_header
from regista.storage.durable import make_folders
from regista.storage.oserrors import one_line, storage_error
from regista.storage.temporary import remove_tree

INSIDE = ".regista-site.building"
_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Staging:
    """A folder of our own, locked.

    Attributes:
        folder: the folder.
        inside: whether it lies in the site, whose files must then be replaced one by one.
        tree: the new site, under a name of its own, so that a process that outlived a killed
            build has no place in this one.
    """

    folder: Path
    inside: bool
    tree: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", self.folder / f"tree-{token_hex(8)}")

    @property
    def aside(self) -> Path:
        """The old site, between two renames."""
        return self.folder / "old"


def checked_place(out: Path, apart_from: Sequence[Path]) -> Path:
    """Return the absolute path of a folder that a site may have.

    Args:
        out: missing, empty but for hidden files, or a site that Regista built.
        apart_from: folders that it may not be, hold or lie in, such as the registry.

    Raises:
        InvalidInputError: it may not be used.
        StorageError: it cannot be looked at.
    """
    shown = one_line(out)
    if out.is_symlink():
        raise InvalidInputError(
            f"{shown} is a symbolic link, which a site cannot replace",
            hint=f"give the folder itself: --out {one_line(out.resolve())}",
        )
    place = out.resolve()
    for other in (path.resolve() for path in apart_from):
        if _lies_in(place, other) or _lies_in(other, place):
            raise InvalidInputError(
                f"{shown} is no place for a site: it and {one_line(other)} must lie apart",
                hint="give another folder with --out",
            )
    foreign = next((name for name in _names(place) if not name.startswith(".")), None)
    if foreign is not None and read_header(place) is None:
        raise InvalidInputError(
            f"{shown} holds files that are no site of Regista, such as {one_line(foreign)}",
            hint="give an empty or new folder with --out",
        )
    return place


def _names(place: Path) -> list[str]:
    try:
        return sorted(path.name for path in place.iterdir())
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        raise InvalidInputError(
            f"{one_line(place)} is a file, or lies below one", hint="give another folder with --out"
        ) from None
    except OSError as error:
        raise storage_error(error, "list", place) from error


def _lies_in(inner: Path, outer: Path) -> bool:
    """Say whether the one is the other or below it, where spelling may not tell."""
    for path in (inner, *inner.parents):
        with suppress(OSError):
            if path == outer or path.samefile(outer):
                return True
    return False


@contextmanager
def staged(out: Path) -> Iterator[Staging]:
    """Lend an empty staging folder for a site; it and all in it go at the end.

    Raises:
        ConflictError: another process builds this site.
        StorageError: the folder cannot be made.
    """
    staging = _choose(out)
    try:
        make_folders(staging.folder.parent)
        handle = _lock(staging.folder, out)
    except OSError as error:
        raise storage_error(error, "make a folder in", staging.folder.parent) from error
    try:
        _take_over(staging, out)
        yield staging
    finally:
        remove_tree(staging.folder)
        os.close(handle)


def _choose(out: Path) -> Staging:
    beside = out.parent / f".{out.name}.building"
    if out.is_dir() and (out.is_mount() or not os.access(out.parent, os.W_OK | os.X_OK)):
        return Staging(out / INSIDE, inside=True)
    return Staging(beside, inside=False)


def _lock(folder: Path, out: Path) -> int:
    """Make and lock the folder; return its open handle, which holds the lock.

    Raises:
        ConflictError: another process has it.
        OSError: from making it.
    """
    for _ in range(_ATTEMPTS):
        try:
            folder.mkdir()
            is_new = True
        except FileExistsError:
            is_new = False
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        locked = _flock(handle)
        if (locked or (locked is None and is_new)) and _is_still(folder, handle):
            return handle
        os.close(handle)
        if locked is None:
            raise ConflictError(
                f"{one_line(folder)} is there: another build of the site runs, or was killed",
                hint=f"if none runs, remove it: rm -r {one_line(folder)}",
            )
        if not locked:
            break
    raise ConflictError(
        f"another process is building {one_line(out)}",
        hint="wait for it, or give another folder with --out",
    )


def _flock(handle: int) -> bool | None:
    """Lock an open folder; None where the file system has no locks."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return None
    return True


def _is_still(folder: Path, handle: int) -> bool:
    """Say whether the path still leads to the open folder: its last holder removes it."""
    try:
        return os.path.samestat(folder.lstat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _take_over(staging: Staging, out: Path) -> None:
    """Empty the folder of what a killed build left, after putting its old site back."""
    try:
        if staging.aside.is_dir() and not os.path.lexists(out):
            staging.aside.rename(out)
        for path in staging.folder.iterdir():
            remove_tree(path)
        left = next(staging.folder.iterdir(), None)
        if left is not None:
            # names the reason, which removing a whole tree keeps to itself
            left.rmdir() if stat.S_ISDIR(left.lstat().st_mode) else left.unlink()
    except OSError as error:
        raise storage_error(error, "clear", staging.folder) from error
