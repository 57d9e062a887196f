"""The manifest of a published site: what it was built from, and each of its files.

Format: two lines of canonical JSON in `.regista-site.json`, without times, so that two builds of
the same inputs have the same bytes. The first line is all that a build reads when nothing has
changed: `site`, `format`, `inputs`, `listing` (SHA-256 of the sorted paths), and `groups`
(SHA-256 of the second line). The second line has each group's fingerprint and its files, as
`SIZE SHA256` by path. With 50,000 files it has 10 MB and takes 0.2 s to parse.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError
from regista.model import canonical
from regista.storage.oserrors import one_line, storage_error

MANIFEST = ".regista-site.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Group:
    """Files that are rendered together.

    Attributes:
        fingerprint: names all that the files were made of; empty where that is unknown.
        files: `SIZE SHA256` of each file by path.
    """

    fingerprint: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole site: the inputs of the build, and the groups by name."""

    inputs: Mapping[str, str]
    groups: Mapping[str, Group]


@dataclass(frozen=True, slots=True)
class Header:
    """The first line.

    Attributes:
        inputs: what the site was built from.
        listing: see `listing_digest`.
        groups: SHA-256 of the second line; empty where that is in another format.
    """

    inputs: Mapping[str, str]
    listing: str
    groups: str


def file_record(size: int, sha256: str) -> str:
    """Return a file's entry in its group."""
    return f"{size} {sha256}"


def recorded_size(record: str) -> int:
    """Return the size in bytes from a file's entry; -1 where it has none."""
    size = record.partition(" ")[0]
    return int(size) if size.isdecimal() else -1


def listing_digest(paths: Iterable[str]) -> str:
    """Return one digest of the names of all files, whatever their order."""
    text = "\0".join(sorted(paths))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return the file's content."""
    groups = canonical.encode(
        {
            name: {"fingerprint": group.fingerprint, "files": dict(group.files)}
            for name, group in manifest.groups.items()
        }
    )
    header = {
        "format": _FORMAT,
        "groups": canonical.sha256_hex(groups),
        "inputs": dict(manifest.inputs),
        "listing": listing_digest(path for g in manifest.groups.values() for path in g.files),
        "site": "regista",
    }
    return b"%s\n%s\n" % (canonical.encode(header), groups)


def read_header(out: Path) -> Header | None:
    """Return the first line of the manifest in a folder; None where there is no manifest.

    Raises:
        InvalidInputError: it is no manifest of ours.
        StorageError: it cannot be read.
    """
    try:
        handle = os.open(out / MANIFEST, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as stream:
            line = stream.readline()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise storage_error(error, "read", out / MANIFEST) from error
    try:
        fields = canonical.decode(line)
        if fields["site"] != "regista":
            raise _damaged(out)
        if fields["format"] != _FORMAT:
            return Header({}, "", "")
        return Header(dict(fields["inputs"]), fields["listing"], fields["groups"])
    except (InvalidInputError, KeyError, TypeError, ValueError) as error:
        raise _damaged(out) from error


def read_groups(out: Path, header: Header) -> dict[str, Group] | None:
    """Return the second line; None where it is not the one that the first line names.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        line = (out / MANIFEST).read_bytes().partition(b"\n")[2].removesuffix(b"\n")
    except OSError as error:
        raise storage_error(error, "read", out / MANIFEST) from error
    if canonical.sha256_hex(line) != header.groups:
        return None
    found: dict[str, Any] = canonical.decode(line)
    return {name: Group(group["fingerprint"], group["files"]) for name, group in found.items()}


def _damaged(out: Path) -> InvalidInputError:
    return InvalidInputError(
        f"{one_line(out / MANIFEST)} is not the manifest of a site",
        hint=f"if the folder holds nothing of yours, remove it: rm -r {one_line(out)}",
    )
