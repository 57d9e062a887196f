"""The body that hooks get: what happened, thin, and without what a site would keep back. Pure.

Fields are an allow-list. Per-example results, scores, artifacts' paths and URIs are not in it: who
needs them asks the registry. Whatever looks like a secret is replaced, e-mail addresses lose
their domain unless the hook says `emails`, and long texts and lists are cut. The shape is
`docs/hooks.schema.json`; the frame (type, timestamp, data) is that of Standard Webhooks.
"""

import re
from functools import cache
from typing import Any

from regista.decide.operations.context import Json
from regista.hooks.events import Event
from regista.model import canonical
from regista.model.secrets import EMAIL, all_patterns, find_secret, may_have_any

HIDDEN = "[hidden: looks like a secret]"
LONGEST_TEXT = 500
MOST_ITEMS = 50
_ARGS = frozenset(
    {
        "again", "alias", "base", "code", "dataset", "force_new", "gate", "kind", "label",
        "meaning", "member", "name", "params", "purge", "reason", "ref", "remove", "run", "set",
        "stage", "status", "suite", "tags", "to", "until",
    }
)  # fmt: skip
_DECIDED = (
    "name", "version", "stage", "from_version", "to_version", "from_name", "alias", "status",
    "from_status", "label", "suite", "run_id", "ok", "policy", "from_policy", "outcome",
)  # fmt: skip
_OF_GATE = ("id", "kind", "status")


def body_of(event: Event, *, emails: bool) -> bytes:
    """Return the exact bytes that a hook gets: canonical JSON on one line.

    Args:
        event: what happened, or is asked for.
        emails: whether e-mail addresses stay whole.
    """
    decision = event.decision
    data: Json = {
        "registry": event.registry,
        "seq": event.seq,
        "commit": event.commit or None,
        "index": event.index,
        "op": event.name,
        "outcome": event.outcome,
        "actor": event.actor,
        "kind": event.subject.kind or None,
        "digest": event.subject.digest or None,
        "args": {key: value for key, value in event.args.items() if key in _ARGS},
        "decision": {key: decision[key] for key in _DECIDED if key in decision},
        "gates": [
            {key: gate.get(key) for key in _OF_GATE}
            for gate in decision.get("gates", [])[:MOST_ITEMS]
        ],
        "vetoes": decision.get("vetoes", []),
    }
    frame = {"type": event.type, "timestamp": event.time, "data": _shown("", data, emails=emails)}
    return canonical.encode(frame)


def one_line(text: str) -> str:
    """Return a reason that a hook gave as it may be recorded: short, on one line, no secret."""
    printable = "".join(char if char.isprintable() else " " for char in text[:LONGEST_TEXT])
    return _text("", " ".join(printable.split()), emails=True)


def _shown(key: str, value: Any, *, emails: bool) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return _text(key, value, emails=emails)
    if isinstance(value, list):
        return [_shown(key, item, emails=emails) for item in value[:MOST_ITEMS]]
    if isinstance(value, dict):
        return {
            _text("", name, emails=emails): _shown(name, item, emails=emails)
            for name, item in list(value.items())[:MOST_ITEMS]
        }
    return value


def _text(key: str, text: str, *, emails: bool) -> str:
    # cut first: the patterns need not read a megabyte
    cut = text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
    if find_secret(key, cut):
        return HIDDEN
    if not may_have_any(cut):
        return cut
    secrets, mail = _patterns()
    shown = secrets.sub(HIDDEN, cut)
    return shown if emails else mail.sub(r"\1@…", shown)


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(all_patterns()), re.compile(EMAIL)
