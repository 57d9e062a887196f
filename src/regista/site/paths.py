"""Where each page lies, and how pages name each other.

A legal entry name becomes one path component through an injective encoding that is safe on every
platform and in every URL without escapes: lower-case letters, digits, `_`, `-` and inner dots
stay; `/` is `~-`, a space `~_`, an upper-case letter its lower-case one after `~`, and any other
character `~0<hex>~`. So names that differ only by case lie apart on disks that ignore case, and
after each whole character comes no `~~`, which marks a name that was too long. A name that would
be a reserved file name, or too long for one, is altered as `encode` says.
"""

import re
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate, takewhile

MAX_LENGTH = 120
_HEAD = 60
_DIGEST = 32
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-.")
_NAMED = {"/": "~-", " ": "~_", **{chr(code): f"~{chr(code + 32)}" for code in range(65, 91)}}
# https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")
VERSIONS_A_PAGE = 100
COMMITS_A_PAGE = 200


def _escaped(char: str) -> str:
    return f"~0{ord(char):x}~"


@lru_cache(maxsize=50_000)
def encode(name: str) -> str:
    """Return the path component of a name; different names give different ones.

    A name whose encoding has more than 120 characters keeps the whole characters of its own in
    the first 60 of them, and `~~` with 32 hex digits of its sha256 stands for the rest.
    """
    parts = [char if char in _PLAIN else _NAMED.get(char) or _escaped(char) for char in name]
    if parts[0] == "." or _RESERVED.fullmatch("".join(parts)):
        parts[0] = _escaped(name[0])
    if parts[-1] == ".":
        parts[-1] = _escaped(".")
    text = "".join(parts)
    if len(text) > MAX_LENGTH:
        # cut within an escape, it could read on as another name
        whole = takewhile(lambda length: length <= _HEAD, accumulate(map(len, parts)))
        text = f"{text[: max(whole, default=0)]}~~{sha256(name.encode()).hexdigest()[:_DIGEST]}"
    return text


def entry_folder(name: str) -> str:
    """Return the folder of an entry's pages."""
    return f"entries/{encode(name)}"


def entry_page(name: str) -> str:
    """Return the path of an entry's page."""
    return f"{entry_folder(name)}/index.html"


def version_page(name: str, version: int) -> str:
    """Return the path of a version's page."""
    return f"{entry_folder(name)}/v/{version}.html"


def versions_page(name: str, page: int) -> str:
    """Return the path of one page of an entry's list of versions, counted from the oldest."""
    return f"{entry_folder(name)}/versions/{page}.html"


def compare_page(name: str) -> str:
    """Return the path of the page that compares versions of an entry."""
    return f"{entry_folder(name)}/compare.html"


def audit_page(seq: int) -> str:
    """Return the page of the audit log that a commit stands on; it never moves."""
    return f"audit/{(seq - 1) // COMMITS_A_PAGE + 1}.html"


def commit_link(seq: int) -> str:
    """Return the place of a commit in the audit log."""
    return f"{audit_page(seq)}#c{seq}"


def badge(name: str, stage: str) -> str:
    """Return the path of the badge of a stage."""
    return f"badges/{encode(name)}/{encode(stage)}.svg"


def feed(name: str) -> str:
    """Return the path of an entry's feed."""
    return f"{entry_folder(name)}/feed.xml"


def root_of(path: str) -> str:
    """Return the relative prefix from a page to the site's root: `''` or `'../../'`."""
    return "../" * path.count("/")
