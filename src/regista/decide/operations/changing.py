"""Judging a change of the policy by the policy in force."""

from collections.abc import Mapping

from regista.decide.evidence import Bound
from regista.decide.gates.approvals import Ballot, count
from regista.decide.gates.registry import find_kind
from regista.decide.operations.context import Context
from regista.decide.policy import gates_digest
from regista.decide.signed import policy_approvals
from regista.decide.verdict import Judgement, Verdict

NO_RULE = -1


def judge_change(context: Context, digest: str, revisions: Mapping[str, int]) -> Judgement:
    """Judge the next policy by the `policy_change` gates of the one in force.

    Only approvals can judge what has no version; `policy_check` lets nothing else in.
    """
    ballot = change_ballot(context, digest)
    verdicts: list[Verdict] = []
    for index, gate in enumerate(context.policy.policy_change):
        kind = find_kind(gate.kind, revisions.get(gate.kind))
        own_id = gate.id if gate.id not in {item.id for item in verdicts} else f"{gate.id}#{index}"
        verdicts.append(
            Verdict(own_id, gate.kind, kind.revision, NO_RULE, count(gate.params, ballot))
        )
    return Judgement(tuple(verdicts), ungated=not verdicts)


def change_ballot(context: Context, digest: str) -> Ballot:
    """Return the approvals of a policy; they are bound to the policy that it replaces."""
    state, policy = context.state, context.policy
    given = policy_approvals(state.facts)
    bound = Bound(
        digest, gates_digest(policy.policy_change), state.policy_digest, groups=policy.groups
    )
    return Ballot(
        tuple(item for item in given if item.version_digest == digest),
        bound,
        "",
        context.actor,
        context.time,
        "regista policy approve FILE",
        f"policy {digest[:12]}",
        "policy in force",
    )
