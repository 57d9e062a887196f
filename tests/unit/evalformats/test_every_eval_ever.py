"""Every Eval Ever: aggregates, and the instances beside them when they are the right ones."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from regista.errors import InvalidInputError
from regista.evalformats.finding import read_run, read_samples, recognise
from regista.evalformats.protocol import Choice

INSTANCE = {
    "schema_version": "0.3.0", "evaluation_id": "bench/org_m/17", "model_id": "org/m",
    "evaluation_name": "bench.sums", "evaluation_result_id": "bench.sums.acc",
    "sample_id": "s1", "interaction_type": "single_turn",
    "input": {"raw": "2 + 2?", "reference": ["4"]}, "output": {"raw": ["4", "four"]},
    "evaluation": {"score": 1.0, "is_correct": True},
    "token_usage": {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17},
    "performance": {"latency_ms": 250}, "metadata": {"subject": "sums", "level": 3},
}  # fmt: skip


def document(**fields: Any) -> dict[str, Any]:
    return {
        "schema_version": "0.3.0", "evaluation_id": "bench/org_m/17",
        "evaluation_timestamp": "1750000000", "retrieved_timestamp": "1750000001",
        "source_metadata": {"source_name": "Board", "evaluator_relationship": "third_party"},
        "eval_library": {"name": "inspect_ai", "version": "0.3.1"},
        "model_info": {"id": "org/m"},
        "evaluation_results": [
            {"evaluation_result_id": "bench.sums.acc", "evaluation_name": "bench.sums",
             "source_data": {"dataset_name": "sums", "hf_repo": "org/sums"},
             "metric_config": {"metric_id": "accuracy", "lower_is_better": False},
             "score_details": {"score": 0.10, "uncertainty": {
                 "standard_error": {"value": 0.02}, "num_samples": 250}}},
            {"evaluation_name": "bench.sums", "source_data": {"hf_repo": "org/sums"},
             "metric_config": {"metric_name": "loss", "lower_is_better": True},
             "score_details": {"score": 2}},
        ],
        **fields,
    }  # fmt: skip


def written(folder: Path, value: object, name: str = "any.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(value))
    return path


def with_instances(folder: Path, checksum: str | None = None) -> Path:
    rows = written(folder, INSTANCE, "u_samples.jsonl")
    found = hashlib.sha256(rows.read_bytes()).hexdigest()
    details = {
        "format": "jsonl", "file_path": "data/bench/org/m/u_samples.jsonl",
        "hash_algorithm": "sha256", "checksum": checksum or found, "total_rows": 1,
    }  # fmt: skip
    return written(folder, document(detailed_evaluation_results=details))


def test_all_that_the_document_says_is_kept(tmp_path: Path) -> None:
    path = written(tmp_path, document())
    assert recognise(path).name == "every_eval_ever"
    run = read_run(path)
    assert run.scores == [
        {"task": "bench.sums", "metric": "accuracy", "value": "0.1", "stderr": "0.02", "n": "250",
         "direction": "higher"},
        {"task": "bench.sums", "metric": "loss", "value": "2", "direction": "lower"},
    ]  # fmt: skip
    assert (run.suite, run.dataset) == ("bench", "org/sums")
    assert (run.harness, run.harness_version) == ("inspect_ai", "0.3.1")
    assert run.time == "2025-06-15T15:06:40.000000Z"
    assert run.note == "model org/m; source Board; evaluator third_party"
    assert run.samples is None


def test_schema_0_2_has_no_name_for_its_metric(tmp_path: Path) -> None:
    result = {
        "evaluation_name": "BBH", "source_data": {"dataset_name": "BBH"},
        "metric_config": {"evaluation_description": "Accuracy", "lower_is_better": False},
        "score_details": {"score": 0.4224},
    }  # fmt: skip
    old = document(schema_version="0.2.0", evaluation_results=[result], eval_library=None)
    run = read_run(written(tmp_path, old))
    assert run.scores == [
        {"task": "BBH", "metric": "score", "value": "0.4224", "direction": "higher"}
    ]
    assert (run.harness, run.dataset) == ("", "BBH")


def test_instances_beside_it_are_read_with_all_their_measures(tmp_path: Path) -> None:
    run = read_run(with_instances(tmp_path), choice=Choice(keep_texts=True))
    assert run.samples is not None
    assert list(run.samples) == [
        {"task": "bench.sums", "sample_id": "s1", "metric": "accuracy", "value": "1.0",
         "passed": True, "tokens_in": "12", "tokens_out": "5", "latency_s": "0.25",
         "slices": {"subject": "sums", "level": "3"}, "input": "2 + 2?", "output": "4\nfour"}
    ]  # fmt: skip


def test_instances_with_another_digest_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"has not the sha256 that 'any.json' says"):
        read_run(with_instances(tmp_path, checksum="0" * 64))


@pytest.mark.parametrize("name", ["../secret.jsonl", "missing.jsonl", "any.json", ""])
def test_a_file_that_is_not_beside_it_is_not_looked_for(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text("no")
    folder = tmp_path / "inner"
    folder.mkdir()
    path = written(folder, document(detailed_evaluation_results={"file_path": name}))
    assert read_run(path).samples is None


def test_instances_alone_have_a_metric_called_score(tmp_path: Path) -> None:
    rows = read_samples(written(tmp_path, INSTANCE), Choice())
    assert [row["metric"] for row in rows or ()] == ["score"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"evaluation_results": []}, "no evaluation_results"),
        ({"evaluation_results": 7}, "no evaluation_results"),
        ({"evaluation_results": [5]}, "result 1: its score is not a number"),
        ({"evaluation_results": [{"score_details": {"score": "1"}}]}, "result 1: its score"),
        ({"evaluation_results": [{"score_details": {"score": float("nan")}}]}, "not a finite"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=message):
        read_run(written(tmp_path, document(**change)), "every_eval_ever")


def test_an_instance_without_a_score_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(f"{json.dumps(INSTANCE)}\n{json.dumps({**INSTANCE, 'evaluation': {}})}\n")
    with pytest.raises(InvalidInputError, match=r"'s.jsonl', line 2: an instance has a sample_id"):
        list(read_samples(path, Choice()) or ())
