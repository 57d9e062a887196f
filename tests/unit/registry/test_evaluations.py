from pathlib import Path
from typing import Any

import pytest

from regista.errors import NotFoundError
from regista.registry.core import Registry
from regista.registry.evaluations import leaderboard, metric_history, version_scores
from regista.registry.opening import init_registry
from regista.registry.score_comparison import compare
from support.registries import new_registry, register


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("evaluations")
    made = init_registry(str(folder / "reg"), actor="ada").registry
    runs: list[tuple[list[dict[str, Any]], str, str]] = [
        (scores("0.90", "0.01"), "data v1", "complete"),
        (scores("0.95", "0.01"), "data v1", "complete"),
        (scores("0.955", "0.01"), "data v2", "partial"),
    ]
    for number, (rows, dataset, status) in enumerate(runs, 1):
        file = Path(folder / f"{number}.txt")
        file.write_text(str(number))
        made.register("m", file)
        made.log_eval(f"m@{number}", "holdout", rows, dataset=dataset, status=status)
    made.log_eval("m@1", "speed", [{"metric": "ms", "value": "5", "direction": "lower"}])
    made.log_eval("m@2", "speed", [{"metric": "ms", "value": "4", "direction": "lower"}])
    return made


def scores(auc: str, stderr: str) -> list[dict[str, Any]]:
    return [
        {"metric": "auc", "value": auc, "stderr": stderr, "n": 100},
        {"metric": "auc", "value": "0.7", "slice": "eu"},
    ]


def test_all_suites_and_slices_of_a_version_are_there(registry: Registry) -> None:
    found = version_scores(registry, "m@1")
    assert [run["suite"] for run in found["runs"]] == ["holdout", "speed"]
    holdout = found["runs"][0]["scores"]
    assert [(row["metric"], row["slice"], row["value"]) for row in holdout] == [
        ("auc", "", 0.9),
        ("auc", "eu", 0.7),
    ]
    assert holdout[0]["stderr"] == 0.01


def test_a_difference_beyond_its_interval_is_better(registry: Registry) -> None:
    found = compare(registry, "m@1", "m@2", suite="holdout")
    whole = found.scores[0]
    assert (whole.slice, whole.difference, whole.verdict) == ("", 0.05, "better")
    assert whole.low == pytest.approx(0.0223, abs=1e-4)
    assert whole.high == pytest.approx(0.0777, abs=1e-4)
    assert found.scores[1].verdict == "same"
    assert found.notes == []


def test_a_difference_within_its_interval_is_unclear(registry: Registry) -> None:
    found = compare(registry, "m@2", "m@3", suite="holdout")
    assert found.scores[0].verdict == "unclear"
    assert any("different datasets" in note for note in found.notes)
    assert any("partial" in note for note in found.notes)


def test_where_lower_is_better_a_fall_is_better(registry: Registry) -> None:
    (found,) = compare(registry, "m@1", "m@2", suite="speed").scores
    assert (found.difference, found.verdict) == (-1.0, "better")


def test_a_score_that_only_one_has_has_no_verdict(registry: Registry) -> None:
    missing = [score for score in compare(registry, "m@1", "m@3").scores if score.suite == "speed"]
    assert [(score.one, score.other, score.verdict) for score in missing] == [(5.0, None, "")]


def test_the_trend_goes_from_the_oldest_version_and_says_what_got_better(
    registry: Registry,
) -> None:
    rows = metric_history(registry, "m", metric="auc")
    assert [(row["version"], row["value"], row["change"], row["verdict"]) for row in rows] == [
        (1, 0.9, None, ""),
        (2, 0.95, 0.05, "better"),
        (3, 0.955, 0.005, "unclear"),
    ]
    assert [row["version"] for row in metric_history(registry, "m", suite="speed")] == [1, 2]
    assert len(metric_history(registry, "m", slice_="eu")) == 3
    assert [row["version"] for row in metric_history(registry, "m", metric="auc", limit=1)] == [3]


def test_the_past_has_only_what_was_logged_by_then(registry: Registry) -> None:
    assert len(metric_history(registry, "m", metric="auc", as_of=5)) == 2
    assert compare(registry, "m@1", "m@2", as_of=4).scores[0].other is None


def test_an_unknown_entry_is_not_found(registry: Registry) -> None:
    with pytest.raises(NotFoundError):
        metric_history(registry, "nope")


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("board")
    made = new_registry(folder=folder / "reg")
    for name, kind, values in (
        ("a", "model", ("0.9", "0.8")),
        ("b", "model", ("0.7", "0.85")),
        ("c", "prompt", ("0.6",)),
    ):
        for number, value in enumerate(values, 1):
            register(made, name, f"{name}{number}", kind=kind)
            scores = [
                {"metric": "acc", "value": value},
                {"metric": "ms", "value": value, "direction": "lower"},
                {"metric": "acc", "value": "0.5", "slice": "eu"},
            ]
            made.log_eval(f"{name}@{number}", "s", scores, dataset=f"d{number}")
    made.promote("a@1", "prod")
    return made


def ranks(rows: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    return [(row["entry"], row["version"], row["rank"]) for row in rows]


def test_entries_are_ranked_by_their_newest_version(board: Registry) -> None:
    rows = leaderboard(board, metric="acc")
    assert ranks(rows) == [("b", 2, 1), ("a", 2, 2), ("c", 1, 3)]
    assert {(row["direction"], row["ranked"], row["datasets"]) for row in rows} == {
        ("assumed", 3, 2)
    }


def test_where_lower_is_better_the_least_is_first(board: Registry) -> None:
    rows = leaderboard(board, metric="ms")
    assert ranks(rows) == [("c", 1, 1), ("a", 2, 2), ("b", 2, 3)]
    assert rows[0]["direction"] == "recorded"


def test_a_stage_ranks_what_it_holds(board: Registry) -> None:
    rows = leaderboard(board, metric="acc", stage="prod")
    assert ranks(rows) == [("a", 1, 1)]
    assert rows[0]["stages"] == "prod"


def test_a_stage_that_the_policy_has_not_is_a_mistake_and_no_empty_ranking(board: Registry) -> None:
    assert leaderboard(board, stage="shadow") == []
    with pytest.raises(NotFoundError, match="there is no stage 'nope'"):
        leaderboard(board, stage="nope")


def test_a_leaderboard_can_be_narrowed(board: Registry) -> None:
    assert ranks(leaderboard(board, metric="acc", kind="prompt")) == [("c", 1, 1)]
    assert ranks(leaderboard(board, metric="acc", limit=1)) == [("b", 2, 1)]
    assert [row["slice"] for row in leaderboard(board, slice_="eu")] == ["eu"] * 3
    assert leaderboard(board, suite="other") == []
    assert leaderboard(board, task="t") == []
    assert ranks(leaderboard(board, metric="acc", as_of=4)) == [("a", 1, 1)]


def test_archived_and_unfinished_versions_are_not_ranked(board: Registry) -> None:
    register(board, "d", "d1", kind="model")
    board.log_eval("d@1", "t", [{"metric": "acc", "value": "1"}], status="partial")
    register(board, "e", "e1", kind="model")
    board.log_eval("e@1", "t", [{"metric": "acc", "value": "1"}])
    assert ranks(leaderboard(board, suite="t")) == [("e", 1, 1)]
    register(board, "e", "e2", kind="model")
    board.archive("e@1")
    assert leaderboard(board, suite="t") == []


def test_scores_that_disagree_on_the_direction_are_told(board: Registry) -> None:
    for name, direction in (("f", "lower"), ("g", "higher")):
        register(board, name, name, kind="model")
        board.log_eval(
            f"{name}@1", "mixed", [{"metric": "x", "value": "1", "direction": direction}]
        )
    assert {row["direction"] for row in leaderboard(board, suite="mixed")} == {"mixed"}
