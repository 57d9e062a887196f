"""Making a registry that is there already."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from regista.errors import (
    IntegrityError,
    InvalidInputError,
    OutcomeUnknownError,
    StorageError,
)
from regista.read.opening import REGISTRY_KEY
from regista.registry.opening import init_registry, open_registry
from regista.storage.local import LocalStore


def refuse(_store: LocalStore, _key: str) -> None:
    raise StorageError("the disk is gone")


def test_a_second_init_that_cannot_settle_the_first_commit_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = init_registry(str(tmp_path / "r"), actor="ann")
    monkeypatch.setattr(LocalStore, "settle", refuse)
    with pytest.raises(OutcomeUnknownError) as caught:
        init_registry(str(tmp_path / "r"), actor="ann")
    assert caught.value.txid == f"init-{made.registry.id}"


def test_init_does_not_settle_its_own_commit_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[str] = []
    monkeypatch.setattr(LocalStore, "settle", lambda _store, key: settled.append(key))
    init_registry(str(tmp_path / "r"), actor="ann")
    assert not [key for key in settled if key.startswith("log/")]


def test_commits_without_an_id_are_no_place_for_a_new_registry(tmp_path: Path) -> None:
    init_registry(str(tmp_path / "r"), actor="ann")
    (tmp_path / "r" / REGISTRY_KEY).unlink()
    with pytest.raises(IntegrityError, match=r"has commits and no registry\.json") as caught:
        init_registry(str(tmp_path / "r"), actor="ann")
    assert "parent of commit 1" in caught.value.hint
    assert not (tmp_path / "r" / REGISTRY_KEY).exists()


def test_who_opens_commits_without_an_id_is_not_sent_to_init(tmp_path: Path) -> None:
    init_registry(str(tmp_path / "r"), actor="ann")
    (tmp_path / "r" / REGISTRY_KEY).unlink()
    with pytest.raises(IntegrityError, match=r"has commits and no registry\.json"):
        open_registry(str(tmp_path / "r"))


@pytest.mark.parametrize("id_", [None, "{", '{"format":1,"id":"ffffffffffffffffffffffffffffffff"}'])
def test_the_doctor_finds_that_the_id_is_lost_or_another(tmp_path: Path, id_: str | None) -> None:
    registry = init_registry(str(tmp_path / "r"), actor="ann").registry
    (tmp_path / "r" / REGISTRY_KEY).unlink()
    if id_ is not None:
        (tmp_path / "r" / REGISTRY_KEY).write_text(id_)
    found = registry.doctor()
    assert not found.ok
    assert [finding.check for finding in found.findings if not finding.ok] == ["id"]


def test_init_with_a_clock_that_is_ahead_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def an_hour_ago(_store: LocalStore) -> datetime:
        return datetime.now(UTC) - timedelta(hours=1)

    monkeypatch.setattr(LocalStore, "now", an_hour_ago)
    with pytest.raises(StorageError, match="clock is 60 minutes ahead"):
        init_registry(str(tmp_path / "r"), actor="ann")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("inside", ["log", "tables/versions/x", "blobs/a/b", "checkpoints/data"])
def test_a_registry_has_no_place_inside_another(tmp_path: Path, inside: str) -> None:
    init_registry(str(tmp_path / "r"), actor="ann")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidInputError, match="inside the registry") as caught:
        init_registry(str(tmp_path / "r" / inside), actor="ann")
    assert str(tmp_path / "r") in caught.value.message
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("beside", ["team", "data/team", "tables"])
def test_a_registry_may_lie_beside_another_or_below_folders_that_are_called_so(
    tmp_path: Path, beside: str
) -> None:
    if beside == "team":
        init_registry(str(tmp_path), actor="ann")
    assert init_registry(str(tmp_path / beside), actor="ann").created
