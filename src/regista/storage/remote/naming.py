"""Under which names files of a store are kept in the cache: by content, or by place and version."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from regista.storage.remote.versions import Version

# keys that end in the SHA-256 of what they hold
_BY_CONTENT = re.compile(r"(?:blobs/sha256/[0-9a-f]{2}|data/[a-z_]+)/([0-9a-f]{64})(\.parquet)?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is to be had.

    Attributes:
        key: where it is in the store.
        sha256: what its key says that it holds; '' where that does not tell.
        name: what it is called in the cache.
    """

    key: str
    sha256: str
    name: str


def by_content(key: str) -> Wanted | None:
    """Return the name of a file whose key says what it holds; None where it does not."""
    named = _BY_CONTENT.fullmatch(key)
    if named is None:
        return None
    return Wanted(key, named[1], f"sha256/{named[1][:2]}/{named[1]}{named[2] or ''}")


def by_version(uri: str, key: str, version: Version) -> Wanted:
    """Return the name of one version of a file in the store of that URI."""
    what = f"{uri}\n{key}\n{version.size}\n{version.mark}"
    digest = hashlib.sha256(what.encode()).hexdigest()
    return Wanted(key, "", f"files/{digest[:2]}/{digest}{Path(key).suffix}")
