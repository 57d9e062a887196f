"""Planning `init` and `policy apply`: which policy is in force."""

from regista.decide import keys
from regista.decide.loosening import loosened
from regista.decide.operations.changing import judge_change
from regista.decide.operations.context import Context, Json, Payload, Planned, compact
from regista.decide.policy import Policy
from regista.decide.verdict import Outcome
from regista.errors import InvalidInputError, RefusedError

OPERATION = "policy apply"
REVISION = 2
"""What `policy apply` decides: 2 judges the change and tells what it loosens, 1 did neither."""


def plan_init(context: Context, args: Json, _payload: Payload) -> Planned:
    """Begin the history with a policy."""
    if context.state.seq:
        raise RefusedError("the registry has a history already", hint="regista policy apply FILE")
    row = compact("policies", digest=args["policy"], reason=args.get("reason"))
    return Planned({"policy": args["policy"]}, [row])


def plan_policy_apply(context: Context, args: Json, _payload: Payload) -> Planned:
    """Put a policy in force, if the one before lets it.

    No stage that it drops may be held, no stage may be an alias.
    """
    digest = args["policy"]
    before = context.state.policy_digest
    decision: Json = {"policy": digest, "from_policy": before}
    if digest == before:
        registry = context.state.facts
        return Planned(decision, existing=registry.get("policy_seq"))
    old, new = context.policy, context.load_policy(digest)
    _keeps_held_stages(context, old, new)
    for stage in sorted(_stages(new) - _stages(old)):
        if context.state.heads.get(keys.alias_users(stage)):
            raise InvalidInputError(
                f"{stage!r} is in use as an alias and cannot become a stage",
                hint="regista alias NAME --remove the alias first, or name the stage differently",
            )
    row = compact("policies", digest=digest, reason=args.get("reason"))
    # whoever knew no more than revision 1 could not read a policy that guards itself
    if context.revisions.get(OPERATION, REVISION) == 1 and not old.policy_change:
        return Planned(decision, [row])
    judgement = judge_change(context, digest, context.revisions)
    decision |= {
        "revision": REVISION,
        "outcome": str(judgement.outcome),
        "gates": [verdict.to_json() for verdict in judgement.verdicts],
        "loosens": loosened(old, new),
    }
    if judgement.outcome == Outcome.REFUSED:
        return Planned(decision, refused=True)
    return Planned(decision, [row])


def _stages(policy: Policy) -> set[str]:
    return {*policy.stages, *policy.side_stages}


def _keeps_held_stages(context: Context, old: Policy, new: Policy) -> None:
    for stage in sorted(_stages(old) - _stages(new)):
        holders = context.state.heads.get(keys.holders(stage))
        if holders:
            raise RefusedError(
                f"the policy drops stage {stage}, which {holders} entries hold",
                hint=f"regista demote NAME --stage {stage} for each, or keep the stage",
            )
