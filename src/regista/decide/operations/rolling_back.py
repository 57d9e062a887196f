"""Planning `rollback` and `drill`: the way back, and its rehearsal.

Both choose the target by the same rule, so that a drill rehearses exactly what a rollback does.
"""

from dataclasses import dataclass

from regista.decide.heads import EntryHead, VersionHead
from regista.decide.operations.context import (
    Context,
    Json,
    Payload,
    Planned,
    compact,
    of_entry,
)
from regista.decide.operations.placing import known_stage
from regista.decide.state import rollback_candidates, unrestorable
from regista.errors import NotFoundError
from regista.model.names import shown


@dataclass(frozen=True, slots=True)
class _Way:
    """The way back: the target, if any, and what was passed over on the way to it."""

    target: VersionHead | None
    skipped: list[Json]


def plan_rollback(context: Context, args: Json, _payload: Payload) -> Planned:
    """Restore what a stage held before, or a given version that is below on the stack."""
    entry = context.state.entry(args["name"])
    stage = known_stage(context, args["stage"])
    holder, wanted = entry.holder(stage), args.get("to")
    decision = {"name": entry.name, "stage": stage, "from_version": holder}
    if wanted is not None and wanted == holder:
        done: Json = {**decision, "version": holder, "to_version": holder, "skipped": []}
        return Planned(done, existing=entry.slots[stage].seq)
    way = _way_back(context, entry, stage, wanted)
    if way.target is None:
        raise _no_target(entry, stage, way.skipped)
    to = way.target.version
    row = compact(
        "placements",
        **of_entry(entry),
        stage=stage,
        from_version=holder,
        to_version=to,
        action="rollback",
        reason=args.get("reason"),
    )
    done = {**decision, "version": to, "to_version": to, "skipped": way.skipped}
    return Planned(done, [row])


def plan_drill(context: Context, args: Json, _payload: Payload) -> Planned:
    """Rehearse a rollback: choose, fetch, check, run the smoke command; move nothing."""
    entry = context.state.entry(args["name"])
    stage = known_stage(context, args["stage"])
    way = _way_back(context, entry, stage, None)
    if way.target is None:
        raise _no_target(entry, stage, way.skipped)
    seen = context.observe("drill", way.target.digest)
    result = {
        "stage": stage,
        "from_version": entry.holder(stage),
        "to_version": way.target.version,
        "ok": seen["ok"],
        "duration_s": seen["duration_s"],
    }
    row = compact(
        "drills",
        **of_entry(entry),
        **result,
        files=seen["files"],
        bytes=seen["bytes"],
        smoke=args.get("smoke"),
        detail=seen["detail"],
    )
    decision = {
        "name": entry.name,
        "version": way.target.version,
        **result,
        "skipped": way.skipped,
        "detail": seen["detail"],
    }
    return Planned(decision, [row])


def _way_back(context: Context, entry: EntryHead, stage: str, wanted: int | None) -> _Way:
    slot = context.state.slot(entry.entry_id, stage)
    candidates = rollback_candidates(entry, stage, slot)
    if wanted is not None:
        if wanted not in candidates:
            raise NotFoundError(
                f"version {wanted} is not below {shown(entry.name)}'s holder of {stage}",
                hint=f"these are: {', '.join(map(str, candidates)) or 'none'}",
            )
        candidates = [wanted]
    skipped: list[Json] = []
    for number in candidates:
        version = context.state.version(entry, number)
        why = unrestorable(version) or _damage(context, version)
        if not why:
            return _Way(version, skipped)
        skipped.append({"version": number, "reason": why})
    return _Way(None, skipped)


def _damage(context: Context, version: VersionHead) -> str:
    if not version.files:
        return ""
    seen = context.observe("blobs", version.digest)
    if seen["ok"]:
        return ""
    missing, corrupt = seen["missing"], seen["corrupt"]
    if missing:
        return f"artifacts are missing: {', '.join(missing[:3])}"
    return f"artifacts are corrupt: {', '.join(corrupt[:3])}"


def _no_target(entry: EntryHead, stage: str, skipped: list[Json]) -> NotFoundError:
    passed = "; ".join(f"version {item['version']}: {item['reason']}" for item in skipped)
    return NotFoundError(
        f"{shown(entry.name)} has no rollback target in {stage}"
        + (f" ({passed})" if passed else ""),
        hint=f'regista history "{entry.name}"',
    )
