"""Delivering events to post-hooks, in order and at least once, from each hook's cursor.

An event that cannot be delivered stops its own hook and no other: the cursor stays, so nothing is
lost or overtaken, and only a person passes over it (`hooks skip`). The cursor moves after each
delivery, so a kill between the two delivers one event twice. Hooks run in threads of their own.
"""

import random
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from regista.decide.vetoes import subject_of
from regista.errors import RegistaError
from regista.hooks.attempts import Attempt, attempt
from regista.hooks.cursors import Cursor, Cursors, Failing, Position
from regista.hooks.events import Event, concerns, events_of
from regista.hooks.hook import Hook
from regista.hooks.running import kill_running
from regista.hooks.schedule import backoff_s
from regista.model.times import format_time
from regista.read.replica import Replica

LOOKED_AT = 1_000
"""How many commits ahead a backlog is counted."""
NOTED_EVERY = 256
"""Commits without an event for a hook after which its cursor is moved all the same."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a runner goes on.

    Attributes:
        retry_s: seconds to go on with one event that fails.
        total_s: seconds after which no attempt begins; None for no end.
        lock_s: seconds to wait for another runner of the same hook.
        notes_end: whether the cursor is moved to the log's end though nothing was delivered.
    """

    retry_s: float
    total_s: float | None = None
    lock_s: float = 5.0
    notes_end: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """How a run went for one hook.

    Attributes:
        hook: its id.
        status: `done`, `failing`, `busy` (another runner is at work), or `unfinished` (its
            time was up).
        delivered: events that were delivered.
        backlog: events that wait, as far as `LOOKED_AT` commits ahead.
        seq: number of the commit to look at next.
        error: what was wrong; '' when nothing was.
    """

    hook: str
    status: str
    delivered: int
    backlog: int
    seq: int
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return asdict(self)


class Feed:
    """The events of commits, for several hooks at once."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        # the state's look-ups are not made for threads
        self._guard = threading.Lock()
        self._state = replica.refresh()

    def head(self) -> int:
        """Return the number of the last commit."""
        return self._replica.log.head(after=self._state.seq)

    def events(self, hook: Hook, position: Position) -> list[Event]:
        """Return the events of a commit that a hook is for, from a position on."""
        commit, digest = self._replica.log.read(position.seq)
        with self._guard:
            events = [
                event.about(subject_of(self._state, event.args, event.decision, event.entry_id))
                for event in events_of(commit, digest)
            ]
        return [
            event for event in events if event.index >= position.index and concerns(hook, event)
        ]

    def waiting(self, hook: Hook, position: Position, head: int) -> int:
        """Return how many events a hook has before it, as far as `LOOKED_AT` commits ahead."""
        last = min(head, position.seq + LOOKED_AT - 1)
        later = (Position(seq) for seq in range(position.seq + 1, last + 1))
        places = (position, *later) if position.seq <= head else ()
        return sum(len(self.events(hook, place)) for place in places)


@dataclass(slots=True)
class Runner:
    """Delivers to one hook.

    Attributes:
        hook: a post-hook.
        feed: where events come from.
        cursors: where it is.
        hidden: variables that a command may not see.
        patience: how long to go on.
        stop: set to end the run at the next opportunity.
    """

    hook: Hook
    feed: Feed
    cursors: Cursors
    hidden: Collection[str]
    patience: Patience
    stop: threading.Event
    _delivered: int = 0
    _tries: int = 0
    _noted: Position = field(default_factory=lambda: Position(0))
    _failing: Failing | None = None
    _began: float = field(default_factory=time.monotonic)

    def run(self) -> Report:
        """Deliver what there is, up to the log's head."""
        head = self.feed.head()
        self.cursors.install(head + 1)
        with self.cursors.alone(self.patience.lock_s) as alone:
            # whoever had the lock has moved it
            cursor = self.cursors.install(head + 1)
            if not alone:
                return self._report("busy", cursor, head, "another run is at work on it")
            lost = ahead_of_log(self.hook.id, cursor.position, head)
            if lost:
                return self._report("failing", cursor, head, lost)
            self._noted, self._failing = cursor.position, self.cursors.failing()
            return self._follow(cursor, head)

    def _follow(self, cursor: Cursor, head: int) -> Report:
        while cursor.position.seq <= head:
            seq = cursor.position.seq
            events = self.feed.events(self.hook, cursor.position)
            for place, event in enumerate(events, 1):
                if self._over():
                    return self._report("unfinished", cursor, head, "its time was up")
                made = self._until_delivered(event)
                if made.error:
                    self._note_failing(made)
                    return self._report("failing", cursor, head, made.error)
                after = Position(seq + 1) if place == len(events) else event_after(event)
                cursor = self._delivered_one(cursor, after)
            if not events:
                cursor = self._passed(replace(cursor, position=Position(seq + 1)), head)
            if cursor.position.seq > head:
                head = self.feed.head()
        return self._report("done", cursor, head)

    def _delivered_one(self, cursor: Cursor, after: Position) -> Cursor:
        cursor = self.cursors.advance(cursor, after, delivered=1)
        self._noted = after
        self._delivered += 1
        if self._failing:
            self.cursors.note_working()
            self._failing = None
        return cursor

    def _passed(self, cursor: Cursor, head: int) -> Cursor:
        """Note the cursor where nothing was to be delivered, but not for every single commit."""
        passed = cursor.position.seq - self._noted.seq
        at_end = self.patience.notes_end and cursor.position.seq > head
        if passed < NOTED_EVERY and not at_end:
            return cursor
        self._noted = cursor.position
        return self.cursors.advance(cursor, cursor.position)

    def _until_delivered(self, event: Event) -> Attempt:
        began = time.monotonic()
        self._tries = 0
        while True:
            made = attempt(self.hook, event, self.hidden, self._left_s())
            if not made.error:
                return made
            self._tries += 1
            wait_s = max(backoff_s(self._tries, random.random()), made.retry_after_s or 0)  # noqa: S311 - no secret
            spent_s = time.monotonic() - began
            if not made.retry or self._over() or spent_s + wait_s > self.patience.retry_s:
                return made
            self.stop.wait(wait_s)

    def _left_s(self) -> float:
        if self.patience.total_s is None:
            return self.hook.timeout_s
        return self.patience.total_s - (time.monotonic() - self._began)

    def _over(self) -> bool:
        return self.stop.is_set() or self._left_s() <= 0

    def _note_failing(self, made: Attempt) -> None:
        before, now = self._failing, datetime.now(UTC)
        failures = self._tries + (before.failures if before else 0)
        wait_s = max(backoff_s(failures, random.random()), made.retry_after_s or 0)  # noqa: S311
        self.cursors.note_failing(
            Failing(
                failures,
                made.error,
                before.since if before else format_time(now),
                format_time(now),
                format_time(now + timedelta(seconds=wait_s)),
            )
        )

    def _report(self, status: str, cursor: Cursor, head: int, error: str = "") -> Report:
        waiting = self.feed.waiting(self.hook, cursor.position, head) if error else 0
        seq = cursor.position.seq
        return Report(self.hook.id, status, self._delivered, waiting, seq, error)


def event_after(event: Event) -> Position:
    """Return the position behind an event, within its commit."""
    return Position(event.seq, event.index + 1)


def ahead_of_log(hook_id: str, position: Position, head: int) -> str:
    """Return what is wrong with a cursor that is beyond the log's end; '' when nothing is.

    A log that was restored from an older copy has other commits under the numbers to come.
    """
    if position.seq <= head + 1:
        return ""
    return (
        f"its cursor is at commit {position.seq}, and the log ends with {head}:"
        f" regista hooks run {hook_id} --from SEQ"
    )


def run_all(runners: Sequence[Runner]) -> list[Report]:
    """Run every hook in a thread of its own, so that none waits for another.

    A hook whose cursor or log cannot be read is reported as failing. An interrupt ends all.
    """
    reports: dict[str, Report | BaseException] = {}

    def work(runner: Runner) -> None:
        try:
            reports[runner.hook.id] = runner.run()
        except RegistaError as error:
            reports[runner.hook.id] = Report(runner.hook.id, "failing", 0, 0, 0, error.message)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            reports[runner.hook.id] = error

    threads = [threading.Thread(target=work, args=(runner,), daemon=True) for runner in runners]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException:
        for runner in runners:
            runner.stop.set()
        kill_running()
        raise
    found = [reports[runner.hook.id] for runner in runners]
    for report in found:
        if isinstance(report, BaseException):
            raise report
    return [report for report in found if isinstance(report, Report)]
