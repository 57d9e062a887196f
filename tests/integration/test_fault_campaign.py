"""The short form of the fault campaign, in a process of its own, as it forks."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CAMPAIGN = Path(__file__).parents[1] / "campaigns" / "faults.py"


@pytest.fixture(scope="module")
def runs() -> list[dict[str, Any]]:
    """Return what the short form ran; it ends with 1 when anything was found."""
    command = [sys.executable, str(CAMPAIGN), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_faults_around_a_commit_are_survived_and_told_truly(runs: list[dict[str, Any]]) -> None:
    tried = [(run["fault"], run["code"], run["committed"]) for run in runs if "fault" in run]
    assert tried == [
        ("killed before the call", None, False),
        ("killed before the call", None, True),
        # the commit is there for all to see, but the disk did not take its name
        ("EIO", 5, True),
        ("a store without conditional writes", 7, False),
    ]


def test_races_and_kills_leave_one_history(runs: list[dict[str, Any]]) -> None:
    killed, raced = [run for run in runs if "told" in run]
    assert killed["kills"] == 4
    assert raced["commits"] == 13
    assert raced["told"] == 12
    assert raced["looks"]
    assert killed["violations"] == raced["violations"] == []


def test_a_safeguard_that_is_taken_away_is_noticed(runs: list[dict[str, Any]]) -> None:
    caught = {run["mutant"]: run["violation"].partition(":")[0] for run in runs if "mutant" in run}
    assert caught == {
        "no fsync in durable.sync_folder < durable.publish_new": "acknowledged commit lost",
        "no read-back: what a store says is believed": "unknown outcome reported as known",
    }
