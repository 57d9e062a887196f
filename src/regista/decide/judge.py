"""Judging: all gates of all rules that match a requested placement, in policy order.

Pure: the same policy and the same case give the same judgement, now and in a replay. Whether the
version may be a candidate at all (its status, an earlier rollback) is the operation's business.
"""

from collections.abc import Mapping

from regista.decide.evidence import Case
from regista.decide.gates.findings import failed, passed, ref
from regista.decide.gates.registry import find_kind
from regista.decide.policy import REFUSE, Policy, Rule, matching_rules
from regista.decide.verdict import Finding, Judgement, Verdict

FROM = "from"
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
    if case.stage == policy.on_register:
        # every registered version comes here unasked, so there is nothing to guard
        return Judgement(ungated=True)
    rules = matching_rules(policy, case.entry.kind, case.entry.name, case.stage)
    if not rules:
        return _without_rule(policy, case)
    verdicts: list[Verdict] = []
    for rule in rules:
        verdicts += _judge_rule(policy, rule, case, revisions or {})
    return Judgement(_with_unique_ids(verdicts), ungated=not verdicts)


def _judge_rule(
    policy: Policy, rule: Rule, case: Case, revisions: Mapping[str, int]
) -> list[Verdict]:
    verdicts = []
    if rule.from_stage is not None:
        finding = _judge_from(policy, rule.from_stage, case)
        own_id = f"{FROM}:{rule.from_stage}"
        verdicts.append(Verdict(own_id, FROM, OWN_REVISION, rule.index, finding))
    for gate in rule.gates:
        kind = find_kind(gate.kind, revisions.get(gate.kind))
        finding = kind.evaluate(gate.params, case)
        verdicts.append(Verdict(gate.id, gate.kind, kind.revision, rule.index, finding))
    return verdicts


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
    if policy.ungated != REFUSE:
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


def _with_unique_ids(verdicts: list[Verdict]) -> tuple[Verdict, ...]:
    seen: set[str] = set()
    result = []
    for verdict in verdicts:
        own_id, number = verdict.id, 1
        while own_id in seen:
            number += 1
            own_id = f"{verdict.id}#{number}"
        seen.add(own_id)
        result.append(
            Verdict(own_id, verdict.kind, verdict.revision, verdict.rule, verdict.finding)
        )
    return tuple(result)
