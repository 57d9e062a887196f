"""Files of a user's on their way in: which of them make the artifact, and storing them.

Invariants: nothing is stored unless every path given can be used; symbolic links among the files
are refused, never followed; a file's digest is of the bytes stored. Which version the files
belong to is decided above; the way out is `regista.storage.fetching`.
"""

import os
import stat
import unicodedata
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from regista.errors import InvalidInputError
from regista.model.manifest import FileEntry, Manifest, check_path, check_tree
from regista.storage.blobs import BLOB_PREFIX, blob_key, put_blob_bytes
from regista.storage.copying import Advance, hash_all
from regista.storage.oserrors import one_line
from regista.storage.parallel import Meter, Progress, run_all
from regista.storage.sources import Source
from regista.storage.store import Store


def collect(paths: Sequence[Path], *, registry: Path | None = None) -> list[tuple[str, Path]]:
    """Return the artifact's files, as path in the artifact and file to read, sorted by path.

    One folder given alone contributes its contents; files, and several paths, keep their base
    names. Folders without files contribute nothing. A path given may be a symbolic link, which
    is resolved; those found in folders may not.

    Args:
        paths: files and folders.
        registry: the registry's own folder, which must not be among them.

    Raises:
        InvalidInputError: a path that does not exist or cannot be read; a symbolic link, socket,
            pipe or device; a name that is not valid UTF-8 or has a backslash or a control
            character; two files that would have one path.
    """
    found: list[tuple[str, Path]] = []
    for given in paths:
        path = _resolved(given)
        if not path.is_dir():
            found.append((_stored_path(given.name, path), _checked_file(path)))
            continue
        prefix = "" if len(paths) == 1 else _base_name(given, path) + "/"
        for relative, file in _walk(path, registry):
            found.append((_stored_path(prefix + relative, file), _checked_file(file)))
    check_tree([stored for stored, _ in found])
    return sorted(found)


def store_files(
    store: Store,
    files: Sequence[tuple[str, Path]],
    progress: Progress | None = None,
    *,
    uri: str = "",
    likely_sizes: Container[int] = (),
) -> Manifest:
    """Store files and their manifest as blobs, durably; return the manifest.

    Args:
        store: where they go.
        files: path in the artifact and file to read, as from `collect`.
        progress: told of the bytes as they are done.
        uri: where the artifact's remaining parts lie, for the manifest.
        likely_sizes: sizes of files that are probably stored already, such as those of the
            version before: they are hashed first, and copied only if they are not.

    Raises:
        InvalidInputError: a file cannot be read, or changed meanwhile. Blobs stored by then stay,
            and belong to nothing.
        StorageError: the store is full, denies access or is unreachable.
    """
    sized = [(_size(file), path, file) for path, file in files]
    meter = Meter(progress, sum(size for size, _, _ in sized))

    def store_one(item: tuple[int, str, Path]) -> FileEntry:
        size, path, file = item
        advance: Advance = meter.advance
        if size in likely_sizes:
            sha256, read = _hash(file, meter)
            if store.size(blob_key(sha256)) == read:
                store.settle(blob_key(sha256))
                return FileEntry(path, read, sha256)
            # the bytes are counted already
            advance = meter.heed
        sha256, stored = store.put_by_digest(file, BLOB_PREFIX, advance)
        return FileEntry(path, stored, sha256)

    # the largest first, so that no thread is left with it at the end
    sized.sort(key=lambda item: -item[0])
    manifest = Manifest(tuple(run_all(store_one, sized, meter)), uri)
    put_blob_bytes(store, manifest.to_bytes())
    return manifest


def _resolved(given: Path) -> Path:
    try:
        given.lstat()
        return given.resolve(strict=True) if given.is_symlink() else given
    except FileNotFoundError as error:
        raise InvalidInputError(f"no such file: {one_line(given)}") from error
    except (OSError, RuntimeError) as error:
        # RuntimeError is how Python before 3.13 reports a loop of links
        reason = error.strerror if isinstance(error, OSError) else "its links form a loop"
        raise InvalidInputError(f"cannot read {one_line(given)}: {reason}") from error
    except ValueError as error:
        raise InvalidInputError(f"{one_line(given)} cannot be a path: {error}") from error


def _base_name(given: Path, path: Path) -> str:
    # `.` and `..` have no name of their own
    name = path.resolve().name if given.name in {"", ".."} else given.name
    if not name:
        raise InvalidInputError(
            f"{one_line(given)} has no name to keep", hint="give the folder alone, or its contents"
        )
    return name


def _walk(root: Path, registry: Path | None) -> Iterator[tuple[str, Path]]:
    """Yield every file below a folder with its path from there; links and registry refused."""
    forbidden = _identity(registry) if registry is not None else None
    pending = [("", root)]
    while pending:
        prefix, folder = pending.pop()
        if forbidden is not None and _identity(folder) == forbidden:
            raise InvalidInputError(
                f"the registry itself, {one_line(folder)}, lies among the artifact's files",
                hint="name the files or folders to register",
            )
        try:
            with os.scandir(folder) as entries:
                listed = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except OSError as error:
            raise _unreadable(folder, error) from error
        for name, is_folder in listed:
            if is_folder:
                pending.append((f"{prefix}{name}/", folder / name))
            else:
                yield prefix + name, folder / name


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _stored_path(path: str, file: Path) -> str:
    stored = unicodedata.normalize("NFC", path)
    try:
        check_path(stored)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"cannot store {one_line(file)}: {error.message}", hint=error.hint
        ) from error
    return stored


def _checked_file(path: Path) -> Path:
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from error
    if stat.S_ISLNK(mode):
        raise InvalidInputError(
            f"{one_line(path)} is a symbolic link",
            hint="replace it by what it points to; links are not followed",
        )
    if not stat.S_ISREG(mode):
        raise InvalidInputError(f"{one_line(path)} is not a regular file")
    if not os.access(path, os.R_OK):
        raise InvalidInputError(f"cannot read {one_line(path)}: permission denied")
    return path


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> InvalidInputError:
    return InvalidInputError(f"cannot read {one_line(path)}: {error.strerror}")


def _hash(path: Path, meter: Meter) -> tuple[str, int]:
    with Source(path) as opened:
        sha256, size = hash_all(opened.read, meter.advance)
        opened.refuse_if_changed(size)
    return sha256, size
