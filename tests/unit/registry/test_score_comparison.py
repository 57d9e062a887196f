"""Two versions with per-example results: paired where they can be, and told where they cannot."""

import random
from pathlib import Path
from typing import Any

import pytest

from regista.registry.core import Registry
from regista.registry.opening import init_registry
from regista.registry.score_comparison import MANY_TESTS, compare, same_data

CHANCE = random.Random(5)


def made(folder: Path, runs: list[dict[str, Any]]) -> Registry:
    registry = init_registry(str(folder / "reg"), actor="ada").registry
    for number, run in enumerate(runs, 1):
        file = folder / f"{number}.txt"
        file.write_text(str(number))
        registry.register("m", file)
        registry.log_eval(f"m@{number}", "holdout", **run)
    return registry


def rows(metric: str, values: list[float], **more: Any) -> list[dict[str, Any]]:
    return [
        {"sample_id": str(k), "metric": metric, "value": value, **more}
        for k, value in enumerate(values)
    ]


def mean(values: list[float]) -> str:
    return f"{sum(values) / len(values):.17g}"


def run(values: list[float], **more: Any) -> dict[str, Any]:
    score = {"metric": "acc", "value": mean(values), "stderr": "0.05", "n": len(values)}
    return {"scores": [score], "samples": rows("acc", values), "dataset": "d", **more}


ONE = [float(k % 3 > 0) for k in range(90)]
OTHER = [1.0 if k < 20 else value for k, value in enumerate(ONE)]
SPREAD = [CHANCE.random() for _ in range(90)]


def test_right_or_wrong_examples_are_paired_and_find_what_errors_alone_do_not(
    tmp_path: Path,
) -> None:
    (found,) = compare(made(tmp_path, [run(ONE), run(OTHER)]), "m@1", "m@2").scores
    assert (found.method, found.n, found.verdict) == ("mcnemar", 90, "better")
    assert found.p is not None
    assert found.p == pytest.approx(2 * 0.5**7)
    assert found.low is not None
    assert found.low > 0
    assert found.paired_difference == pytest.approx(found.difference)


def test_other_examples_are_resampled(tmp_path: Path) -> None:
    better = [value + 0.1 * CHANCE.random() for value in SPREAD]
    (found,) = compare(made(tmp_path, [run(SPREAD), run(better)]), "m@1", "m@2").scores
    assert (found.method, found.n, found.verdict) == ("paired_bootstrap", 90, "better")


def test_where_lower_is_better_fewer_are_better(tmp_path: Path) -> None:
    runs = [run(ONE), run(OTHER)]
    for item in runs:
        item["scores"][0]["direction"] = "lower"
    (found,) = compare(made(tmp_path, runs), "m@1", "m@2").scores
    assert (found.verdict, found.higher_is_better) == ("worse", False)


def test_on_different_data_nothing_is_paired(tmp_path: Path) -> None:
    found = compare(made(tmp_path, [run(ONE), run(OTHER, dataset="e")]), "m@1", "m@2")
    assert (found.scores[0].method, found.scores[0].n) == ("z", None)
    assert any("different datasets" in note for note in found.notes)


def test_too_few_examples_leave_the_standard_errors(tmp_path: Path) -> None:
    found = compare(made(tmp_path, [run(SPREAD[:9]), run(SPREAD[9:18])]), "m@1", "m@2")
    assert found.scores[0].method == "z"
    assert any("9 paired examples are too few" in note for note in found.notes)


def test_examples_of_one_run_alone_are_told(tmp_path: Path) -> None:
    found = compare(made(tmp_path, [run(ONE), run(OTHER[:60])]), "m@1", "m@2")
    assert found.scores[0].n == 60
    assert any("30 examples are in one run alone" in note for note in found.notes)


def test_a_score_that_is_no_mean_of_its_examples_is_told(tmp_path: Path) -> None:
    odd = run(OTHER)
    odd["scores"][0]["value"] = "0.5"
    found = compare(made(tmp_path, [run(ONE), odd]), "m@1", "m@2")
    assert found.scores[0].difference == pytest.approx(0.5 - 2 / 3)
    assert found.scores[0].paired_difference == pytest.approx(7 / 90)
    assert any("the interval is about the mean of the paired examples" in n for n in found.notes)


def test_slices_are_paired_within_themselves_and_can_be_asked_for(tmp_path: Path) -> None:
    runs = [run(ONE), run(OTHER)]
    for item in runs:
        for k, row in enumerate(item["samples"]):
            row["slices"] = {"half": "one" if k < 45 else "two"}
        item["scores"] += [
            {"metric": "acc", "value": "0.7", "slice": f"half={half}"} for half in ("one", "two")
        ]
    found = compare(made(tmp_path, runs), "m@1", "m@2", metric="acc", slice_="half=one")
    assert [(score.slice, score.n) for score in found.scores] == [("half=one", 45)]


def test_many_tests_come_with_a_word_on_chance(tmp_path: Path) -> None:
    def many(value: str) -> dict[str, Any]:
        return {
            "scores": [
                {"metric": f"m{k}", "value": value, "stderr": "0.1"} for k in range(MANY_TESTS)
            ]
        }

    found = compare(made(tmp_path, [many("1"), many("2")]), "m@1", "m@2")
    assert any("by chance alone" in note for note in found.notes)


def test_the_same_data_is_told_by_digest_before_text(tmp_path: Path) -> None:
    registry = made(tmp_path, [run(ONE), run(OTHER)])
    state = registry.state()
    entry = state.entry("m")
    one, other = (state.version(entry, number).runs["holdout"] for number in (1, 2))
    assert same_data(one, other)
    assert not same_data(one._replace(dataset_digest="a" * 64), other)
    assert same_data(one._replace(dataset_digest="a"), other._replace(dataset_digest="a"))
