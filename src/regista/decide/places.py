"""Places: the conditions of the rules that match a placement, by the ids that verdicts have.

Ids are unique among them: where two are alike, the second gets `#2`. Waivers go by these ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from regista.decide.policy import Gate, Policy, Rule, matching_rules

FROM = "from"


@dataclass(frozen=True, slots=True)
class Place:
    """One condition of a rule: a gate, or its `from` when `gate` is None."""

    id: str
    rule: Rule
    gate: Gate | None


def rules_of(policy: Policy, kind: str, name: str, stage: str) -> tuple[Rule, ...]:
    """Return the rules that judge an entry's way into a stage or gated alias.

    There are none in front of the stage that takes every registered version unasked.
    """
    if stage == policy.on_register:
        return ()
    return matching_rules(policy, kind, name, stage)


def places_of(rules: Sequence[Rule]) -> list[Place]:
    """Return the conditions of rules, in order."""
    seen: set[str] = set()
    found = []
    for rule in rules:
        if rule.from_stage is not None:
            found.append(Place(_unique(f"{FROM}:{rule.from_stage}", seen), rule, None))
        found += [Place(_unique(gate.id, seen), rule, gate) for gate in rule.gates]
    return found


def _unique(own_id: str, seen: set[str]) -> str:
    result, number = own_id, 1
    while result in seen:
        number += 1
        result = f"{own_id}#{number}"
    seen.add(result)
    return result
