"""Planning `init` and `policy apply`: the policy in force is part of the history."""

from dataclasses import replace

import pytest

from regista.decide import keys
from regista.decide.operations.context import Request
from regista.decide.replay import differences
from regista.errors import InvalidInputError, RefusedError
from regista.registry import requests
from support.history import History, demote, history_with, promote
from support.registries import GATED, OPEN, Json


def apply(history: History, policy: Json) -> Request:
    return requests.apply_policy(history.store_policy(policy), reason="why")


def test_a_policy_is_in_force_from_the_next_commit_on() -> None:
    history = history_with(1, GATED)
    before = history.state.policy_digest
    assert history.decision(promote("m@1", "staging"))["outcome"] == "passed"
    history.do(demote("staging"))
    strict = {**OPEN, "ungated": "refuse"}
    decision = history.decision(apply(history, strict))
    assert decision["from_policy"] == before
    assert decision["policy"] == history.state.policy_digest != before
    assert history.commits[-1].policy == before
    assert history.decision(promote("m@1", "staging"))["outcome"] == "refused"
    assert history.commits[-1].policy == decision["policy"]


def test_a_policy_applied_earlier_in_a_commit_judges_the_rest_of_it() -> None:
    history = history_with(1)
    strict = {**OPEN, "ungated": "refuse"}
    plan = history.do(apply(history, strict), promote("m@1"))
    assert plan.refused
    assert history.commits[-1].policy == history.state.policy_digest


def test_the_policy_in_force_is_applied_already() -> None:
    history = history_with(1)
    plan = history.do(apply(history, OPEN))
    assert plan.planned[0].existing == 1


def test_a_held_stage_is_not_dropped() -> None:
    history = history_with(1)
    history.do(promote("m@1", "shadow"))
    without = {**OPEN, "side_stages": []}
    with pytest.raises(RefusedError, match="drops stage shadow, which 1"):
        history.do(apply(history, without))
    history.do(demote("shadow"))
    history.do(apply(history, without))


def test_a_stage_may_turn_into_a_side_stage_while_it_is_held() -> None:
    history = history_with(1)
    history.do(promote("m@1", "shadow"))
    moved = {**OPEN, "stages": ["dev", "staging", "shadow", "prod"], "side_stages": []}
    history.do(apply(history, moved))
    assert history.holder("shadow") == 1


def test_an_alias_in_use_does_not_become_a_stage_until_it_is_removed() -> None:
    history = history_with(1)
    history.do(requests.alias("m@1", "canary"))
    wider = {**OPEN, "side_stages": ["shadow", "canary"]}
    with pytest.raises(InvalidInputError, match="'canary' is in use as an alias"):
        history.do(apply(history, wider))
    history.do(requests.remove_alias("m", "canary"))
    history.do(apply(history, wider))
    history.do(promote("m@1", "canary"))


def test_a_history_begins_once() -> None:
    history = history_with(1)
    with pytest.raises(RefusedError, match="has a history already"):
        history.do(Request("init", {"policy": history.store_policy(GATED)}))


GUARDED: Json = {
    **OPEN,
    "groups": {"leads": ["lea", "max"]},
    "policy_change": [
        {"approvals": {"from": ["leads"], "not_committer": True}},
        {"approvals": {"from": ["leads"], "max_age": "1h"}},
    ],
    "rules": [{"stage": "prod", "gates": ["integrity"]}],
}


def approve(history: History, policy: Json, **options: str) -> Request:
    digest = history.store_policy(policy)
    return requests.approve_policy(digest, **{"meaning": "", "until": "", **options})


def test_a_change_says_what_it_loosens() -> None:
    history = history_with(1, GATED)
    decision = history.decision(apply(history, OPEN))
    assert decision["outcome"] == "passed"
    assert decision["gates"] == []
    assert "ungated refuse became allow: what no rule covers may enter" in decision["loosens"]
    assert history.decision(apply(history, GATED))["loosens"] == []


def test_a_policy_that_guards_itself_is_changed_with_its_approvals_only() -> None:
    history = history_with(1, GUARDED)
    plan = history.do(apply(history, OPEN), actor="cam")
    decision = plan.ops[0].decision
    assert (plan.refused, decision["outcome"]) == (True, "refused")
    assert [gate["id"] for gate in decision["gates"]] == ["approvals:leads", "approvals:leads#1"]
    assert decision["gates"][0]["remedy"] == "1 more of lea, max: regista policy approve FILE"
    assert "entry to prod: the rule is removed or narrowed" in decision["loosens"]
    assert history.commits[-1].rows == ()
    history.do(approve(history, OPEN, meaning="fine"), actor="lea")
    assert history.do(apply(history, OPEN), actor="Lea").refused
    assert history.do(apply(history, GATED), actor="cam").refused
    assert not history.do(apply(history, OPEN), actor="cam").refused
    assert history.state.policy_digest == history.store_policy(OPEN)


def test_a_yes_to_a_policy_ends_with_the_policy_that_it_replaces() -> None:
    other = {**GUARDED, "rules": []}
    history = history_with(1, GUARDED)
    for policy in (OPEN, other):
        history.do(approve(history, policy), actor="max")
    assert len(history.state.heads.get(keys.REGISTRY)["policy_approvals"]) == 2
    assert not history.do(apply(history, other), actor="cam").refused
    assert "policy_approvals" not in history.state.heads.get(keys.REGISTRY)
    assert history.do(apply(history, OPEN), actor="cam").refused


def test_a_yes_to_a_policy_ends_with_its_time_too() -> None:
    history = history_with(1, GUARDED)
    history.do(approve(history, OPEN), actor="max")
    assert history.do(approve(history, OPEN), actor="max").changes_nothing
    plan = history.do(apply(history, OPEN), actor="cam", seconds=7200)
    assert [gate["status"] for gate in plan.ops[0].decision["gates"]] == ["passed", "failed"]
    assert not history.do(approve(history, OPEN), actor="max").changes_nothing


@pytest.mark.parametrize(
    ("policy", "actor", "message"),
    [
        (GUARDED, "cam", "does not let 'cam' approve policy [0-9a-f]{12}: cam is not in leads"),
        (OPEN, "lea", "asks for no approval of the next one"),
    ],
)
def test_who_may_not_approve_a_policy(policy: Json, actor: str, message: str) -> None:
    history = history_with(1, policy)
    with pytest.raises(RefusedError, match=message):
        history.do(approve(history, GATED), actor=actor)


def test_a_change_recorded_by_an_older_regista_replays_as_it_was() -> None:
    history = history_with(1, GATED)
    history.do(apply(history, OPEN))
    commit = history.commits[-1]
    [op] = commit.ops
    bare = {name: op.decision[name] for name in ("policy", "from_policy")}
    old = replace(commit, ops=(replace(op, decision=bare),))
    before = history_with(1, GATED)
    before.store_policy(OPEN)
    assert differences(before.again(old), old) == []


def test_an_older_decision_cannot_be_claimed_where_the_policy_guards_itself() -> None:
    history = history_with(1, GUARDED)
    history.do(approve(history, OPEN), actor="max")
    history.do(apply(history, OPEN), actor="cam")
    commit = history.commits[-1]
    [op] = commit.ops
    bare = {name: op.decision[name] for name in ("policy", "from_policy")}
    forged = replace(commit, ops=(replace(op, decision=bare),))
    before = history_with(1, GUARDED)
    before.store_policy(OPEN)
    assert differences(before.again(forged), forged)
