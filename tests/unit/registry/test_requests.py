"""Requests: every argument is validated here, and what says nothing is left out."""

from collections.abc import Callable
from typing import Any

import pytest

from regista.decide.operations.context import Payload, Request
from regista.errors import InvalidInputError
from regista.registry import requests


def eval_log(**changes: Any) -> Request:
    given: dict[str, Any] = {
        "ref": "m@1",
        "suite": "holdout",
        "status": "complete",
        "dataset": "",
        "facts": {},
        "source_digest": "d",
        "payload": Payload(),
        **changes,
    }
    return requests.eval_log(given.pop("ref"), given.pop("suite"), **given)


def test_arguments_that_say_nothing_are_left_out_and_zero_says_something() -> None:
    assert requests.given(a=None, b="", c=False, d=[], e={}, f=0, g=True, h="x") == {
        "f": 0,
        "g": True,
        "h": "x",
    }


@pytest.mark.parametrize("to", [0, -1, True])
def test_a_rollback_goes_to_a_version_number_or_nowhere(to: int) -> None:
    with pytest.raises(InvalidInputError, match="not a version number"):
        requests.rollback("m", "prod", to=to, reason="")


def test_the_same_call_has_the_same_arguments_however_it_is_spelled() -> None:
    plain = requests.promote("e\u0301/m@0012", "prod", reason="", again=False)
    assert plain.args == {"ref": "é/m@12", "stage": "prod"}
    assert requests.rollback("m", "prod", to=None, reason="").args == {"name": "m", "stage": "prod"}
    assert requests.status("delete", "m@prod", reason="", purge=False).args == {"ref": "m@prod"}
    assert requests.tag("m", {"a": ""}, []).args == {"ref": "m", "set": {"a": ""}}
    assert requests.describe("m@latest", {}).args == {"ref": "m@latest"}


HOSTILE = ["", "..", "a/../b", "x\x00", "a\u202eb", "x" * 10_000, "a@b@c", "\ud800", "a\nb"]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
@pytest.mark.parametrize(
    "make",
    [
        lambda name: requests.create(name, "model", {}),
        lambda name: requests.demote(name, "prod", reason=""),
        lambda name: requests.rollback(name, "prod", to=None, reason=""),
        lambda name: requests.drill(name, "prod", smoke=""),
        lambda name: requests.rename(name, "n"),
        lambda name: requests.rename("n", name),
        lambda name: requests.remove_alias(name, "best"),
        lambda name: requests.promote(f"{name}@1", "prod", reason="", again=False),
        lambda name: requests.status("delete", f"{name}@1", reason=""),
        lambda name: requests.alias(f"{name}@1", "best"),
        lambda name: requests.tag(name, {"a": "b"}, []),
        lambda name: requests.describe(name, {}),
        lambda name: eval_log(ref=f"{name}@1"),
    ],
)
def test_a_hostile_name_is_refused_by_every_operation(
    make: Callable[[str], Request], name: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make(name)
    assert caught.value.message.isprintable()
    assert caught.value.hint.isprintable()
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize("text", ["a\x00b", "a\x1b[0m", "x" * 10_001, "\ud800"], ids=ascii)
@pytest.mark.parametrize(
    "make",
    [
        lambda text: requests.promote("m@1", "prod", reason=text, again=False),
        lambda text: requests.demote("m", "prod", reason=text),
        lambda text: requests.rollback("m", "prod", to=None, reason=text),
        lambda text: requests.status("archive", "m@1", reason=text),
        lambda text: requests.drill("m", "prod", smoke=text),
        lambda text: requests.apply_policy("d", reason=text),
        lambda text: requests.tag("m", {text: "v"}, []),
        lambda text: requests.tag("m", {}, [text]),
        lambda text: requests.alias("m@1", text),
        lambda text: eval_log(suite=text),
        lambda text: eval_log(dataset=text),
        lambda text: eval_log(facts={"note": text}),
    ],
)
def test_a_hostile_text_is_refused_by_every_operation(
    make: Callable[[str], Request], text: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make(text)
    assert caught.value.message.isprintable()


def test_a_run_has_one_of_the_known_statuses() -> None:
    with pytest.raises(InvalidInputError, match="run status") as caught:
        eval_log(status="done")
    assert "complete, partial, failed" in caught.value.hint


def test_an_entry_has_one_of_the_known_kinds() -> None:
    with pytest.raises(InvalidInputError):
        requests.create("m", "spreadsheet", {})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("token", "ghp_" + "a1B2" * 9),
        ("key", "AKIAIOSFODNN7EXAMPLE"),
        ("db_password", "correct horse"),
        ("note", "-----BEGIN PRIVATE KEY-----\nMIIE"),
    ],
)
def test_what_looks_like_a_credential_is_refused_unless_allowed(key: str, value: str) -> None:
    with pytest.raises(InvalidInputError, match="looks like") as raised:
        requests.pairs({key: value})
    assert value not in str(raised.value)
    assert "--allow-secrets" in raised.value.hint
    assert requests.pairs({key: value}, allow_secrets=True) == {key: value}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tokenizer", "bpe"),
        ("max_tokens", "512"),
        ("password_policy", "strong"),
        ("sk", "sk-learn"),
    ],
)
def test_ordinary_tags_are_taken(key: str, value: str) -> None:
    assert requests.pairs({key: value}) == {key: value}


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="'uri' looks like a password in an address"):
        requests.refuse_secret("uri", "https://user:hunter2@example.com/model")
