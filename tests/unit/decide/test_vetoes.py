"""Pre-hooks in decisions: what an answer does, what it holds for, and that it replays."""

from dataclasses import replace

import pytest

from regista.decide.operations.context import Json, Request
from regista.decide.prehooks import Answer, OnError, Question, Said, Subject
from regista.decide.replay import differences
from regista.model.commit import OpRecord
from regista.registry import requests
from support.history import History, register

VETO = Answer("freeze", Said.VETOED, "no changes on Fridays", OnError.REFUSE)
BROKEN = Answer("freeze", Said.FAILED, "it exited with 7", OnError.REFUSE)
ALLOWED = Answer("freeze", Said.ALLOWED, "", OnError.REFUSE)


@pytest.fixture
def history() -> History:
    history = History()
    history.do(register("one"))
    history.do(register("two"))
    return history


def promote(version: int = 1) -> Request:
    return requests.promote(f"m@{version}", "prod", reason="", again=False)


def test_a_veto_refuses_and_says_who_and_why(history: History) -> None:
    history.hooks = lambda _question: [VETO]
    decision = history.decision(promote())
    assert decision["outcome"] == "refused"
    assert decision["vetoes"] == [{"hook": "freeze", "reason": "no changes on Fridays"}]
    (gate,) = decision["gates"]
    assert (gate["id"], gate["kind"], gate["status"]) == ("hook:freeze", "hook", "failed")
    assert history.holder() is None


def test_a_veto_stands_in_the_rows_of_the_decision(history: History) -> None:
    history.hooks = lambda _question: [VETO]
    plan = history.do(promote())
    tables = {row["table"]: row for row in plan.rows}
    assert set(tables) == {"decisions", "verdicts"}
    assert tables["decisions"]["outcome"] == "refused"
    assert (tables["verdicts"]["gate"], tables["verdicts"]["version"]) == ("hook:freeze", 1)


def test_answers_are_recorded_also_where_they_allow(history: History) -> None:
    history.hooks = lambda _question: [ALLOWED]
    plan = history.do(promote())
    assert plan.ops[0].reads["hooks"] == [ALLOWED.to_json()]
    assert history.holder() == 1


def test_without_hooks_nothing_is_recorded_of_them(history: History) -> None:
    assert "hooks" not in history.do(promote()).ops[0].reads


def test_a_vetoed_registration_gives_no_number(history: History) -> None:
    history.hooks = lambda _question: [VETO]
    history.do(register("three"))
    assert history.entry().last_version == 2
    history.hooks = lambda _question: ()
    history.do(register("three"))
    assert history.entry().last_version == 3


def test_what_stands_behind_a_veto_is_skipped(history: History) -> None:
    history.hooks = lambda question: [VETO] if question.op == "tag" else []
    plan = history.do(requests.tag("m", {"a": "b"}, ()), promote())
    assert plan.ops[1].decision == {"skipped": True}
    assert history.holder() is None
    assert history.entry().tags == {}


@pytest.mark.parametrize(
    ("answer", "op", "refuses"),
    [
        (VETO, "promote", True),
        (VETO, "rollback", True),
        (BROKEN, "promote", True),
        (BROKEN, "drill", True),
        (BROKEN, "rollback", False),
        (BROKEN, "demote", False),
        (replace(BROKEN, on_error=OnError.ALLOW), "promote", False),
        (ALLOWED, "promote", False),
    ],
)
def test_a_broken_hook_refuses_all_but_the_way_back(answer: Answer, op: str, refuses: bool) -> None:  # noqa: FBT001
    assert answer.refuses(op) is refuses


def test_a_broken_hook_does_not_stop_a_rollback(history: History) -> None:
    history.do(promote(1))
    history.do(promote(2))
    history.hooks = lambda _question: [BROKEN]
    history.do(requests.rollback("m", "prod", to=None, reason=""))
    assert history.holder() == 1


def test_hooks_are_not_asked_about_what_is_refused_or_done_already(history: History) -> None:
    history.do(promote(1))
    history.hooks = lambda question: pytest.fail(f"asked about {question.op}")
    assert history.plan(promote(1)).changes_nothing
    history.hooks = lambda _question: ()
    history.do(requests.status("deprecate", "m@2", reason=""))
    history.hooks = lambda question: pytest.fail(f"asked about {question.op}")
    assert history.plan(promote(2)).refused


def test_a_hook_is_told_what_the_operation_comes_to(history: History) -> None:
    asked: list[Question] = []

    def hooks(question: Question) -> list[Answer]:
        asked.append(question)
        return []

    history.hooks = hooks
    history.do(promote(2), actor="bo")
    (question,) = asked
    assert (question.op, question.actor, question.decision["from_version"]) == (
        "promote", "bo", None,
    )  # fmt: skip
    assert question.subject == Subject("model", history.version(2).digest)


@pytest.mark.parametrize(
    "change",
    [{"said": "allowed"}, {"reason": "another"}, {"hook": "other"}, {"on_error": "sometimes"}],
    ids=str,
)
def test_an_altered_answer_does_not_replay(history: History, change: Json) -> None:
    history.hooks = lambda _question: [VETO]
    history.do(promote())
    commit = history.commits.pop()
    (op,) = commit.ops
    altered = OpRecord(op.op, op.args, {"hooks": [{**VETO.to_json(), **change}]}, op.decision)
    forged = replace(commit, ops=(altered,))
    try:
        found = differences(history.again(forged), forged)
    except ValueError as error:
        assert "sometimes" in str(error)
    else:
        assert found


def question(**decision: object) -> Question:
    full = {"name": "m", "version": 2, **decision}
    return Question("promote", {"ref": "m@2"}, "ann", full, Subject(), "2026-01-01", 7)


def test_an_answer_holds_while_the_plan_comes_to_the_same() -> None:
    gate = {"id": "age", "status": "passed", "observed": "3 min", "evidence": ["run:r1-1"]}
    asked = question(gates=[gate], run_id="r8-0")
    later = question(gates=[{**gate, "observed": "4 min"}], run_id="r9-0")
    assert asked.identity == replace(later, time="2026-01-02", after=8).identity


def test_an_answer_about_a_registration_holds_for_the_content_whatever_its_number() -> None:
    asked = replace(question(digest="d", entry_id="e2-0"), op="register")
    later = replace(question(digest="d", entry_id="e9-0", version=3), op="register")
    other = replace(question(digest="o"), op="register")
    assert asked.identity == later.identity != other.identity


@pytest.mark.parametrize(
    "other",
    [
        question(version=3),
        question(from_version=1),
        question(gates=[{"id": "age", "status": "waived"}]),
        question(gates=[{"id": "age", "status": "passed", "evidence": ["run:r2-1"]}]),
        replace(question(), actor="bo"),
        replace(question(), args={"ref": "m@latest"}),
    ],
    ids=lambda item: str(item.decision),
)
def test_an_answer_does_not_hold_for_anything_else(other: Question) -> None:
    assert other.identity != question().identity
