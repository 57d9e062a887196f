"""Loosening: what a new policy lets in that the one before it did not.

All rules that match apply, so a condition of an old rule is kept when some new rule that covers
the same entries has one at least as strict. What cannot be compared is told as loosened: the list
errs by saying too much.
"""

from collections.abc import Iterator, Sequence

from regista.decide.gates.findings import clip, listed
from regista.decide.people import person
from regista.decide.policy import ALLOW, ANY, REFUSE, Gate, Policy, Rule
from regista.decide.strictness import looser_fields


def loosened(old: Policy, new: Policy) -> list[str]:
    """Return what a change of the policy loosens, each in one line; empty when nothing.

    Args:
        old: the policy in force.
        new: the policy that is to replace it.
    """
    found = [
        *_stages(old, new),
        *_rules(old, new),
        *_groups(old, new),
        *_changes(old.policy_change, new.policy_change, "the next policy"),
    ]
    return [clip(text) for text in dict.fromkeys(found)]


def _stages(old: Policy, new: Policy) -> Iterator[str]:
    for stage in old.all_stages:
        if stage not in new.all_stages:
            yield f"stage {stage} is removed, with all that guarded it"
    if old.ungated == REFUSE and new.ungated == ALLOW:
        yield "ungated refuse became allow: what no rule covers may enter"
    if new.on_register not in {None, old.on_register}:
        yield f"stage {new.on_register} takes every new version without a gate"
    for alias in old.gated_aliases:
        if alias not in new.gated_aliases:
            yield f"alias {alias} is no longer gated"


def _rules(old: Policy, new: Policy) -> Iterator[str]:
    kept = {*new.all_stages, *new.gated_aliases} - {new.on_register}
    for rule in old.rules:
        if rule.stage not in kept:
            continue
        covering = [other for other in new.rules if _covers(other, rule)]
        subject = rule_subject(rule)
        if not covering:
            yield f"{subject}: the rule is removed or narrowed"
            continue
        if rule.from_stage not in {None, *(other.from_stage for other in covering)}:
            yield f"{subject}: it need not come from {rule.from_stage}"
        gates = [gate for other in covering for gate in other.gates]
        yield from _changes(rule.gates, gates, subject)


def _changes(old: Sequence[Gate], new: Sequence[Gate], subject: str) -> Iterator[str]:
    for gate in old:
        alike = [other for other in new if other.kind == gate.kind]
        named = [other for other in alike if other.id == gate.id]
        compared = [looser_fields(gate, other) for other in named or alike]
        if not compared:
            yield f"{subject}: gate {gate.id} is removed"
            continue
        least = min(compared, key=len)
        if least and named:
            yield f"{subject}: gate {gate.id}: {listed(least)}"
        elif least:
            yield f"{subject}: gate {gate.id} is removed"


def _groups(old: Policy, new: Policy) -> Iterator[str]:
    for name, people in new.groups.items():
        before = {person(actor) for actor in old.groups.get(name, ())}
        added = [actor for actor in people if person(actor) not in before]
        if added and name in old.groups:
            yield f"group {name}: {listed(added)} may approve or waive what it may"


def _covers(new: Rule, old: Rule) -> bool:
    """Say whether a rule is about all entries that another one is about."""
    if new.stage != old.stage or new.match_kind not in {ANY, old.match_kind}:
        return False
    return ANY in new.match_names or set(old.match_names) <= set(new.match_names)


def rule_subject(rule: Rule) -> str:
    """Return what a rule is about, in words: `model fraud/* to prod`."""
    names = "" if rule.match_names == (ANY,) else f" {' or '.join(rule.match_names)}"
    kind = "entry" if rule.match_kind == ANY else rule.match_kind
    return f"{kind}{names} to {rule.stage}"
