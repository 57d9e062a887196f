"""The check of a history can fail: forged logs and answers are found out."""

from typing import Any

import pytest

from campaigns.judging import HALF, LOST, TWICE, UNSOUND, Raw, Verdict
from campaigns.racing import Told, check_history


def commit(seq: int, *, version: int | None = None, held: int | None = None) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    if version:
        rows.append({"table": "versions", "version": version})
    if held:
        rows.append({"table": "placements", "stage": "staging", "to_version": held})
    return {"seq": seq, "time": f"2026-01-01T00:00:{seq:02d}Z", "rows": rows}


SOUND = [commit(1, version=1), commit(2, held=1), commit(3, version=2), commit(4, held=2)]


def told(seq: int, asked: int, answered: int, version: int | None = None) -> Told:
    return Told(asked, answered, seq, f"digest-{seq}", version)


def found(
    commits: list[dict[str, Any]], answers: list[Told], looks: tuple[Told, ...] = ()
) -> set[str]:
    verdict = Verdict()
    raw = Raw(commits, [f"digest-{item['seq']}" for item in commits], [])
    check_history(verdict, raw, answers, looks)
    return {kind for kind, _detail in verdict.violations}


ANSWERS = [told(1, 0, 10, 1), told(2, 11, 20), told(3, 12, 30, 2), told(4, 31, 40)]


def test_a_sound_history_is_found_sound() -> None:
    assert found(SOUND, ANSWERS) == set()


def test_a_commit_that_was_told_and_is_not_there_is_lost() -> None:
    assert found(SOUND[:3], ANSWERS) == {LOST}


def test_a_version_number_that_two_commits_have_was_given_twice() -> None:
    assert TWICE in found([*SOUND, commit(5, version=2)], ANSWERS)


def test_a_number_that_two_writers_were_told_was_given_twice() -> None:
    assert TWICE in found(SOUND, [*ANSWERS, told(4, 41, 42, 2)])


def test_who_began_after_another_was_told_comes_after_it() -> None:
    assert found(SOUND, [told(4, 0, 10), told(1, 11, 20, 1)]) == {HALF}


def test_recorded_time_that_goes_back_is_unsound() -> None:
    back = {**commit(5), "time": "2025-01-01T00:00:00Z"}
    assert found([*SOUND, back], ANSWERS) == {UNSOUND}


@pytest.mark.parametrize(
    ("seq", "version", "asked", "answered", "sound"),
    [
        (2, 1, 21, 22, True),
        (4, 2, 41, 42, True),
        # asked before the promotion was told, answered after it began: either is right
        (2, 1, 35, 36, True),
        (4, 2, 35, 36, True),
        # it was told of before the reader asked
        (2, 1, 41, 42, False),
        # nobody had asked for it yet
        (4, 2, 21, 22, False),
        # no such state
        (2, 2, 21, 22, False),
        (3, 2, 35, 36, False),
    ],
)
def test_a_reader_sees_what_was_in_force_while_it_looked(
    seq: int, version: int, asked: int, answered: int, *, sound: bool
) -> None:
    look = Told(asked, answered, seq, version=version)
    assert (found(SOUND, ANSWERS, (look,)) == set()) is sound
