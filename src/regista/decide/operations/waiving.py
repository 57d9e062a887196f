"""Planning `waive`: a named, reasoned, expiring exception to one gate of one placement."""

from difflib import get_close_matches

from regista.decide.heads import EntryHead
from regista.decide.operations.context import (
    Context,
    Json,
    Payload,
    Planned,
    compact,
    of_version,
)
from regista.decide.operations.placing import STATE_RULES, guarded_target
from regista.decide.people import is_member, person
from regista.decide.places import places_of, rules_of
from regista.decide.policy import Gate
from regista.decide.waivers import latest_end
from regista.errors import InvalidInputError, NotFoundError, RefusedError
from regista.model.names import shown
from regista.model.selectors import VersionRef


def plan_waive(context: Context, args: Json, _payload: Payload) -> Planned:
    """Waive a gate of a version's way into a stage, where the policy lets the actor."""
    entry, version = context.state.select(VersionRef.parse(args["ref"]))
    stage, until = guarded_target(context, args["stage"]), args["until"]
    gate = _gate(context, entry, stage, args["gate"])
    _may_waive(context, gate, args["gate"], until)
    reason = args["reason"]
    decision = {
        "name": entry.name,
        "version": version.version,
        "stage": stage,
        "gate": args["gate"],
        "kind": gate.kind,
        "reason": reason,
        "until": until,
    }
    for item in version.waivers:
        same = (item.stage, item.gate, item.reason, item.until)
        if same == (stage, args["gate"], reason, until) and person(item.by) == person(
            context.actor
        ):
            return Planned(decision, existing=item.seq)
    row = compact(
        "waivers",
        **of_version(entry, version.version),
        stage=stage,
        gate=args["gate"],
        reason=reason,
        until=until,
    )
    return Planned(decision, [row])


def _gate(context: Context, entry: EntryHead, stage: str, wanted: str) -> Gate:
    """Return the gate of an id as verdicts have it.

    Raises:
        NotFoundError: the rules have no such gate.
        RefusedError: it is a rule of state, which nobody may waive.
    """
    places = {
        place.id: place.gate
        for place in places_of(rules_of(context.policy, entry.kind, entry.name, stage))
    }
    if wanted in STATE_RULES or places.get(wanted, wanted) is None:
        raise RefusedError(
            f"{shown(wanted)} is a rule of state, which nobody can waive",
            hint=f'regista check "{entry.name}@V" --to {stage} says how to meet it',
        )
    gate = places.get(wanted)
    if gate is None:
        near = get_close_matches(wanted, places, 1)
        check = f'regista check "{entry.name}@V" --to {stage} lists the gates'
        raise NotFoundError(
            f"no gate {shown(wanted)} guards {shown(entry.name)}'s way to {stage}",
            hint=f"did you mean {near[0]}?" if near else check,
        )
    return gate


def _may_waive(context: Context, gate: Gate, gate_id: str, until: str) -> None:
    if gate.waivable is None:
        raise RefusedError(
            f"the policy lets nobody waive {shown(gate_id)}",
            hint="meet the gate, or give it waivable: {by: [GROUP], max: 14d} in the policy",
        )
    if not is_member(context.policy.groups, gate.waivable.by, context.actor):
        raise RefusedError(
            f"the policy does not let {shown(context.actor)} waive {shown(gate_id)}",
            hint=f"ask one of {' or '.join(gate.waivable.by)}; regista policy show has the groups",
        )
    if until <= context.time:
        raise InvalidInputError(f"{until} has passed already", hint="give a later --until")
    latest = latest_end(gate, context.time)
    if until > latest:
        raise RefusedError(
            f"a waiver of {shown(gate_id)} may last {gate.waivable.max} at most, and not until"
            f" {until}",
            hint=f"give --until {latest}",
        )
