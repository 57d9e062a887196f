"""Planning `init` and `policy apply`: the policy in force is part of the history."""

import pytest

from regista.decide.operations.context import Request
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
