"""Asking pre-hooks: each question once per transaction, without the log's lock.

A command allows by exit code 0 and vetoes by 3, its standard output being the reason. A webhook
answers `{"allow": true}` or `{"allow": false, "reason": "…"}` with a status of 200 to 299.
Anything else is no answer, and never taken for one.
"""

import json
from collections.abc import Collection, Sequence

from regista.decide.prehooks import WAY_BACK, Answer, Question, Said
from regista.errors import RegistaError
from regista.hooks.events import Event, concerns, requested
from regista.hooks.hook import Hook
from regista.hooks.payload import body_of, one_line
from regista.hooks.running import INSIDE, VETO, run_command, runs_inside

WAY_BACK_TIMEOUT_S = 5.0
"""How long somebody who rolls back waits for a hook, whatever the hook says."""
Heard = tuple[Said, str]


class Asking:
    """The pre-hooks of one transaction. Implements `write.transaction.Asking`.

    Args:
        hooks: the pre-hooks that there are.
        registry: id of the registry.
        hidden: variables that commands may not see.
        warnings: told of hooks that did not answer and refuse nothing.
    """

    def __init__(
        self,
        hooks: Sequence[Hook],
        registry: str,
        hidden: Collection[str],
        warnings: list[str],
    ) -> None:
        self._hooks, self._registry, self._hidden = hooks, registry, hidden
        self._warnings = warnings
        self._known: dict[tuple[str, str], Answer] = {}
        self._open: dict[tuple[str, str], tuple[Hook, Event]] = {}

    def answers(self, question: Question) -> Sequence[Answer]:
        """Return the answers that are known already; what is not is noted as open."""
        event = requested(question, self._registry)
        known = []
        for hook in self._hooks:
            if not concerns(hook, event):
                continue
            key = (hook.id, question.identity)
            if key in self._known:
                known.append(self._known[key])
            else:
                self._open[key] = (hook, event)
        return known

    @property
    def open(self) -> bool:
        """Whether questions are open since the hooks were last asked."""
        return bool(self._open)

    def ask(self) -> bool:
        """Put the open questions, one after the other; say whether there were any."""
        asked = bool(self._open)
        for key, (hook, event) in self._open.items():
            self._known[key] = self._answer(hook, event)
        self._open.clear()
        return asked

    def _answer(self, hook: Hook, event: Event) -> Answer:
        said, reason = ask_hook(hook, event, self._hidden)
        answer = Answer(hook.id, said, one_line(reason), hook.on_error)
        if said is Said.FAILED and not answer.refuses(event.op):
            self._warnings.append(
                f"hook {hook.id} did not answer ({answer.reason}), and {event.op} went on"
                f" without it: regista hooks test {hook.id}"
            )
        return answer


def ask_hook(hook: Hook, event: Event, hidden: Collection[str]) -> Heard:
    """Ask one hook about one request, once; return what it said and why."""
    if runs_inside(hook.id):
        return Said.FAILED, f"it would run inside itself, as {INSIDE} says"
    body = body_of(event, emails=hook.emails)
    timeout_s = hook.timeout_s
    if event.op in WAY_BACK:
        timeout_s = min(timeout_s, WAY_BACK_TIMEOUT_S)
    try:
        if hook.command:
            return _of_command(hook, body, hidden, timeout_s)
        return _of_webhook(hook, event.message_id, body, timeout_s)
    except RegistaError as error:
        return Said.FAILED, error.message


def _of_command(hook: Hook, body: bytes, hidden: Collection[str], timeout_s: float) -> Heard:
    finished = run_command(hook, body, hidden, timeout_s)
    if finished.code == 0:
        return Said.ALLOWED, ""
    if finished.code == VETO:
        return Said.VETOED, one_line(finished.out) or "it gave no reason"
    return Said.FAILED, finished.how


def _of_webhook(hook: Hook, message_id: str, body: bytes, timeout_s: float) -> Heard:
    # HTTP and TLS take longer to import than most commands to run
    from regista.hooks.sending import send

    response = send(hook, message_id, body, timeout_s)
    if not response.ok:
        return Said.FAILED, f"it answered with status {response.status}"
    try:
        value = json.loads(response.body)
    except (ValueError, RecursionError):
        value = None
    allow = value.get("allow") if isinstance(value, dict) else None
    if not isinstance(allow, bool):
        return Said.FAILED, 'its answer is not {"allow": true} or {"allow": false}'
    if allow:
        return Said.ALLOWED, ""
    reason = value.get("reason")
    return Said.VETOED, (one_line(reason) if isinstance(reason, str) else "") or "it gave no reason"


def hidden_variables(hooks: Sequence[Hook]) -> frozenset[str]:
    """Return the variables that no command of a hook may see: secrets, and URLs with tokens."""
    named = (name for hook in hooks for name in (*hook.secret_env, hook.url_env) if name)
    return frozenset(named)
