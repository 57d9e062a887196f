"""promptfoo: every layout, sums divided as its own view divides them, one column at a time."""

import json
from pathlib import Path
from typing import Any

import pytest

from regista.evalformats.promptfoo import FORMAT
from regista.evalformats.protocol import Choice, ImportedRun
from support.evalfiles import FIXTURES, peek_at, refusal, samples_of, scores_of, written

FILES = FIXTURES / "promptfoo"
LABEL = "{{capital}} is the capital of {{country}}"


def column(**metrics: Any) -> dict[str, Any]:
    given = {"testPassCount": 3, "testFailCount": 1, "testErrorCount": 0, "namedScoresCount": {}}
    return {"label": "p", "provider": "echo", "metrics": {**given, **metrics}}


def result(**fields: Any) -> dict[str, Any]:
    given = {"promptIdx": 0, "testIdx": 0, "success": True, "score": 1, "namedScores": {}}
    return {**given, "prompt": {"raw": "r", "label": "p"}, "provider": {"id": "echo"}, **fields}


def output_file(tmp_path: Path, *columns: dict[str, Any], results: Any = ()) -> Path:
    summary = {"version": 3, "timestamp": "t", "prompts": columns, "results": list(results)}
    return written(tmp_path / "a", json.dumps({"results": summary}))


def read(path: Path, run: str | None = None) -> ImportedRun:
    return FORMAT.read(path, Choice(run=run))


def values(run: ImportedRun) -> dict[str, tuple[str, int | None]]:
    return {
        name: (score["value"], score.get("n")) for (_, name, _), score in scores_of(run).items()
    }


def test_the_numbers_are_those_of_its_report() -> None:
    # of 3 tests with the prompt `plain` 2 passed; `says` has one assertion of weight 3 and one of
    # 1, both held; `knows` held in 2 of 3; `twice` is derived: 2 times the sum of `knows`
    found = values(read(FILES / "output.json", "plain"))
    del found["latency_ms"]
    assert found == {
        "pass_rate": ("0.66666666666666667", 3),
        "score": ("0.66666666666666667", 3),
        "assert_pass_rate": ("0.8", 5),
        "knows": ("0.66666666666666667", 3),
        "says": ("1", 2),
        "twice": ("4", None),
        "cost_usd": ("0", None),
        "tokens": ("0", None),
        "tests_passed": ("2", None),
        "tests_failed": ("1", None),
        "tests_errored": ("0", None),
    }


def test_the_other_column_has_its_own() -> None:
    found = values(read(FILES / "output.json", "short"))
    assert found["pass_rate"] == ("0.33333333333333333", 3)
    # 1 + 1/5 + 0 over 3 tests
    assert found["score"] == ("0.4", 3)
    assert found["says"] == ("0", 2)


def test_of_several_columns_one_must_be_chosen() -> None:
    message = refusal(FORMAT, FILES / "output.json")
    assert message == "'output.json' holds 2 runs [choose one with --run: 'plain', 'short']"
    message = refusal(FORMAT, FILES / "output.json", Choice(run="tall"))
    assert message == "'output.json' has no run 'tall' [it has 'plain', 'short']"


def test_what_the_file_says_of_itself_comes_along() -> None:
    run = read(FILES / "output.json", "plain")
    assert (run.suite, run.harness, run.harness_version) == ("Capitals", "promptfoo", "0.121.20")
    assert run.time.startswith("2026-11-25T14:3")
    assert run.status == "complete"
    assert run.note.endswith("; provider echo; prompt plain")


def test_each_test_is_a_sample() -> None:
    run = FORMAT.read(FILES / "output.json", Choice(run="short", keep_texts=True))
    rows = samples_of(run)
    assert [(row["sample_id"], row["metric"], row.get("value", row.get("passed"))) for row in rows
            ] == [
        ("0", "pass_rate", False), ("0", "score", "0.2"), ("0", "knows", "1"), ("0", "says", "0"),
        ("1", "pass_rate", True), ("1", "score", "1"), ("1", "knows", "1"),
        ("2", "pass_rate", False), ("2", "score", "0"), ("2", "knows", "0"),
    ]  # fmt: skip
    assert rows[-1]["slices"] == {"continent": "Asia"}
    assert (rows[-1]["input"], rows[-1]["output"]) == ("Kyoto", "Kyoto")
    assert rows[-1]["cost_usd"] == "0"


def test_json_lines_add_up_to_the_same() -> None:
    document, lines = (read(FILES / name, "plain") for name in ("output.json", "output.jsonl"))
    for name in ("pass_rate", "score", "knows", "tests_failed"):
        assert values(lines)[name] == values(document)[name]
    assert values(lines)["says"][0] == "1"
    assert samples_of(lines) == samples_of(document)


def test_a_weight_counts_in_json_lines_too(tmp_path: Path) -> None:
    def line(value: float, weight: float) -> str:
        grading = {"namedScoreWeights": {"m": weight}}
        return json.dumps(result(testIdx=weight, namedScores={"m": value}, gradingResult=grading))

    run = read(written(tmp_path / "a", f"{line(1, 3)}\n{line(0, 1)}\n"))
    assert values(run)["m"] == ("0.75", 2)


def test_version_2_tells_columns_apart_in_its_table() -> None:
    # its own report: 3 successes and 3 failures over both prompts; 18 tokens
    run = read(FILES / "version2.json", LABEL)
    found = values(run)
    assert found["pass_rate"] == ("0.66666666666666667", 3)
    assert found["score"] == ("0.66666666666666667", 3)
    assert found["tokens"] == ("9", None)
    rows = samples_of(run)
    assert [row["passed"] for row in rows if row["metric"] == "pass_rate"] == [True, True, False]
    assert (rows[0]["tokens_in"], rows[0]["tokens_out"]) == ("2", "1")
    assert values(read(FILES / "version2.json", "{{capital}}"))["score"] == ("0.5", 3)


@pytest.mark.parametrize("layout", ["bare", "table"])
def test_parts_of_a_file_are_read_alone(layout: str, tmp_path: Path) -> None:
    summary = json.loads((FILES / "version2.json").read_text())["results"]
    part = summary if layout == "bare" else {"table": summary["table"], "id": "eval-1"}
    path = written(tmp_path / "a", json.dumps({"timestamp": "t", **part}))
    assert FORMAT.recognises(peek_at(path))
    assert values(read(path, LABEL))["pass_rate"] == ("0.66666666666666667", 3)


def test_a_file_without_counts_is_averaged_over_its_results(tmp_path: Path) -> None:
    old = column(namedScores={"m": 3, "derived": 7})
    del old["metrics"]["namedScoresCount"]
    results = [result(testIdx=i, namedScores={"m": 1}) for i in range(3)]
    results.append(result(testIdx=3, promptIdx=1, namedScores={"m": 9}))
    found = values(read(output_file(tmp_path, old, results=results)))
    assert (found["m"], found["derived"]) == (("1", 3), ("7", None))
    assert found["pass_rate"] == ("0.75", 4)


def test_a_weight_of_nothing_falls_back_to_the_count(tmp_path: Path) -> None:
    given = column(
        namedScores={"a": 1, "b": 5},
        namedScoresCount={"a": 2, "b": 0},
        namedScoreWeights={"a": 0, "b": 0},
    )
    found = values(read(output_file(tmp_path, given)))
    assert found["a"] == ("0.5", 2)
    assert "b" not in found


def test_errors_make_a_run_partial(tmp_path: Path) -> None:
    run = read(output_file(tmp_path, column(testErrorCount=1)))
    assert run.status == "partial"
    assert run.note.endswith("1 of 5 tests ended in an error")
    lines = written(tmp_path / "b", json.dumps(result(failureReason=2, success=False)) + "\n")
    assert read(lines).status == "partial"


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ([("p", "a"), ("p", "b")], ["a", "b"]),
        ([("p", "a"), ("q", "a")], ["p", "q"]),
        ([("p", "a"), ("q", "b")], ["p a", "q b"]),
        ([("p", "a"), ("p", "a")], ["p", "p #2"]),
        ([("", ""), ("x" * 300, "")], ["column 1", "x" * 241 + " #"]),
    ],
)
def test_a_column_is_called_what_tells_it_apart(
    columns: list[tuple[str, str]], names: list[str], tmp_path: Path
) -> None:
    given = [{**column(), "label": label, "provider": provider} for label, provider in columns]
    message = refusal(FORMAT, output_file(tmp_path, *given))
    for name in names:
        assert f"'{name[:80]}" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("{}", "is not a result of promptfoo"),
        ('{"results": {"version": 3, "prompts": []}}', "it has no prompts"),
        ((FILES / "output.json").read_text()[:3000], "it is not JSON"),
        ((FILES / "output.jsonl").read_text()[:-20], "line 6: it is not JSON"),
        (json.dumps({"results": {"prompts": [column(testPassCount=0, testFailCount=0)]}}),
         "no test ran"),
        (json.dumps({"results": {"prompts": [column(score="1")]}}), "score is not a number"),
        (json.dumps({"results": {"prompts": [column(namedScores={"m": None})]}}), "has no value"),
    ],
)  # fmt: skip
def test_what_is_broken_is_refused(text: str, message: str, tmp_path: Path) -> None:
    assert message in refusal(FORMAT, written(tmp_path / "a", text))


def test_what_is_missing_is_refused(tmp_path: Path) -> None:
    assert "does not exist" in refusal(FORMAT, tmp_path / "no")


@pytest.mark.parametrize("name", ["output.json", "output.jsonl", "version2.json"])
def test_the_real_files_are_known(name: str) -> None:
    assert FORMAT.recognises(peek_at(FILES / name))
