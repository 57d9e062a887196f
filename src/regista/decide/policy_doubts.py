"""Doubts about a parsed policy: what is allowed, and hardly meant.

Each is a warning, and says what would happen. The policy has no error by `policy_check`, which is
what makes these short.
"""

from collections.abc import Callable, Iterator
from typing import Any

from regista.decide.gates.approvals import KIND as APPROVALS
from regista.decide.gates.kind import as_params
from regista.decide.gates.soak import KIND as SOAK
from regista.decide.people import members
from regista.decide.policy import ALLOW, ANY, split_gate
from regista.decide.policy_problem import Path, PolicyProblem
from regista.model import canonical
from regista.model.names import KINDS, shown

Json = dict[str, Any]
Doubts = Iterator[PolicyProblem]


def doubts(policy: Json) -> Doubts:
    """Give every doubt about a policy without errors."""
    for doubt in _DOUBTS:
        yield from doubt(policy)


def _open_for_others(policy: Json) -> Doubts:
    """Find stages whose rules cover some entries, while all others may enter."""
    if policy.get("ungated", ALLOW) != ALLOW:
        return
    covered: dict[str, set[str]] = {}
    first: dict[str, int] = {}
    for index, rule in _rules(policy):
        match = rule.get("match") or {}
        first.setdefault(rule["stage"], index)
        kinds = covered.setdefault(rule["stage"], set())
        names = match.get("name", ANY)
        if ANY in ([names] if isinstance(names, str) else names):
            kind = match.get("kind", ANY)
            kinds |= set(KINDS) if kind == ANY else {kind}
    for stage, kinds in covered.items():
        if not kinds >= set(KINDS):
            yield PolicyProblem(
                ("rules", first[stage]),
                f"entries that no rule for {shown(stage)} covers may enter it ungated",
                "add ungated: refuse, or a rule without match",
                "warning",
            )


def _in_a_circle(policy: Json) -> Doubts:
    """Find stages that nothing can enter: each of them asks for another of them first."""
    wanted: dict[str, tuple[str, int]] = {}
    for index, rule in _rules(policy):
        if rule.get("from") is not None and not rule.get("match"):
            wanted.setdefault(rule["stage"], (rule["from"], index))
    for stage, (source, index) in wanted.items():
        way = [source]
        while way[-1] in wanted and way[-1] != stage and len(way) <= len(wanted):
            way.append(wanted[way[-1]][0])
        if way[-1] == stage:
            path = ", which comes ".join(f"from {name}" for name in way)
            yield PolicyProblem(
                ("rules", index, "from"),
                f"nothing can enter {shown(stage)}: it comes {path}",
                "leave out from for the first of them",
                "warning",
            )


def _soak_of_the_target(policy: Json) -> Doubts:
    """Find gates that ask a candidate to hold the stage that it wants to enter."""
    for path, kind, params, rule in _gates(policy):
        if kind == SOAK.kind and params["stage"] == rule["stage"]:
            yield PolicyProblem(
                (*path, "stage"),
                f"what asks for {shown(params['stage'])} does not hold it, so nothing can pass",
                "name the stage that comes before",
                "warning",
            )


def _said_twice(policy: Json) -> Doubts:
    """Find gates of one stage and match that ask the same."""
    seen: set[bytes] = set()
    for path, kind, params, rule in _gates(policy):
        about = [rule.get("stage"), rule.get("match") or {}]
        asks = {name: value for name, value in params.items() if name != "id"}
        key = canonical.encode([about, kind, asks])
        if key in seen:
            message = f"another {kind} gate asks the same of the same entries"
            yield PolicyProblem(path, message, "drop one of them", "warning")
        seen.add(key)


def _unused_groups(policy: Json) -> Doubts:
    """Find groups that nothing asks for."""
    used: set[str] = set()
    for _path, _kind, params, rule in _gates(policy):
        used.update(params.get("from", ()), _waivers(params), _waivers(rule))
    for name in policy.get("groups") or {}:
        if name not in used:
            yield PolicyProblem(
                ("groups", name),
                f"no gate asks for group {shown(name)}",
                "name it in from of approvals, or in by of waivable; or drop it",
                "warning",
                on_key=True,
            )


def _nobody_left(policy: Json) -> Doubts:
    """Find approvals that become impossible when one of the people is the author."""
    groups = {name: tuple(people) for name, people in (policy.get("groups") or {}).items()}
    for path, kind, params, _rule in _gates(policy):
        count, names = params.get("count", 1), params.get("from")
        if kind != APPROVALS.kind or not params.get("not_author") or not names:
            continue
        if len(members(groups, names)) == count:
            everybody = "its only member" if count == 1 else f"all {count} people of its groups"
            yield PolicyProblem(
                path,
                f"{everybody} must approve, and who registers a version cannot",
                "add people to a group, or lower count",
                "warning",
            )


_DOUBTS: tuple[Callable[[Json], Doubts], ...] = (
    _open_for_others,
    _in_a_circle,
    _soak_of_the_target,
    _said_twice,
    _unused_groups,
    _nobody_left,
)


def _gates(policy: Json) -> Iterator[tuple[Path, str, Json, Json]]:
    """Give each gate: where its fields stand, its kind, its fields, and its rule."""
    places: list[tuple[Path, Any, Json]] = [(("policy_change",), policy.get("policy_change"), {})]
    places += [(("rules", i, "gates"), rule.get("gates"), rule) for i, rule in _rules(policy)]
    for path, gates, rule in places:
        for place, gate in enumerate(gates or []):
            kind, params = split_gate(gate)
            where = (*path, place, kind) if isinstance(gate, dict) else (*path, place)
            yield where, kind, as_params(params), rule


def _waivers(value: Json) -> list[str]:
    """Return the groups whose people may waive a gate, or the gates of a rule."""
    waivable = value.get("waivable")
    return waivable["by"] if waivable else []


def _rules(policy: Json) -> Iterator[tuple[int, Json]]:
    return enumerate(policy.get("rules") or [])
