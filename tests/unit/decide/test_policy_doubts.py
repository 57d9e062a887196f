"""Doubts about a policy: what hardly anybody means is told, what is meant is not."""

from typing import Any

import pytest

from regista.decide.policy_check import check_policy

GATE = {"threshold": {"suite": "s", "metric": "m", "min": "0.9"}}


def policy(*rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "format": 1, "stages": ["dev", "staging", "prod"], "on_register": "dev",
        "rules": list(rules), **fields,
    }  # fmt: skip


def rule(stage: str, *gates: Any, **fields: Any) -> dict[str, Any]:
    return {"stage": stage, "gates": list(gates) or [GATE], **fields}


def told(*rules: dict[str, Any], **fields: Any) -> list[tuple[Any, str]]:
    found = check_policy(policy(*rules, **fields))
    assert {problem.severity for problem in found} <= {"warning"}
    assert all(problem.hint for problem in found)
    return [(problem.path, problem.message) for problem in found]


STAGING, PROD = rule("staging"), rule("prod", **{"from": "staging"})


def test_a_plain_policy_raises_no_doubt() -> None:
    assert told(STAGING, PROD) == []


@pytest.mark.parametrize(
    ("matches", "doubts"),
    [
        ([{"name": "fraud/*"}], 1),
        ([{"kind": "model"}], 1),
        ([{"kind": "model"}, {"kind": "prompt"}, {"kind": "dataset"}], 1),
        ([{"kind": "model"}, {"kind": "prompt"}, {"kind": "dataset"}, {"kind": "bundle"}], 0),
        ([{"name": "fraud/*"}, {}], 0),
        ([{"name": ["fraud/*", "*"]}], 0),
        ([{"kind": "*", "name": "*"}], 0),
    ],
)
def test_entries_that_no_rule_of_a_stage_covers_are_told_of(
    matches: list[dict[str, Any]], doubts: int
) -> None:
    rules = [rule("staging"), *(rule("prod", match=match) for match in matches)]
    message = "entries that no rule for 'prod' covers may enter it ungated"
    assert told(*rules) == [(("rules", 1), message)] * doubts
    assert told(*rules, ungated="refuse") == []


def test_stages_that_wait_for_each_other_are_told() -> None:
    found = told(rule("staging", **{"from": "prod"}), PROD)
    assert found == [
        (("rules", 0, "from"),
         "nothing can enter 'staging': it comes from prod, which comes from staging"),
        (("rules", 1, "from"),
         "nothing can enter 'prod': it comes from staging, which comes from prod"),
    ]  # fmt: skip


def test_a_stage_in_front_of_a_circle_is_none_of_it() -> None:
    circle = [rule("prod", **{"from": "staging"}), rule("staging", **{"from": "prod"})]
    found = told(*circle, rule("shadow", **{"from": "prod"}), side_stages=["shadow"])
    assert [path for path, _message in found] == [("rules", 0, "from"), ("rules", 1, "from")]


def test_a_circle_of_rules_for_some_entries_is_not_told() -> None:
    match = {"match": {"name": "a*"}}
    assert told(STAGING, PROD, rule("staging", **{"from": "prod"}, **match)) == []


def test_a_soak_in_the_stage_that_is_asked_for_is_told() -> None:
    found = told(STAGING, rule("prod", {"soak": {"stage": "prod", "min": "1h"}}))
    assert found == [
        (("rules", 1, "gates", 0, "soak", "stage"),
         "what asks for 'prod' does not hold it, so nothing can pass"),
    ]  # fmt: skip
    assert told(STAGING, rule("prod", {"soak": {"stage": "staging", "min": "1h"}})) == []


def test_a_gate_that_is_said_twice_is_told_once() -> None:
    again = {"threshold": {**GATE["threshold"], "id": "another"}}
    found = told(STAGING, rule("prod", GATE, "integrity", again), rule("prod", {"integrity": {}}))
    assert found == [
        (("rules", 1, "gates", 2, "threshold"),
         "another threshold gate asks the same of the same entries"),
        (("rules", 2, "gates", 0, "integrity"),
         "another integrity gate asks the same of the same entries"),
    ]  # fmt: skip
    assert told(STAGING, PROD, rule("prod", match={"kind": "model"})) == []


def test_a_group_that_no_gate_asks_for_is_told() -> None:
    groups = {"risk": ["a"], "leads": ["b"], "all": ["c"], "next": ["d"], "idle": ["e"]}
    gates = [
        {"approvals": {"from": ["risk"]}},
        {"threshold": {**GATE["threshold"], "waivable": {"by": ["leads"], "max": "1d"}}},
    ]
    found = told(
        STAGING,
        rule("prod", *gates, waivable={"by": ["all"], "max": "1d"}),
        groups=groups,
        policy_change=[{"approvals": {"from": ["next"]}}],
    )
    assert found == [(("groups", "idle"), "no gate asks for group 'idle'")]


@pytest.mark.parametrize(
    ("people", "fields", "message"),
    [
        (["a", "b"], {"count": 2, "not_author": True}, "all 2 people of its groups must approve"),
        (["a"], {"not_author": True}, "its only member must approve"),
        (["a", "b"], {"count": 1, "not_author": True}, ""),
        (["a", "b"], {"count": 2}, ""),
        (["a", "b"], {"count": 2, "not_committer": True}, ""),
    ],
)
def test_approvals_that_an_author_among_them_makes_impossible_are_told(
    people: list[str], fields: dict[str, Any], message: str
) -> None:
    gate = {"approvals": {"from": ["risk"], **fields}}
    found = told(STAGING, rule("prod", gate), groups={"risk": people})
    assert [path for path, _text in found] == (
        [("rules", 1, "gates", 0, "approvals")] if message else []
    )
    assert all(text.startswith(message) for _path, text in found)


def test_a_policy_with_an_error_is_not_doubted() -> None:
    found = check_policy(policy(rule("prod", match={"name": "x"}), rule("nowhere")))
    assert any(problem.severity == "error" for problem in found)
    assert not any("covers may enter" in problem.message for problem in found)
