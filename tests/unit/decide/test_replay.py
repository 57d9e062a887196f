"""The replay: a commit planned again comes out the same, and any change to it does not."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from regista.decide.replay import UnrecordedFactError, differences
from regista.model.commit import Commit, OpRecord
from regista.registry import requests
from support.chance import run_at_random
from support.history import History, history_with, log, promote, register, rollback
from support.registries import GATED, OPEN, STAGES, Json

Change = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize("seed", range(12))
def test_every_commit_of_a_random_history_replays(seed: int) -> None:
    # History.do replays each commit from its bytes, and fails where it comes out otherwise
    history = History(GATED if seed % 2 else OPEN)
    run_at_random(lambda asked: history.do(*asked), register, seed=100 + seed, commits=60)
    assert len(history.commits) > 10


class Stopped:
    """A history just before a commit, and that commit."""

    def __init__(self, *asked: Any, policy: Json = GATED) -> None:
        self.history = history_with(2, policy)
        for stage in ("staging", "prod"):
            self.history.do(promote("m@1", stage))
        state = self.history.state
        self.history.state = state.fork()
        self.history.do(*asked)
        self.history.state = state
        self.commit = self.history.commits.pop()

    def differences(self, commit: Commit) -> list[str]:
        return differences(self.history.again(commit), commit)


def changed(commit: Commit, **fields: Any) -> Commit:
    return replace(commit, **fields)


def with_op(commit: Commit, index: int = 0, **fields: Any) -> Commit:
    ops = list(commit.ops)
    ops[index] = replace(ops[index], **fields)
    return replace(commit, ops=tuple(ops))


@pytest.fixture
def refused() -> Stopped:
    return Stopped(log("m@2", "0.7"), promote("m@2", "staging"))


def test_an_untouched_commit_replays(refused: Stopped) -> None:
    assert refused.differences(refused.commit) == []


def test_a_refusal_turned_into_a_pass_is_named_with_its_gate(refused: Stopped) -> None:
    op = refused.commit.ops[1]
    decision = copy.deepcopy(op.decision)
    decision["outcome"] = "passed"
    decision["gates"][0]["status"] = "passed"
    [found] = refused.differences(with_op(refused.commit, 1, decision=decision))
    assert found.startswith("operation 1 (promote): gate threshold:holdout/acc")
    assert "status was recorded as 'passed' and comes out as 'failed'" in found


def test_every_field_of_a_decision_is_compared(refused: Stopped) -> None:
    decision = refused.commit.ops[1].decision
    for name in decision:
        wrong: Any = [] if name == "gates" else "tampered"
        for other in ({**decision, name: wrong}, {**decision, f"{name}2": 1}):
            assert refused.differences(with_op(refused.commit, 1, decision=other))
    for name in decision["gates"][0]:
        gates = [{**decision["gates"][0], name: "tampered"}]
        if name in {"kind", "revision"}:
            # a kind or revision that nobody knows cannot be run at all
            continue
        other = {**decision, "gates": gates}
        assert refused.differences(with_op(refused.commit, 1, decision=other)), name


def test_rows_that_do_not_follow_are_found() -> None:
    stopped = Stopped(promote("m@2", "staging", reason="why"))
    rows = stopped.commit.rows
    variants = [
        rows[:-1],
        rows[1:],
        (*rows, rows[-1]),
        rows[::-1],
        tuple({**row, "reason": "other"} for row in rows),
        (*rows[:-1], {**rows[-1], "to_version": 1}),
    ]
    for variant in variants:
        assert stopped.differences(changed(stopped.commit, rows=variant))


@pytest.mark.parametrize(
    "fields",
    [
        {"time": "2031-01-01T00:00:00.000000Z"},
        {"time": "2021-01-01T00:00:00.000000Z"},
        {"policy": "0" * 64},
        {"actor": "eve"},
    ],
)
def test_what_a_commit_says_of_itself_must_follow(fields: Json) -> None:
    stopped = Stopped(requests.rename("m", "n"))
    found = stopped.differences(changed(stopped.commit, **fields))
    # an actor is as it was given: only the parent's digest and the tables hold it fast
    assert bool(found) == ("actor" not in fields)


@pytest.mark.parametrize(
    ("op", "args"),
    [
        ("promote", {"ref": "m@1", "stage": "shadow"}),
        ("promote", {"ref": "m@2", "stage": "prod"}),
        ("demote", {"name": "m", "stage": "staging"}),
        ("tag", {"ref": "m", "set": {"a": "b"}}),
    ],
)
def test_an_intent_that_was_changed_does_not_lead_to_the_rows(op: str, args: Json) -> None:
    stopped = Stopped(promote("m@2", "shadow"), policy=OPEN)
    assert stopped.differences(with_op(stopped.commit, op=op, args=args))


def test_facts_from_outside_are_those_that_were_recorded() -> None:
    history = history_with(2)
    for number in (1, 2):
        history.do(promote(f"m@{number}"))
    before = history.state
    history.state = before.fork()
    history.do(rollback())
    history.state, commit = before, history.commits.pop()
    [(key, fact)] = commit.ops[0].reads.items()
    assert key == f"blobs:{history.version(1).digest}"
    assert differences(history.again(commit), commit) == []
    with pytest.raises(UnrecordedFactError):
        history.again(with_op(commit, reads={}))
    added = with_op(commit, reads={key: fact, "blobs:other": fact})
    assert differences(history.again(added), added) == [
        "operation 0 (rollback): its reads are not what it used"
    ]


def test_sql_evidence_is_asked_for_again() -> None:
    policy = {
        **STAGES,
        "rules": [
            {"match": {}, "stage": "staging", "gates": [{"sql": {"query": "SELECT 1"}}]},
        ],
    }
    history = history_with(1, policy)
    history.answer = {"columns": ["passed", "observed", "required"], "rows": [[True, "1", "1"]]}
    state = history.state
    history.state = state.fork()
    assert history.decision(promote("m@1", "staging"))["outcome"] == "passed"
    history.state, commit = state, history.commits.pop()
    history.answer = {"columns": ["passed", "observed", "required"], "rows": [[True, "2", "1"]]}
    found = differences(history.again(commit), commit)
    assert "observed was recorded as '1' and comes out as '2'" in found[0]


def test_an_operation_added_or_taken_away_is_found() -> None:
    stopped = Stopped(promote("m@2", "shadow"), requests.tag("m", {"a": "b"}, []), policy=OPEN)
    commit = stopped.commit
    extra = OpRecord("tag", {"ref": "m", "set": {"c": "d"}}, {}, {"name": "m", "version": None})
    for ops in (commit.ops[:1], commit.ops[1:], commit.ops[::-1], (*commit.ops, extra)):
        assert stopped.differences(changed(commit, ops=ops))
