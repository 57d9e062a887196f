"""What hooks get to see, and what is kept back."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.hooks.events import Event
from regista.hooks.payload import HIDDEN, body_of, one_line
from support.hooking import EVENT

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "hooks.schema.json").read_text(encoding="utf-8")
)
TOKEN = "ghp_" + "a1B2" * 9


def payload(event: Event, *, emails: bool = False) -> Any:
    body = body_of(event, emails=emails)
    assert b"\n" not in body
    value = json.loads(body)
    jsonschema.validate(value, SCHEMA, jsonschema.Draft202012Validator)
    return value


def test_it_is_thin_and_has_the_frame_of_the_specification() -> None:
    value = payload(EVENT)
    assert list(value) == ["data", "timestamp", "type"]
    assert (value["type"], value["timestamp"]) == ("promote.applied", "2026-01-01")
    data = value["data"]
    assert (data["registry"], data["seq"], data["actor"]) == ("r1", 9, "ann")
    assert (data["kind"], data["digest"]) == ("model", "d" * 64)
    assert data["decision"] == {"name": "fraud/card", "version": 7, "stage": "prod"}


def test_only_what_is_listed_is_told() -> None:
    event = replace(
        EVENT,
        args={**EVENT.args, "uri": "s3://private", "manifest": "m", "card": "# text", "source": {}},
        decision={**EVENT.decision, "samples": 3, "entry_id": "e1-0", "detail": "output"},
    )
    data = payload(event)["data"]
    assert data["args"] == EVENT.args
    assert data["decision"] == EVENT.decision


def test_gates_are_told_by_their_verdicts() -> None:
    gate = {"id": "g", "kind": "threshold", "status": "passed", "observed": "x", "evidence": ["r"]}
    data = payload(replace(EVENT, decision={**EVENT.decision, "gates": [gate] * 99}))["data"]
    assert data["gates"] == [{"id": "g", "kind": "threshold", "status": "passed"}] * 50


@pytest.mark.parametrize(
    ("emails", "shown"), [(False, "ann@… did it"), (True, "ann@example.org did it")]
)
def test_addresses_lose_their_domain_unless_asked_for(shown: str, *, emails: bool) -> None:
    event = replace(
        EVENT, actor="ann@example.org did it", args={"reason": "ann@example.org did it"}
    )
    data = payload(event, emails=emails)["data"]
    assert (data["actor"], data["args"]["reason"]) == (shown, shown)


def test_what_looks_like_a_secret_is_kept_back() -> None:
    event = replace(
        EVENT,
        args={
            "reason": f"with {TOKEN} in it",
            "set": {"password": "hunter2", "owner": "risk", TOKEN: "x"},
            "params": {"lr": "0.1"},
            "dataset": [f"d/{TOKEN}@1"],
        },
    )
    args = payload(event, emails=True)["data"]["args"]
    assert args == {
        "reason": HIDDEN,
        "set": {"password": HIDDEN, "owner": "risk", HIDDEN: "x"},
        "params": {"lr": "0.1"},
        "dataset": [HIDDEN],
    }


def test_long_texts_and_lists_are_cut() -> None:
    event = replace(
        EVENT,
        args={"reason": "x" * 10_000, "tags": {f"k{n}": "v" * 10_000 for n in range(1_000)}},
    )
    args = payload(event)["data"]["args"]
    assert len(args["reason"]) == 501
    assert len(args["tags"]) == 50
    assert len(body_of(event, emails=False)) < 40_000


@given(st.text(max_size=2_000))
def test_a_reason_is_short_and_on_one_line(text: str) -> None:
    line = one_line(text)
    assert len(line) <= 600
    assert line.isprintable() or line == ""
    assert line == line.strip()


def test_a_reason_that_holds_a_secret_is_kept_back() -> None:
    assert one_line(f"token {TOKEN}") == HIDDEN
    assert one_line("no\x1b[31m\nway\u202e") == "no [31m way"
