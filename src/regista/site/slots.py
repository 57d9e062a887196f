"""What each stage of an entry holds, the way back from it, and what to know of both. Pure."""

from collections.abc import Sequence
from datetime import datetime
from shlex import quote
from urllib.parse import quote as url_quote

from regista.decide.heads import EntryHead
from regista.decide.policy import Policy
from regista.decide.state import State, rollback_candidates, unrestorable
from regista.model.times import format_time, parse_duration
from regista.read.past import stored_time
from regista.site.model import Decision, Drill, Note, Slot
from regista.site.options import SiteOptions
from regista.site.published import Row


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


def slots_of(
    policy: Policy,
    options: SiteOptions,
    state: State,
    head: EntryHead,
    decisions: Sequence[Decision],
    drills: Sequence[Drill],
) -> tuple[Slot, ...]:
    """Return the slots of an entry that ever held a version, in the policy's order."""
    order = {stage: place for place, stage in enumerate(policy.all_stages)}
    stages = sorted(head.slots, key=lambda stage: (order.get(stage, len(order)), stage))
    return tuple(
        _slot(policy, options, state, head, stage, decisions, drills) for stage in stages
    )


def _slot(
    policy: Policy,
    options: SiteOptions,
    state: State,
    head: EntryHead,
    stage: str,
    decisions: Sequence[Decision],
    drills: Sequence[Drill],
) -> Slot:
    pointer = head.slots[stage]
    gated = stage != policy.on_register
    target, skipped = _way_back(state, head, stage) if gated else (None, ())
    drill = next((drill for drill in drills if drill.stage == stage), None)
    entered = next(
        (item for item in decisions if item.seq == pointer.seq and item.stage == stage), None
    )
    notes = _notes(state, head, stage, entered)
    if gated and stage == policy.stages[-1] and pointer.version is not None:
        notes += _drill_notes(target, drill)
    return Slot(
        stage=stage,
        version=pointer.version,
        since=pointer.time,
        by=pointer.by,
        seq=pointer.seq,
        action=pointer.action,
        reason="",
        target=target,
        skipped=skipped,
        gated=gated,
        drill=drill,
        rollback=f"regista rollback {quote(head.name)} --stage {stage}" if target else "",
        rollback_url=_job(options, head.name, stage, target) if target else "",
        notes=tuple(notes),
    )


def _way_back(
    state: State, head: EntryHead, stage: str
) -> tuple[int | None, tuple[tuple[int, str], ...]]:
    """Return what a rollback would restore, and what it would pass over."""
    skipped = []
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


def _notes(state: State, head: EntryHead, stage: str, entered: Decision | None) -> list[Note]:
    number = head.holder(stage)
    if number is None:
        return []
    notes = []
    version = state.version(head, number)
    if version.status != "active":
        why = f": {version.status_reason}" if version.status_reason else ""
        notes.append(Note("bad", f"version {number} is {version.status}{why}"))
    if entered and entered.outcome == "waived":
        gates = ", ".join(item.gate for item in entered.verdicts if item.status == "waived")
        notes.append(Note("note", f"entered with a waiver of {gates}"))
    if entered and entered.ungated:
        notes.append(Note("note", "entered without a gate"))
    return notes


def _drill_notes(target: int | None, drill: Drill | None) -> list[Note]:
    if drill and not drill.ok:
        return [Note("bad", f"the last drill failed{': ' + drill.detail if drill.detail else ''}")]
    if target is None:
        return [Note("info", "no version to go back to yet")]
    if drill is None:
        return [Note("note", "a rollback was never rehearsed")]
    return [Note("info", "rollback rehearsed", drill.due)]
