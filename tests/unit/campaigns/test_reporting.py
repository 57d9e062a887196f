"""The report says what the runs found, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from campaigns.judging import LOST
from campaigns.reporting import is_done, report

HEAD = {"part": "calls of promote", "started": "2026-01-01 10:00 UTC", "commit": "abc"}
RUN = {
    "case": "promote", "fault": "EIO", "where": "3 link", "code": 7, "committed": False,
    "violations": [], "seconds": 1.5,
}  # fmt: skip
DONE = {"done": True, "seconds": 12}
CAUGHT = {"mutant": "no fsync", "by": "promote", "violation": f"{LOST}: exit 0", "runs": 2}


NAMES = ["calls of promote", "kills"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "calls.jsonl", HEAD, RUN, {**RUN, "code": 0}, DONE)
    return tmp_path


def write(file: Path, *lines: dict[str, Any]) -> None:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_sound_campaign_is_reported_as_one(folder: Path) -> None:
    text, sound = report(folder, NAMES)
    assert sound
    assert f"| {LOST} | 0 |" in text
    assert "| promote | 0 | 2 | 0 | 1 | 0 | 1 | 0 | 0 |" in text
    assert "| calls of promote | 2026-01-01 10:00 UTC | `abc` | 12 | all |" in text
    assert "| kills |  |  |  | nothing |" in text


def test_a_violation_is_counted_and_the_campaign_unsound(folder: Path) -> None:
    write(folder / "more.jsonl", HEAD, {**RUN, "violations": [[LOST, "exit 0"]]}, DONE)
    text, sound = report(folder, NAMES)
    assert not sound
    assert f"| {LOST} | 1 |" in text


@pytest.mark.parametrize(("by", "sound"), [("promote", True), ("", False)])
def test_a_mutant_that_nobody_caught_makes_it_unsound(
    folder: Path, by: str, *, sound: bool
) -> None:
    write(folder / "m.jsonl", {**HEAD, "part": "mutants"}, {**CAUGHT, "by": by}, DONE)
    text, said = report(folder, NAMES)
    assert said is sound
    assert f"| no fsync | {by or 'nobody'} | {LOST} | 2 |" in text


def test_races_are_summed_by_what_they_were(folder: Path) -> None:
    race = {
        "what": "4 writers", "kills": 3, "commits": 10, "told": 8, "looks": 5, "violations": [],
        "seconds": 1,
    }  # fmt: skip
    write(folder / "r.jsonl", {**HEAD, "part": "kills"}, race, race, DONE)
    assert "| 4 writers | 6 | 20 | 16 | 10 | 0 |" in report(folder, NAMES)[0]


def test_a_part_that_was_cut_short_is_not_done_and_says_so(folder: Path) -> None:
    file = folder / "cut.jsonl"
    assert not is_done(file)
    write(file, HEAD, RUN)
    assert not is_done(file)
    write(file, HEAD, RUN, {"done": False, "seconds": 5})
    assert not is_done(file)
    assert "the first 1 runs, for want of time" in report(folder, NAMES)[0]
    assert is_done(folder / "calls.jsonl")
