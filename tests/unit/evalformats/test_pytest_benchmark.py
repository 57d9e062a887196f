"""pytest-benchmark: the statistics of its own table, with an error that follows from them."""

import json
import math
import statistics
from pathlib import Path
from typing import Any

import pytest

from regista.evalformats.protocol import Choice
from regista.evalformats.pytest_benchmark import FORMAT
from support.evalfiles import FIXTURES, peek_at, refusal, scores_of, written

SAVED = FIXTURES / "pytest_benchmark" / "saved.json"
CHOICE = Choice()


def document(**stats: Any) -> dict[str, Any]:
    return {
        "machine_info": {},
        "commit_info": {"id": "abc", "dirty": True},
        "benchmarks": [{"name": "a", "fullname": "t.py::a", "stats": stats}],
        "version": "5.3.1",
    }


def test_the_numbers_are_those_of_its_table() -> None:
    run = FORMAT.read(SAVED, CHOICE)
    scores = scores_of(run)
    # its own table, in nanoseconds: mean 224.6500, stddev 153.3130, median 186.3000, 20 rounds
    mean = scores["test_pedantic", "mean", ""]
    assert round(float(mean["value"]) * 1e9, 4) == 224.65
    assert round(float(scores["test_pedantic", "median", ""]["value"]) * 1e9, 4) == 186.3
    assert round(float(scores["test_pedantic", "stddev", ""]["value"]) * 1e9, 4) == 153.313
    assert (mean["n"], mean["direction"]) == (20, "lower")
    # the stddev by the square root of 20 rounds
    assert math.isclose(float(mean["stderr"]) * 1e9, 34.2818, rel_tol=1e-5)
    # operations: 4.4514 million a second
    ops = scores["test_pedantic", "ops", ""]
    assert (round(float(ops["value"]) / 1e6, 4), ops["direction"]) == (4.4514, "higher")
    assert scores["test_sum[100]", "extra_info.items", ""]["value"] == "100"


def test_who_ran_it_where_and_when_comes_along() -> None:
    run = FORMAT.read(SAVED, CHOICE)
    assert (run.harness, run.harness_version) == ("pytest-benchmark", "5.3.1")
    assert run.code == "81730e90e43cb372a0bc5eebf15ee53aeb2570bc"
    assert run.time.startswith("2026-11-25T14:4")
    assert run.note == "on CPython 3.11.7 Linux x86_64 AMD EPYC"
    assert run.samples is None


def test_the_error_is_that_of_a_mean_of_independent_rounds(tmp_path: Path) -> None:
    rounds = [1.0, 2.0, 4.0, 8.0]
    stats = {"mean": 3.75, "stddev": statistics.stdev(rounds), "rounds": 4}
    path = written(tmp_path / "a", json.dumps(document(**stats)))
    mean = scores_of(FORMAT.read(path, CHOICE))["a", "mean", ""]
    assert math.isclose(float(mean["stderr"]), statistics.stdev(rounds) / 2, rel_tol=1e-15)


def test_one_round_has_no_error(tmp_path: Path) -> None:
    path = written(tmp_path / "a", json.dumps(document(mean=1.0, stddev=0, rounds=1)))
    run = FORMAT.read(path, CHOICE)
    assert scores_of(run)["a", "mean", ""] == {
        "metric": "mean", "value": "1.0", "n": 1, "task": "a", "direction": "lower",
    }  # fmt: skip
    assert run.note == "the working tree had changes"


def test_benchmarks_of_one_name_are_told_apart(tmp_path: Path) -> None:
    given = document(mean=1.0, rounds=2)
    given["benchmarks"].append({"name": "a", "fullname": "u.py::a", "stats": {"mean": 2.0}})
    run = FORMAT.read(written(tmp_path / "a", json.dumps(given)), CHOICE)
    assert {task for task, _, _ in scores_of(run)} == {"t.py::a", "u.py::a"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("{}", "is not of pytest-benchmark"),
        ('{"machine_info": {}, "benchmarks": []}', "has no benchmark in it"),
        (SAVED.read_text()[:1000], "it is not JSON"),
        (json.dumps(document(mean=float("nan"))), "mean of 'a' is 'NaN', which is not a finite"),
        (json.dumps(document(mean="1")), "mean of 'a' is not a number"),
    ],
)
def test_what_is_broken_is_refused(text: str, message: str, tmp_path: Path) -> None:
    assert message in refusal(FORMAT, written(tmp_path / "a", text))


def test_the_real_file_is_known() -> None:
    assert FORMAT.recognises(peek_at(SAVED))
