"""Cursors: never back by accident, never lost, and started once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from regista.errors import IntegrityError
from regista.hooks.cursors import Cursors, Failing, Position, Skip
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.storage.remote.store import RemoteStore
from regista.storage.store import PutOutcome, Store
from support.emulators import gcs

FAILING = Failing(3, "status 500", "2026-01-01", "2026-01-02", "2026-01-03")


@pytest.fixture(params=["memory", "local", "remote"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    match request.param:
        case "memory":
            return MemoryStore("test")
        case "local":
            return LocalStore(tmp_path / "r")
        case _:
            return gcs().store(tmp_path)


@pytest.fixture
def cursors(store: Store) -> Cursors:
    return Cursors(store, "audit")


def test_a_hook_that_was_never_seen_has_none(cursors: Cursors) -> None:
    assert cursors.read() is None


def test_the_first_to_install_decides(store: Store, cursors: Cursors) -> None:
    assert cursors.install(7).position == Position(7)
    assert Cursors(store, "audit").install(9).position == Position(7)
    assert Cursors(store, "other").read() is None


def test_it_moves_on_and_counts(cursors: Cursors) -> None:
    cursor = cursors.advance(cursors.install(7), Position(7, 1), delivered=1)
    cursor = cursors.advance(cursor, Position(8), delivered=1)
    found = cursors.read()
    assert found is not None
    assert (found.position, found.delivered, found.stale) == (Position(8), 2, ())
    assert found == cursor


def test_a_slow_runner_sets_a_fast_one_not_back(store: Store, cursors: Cursors) -> None:
    slow = fast = cursors.install(1)
    for seq in range(2, 6):
        fast = cursors.advance(fast, Position(seq), delivered=1)
    Cursors(store, "audit").advance(slow, Position(2), delivered=1)
    found = cursors.read()
    assert found is not None
    assert found.position == Position(5)


def test_old_positions_are_cleared_away(store: Store, cursors: Cursors) -> None:
    cursor = cursors.install(1)
    for seq in range(2, 30):
        cursor = cursors.advance(cursor, Position(seq), delivered=1)
    assert len(list(store.list_after("hooks/"))) == 2


def test_a_restart_goes_back_and_a_runner_of_before_counts_no_more(cursors: Cursors) -> None:
    before = cursors.advance(cursors.install(1), Position(90), delivered=4)
    assert cursors.restart(3).position == Position(3)
    cursors.advance(before, Position(91), delivered=1)
    found = cursors.read()
    assert found is not None
    assert (found.position, found.delivered) == (Position(3), 0)
    cursors.advance(found, Position(4))
    assert cursors.install(99).position == Position(4)


def test_a_restart_may_be_the_start(cursors: Cursors) -> None:
    assert cursors.restart(1).position == Position(1)


def test_skips_are_kept_with_who_did(cursors: Cursors) -> None:
    cursor = cursors.install(1)
    for seq in range(1, 30):
        cursor = cursors.skip(cursor, Skip(Position(seq), Position(seq + 1), "ann", "2026"))
    cursor = cursors.advance(cursor, Position(31), delivered=1)
    found = cursors.read()
    assert found is not None
    assert len(found.skipped) == 20
    assert found.skipped[-1] == {"from": [29, 0], "to": [30, 0], "actor": "ann", "time": "2026"}


def test_what_is_wrong_is_noted_and_forgotten(cursors: Cursors) -> None:
    assert cursors.failing() is None
    cursors.note_failing(FAILING)
    assert cursors.failing() == FAILING
    cursors.note_working()
    assert cursors.failing() is None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"failures":1}'])
def test_a_damaged_note_of_what_is_wrong_is_no_problem(
    store: Store, cursors: Cursors, data: bytes
) -> None:
    store.put("hooks/id-audit/failing.json", data)
    assert cursors.failing() is None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"from":"1"}', b'{"from":null}'])
def test_a_damaged_start_is_said_and_mended_by_hand(
    store: Store, cursors: Cursors, data: bytes
) -> None:
    store.put("hooks/id-audit/000001.json", data)
    with pytest.raises(IntegrityError, match=r"hooks/id-audit/000001.json is damaged"):
        cursors.read()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"delivered":"x","skipped":[]}'])
def test_a_damaged_position_stands_by_its_name(store: Store, cursors: Cursors, data: bytes) -> None:
    cursors.install(1)
    store.put("hooks/id-audit/000001-000000000042-000003.json", data)
    found = cursors.read()
    assert found is not None
    assert (found.position, found.delivered) == (Position(42, 3), 0)


def test_files_of_others_are_left_alone(store: Store, cursors: Cursors) -> None:
    for key in ("hooks/id-audit/readme.txt", "hooks/id-audit2/000001.json", "hooks/x"):
        assert store.put_if_absent(key, b"{}") is PutOutcome.CREATED
    cursor = cursors.install(1)
    cursors.advance(cursor, Position(2))
    assert store.get("hooks/id-audit/readme.txt") == b"{}"


class Vanishing(MemoryStore):
    """A store in which another runner moves the cursor between a listing and a look."""

    move: Callable[[], object] | None = None

    def get(self, key: str) -> bytes | None:
        """Let the other one move first, once."""
        if self.move and "-" in key.rpartition("/")[2]:
            move, self.move = self.move, None
            move()
        return super().get(key)


def test_a_position_that_is_cleared_away_while_it_is_read_is_looked_for_again() -> None:
    store = Vanishing("test")
    cursors = Cursors(store, "audit")
    cursor = cursors.advance(cursors.install(1), Position(2), delivered=1)
    store.move = lambda: cursors.advance(cursor, Position(3), delivered=1)
    found = cursors.read()
    assert found is not None
    assert (found.position, found.delivered) == (Position(3), 2)


def test_one_runner_of_a_hook_at_a_time_where_there_are_locks(store: Store) -> None:
    cursors = Cursors(store, "audit")
    cursors.install(1)
    locks = not isinstance(store, RemoteStore)
    with cursors.alone(1) as first, Cursors(store, "audit").alone(0.2) as second:
        assert (first, second) == (True, not locks)
    with cursors.alone(0.2) as again, Cursors(store, "other").alone(0.2) as other:
        assert (again, other) == (True, True)
