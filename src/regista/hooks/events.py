"""What hooks hear of: events of commits, requests before them, and which hook is for which. Pure.

One operation that was applied or refused is one event. What a refused commit leaves undone (the
operations around the one that was refused) is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from regista.decide.operations.context import Json
from regista.decide.patterns import matches
from regista.decide.planning import PLANNERS
from regista.decide.prehooks import Question, Subject
from regista.decide.verdict import Outcome
from regista.model.commit import Commit

if TYPE_CHECKING:
    from regista.hooks.hook import Hook, Match

MEETS_ALL = "*"
APPLIED, REFUSED, FAILED, REQUESTED = "applied", "refused", "failed", "requested"
NOTHING_KNOWN = Subject()
OUTCOMES = (APPLIED, REFUSED, FAILED)
# a registry is made before anything can hear of it
OPERATIONS = tuple(op.replace(" ", "_") for op in PLANNERS if op != "init")


@dataclass(frozen=True, slots=True)
class Event:
    """One operation, as hooks hear of it.

    Attributes:
        op: the operation, as the log names it.
        outcome: applied, refused, failed (a drill), or requested (before the commit).
        args: the intent.
        decision: what was decided, or would be.
        actor: who.
        time: recorded time of the commit.
        registry: id of the registry.
        seq: number of the commit; of the one before, while it is only requested.
        commit: sha256 of the commit's file; '' while requested.
        index: place of the operation in the commit.
        subject: what it is about.
        entry_id: the entry's id, where the commit's rows say it.
        question: what tells a request from all others; '' of what was committed.
    """

    op: str
    outcome: str
    args: Json
    decision: Json
    actor: str
    time: str
    registry: str
    seq: int
    commit: str = ""
    index: int = 0
    subject: Subject = NOTHING_KNOWN
    entry_id: str = ""
    question: str = ""

    @property
    def name(self) -> str:
        """The operation as hooks name it, without spaces."""
        return self.op.replace(" ", "_")

    @property
    def type(self) -> str:
        """The event's type, such as `promote.refused`."""
        return f"{self.name}.{self.outcome}"

    def about(self, subject: Subject) -> "Event":
        """Return the event with what it is about."""
        return replace(self, subject=subject)

    @property
    def message_id(self) -> str:
        """What tells it from all others; the same whenever and to whomever it is sent."""
        return f"msg_{self.registry}_{self.seq}_{self.question or self.index}"


def events_of(commit: Commit, digest: str) -> list[Event]:
    """Return the events of a commit, in order; `digest` is its file's sha256."""
    refused = any(_refused(op.decision) for op in commit.ops)
    ids = {row.get("entry"): row["entry_id"] for row in commit.rows if row.get("entry_id")}
    return [
        Event(
            op.op,
            _outcome(op.decision),
            op.args,
            op.decision,
            commit.actor,
            commit.time,
            commit.registry,
            commit.seq,
            digest,
            index,
            entry_id=ids.get(op.decision.get("name"), ""),
        )
        for index, op in enumerate(commit.ops)
        if op.op != "init" and (_refused(op.decision) or not refused)
    ]


def requested(question: Question, registry: str) -> Event:
    """Return the event that a pre-hook is asked about."""
    return Event(
        question.op,
        REQUESTED,
        question.args,
        question.decision,
        question.actor,
        question.time,
        registry,
        question.after,
        subject=question.subject,
        question=question.identity[:32],
    )


def concerns(hook: "Hook", event: Event) -> bool:
    """Say whether a hook is for an event.

    A bare operation means that it was done (or, before the commit, that it is asked for), a bare
    outcome any operation with that outcome.
    """
    return _named(hook.on, event) and _fits(hook.match, event)


def _named(on: Sequence[str], event: Event) -> bool:
    wanted = {MEETS_ALL, event.type, event.outcome}
    if event.outcome != REFUSED:
        wanted.add(event.name)
    return not wanted.isdisjoint(on)


def _fits(match: "Match", event: Event) -> bool:
    names = {event.decision.get("name"), event.decision.get("from_name"), event.args.get("name")}
    known: tuple[tuple[Sequence[str], set[str]], ...] = (
        # an entry that was renamed after a refusal is not found any more, and may be meant
        (match.kind if event.subject.kind or not any(names) else (), {event.subject.kind}),
        (match.entry, {name for name in names if name}),
        (match.stage, {event.decision.get("stage") or ""} - {""}),
    )
    return all(
        not patterns or any(matches(pattern, value) for pattern in patterns for value in values)
        for patterns, values in known
    )


def _refused(decision: Json) -> bool:
    return decision.get("outcome") == Outcome.REFUSED


def _outcome(decision: Json) -> str:
    if _refused(decision):
        return REFUSED
    return FAILED if decision.get("ok") is False else APPLIED
