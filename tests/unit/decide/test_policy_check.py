"""The lint of policies: every mistake is named, at its place, with a way out."""

from typing import Any

import pytest

from regista.decide.gates import KINDS
from regista.decide.policy_check import check_policy
from regista.decide.policy_problem import MAX_PROBLEMS, PolicyProblem
from regista.errors import NewerFormatError

GATE = {"threshold": {"suite": "holdout", "metric": "auc", "min": "0.9"}}


def policy(*rules: object, **fields: object) -> dict[str, Any]:
    return {
        "format": 1,
        "stages": ["dev", "staging", "prod"],
        "on_register": "dev",
        "rules": list(rules),
        **fields,
    }


def covering(*gates: object, **fields: object) -> dict[str, Any]:
    """A policy without a warning, whose rule for prod has these gates."""
    return policy(
        {"stage": "staging", "gates": [GATE]},
        {"stage": "prod", "from": "staging", "gates": list(gates) or [GATE]},
        **fields,
    )


def errors(value: object) -> list[PolicyProblem]:
    return [problem for problem in check_policy(value) if problem.severity == "error"]


def test_a_right_policy_has_no_problem_not_even_a_warning() -> None:
    assert check_policy(covering()) == []


def test_all_forms_of_a_gate_and_a_match_are_taken() -> None:
    rules = [
        {"stage": "staging", "match": {"kind": "*", "name": ["a*", "b"]}, "gates": ["integrity"]},
        {"stage": "prod", "match": {"name": "x"}, "gates": [{"integrity": None}]},
    ]
    assert check_policy(policy(*rules, ungated="refuse")) == []


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        (None, (), "a policy is a mapping, not nothing"),
        ([], (), "a policy is a mapping, not a list"),
        ({}, (), "a policy needs format"),
        (covering(format="1"), ("format",), "format must be 1, not the text '1'"),
        (covering(format=True), ("format",), "format must be 1, not true"),
        (covering(format=0), ("format",), "format must be 1, not the number 0"),
        (covering(stages="prod"), ("stages",), "stages must be a list, not the text 'prod'"),
        (covering(on_register="qa"), ("on_register",), "the policy has no stage 'qa'"),
        (
            covering(ungated="maybe"),
            ("ungated",),
            "must be one of allow, refuse, not the text 'maybe'",
        ),
        (covering(side_stages=["prod"]), ("side_stages", 0), "'prod' is already among stages"),
        (covering(gated_aliases=["prod"]), ("gated_aliases", 0), "'prod' is already among stages"),
        (policy(rules={}), ("rules",), "rules must be a list, not a mapping"),
        (policy("prod"), ("rules", 0), "a rule is a mapping, not the text 'prod'"),
        (policy({"gates": []}), ("rules", 0), "a rule needs stage"),
        (policy({"stage": "qa"}), ("rules", 0, "stage"), "the policy has no stage 'qa'"),
        (policy({"stage": ["prod"]}), ("rules", 0, "stage"), "a stage is text, not a list"),
        (
            policy({"stage": "prod", "from": "qa"}),
            ("rules", 0, "from"),
            "the policy has no stage 'qa'",
        ),
        (
            policy({"stage": "prod", "from": "prod"}),
            ("rules", 0, "from"),
            "a version cannot come from the text 'prod' to the same stage",
        ),
        (
            policy({"stage": "dev", "gates": [GATE]}),
            ("rules", 0, "stage"),
            "stage 'dev' takes every new version, so no rule guards it",
        ),
        (
            policy({"stage": "prod", "match": {"kind": "modle"}}),
            ("rules", 0, "match", "kind"),
            "must be one of model, prompt, dataset, bundle, *, not the text 'modle'",
        ),
        (
            policy({"stage": "prod", "match": {"name": 7}}),
            ("rules", 0, "match", "name"),
            "a pattern is text, not the number 7",
        ),
        (
            policy({"stage": "prod", "match": {"name": []}}),
            ("rules", 0, "match", "name"),
            "name is empty",
        ),
        (
            policy({"stage": "prod", "gates": {"threshold": {}}}),
            ("rules", 0, "gates"),
            "gates must be a list, not a mapping",
        ),
        (
            covering(7),
            ("rules", 1, "gates", 0),
            "a gate is one kind with its fields, not the number 7",
        ),
        (
            covering({"threshold": None, "suite": "a"}),
            ("rules", 1, "gates", 0),
            "a gate is one kind with its fields, not a mapping with 2 keys",
        ),
        (
            covering({"integrity": []}),
            ("rules", 1, "gates", 0, "integrity"),
            "the integrity gate is a mapping, not a list",
        ),
    ],
)
def test_a_wrong_shape_is_named_at_its_place(
    value: object, path: tuple[Any, ...], message: str
) -> None:
    assert (path, message) in [(problem.path, problem.message) for problem in errors(value)]


@pytest.mark.parametrize(
    "name", ["", "a b", "latest", "v1", "V22", "12", "é", "a/b", "x" * 256, "a\nb"]
)
def test_names_that_a_stage_may_not_have(name: str) -> None:
    [problem] = errors({"format": 1, "stages": [name]})
    assert problem.path == ("stages", 0)


@pytest.mark.parametrize("name", ["a", "prod-eu_2", "x" * 255, "v1x", "1a"])
def test_names_that_a_stage_may_have(name: str) -> None:
    assert errors({"format": 1, "stages": [name]}) == []


def test_a_stage_twice_is_an_error() -> None:
    [problem] = errors({"format": 1, "stages": ["a", "b", "a"]})
    assert (problem.path, problem.message) == (("stages", 2), "stages has the text 'a' twice")


@pytest.mark.parametrize(
    ("value", "path", "hint"),
    [
        (covering(stagse=[]), ("stagse",), "did you mean stages?"),
        (policy({"stage": "prod", "form": "staging"}), ("rules", 0, "form"), "did you mean from?"),
        (
            covering({"treshold": {}}),
            ("rules", 1, "gates", 0, "treshold"),
            "did you mean threshold?",
        ),
        (
            covering({"threshold": {**GATE["threshold"], "mni": 1}}),
            ("rules", 1, "gates", 0, "threshold", "mni"),
            "did you mean min?",
        ),
        (
            policy({"stage": "prod", "match": {"nmae": "x"}}),
            ("rules", 0, "match", "nmae"),
            "did you mean name?",
        ),
        (
            covering({"clairvoyance": {"count": 2}}),
            ("rules", 1, "gates", 0, "clairvoyance"),
            f"use one of: {', '.join(KINDS)}",
        ),
    ],
)
def test_an_unknown_word_is_answered_with_the_one_that_was_meant(
    value: object, path: tuple[Any, ...], hint: str
) -> None:
    [problem] = errors(value)
    assert (problem.path, problem.hint, problem.on_key) == (path, hint, True)


def test_a_stage_name_that_is_no_text_is_named() -> None:
    [problem] = errors({"format": 1, "stages": [2026]})
    assert (problem.message, problem.hint) == (
        "a stage name is text, not the number 2026",
        "put it in quotes",
    )


def test_lists_that_may_be_empty() -> None:
    assert errors({"format": 1, "stages": ["prod"], "rules": []}) == []
    assert errors(policy({"stage": "prod", "from": "staging", "gates": []})) == []


def test_an_unknown_gate_without_fields_is_named_too() -> None:
    [problem] = errors(covering("integrty"))
    assert (problem.path, problem.on_key) == (("rules", 1, "gates", 0), False)


def test_one_id_for_two_gates_of_a_stage_is_an_error() -> None:
    named = {"threshold": {**GATE["threshold"], "id": "quality"}}
    prod, staging = ({"stage": stage, "gates": [named]} for stage in ("prod", "staging"))
    [problem] = errors(policy(prod, prod))
    assert problem.path == ("rules", 1, "gates", 0, "threshold", "id")
    assert errors(policy(prod, staging)) == []


def test_an_alias_may_be_guarded_but_not_drilled() -> None:
    gates = [{"drill": {"max_age": "1d"}}]
    value = policy({"stage": "champion", "gates": gates}, gated_aliases=["champion"])
    [problem] = errors(value)
    assert problem.message == "an alias cannot be drilled"
    gates[0]["drill"]["stage"] = "prod"
    assert errors(value) == []


def warnings(value: object) -> list[tuple[tuple[Any, ...], str]]:
    return [
        (problem.path, problem.message)
        for problem in check_policy(value)
        if problem.severity == "warning"
    ]


def test_a_rule_that_asks_for_nothing_is_warned_about() -> None:
    found = warnings(policy({"stage": "staging"}, {"stage": "prod", "from": "staging"}))
    assert found == [(("rules", 0), "the rule is ungated: it asks for nothing, and all may enter")]


def test_stages_that_no_rule_covers_are_warned_about() -> None:
    value = policy({"stage": "prod", "gates": [GATE]}, side_stages=["shadow"])
    assert warnings(value) == [
        (("stages", 1), "no rule covers 'staging', so all may enter it ungated"),
        (("side_stages", 0), "no rule covers 'shadow', so all may enter it ungated"),
    ]
    refusing = warnings({**value, "ungated": "refuse"})
    assert refusing[0] == (("stages", 1), "no rule covers 'staging', so nothing can enter it")


def test_a_newer_format_is_an_error_of_its_own() -> None:
    with pytest.raises(NewerFormatError, match="format 2"):
        check_policy({"format": 2, "anything": []})


def test_a_hostile_policy_has_a_bounded_number_of_problems() -> None:
    value = policy(*["x"] * 50_000, **{f"key{i}": i for i in range(50_000)})
    assert len(check_policy(value)) <= 3 * MAX_PROBLEMS


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"groups": ["ann"]}, ("groups",), "groups is a mapping, not a list"),
        ({"groups": {"a b": ["ann"]}}, ("groups", "a b"), "'a b' is not a group name"),
        ({"groups": {"risk": []}}, ("groups", "risk"), "the group is empty"),
        ({"groups": {"risk": "ann"}}, ("groups", "risk"), "the group must be a list"),
        ({"groups": {"risk": [7]}}, ("groups", "risk", 0), "an actor is text"),
        (
            {"groups": {"risk": ["ann", "ANN"]}},
            ("groups", "risk", 1),
            "the text 'ANN' is the same person as the text 'ann'",
        ),
        (
            {"policy_change": ["integrity"]},
            ("policy_change", 0),
            "a change of the policy has no version, so no integrity gate can judge it",
        ),
        (
            {"policy_change": [GATE]},
            ("policy_change", 0, "threshold"),
            "so no threshold gate can judge it",
        ),
        (
            {"policy_change": [{"approvals": {"not_author": True}}]},
            ("policy_change", 0, "approvals", "not_author"),
            "not_author says nothing where there is no version",
        ),
        (
            {"policy_change": [{"approvals": {"waivable": False}}]},
            ("policy_change", 0, "approvals", "waivable"),
            "waivable says nothing",
        ),
        (
            {"policy_change": [{"approvals": {"count": 0}}]},
            ("policy_change", 0, "approvals", "count"),
            "must be a whole number from 1 to 20",
        ),
        (
            {"policy_change": [{"approvals": {"from": ["risc"]}}], "groups": {"risk": ["ann"]}},
            ("policy_change", 0, "approvals", "from", 0),
            "the policy has no group 'risc'",
        ),
        (
            {
                "policy_change": [{"approvals": {"from": ["risk"], "count": 2}}],
                "groups": {"risk": ["ann"]},
            },
            ("policy_change", 0, "approvals"),
            "2 approvals are asked for, and its groups have 1 people",
        ),
    ],
)
def test_groups_and_the_guard_of_the_policy_itself(
    fields: dict[str, Any], path: tuple[Any, ...], message: str
) -> None:
    [problem] = errors(covering(**fields))
    assert problem.path == path
    assert message in problem.message


@pytest.mark.parametrize(
    ("waivable", "path", "message"),
    [
        (True, (), "waivable is a mapping, not true"),
        ({"by": ["leads"]}, (), "waivable needs max"),
        ({"max": "1d"}, (), "waivable needs by"),
        ({"by": ["x"], "max": "1d"}, ("by", 0), "the policy has no group 'x'"),
        ({"by": [7], "max": "1d"}, ("by", 0), "a group is text, not the number 7"),
        ({"by": ["leads"], "max": 7}, ("max",), "must be a duration"),
    ],
)
def test_waivable_on_a_gate_and_on_a_rule(
    waivable: object, path: tuple[Any, ...], message: str
) -> None:
    groups = {"leads": ["lea"]}
    gate = {"threshold": {**GATE["threshold"], "waivable": waivable}}
    [on_gate] = errors(covering(gate, groups=groups))
    assert on_gate.path == ("rules", 1, "gates", 0, "threshold", "waivable", *path)
    assert message in on_gate.message
    value = covering(groups=groups)
    value["rules"][1]["waivable"] = waivable
    [on_rule] = errors(value)
    assert on_rule.path == ("rules", 1, "waivable", *path)


def test_a_policy_with_people_in_it_is_right() -> None:
    waivable = {"by": ["leads"], "max": "14d"}
    gate = {"approvals": {"count": 2, "from": ["risk"], "meaning": "m", "waivable": False}}
    value = covering(
        gate,
        groups={"risk": ["ann", "bob"], "leads": ["lea"]},
        policy_change=[{"approvals": {"from": ["leads"], "not_committer": True, "max_age": "7d"}}],
    )
    value["rules"][1]["waivable"] = waivable
    assert check_policy(value) == []
    assert check_policy(covering(policy_change=None)) == []


@pytest.mark.parametrize(
    ("params", "warned"),
    [
        ({"test": "paired_t"}, True),
        ({"test": "paired_t", "min_n": 49}, True),
        ({"test": "paired_bootstrap"}, True),
        ({"test": "paired_bootstrap", "min_n": 50}, False),
        ({"test": "mcnemar"}, False),
        ({}, False),
    ],
)
def test_tests_that_few_examples_may_pass_are_warned_about(
    params: dict[str, Any], *, warned: bool
) -> None:
    gate = {"baseline": {"suite": "s", "metric": "m", "max_regression": "0.1", **params}}
    value = policy({"stage": "staging", "from": "prod"}, {"stage": "prod", "gates": [gate]})
    found = [where for where, message in warnings(value) if "rare large losses" in message]
    assert found == ([("rules", 1, "gates", 0, "baseline", "test")] if warned else [])
