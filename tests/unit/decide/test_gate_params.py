"""The lint of gate parameters: what each kind refuses, named at its place."""

from typing import Any

import pytest

from regista.decide.policy_check import check_policy
from regista.decide.policy_problem import PolicyProblem


def gate_errors(kind: str, params: object) -> list[PolicyProblem]:
    rule = {"stage": "prod", "gates": [{kind: params}]}
    policy = {"format": 1, "stages": ["dev", "staging", "prod"], "rules": [rule]}
    return [problem for problem in check_policy(policy) if problem.severity == "error"]


SUITE = {"suite": "holdout"}
SCORE = {"suite": "holdout", "metric": "auc"}


@pytest.mark.parametrize(
    ("kind", "params", "path", "message"),
    [
        ("threshold", {"metric": "auc", "min": 1}, (), "the threshold gate needs suite"),
        ("threshold", SCORE, (), "needs min or max"),
        (
            "threshold",
            {**SCORE, "min": "0.9", "max": "0.8"},
            (),
            "no score lies between min and max",
        ),
        (
            "threshold",
            {**SCORE, "min": 1, "max": 1, "strict": True},
            (),
            "no score lies between min and max",
        ),
        ("threshold", {**SCORE, "min": "high"}, ("min",), "must be a number, not the text 'high'"),
        ("threshold", {**SCORE, "min": ".inf"}, ("min",), "must be a number, not the text '.inf'"),
        ("threshold", {**SCORE, "min": "NaN"}, ("min",), "must be a number, not the text 'NaN'"),
        (
            "threshold",
            {**SCORE, "min": "1e999"},
            ("min",),
            "the number is '1e999', which is not a finite number",
        ),
        ("threshold", {**SCORE, "min": "1_0"}, ("min",), "must be a number, not the text '1_0'"),
        ("threshold", {**SCORE, "min": True}, ("min",), "must be a number, not true"),
        ("threshold", {**SCORE, "min": None}, ("min",), "must be a number, not nothing"),
        (
            "threshold",
            {**SCORE, "min": 1, "strict": "yes"},
            ("strict",),
            "must be true or false, not the text 'yes'",
        ),
        (
            "threshold",
            {**SCORE, "min": 1, "slice": "a", "slices": ["b"]},
            (),
            "slice and slices exclude each other",
        ),
        (
            "threshold",
            {**SCORE, "min": 1, "slices": "some"},
            ("slices",),
            "slices is a list or all, not the text 'some'",
        ),
        ("threshold", {**SCORE, "min": 1, "slices": []}, ("slices",), "slices is empty"),
        (
            "threshold",
            {**SCORE, "min": 1, "slices": ["a", 1]},
            ("slices", 1),
            "slices is text, not the number 1",
        ),
        (
            "threshold",
            {**SCORE, "min": 1, "suite": 2024},
            ("suite",),
            "a suite is text, not the number 2024",
        ),
        (
            "threshold",
            {**SCORE, "min": 1, "suite": "a\u0000"},
            ("suite",),
            "a suite has the control character U+0000",
        ),
        ("threshold", {**SCORE, "min": 1, "id": "a b"}, ("id",), "the text 'a b' is not an id"),
        ("threshold", {**SCORE, "min": 1, "id": 5}, ("id",), "an id is text, not the number 5"),
        (
            "baseline",
            {**SCORE, "max_regression": "-0.1"},
            ("max_regression",),
            "must not be negative, and is -0.1",
        ),
        ("baseline", {**SCORE, "against": "qa"}, ("against",), "the policy has no stage 'qa'"),
        (
            "baseline",
            {**SCORE, "against": {"version": 0}},
            ("against",),
            "must be a stage or {version: N}",
        ),
        (
            "baseline",
            {**SCORE, "against": {"version": True}},
            ("against",),
            "must be a stage or {version: N}",
        ),
        ("baseline", {**SCORE, "against": 3}, ("against",), "a stage is text, not the number 3"),
        (
            "baseline",
            {**SCORE, "test": "paired"},
            ("test",),
            (
                "must be one of none, stderr, paired_bootstrap, paired_t, mcnemar,"
                " not the text 'paired'"
            ),
        ),
        ("baseline", {**SCORE, "confidence": "0.9"}, (), "confidence needs a test"),
        (
            "baseline",
            {**SCORE, "confidence": "95", "test": "stderr"},
            ("confidence",),
            "must be from 0.5 to 0.999999, and is 95",
        ),
        (
            "baseline",
            {**SCORE, "superiority": True, "max_regression": "0.1"},
            (),
            "superiority leaves no room for max_regression",
        ),
        ("freshness", SUITE, (), "the freshness gate needs max_age"),
        ("freshness", {**SUITE, "max_age": "7 days"}, ("max_age",), "'7 days' is not a duration"),
        (
            "freshness",
            {**SUITE, "max_age": 7},
            ("max_age",),
            "must be a duration, not the number 7",
        ),
        (
            "freshness",
            {**SUITE, "max_age": "999999999w"},
            ("max_age",),
            "'999999999w' is longer than can be reckoned with",
        ),
        (
            "freshness",
            {**SUITE, "max_age": "40000d"},
            ("max_age",),
            "'40000d' is longer than a hundred years",
        ),
        ("coverage", {}, (), "needs suite or suites"),
        ("coverage", {"suite": "a", "suites": ["b"]}, (), "suite and suites exclude each other"),
        ("coverage", {"suites": "any", "slices": ["a"]}, (), "slices needs named suites"),
        ("coverage", {"suite": "a", "task": "b"}, (), "task needs metrics or slices"),
        ("soak", {"stage": "qa", "min": "1d"}, ("stage",), "the policy has no stage 'qa'"),
        ("drill", {"stage": "qa", "max_age": "1d"}, ("stage",), "the policy has no stage 'qa'"),
        ("lineage", {"require": "run"}, ("require",), "require must be a list, not the text 'run'"),
        (
            "lineage",
            {"require": ["rnu"]},
            ("require", 0),
            "must be one of dataset, run, code, base, member, uri, not the text 'rnu'",
        ),
        (
            "lineage",
            {"require": ["run", "run"]},
            ("require", 1),
            "require has the text 'run' twice",
        ),
        ("integrity", {"deep": True}, ("deep",), "the integrity gate has no key 'deep'"),
        ("metadata", {}, (), "the gate asks for nothing"),
        ("metadata", {"card": False}, (), "the gate asks for nothing"),
        ("metadata", {"tags": [{"a": 1}]}, ("tags", 0, "a"), "a tag is text, not the number 1"),
        ("metadata", {"tags": [{"a": []}]}, ("tags", 0, "a"), "a tag is text, not a list"),
        (
            "metadata",
            {"tags": [{"a": "x", "b": "y"}]},
            ("tags", 0),
            "a tag is key or {key: value}, not a mapping",
        ),
        ("metadata", {"tags": [""]}, ("tags", 0), "a tag key is empty or has a line break"),
        (
            "metadata",
            {"licence": ["MIT"], "license": ["MIT"]},
            (),
            "licence and license exclude each other",
        ),
        ("sql", {}, (), "needs file or query"),
        ("sql", {"file": "a.sql", "query": "SELECT 1"}, (), "file and query exclude each other"),
        ("sql", {"query": " "}, ("query",), "a query is text, not the text ' '"),
        (
            "sql",
            {"query": "x" * 65_537},
            ("query",),
            "the query has 65,537 characters; at most 65,536 are allowed",
        ),
        (
            "sql",
            {"query": "SELECT 1", "timeout": "61s"},
            ("timeout",),
            "must be from 1s to 60s, and is 61s",
        ),
        (
            "sql",
            {"query": "SELECT 1", "timeout": "0s"},
            ("timeout",),
            "must be from 1s to 60s, and is 0s",
        ),
        (
            "sql",
            {"query": "SELECT 1", "memory_mb": 15},
            ("memory_mb",),
            "must be a whole number from 16 to 4096, not the number 15",
        ),
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
    [
        "/etc/passwd",
        "../x.sql",
        "a/../b.sql",
        "./a.sql",
        "a//b.sql",
        "a\\b.sql",
        "C:x.sql",
        "",
        "a/",
        "x\n.sql",
    ],
)
def test_a_file_outside_the_policys_folder_is_refused(name: str) -> None:
    [problem] = gate_errors("sql", {"file": name})
    assert problem.path[5:] == ("file",)


def test_limits_of_a_query_within_bounds_are_taken() -> None:
    assert gate_errors("sql", {"query": "SELECT 1", "timeout": "1m", "memory_mb": 4096}) == []
