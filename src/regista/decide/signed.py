"""Approvals and waivers as heads: what a version's record, or the registry's, keeps of them.

A head keeps one approval per stage, person and meaning, and one waiver per stage and gate: the
newest, so that giving one again replaces it. Of more than `MAX_SIGNED` the oldest are dropped,
which can only refuse.
"""

from typing import Any

from regista.decide.heads import MAX_SIGNED, ApprovalHead, WaiverHead
from regista.decide.people import person
from regista.model.commit import Row

_OF_POLICY = "policy_approvals"

Approvals = tuple[ApprovalHead, ...]
Waivers = tuple[WaiverHead, ...]


def approval_of(seq: int, time: str, actor: str, row: Row) -> ApprovalHead:
    """Return the approval that a row of a commit gives."""
    return ApprovalHead(
        row.get("stage", ""),
        seq,
        time,
        actor,
        row.get("meaning", ""),
        row["version_digest"],
        row["rules_digest"],
        row["evidence_digest"],
        row.get("until", ""),
    )


def waiver_of(seq: int, time: str, actor: str, row: Row) -> WaiverHead:
    """Return the waiver that a row of a commit gives."""
    return WaiverHead(row["stage"], row["gate"], seq, time, actor, row["reason"], row["until"])


def with_approval(before: Approvals, given: ApprovalHead) -> Approvals:
    """Return approvals with one more, in place of the same person's of the same meaning."""
    return (*(item for item in before if not _replaces(given, item)), given)[-MAX_SIGNED:]


def with_waiver(before: Waivers, given: WaiverHead) -> Waivers:
    """Return waivers with one more, in place of the one of the same gate."""
    about = (given.stage, given.gate)
    others = (item for item in before if (item.stage, item.gate) != about)
    return (*others, given)[-MAX_SIGNED:]


def policy_approvals(registry: dict[str, Any]) -> Approvals:
    """Return the approvals of policies that might replace the one in force."""
    return tuple(ApprovalHead(**item) for item in registry.get(_OF_POLICY, ()))


def with_policy_approval(registry: dict[str, Any], given: ApprovalHead) -> dict[str, Any]:
    """Return the registry's head with one more approval of a policy."""
    after = with_approval(policy_approvals(registry), given)
    return {**registry, _OF_POLICY: [item._asdict() for item in after]}


def without_policy_approvals(registry: dict[str, Any]) -> dict[str, Any]:
    """Return the registry's head without them: each is bound to the policy that it replaces."""
    return {name: value for name, value in registry.items() if name != _OF_POLICY}


def _replaces(given: ApprovalHead, item: ApprovalHead) -> bool:
    if (item.stage, item.meaning) != (given.stage, given.meaning):
        return False
    # without a stage it is about a policy, and there may be several to choose from
    one_subject = bool(item.stage) or item.version_digest == given.version_digest
    return one_subject and person(item.by) == person(given.by)
