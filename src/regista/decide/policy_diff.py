"""The difference of two policies: what was added, removed and changed, and what of it loosens.

Rules have no names. Two are taken for one where they guard the same stage for the same entries;
of those left over, where they ask the same of other entries. Gates are taken for one by their id,
as waivers and verdicts go by it. The order of rules and gates says nothing about what may enter.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from regista.decide.gates.kind import WAIVABLE
from regista.decide.loosening import loosened, rule_subject
from regista.decide.policy import Gate, Policy, Rule, Waivable
from regista.decide.strictness import looser_fields

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
_PLAIN = ("stages", "side_stages", "on_register", "ungated", "gated_aliases")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One thing that differs.

    Attributes:
        change: added, removed or changed.
        what: `policy` for a field of its own, `group`, `rule` or `gate`.
        subject: the field, the group, or the rule in words, such as `model fraud/* to prod`.
        gate: id of the gate; '' for what is no gate.
        field: the field that changed; '' where all of it was added or removed.
        before: its value before, as JSON; None where there was none.
        after: its value after.
        effect: of a changed gate: `looser`, `stricter`, `both`, or '' where it lets in the same;
            '' for all else, as other rules may cover the same entries.
    """

    change: str
    what: str
    subject: str
    gate: str
    field: str
    before: Any
    after: Any
    effect: str


@dataclass(frozen=True, slots=True)
class PolicyDifference:
    """What differs, and what a change from the one to the other loosens, a line each."""

    changes: list[PolicyChange]
    loosens: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the difference as a JSON object."""
        return asdict(self)


def difference(old: Policy, new: Policy) -> PolicyDifference:
    """Return what differs between two policies."""
    changes = [*_fields(old, new), *_groups(old, new), *_rules(old, new)]
    changes += _gates("the next policy", old.policy_change, new.policy_change)
    return PolicyDifference(changes, loosened(old, new))


def _fields(old: Policy, new: Policy) -> Iterator[PolicyChange]:
    for name in _PLAIN:
        before, after = (_plain(getattr(policy, name)) for policy in (old, new))
        if before != after:
            yield PolicyChange(CHANGED, "policy", name, "", name, before, after, "")


def _groups(old: Policy, new: Policy) -> Iterator[PolicyChange]:
    for name in dict.fromkeys([*old.groups, *new.groups]):
        before, after = (_plain(policy.groups.get(name)) for policy in (old, new))
        if before != after:
            yield PolicyChange(_kind(before, after), "group", name, "", "", before, after, "")


def _rules(old: Policy, new: Policy) -> Iterator[PolicyChange]:
    for before, after in _paired_rules(old.rules, new.rules):
        if before is None or after is None:
            rule = before or after
            one, other = (None if item is None else item.to_json() for item in (before, after))
            subject = rule_subject(rule) if rule else ""
            yield PolicyChange(_kind(one, other), "rule", subject, "", "", one, other, "")
            continue
        subject = rule_subject(after)
        for field in ("match", "from"):
            one, other = (item.to_json()[field] for item in (before, after))
            if one != other:
                yield PolicyChange(CHANGED, "rule", subject, "", field, one, other, "")
        yield from _gates(subject, before.gates, after.gates)


def _paired_rules(
    old: Sequence[Rule], new: Sequence[Rule]
) -> list[tuple[Rule | None, Rule | None]]:
    pairs = _paired(old, new, lambda rule: str({**rule.to_json(), "from": "", "gates": ""}))
    lost = [before for before, after in pairs if after is None and before]
    come = [after for before, after in pairs if before is None and after]
    whole = [pair for pair in pairs if None not in pair]
    return [*whole, *_paired(lost, come, lambda rule: str({**rule.to_json(), "match": ""}))]


def _gates(subject: str, old: Sequence[Gate], new: Sequence[Gate]) -> Iterator[PolicyChange]:
    for before, after in _paired(old, new, lambda gate: f"{gate.kind} {gate.id}"):
        gate = after or before
        if gate is None:
            continue
        if before is None or after is None:
            yield _whole_gate(subject, gate, added=before is None)
            continue
        effect = _effect(before, after)
        one, other = _said(before), _said(after)
        for name in dict.fromkeys([*one, *other]):
            values = one.get(name), other.get(name)
            if values[0] != values[1]:
                change = _kind(*values)
                yield PolicyChange(change, "gate", subject, gate.id, name, *values, effect)


def _whole_gate(subject: str, gate: Gate, *, added: bool) -> PolicyChange:
    said = {name: value for name, value in _said(gate).items() if name != "id"}
    before, after = (None, said) if added else (said, None)
    return PolicyChange(_kind(before, after), "gate", subject, gate.id, "", before, after, "")


def _paired(
    old: Sequence[Item], new: Sequence[Item], key: Callable[[Item], str]
) -> list[tuple[Item | None, Item | None]]:
    """Pair what has the same key, each once, in order; the rest stands alone."""
    waiting: dict[str, list[Item]] = {}
    for item in new:
        waiting.setdefault(key(item), []).append(item)
    pairs: list[tuple[Item | None, Item | None]] = []
    for item in old:
        equal = waiting.get(key(item))
        pairs.append((item, equal.pop(0) if equal else None))
    return [*pairs, *((None, item) for items in waiting.values() for item in items)]


def _effect(old: Gate, new: Gate) -> str:
    looser, stricter = bool(looser_fields(old, new)), bool(looser_fields(new, old))
    if looser and stricter:
        return "both"
    return "looser" if looser else "stricter" if stricter else ""


def _said(gate: Gate) -> dict[str, Any]:
    """Return what a gate asks, by field, with who may waive it."""
    said = {name: value for name, value in gate.params.items() if name != WAIVABLE.name}
    return {"kind": gate.kind, **said, **_waivable(gate.waivable)}


def _waivable(waivable: Waivable | None) -> dict[str, Any]:
    return {"waivable": {"by": list(waivable.by), "max": waivable.max}} if waivable else {}


def _kind(before: object, after: object) -> str:
    if before is None:
        return ADDED
    return REMOVED if after is None else CHANGED


def _plain(value: Any) -> Any:  # noqa: ANN401 - a field of a policy
    return list(value) if isinstance(value, tuple) else value
