"""A version's files on their way out, to a folder of the user's.

Invariants: a file gets its name in the destination only when it is whole and its digest was
checked on the very bytes written; nothing of the user's is overwritten by other content; no
symbolic link in the destination is followed; files are copies or reflinks, never hard links.
Nothing is unpacked or run.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from regista.errors import IntegrityError, InvalidInputError
from regista.model.manifest import FileEntry, Manifest, check_path
from regista.storage.blobs import blob_key
from regista.storage.copying import hash_all, reader
from regista.storage.oserrors import one_line, storage_error
from regista.storage.parallel import Meter, Progress, run_all
from regista.storage.store import Store
from regista.storage.temporary import claimed_folder

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_IN_THE_WAY = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO})


def fetch(store: Store, manifest: Manifest, dest: Path, progress: Progress | None = None) -> None:
    """Lay an artifact's files under a folder, which is made if it is not there.

    A new folder appears at once, with everything in it. Into one that exists, the files are
    moved when all of them are there; files with the right content already stay.

    Args:
        store: where the blobs are.
        manifest: which files.
        dest: the folder; itself it may be a symbolic link to one.
        progress: told of the bytes as they are done.

    Raises:
        InvalidInputError: the destination is a file, or has something else where a file should
            go; or the artifact is not stored here.
        IntegrityError: a blob is missing or corrupt.
        StorageError: the store cannot be read, or the destination not written.
    """
    if manifest.uri and not manifest.files:
        raise InvalidInputError(
            f"the artifact is not stored here but at {manifest.uri}", hint="fetch it from there"
        )
    for file in manifest.files:
        # again, whoever made the manifest: this is where a path does harm
        check_path(file.path)
    if not os.path.lexists(dest):
        _fetch_new(store, manifest.files, dest, progress)
    else:
        with _open_destination(dest) as root:
            _fetch_into(store, manifest.files, dest, root, progress)


def _fetch_new(
    store: Store, files: tuple[FileEntry, ...], dest: Path, progress: Progress | None
) -> None:
    parent = dest.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InvalidInputError(
            f"{one_line(parent)} is not a folder", hint="name a folder, or a new one"
        ) from error
    except OSError as error:
        raise storage_error(error, "make", parent) from error
    with claimed_folder(parent, "get") as folder:
        tree = folder / "tree"
        _download(store, files, tree, progress)
        try:
            tree.rename(dest)
        except OSError as error:
            raise storage_error(error, "write", dest) from error


def _fetch_into(
    store: Store,
    files: tuple[FileEntry, ...],
    dest: Path,
    root: int,
    progress: Progress | None,
) -> None:
    wanted = tuple(file for file in files if not _is_there(root, file, dest))
    if not wanted:
        return
    # inside the destination, which may be a file system of its own
    with claimed_folder(dest, "get") as folder:
        tree = folder / "tree"
        _download(store, wanted, tree, progress)
        for file in wanted:
            _move(tree / file.path, root, file, dest)


def _download(
    store: Store, files: tuple[FileEntry, ...], tree: Path, progress: Progress | None
) -> None:
    meter = Meter(progress, sum(file.size for file in files))
    try:
        tree.mkdir()
        for folder in {(tree / file.path).parent for file in files}:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, "make a folder in", tree.parent) from error
    largest_first = sorted(files, key=lambda file: -file.size)
    run_all(lambda file: _download_one(store, file, tree, meter), largest_first, meter)


def _download_one(store: Store, file: FileEntry, tree: Path, meter: Meter) -> None:
    for fresh in (False, True):
        if _copy_one(store, file, tree / file.path, meter, fresh=fresh):
            return
    raise IntegrityError(
        f"file {file.path!r} is corrupt in the store: blob {file.sha256}",
        hint="regista verify --deep",
    )


def _copy_one(store: Store, file: FileEntry, path: Path, meter: Meter, *, fresh: bool) -> bool:
    """Copy a blob to a new file; say whether it has its digest, and leave no file if not."""
    # what counted at the first try does not count again
    advance = meter.heed if fresh else meter.advance
    with _opened(path, _NEW, "write") as sink:
        try:
            sha256 = store.copy_to(blob_key(file.sha256), sink, advance, fresh=fresh)
        except OSError as error:
            raise storage_error(error, "copy", path) from error
    if sha256 is None:
        raise IntegrityError(
            f"file {file.path!r} is missing from the store: blob {file.sha256}",
            hint="regista verify --deep",
        )
    if sha256 != file.sha256:
        path.unlink()
    return sha256 == file.sha256


@contextmanager
def _opened(path: Path, flags: int, doing: str) -> Iterator[int]:
    try:
        handle = os.open(path, flags, 0o666)
    except FileExistsError as error:
        raise InvalidInputError(
            f"{one_line(path.name)} is there twice: this disk does not tell the names apart",
            hint="fetch to a case-sensitive disk",
        ) from error
    except OSError as error:
        raise storage_error(error, doing, path) from error
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def _open_destination(dest: Path) -> Iterator[int]:
    try:
        handle = os.open(dest, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (NotADirectoryError, FileNotFoundError) as error:
        raise InvalidInputError(
            f"{one_line(dest)} exists and is not a folder", hint="name a folder, or a new one"
        ) from error
    except OSError as error:
        raise storage_error(error, "open", dest) from error
    try:
        yield handle
    finally:
        os.close(handle)


def _is_there(root: int, file: FileEntry, dest: Path) -> bool:
    """Say whether the destination has the file; refuse whatever else is in its place."""
    in_the_way = InvalidInputError(
        f"{one_line(dest / file.path)} exists, or a folder of it, and is something else",
        hint="move it away, or fetch to another folder",
    )
    try:
        with _folder_of(root, file.path, make=False) as folder:
            handle = os.open(file.path.rpartition("/")[2], _READ, dir_fd=folder)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            raise in_the_way from error
        raise storage_error(error, "read", dest / file.path) from error
    try:
        status = os.fstat(handle)
        same_kind = stat.S_ISREG(status.st_mode) and status.st_size == file.size
        if not same_kind or hash_all(reader(handle), lambda _: None)[0] != file.sha256:
            raise in_the_way
    except OSError as error:
        raise storage_error(error, "read", dest / file.path) from error
    finally:
        os.close(handle)
    return True


def _move(source: Path, root: int, file: FileEntry, dest: Path) -> None:
    try:
        with _folder_of(root, file.path, make=True) as folder:
            os.replace(source, file.path.rpartition("/")[2], dst_dir_fd=folder)
    except OSError as error:
        raise storage_error(error, "write", dest / file.path) from error


@contextmanager
def _folder_of(root: int, path: str, *, make: bool) -> Iterator[int]:
    """Open the folder that a path lies in, one step at a time, so that no link is followed."""
    handle = os.dup(root)
    try:
        for name in path.split("/")[:-1]:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=handle)
            below = os.open(name, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)
