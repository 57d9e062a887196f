"""Where each hook is: its cursor into the log, kept in the registry's store, outside the log.

Keys below `hooks/id-<id>/`, E being a start's number:

    000001.json                          start 1: from which commit on
    000001-000000000042-000000.json      everything before operation 0 of commit 42 is done
    failing.json                         what went wrong last, for people and for backing off

A start is created by put-if-absent, so of two that install a hook at once one decides. A position
is a file of its own and the furthest counts, so a slow runner never sets a fast one back, and a
kill at any point leaves the position before: what was delivered since is delivered again, and
nothing is left out. `failing.json` is replaced as a whole, and nothing rests on it.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from regista.errors import IntegrityError, InvalidInputError
from regista.model import canonical
from regista.storage.store import Store

_START = re.compile(r"(\d{6})\.json")
_POSITION = re.compile(r"(\d{6})-(\d{12})-(\d{6})\.json")
_SKIPS_KEPT = 20
_ATTEMPTS = 5
_WAITED_LONG_ENOUGH = 0.8


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """The operation to look at next: commit and place in it."""

    seq: int
    index: int = 0


@dataclass(frozen=True, slots=True)
class Skip:
    """Events that a person chose not to have delivered."""

    start: Position
    end: Position
    actor: str
    time: str

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object; `to` is the last commit that was skipped in full."""
        return {
            "from": [self.start.seq, self.start.index],
            "to": [self.end.seq, self.end.index],
            "actor": self.actor,
            "time": self.time,
        }


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a hook is.

    Attributes:
        start: number of the start, which `--from` makes anew.
        position: what to look at next.
        delivered: how many events were delivered since the start.
        skipped: what was skipped since, the last twenty times.
        key: the file that says so.
        stale: files that count no more.
    """

    start: int
    position: Position
    delivered: int = 0
    skipped: tuple[dict[str, Any], ...] = ()
    key: str = ""
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failing:
    """What went wrong with a hook since it last worked.

    Attributes:
        failures: attempts in a row.
        error: what was wrong with the last.
        since: time of the first.
        last: time of the last.
        not_before: when it may be tried again by the way, after a write.
    """

    failures: int
    error: str
    since: str
    last: str
    not_before: str


@dataclass(slots=True)
class Cursors:
    """The cursor of one hook."""

    store: Store
    hook_id: str
    _prefix: str = field(init=False)

    def __post_init__(self) -> None:
        self._prefix = f"hooks/id-{self.hook_id}/"

    def read(self) -> Cursor | None:
        """Return where the hook is; None while it was never seen.

        Raises:
            IntegrityError: the start's file is damaged.
        """
        for _ in range(_ATTEMPTS):
            found = self._read()
            if found is None or found.key:
                return found
        raise IntegrityError(f"the cursor of hook {self.hook_id} changes faster than it is read")

    def install(self, seq: int) -> Cursor:
        """Start a hook that was never seen at a commit; of several who do, the first decides."""
        found = self.read()
        if found is None:
            self._start(1, seq)
            found = self.read()
        if found is None:
            raise IntegrityError(f"the cursor of hook {self.hook_id} cannot be read back")
        return found

    def restart(self, seq: int) -> Cursor:
        """Start again at a commit, whatever was done before."""
        before = self.read()
        self._start(before.start + 1 if before else 1, seq)
        return self.install(seq)

    def advance(self, cursor: Cursor, position: Position, *, delivered: int = 0) -> Cursor:
        """Note how far the hook is now, after so many events more."""
        return self._note(cursor, position, cursor.delivered + delivered, cursor.skipped)

    def skip(self, cursor: Cursor, skip: Skip) -> Cursor:
        """Pass over events, and note who did."""
        skipped = (*cursor.skipped, skip.to_json())[-_SKIPS_KEPT:]
        return self._note(cursor, skip.end, cursor.delivered, skipped)

    def failing(self) -> Failing | None:
        """Return what is wrong with the hook; None when nothing is, or nothing is known."""
        data = self.store.get(f"{self._prefix}failing.json")
        try:
            return Failing(**canonical.decode(data)) if data else None
        except (InvalidInputError, TypeError):
            return None

    def note_failing(self, failing: Failing) -> None:
        """Note what is wrong with the hook."""
        value = {name: getattr(failing, name) for name in Failing.__slots__}
        self.store.put(f"{self._prefix}failing.json", canonical.encode(value))

    def note_working(self) -> None:
        """Note that nothing is wrong any more."""
        self.store.delete(f"{self._prefix}failing.json")

    @contextmanager
    def alone(self, timeout_s: float) -> Iterator[bool]:
        """Keep other runners of this hook away, as far as the store has locks.

        Yields False where another is at work still; where there are no locks, events may be
        delivered twice, as they may after a kill.
        """
        started = time.monotonic()
        with self.store.lock(self._prefix.rstrip("/"), timeout_s=timeout_s) as held:
            waited = time.monotonic() - started
            yield held or waited < timeout_s * _WAITED_LONG_ENOUGH

    def _start(self, number: int, seq: int) -> None:
        data = canonical.encode({"hook": self.hook_id, "from": seq})
        self.store.put_if_absent(f"{self._prefix}{number:06d}.json", data)

    def _note(
        self, cursor: Cursor, position: Position, delivered: int, skipped: tuple[Any, ...]
    ) -> Cursor:
        name = f"{cursor.start:06d}-{position.seq:012d}-{position.index:06d}.json"
        key = self._prefix + name
        said = {"delivered": delivered, "skipped": list(skipped)}
        self.store.put_if_absent(key, canonical.encode(said))
        for old in (*cursor.stale, cursor.key):
            # the start itself stays: it is what a racing install finds
            if old != key and not _START.fullmatch(old.removeprefix(self._prefix)):
                self.store.delete(old)
        return Cursor(cursor.start, position, delivered, skipped, key)

    def _read(self) -> Cursor | None:
        """Return the cursor, with no key when a file went away meanwhile."""
        keys = list(self.store.list_after(self._prefix))
        names = [key.removeprefix(self._prefix) for key in keys]
        starts = [int(match[1]) for match in map(_START.fullmatch, names) if match]
        if not starts:
            return None
        start = max(starts)
        positions = [match for match in map(_POSITION.fullmatch, names) if match]
        current = [match for match in positions if int(match[1]) == start]
        if not current:
            key = f"{self._prefix}{start:06d}.json"
            stale = tuple(self._prefix + match[0] for match in positions)
            return Cursor(start, Position(self._from(key)), key=key, stale=stale)
        last = max(current, key=lambda match: match[0])
        key = self._prefix + last[0]
        stale = tuple(self._prefix + match[0] for match in positions if match is not last)
        position = Position(int(last[2]), int(last[3]))
        data = self.store.get(key)
        if data is None:
            return Cursor(start, position)
        delivered, skipped = _told(data)
        return Cursor(start, position, delivered, skipped, key, stale)

    def _from(self, key: str) -> int:
        data = self.store.get(key) or b""
        try:
            seq = canonical.decode(data)["from"]
        except (InvalidInputError, TypeError, KeyError):
            seq = None
        if not isinstance(seq, int):
            raise IntegrityError(
                f"{key} is damaged, so where hook {self.hook_id} began is not known",
                hint=f"remove it, then: regista hooks run {self.hook_id} --from SEQ",
            )
        return seq


def _told(data: bytes) -> tuple[int, tuple[Any, ...]]:
    """Return the counts of a position; the position itself stands in its name."""
    try:
        value = canonical.decode(data)
        return int(value["delivered"]), tuple(value["skipped"])
    except (InvalidInputError, TypeError, KeyError, ValueError):
        return 0, ()
