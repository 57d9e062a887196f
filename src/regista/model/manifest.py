"""The manifest of a version's artifact: which files, how large, with which digests.

A manifest is stored as a blob in canonical JSON, and its SHA-256 is the version's digest, so one
set of files has one digest. Invariants of a `Manifest`: files are sorted by path, no path is
named twice, none lies below another file, and every path is relative, in NFC, and cannot lead out
of the folder that it is laid under. Reading and writing the files is `regista.storage.artifacts`.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from regista.errors import IntegrityError, InvalidInputError, NewerFormatError
from regista.model import canonical
from regista.model.names import shown

FORMAT = 1
MAX_PATH_BYTES = 4096

_SHA256 = re.compile(r"[0-9a-f]{64}")
# control characters, line and paragraph separators, and surrogates, which UTF-8 cannot carry
_UNSAFE_CATEGORIES = frozenset({"Cc", "Zl", "Zp", "Cs"})


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of an artifact.

    Attributes:
        path: where it lies in the artifact's folder; relative, NFC, separated by `/`.
        size: bytes.
        sha256: digest of the content, 64 lowercase hexadecimal digits.
    """

    path: str
    size: int
    sha256: str

    def __post_init__(self) -> None:
        check_path(self.path)
        if not _SHA256.fullmatch(self.sha256):
            raise InvalidInputError(f"file {shown(self.path)} has a digest that is not a SHA-256")
        if not 0 <= self.size <= canonical.MAX_INT:
            raise InvalidInputError(f"file {shown(self.path)} has an impossible size, {self.size}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of one version.

    Attributes:
        files: the files, sorted by path whatever order they are given in.
        uri: where an artifact lies that is not stored here; '' when it is.
    """

    files: tuple[FileEntry, ...]
    uri: str = ""

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.files, key=lambda entry: entry.path))
        object.__setattr__(self, "files", ordered)
        check_tree([entry.path for entry in ordered])
        if any(unicodedata.category(char) in _UNSAFE_CATEGORIES for char in self.uri):
            raise InvalidInputError(f"URI {shown(self.uri)} has a control character")

    @property
    def size(self) -> int:
        """Bytes of all files together, equal ones counted each time."""
        return sum(entry.size for entry in self.files)

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical bytes: the version's digest."""
        return canonical.sha256_hex(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, which `parse` reads back to an equal manifest."""
        value: dict[str, Any] = {
            "files": [
                {"path": entry.path, "sha256": entry.sha256, "size": entry.size}
                for entry in self.files
            ],
            "format": FORMAT,
        }
        if self.uri:
            value["uri"] = self.uri
        return canonical.encode(value)


def parse(data: bytes) -> Manifest:
    """Read a manifest; exactly the bytes that `to_bytes` gives are accepted.

    Raises:
        IntegrityError: not a manifest, not in canonical form, or with a path that is not safe.
        NewerFormatError: written by a newer Regista.
    """
    try:
        value = canonical.decode(data)
        manifest = _from_json(value)
        if manifest.to_bytes() != data:
            raise IntegrityError("the manifest is not in canonical form")
    except InvalidInputError as error:
        if isinstance(error, NewerFormatError):
            raise
        raise IntegrityError(f"the manifest is unusable: {error.message}") from error
    return manifest


def check_path(path: str) -> None:
    """Refuse a path that could lead out of its folder, or that not every system can hold.

    Raises:
        InvalidInputError: empty, absolute, not NFC, too long, with an empty, `.` or `..` segment,
            a backslash, a control character, or text that is not valid Unicode.
    """
    for char in "" if path.isascii() and path.isprintable() else path:
        if unicodedata.category(char) in _UNSAFE_CATEGORIES:
            raise InvalidInputError(
                f"path {shown(path)} has the character U+{ord(char):04X}", hint="rename the file"
            )
    if "\\" in path:
        raise InvalidInputError(f"path {shown(path)} has a backslash", hint="rename the file")
    if any(segment in {"", ".", ".."} for segment in path.split("/")):
        raise InvalidInputError(
            f"path {shown(path)} is absolute, or has an empty, '.' or '..' part"
        )
    if not unicodedata.is_normalized("NFC", path):
        raise InvalidInputError(f"path {shown(path)} is not in Unicode's NFC form")
    if len(path.encode()) > MAX_PATH_BYTES:
        raise InvalidInputError(f"path {shown(path, 40)} is longer than {MAX_PATH_BYTES} bytes")


def check_tree(paths: Sequence[str]) -> None:
    """Refuse paths that cannot all be files of one tree.

    Raises:
        InvalidInputError: one path twice, or a file that is also another's folder.
    """
    distinct = set(paths)
    if len(distinct) != len(paths):
        twice = next(one for one, other in pairwise(sorted(paths)) if one == other)
        raise InvalidInputError(f"two files would have the path {shown(twice)}")
    for path in paths:
        folder = path
        while "/" in folder:
            folder = folder.rpartition("/")[0]
            if folder in distinct:
                raise InvalidInputError(
                    f"{shown(folder)} would be a file, and the folder of {shown(path)}"
                )


def _from_json(value: Any) -> Manifest:  # noqa: ANN401 - it is what is being checked
    if not isinstance(value, dict) or type(value.get("format")) is not int:
        raise IntegrityError("the manifest has no format number")
    if value["format"] > FORMAT:
        raise NewerFormatError(
            f"the manifest has format {value['format']}; this Regista knows up to {FORMAT}",
            hint="pip install --upgrade regista",
        )
    uri = value.get("uri", "")
    if not isinstance(value.get("files"), list) or not isinstance(uri, str):
        raise IntegrityError("the manifest has no list of files")
    return Manifest(tuple(_entry(item) for item in value["files"]), uri)


def _entry(item: Any) -> FileEntry:  # noqa: ANN401 - it is what is being checked
    match item:
        case {"path": str(path), "sha256": str(sha256), "size": int(size)} if type(size) is int:
            return FileEntry(path, size, sha256)
        case _:
            raise IntegrityError("a file of the manifest lacks a path, a size or a digest")
