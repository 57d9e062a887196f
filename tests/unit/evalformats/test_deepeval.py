"""DeepEval: three layouts of one run, with the averages and pass rates of its own report."""

import json
from pathlib import Path
from typing import Any

import pytest

from regista.evalformats.deepeval import FORMAT
from regista.evalformats.protocol import Choice
from support.evalfiles import FIXTURES, peek_at, refusal, samples_of, scores_of, written

RUNS = FIXTURES / "deepeval"
FILES = sorted(path.name for path in RUNS.glob("*.json"))
CHOICE = Choice()


def case(**metric: Any) -> dict[str, Any]:
    given = {"name": "m", "success": True, "score": 1.0, **metric}
    return {"name": "c", "input": "i", "success": True, "metricsData": [given]}


def run_file(tmp_path: Path, *cases: dict[str, Any], **fields: Any) -> Path:
    return written(tmp_path / "a", json.dumps({"testCases": cases, **fields}))


@pytest.mark.parametrize("name", FILES)
def test_each_layout_has_the_numbers_of_its_report(name: str) -> None:
    assert len(FILES) == 3
    # its own table: Contains 0.75, 66.67% of 3; Exact Match 0.33, 33.33% of 3; 33.33% of cases
    run = FORMAT.read(RUNS / name, CHOICE)
    values = {
        metric: (score["value"], score["n"]) for (_, metric, _), score in scores_of(run).items()
    }
    assert values == {
        "pass_rate": ("0.33333333333333333", 3),
        "Contains": ("0.75", 3),
        "Contains.pass_rate": ("0.66666666666666667", 3),
        "Exact Match": ("0.33333333333333333", 3),
        "Exact Match.pass_rate": ("0.33333333333333333", 3),
    }
    assert run.harness == "deepeval"
    assert run.status == "complete"
    assert FORMAT.recognises(peek_at(RUNS / name))


def test_the_direction_of_a_metric_is_not_guessed() -> None:
    scores = scores_of(FORMAT.read(RUNS / "latest_test_run.json", CHOICE))
    assert "direction" not in scores["", "Contains", ""]
    assert scores["", "pass_rate", ""]["direction"] == "higher"


def test_each_case_comes_with_its_facts() -> None:
    run = FORMAT.read(RUNS / "latest_test_run.json", Choice(keep_texts=True))
    rows = samples_of(run)
    assert run.suite == "capitals"
    assert len(rows) == 9
    assert rows[7] == {
        "sample_id": "japan", "metric": "Contains", "value": "0.25", "passed": False,
        "slices": {"continent": "Asia"}, "latency_s": "0.5", "cost_usd": "0.001",
        "input": "Capital of Japan?", "output": "Kyoto",
    }  # fmt: skip


def test_a_metric_that_failed_makes_the_run_partial(tmp_path: Path) -> None:
    path = run_file(tmp_path, case(), case(score=None, success=False, error="no key"))
    run = FORMAT.read(path, CHOICE)
    assert (run.status, run.note) == ("partial", "1 of 2 metrics ended in an error")
    assert scores_of(run)["", "m", ""] == {"metric": "m", "value": "1", "n": 1}
    assert [row["sample_id"] for row in samples_of(run)] == ["c", "c", "c #2"]


def test_conversations_count_too(tmp_path: Path) -> None:
    path = run_file(tmp_path, conversationalTestCases=[case()], datasetAlias="d", testFile="t.py")
    run = FORMAT.read(path, CHOICE)
    assert (run.dataset, run.suite) == ("d", "t.py")
    assert scores_of(run)["", "pass_rate", ""]["n"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("{}", "is not a test run of DeepEval"),
        ('{"testCases": []}', "has no test case in it"),
        ('{"testRunData": {"testCases": [{', "it is not JSON"),
        (json.dumps({"testCases": [case(score=float("inf"))]}), "not a finite number"),
        (json.dumps({"testCases": [case(score="1")]}), "a score of 'm' is not a number"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_broken_is_refused(text: str, message: str, tmp_path: Path) -> None:
    assert message in refusal(FORMAT, written(tmp_path / "a", text))


def test_a_cache_of_deepeval_is_no_run(tmp_path: Path) -> None:
    path = written(tmp_path / "a", '{"test_cases_lookup_map": {"x": {"cached_metrics_data": []}}}')
    assert not FORMAT.recognises(peek_at(path))
