"""HELM: means over trials, counted over instances, with splits and perturbations as slices."""

import json
from pathlib import Path
from typing import Any

import pytest

from regista.evalformats.helm import FORMAT
from regista.evalformats.protocol import Choice
from support.evalfiles import FIXTURES, peek_at, refusal, samples_of, scores_of, written

CHOICE = Choice()
REAL = FIXTURES / "helm" / "run"
NAME = "mmlu:subject=philosophy,method=joint,model=openai_gpt2"
SPEC = {
    "name": NAME,
    "scenario_spec": {"class_name": "a.b.MMLUScenario", "args": {"subject": "philosophy"}},
    "adapter_spec": {"model": "openai/gpt2", "max_eval_instances": 10, "num_train_trials": 1},
}


def stat(name: str, mean: Any, split: str = "test", count: int = 1, **more: Any) -> dict[str, Any]:
    """Return a stat as HELM writes it, its sums made up from its mean."""
    return {
        "name": {"name": name, "split": split, **more}, "count": count, "sum": mean,
        "sum_squared": mean, **({"mean": mean, "stddev": 0.0} if count else {}),
    }  # fmt: skip


def instance(sample_id: str, *stats: dict[str, Any], trial: int = 0, **more: Any) -> dict[str, Any]:
    return {"instance_id": sample_id, "train_trial_index": trial, "stats": list(stats), **more}


def run_folder(
    folder: Path, stats: Any, instances: Any = None, spec: dict[str, Any] | None = None
) -> Path:
    written(folder / "stats.json", json.dumps(stats))
    written(folder / "run_spec.json", json.dumps(spec or SPEC))
    if instances is not None:
        written(folder / "per_instance_stats.json", json.dumps(instances))
    return folder


def test_a_real_run_has_the_means_of_its_instances() -> None:
    run = FORMAT.read(REAL, CHOICE)
    assert FORMAT.recognises(peek_at(REAL))
    assert FORMAT.recognises(peek_at(REAL / "stats.json"))
    scores = scores_of(run)
    # two trials of two instances: (593 + 590) / 2 and (601 + 598) / 2, and of these the mean
    assert scores["", "num_prompt_tokens", "test"] == {
        "metric": "num_prompt_tokens", "value": "595.5", "n": 2, "slice": "test",
    }  # fmt: skip
    assert scores["", "num_prompt_tokens", "valid"]["value"] == "610.0"
    assert scores["", "exact_match", "test"]["value"] == "0.0"
    assert "n" not in scores["", "exact_match", "test@robustness/worst"]
    assert run.suite == "synthetic_reasoning:mode=pattern_match"
    assert run.dataset == "synthetic_reasoning mode=pattern_match"
    assert run.note.endswith("; model simple/model1; 2 trials; at most 4 instances")
    tokens = {
        (row["sample_id"], row["metric"]): row["value"]
        for row in samples_of(run)
        if row["metric"].startswith("num_prompt_tokens")
    }
    assert len(tokens) == 8
    assert tokens["id10394", "num_prompt_tokens@trial0"] == "593.0"
    assert tokens["id10394", "num_prompt_tokens@trial1"] == "601.0"


def test_n_is_how_many_instances_and_not_how_many_trials(tmp_path: Path) -> None:
    stats = [stat("exact_match", 0.25, count=3), stat("num_instances", 9.0)]
    run = FORMAT.read(run_folder(tmp_path, stats), CHOICE)
    assert run.scores == [
        {"metric": "exact_match", "value": "0.25", "n": 9},
        {"metric": "num_instances", "value": "9.0"},
    ]


def test_a_stat_that_was_not_measured_is_left_out(tmp_path: Path) -> None:
    run = FORMAT.read(run_folder(tmp_path, [stat("a", 1), stat("co2", 0, count=0)]), CHOICE)
    assert [score["metric"] for score in run.scores] == ["a"]


def test_splits_and_perturbations_are_slices(tmp_path: Path) -> None:
    typos = {"name": "typos", "robustness": True, "computed_on": "worst"}
    stats = [
        stat("m", 0.5), stat("m", 0.7, "valid"), stat("m", 0.3, perturbation=typos),
        stat("m", 0.2, sub_split="toxic"), stat("num_instances", 9),
        stat("num_instances", 1, "valid"),
    ]  # fmt: skip
    scores = scores_of(FORMAT.read(run_folder(tmp_path, stats), CHOICE))
    found = {slice_: (score["value"], score.get("n")) for (_, metric, slice_), score in
             scores.items() if metric == "m"}  # fmt: skip
    assert found == {
        "test": ("0.5", 9), "valid": ("0.7", 1), "test@typos/worst": ("0.3", None),
        "test/toxic": ("0.2", None),
    }  # fmt: skip


def test_the_suite_is_the_run_without_its_model(tmp_path: Path) -> None:
    run = FORMAT.read(run_folder(tmp_path, [stat("m", 1)]), CHOICE)
    assert run.suite == "mmlu:subject=philosophy,method=joint"
    assert run.dataset == "MMLUScenario subject=philosophy"
    assert run.note == f"run {NAME}; model openai/gpt2; at most 10 instances"
    written(tmp_path / "scenario.json", '{"name": "mmlu"}')
    assert FORMAT.read(tmp_path, CHOICE).dataset == "mmlu subject=philosophy"
    alone = {**SPEC, "name": "boolq:model=m"}
    assert FORMAT.read(run_folder(tmp_path, [stat("m", 1)], spec=alone), CHOICE).suite == "boolq"


def test_each_instance_is_a_sample(tmp_path: Path) -> None:
    facts = [stat("inference_runtime", 0.5), stat("num_prompt_tokens", 7.0),
             stat("num_output_tokens", 1.0)]  # fmt: skip
    instances = [
        instance("id1", stat("m", 1.0), *facts),
        instance("id1", stat("m", 0.0), perturbation={"name": "typos"}),
    ]
    run = FORMAT.read(run_folder(tmp_path, [stat("m", 1)], instances), CHOICE)
    rows = samples_of(run)
    assert rows[0] == {
        "sample_id": "id1", "metric": "m", "value": "1.0", "slices": {"split": "test"},
        "latency_s": "0.5", "tokens_in": "7", "tokens_out": "1",
    }  # fmt: skip
    assert [row["metric"] for row in rows] == [
        "m", "inference_runtime", "num_prompt_tokens", "num_output_tokens", "m@typos",
    ]  # fmt: skip


def test_trials_of_one_instance_are_kept_apart(tmp_path: Path) -> None:
    instances = [instance("id1", stat("m", 1.0), trial=trial) for trial in range(2)]
    spec = {**SPEC, "adapter_spec": {"num_train_trials": 2}}
    run = FORMAT.read(run_folder(tmp_path, [stat("m", 1, count=2)], instances, spec), CHOICE)
    assert [row["metric"] for row in samples_of(run)] == ["m@trial0", "m@trial1"]
    assert run.note.endswith("2 trials")


def test_stats_alone_are_read_too(tmp_path: Path) -> None:
    path = run_folder(tmp_path, [stat("m", 0.5)]) / "stats.json"
    run = FORMAT.read(path, CHOICE)
    assert (run.scores, run.samples, run.suite) == ([{"metric": "m", "value": "0.5"}], None, "")
    assert FORMAT.recognises(peek_at(path))


def test_of_several_runs_one_must_be_chosen(tmp_path: Path) -> None:
    for name, value in (("a", 1), ("b", 2)):
        run_folder(tmp_path / name, [stat("m", value)])
    assert FORMAT.recognises(peek_at(tmp_path))
    assert "holds 2 runs [choose one with --run: 'a', 'b']" in refusal(FORMAT, tmp_path)
    assert FORMAT.read(tmp_path, Choice(run="b")).scores[0]["value"] == "2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("[]", "is not the stats of a run of HELM"),
        ('{"a": 1}', "is not the stats of a run of HELM"),
        ('[{"name": {"name": "m"}, "mean": ', "it is not JSON"),
        (json.dumps([stat("m", float("nan"))]), "mean of 'm' is 'NaN', which is not a finite"),
        (json.dumps([stat("m", "1")]), "mean of 'm' is not a number"),
    ],
)
def test_what_is_broken_is_refused(text: str, message: str, tmp_path: Path) -> None:
    assert message in refusal(FORMAT, written(tmp_path / "stats.json", text))


def test_broken_instances_are_refused_when_they_are_read(tmp_path: Path) -> None:
    path = run_folder(tmp_path, [stat("m", 1)], [])
    written(path / "per_instance_stats.json", "[{")
    assert "'per_instance_stats.json', line 1: it is not JSON" in refusal(FORMAT, path)


def test_an_empty_folder_is_none_of_helm(tmp_path: Path) -> None:
    assert not FORMAT.recognises(peek_at(tmp_path))
    assert "has no run in it" in refusal(FORMAT, tmp_path)
    assert "does not exist" in refusal(FORMAT, tmp_path / "no")
