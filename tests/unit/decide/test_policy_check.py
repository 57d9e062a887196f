"""The lint of policies: every mistake is named, at its place, with a way out."""

from typing import Any

import pytest

from regista.decide.policy_check import check_policy
from regista.decide.policy_problem import MAX_PROBLEMS, PolicyProblem
from regista.errors import NewerFormatError

GATE = {"threshold": {"suite": "holdout", "metric": "auc", "min": "0.9"}}


def policy(*rules: Any, **fields: Any) -> dict[str, Any]:
    return {
        "format": 1, "stages": ["dev", "staging", "prod"], "on_register": "dev",
        "rules": list(rules), **fields,
    }


def covering(*gates: Any, **fields: Any) -> dict[str, Any]:
    """A policy without a warning, whose rule for prod has these gates."""
    return policy(
        {"stage": "staging", "gates": [GATE]},
        {"stage": "prod", "from": "staging", "gates": list(gates) or [GATE]}, **fields,
    )


def errors(value: Any) -> list[PolicyProblem]:
    return [problem for problem in check_policy(value) if problem.severity == "error"]


def gate_errors(kind: str, params: Any) -> list[PolicyProblem]:
    return errors(covering({kind: params}))


def test_a_right_policy_has_no_problem_not_even_a_warning() -> None:
    assert check_policy(covering()) == []


def test_all_forms_of_a_gate_and_a_match_are_taken() -> None:
    rules = [
        {"stage": "staging", "match": {"kind": "*", "name": ["a*", "b"]}, "gates": ["integrity"]},
        {"stage": "prod", "match": {"name": "x"}, "gates": [{"integrity": None}]},
    ]
    assert check_policy(policy(*rules)) == []


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        (None, (), "a policy is a mapping, not nothing"),
        ([], (), "a policy is a mapping, not a list"),
        ({}, (), "a policy needs format"),
        (covering(format="1"), ("format",), "format must be 1, not the text '1'"),
        (covering(format=True), ("format",), "format must be 1, not true"),
        (covering(format=0), ("format",), "format must be 1, not the number 0"),
        (covering(stages="prod"), ("stages",), "the list must be a list, not the text 'prod'"),
        (covering(on_register="qa"), ("on_register",), "the policy has no stage 'qa'"),
        (covering(ungated="maybe"), ("ungated",),
         "must be one of allow, refuse, not the text 'maybe'"),
        (covering(side_stages=["prod"]), ("side_stages", 0), "'prod' is already among stages"),
        (covering(gated_aliases=["prod"]), ("gated_aliases", 0),
         "'prod' is already among stages"),
        (policy(rules={}), ("rules",), "rules must be a list, not a mapping"),
        (policy("prod"), ("rules", 0), "a rule is a mapping, not the text 'prod'"),
        (policy({"gates": []}), ("rules", 0), "a rule needs stage"),
        (policy({"stage": "qa"}), ("rules", 0, "stage"), "the policy has no stage 'qa'"),
        (policy({"stage": ["prod"]}), ("rules", 0, "stage"), "a stage is text, not a list"),
        (policy({"stage": "prod", "from": "qa"}), ("rules", 0, "from"),
         "the policy has no stage 'qa'"),
        (policy({"stage": "prod", "from": "prod"}), ("rules", 0, "from"),
         "a version cannot come from the text 'prod' to the same stage"),
        (policy({"stage": "dev", "gates": [GATE]}), ("rules", 0, "stage"),
         "stage 'dev' takes every new version, so no rule guards it"),
        (policy({"stage": "prod", "match": {"kind": "modle"}}), ("rules", 0, "match", "kind"),
         "must be one of model, prompt, dataset, bundle, *, not the text 'modle'"),
        (policy({"stage": "prod", "match": {"name": 7}}), ("rules", 0, "match", "name"),
         "a pattern is text, not the number 7"),
        (policy({"stage": "prod", "match": {"name": []}}), ("rules", 0, "match", "name"),
         "name is empty"),
        (policy({"stage": "prod", "gates": {"threshold": {}}}), ("rules", 0, "gates"),
         "gates must be a list, not a mapping"),
        (covering(7), ("rules", 1, "gates", 0),
         "a gate is one kind with its fields, not the number 7"),
        (covering({"threshold": None, "suite": "a"}), ("rules", 1, "gates", 0),
         "a gate is one kind with its fields, not a mapping with 2 keys"),
        (covering({"integrity": []}), ("rules", 1, "gates", 0, "integrity"),
         "the integrity gate is a mapping, not a list"),
    ],
)
def test_a_wrong_shape_is_named_at_its_place(value: Any, path: tuple[Any, ...], message: str) -> None:
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
    assert (problem.path, problem.message) == (("stages", 2), "the list has the text 'a' twice")


@pytest.mark.parametrize(
    ("value", "path", "hint"),
    [
        (covering(stagse=[]), ("stagse",), "did you mean stages?"),
        (policy({"stage": "prod", "form": "staging"}), ("rules", 0, "form"), "did you mean from?"),
        (covering({"treshold": {}}), ("rules", 1, "gates", 0, "treshold"),
         "did you mean threshold?"),
        (covering({"threshold": {**GATE["threshold"], "minn": 1}}),
         ("rules", 1, "gates", 0, "threshold", "minn"), "did you mean min?"),
        (policy({"stage": "prod", "match": {"nmae": "x"}}), ("rules", 0, "match", "nmae"),
         "did you mean name?"),
        (covering({"approvals": {"count": 2}}), ("rules", 1, "gates", 0, "approvals"),
         "use one of: threshold, baseline, freshness, coverage, soak, drill, lineage, integrity, "
         "metadata, sql"),
    ],
)
def test_an_unknown_word_is_answered_with_the_one_that_was_meant(
    value: Any, path: tuple[Any, ...], hint: str
) -> None:
    [problem] = errors(value)
    assert (problem.path, problem.hint, problem.on_key) == (path, hint, True)


def test_an_unknown_gate_without_fields_is_named_too() -> None:
    [problem] = errors(covering("integrty"))
    assert (problem.path, problem.on_key) == (("rules", 1, "gates", 0), False)


SUITE = {"suite": "holdout"}
SCORE = {"suite": "holdout", "metric": "auc"}


@pytest.mark.parametrize(
    ("kind", "params", "path", "message"),
    [
        ("threshold", {"metric": "auc", "min": 1}, (), "the threshold gate needs suite"),
        ("threshold", SCORE, (), "needs min or max"),
        ("threshold", {**SCORE, "min": "0.9", "max": "0.8"}, (),
         "no score lies between min and max"),
        ("threshold", {**SCORE, "min": 1, "max": 1, "strict": True}, (),
         "no score lies between min and max"),
        ("threshold", {**SCORE, "min": "high"}, ("min",), "must be a number, not the text 'high'"),
        ("threshold", {**SCORE, "min": ".inf"}, ("min",), "must be a number, not the text '.inf'"),
        ("threshold", {**SCORE, "min": "NaN"}, ("min",), "must be a number, not the text 'NaN'"),
        ("threshold", {**SCORE, "min": "1e999"}, ("min",),
         "the number is '1e999', which is not a finite number"),
        ("threshold", {**SCORE, "min": "1_0"}, ("min",), "must be a number, not the text '1_0'"),
        ("threshold", {**SCORE, "min": True}, ("min",), "must be a number, not true"),
        ("threshold", {**SCORE, "min": None}, ("min",), "must be a number, not nothing"),
        ("threshold", {**SCORE, "min": 1, "strict": "yes"}, ("strict",),
         "must be true or false, not the text 'yes'"),
        ("threshold", {**SCORE, "min": 1, "slice": "a", "slices": ["b"]}, (),
         "slice and slices exclude each other"),
        ("threshold", {**SCORE, "min": 1, "slices": "some"}, ("slices",),
         "slices is a list or all, not the text 'some'"),
        ("threshold", {**SCORE, "min": 1, "slices": []}, ("slices",), "slices is empty"),
        ("threshold", {**SCORE, "min": 1, "slices": ["a", 1]}, ("slices", 1),
         "slices is text, not the number 1"),
        ("threshold", {**SCORE, "min": 1, "suite": 2024}, ("suite",),
         "a suite is text, not the number 2024"),
        ("threshold", {**SCORE, "min": 1, "suite": "a\u0000"}, ("suite",),
         "a suite has the control character U+0000"),
        ("threshold", {**SCORE, "min": 1, "id": "a b"}, ("id",), "the text 'a b' is not an id"),
        ("threshold", {**SCORE, "min": 1, "id": 5}, ("id",), "an id is text, not the number 5"),
        ("baseline", {**SCORE, "max_regression": "-0.1"}, ("max_regression",),
         "must not be negative, and is -0.1"),
        ("baseline", {**SCORE, "against": "qa"}, ("against",), "the policy has no stage 'qa'"),
        ("baseline", {**SCORE, "against": {"version": 0}}, ("against",),
         "must be a stage or {version: N}"),
        ("baseline", {**SCORE, "against": {"version": True}}, ("against",),
         "must be a stage or {version: N}"),
        ("baseline", {**SCORE, "against": 3}, ("against",), "a stage is text, not the number 3"),
        ("baseline", {**SCORE, "test": "paired"}, ("test",),
         "must be one of none, stderr, not the text 'paired'"),
        ("baseline", {**SCORE, "confidence": "0.9"}, (), "confidence needs a test"),
        ("baseline", {**SCORE, "confidence": "95", "test": "stderr"}, ("confidence",),
         "must be from 0.5 to 0.999999, and is 95"),
        ("baseline", {**SCORE, "superiority": True, "max_regression": "0.1"}, (),
         "superiority leaves no room for max_regression"),
        ("freshness", SUITE, (), "the freshness gate needs max_age"),
        ("freshness", {**SUITE, "max_age": "7 days"}, ("max_age",), "'7 days' is not a duration"),
        ("freshness", {**SUITE, "max_age": 7}, ("max_age",),
         "must be a duration, not the number 7"),
        ("freshness", {**SUITE, "max_age": "999999999w"}, ("max_age",),
         "'999999999w' is longer than can be reckoned with"),
        ("freshness", {**SUITE, "max_age": "40000d"}, ("max_age",),
         "'40000d' is longer than a hundred years"),
        ("coverage", {}, (), "needs suite or suites"),
        ("coverage", {"suite": "a", "suites": ["b"]}, (), "suite and suites exclude each other"),
        ("coverage", {"suites": "any", "slices": ["a"]}, (), "slices needs named suites"),
        ("coverage", {"suite": "a", "task": "b"}, (), "task needs metrics or slices"),
        ("soak", {"stage": "qa", "min": "1d"}, ("stage",), "the policy has no stage 'qa'"),
        ("drill", {"stage": "qa", "max_age": "1d"}, ("stage",), "the policy has no stage 'qa'"),
        ("lineage", {"require": "run"}, ("require",),
         "require must be a list, not the text 'run'"),
        ("lineage", {"require": ["rnu"]}, ("require", 0),
         "must be one of dataset, run, code, base, member, uri, not the text 'rnu'"),
        ("lineage", {"require": ["run", "run"]}, ("require", 1), "require has the text 'run' twice"),
        ("integrity", {"deep": True}, ("deep",), "the integrity gate has no key 'deep'"),
        ("metadata", {}, (), "the gate asks for nothing"),
        ("metadata", {"card": False}, (), "the gate asks for nothing"),
        ("metadata", {"tags": [{"a": 1}]}, ("tags", 0, "a"), "a tag is text, not the number 1"),
        ("metadata", {"tags": [{"a": []}]}, ("tags", 0, "a"), "a tag is text, not a list"),
        ("metadata", {"tags": [{"a": "x", "b": "y"}]}, ("tags", 0),
         "a tag is key or {key: value}, not a mapping"),
        ("metadata", {"tags": [""]}, ("tags", 0), "a tag key is empty or has a line break"),
        ("metadata", {"licence": ["MIT"], "license": ["MIT"]}, (),
         "licence and license exclude each other"),
        ("sql", {}, (), "needs file or query"),
        ("sql", {"file": "a.sql", "query": "SELECT 1"}, (), "file and query exclude each other"),
        ("sql", {"query": " "}, ("query",), "a query is text, not the text ' '"),
        ("sql", {"query": "x" * 65_537}, ("query",),
         "the query has 65,537 characters; at most 65,536 are allowed"),
        ("sql", {"query": "SELECT 1", "timeout": "61s"}, ("timeout",),
         "must be from 1s to 60s, and is 61s"),
        ("sql", {"query": "SELECT 1", "timeout": "0s"}, ("timeout",),
         "must be from 1s to 60s, and is 0s"),
        ("sql", {"query": "SELECT 1", "memory_mb": 15}, ("memory_mb",),
         "must be a whole number from 16 to 4096, not the number 15"),
        ("sql", {"file": 7}, ("file",), "a file is a path, not the number 7"),
    ],
)
def test_a_wrong_parameter_is_named_at_its_place(
    kind: str, params: dict[str, Any], path: tuple[Any, ...], message: str
) -> None:
    found = [(problem.path[5:], problem.message) for problem in gate_errors(kind, params)]
    assert found == [(path, message)]


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../x.sql", "a/../b.sql", "./a.sql", "a//b.sql", "a\\b.sql", "C:x.sql", "",
     "a/", "x\n.sql"],
)
def test_a_file_outside_the_policys_folder_is_refused(name: str) -> None:
    [problem] = gate_errors("sql", {"file": name})
    assert problem.path[5:] == ("file",)


def test_one_id_for_two_gates_of_a_stage_is_an_error() -> None:
    named = {"threshold": {**GATE["threshold"], "id": "quality"}}
    [problem] = errors(policy({"stage": "prod", "gates": [named]}, {"stage": "prod", "gates": [named]}))
    assert problem.path == ("rules", 1, "gates", 0, "threshold", "id")
    assert errors(policy({"stage": "prod", "gates": [named]}, {"stage": "staging", "gates": [named]})) == []


def test_an_alias_may_be_guarded_but_not_drilled() -> None:
    gates = [{"drill": {"max_age": "1d"}}]
    value = policy({"stage": "champion", "gates": gates}, gated_aliases=["champion"])
    [problem] = errors(value)
    assert problem.message == "an alias cannot be drilled"
    gates[0]["drill"]["stage"] = "prod"
    assert errors(value) == []


def warnings(value: Any) -> list[tuple[tuple[Any, ...], str]]:
    return [
        (problem.path, problem.message) for problem in check_policy(value)
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
