"""Events of commits, and which hook is for which."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from regista.decide.operations.context import Json
from regista.decide.planning import PLANNERS
from regista.decide.prehooks import Answer, OnError, Question, Said, Subject
from regista.hooks.events import OPERATIONS, Event, concerns, events_of, requested
from regista.hooks.hook import Hook, Match, When
from regista.model.canonical import sha256_hex
from regista.registry import requests
from support.history import History, register
from support.hooking import EVENT

REFUSED = replace(EVENT, outcome="refused")


def hook(*on: str, **match: tuple[str, ...]) -> Hook:
    return Hook("h", on, When.POST, Match(**match), Path(), command=("x",))


def told(history: History) -> list[Event]:
    commit = history.commits[-1]
    return events_of(commit, sha256_hex(commit.to_bytes()))


@pytest.mark.parametrize(
    ("event", "on", "meant"),
    [
        (EVENT, ("*",), True),
        (EVENT, ("promote",), True),
        (EVENT, ("register", "promote"), True),
        (EVENT, ("promote.applied",), True),
        (EVENT, ("applied",), True),
        (EVENT, ("register",), False),
        (EVENT, ("promote.refused",), False),
        (EVENT, ("refused",), False),
        (REFUSED, ("*",), True),
        (REFUSED, ("refused",), True),
        (REFUSED, ("promote.refused",), True),
        # a hook that tells of promotions must not tell of one that did not happen
        (REFUSED, ("promote",), False),
        (replace(EVENT, outcome="requested"), ("promote",), True),
        (replace(EVENT, op="policy apply"), ("policy_apply",), True),
        (replace(EVENT, op="drill", outcome="failed"), ("drill",), True),
        (replace(EVENT, op="drill", outcome="failed"), ("drill.failed",), True),
        (replace(EVENT, op="drill", outcome="failed"), ("applied",), False),
    ],
)
def test_on_names_operations_and_outcomes(
    event: Event, on: tuple[str, ...], *, meant: bool
) -> None:
    assert concerns(hook(*on), event) is meant


@pytest.mark.parametrize(
    ("match", "meant"),
    [
        ({}, True),
        ({"kind": ("model",)}, True),
        ({"kind": ("prompt",)}, False),
        ({"entry": ("fraud/*",)}, True),
        ({"entry": ("risk/*", "*card")}, True),
        ({"entry": ("card",)}, False),
        ({"stage": ("prod",)}, True),
        ({"stage": ("staging", "shadow")}, False),
        ({"kind": ("model",), "entry": ("fraud/*",), "stage": ("staging",)}, False),
    ],
)
def test_match_narrows_all_at_once(match: dict[str, tuple[str, ...]], *, meant: bool) -> None:
    assert concerns(hook("*", **match), EVENT) is meant


def test_what_has_no_stage_or_entry_does_not_match_one() -> None:
    tag = replace(EVENT, op="tag", decision={"name": "fraud/card"})
    policy = Event("policy apply", "applied", {}, {"policy": "d"}, "ann", "t", "r1", 3)
    assert not concerns(hook("*", stage=("*",)), tag)
    assert not concerns(hook("*", entry=("*",)), policy)
    assert not concerns(hook("*", kind=("model",)), policy)


def test_a_renamed_entry_is_meant_by_both_names() -> None:
    rename = replace(EVENT, op="rename", decision={"name": "new", "from_name": "old"}, args={})
    assert concerns(hook("*", entry=("old",)), rename)
    assert concerns(hook("*", entry=("new",)), rename)


def test_an_entry_of_unknown_kind_may_be_meant() -> None:
    assert concerns(hook("*", kind=("model",)), replace(EVENT, subject=Subject()))


def test_each_operation_can_be_named() -> None:
    assert {op.replace("_", " ") for op in OPERATIONS} == {*PLANNERS} - {"init"}


def test_a_commit_is_one_event_for_each_operation() -> None:
    history = History()
    history.do(register("one"), requests.tag("m", {"a": "b"}, ()))
    events = told(history)
    assert [(event.type, event.index, event.seq) for event in events] == [
        ("register.applied", 0, 2), ("tag.applied", 1, 2),
    ]  # fmt: skip
    assert len({event.message_id for event in events}) == 2
    assert all("." not in event.message_id for event in events)
    assert events[1].entry_id == history.entry().entry_id


def test_the_beginning_of_a_registry_is_no_event() -> None:
    assert told(History()) == []


def test_of_a_refused_commit_only_what_was_refused_is_an_event() -> None:
    history = History()
    history.do(register("one"))
    veto = Answer("h", Said.VETOED, "no", OnError.REFUSE)
    history.hooks = lambda question: [veto] if question.op == "describe" else []
    history.do(
        requests.tag("m", {"a": "b"}, ()),
        requests.describe("m", {"description": "x"}),
        requests.tag("m", {"c": "d"}, ()),
    )
    assert [(event.type, event.index) for event in told(history)] == [("describe.refused", 1)]


def test_a_failed_drill_is_one() -> None:
    history = History()
    for content in ("one", "two"):
        history.do(register(content))
        history.do(requests.promote("m@latest", "prod", reason="", again=False))
    digest = history.version(1).digest
    fact: Json = {"ok": False, "duration_s": "1", "files": 1, "bytes": 1, "detail": "gone"}
    history.facts["drill", digest] = fact
    history.do(requests.drill("m", "prod", smoke=""))
    assert [event.type for event in told(history)] == ["drill.failed"]


def test_a_question_is_told_from_all_others() -> None:
    decision: dict[str, Any] = {"name": "m", "version": 1}
    question = Question("promote", {}, "ann", decision, Subject("model"), "t", 7)
    event = requested(question, "r1")
    other = requested(replace(question, decision={**decision, "version": 2}), "r1")
    assert (event.type, event.seq) == ("promote.requested", 7)
    assert event.message_id != other.message_id
    assert event.message_id == requested(question, "r1").message_id
