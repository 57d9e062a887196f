"""The hooks of one registry: ask before a write, deliver after it, show, test and skip."""

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from regista.decide.prehooks import Said, Subject
from regista.errors import InvalidInputError, NotFoundError, RegistaError
from regista.hooks.asking import Asking, ask_hook, hidden_variables
from regista.hooks.attempts import Attempt, attempt
from regista.hooks.cursors import Cursors, Failing, Position, Skip
from regista.hooks.delivering import Feed, Patience, Report, Runner, ahead_of_log, run_all
from regista.hooks.events import APPLIED, REQUESTED, Event
from regista.hooks.hook import Hook, When
from regista.hooks.payload import body_of
from regista.hooks.running import INSIDE
from regista.hooks.urls import target_of
from regista.model.names import shown
from regista.model.times import format_time
from regista.read.replica import Replica

AFTER_WRITE = Patience(retry_s=0.0, total_s=5.0, lock_s=1.0, notes_end=False)
"""A write does not wait long for those who want to hear of it, and tries once."""
RETRY_S = 30.0
LONGEST_RETRY_S = 3_600.0


@dataclass(frozen=True, slots=True)
class HookState:
    """What `hooks list` tells of one hook.

    Attributes:
        id: what it is called.
        when: pre or post.
        on: what it is for.
        target: its program, or the origin of its URL.
        seq: commit to look at next; None for pre-hooks, and while it was never seen.
        backlog: events that wait, as far as a thousand commits ahead.
        delivered: events delivered since it was started.
        skipped: what people passed over: from and to (commit and operation), actor, time.
        failing: what is wrong: failures in a row, error, since, last, not_before; or None.
    """

    id: str
    when: str
    on: tuple[str, ...]
    target: str
    seq: int | None = None
    backlog: int = 0
    delivered: int = 0
    skipped: tuple[dict[str, Any], ...] = ()
    failing: Failing | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the state as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Tested:
    """What `hooks test` sent, and what came back.

    Attributes:
        hook: its id.
        type: the event's type.
        target: its program, or the origin of its URL.
        message_id: the event's id, as `webhook-id` says it.
        body: what was sent.
        status: HTTP status or exit code; None where there was none.
        seconds: how long it took.
        output: the beginning of what came back.
        error: what was wrong; '' when nothing was.
        said: what a pre-hook answered: allowed, vetoed or failed; '' for a post-hook.
    """

    hook: str
    type: str
    target: str
    message_id: str
    body: str
    status: int | None
    seconds: float
    output: str
    error: str
    said: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return asdict(self)


class Lifecycle:
    """The hooks of one registry.

    Args:
        hooks: those that are configured.
        replica: the registry.
    """

    def __init__(self, hooks: Sequence[Hook], replica: Replica) -> None:
        self.hooks, self._replica = hooks, replica
        self._hidden = hidden_variables(hooks)

    def asking(self, warnings: list[str]) -> Asking | None:
        """Return what asks the pre-hooks of one transaction; None where there are none."""
        hooks = [hook for hook in self.hooks if hook.when is When.PRE]
        return Asking(hooks, self._replica.registry_id, self._hidden, warnings) if hooks else None

    def install(self) -> None:
        """Start the hooks that were never seen behind the log's head, before anything is added."""
        head = 0
        for hook in self._post():
            cursors = self._cursors(hook)
            if cursors.read() is None:
                head = head or self._replica.refresh().seq
                cursors.install(head + 1)

    def deliver_now(self, warnings: list[str]) -> None:
        """Try what waits once, briefly; what fails is a warning, and waits for `hooks run`."""
        if os.environ.get(INSIDE):
            # the run that this command belongs to goes on to what it wrote
            return
        try:
            due = [hook for hook in self._post() if self._due(hook, warnings)]
            reports = self._run(due, AFTER_WRITE)
        except RegistaError as error:
            warnings.append(f"no hook was run: {error.message}; regista hooks run tries again")
            return
        warnings += [
            f"hook {report.hook}: {report.error}; {report.backlog} waiting: regista hooks run"
            for report in reports
            if report.error
        ]

    def run(
        self, ids: Sequence[str] = (), *, start: int | None = None, retry_s: float = RETRY_S
    ) -> list[Report]:
        """Deliver everything since the cursors.

        Args:
            ids: which hooks; all post-hooks when empty.
            start: begin again at this commit, whatever was delivered; for one hook alone.
            retry_s: how long to go on with an event that fails.

        Raises:
            NotFoundError: there is no such post-hook, or no such commit.
            InvalidInputError: `start` is given for none or several, or `retry_s` is out of range.
        """
        if not 0 <= retry_s <= LONGEST_RETRY_S:
            raise InvalidInputError(f"{retry_s:g} is not from 0 to {LONGEST_RETRY_S:g} seconds")
        hooks = [self._post_hook(name) for name in dict.fromkeys(ids)] or self._post()
        if start is not None:
            if len(ids) != 1:
                raise InvalidInputError(
                    "a commit to start from is for one hook", hint="regista hooks run ID --from SEQ"
                )
            self._known_seq(start)
            self._cursors(hooks[0]).restart(start)
        return self._run(hooks, Patience(retry_s))

    def states(self) -> list[HookState]:
        """Return what each hook is for, and where it is; starts none and moves nothing."""
        feed = Feed(self._replica)
        return [self._state(hook, feed) for hook in self.hooks]

    def skip(self, hook_id: str, *, to: int | None, actor: str) -> HookState:
        """Pass over what waits for a hook, for good.

        Args:
            hook_id: a post-hook.
            to: the last commit to pass over; by default the one that it waits at.
            actor: who.

        Raises:
            NotFoundError: there is no such post-hook, or no such commit.
            InvalidInputError: nothing waits there.
        """
        hook, feed = self._post_hook(hook_id), Feed(self._replica)
        cursors = self._cursors(hook)
        cursor = cursors.install(feed.head() + 1)
        start = self._next_waiting(hook, feed, cursor.position)
        last = start.seq if to is None else self._known_seq(to)
        if last < start.seq or start.seq > feed.head():
            raise InvalidInputError(
                f"nothing waits for hook {hook_id} up to commit {last}", hint="regista hooks list"
            )
        now = format_time(datetime.now(UTC))
        cursors.skip(cursor, Skip(cursor.position, Position(last + 1), actor, now))
        cursors.note_working()
        return self._state(hook, feed)

    def test(self, hook_id: str, *, seq: int | None = None) -> Tested:
        """Send a hook a sample, or an event of a past commit; no cursor moves.

        Raises:
            NotFoundError: there is no such hook or commit.
            InvalidInputError: the commit has no event for it.
        """
        hook = self._hook(hook_id)
        event = self._sample(hook) if seq is None else self._past(hook, self._known_seq(seq))
        made, said = Attempt(), ""
        if hook.when is When.PRE:
            began = time.monotonic()
            heard, reason = ask_hook(hook, event, self._hidden)
            said = str(heard)
            error = reason if heard is Said.FAILED else ""
            made = Attempt(error, output=reason, seconds=round(time.monotonic() - began, 3))
        else:
            made = attempt(hook, event, self._hidden, hook.timeout_s)
        body = body_of(event, emails=hook.emails).decode()
        return Tested(
            hook.id,
            event.type,
            _target(hook),
            event.message_id,
            body,
            made.status,
            made.seconds,
            made.output,
            made.error,
            said,
        )

    def _post(self) -> list[Hook]:
        return [hook for hook in self.hooks if hook.when is When.POST]

    def _hook(self, hook_id: str) -> Hook:
        for hook in self.hooks:
            if hook.id == hook_id:
                return hook
        known = ", ".join(hook.id for hook in self.hooks) or "none"
        raise NotFoundError(f"there is no hook {shown(hook_id)}", hint=f"there are: {known}")

    def _post_hook(self, hook_id: str) -> Hook:
        hook = self._hook(hook_id)
        if hook.when is not When.POST:
            raise NotFoundError(
                f"{hook_id} is a pre-hook, which has no cursor", hint="regista hooks list"
            )
        return hook

    def _known_seq(self, seq: int) -> int:
        head = self._replica.refresh().seq
        if not 1 <= seq <= head:
            raise NotFoundError(f"there is no commit {seq}; the last is {head}", hint="regista log")
        return seq

    def _cursors(self, hook: Hook) -> Cursors:
        return Cursors(self._replica.store, hook.id)

    def _due(self, hook: Hook, warnings: list[str]) -> bool:
        """Say whether a hook may be tried by the way, or failed too short a time ago."""
        failing = self._cursors(hook).failing()
        if failing is None or failing.not_before <= format_time(datetime.now(UTC)):
            return True
        warnings.append(
            f"hook {hook.id} fails since {failing.since} ({failing.error}), and is not tried"
            f" before {failing.not_before}: regista hooks run"
        )
        return False

    def _run(self, hooks: Sequence[Hook], patience: Patience) -> list[Report]:
        if not hooks:
            return []
        feed, stop = Feed(self._replica), threading.Event()
        return run_all(
            [
                Runner(hook, feed, self._cursors(hook), self._hidden, patience, stop)
                for hook in hooks
            ]
        )

    def _state(self, hook: Hook, feed: Feed) -> HookState:
        state = HookState(hook.id, str(hook.when), hook.on, _target(hook))
        cursors = self._cursors(hook)
        cursor = cursors.read() if hook.when is When.POST else None
        if cursor is None:
            return state
        head, failing = feed.head(), cursors.failing()
        lost = ahead_of_log(hook.id, cursor.position, head)
        if lost:
            now = format_time(datetime.now(UTC))
            failing = Failing(1, lost, now, now, now)
        return replace(
            state,
            seq=cursor.position.seq,
            backlog=feed.waiting(hook, cursor.position, head),
            delivered=cursor.delivered,
            skipped=cursor.skipped,
            failing=failing,
        )

    def _next_waiting(self, hook: Hook, feed: Feed, position: Position) -> Position:
        head = feed.head()
        while position.seq <= head and not feed.events(hook, position):
            position = Position(position.seq + 1)
        return position

    def _past(self, hook: Hook, seq: int) -> Event:
        events = Feed(self._replica).events(hook, Position(seq))
        if not events:
            raise InvalidInputError(
                f"commit {seq} has no event that hook {hook.id} is for", hint="regista log"
            )
        if hook.when is When.PRE:
            return replace(events[0], outcome=REQUESTED, question=_test_id())
        return events[0]

    def _sample(self, hook: Hook) -> Event:
        pre = hook.when is When.PRE
        decision = {
            "name": "sample/model",
            "version": 2,
            "stage": "prod",
            "from_version": 1,
            "outcome": "passed",
            "gates": [{"id": "sample-gate", "kind": "threshold", "status": "passed"}],
        }
        return Event(
            "promote",
            REQUESTED if pre else APPLIED,
            {"ref": "sample/model@2", "stage": "prod", "reason": "a test of the hook"},
            decision,
            "regista hooks test",
            format_time(datetime.now(UTC)),
            self._replica.registry_id,
            0,
            "0" * 64,
            subject=Subject("model", "0" * 64),
            question=_test_id(),
        )


def _test_id() -> str:
    return f"test{os.urandom(8).hex()}"


def _target(hook: Hook) -> str:
    """Return what may be shown of where a hook goes: no path, as it may hold a token."""
    if hook.command:
        return hook.command[0]
    try:
        return target_of(hook, os.environ).origin
    except InvalidInputError:
        return f"${hook.url_env}"
