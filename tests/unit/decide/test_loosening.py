"""Loosening: what a change of the policy lets in is told, and what it does not is not."""

from typing import Any

import pytest

from regista.decide.loosening import loosened
from regista.decide.policy import Policy

THRESHOLD = {"suite": "s", "metric": "acc", "min": "0.9"}


def policy(*gates: Any, rule: dict[str, Any] | None = None, **fields: Any) -> Policy:
    rules = [{"stage": "prod", "gates": list(gates), **(rule or {})}]
    return Policy.from_json(
        {"format": 1, "stages": ["dev", "staging", "prod"], "rules": rules, **fields}
    )


def threshold(**fields: Any) -> dict[str, Any]:
    return {"threshold": {**THRESHOLD, **fields}}


def coverage(suites: Any) -> dict[str, Any]:
    return {"coverage": {"id": "c", "suites": suites}}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (threshold(), threshold(min="0.8"), "min 0.9 became 0.8"),
        (threshold(), {"threshold": {**THRESHOLD, "min": "0.95"}}, ""),
        (threshold(max="5"), threshold(max="6"), "max 5 became 6"),
        (threshold(max="5"), threshold(), "max 5 became nothing"),
        (threshold(), threshold(max="5"), ""),
        (threshold(strict=True), threshold(), "strict true became nothing"),
        (threshold(strict=True), threshold(strict=False), "strict true became false"),
        (threshold(id="a", slices="all"), threshold(id="a", slices=["x"]), "slices all became"),
        (threshold(id="a", slices=["x"]), threshold(id="a", slices="all"), ""),
        (threshold(id="a", slices=["x", "y"]), threshold(id="a", slices=["x"]), "slices"),
        (threshold(id="a", slices=["x"]), threshold(id="a", slices=["x", "y"]), ""),
        (threshold(id="a"), threshold(id="a", metric="f1"), "metric acc became f1"),
        (threshold(id="a"), threshold(id="b"), ""),
        (threshold(id="a"), threshold(id="b", min="0.5"), "gate a is removed"),
        (
            {"baseline": {"suite": "s", "metric": "m"}},
            {"baseline": {"suite": "s", "metric": "m", "max_regression": "0.01"}},
            "max_regression nothing became 0.01",
        ),
        (
            {"baseline": {"suite": "s", "metric": "m", "when_absent": "fail"}},
            {"baseline": {"suite": "s", "metric": "m"}},
            "when_absent fail became nothing",
        ),
        (
            {"baseline": {"suite": "s", "metric": "m"}},
            {"baseline": {"suite": "s", "metric": "m", "test": "stderr"}},
            "",
        ),
        (
            {"baseline": {"suite": "s", "metric": "m", "test": "stderr"}},
            {"baseline": {"suite": "s", "metric": "m"}},
            "test stderr became nothing",
        ),
        (
            {"baseline": {"suite": "s", "metric": "m", "test": "stderr"}},
            {"baseline": {"suite": "s", "metric": "m", "test": "mcnemar"}},
            "test stderr became mcnemar",
        ),
        (
            {"freshness": {"suite": "s", "max_age": "7d"}},
            {"freshness": {"suite": "s", "max_age": "2w"}},
            "max_age 7d became 2w",
        ),
        (
            {"freshness": {"suite": "s", "max_age": "2w"}},
            {"freshness": {"suite": "s", "max_age": "13d"}},
            "",
        ),
        (
            {"soak": {"stage": "staging", "min": "24h"}},
            {"soak": {"stage": "staging", "min": "23h"}},
            "min 24h became 23h",
        ),
        (coverage(["a"]), coverage("any"), "any"),
        (coverage("any"), coverage(["a"]), ""),
        ({"lineage": {"require": ["run", "code"]}}, {"lineage": {"require": ["run"]}}, "require"),
        ({"metadata": {"licence": ["mit"]}}, {"metadata": {"licence": ["mit", "gpl"]}}, "licence"),
        ({"metadata": {"licence": ["mit", "gpl"]}}, {"metadata": {"licence": ["mit"]}}, ""),
        ({"metadata": {"tags": [{"a": "b"}]}}, {"metadata": {"tags": ["a"]}}, "tags"),
        (
            {"sql": {"id": "q", "query": "SELECT 1"}},
            {"sql": {"id": "q", "query": "SELECT 2", "timeout": "9s"}},
            "query SELECT 1 became SELECT 2",
        ),
        ({"sql": {"query": "x"}}, {"sql": {"query": "x", "memory_mb": 99}}, ""),
        ({"approvals": {"count": 2}}, {"approvals": {}}, "count 2 became nothing"),
        ({"approvals": {}}, {"approvals": {"count": 1}}, ""),
        (
            {"approvals": {"id": "a", "from": ["x"]}},
            {"approvals": {"id": "a", "from": ["x", "y"]}},
            "from",
        ),
        (
            {"approvals": {"not_author": True}},
            {"approvals": {}},
            "not_author true became nothing",
        ),
        (
            threshold(),
            threshold(waivable={"by": ["leads"], "max": "1d"}),
            "it may be waived by leads for 1d",
        ),
        (
            threshold(waivable={"by": ["leads"], "max": "1d"}),
            threshold(waivable={"by": ["leads", "all"], "max": "2d"}),
            "all may waive it, it may be waived for 2d, not 1d",
        ),
        (threshold(waivable={"by": ["leads"], "max": "1d"}), threshold(), ""),
        (threshold(waivable={"by": ["leads"], "max": "2d"}),
         threshold(waivable={"by": ["leads"], "max": "1d"}), ""),
    ],
)  # fmt: skip
def test_a_gate_that_asks_for_less_is_told(old: Any, new: Any, told: str) -> None:
    found = loosened(policy(old), policy(new))
    if told:
        [line] = found
        assert line.startswith("entry to prod: gate ")
        assert told in line
    else:
        assert found == []


def test_the_text_of_a_file_counts() -> None:
    value = {"format": 1, "stages": ["prod"],
             "rules": [{"stage": "prod", "gates": [{"sql": {"file": "q.sql"}}]}]}  # fmt: skip
    old, new = (Policy.from_json(value, {"q.sql": text}) for text in ("SELECT 1", "SELECT 2"))
    assert loosened(old, new) == ["entry to prod: gate sql:q.sql: query SELECT 1 became SELECT 2"]
    assert loosened(old, old) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"name": "a/*"}, {}, ""),
        ({}, {"name": "a/*"}, "entry to prod: the rule is removed or narrowed"),
        ({"name": ["a/*", "b"]}, {"name": ["b", "a/*", "c"]}, ""),
        (
            {"name": ["a/*", "b"]},
            {"name": "b"},
            "entry a/* or b to prod: the rule is removed or narrowed",
        ),
        ({"kind": "model"}, {"kind": "*"}, ""),
        ({"kind": "model"}, {"kind": "prompt"}, "model to prod: the rule is removed or narrowed"),
    ],
)
def test_a_rule_that_covers_less_is_told(
    old: dict[str, Any], new: dict[str, Any], told: str
) -> None:
    before, after = (policy(threshold(), rule={"match": match}) for match in (old, new))
    assert loosened(before, after) == ([told] if told else [])


def test_a_condition_is_kept_wherever_a_rule_for_the_same_has_it() -> None:
    old = policy(threshold(), "integrity")
    split: dict[str, Any] = {
        "rules": [
            {"stage": "prod", "gates": ["integrity"]},
            {"stage": "prod", "gates": [threshold()]},
        ]
    }
    assert loosened(old, policy(**split)) == []


def test_what_a_candidate_need_no_longer_come_from_is_told() -> None:
    old, new = policy(threshold(), rule={"from": "staging"}), policy(threshold())
    assert loosened(old, new) == ["entry to prod: it need not come from staging"]
    assert loosened(new, old) == []


def test_stages_aliases_groups_and_the_guard_itself() -> None:
    old = policy(
        threshold(),
        ungated="refuse",
        side_stages=["shadow"],
        gated_aliases=["champion"],
        groups={"risk": ["ann"], "leads": ["lea"]},
        policy_change=[{"approvals": {"count": 2, "from": ["leads"]}}],
    )
    new = policy(
        threshold(),
        on_register="staging",
        groups={"risk": ["ANN", "bob"], "leads": ["lea"], "new": ["zoe"]},
        policy_change=[{"approvals": {"from": ["leads"]}}],
    )
    assert loosened(old, new) == [
        "stage shadow is removed, with all that guarded it",
        "ungated refuse became allow: what no rule covers may enter",
        "stage staging takes every new version without a gate",
        "alias champion is no longer gated",
        "group risk: bob may approve or waive what it may",
        "the next policy: gate approvals:leads: count 2 became nothing",
    ]
    assert loosened(old, old) == []


def test_a_removed_gate_rule_or_guard_is_told() -> None:
    old = policy(threshold(), "integrity", policy_change=["approvals"])
    assert loosened(old, policy(threshold())) == [
        "entry to prod: gate integrity is removed",
        "the next policy: gate approvals is removed",
    ]
    bare = Policy.from_json({"format": 1, "stages": ["dev", "staging", "prod"]})
    assert loosened(policy(threshold()), bare) == ["entry to prod: the rule is removed or narrowed"]
    assert loosened(bare, policy(threshold())) == []
