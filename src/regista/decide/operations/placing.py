"""Planning `promote`, `check` and `demote`: what enters a stage, and what leaves it."""

import json

from regista.decide.heads import EntryHead, Status, VersionHead
from regista.decide.judge import UNGATED, judge
from regista.decide.operations.case import PinnedCase
from regista.decide.operations.context import (
    Context,
    Json,
    Payload,
    Planned,
    compact,
    of_entry,
    of_version,
)
from regista.decide.verdict import Finding, Judgement, Outcome, Verdict, VerdictStatus
from regista.errors import InvalidInputError, NotFoundError, RefusedError
from regista.model.commit import Row
from regista.model.names import shown
from regista.model.selectors import VersionRef

STATE_RULE = -1
STATUS, ROLLED_BACK = "status", "rolled-back"
# what an entry's or a version's state says; nobody may waive these, nor a rule's `from`
STATE_RULES = frozenset({STATUS, ROLLED_BACK, UNGATED})


def plan_promote(context: Context, args: Json, _payload: Payload) -> Planned:
    """Judge a candidate for a stage, and move it there if nothing refuses.

    A refusal is a decision too: it is planned as rows, and moves nothing.
    """
    entry, version = context.state.select(VersionRef.parse(args["ref"]))
    stage = promotable_stage(context, args["stage"])
    holder = entry.holder(stage)
    if holder == version.version:
        decision = _decision(entry, version, stage, holder, Judgement())
        return Planned(decision, existing=entry.slots[stage].seq)
    case = PinnedCase(context, entry, version, stage)
    judgement = _judge(case, args)
    decision = _decision(entry, version, stage, holder, judgement)
    rows = decision_rows(case, judgement, op="promote")
    refused = judgement.outcome == Outcome.REFUSED
    if not refused:
        rows.append(promotion_row(entry, version.version, stage, args.get("reason")))
    return Planned(decision, rows, refused=refused)


def promotion_row(entry: EntryHead, version: int, stage: str, reason: str | None = None) -> Row:
    """Return the row that moves a version into a stage."""
    return compact(
        "placements",
        **of_entry(entry),
        stage=stage,
        from_version=entry.holder(stage),
        to_version=version,
        action="promote",
        reason=reason,
    )


def plan_demote(context: Context, args: Json, _payload: Payload) -> Planned:
    """Empty a slot; the version that it held leaves the stack."""
    entry = context.state.entry(args["name"])
    stage = known_stage(context, args["stage"])
    holder = entry.holder(stage)
    if holder is None:
        raise NotFoundError(
            f"nothing of {shown(entry.name)} is in {stage}", hint=f'regista show "{entry.name}"'
        )
    row = compact(
        "placements",
        **of_entry(entry),
        stage=stage,
        from_version=holder,
        action="demote",
        reason=args.get("reason"),
    )
    decision = {
        "name": entry.name,
        "version": holder,
        "stage": stage,
        "from_version": holder,
        "to_version": None,
    }
    return Planned(decision, [row])


def known_stage(context: Context, stage: str) -> str:
    """Return a stage of the policy in force.

    Raises:
        InvalidInputError: the policy has no such stage.
    """
    stages = [*context.policy.stages, *context.policy.side_stages]
    if stage not in stages:
        raise InvalidInputError(
            f"there is no stage {shown(stage)}", hint=f"the policy has {', '.join(stages)}"
        )
    return stage


def promotable_stage(context: Context, stage: str) -> str:
    """Return a stage that takes promotions.

    Raises:
        InvalidInputError: the policy has no such stage.
        RefusedError: the stage is filled by `register` alone.
    """
    if known_stage(context, stage) == context.policy.on_register:
        raise RefusedError(
            f"stage {stage} always holds the newest registered version and takes no promotion",
            hint="register a version, or change on_register in the policy",
        )
    return stage


def guarded_target(context: Context, target: str) -> str:
    """Return what rules can guard: a stage that takes promotions, or a gated alias.

    Raises:
        InvalidInputError: the policy has neither of this name.
        RefusedError: the stage is filled by `register` alone.
    """
    if target in context.policy.gated_aliases:
        return target
    return promotable_stage(context, target)


def _judge(case: PinnedCase, args: Json) -> Judgement:
    judged = judge(case.context.policy, case, case.context.revisions)
    own = [*_status_verdict(case.version), *_barred_verdict(case, args)]
    return Judgement((*own, *judged.verdicts), judged.ungated)


def _status_verdict(version: VersionHead) -> list[Verdict]:
    if version.status == Status.ACTIVE:
        return []
    finding = Finding(
        VerdictStatus.FAILED,
        version.status,
        Status.ACTIVE,
        f"version {version.version} is {version.status}, so it is no candidate",
        "regista restore it first, or promote another version",
    )
    return [Verdict(STATUS, STATUS, 1, STATE_RULE, finding)]


def _barred_verdict(case: PinnedCase, args: Json) -> list[Verdict]:
    entry, version, stage = case.entry, case.version, case.stage
    if version.version not in case.slot(stage).barred:
        return []
    on_purpose = bool(args.get("again") and args.get("reason"))
    finding = Finding(
        VerdictStatus.PASSED if on_purpose else VerdictStatus.FAILED,
        "rolled back before",
        "--again and a reason",
        f"version {version.version} was rolled back from {stage}"
        + (" and comes back on purpose" if on_purpose else ""),
        ""
        if on_purpose
        else f'regista promote "{entry.name}@{version.version}" --to {stage} --again --reason WHY',
    )
    return [Verdict(ROLLED_BACK, ROLLED_BACK, 1, STATE_RULE, finding)]


def _decision(
    entry: EntryHead, version: VersionHead, stage: str, holder: int | None, judgement: Judgement
) -> Json:
    return {
        "name": entry.name,
        "version": version.version,
        "stage": stage,
        "from_version": holder,
        "outcome": str(judgement.outcome),
        "ungated": judgement.ungated,
        "gates": [verdict.to_json() for verdict in judgement.verdicts],
    }


def decision_rows(case: PinnedCase, judgement: Judgement, *, op: str) -> list[Row]:
    """Return the rows that record a decision and its verdicts."""
    state = case.context.state
    common = {**of_version(case.entry, case.version.version), "stage": case.stage}
    rows = [
        compact(
            "decisions",
            **common,
            op=op,
            outcome=str(judgement.outcome),
            ungated=judgement.ungated,
            policy=state.policy_digest,
            state=state.digest,
        )
    ]
    rows += [verdict_row(common, verdict) for verdict in judgement.verdicts]
    return rows


def verdict_row(common: Json, verdict: Verdict) -> Row:
    """Return the row that records a verdict; `common` says on which version and stage."""
    found = verdict.finding
    return compact(
        "verdicts",
        **common,
        gate=verdict.id,
        kind=verdict.kind,
        revision=verdict.revision,
        status=str(found.status),
        observed=found.observed,
        required=found.required,
        reason=found.reason,
        remedy=found.remedy,
        evidence=json.dumps(list(found.evidence)) if found.evidence else None,
    )
