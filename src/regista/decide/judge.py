"""Judging: all gates of all rules that match a requested placement, in policy order.

Pure: the same policy and the same case give the same judgement, now and in a replay. Approvals
are bound to what the other gates read, so these are looked at first where any are asked for. A
waiver turns the finding of one gate, never that of a rule of state such as `from`. Whether the
version may be a candidate at all (its status, an earlier rollback) is the operation's business.
"""

from collections.abc import Mapping

from regista.decide.binding import asks_for_approvals, bind
from regista.decide.evidence import Case
from regista.decide.gates.findings import failed, passed, ref
from regista.decide.gates.registry import find_kind
from regista.decide.places import FROM, Place, places_of, rules_of
from regista.decide.policy import REFUSE, Policy
from regista.decide.verdict import Finding, Judgement, Verdict
from regista.decide.waivers import waived

UNGATED = "ungated"
OWN_REVISION = 1
NO_RULE = -1


def judge(policy: Policy, case: Case, revisions: Mapping[str, int] | None = None) -> Judgement:
    """Judge a requested placement.

    A gate that raises is a bug and not a verdict: nothing is caught here. Ids are unique in the
    judgement; the second gate with an id gets `#2`.

    Args:
        policy: the policy in force.
        case: the pinned facts.
        revisions: revision to use per gate kind, for a replay; the current ones otherwise.

    Raises:
        NewerFormatError: this Regista does not know a kind or revision.
    """
    rules = rules_of(policy, case.entry.kind, case.entry.name, case.stage)
    if not rules:
        return _without_rule(policy, case)
    known = revisions or {}
    if asks_for_approvals(rules):
        case = case.with_bound(bind(rules, case, policy.groups, known))
    verdicts = tuple(_verdict(policy, place, case, known) for place in places_of(rules))
    return Judgement(verdicts, ungated=not verdicts)


def _verdict(policy: Policy, place: Place, case: Case, revisions: Mapping[str, int]) -> Verdict:
    rule, gate = place.rule, place.gate
    if gate is None:
        finding = _judge_from(policy, rule.from_stage or "", case)
        return Verdict(place.id, FROM, OWN_REVISION, rule.index, finding)
    kind = find_kind(gate.kind, revisions.get(gate.kind))
    finding = waived(place, kind.evaluate(gate.params, case), case, policy.groups)
    return Verdict(place.id, gate.kind, kind.revision, rule.index, finding)


def _judge_from(policy: Policy, stage: str, case: Case) -> Finding:
    number, required = case.version.version, f"holds {stage} now"
    slot = case.entry.slots.get(stage)
    if slot is not None and slot.version == number:
        reason = f"version {number} holds {stage}"
        return passed(f"holds {stage}", required, reason, (f"commit:{slot.seq}",))
    stages = case.entry.stages_of(number)
    observed = f"holds {', '.join(stages)}" if stages else "holds no stage"
    other = f"version {slot.version} does" if slot and slot.version else f"{stage} is empty"
    if stage == policy.on_register:
        remedy = f"register it again: {stage} always holds the newest version"
    else:
        remedy = f"regista promote {ref(case)} --to {stage}"
    return failed(observed, required, f"version {number} does not hold {stage}: {other}", remedy)


def _without_rule(policy: Policy, case: Case) -> Judgement:
    # every registered version comes to the first stage unasked, so there is nothing to guard
    if case.stage == policy.on_register or policy.ungated != REFUSE:
        return Judgement(ungated=True)
    what = f"{case.entry.kind} {case.entry.name} to {case.stage}"
    finding = failed(
        "no rule",
        "a rule that covers it",
        f"no rule of the policy covers {what}, and it says ungated: refuse",
        f"add a rule for stage {case.stage}, then: regista policy apply FILE",
    )
    verdict = Verdict(UNGATED, UNGATED, OWN_REVISION, NO_RULE, finding)
    return Judgement((verdict,))
