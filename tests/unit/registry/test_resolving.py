"""What `resolve` and `show` say: which version, and since when, by whom, in which commit."""

import pytest

from regista.errors import NotFoundError
from regista.registry.core import Registry
from support.registries import new_registry, register, reopen


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Versions 1 to 3; 2 in prod above 1; 1 is `best`; 3 is labelled; by various people."""
    ann = new_registry()
    bob = reopen(ann.replica.store, actor="bob")
    register(ann, "m", "one")
    register(bob, "m", "two")
    register(ann, "m", "three", label="1.4.2")
    bob.promote("m@1", "prod")
    ann.promote("m@2", "prod", reason="better")
    bob.alias("m@1", "best")
    ann.promote("m@2", "shadow")
    return ann


@pytest.mark.parametrize(
    ("selector", "version", "stage", "seq", "by"),
    [
        ("2", 2, None, 3, "bob"),
        ("latest", 3, None, 4, "ann"),
        ("prod", 2, "prod", 6, "ann"),
        ("stage:prod", 2, "prod", 6, "ann"),
        ("dev", 3, "dev", 4, "ann"),
        ("best", 1, None, 7, "bob"),
        ("alias:best", 1, None, 7, "bob"),
        ("1.4.2", 3, None, 4, "ann"),
        ("label:1.4.2", 3, None, 4, "ann"),
    ],
)
def test_a_selector_resolves_with_how_it_came_to_point_there(
    registry: Registry, selector: str, version: int, stage: str | None, seq: int, by: str
) -> None:
    found = registry.resolve(f"m@{selector}")
    assert (found.version, found.stage, found.seq, found.by) == (version, stage, seq, by)
    commit, _digest = registry.replica.log.read(seq)
    assert found.since == commit.time


def test_a_digest_resolves_to_its_version(registry: Registry) -> None:
    digest = registry.resolve("m@2").digest
    assert registry.resolve(f"m@sha256:{digest}").version == 2
    assert registry.resolve(f"m@sha256:{digest[:12]}").version == 2


def test_the_way_back_resolves_without_a_stage(registry: Registry) -> None:
    found = registry.resolve("m@prod~1")
    assert (found.version, found.stage) == (1, None)


def test_all_stages_that_a_version_holds_are_told(registry: Registry) -> None:
    assert registry.resolve("m@2").stages == ["prod", "shadow"]
    assert registry.resolve("m@prod").stages == ["prod", "shadow"]


def test_the_answer_is_the_same_from_a_checkpoint(registry: Registry) -> None:
    before = [registry.resolve(f"m@{selector}") for selector in ("2", "prod", "best", "1.4.2")]
    shown = registry.show("m"), registry.show("m@2")
    registry.compact()
    fresh = reopen(registry.replica.store)
    assert fresh.replica.refresh().heads.changed == {}
    assert before == [fresh.resolve(f"m@{name}") for name in ("2", "prod", "best", "1.4.2")]
    assert shown == (fresh.show("m"), fresh.show("m@2"))


def test_the_next_way_back_is_shown_with_the_slot(registry: Registry) -> None:
    slots = registry.show("m")["stages"]
    assert {stage: slot["rollback_target"] for stage, slot in slots.items()} == {
        "dev": None,
        "prod": 1,
        "shadow": None,
    }


def test_a_deleted_version_is_shown_and_does_not_resolve() -> None:
    registry = new_registry()
    register(registry, "m", "one", tags={"a": "b"})
    register(registry, "m", "two")
    registry.delete("m@1", reason="leaked", purge=True)
    registry.gc()
    with pytest.raises(NotFoundError, match="was deleted"):
        registry.resolve("m@1")
    shown = registry.show("m@1")
    assert (shown["status"], shown["status_reason"], shown["purged"]) == ("deleted", "leaked", True)
    assert shown["tags"] == {"a": "b"}


def test_long_texts_are_shown_whole_and_none_where_they_were_purged() -> None:
    registry = new_registry()
    card = "A long card. " * 100
    registry.register("m", uri="s3://elsewhere", card=card)
    registry.describe("m", "B" * 2000)
    assert registry.show("m@1")["card"] == card
    assert registry.show("m")["description"] == "B" * 2000
    registry.demote("m", "dev")
    registry.delete("m@1", purge=True)
    registry.gc()
    assert registry.show("m@1")["card"] is None
