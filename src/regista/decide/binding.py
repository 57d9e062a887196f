"""Binding: what a person who approves a placement has looked at, as digests.

The evidence is the rows that the gates read, those of every matching rule but the approvals
themselves. State rules (`from`, the status, an earlier rollback) are judged at each decision
anew, and the clock goes on; neither is evidence.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from regista.decide.evidence import Bound, Case
from regista.decide.gates.approvals import KIND as APPROVALS
from regista.decide.gates.registry import find_kind
from regista.decide.people import Groups
from regista.decide.policy import Gate, Rule, rules_digest
from regista.model import canonical

NO_REVISIONS: Mapping[str, int] = {}


def asks_for_approvals(rules: Iterable[Rule]) -> bool:
    """Say whether any of the rules has an approvals gate."""
    return any(gate.kind == APPROVALS.kind for rule in rules for gate in rule.gates)


def bind(
    rules: Sequence[Rule],
    case: Case,
    groups: Groups,
    revisions: Mapping[str, int] = NO_REVISIONS,
) -> Bound:
    """Return what an approval of a placement is bound to now.

    Args:
        rules: all rules that match the placement.
        case: the pinned facts.
        groups: the policy's groups.
        revisions: revision to use per gate kind, for a replay; the current ones otherwise.

    Raises:
        NewerFormatError: this Regista does not know a kind or revision.
    """
    read = [
        (gate.id, row) for gate in evidence_gates(rules) for row in _rows(gate, case, revisions)
    ]
    rows = [row for _gate, row in read]
    # two gates that read the same rows read them once
    texts = sorted({canonical.encode(row).decode() for row in rows})
    newest = sorted({(row["seq"], _name(row)) for row in rows if row.get("seq")})
    by_gate = {(row["seq"], gate, _name(row)): None for gate, row in read if row.get("seq")}
    timeless = dict.fromkeys(gate for gate, row in read if not row.get("seq") and "run" not in row)
    return Bound(
        case.version.digest,
        rules_digest(rules),
        canonical.digest(texts),
        tuple(newest),
        tuple(by_gate),
        tuple(timeless),
        groups,
    )


def evidence_gates(rules: Iterable[Rule]) -> Iterator[Gate]:
    """Give the gates whose evidence approvals are bound to, in the order of the rules."""
    return (gate for rule in rules for gate in rule.gates if gate.kind != APPROVALS.kind)


def _rows(gate: Gate, case: Case, revisions: Mapping[str, int]) -> list[dict[str, Any]]:
    return find_kind(gate.kind, revisions.get(gate.kind)).evidence(gate.params, case)


def _name(row: Mapping[str, Any]) -> str:
    """Return how a verdict names what a row of a later commit is about."""
    if "run" in row:
        return f"run {row['run']} of version {row['version']}"
    if "drill" in row:
        return f"a drill of {row['drill']}"
    return f"what {row['stage']} holds"
