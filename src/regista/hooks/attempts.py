"""One attempt to tell a post-hook of an event."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from regista.errors import InvalidInputError, RegistaError
from regista.hooks.events import Event
from regista.hooks.hook import Hook
from regista.hooks.payload import body_of, one_line
from regista.hooks.running import INSIDE, run_command, runs_inside
from regista.hooks.schedule import asked_s

GONE = 410
SHORTEST_S = 0.5
OUTPUT_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt went.

    Attributes:
        error: what was wrong; '' when the event was delivered.
        retry: whether another attempt may go better, without anybody changing anything.
        retry_after_s: seconds that the receiver asks to wait, if it does.
        status: HTTP status or exit code; None where there was none.
        output: the beginning of what came back.
        seconds: how long it took.
    """

    error: str = ""
    retry: bool = True
    retry_after_s: float | None = None
    status: int | None = None
    output: str = ""
    seconds: float = 0.0


def attempt(hook: Hook, event: Event, hidden: Collection[str], timeout_s: float) -> Attempt:
    """Tell a hook of an event, once.

    Args:
        hook: a command or a webhook.
        event: what happened.
        hidden: variables that a command may not see.
        timeout_s: how long a webhook may take; a command has the hook's own time, as half done
            work would be done again.
    """
    started = time.monotonic()
    body = body_of(event, emails=hook.emails)
    try:
        if hook.command:
            made = _command(hook, body, hidden)
        else:
            made = _webhook(hook, event, body, max(min(timeout_s, hook.timeout_s), SHORTEST_S))
    except InvalidInputError as error:
        made = Attempt(error.message, retry=False)
    except RegistaError as error:
        hint = f" ({error.hint})" if error.hint else ""
        made = Attempt(error.message + hint)
    seconds = round(time.monotonic() - started, 3)
    return Attempt(made.error, made.retry, made.retry_after_s, made.status, made.output, seconds)


def _command(hook: Hook, body: bytes, hidden: Collection[str]) -> Attempt:
    if runs_inside(hook.id):
        return Attempt(f"it would run inside itself, as {INSIDE} says", retry=False)
    finished = run_command(hook, body, hidden, hook.timeout_s)
    shown = one_line((finished.out + "\n" + finished.err)[:OUTPUT_SHOWN])
    error = finished.how if finished.code else ""
    return Attempt(error, status=finished.code, output=shown)


def _webhook(hook: Hook, event: Event, body: bytes, timeout_s: float) -> Attempt:
    # HTTP and TLS take longer to import than most commands to run
    from regista.hooks.sending import send

    response = send(hook, event.message_id, body, timeout_s)
    shown = one_line(response.body[:OUTPUT_SHOWN].decode("utf-8", "replace"))
    if response.ok:
        return Attempt(status=response.status, output=shown)
    what = f"it answered with status {response.status}"
    if response.status // 100 == 3:  # noqa: PLR2004 - a class of status codes
        what += ", and redirects are not followed"
    if response.status == GONE:
        what += ": it wants no more; take the hook out of the configuration"
    return Attempt(
        what,
        retry=response.status != GONE,
        retry_after_s=asked_s(response.retry_after, datetime.now(UTC)),
        status=response.status,
        output=shown,
    )
