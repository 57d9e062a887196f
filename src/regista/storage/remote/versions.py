"""Which version of a file a store holds, and what listings have told of it just now."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from obstore import ObjectMeta

# as long as a command may take between listing files and asking for them
_RECENT_S = 10.0
# a log of a million files is listed too, and nobody asks for their versions
_NOTED = ".parquet"


@dataclass(frozen=True, slots=True)
class Version:
    """A file as it was when it was looked at.

    Attributes:
        size: in bytes.
        mark: the store's own mark of this version; another one for other content.
    """

    size: int
    mark: str

    @classmethod
    def of(cls, found: "ObjectMeta") -> Self:
        """Read what the client says of a file."""
        return cls(found["size"], _bare(found["e_tag"]) or found["last_modified"].isoformat())


class RecentVersions:
    """What listings said within the last seconds, so that nobody need ask for each file again."""

    def __init__(self) -> None:
        self._noted: dict[str, tuple[float, Version]] = {}
        self._last: tuple[str, Version] | None = None

    def note(self, key: str, found: "ObjectMeta") -> None:
        """Take in one line of a listing."""
        version = Version.of(found)
        self._last = key, version
        if key.endswith(_NOTED):
            self._noted[key] = time.monotonic(), version

    def created(self, key: str, size: int, mark: str | None) -> None:
        """Hear that a file was written, with the mark that the store gave it."""
        self._last = (key, Version(size, _bare(mark))) if mark else None

    def last(self, key: str) -> Version | None:
        """Return the version of the file heard of last, if it is this one."""
        return self._last[1] if self._last and self._last[0] == key else None

    def recent(self, key: str) -> Version | None:
        """Return the version of a file, where a listing has just told it."""
        when, version = self._noted.get(key, (0.0, None))
        return version if time.monotonic() - when < _RECENT_S else None

    def forget(self, key: str) -> None:
        """Hear that a file is about to change."""
        self._noted.pop(key, None)


def _bare(mark: str | None) -> str:
    # Azure quotes it in answers and not in listings
    return (mark or "").strip('"')
