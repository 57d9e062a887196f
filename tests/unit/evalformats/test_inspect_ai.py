"""Logs of Inspect AI: what the tool's own `results` say, by way of zstd, deflate and JSON."""

import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from regista.evalformats.inspect_ai import FORMAT
from regista.evalformats.protocol import Choice
from regista.evalformats.zipmembers import ZSTANDARD, Archive
from support.evalfiles import FIXTURES, peek_at, refusal, samples_of, scores_of, written

LOGS = FIXTURES / "inspect_ai"
CHOICE = Choice()


def log(**changes: Any) -> dict[str, Any]:
    return {
        "version": 2,
        "status": "success",
        "eval": {"task": "t", "model": "m", "config": {"epochs": 1}},
        "results": {
            "total_samples": 2,
            "completed_samples": 2,
            "scores": [
                {"name": "s", "scorer": "s", "metrics": {"accuracy": {"value": 0.5}}},
            ],
        },
        **changes,
    }


def log_file(tmp_path: Path, **changes: Any) -> Path:
    return written(tmp_path / "log.json", json.dumps(log(**changes)))


def sample(value: Any) -> dict[str, Any]:
    return {"id": 1, "epoch": 1, "scores": {"s": {"value": value}}}


def repacked(tmp_path: Path, source: Path, method: int) -> Path:
    path = tmp_path / "repacked.eval"
    with Archive(source) as archive, zipfile.ZipFile(path, "w", method) as target:
        for name in archive.names():
            target.writestr(name, archive.read(name))
    return path


def test_a_log_says_what_inspect_reports() -> None:
    run = FORMAT.read(LOGS / "one.eval", CHOICE)
    assert run.scores == [{"metric": "accuracy", "value": "0.75", "stderr": "0.25", "n": 4}]
    assert (run.suite, run.status, run.dataset) == ("one", "complete", "capitals")
    assert (run.harness, run.harness_version) == ("inspect_ai", "0.3.285")
    assert run.time == "2026-11-25T14:27:58.000000Z"
    assert run.note == "task version 3; model mockllm/model"


def test_each_sample_comes_with_its_facts() -> None:
    rows = samples_of(FORMAT.read(LOGS / "one.eval", CHOICE))
    assert [(row["sample_id"], row["metric"], row["passed"]) for row in rows] == [
        ("france", "accuracy", True),
        ("italy", "accuracy", True),
        ("japan", "accuracy", False),
        ("peru", "accuracy", True),
    ]
    assert rows[2] == {
        "sample_id": "japan",
        "metric": "accuracy",
        "passed": False,
        "slices": {"continent": "Asia"},
        "latency_s": "0.006",
        "tokens_in": "3",
        "tokens_out": "5",
    }


def test_texts_are_kept_where_they_are_asked_for() -> None:
    rows = samples_of(FORMAT.read(LOGS / "one.eval", Choice(keep_texts=True)))
    assert (rows[0]["input"], rows[0]["output"]) == ("Capital of France?", "It is Paris")


def test_the_logs_are_compressed_in_the_newer_way() -> None:
    with zipfile.ZipFile(LOGS / "one.eval") as archive:
        assert {info.compress_type for info in archive.infolist()} == {ZSTANDARD}


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_each_compression_gives_the_same(method: int, tmp_path: Path) -> None:
    newer = FORMAT.read(LOGS / "epochs.eval", CHOICE)
    older = FORMAT.read(repacked(tmp_path, LOGS / "epochs.eval", method), CHOICE)
    assert older.scores == newer.scores
    assert samples_of(older) == samples_of(newer)


def test_a_log_of_the_older_compression_says_the_same() -> None:
    with zipfile.ZipFile(LOGS / "deflate_one.eval") as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_DEFLATED}
    run = FORMAT.read(LOGS / "deflate_one.eval", Choice(keep_texts=True))
    assert run.scores == [{"metric": "accuracy", "value": "0.75", "stderr": "0.25", "n": 4}]
    assert run.harness_version == "0.3.112"
    rows = samples_of(run)
    assert [(row["passed"], row["output"]) for row in rows] == [
        (True, "It is Paris"), (True, "It is Rome"), (False, "Kyoto"), (True, "It is Lima"),
    ]  # fmt: skip


def test_json_and_eval_give_the_same_scores() -> None:
    one, other = (FORMAT.read(LOGS / f"epochs.{of}", CHOICE) for of in ("eval", "json"))
    assert one.scores == other.scores
    without_time = [
        [
            {key: value for key, value in row.items() if key != "latency_s"}
            for row in samples_of(run)
        ]
        for run in (one, other)
    ]
    assert without_time[0] == without_time[1]


def test_n_counts_examples_and_not_their_epochs() -> None:
    scores = scores_of(FORMAT.read(LOGS / "epochs.eval", CHOICE))
    # as `inspect log dump` has it: 4 examples, 8 samples, two reducers, a scorer with two values
    assert scores == {
        (task, metric, ""): {"task": task, "metric": metric, **rest}
        for task, metric, rest in [
            ("includes/mean", "accuracy",
             {"value": "0.75", "stderr": "0.14433756729740643", "n": 4}),
            ("includes/max", "accuracy", {"value": "1.0", "stderr": "0.0", "n": 4}),
            ("length/mean", "mean", {"value": "6.875", "stderr": "0.6574889099191459", "n": 4}),
            ("polite/mean", "mean", {"value": "0.375", "n": 4}),
            ("length/max", "mean", {"value": "9.0", "stderr": "1.35400640077266", "n": 4}),
            ("polite/max", "mean", {"value": "0.75", "n": 4}),
        ]
    }  # fmt: skip


def test_older_logs_lack_a_count_and_epochs_are_taken_out(tmp_path: Path) -> None:
    spec = {"task": "t", "model": "m", "config": {"epochs": 5}}
    results = {**log()["results"], "total_samples": 20, "completed_samples": 20}
    run = FORMAT.read(log_file(tmp_path, eval=spec, results=results), CHOICE)
    assert run.scores[0]["n"] == 4


def test_an_example_stands_once_however_many_epochs_there_were() -> None:
    rows = samples_of(FORMAT.read(LOGS / "epochs.eval", CHOICE))
    reduced = [row for row in rows if row.get("task") == "includes/mean"]
    assert [(row["sample_id"], row["value"]) for row in reduced] == [
        ("france", "1.0"), ("italy", "0.5"), ("japan", "0.5"), ("peru", "1.0"),
    ]  # fmt: skip
    second = {row["sample_id"]: row["passed"] for row in rows
              if row["metric"] == "accuracy@epoch2"}  # fmt: skip
    assert second == {"france": True, "italy": False, "japan": True, "peru": True}


def test_what_was_not_scored_is_left_out_as_inspect_does() -> None:
    run = FORMAT.read(LOGS / "unscored.eval", CHOICE)
    assert run.scores == [{"metric": "mean", "value": "0.5", "n": 3}]
    assert [row["sample_id"] for row in samples_of(run)] == ["france", "japan", "peru"]


@pytest.mark.parametrize("file", ["error.eval", "error.json"])
def test_a_run_that_ended_in_an_error_is_failed(file: str) -> None:
    run = FORMAT.read(LOGS / file, CHOICE)
    assert run.status == "failed"
    assert run.scores == []
    assert "custom_outputs ran out of values" in run.note
    assert [row["sample_id"] for row in samples_of(run)] == ["france", "italy"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": "cancelled"}, "partial"),
        ({"status": "started"}, "partial"),
        ({"status": "error"}, "failed"),
        ({"status": "cancelled", "results": None}, "failed"),
        ({"results": {**log()["results"], "completed_samples": 1}}, "partial"),
        ({"results": {**log()["results"], "logged_samples": 1}}, "partial"),
        ({"eval": {**log()["eval"], "config": {"limit": 2}}}, "partial"),
        ({"eval": {**log()["eval"], "config": {"limit": [2, 4]}}}, "partial"),
        ({"eval": {**log()["eval"], "config": {"sample_id": ["a"]}}}, "partial"),
        ({"eval": {**log()["eval"], "config": {"limit": None}}}, "complete"),
        ({"results": {**log()["results"], "logged_samples": 2}}, "complete"),
    ],
)
def test_the_status_is_what_became_of_all_samples(
    changes: dict[str, Any], status: str, tmp_path: Path
) -> None:
    assert FORMAT.read(log_file(tmp_path, **changes), CHOICE).status == status


def test_a_run_that_never_ended_still_gives_its_samples(tmp_path: Path) -> None:
    path = tmp_path / "crashed.eval"
    with Archive(LOGS / "one.eval") as archive, zipfile.ZipFile(path, "w") as target:
        for name in archive.names():
            if name.startswith(("_journal/start", "samples/france")):
                target.writestr(name, archive.read(name))
    assert FORMAT.recognises(peek_at(path))
    run = FORMAT.read(path, CHOICE)
    assert (run.status, run.suite, run.scores) == ("failed", "one", [])
    assert [row["sample_id"] for row in samples_of(run)] == ["france"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("C", {"passed": True}),
        ("I", {"passed": False}),
        ("N", {"passed": False}),
        ("P", {"value": "0.5"}),
        ("Yes", {"passed": True}),
        ("false", {"passed": False}),
        ("0.25", {"value": "0.25"}),
        (0.1, {"value": "0.1"}),
        (True, {"passed": True}),
        (float("nan"), None),
        ("n", None),
        ("nan", None),
        ("red", None),
        (None, None),
    ],
)
def test_a_value_is_the_number_that_inspect_takes_it_for(
    value: Any, expected: dict[str, Any] | None, tmp_path: Path
) -> None:
    rows = samples_of(FORMAT.read(log_file(tmp_path, samples=[sample(value)]), CHOICE))
    assert rows == ([{"sample_id": "1", "metric": "accuracy", **expected}] if expected else [])


def test_a_list_of_values_is_told_apart_by_position(tmp_path: Path) -> None:
    rows = samples_of(FORMAT.read(log_file(tmp_path, samples=[sample([1, "C"])]), CHOICE))
    assert [(row["metric"], row.get("value"), row.get("passed")) for row in rows] == [
        ("s.0", "1", None), ("s.1", None, True),
    ]  # fmt: skip


def test_everything_else_that_a_reader_should_know_is_noted(tmp_path: Path) -> None:
    spec = {
        "task": "t", "model": "m", "config": {"limit": 5, "epochs": 1},
        "dataset": {"location": "org/data", "samples": 100},
        "revision": {"commit": "abc123", "dirty": True},
    }  # fmt: skip
    results = log()["results"]
    results["scores"][0]["metrics"]["accuracy"]["params"] = {"to_float": "strict"}
    run = FORMAT.read(log_file(tmp_path, eval=spec, results=results), CHOICE)
    assert (run.dataset, run.code) == ("org/data", "abc123")
    assert run.note == (
        "model m; at most 5 of 100 examples; the working tree had changes;"
        " accuracy with to_float=strict"
    )


def test_an_error_of_no_mean_stays_a_metric(tmp_path: Path) -> None:
    results = log()["results"]
    results["scores"][0]["metrics"] = {"f1": {"value": 0.5}, "stderr": {"value": 0.1}}
    run = FORMAT.read(log_file(tmp_path, results=results), CHOICE)
    assert [(score["metric"], score["value"]) for score in run.scores] == [
        ("f1", "0.5"), ("stderr", "0.1"),
    ]  # fmt: skip


def test_two_scorers_may_use_the_same_names(tmp_path: Path) -> None:
    entries = [{"name": "a", "scorer": of, "metrics": {"mean": {"value": 1}}} for of in "xy"]
    results = {**log()["results"], "scores": entries}
    given = {"id": "1", "scores": {of: {"value": {"a": 1, "b": 0}} for of in "xy"}}
    run = FORMAT.read(log_file(tmp_path, results=results, samples=[given]), CHOICE)
    assert set(scores_of(run)) == {("x.a", "mean", ""), ("y.a", "mean", "")}
    assert [(row.get("task"), row["metric"]) for row in samples_of(run)] == [
        ("x.a", "mean"), (None, "x.b"), ("y.a", "mean"), (None, "y.b"),
    ]  # fmt: skip


def test_a_score_without_a_finite_number_is_refused(tmp_path: Path) -> None:
    results = log()["results"]
    results["scores"][0]["metrics"]["accuracy"]["value"] = float("nan")
    message = refusal(FORMAT, log_file(tmp_path, results=results))
    assert "'accuracy' of scorer 's' is 'NaN', which is not a finite number" in message
    results["scores"][0]["metrics"]["accuracy"] = {}
    assert "has no value" in refusal(FORMAT, log_file(tmp_path, results=results))


def test_another_document_is_refused(tmp_path: Path) -> None:
    assert "is not a log of Inspect AI" in refusal(FORMAT, written(tmp_path / "a", "{}"))
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")
    assert "it has no header.json" in refusal(FORMAT, path)
    assert not FORMAT.recognises(peek_at(path))


def test_a_member_that_is_no_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", json.dumps(log()))
        archive.writestr("samples/1_epoch_1.json", b"\xff")
        archive.writestr("samples/2_epoch_1.json", "{")
    assert "'samples/1_epoch_1.json' is not UTF-8 at byte 0" in refusal(FORMAT, path)


def test_a_large_log_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("header.json", json.dumps(log()))
        for number in range(50):
            given = {**sample("C"), "id": number, "input": "x" * (1 << 20)}
            archive.writestr(f"samples/{number}_epoch_1.json", json.dumps(given))
    tracemalloc.start()
    count = sum(1 for _ in FORMAT.read(path, CHOICE).samples or ())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 50
    # a few copies of one sample of 1 MB
    assert peak < 8 << 20


def test_samples_are_read_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "many.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", json.dumps(log()))
        archive.writestr("samples/1_epoch_1.json", json.dumps(sample("C")))
        archive.writestr("samples/2_epoch_1.json", "broken")
    samples = FORMAT.read(path, CHOICE).samples
    assert samples is not None
    # the broken one was not looked at yet
    assert next(samples)["sample_id"] == "1"
