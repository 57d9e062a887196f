"""Planning `rename`, `alias`, `tag` and `describe`."""

import pytest

from regista.errors import InvalidInputError, NotFoundError, RefusedError
from regista.registry import requests
from support.history import History, demote, history_with, log, promote, register
from support.registries import GATED, OPEN, STAGES

BY_NAME = {
    **STAGES,
    "ungated": "allow",
    "rules": [
        {
            "match": {"name": "fraud/*"},
            "stage": "prod",
            "gates": [{"threshold": {"suite": "holdout", "metric": "acc", "min": "0.8"}}],
        }
    ],
}


def test_a_rename_keeps_everything_and_frees_the_name() -> None:
    history = history_with(2)
    history.do(promote("m@1"))
    entry_id = history.entry().entry_id
    decision = history.decision(requests.rename("m", "team/m"))
    assert decision == {"name": "team/m", "from_name": "m", "version": None}
    assert history.entry("team/m").entry_id == entry_id
    assert history.holder("prod", "team/m") == 1
    assert history.state.find_entry("m") is None
    assert history.decision(register("one", "m"))["entry_id"] != entry_id


def test_a_rename_to_the_same_name_is_done_already() -> None:
    assert history_with(1).do(requests.rename("m", "m")).changes_nothing


def test_a_rename_can_be_undone_and_names_swapped_in_one_commit() -> None:
    history = history_with(1)
    history.do(register("other", "n"))
    history.do(requests.rename("m", "x"), requests.rename("n", "m"), requests.rename("x", "n"))
    assert history.version(1, "n").seq == 2
    assert history.version(1, "m").seq == 3


def test_a_name_that_is_taken_is_refused() -> None:
    history = history_with(1)
    history.do(register("other", "n"))
    with pytest.raises(RefusedError, match="already"):
        history.do(requests.rename("m", "n"))
    with pytest.raises(NotFoundError):
        history.do(requests.rename("z", "y"))


def test_a_rename_that_would_change_the_rules_of_a_held_stage_is_refused() -> None:
    history = history_with(1, BY_NAME)
    history.do(promote("m@1"))
    with pytest.raises(RefusedError, match="hold prod under other rules"):
        history.do(requests.rename("m", "fraud/m"))
    history.do(demote())
    history.do(requests.rename("m", "fraud/m"))
    history.do(promote("fraud/m@1"))
    history.do(requests.rename("fraud/m", "fraud/n"))
    with pytest.raises(RefusedError):
        history.do(requests.rename("fraud/n", "n"))


def test_an_alias_is_made_moved_and_removed() -> None:
    history = history_with(2)
    made = history.decision(requests.alias("m@1", "best"))
    assert (made["version"], made["from_version"], made["outcome"]) == (1, None, "passed")
    moved = history.decision(requests.alias("m@2", "best"))
    assert (moved["version"], moved["from_version"]) == (2, 1)
    assert history.do(requests.alias("m@2", "best")).planned[0].existing == history.state.seq
    removed = history.decision(requests.remove_alias("m", "best"))
    assert (removed["version"], removed["from_version"]) == (None, 2)
    with pytest.raises(NotFoundError, match="no alias"):
        history.do(requests.remove_alias("m", "best"))


@pytest.mark.parametrize("name", ["dev", "prod", "shadow"])
def test_a_stage_is_no_alias(name: str) -> None:
    with pytest.raises(InvalidInputError, match="is a stage"):
        history_with(1).do(requests.alias("m@1", name))


def test_an_alias_that_the_policy_gates_is_judged() -> None:
    history = History(GATED)
    history.do(register("one"), log("m@1", "0.85"))
    refused = history.do(requests.alias("m@1", "champion"))
    assert refused.refused
    assert refused.ops[0].decision["gates"][0]["status"] == "failed"
    assert history.entry().aliases == {}
    assert [row["table"] for row in history.commits[-1].rows] == ["decisions", "verdicts"]
    history.do(log("m@1", "0.95"))
    assert history.decision(requests.alias("m@1", "champion"))["outcome"] == "passed"
    assert history.entry().aliases["champion"].version == 1


def test_tags_are_set_changed_and_removed() -> None:
    history = history_with(1)
    history.do(requests.tag("m@1", {"a": "1", "b": ""}, []))
    assert history.version(1).tags == {"a": "1", "b": ""}
    decision = history.decision(requests.tag("m@1", {"a": "2"}, ["b"]))
    assert decision == {"name": "m", "version": 1, "tags": {"a": "2"}}
    assert history.version(1).tags == {"a": "2"}
    assert history.entry().tags == {}


def test_tags_of_an_entry_are_its_own() -> None:
    history = history_with(1)
    history.do(requests.tag("m", {"team": "risk"}, []))
    assert history.entry().tags == {"team": "risk"}
    assert history.version(1).tags == {}


def test_setting_tags_to_what_they_are_is_done_already() -> None:
    history = history_with(1)
    history.do(requests.tag("m", {"a": "1"}, []))
    assert history.do(requests.tag("m", {"a": "1"}, [])).changes_nothing


def test_a_tag_removed_and_set_at_once_ends_up_set() -> None:
    history = history_with(1)
    history.do(requests.tag("m", {"a": "1"}, []))
    decision = history.decision(requests.tag("m", {"a": "1"}, ["a"]))
    assert decision["tags"] == history.entry().tags == {"a": "1"}


def test_a_tag_named_twice_is_removed_once() -> None:
    history = history_with(1)
    history.do(requests.tag("m", {"a": "1"}, []))
    history.do(requests.tag("m", {}, ["a", "a"]))
    assert len(history.commits[-1].rows) == 1
    assert history.entry().tags == {}


def test_a_tag_that_is_not_there_is_not_found() -> None:
    history = history_with(1)
    for subject in ("m", "m@1", "m@9", "n"):
        with pytest.raises(NotFoundError):
            history.do(requests.tag(subject, {}, ["a"]))


def test_a_change_of_no_tag_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="no tag"):
        requests.tag("m", {}, [])


@pytest.mark.parametrize("subject", ["m", "m@1"])
def test_a_description_is_set_once_and_cleared(subject: str) -> None:
    history = history_with(1)
    head = history.entry if subject == "m" else lambda: history.version(1)
    history.do(requests.describe(subject, {"description": "short"}))
    assert (head().description, head().description_digest) == ("short", "")
    assert history.do(requests.describe(subject, {"description": "short"})).changes_nothing
    history.do(requests.describe(subject, {"description_digest": "a" * 64}))
    assert (head().description, head().description_digest) == ("", "a" * 64)
    history.do(requests.describe(subject, {}))
    assert (head().description, head().description_digest) == ("", "")


def test_the_policy_in_force_says_what_is_a_stage() -> None:
    history = history_with(1)
    history.do(requests.alias("m@1", "canary"))
    policy = {**OPEN, "side_stages": ["canary"]}
    with pytest.raises(InvalidInputError, match="in use as an alias"):
        history.do(requests.apply_policy(history.store_policy(policy), reason=""))
