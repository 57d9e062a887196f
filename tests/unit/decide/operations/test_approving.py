"""Planning `approve`: what it binds, whom it refuses, and what makes it void."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from regista.decide.gates import KINDS
from regista.decide.operations.context import Payload, Request
from regista.errors import InvalidInputError, NotFoundError, RefusedError
from regista.registry import requests
from support.history import History, demote, history_with, log, promote, register
from support.registries import STAGES, Json

GATES: list[Any] = [
    {"threshold": {"suite": "holdout", "metric": "acc", "min": "0.8"}},
    {"baseline": {"suite": "holdout", "metric": "acc", "max_regression": "0.5"}},
    {"freshness": {"suite": "holdout", "max_age": "30d"}},
    {"coverage": {"suites": ["holdout", "load"], "metrics": ["acc"]}},
    {"coverage": {"id": "any", "suites": "any"}},
    {"soak": {"stage": "staging", "min": "1s"}},
    {"drill": {"max_age": "30d"}},
    {"lineage": {"require": ["run", "dataset"]}},
    {"metadata": {"tags": ["owner", {"risk": "low"}], "licence": ["mit"], "card": True}},
    {"integrity": {}},
    {"sql": {"query": "SELECT 1"}},
]
Change = Callable[[History], Request]
VOTE = {"approvals": {"count": 1, "from": ["risk"], "not_author": True}}


def policy(*gates: Any, **fields: Any) -> Json:
    return {
        **STAGES,
        "ungated": "allow",
        "groups": {"risk": ["ann", "bob"]},
        "gated_aliases": ["champion"],
        "rules": [
            {"stage": "prod", "gates": list(gates)},
            {"stage": "champion", "gates": [VOTE]},
        ],
        **fields,
    }


def approve(ref: str = "m@2", stage: str = "prod", **options: str) -> Request:
    return requests.approve(ref, stage, **{"meaning": "", "until": "", **options})


def ready(*gates: Any, **fields: Any) -> History:
    """A history whose version 1 holds prod and whose version 2, by ann, wants to."""
    history = history_with(1, policy())
    history.do(promote("m@1"))
    history.do(register("data", "data", kind="dataset"), register("content 2", run="r"))
    history.do(log("m@2"), log("m@2", suite="load"), promote("m@2", "staging"))
    history.do(requests.apply_policy(history.store_policy(policy(*gates, **fields)), reason=""))
    return history


def vote(history: History) -> Json:
    """Return the verdict of the approvals gate on version 2, asked for by cam."""
    plan = history.plan(promote("m@2"), actor="cam")
    [gate] = [gate for gate in plan.ops[0].decision["gates"] if gate["kind"] == "approvals"]
    found: Json = gate
    return found


def test_a_yes_lets_in_what_asked_for_it_and_both_replay() -> None:
    history = ready(GATES[0], VOTE)
    assert vote(history)["status"] == "failed"
    assert history.do(promote("m@2"), actor="cam").refused
    plan = history.do(approve(meaning="read", until="2027-01-01"), actor="bob")
    decision = plan.ops[0].decision
    assert decision["version"] == 2
    assert (decision["meaning"], decision["until"]) == ("read", "2027-01-01T23:59:59.999999Z")
    assert decision["version_digest"] == history.version(2).digest
    assert decision["evidence"] == [
        {
            "id": "threshold:holdout/acc",
            "kind": "threshold",
            "revision": KINDS["threshold"].revision,
        }
    ]
    [head] = history.version(2).approvals
    assert (head.by, head.stage, head.evidence_digest) == (
        "bob",
        "prod",
        decision["evidence_digest"],
    )
    history.do(promote("m@2"), actor="cam")
    assert history.holder() == 2


@pytest.mark.parametrize(
    ("actor", "options", "error", "message"),
    [
        ("cam", {}, RefusedError, "does not let 'cam' approve version 2: cam is not in risk"),
        ("Ann", {}, RefusedError, "Ann is the author and cannot approve"),
        ("bob", {"stage": "staging"}, RefusedError, "no rule of the policy asks for an approval"),
        ("bob", {"stage": "dev"}, RefusedError, "takes no promotion"),
        ("bob", {"stage": "qa"}, InvalidInputError, "there is no stage 'qa'"),
        ("bob", {"ref": "m@9"}, NotFoundError, "has no version 9"),
        ("bob", {"until": "2026-03-01"}, InvalidInputError, "has passed already"),
    ],
)
def test_what_no_gate_would_count_is_refused(
    actor: str, options: Json, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ready(VOTE).do(approve(**options), actor=actor)


def test_one_gate_that_counts_the_person_is_enough() -> None:
    others = {"approvals": {"from": ["leads"]}}
    history = ready(others, VOTE, groups={"risk": ["bob"], "leads": ["lea"]})
    assert not history.do(approve(), actor="bob").changes_nothing


def test_a_gated_alias_is_approved_as_a_stage_is() -> None:
    history = ready()
    assert history.do(requests.alias("m@2", "champion"), actor="cam").refused
    history.do(approve(stage="champion"), actor="bob")
    assert not history.do(requests.alias("m@2", "champion"), actor="cam").refused


def test_the_same_yes_again_changes_nothing_until_it_is_void_or_says_something_else() -> None:
    history = ready(GATES[0], VOTE)
    first = history.do(approve(), actor="bob")
    again = history.do(approve(), actor="BOB")
    assert again.planned[0].existing == history.state.seq
    assert first.ops[0].decision == again.ops[0].decision
    assert not history.do(approve(until="2099-01-01"), actor="bob").changes_nothing
    assert not history.do(approve(meaning="read"), actor="bob").changes_nothing
    assert len(history.version(2).approvals) == 2
    history.do(log("m@2", "0.95"))
    assert not history.do(approve(meaning="read"), actor="bob").changes_nothing


def test_an_old_yes_can_be_given_again() -> None:
    history = ready({"approvals": {"max_age": "1h"}})
    history.do(approve(), actor="bob")
    history.do(requests.tag("m", {"x": "y"}, []), seconds=7200)
    assert "2h" in vote(history)["reason"]
    assert not history.do(approve(), actor="bob").changes_nothing
    assert vote(history)["status"] == "passed"


def test_what_changed_is_told_with_who_has_to_approve_again() -> None:
    history = ready(*GATES[:5], VOTE)
    history.do(approve(), actor="bob")
    history.do(log("m@2", "0.95"))
    gate = vote(history)
    run = history.version(2).runs["holdout"].run_id
    assert gate["reason"] == (
        "the approval by bob is void, since the evidence of threshold:holdout/acc, "
        f"baseline:holdout/acc, freshness:holdout and 2 more (run {run} of version 2) changed"
    )
    assert gate["remedy"] == "1 more of bob: regista approve m@2 --to prod"


def tightened(history: History) -> Request:
    stricter = {"threshold": {"suite": "holdout", "metric": "acc", "min": "0.85"}}
    return requests.apply_policy(
        history.store_policy(policy(stricter, *GATES[1:], VOTE)), reason=""
    )


VOIDS: dict[str, Change] = {
    "a new run": lambda _: log("m@2", "0.95"),
    "a run that failed": lambda _: requests.eval_log(
        "m@2", "load", status="failed", dataset="", facts={}, source_digest="d" * 64,
        payload=Payload(),
    ),
    "a run of the incumbent": lambda _: log("m@1", "0.7"),
    "an empty prod": lambda _: demote(),
    "a stage that soaks another": lambda _: promote("m@1", "staging"),
    "a tag asked for": lambda _: requests.tag("m@2", {"owner": "risk"}, []),
    "a tag of the entry": lambda _: requests.tag("m", {"license": "mit"}, []),
    "other rules": tightened,
}  # fmt: skip
KEEPS: dict[str, Change] = {
    "a tag not asked for": lambda _: requests.tag("m@2", {"colour": "red"}, []),
    "a run of a suite not asked for": lambda _: register("content 9", "other"),
    "a description": lambda _: requests.describe("m@2", {"description": "text"}),
    "an ungated alias": lambda _: requests.alias("m@2", "mine"),
    "a shadow": lambda _: promote("m@2", "shadow"),
    "another's yes": lambda _: approve(meaning="me too"),
    "another version": lambda _: register("content 3"),
    "a rule of another stage": lambda history: requests.apply_policy(
        history.store_policy(
            {
                **policy(*GATES, VOTE),
                "rules": [
                    *policy(*GATES, VOTE)["rules"],
                    {"stage": "staging", "gates": [GATES[0]]},
                ],
            }
        ),
        reason="",
    ),
    "a wider group": lambda history: requests.apply_policy(
        history.store_policy(policy(*GATES, VOTE, groups={"risk": ["bob", "eve"]})), reason=""
    ),
    "time": lambda _: requests.tag("m", {"nothing": "much"}, []),
}


@settings(max_examples=25, deadline=None)
@drawn(
    st.lists(st.sampled_from(sorted(KEEPS)), max_size=4, unique=True),
    st.sampled_from(sorted(VOIDS)),
)
def test_a_yes_stands_until_one_of_the_things_that_it_is_bound_to_changes(
    before: list[str], change: str
) -> None:
    history = ready(*GATES, VOTE)
    history.do(approve(), actor="bob")
    for name in before:
        history.do(KEEPS[name](history), actor="bob", seconds=3600)
        assert vote(history)["status"] == "passed", name
    history.do(VOIDS[change](history))
    assert vote(history)["status"] == "failed", change
    history.do(approve(), actor="bob")
    assert vote(history)["status"] == "passed", change


def test_the_answer_of_a_query_is_evidence() -> None:
    history = ready(GATES[10], VOTE)
    history.answer = {"columns": ["passed", "observed", "required"], "rows": [[True, "1", "1"]]}
    history.do(approve(), actor="bob")
    assert vote(history)["status"] == "passed"
    history.answer = {"columns": ["passed", "observed", "required"], "rows": [[True, "2", "1"]]}
    assert vote(history)["status"] == "failed"
    history.answer = {"error": "no such table"}
    assert vote(history)["status"] == "failed"


def test_a_drill_is_evidence() -> None:
    history = ready(GATES[6], VOTE)
    history.do(approve(), actor="bob")
    history.do(promote("m@2"), actor="cam")
    history.do(register("content 3"))
    history.do(approve("m@3"), actor="bob")
    history.facts["drill", history.version(1).digest] = {
        "ok": True, "files": 1, "bytes": 1, "duration_s": "0.1", "detail": "",
    }  # fmt: skip
    history.do(requests.drill("m", "prod", smoke=""))
    gate = history.plan(promote("m@3"), actor="cam").ops[0].decision["gates"][-1]
    assert "the evidence of drill (a drill of prod) changed" in gate["reason"]


def test_the_author_of_another_version_with_the_same_artifacts_is_another() -> None:
    history = ready(VOTE)
    history.do(approve(), actor="bob")
    history.do(register("content 2", force_new=True), actor="bob")
    assert history.version(3).approvals == ()
    with pytest.raises(RefusedError, match="bob is the author"):
        history.do(approve("m@3"), actor="bob")
