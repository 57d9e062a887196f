"""What each stage of an entry holds, the way back from it, and what to know of both. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from shlex import quote
from urllib.parse import quote as url_quote

from regista.decide.heads import EntryHead
from regista.decide.policy import Policy
from regista.decide.state import State, rollback_candidates, unrestorable
from regista.model.times import format_time, parse_duration
from regista.read.past import stored_time
from regista.site.model import Decision, Drill, Hold, Note, Slot
from regista.site.options import SiteOptions
from regista.site.published import Row

# of a reason, in a note; the page of the version has all of it
_LONGEST = 160


def drills_of(policy: Policy, head: EntryHead, rows: Sequence[Row]) -> tuple[Drill, ...]:
    """Return the drills of an entry, the newest first; the latest of a stage with its due date."""
    dated: set[str] = set()
    drills = []
    for row in sorted(rows, key=lambda row: (row.seq, row.i), reverse=True):
        time = stored_time(row.time)
        due = "" if row.stage in dated else _due(policy, head, row.stage, time)
        dated.add(row.stage)
        drills.append(
            Drill(
                row.seq, time, row.actor, row.stage, row.from_version, row.to_version, row.ok,
                row.duration_s or 0.0, row.smoke or "", row.detail or "", due,
            )
        )  # fmt: skip
    return tuple(drills)


def _due(policy: Policy, head: EntryHead, stage: str, time: str) -> str:
    """Return when a drill will be too old for the strictest gate that asks for it."""
    ages = [
        parse_duration(gate.params["max_age"])
        for rule in policy.rules
        if rule.covers(head.kind, head.name)
        for gate in rule.gates
        if gate.kind == "drill" and gate.params.get("stage", rule.stage) == stage
    ]
    return format_time(datetime.fromisoformat(time) + min(ages)) if ages else ""


@dataclass(frozen=True, slots=True)
class SlotContext:
    """What the slots of one entry are told from.

    Attributes:
        state: the entry's heads.
        decisions: on its versions, the newest first.
        holds: every time that a stage held a version.
        drills: the newest first.
    """

    policy: Policy
    options: SiteOptions
    state: State
    head: EntryHead
    decisions: Sequence[Decision]
    holds: Sequence[Hold]
    drills: Sequence[Drill]


def slots_of(context: SlotContext) -> tuple[Slot, ...]:
    """Return the slots of an entry that ever held a version, in the policy's order."""
    order = {stage: place for place, stage in enumerate(context.policy.all_stages)}
    stages = sorted(context.head.slots, key=lambda stage: (order.get(stage, len(order)), stage))
    return tuple(_slot(context, stage) for stage in stages)


def _slot(context: SlotContext, stage: str) -> Slot:
    policy, head = context.policy, context.head
    pointer = head.slots[stage]
    gated = stage != policy.on_register
    target, skipped = _way_back(context.state, head, stage) if gated else (None, ())
    drill = next((drill for drill in context.drills if drill.stage == stage), None)
    notes = _notes(context, stage)
    if gated and stage == policy.stages[-1] and pointer.version is not None:
        notes += _drill_notes(target, drill)
    held = next((h for h in context.holds if h.stage == stage and h.seq == pointer.seq), None)
    return Slot(
        stage=stage,
        version=pointer.version,
        since=pointer.time,
        by=pointer.by,
        seq=pointer.seq,
        action=pointer.action,
        reason=held.reason if held else "",
        target=target,
        skipped=skipped,
        gated=gated,
        drill=drill,
        rollback=f"regista rollback {quote(head.name)} --stage {stage}" if target else "",
        rollback_url=_job(context.options, head.name, stage, target) if target else "",
        notes=tuple(notes),
    )


def _way_back(
    state: State, head: EntryHead, stage: str
) -> tuple[int | None, tuple[tuple[int, str], ...]]:
    """Return what a rollback would restore, and what it would pass over."""
    skipped: list[tuple[int, str]] = []
    for number in rollback_candidates(head, stage, state.slot(head.entry_id, stage)):
        why = unrestorable(state.version(head, number))
        if not why:
            return number, tuple(skipped)
        skipped.append((number, why))
    return None, tuple(skipped)


def _job(options: SiteOptions, name: str, stage: str, target: int | None) -> str:
    values = {"{entry}": name, "{stage}": stage, "{version}": str(target)}
    url = options.rollback_url
    for placeholder, value in values.items():
        url = url.replace(placeholder, url_quote(value, safe=""))
    return url


def _notes(context: SlotContext, stage: str) -> list[Note]:
    head, pointer = context.head, context.head.slots[stage]
    number = pointer.version
    if number is None:
        return []
    notes = []
    version = context.state.version(head, number)
    if version.status != "active":
        why = f": {_short(version.status_reason)}" if version.status_reason else ""
        notes.append(Note("bad", f"version {number} is {version.status}{why}"))
    entered = next(
        (d for d in context.decisions if d.seq == pointer.seq and d.stage == stage), None
    )
    if entered and entered.outcome == "waived":
        gates = ", ".join(item.gate for item in entered.verdicts if item.status == "waived")
        notes.append(Note("note", f"entered with a waiver of {gates}"))
    if entered and entered.ungated:
        notes.append(Note("note", "entered without a gate"))
    return notes


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _drill_notes(target: int | None, drill: Drill | None) -> list[Note]:
    if drill and not drill.ok:
        return [
            Note(
                "bad", f"the last drill failed{': ' + _short(drill.detail) if drill.detail else ''}"
            )
        ]
    if target is None:
        return [Note("info", "no version to go back to yet")]
    if drill is None:
        return [Note("note", "a rollback was never rehearsed")]
    return [Note("info", "rollback rehearsed", drill.due)]
