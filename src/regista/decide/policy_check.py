"""Checking a parsed policy: everything that is wrong with it, each at its place.

Pure, and of values only: the YAML text, its lines, and the files that gates name are the business
of `regista.policyfile`. A value with no error among its problems can be read by
`Policy.from_json`. What single mappings may hold stands in `policy_fields`; here is what only
shows when the policy is seen as a whole.
"""

from collections.abc import Iterator
from typing import Any, TypeGuard

from regista.decide.gates.comparing import PAIRED_BOOTSTRAP, PAIRED_T
from regista.decide.gates.fields import CheckContext, check_fields
from regista.decide.people import person
from regista.decide.policy import ALLOW, FORMAT, REFUSE, split_gate
from regista.decide.policy_doubts import doubts
from regista.decide.policy_fields import POLICY_FIELDS
from regista.decide.policy_problem import Path, PolicyProblem
from regista.errors import NewerFormatError
from regista.model.names import shown

FEWEST_SURE_PAIRS = 50
"""Below, tests on differences pass too often where rare large losses hide; see statistics.md."""

_NAME_LISTS = ("stages", "side_stages", "gated_aliases")


def check_policy(value: object) -> list[PolicyProblem]:
    """Return all problems of a parsed policy, in no particular order.

    Raises:
        NewerFormatError: the policy is of a format that this Regista does not know.
    """
    policy = value if isinstance(value, dict) else {}
    declared = policy.get("format")
    if isinstance(declared, int) and declared > FORMAT:
        raise NewerFormatError(
            f"the policy has format {declared}, and this Regista knows {FORMAT}",
            hint="upgrade Regista: pip install --upgrade regista",
        )
    stages = (*_texts(policy, "stages"), *_texts(policy, "side_stages"))
    groups = policy.get("groups")
    named = tuple(name for name in groups if isinstance(name, str)) if _is_map(groups) else ()
    context = CheckContext(stages, _texts(policy, "gated_aliases"), groups=named)
    problems = check_fields(POLICY_FIELDS, value, context, "a policy")
    if isinstance(value, dict):
        for check in (
            _names_twice,
            _rules_of_on_register,
            _ids_twice,
            _ungated,
            _uncovered,
            _too_few,
            _few_pairs,
        ):
            problems += check(policy)
    if not any(found.severity == "error" for found in problems):
        problems += doubts(policy)
    return problems


def _names_twice(policy: dict[str, Any]) -> Iterator[PolicyProblem]:
    owners: dict[str, str] = {}
    for field in _NAME_LISTS:
        for index, name in enumerate(_texts(policy, field)):
            if owners.setdefault(name, field) != field:
                message = f"{shown(name)} is already among {owners[name]}"
                yield PolicyProblem((field, index), message, "give it another name")


def _rules_of_on_register(policy: dict[str, Any]) -> Iterator[PolicyProblem]:
    first = policy.get("on_register")
    for index, rule in _rules(policy):
        if first is not None and rule.get("stage") == first:
            message = f"stage {shown(str(first))} takes every new version, so no rule guards it"
            hint = "remove the rule, or name another stage in on_register"
            yield PolicyProblem(("rules", index, "stage"), message, hint)


def _ids_twice(policy: dict[str, Any]) -> Iterator[PolicyProblem]:
    seen: set[tuple[str, str]] = set()
    for index, rule in _rules(policy):
        for place, own_id in _own_ids(rule):
            key = (str(rule.get("stage")), own_id)
            if key in seen:
                message = f"another gate of stage {key[0]} has the id {shown(own_id)}"
                yield PolicyProblem(("rules", index, *place), message, "give it another id")
            seen.add(key)


def _ungated(policy: dict[str, Any]) -> Iterator[PolicyProblem]:
    for index, rule in _rules(policy):
        if not rule.get("gates") and not rule.get("from"):
            yield PolicyProblem(
                ("rules", index),
                "the rule is ungated: it asks for nothing, and all may enter",
                "give it gates, or from",
                "warning",
            )


def _uncovered(policy: dict[str, Any]) -> Iterator[PolicyProblem]:
    covered = {str(rule.get("stage")) for _index, rule in _rules(policy)}
    covered.add(str(policy.get("on_register")))
    refuses = policy.get("ungated", ALLOW) == REFUSE
    for field in _NAME_LISTS:
        for index, name in enumerate(_texts(policy, field)):
            if name not in covered:
                what = "nothing can enter it" if refuses else "all may enter it ungated"
                yield PolicyProblem(
                    (field, index),
                    f"no rule covers {shown(name)}, so {what}",
                    "add a rule for it" if refuses else "add a rule for it, or ungated: refuse",
                    "warning",
                )


def _too_few(policy: dict[str, Any]) -> Iterator[PolicyProblem]:
    """Find approvals gates that nobody can open: their groups have fewer people than they count."""
    groups = policy.get("groups")
    if not _is_map(groups):
        return
    for path, params in _gates_of(policy, "approvals"):
        names, count = params.get("from"), params.get("count", 1)
        if not isinstance(names, list) or not isinstance(count, int):
            continue
        if any(not isinstance(name, str) or name not in groups for name in names):
            # a problem of its own
            continue
        people = {
            person(actor)
            for name in names
            if isinstance(groups[name], list)
            for actor in groups[name]
            if isinstance(actor, str)
        }
        if len(people) < count:
            message = f"{count} approvals are asked for, and its groups have {len(people)} people"
            yield PolicyProblem(path, message, "add people to a group, or lower count")


def _few_pairs(policy: dict[str, Any]) -> Iterator[PolicyProblem]:
    """Find tests on differences that so few examples can pass that rare losses go unseen."""
    for path, params in _gates_of(policy, "baseline"):
        test, least = params.get("test"), params.get("min_n", 0)
        if (
            test in {PAIRED_T, PAIRED_BOOTSTRAP}
            and isinstance(least, int)
            and least < FEWEST_SURE_PAIRS
        ):
            yield PolicyProblem(
                (*path, "test"),
                f"with under {FEWEST_SURE_PAIRS} examples {test} passes too often where rare large"
                " losses hide",
                f"add min_n: {FEWEST_SURE_PAIRS} or more"
                + ("" if test == PAIRED_BOOTSTRAP else f", and prefer test: {PAIRED_BOOTSTRAP}"),
                "warning",
            )


def _gates_of(policy: dict[str, Any], kind: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    places: list[tuple[Path, Any]] = [(("policy_change",), policy.get("policy_change"))]
    places += [(("rules", index, "gates"), rule.get("gates")) for index, rule in _rules(policy)]
    for path, gates in places:
        for place, gate in enumerate(gates if isinstance(gates, list) else []):
            params = gate.get(kind) if isinstance(gate, dict) else None
            if isinstance(params, dict):
                yield (*path, place, kind), params


def _is_map(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _own_ids(rule: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    gates = rule.get("gates")
    for place, gate in enumerate(gates if isinstance(gates, list) else []):
        if isinstance(gate, dict) and len(gate) == 1:
            kind, params = split_gate(gate)
            if isinstance(params, dict) and isinstance(params.get("id"), str):
                yield ("gates", place, kind, "id"), params["id"]


def _texts(policy: dict[str, Any], field: str) -> tuple[str, ...]:
    value = policy.get(field)
    items = value if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, str))


def _rules(policy: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    rules = policy.get("rules")
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        if isinstance(rule, dict):
            yield index, rule
