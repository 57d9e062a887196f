"""Making a registry that is there already."""

from pathlib import Path

import pytest

from regista.errors import OutcomeUnknownError, StorageError
from regista.registry.opening import init_registry
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
