"""Planning `deprecate`, `restore`, `archive` and `delete`."""

import pytest

from regista.decide.operations.context import Request
from regista.errors import NotFoundError, RefusedError
from regista.registry import requests
from support.history import History, demote, history_with, promote, register


def change(op: str, ref: str = "m@1", *, purge: bool = False) -> Request:
    return requests.status(op, ref, reason="why", purge=purge)


@pytest.fixture
def history() -> History:
    return history_with(2)


@pytest.mark.parametrize(
    ("op", "status"), [("deprecate", "deprecated"), ("archive", "archived"), ("delete", "deleted")]
)
def test_a_version_changes_its_status_once(history: History, op: str, status: str) -> None:
    decision = history.decision(change(op))
    assert decision == {"name": "m", "version": 1, "status": status, "from_status": "active"}
    assert history.version(1).status == status
    assert history.version(1).status_reason == "why"
    assert history.do(change(op)).changes_nothing


@pytest.mark.parametrize("op", ["deprecate", "archive"])
def test_restore_makes_it_active_again(history: History, op: str) -> None:
    history.do(change(op))
    assert history.decision(change("restore"))["status"] == "active"
    assert history.do(change("restore")).changes_nothing


@pytest.mark.parametrize("op", ["deprecate", "archive", "restore"])
def test_what_was_deleted_stays_deleted(history: History, op: str) -> None:
    history.do(change("delete"))
    with pytest.raises(RefusedError, match="deleted for good"):
        history.do(change(op))


@pytest.mark.parametrize("op", ["archive", "delete"])
def test_a_version_that_holds_a_stage_is_not_taken_out_of_use(history: History, op: str) -> None:
    history.do(promote("m@1"))
    with pytest.raises(RefusedError, match="holds prod") as caught:
        history.do(change(op))
    assert "demote" in caught.value.hint
    history.do(demote())
    history.do(change(op))


def test_a_version_that_holds_a_stage_can_be_deprecated(history: History) -> None:
    history.do(promote("m@1"))
    history.do(change("deprecate"))
    assert history.holder() == 1


def test_delete_drops_the_aliases_of_the_version_and_no_others(history: History) -> None:
    history.do(requests.alias("m@1", "best"), requests.alias("m@1", "old"))
    history.do(requests.alias("m@2", "new"))
    history.do(change("delete"))
    assert list(history.entry().aliases) == ["new"]
    assert history.state.heads.get("a/best") is None


def test_purge_can_follow_a_delete_and_is_done_once(history: History) -> None:
    history.do(change("delete"))
    assert not history.version(1).purged
    assert not history.do(change("delete", purge=True)).changes_nothing
    assert history.version(1).purged
    assert history.do(change("delete", purge=True)).changes_nothing
    assert history.do(change("delete")).changes_nothing


def test_what_does_not_exist_is_not_found(history: History) -> None:
    for ref in ("m@9", "n@1", "m@prod"):
        with pytest.raises(NotFoundError):
            history.do(change("delete", ref))


def test_a_version_can_be_deleted_by_what_it_is_called() -> None:
    history = History()
    history.do(register("one", label="1.0"), register("two"))
    assert history.decision(change("delete", "m@1.0"))["version"] == 1
