"""The stack of a slot: two rollbacks go two back, and what was rolled away stays away."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.decide.fold import restack
from regista.decide.heads import SlotHead
from regista.errors import NotFoundError
from regista.registry import requests
from support.history import History, demote, history_with, promote, register, rollback

BROKEN = {"ok": False, "missing": ["m.bin"], "corrupt": []}
CORRUPT = {"ok": False, "missing": [], "corrupt": ["m.bin"]}


def promoted(*numbers: int, count: int = 0) -> History:
    """Return a history whose prod held these versions one after the other."""
    history = history_with(count or max(numbers))
    for number in numbers:
        history.do(promote(f"m@{number}"))
    return history


def damage(history: History, number: int, fact: dict[str, Any]) -> None:
    history.facts["blobs", history.version(number).digest] = fact


def back(history: History, **options: Any) -> dict[str, Any]:
    return history.decision(rollback(**options))


def test_two_rollbacks_go_two_back_and_never_ping_pong() -> None:
    history = promoted(1, 2, 3)
    assert back(history)["to_version"] == 2
    assert back(history)["to_version"] == 1
    assert history.slot() == SlotHead([1], [3, 2])
    with pytest.raises(NotFoundError, match="no rollback target"):
        back(history)
    assert history.holder() == 1


def test_promoting_a_version_that_is_on_the_stack_moves_it_to_the_top() -> None:
    history = promoted(1, 2, 3, 1)
    assert history.slot().stack == [2, 3, 1]
    assert back(history)["to_version"] == 3
    assert back(history)["to_version"] == 2


def test_promoting_the_holder_changes_nothing() -> None:
    history = promoted(1, 2)
    commits = len(history.commits)
    plan = history.do(promote("m@2"))
    assert plan.changes_nothing
    assert len(history.commits) == commits
    assert back(history)["to_version"] == 1


def test_rollback_to_a_version_pops_and_bars_everything_above_it() -> None:
    history = promoted(1, 2, 3, 4)
    decision = back(history, to=2)
    assert (decision["from_version"], decision["to_version"]) == (4, 2)
    assert history.slot() == SlotHead([1, 2], [3, 4])


def test_rollback_to_the_holder_is_done_already() -> None:
    history = promoted(1, 2)
    plan = history.do(rollback(to=2))
    assert plan.changes_nothing
    assert plan.planned[0].existing == history.entry().slots["prod"].seq


@pytest.mark.parametrize("to", [3, 5, 99])
def test_rollback_goes_to_no_version_that_is_not_below_on_the_stack(to: int) -> None:
    history = promoted(1, 2, count=5)
    with pytest.raises(NotFoundError):
        back(history, to=to)


def test_what_was_rolled_away_is_no_rollback_target_later() -> None:
    history = promoted(1, 2, 3)
    back(history)
    with pytest.raises(NotFoundError):
        back(history, to=3)
    history.do(register("content 4"))
    history.do(promote("m@4"))
    assert back(history)["to_version"] == 2


def test_what_was_rolled_away_is_refused_without_again_and_a_reason() -> None:
    history = promoted(1, 2)
    back(history)
    refused = history.decision(promote("m@2"))
    assert refused["outcome"] == "refused"
    [gate] = refused["gates"]
    assert (gate["id"], gate["status"]) == ("rolled-back", "failed")
    assert "--again" in gate["remedy"]
    assert history.holder() == 1


def test_what_was_rolled_away_comes_back_on_purpose_and_is_barred_no_more() -> None:
    history = promoted(1, 2)
    back(history)
    decision = history.decision(promote("m@2", again=True, reason="fixed upstream"))
    assert decision["outcome"] == "passed"
    assert history.slot() == SlotHead([1, 2], [])
    assert back(history)["to_version"] == 1


def test_a_bar_is_of_one_stage_only() -> None:
    history = promoted(1, 2)
    back(history)
    assert history.decision(promote("m@2", "staging"))["outcome"] == "passed"


def test_demote_empties_the_slot_and_a_rollback_restores_the_new_top() -> None:
    history = promoted(1, 2, 3)
    history.do(demote())
    assert history.holder() is None
    assert history.slot() == SlotHead([1, 2], [])
    decision = back(history)
    assert (decision["from_version"], decision["to_version"]) == (None, 2)
    assert history.slot() == SlotHead([1, 2], [])


def test_a_demoted_version_may_be_promoted_again_and_is_no_rollback_target() -> None:
    history = promoted(1, 2)
    history.do(demote())
    with pytest.raises(NotFoundError):
        back(history, to=2)
    assert history.decision(promote("m@2"))["outcome"] == "passed"


def test_after_demoting_everything_there_is_no_way_back() -> None:
    history = promoted(1)
    history.do(demote())
    with pytest.raises(NotFoundError):
        back(history)
    with pytest.raises(NotFoundError, match="nothing of 'm' is in prod"):
        history.do(demote())


@pytest.mark.parametrize("op", ["archive", "delete"])
def test_rollback_passes_over_what_is_archived_or_deleted_and_says_so(op: str) -> None:
    history = promoted(1, 2, 3)
    history.do(requests.status(op, "m@2", reason=""))
    decision = back(history)
    assert decision["to_version"] == 1
    assert decision["skipped"] == [{"version": 2, "reason": f"it is {op}d"}]
    assert history.slot() == SlotHead([1], [2, 3])


def test_rollback_restores_what_is_deprecated() -> None:
    history = promoted(1, 2)
    history.do(requests.status("deprecate", "m@1", reason=""))
    assert back(history)["to_version"] == 1


@pytest.mark.parametrize(
    ("fact", "reason"),
    [(BROKEN, "artifacts are missing: m.bin"), (CORRUPT, "artifacts are corrupt: m.bin")],
)
def test_rollback_passes_over_what_cannot_be_fetched_and_says_so(
    fact: dict[str, Any], reason: str
) -> None:
    history = promoted(1, 2, 3)
    damage(history, 2, fact)
    decision = back(history)
    assert decision["to_version"] == 1
    assert decision["skipped"] == [{"version": 2, "reason": reason}]
    assert history.commits[-1].ops[0].reads == {
        f"blobs:{history.version(2).digest}": fact,
        f"blobs:{history.version(1).digest}": {"ok": True, "missing": [], "corrupt": []},
    }


def test_rollback_to_a_version_that_cannot_be_fetched_is_refused_and_says_why() -> None:
    history = promoted(1, 2, 3)
    damage(history, 1, CORRUPT)
    with pytest.raises(NotFoundError, match=r"version 1: artifacts are corrupt: m\.bin"):
        back(history, to=1)
    assert history.holder() == 3


def test_rollback_never_asks_gates() -> None:
    history = promoted(1, 2)
    assert "gates" not in back(history)


def test_a_version_without_artifacts_of_its_own_can_be_rolled_back_to() -> None:
    history = History()
    history.do(register("", "m"), register("content 2"))
    history.do(promote("m@1"))
    history.do(promote("m@2"))
    assert back(history)["to_version"] == 1


def test_a_drill_chooses_what_a_rollback_would_and_moves_nothing() -> None:
    history = promoted(1, 2, 3)
    damage(history, 2, BROKEN)
    history.facts["drill", history.version(1).digest] = {
        "ok": True,
        "duration_s": "0.5",
        "files": 1,
        "bytes": 9,
        "detail": "",
    }
    decision = history.decision(requests.drill("m", "prod", smoke="./smoke"))
    assert (decision["from_version"], decision["to_version"], decision["ok"]) == (3, 1, True)
    assert decision["skipped"][0]["version"] == 2
    assert history.holder() == 3
    assert history.slot().stack == [1, 2, 3]
    drill = history.slot().drill
    assert drill is not None
    assert (drill.ok, drill.to_version) == (True, 1)
    assert back(history)["to_version"] == 1


def test_a_failed_drill_is_recorded_as_failed() -> None:
    history = promoted(1, 2)
    history.facts["drill", history.version(1).digest] = {
        "ok": False,
        "duration_s": "0.5",
        "files": 1,
        "bytes": 9,
        "detail": "exit 1",
    }
    decision = history.decision(requests.drill("m", "prod", smoke="false"))
    assert (decision["ok"], decision["detail"]) == (False, "exit 1")
    drill = history.slot().drill
    assert drill is not None
    assert drill.ok is False


def test_a_drill_without_a_target_is_not_found() -> None:
    history = promoted(1)
    with pytest.raises(NotFoundError):
        history.do(requests.drill("m", "prod", smoke=""))


actions = st.lists(
    st.tuples(st.just("promote"), st.integers(1, 5))
    | st.tuples(st.just("rollback"), st.integers(0, 5))
    | st.tuples(st.just("demote"), st.just(0)),
    max_size=25,
)


@given(actions)
def test_restacking_keeps_a_stack_a_stack(steps: list[tuple[str, int]]) -> None:
    slot, holder = SlotHead(), None
    history: list[int] = []
    for action, number in steps:
        to: int | None = number
        if action == "rollback":
            below = [item for item in slot.stack if item != holder]
            if number >= len(below):
                continue
            to = below[number]
        elif action == "demote":
            if holder is None:
                continue
            to = None
        slot = restack(slot, action, holder, to)
        history.append(to or 0)
        holder = to
        assert len(set(slot.stack)) == len(slot.stack)
        assert not set(slot.stack) & set(slot.barred)
        assert holder is None or slot.stack[-1] == holder
    assert set(slot.stack) | set(slot.barred) <= set(history)
