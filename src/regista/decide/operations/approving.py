"""Planning `approve` and `policy approve`: a person's yes, bound to what was looked at.

An approval that no gate would ever count is refused, so that nobody believes to have helped.
"""

from collections.abc import Sequence

from regista.decide.binding import asks_for_approvals, bind, evidence_gates
from regista.decide.gates.approvals import KIND, Ballot, ballot_of, stands, unfit
from regista.decide.gates.registry import find_kind
from regista.decide.heads import ApprovalHead, EntryHead
from regista.decide.operations.case import PinnedCase
from regista.decide.operations.changing import change_ballot
from regista.decide.operations.context import (
    Context,
    Json,
    Payload,
    Planned,
    compact,
    of_version,
)
from regista.decide.operations.placing import guarded_target
from regista.decide.people import person
from regista.decide.places import rules_of
from regista.decide.policy import Gate, Rule
from regista.errors import InvalidInputError, RefusedError
from regista.model.names import shown
from regista.model.selectors import VersionRef


def plan_approve(context: Context, args: Json, _payload: Payload) -> Planned:
    """Approve a version for a stage, as it is now, under the rules in force."""
    entry, version = context.state.select(VersionRef.parse(args["ref"]))
    stage = guarded_target(context, args["stage"])
    rules = _asking_rules(context, entry, stage)
    case = PinnedCase(context, entry, version, stage)
    bound = bind(rules, case, context.policy.groups, context.revisions)
    ballot = ballot_of(case.with_bound(bound))
    gates = [gate for rule in rules for gate in rule.gates if gate.kind == KIND.kind]
    approval = _approval(context, args, ballot, stage)
    decision: Json = {
        "name": entry.name,
        "version": version.version,
        "stage": stage,
        **_said(approval),
        "evidence": _looked_at(context, rules),
    }
    return _planned(
        context, decision, of_version(entry, version.version), approval, (ballot, gates)
    )


def plan_policy_approve(context: Context, args: Json, _payload: Payload) -> Planned:
    """Approve a policy that is to replace the one in force."""
    gates = context.policy.policy_change
    if not gates:
        raise RefusedError(
            "the policy in force asks for no approval of the next one",
            hint="regista policy apply FILE",
        )
    ballot = change_ballot(context, args["policy"])
    approval = _approval(context, args, ballot, "")
    decision = {"policy": args["policy"], "from_policy": context.state.policy_digest}
    return _planned(context, {**decision, **_said(approval)}, {}, approval, (ballot, gates))


def _planned(
    context: Context,
    decision: Json,
    subject: Json,
    approval: ApprovalHead,
    counted: tuple[Ballot, Sequence[Gate]],
) -> Planned:
    ballot, gates = counted
    _may_approve(context, gates, ballot)
    before = _same(ballot, approval)
    if before and all(stands(gate.params, ballot, before) for gate in gates):
        return Planned(decision, existing=before.seq)
    row = compact(
        "approvals",
        **subject,
        stage=approval.stage,
        meaning=approval.meaning,
        version_digest=approval.version_digest,
        rules_digest=approval.rules_digest,
        evidence_digest=approval.evidence_digest,
        until=approval.until,
    )
    return Planned(decision, [row])


def _asking_rules(context: Context, entry: EntryHead, stage: str) -> tuple[Rule, ...]:
    rules = rules_of(context.policy, entry.kind, entry.name, stage)
    if not asks_for_approvals(rules):
        raise RefusedError(
            f"no rule of the policy asks for an approval of {shown(entry.name)} for {stage}",
            hint=f'regista promote "{entry.name}@V" --to {stage}',
        )
    return rules


def _may_approve(context: Context, gates: Sequence[Gate], ballot: Ballot) -> None:
    """Refuse who no gate would count.

    Raises:
        RefusedError: every gate has something against this person.
    """
    against = [unfit(gate.params, ballot, context.actor) for gate in gates]
    if all(against):
        raise RefusedError(
            f"the policy does not let {shown(context.actor)} approve {ballot.subject}:"
            f" {against[0]}",
            hint="regista policy show has the groups; --actor says who you are",
        )


def _approval(context: Context, args: Json, ballot: Ballot, stage: str) -> ApprovalHead:
    until = args.get("until", "")
    if until and until <= context.time:
        raise InvalidInputError(f"{until} has passed already", hint="give a later --until")
    bound = ballot.bound
    return ApprovalHead(
        stage,
        context.seq,
        context.time,
        context.actor,
        args.get("meaning", ""),
        bound.version,
        bound.rules,
        bound.evidence,
        until,
    )


def _same(ballot: Ballot, approval: ApprovalHead) -> ApprovalHead | None:
    """Return the approval on record that says the same of the same by the same person."""
    for item in ballot.given:
        alike = _as_if_at(item, approval) == approval
        if alike and person(item.by) == person(approval.by):
            return item
    return None


def _as_if_at(item: ApprovalHead, other: ApprovalHead) -> ApprovalHead:
    """Return an approval as if it had been given when, and by whom, another was."""
    return item._replace(seq=other.seq, time=other.time, by=other.by)


def _said(approval: ApprovalHead) -> Json:
    return {
        "meaning": approval.meaning,
        "until": approval.until or None,
        "version_digest": approval.version_digest,
        "rules_digest": approval.rules_digest,
        "evidence_digest": approval.evidence_digest,
    }


def _looked_at(context: Context, rules: Sequence[Rule]) -> list[Json]:
    """Name the gates whose evidence is bound, with the revisions that a replay must use."""
    return [
        {
            "id": gate.id,
            "kind": gate.kind,
            "revision": find_kind(gate.kind, context.revisions.get(gate.kind)).revision,
        }
        for gate in evidence_gates(rules)
    ]
