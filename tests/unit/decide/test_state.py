"""The pinned state: what selectors name, and that planning never alters what it stands on."""

import pytest

from regista.decide.fold import Stamp
from regista.decide.state import State, rollback_candidates
from regista.errors import InvalidInputError, NotFoundError
from regista.model.selectors import VersionRef
from regista.registry import requests
from support.history import (
    History,
    demote,
    history_with,
    log,
    manifest_of,
    promote,
    register,
    rollback,
)
from support.registries import OPEN


def number(history: History, ref: str, *, deleted: bool = False) -> int:
    return history.state.select(VersionRef.parse(ref), deleted=deleted)[1].version


def delete(history: History, ref: str) -> None:
    history.do(requests.status("delete", ref, reason=""))


@pytest.fixture
def history() -> History:
    made = history_with(3)
    made.do(promote("m@1"), promote("m@2"), promote("m@1", "staging"))
    made.do(requests.alias("m@2", "champion"))
    made.do(register("content 4", label="1.4.2"))
    return made


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("m@1", 1),
        ("m@latest", 4),
        ("m@prod", 2),
        ("m@stage:prod", 2),
        ("m@dev", 4),
        ("m@prod~1", 1),
        ("m@stage:prod~1", 1),
        ("m@champion", 2),
        ("m@alias:champion", 2),
        ("m@1.4.2", 4),
        ("m@label:1.4.2", 4),
        (f"m@sha256:{manifest_of('content 3').digest}", 3),
        (f"m@sha256:{manifest_of('content 3').digest[:8]}", 3),
    ],
)
def test_every_kind_of_selector_names_its_version(
    history: History, ref: str, expected: int
) -> None:
    assert number(history, ref) == expected


@pytest.mark.parametrize(
    "ref",
    [
        "x@1",
        "m@9",
        "m@shadow",
        "m@stage:shadow",
        "m@nothing",
        "m@alias:nothing",
        "m@alias:prod",
        "m@label:champion",
        "m@stage:champion",
        "m@prod~2",
        "m@shadow~1",
        "m@sha256:" + "0" * 64,
    ],
)
def test_what_a_selector_does_not_name_is_not_found(history: History, ref: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        number(history, ref)
    assert caught.value.message.isprintable()
    assert caught.value.hint


def test_a_near_miss_is_suggested(history: History) -> None:
    with pytest.raises(NotFoundError) as caught:
        number(history, "m@chmpion")
    assert caught.value.hint == "did you mean champion?"


def test_an_emptied_stage_names_nothing(history: History) -> None:
    history.do(demote())
    with pytest.raises(NotFoundError, match="nothing of 'm' is in 'prod'"):
        number(history, "m@prod")


def test_a_stage_that_the_policy_dropped_gives_its_name_free_for_an_alias() -> None:
    history = history_with(2)
    history.do(promote("m@1", "shadow"))
    history.do(demote("shadow"))
    policy = {**OPEN, "side_stages": []}
    history.do(requests.apply_policy(history.store_policy(policy), reason=""))
    history.do(requests.alias("m@2", "shadow"))
    assert number(history, "m@shadow") == 2


def test_latest_is_the_newest_that_was_not_deleted(history: History) -> None:
    history.do(demote("dev"))
    delete(history, "m@4")
    assert number(history, "m@latest") == 3


def test_a_deleted_version_is_found_only_on_purpose(history: History) -> None:
    delete(history, "m@3")
    with pytest.raises(NotFoundError, match="version 3 was deleted"):
        number(history, "m@3")
    assert number(history, "m@3", deleted=True) == 3


def test_an_entry_without_versions_has_no_latest() -> None:
    history = History()
    history.do(requests.create("m", "model", {}))
    with pytest.raises(NotFoundError, match="no version"):
        number(history, "m@latest")


def test_a_digest_names_the_newest_undeleted_of_equal_versions() -> None:
    history = history_with(1)
    history.do(register("content 1", force_new=True))
    history.do(register("content 1", force_new=True))
    ref = f"m@sha256:{manifest_of('content 1').digest}"
    assert number(history, ref) == 3
    history.do(register("other"))
    delete(history, "m@3")
    assert number(history, ref) == 2
    delete(history, "m@2")
    assert number(history, ref) == 1


def test_a_digest_prefix_that_fits_several_digests_is_refused() -> None:
    history = history_with(1)
    head = history.state.heads.get(f"d/{history.entry().entry_id}/{history.version(1).digest[:8]}")
    digest, _version = head[0]
    other = digest[:8] + "f" * 56
    history.state.heads.put(f"d/{history.entry().entry_id}/{digest[:8]}", [[digest, 1], [other, 1]])
    with pytest.raises(InvalidInputError, match="fits several"):
        number(history, f"m@sha256:{digest[:8]}")
    assert number(history, f"m@sha256:{digest}") == 1


def test_the_way_back_in_a_selector_is_the_way_back_of_rollbacks(history: History) -> None:
    history.do(promote("m@3"), promote("m@4"))
    targets = [number(history, f"m@prod~{back}") for back in (1, 2, 3)]
    for target in targets:
        assert history.decision(rollback())["to_version"] == target


def test_the_way_back_in_a_selector_passes_over_archived_versions(history: History) -> None:
    history.do(promote("m@3"), promote("m@4"))
    history.do(requests.status("archive", "m@3", reason=""))
    assert number(history, "m@prod~1") == 2


def test_with_an_empty_slot_the_whole_stack_is_the_way_back(history: History) -> None:
    history.do(demote())
    entry = history.entry()
    assert rollback_candidates(entry, "prod", history.slot()) == [1]


def test_a_name_moves_with_a_rename_and_is_free_for_another(history: History) -> None:
    history.do(requests.rename("m", "team/m"))
    assert number(history, "team/m@prod") == 2
    with pytest.raises(NotFoundError):
        history.state.entry("m")
    history.do(register("new", "m"))
    assert number(history, "m@latest") == 1
    assert number(history, "team/m@latest") == 4


def test_a_plan_leaves_the_state_that_it_stands_on_as_it_was(history: History) -> None:
    before = dict(history.state.heads.changed)
    plan = history.plan(
        register("content 9"),
        promote("m@5"),
        demote("staging"),
        requests.rename("m", "z"),
        log("z@1"),
    )
    assert plan.rows
    assert history.state.heads.changed == before
    assert history.holder() == 2


def test_a_fork_sees_its_base_and_keeps_its_changes_to_itself() -> None:
    base = State("r", 1, "d", "t", lambda key: "base" if key == "n/m" else None)
    fork = base.fork()
    fork.apply(Stamp(2, "t", "a"), {"table": "policies", "digest": "p"})
    fork.heads.put("n/m", None)
    assert fork.heads.get("n/m") is None
    assert base.heads.get("n/m") == "base"
    assert (base.policy_digest, fork.policy_digest) == ("", "p")
    assert (fork.seq, fork.digest, fork.time) == (1, "d", "t")
