"""Planning `create` and `register`."""

from typing import Any

import pytest

from regista.errors import InvalidInputError, NotFoundError
from regista.registry import requests
from support.history import History, demote, history_with, log, manifest_of, promote, register
from support.registries import OPEN


def rows(history: History, table: str) -> list[dict[str, Any]]:
    return [row for row in history.commits[-1].rows if row["table"] == table]


def test_the_first_version_makes_its_entry() -> None:
    history = History()
    decision = history.decision(register("one", "team/m"))
    assert decision == {
        "name": "team/m",
        "entry_id": "e2-0",
        "kind": "model",
        "version": 1,
        "stage": "dev",
        "digest": manifest_of("one").digest,
        "created": True,
    }
    assert history.entry("team/m").kind == "model"
    assert [row["table"] for row in history.commits[-1].rows] == [
        "entries",
        "versions",
        "placements",
        "files",
    ]


def test_numbers_go_up_by_one_and_are_never_given_twice() -> None:
    history = history_with(2)
    history.do(register("three"))
    history.do(demote("dev"))
    history.do(requests.status("delete", "m@3", reason="", purge=True))
    assert history.decision(register("four"))["version"] == 4


def test_several_versions_of_one_commit_get_numbers_in_order() -> None:
    history = History()
    plan = history.do(register("one"), register("two"), register("one", "n"), register("three"))
    assert [op.decision["version"] for op in plan.ops] == [1, 2, 1, 3]
    assert [op.decision["entry_id"] for op in plan.ops] == ["e2-0", "e2-0", "e2-7", "e2-0"]


@pytest.mark.parametrize("kind", ["model", "prompt", "dataset", "bundle"])
def test_the_kind_is_that_of_the_entry_from_the_first_version_on(kind: str) -> None:
    history = History()
    history.do(register("one", kind=kind))
    assert history.decision(register("two"))["kind"] == kind
    assert history.decision(register("three", kind=kind))["kind"] == kind
    other = "prompt" if kind == "model" else "model"
    with pytest.raises(InvalidInputError, match=f"is a {kind}, not a {other}"):
        history.do(register("four", kind=other))


def test_equal_artifacts_are_the_version_that_has_them() -> None:
    history = history_with(2)
    plan = history.do(register("content 1"))
    assert plan.changes_nothing
    assert plan.planned[0].existing == history.version(1).seq
    assert plan.ops[0].decision["version"] == 1
    assert plan.ops[0].decision["created"] is False
    assert plan.ops[0].decision["ignored"] == []


def test_equal_artifacts_are_the_newest_undeleted_version_that_has_them() -> None:
    history = history_with(1)
    history.do(register("content 1", force_new=True))
    assert history.decision(register("content 1"))["version"] == 2
    history.do(register("other"))
    history.do(requests.status("delete", "m@2", reason=""))
    assert history.decision(register("content 1"))["version"] == 1
    history.do(requests.status("delete", "m@1", reason=""))
    assert history.decision(register("content 1"))["version"] == 4


def test_equal_artifacts_of_another_entry_are_another_version() -> None:
    history = history_with(1)
    assert history.decision(register("content 1", "n"))["created"] is True


def test_a_version_without_files_is_always_a_new_one() -> None:
    history = History()
    assert history.decision(register(""))["version"] == 1
    assert history.decision(register(""))["version"] == 2


def test_force_new_makes_another_version_of_equal_artifacts() -> None:
    history = history_with(1)
    assert history.decision(register("content 1", force_new=True))["version"] == 2


def test_metadata_that_differs_from_the_existing_version_is_named() -> None:
    history = History()
    history.do(register("data", "d", kind="dataset"), register("more data", "d"))
    history.do(
        register(
            "one",
            label="1.0",
            run="r1",
            params={"k": "1"},
            tags={"a": "1"},
            card={"card": "short"},
            dataset=["d@1"],
        )
    )
    same = register(
        "one",
        label="1.0",
        run="r1",
        params={"k": "1"},
        tags={"a": "1"},
        card={"card": "short"},
        dataset=["d@1"],
    )
    assert history.decision(same)["ignored"] == []
    other = register(
        "one",
        label="2.0",
        run="r2",
        code="abc",
        params={"k": "2"},
        tags={"a": "2"},
        card={"card_digest": "0" * 64},
        dataset=["d@2"],
    )
    assert history.decision(other)["ignored"] == [
        "label",
        "run",
        "code",
        "params",
        "card",
        "tags",
        "dataset",
    ]


def test_a_lineage_that_names_the_same_version_otherwise_is_not_ignored() -> None:
    history = History()
    history.do(register("data", "d", kind="dataset"))
    history.do(register("one", dataset=["d@1"]))
    history.do(requests.rename("d", "digits"))
    assert history.decision(register("one", dataset=["digits@latest"]))["ignored"] == []


def test_a_label_names_one_version_of_its_entry_for_ever() -> None:
    history = History()
    history.do(register("one", label="1.0"))
    history.do(register("one", "n", label="1.0"))
    with pytest.raises(InvalidInputError, match=r"label '1\.0' is version 1"):
        history.do(register("two", label="1.0"))
    with pytest.raises(InvalidInputError, match=r"label '1\.1' is version 2"):
        history.do(register("two", label="1.1"), register("three", label="1.1"))


@pytest.mark.parametrize("stage", ["dev", "prod", "shadow"])
def test_a_stage_is_no_label(stage: str) -> None:
    with pytest.raises(InvalidInputError, match="is a stage"):
        History().do(register("one", label=stage))


def test_lineage_is_pinned_to_versions_and_their_digests() -> None:
    history = History()
    history.do(register("data", "d", kind="dataset"), register("data 2", "d"))
    history.do(register("base"))
    history.do(register("one", dataset=["d@latest"], base=["m@1"], run="r1", code="abc"))
    lineage = [
        (item.relation, item.target, item.target_version, item.target_digest)
        for item in history.version(2).lineage
    ]
    assert lineage == [
        ("dataset", "d@2", 2, manifest_of("data 2").digest),
        ("base", "m@1", 1, manifest_of("base").digest),
        ("run", "r1", None, ""),
        ("code", "abc", None, ""),
    ]


def test_one_target_named_in_two_ways_is_one_row() -> None:
    history = History()
    history.do(register("data", "d", kind="dataset"))
    history.do(register("one", dataset=["d@1", "d@latest", "d@dev"]))
    assert len(rows(history, "lineage")) == 1


@pytest.mark.parametrize("ref", ["d@1", "m@2", "m@prod"])
def test_lineage_to_what_does_not_exist_is_refused(ref: str) -> None:
    with pytest.raises(NotFoundError):
        history_with(1).do(register("one", dataset=[ref]))


def test_a_new_version_fills_the_stage_that_the_policy_says_without_a_stack() -> None:
    history = history_with(2)
    assert history.holder("dev") == 2
    assert history.slot("dev").stack == []


def test_without_such_a_stage_a_new_version_is_in_none() -> None:
    history = History({**OPEN, "on_register": None})
    assert history.decision(register("one"))["stage"] is None
    assert rows(history, "placements") == []


def test_tags_params_and_card_are_on_record() -> None:
    history = History()
    history.do(
        register(
            "one",
            tags={"b": "", "a": "x"},
            params={"k": "0.1"},
            card={"card": "text"},
            source={"git": "main"},
        )
    )
    version = history.version(1)
    assert version.tags == {"a": "x", "b": ""}
    assert version.params == {"k": "0.1"}
    assert version.source == {"git": "main"}
    assert (version.card, version.card_digest) == ("text", "")


def test_create_makes_an_entry_without_versions_once() -> None:
    history = History()
    request = requests.create("m", "prompt", {"description": "about"})
    assert history.decision(request) == {"name": "m", "kind": "prompt", "created": True}
    assert (history.entry().last_version, history.entry().description) == (0, "about")
    again = history.do(request)
    assert again.changes_nothing
    assert again.ops[0].decision["created"] is False
    assert history.decision(register("one"))["kind"] == "prompt"


def test_create_with_another_kind_is_refused() -> None:
    history = history_with(1)
    with pytest.raises(InvalidInputError, match="is a model, not a prompt"):
        history.do(requests.create("m", "prompt", {}))


def test_what_a_commit_registers_can_be_used_in_the_same_commit() -> None:
    history = History()
    plan = history.do(register("one"), log("m@1"), promote("m@1"), register("two", base=["m@prod"]))
    assert plan.ops[-1].decision["version"] == 2
    assert history.version(2).lineage[0].target == "m@1"


def test_entries_that_swap_names_in_one_commit_keep_their_files_apart() -> None:
    history = History()
    history.do(register("one", "a"), requests.rename("a", "b"), register("two", "a"))
    assert history.version(1, "b").digest == manifest_of("one").digest
    assert history.version(1, "a").digest == manifest_of("two").digest
