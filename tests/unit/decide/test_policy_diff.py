"""The difference of two policies, rule by rule and gate by gate, with what of it loosens."""

from typing import Any

import pytest

from regista.decide.policy import Policy
from regista.decide.policy_diff import PolicyChange, difference

THRESHOLD: dict[str, Any] = {"suite": "s", "metric": "m", "min": "0.8"}
RULE: dict[str, Any] = {"stage": "prod", "gates": [{"threshold": THRESHOLD}]}


def policy(*rules: dict[str, Any], **fields: Any) -> Policy:
    value = {"format": 1, "stages": ["dev", "staging", "prod"], "rules": list(rules), **fields}
    return Policy.from_json(value)


def rule(*gates: Any, **fields: Any) -> dict[str, Any]:
    return {"stage": "prod", "gates": list(gates), **fields}


def threshold(**fields: Any) -> dict[str, Any]:
    return {"threshold": {**THRESHOLD, **fields}}


def changes(old: Policy, new: Policy) -> list[tuple[Any, ...]]:
    return [
        (item.change, item.what, item.gate or item.subject, item.field, item.before, item.after,
         item.effect)
        for item in difference(old, new).changes
    ]  # fmt: skip


def test_equal_policies_do_not_differ_nor_does_their_order() -> None:
    one = policy(rule(threshold(), "integrity"), rule("integrity", stage="staging"))
    other = policy(rule("integrity", stage="staging"), rule("integrity", threshold()))
    assert difference(one, one).changes == difference(one, other).changes == []
    assert difference(one, other).loosens == []


@pytest.mark.parametrize(
    ("after", "field", "values", "effect"),
    [
        (threshold(min="0.7"), "min", ("0.8", "0.7"), "looser"),
        (threshold(min="0.9"), "min", ("0.8", "0.9"), "stricter"),
        (threshold(min_n=5), "min_n", (None, 5), "stricter"),
        (threshold(waivable={"by": ["g"], "max": "1d"}), "waivable",
         (None, {"by": ["g"], "max": "1d"}), "looser"),
    ],
)  # fmt: skip
def test_a_changed_gate_tells_its_field_and_which_way_it_goes(
    after: dict[str, Any], field: str, values: tuple[Any, Any], effect: str
) -> None:
    change = "added" if values[0] is None else "changed"
    assert changes(policy(rule(threshold())), policy(rule(after), groups={})) == [
        (change, "gate", "threshold:s/m", field, *values, effect)
    ]


def test_a_gate_that_goes_both_ways_says_so() -> None:
    found = changes(policy(rule(threshold(max="2"))), policy(rule(threshold(min="0.7", max="1"))))
    assert {item[-1] for item in found} == {"both"}
    assert {item[3] for item in found} == {"min", "max"}


def test_added_and_removed_gates_are_told_whole() -> None:
    found = changes(policy(rule(threshold())), policy(rule("integrity")))
    assert found == [
        ("removed", "gate", "threshold:s/m", "", {"kind": "threshold", **THRESHOLD}, None, ""),
        ("added", "gate", "integrity", "", None, {"kind": "integrity"}, ""),
    ]


def test_of_gates_with_one_id_each_is_told_once() -> None:
    found = changes(policy(rule(threshold())), policy(rule(threshold(), threshold(min="0.9"))))
    assert [item[:3] for item in found] == [("added", "gate", "threshold:s/m")]


def test_added_and_removed_rules_are_told_whole() -> None:
    [added] = difference(policy(), policy(RULE)).changes
    assert (added.change, added.what, added.subject) == ("added", "rule", "entry to prod")
    assert added.after["gates"][0]["id"] == "threshold:s/m"
    [removed] = difference(policy(RULE), policy()).changes
    assert (removed.change, removed.before) == ("removed", added.after)
    assert difference(policy(RULE), policy()).loosens


def test_a_rule_that_asks_the_same_of_others_has_another_match() -> None:
    narrow = {**RULE, "match": {"kind": "model", "name": "a/*"}}
    assert difference(policy(RULE), policy(narrow)).changes == [
        PolicyChange(
            "changed", "rule", "model a/* to prod", "", "match",
            {"kind": "*", "name": ["*"]}, {"kind": "model", "name": ["a/*"]}, "",
        )
    ]  # fmt: skip


def test_where_a_rule_comes_from_is_told() -> None:
    found = changes(policy(rule(threshold(), **{"from": "staging"})), policy(rule(threshold())))
    assert found == [("changed", "rule", "entry to prod", "from", "staging", None, "")]


def test_fields_groups_and_the_gates_of_the_next_policy_are_told() -> None:
    old = policy(ungated="refuse", groups={"a": ["x"], "b": ["y"]})
    new = policy(
        ungated="allow",
        side_stages=["shadow"],
        groups={"a": ["x", "z"], "c": ["y"]},
        policy_change=[{"approvals": {"count": 1}}],
    )
    assert changes(old, new) == [
        ("changed", "policy", "side_stages", "side_stages", [], ["shadow"], ""),
        ("changed", "policy", "ungated", "ungated", "refuse", "allow", ""),
        ("changed", "group", "a", "", ["x"], ["x", "z"], ""),
        ("removed", "group", "b", "", ["y"], None, ""),
        ("added", "group", "c", "", None, ["y"], ""),
        ("added", "gate", "approvals", "", None, {"kind": "approvals", "count": 1}, ""),
    ]
