from datetime import UTC, datetime
from typing import Any

from regista.cli.evalsheets import (
    comparison_document,
    comparison_sheets,
    history_sheets,
    leaderboard_sheets,
    sample_sheets,
)
from regista.cli.render import Page, Terminal
from regista.cli.sheets import Sheet
from regista.cli.text import width
from regista.registry.score_changes import ScoreChange
from regista.registry.score_comparison import Comparison

PAIRED = ScoreChange(
    "holdout", "", "acc", "", 0.7, 0.75, 0.05, 0.0067, 0.0892, "better",
    method="mcnemar", n=300, p=0.034, paired_difference=0.05, higher_is_better=True,
)  # fmt: skip
AGGREGATE = ScoreChange(
    "holdout", "t", "auc", "region=eu", 0.7, 0.71, 0.01, -0.01, 0.03, "unclear",
    method="z", p=0.00001, higher_is_better=True,
)  # fmt: skip
BARE = ScoreChange("load", "", "p95", "", 20.0, 15.0, -5.0, None, None, "worse")
GONE = ScoreChange("load", "", "p99", "", 20.0, None, None, None, None, "")


def drawn(sheets: list[Sheet], columns: int = 80) -> list[str]:
    page = Page(Terminal(columns))
    for sheet in sheets:
        sheet.draw(page)
    return page.lines


def test_a_comparison_says_which_test_it_is_and_fits_80_columns() -> None:
    found = Comparison("m@1", "m@2", [PAIRED, AGGREGATE, BARE, GONE], ["mind this"])
    lines = drawn(comparison_sheets(found, blocks=True))
    assert all(width(line) <= 80 for line in lines)
    text = "\n".join(lines)
    assert "+0.007..+0.089   0.034" in text
    assert "-0.010..+0.030  <0.001" in text
    assert "300  mcnemar" in text
    assert "no test: neither paired examples nor two standard errors" in text
    assert "no run says which: load/p95" in text
    assert lines[-1] == "note: mind this"


def test_a_comparison_in_markdown_is_one_table() -> None:
    (sheet,) = comparison_document(Comparison("m@1", "m@2", [PAIRED, GONE], []))
    table = [line for line in sheet.markdown() if line.startswith("|")]
    assert len(table) == 4
    assert table[2].endswith("| better | +0.007..+0.089 | 0.034 | 300 | mcnemar |")


def test_versions_without_scores_have_nothing_to_compare() -> None:
    found = Comparison("m@1", "m@2", [], [])
    assert "neither has scores to compare" in drawn(comparison_sheets(found, blocks=True))
    assert "neither has scores to compare" in comparison_document(found)[0].markdown()


def score(version: int, value: float, **more: Any) -> dict[str, Any]:
    return {
        "suite": "s", "task": "", "metric": "auc", "slice": "", "version": version,
        "value": value, "stderr": 0.01, "n": 9, "higher_is_better": True, "status": "complete",
        "change": None, "verdict": "", "time": datetime(2026, 3, 3, 9, 30, tzinfo=UTC), **more,
    }  # fmt: skip


def test_a_trend_has_a_line_and_says_what_was_not_complete() -> None:
    rows = [score(1, 0.8), score(2, 0.9, change=0.1, verdict="better", status="partial")]
    lines = drawn(history_sheets(rows, blocks=False))
    assert lines[:2] == ["s/auc", "_#  0.8 to 0.9 over 2 versions, higher is better"]
    assert lines[-1] == "note: the run of version 2 is partial"
    assert all(line.isascii() for line in lines)


def ranked(rank: int, entry: str, **more: Any) -> dict[str, Any]:
    return score(1, 1 - rank / 10, rank=rank, entry=entry, stages="prod", kind="model", ranked=2,
                 direction="recorded", datasets=1, **more)  # fmt: skip


def test_a_ranking_fits_80_columns_and_marks_stages() -> None:
    lines = drawn(leaderboard_sheets([ranked(1, "a"), ranked(2, "x" * 200)], "", blocks=True))
    assert all(width(line) <= 80 for line in lines)
    assert lines[:2] == ["s/auc", "higher is better"]
    assert lines[3].split()[:4] == ["1", "a", "1", "prod"]


def test_a_ranking_says_what_it_cannot_know() -> None:
    row = {**ranked(1, "a"), "direction": "mixed", "datasets": 3, "ranked": 7}
    lines = drawn(leaderboard_sheets([row], "eu", blocks=True))
    assert lines[0] == "s/auc in eu"
    assert "the scores disagree" in lines[1]
    assert any("3 different datasets" in line for line in lines)
    assert lines[-1] == "note: 1 of 7 are shown"
    assert (
        "no score says"
        in drawn(leaderboard_sheets([{**row, "direction": "assumed"}], "", blocks=True))[1]
    )


def test_examples_show_the_beginning_of_their_texts_made_safe() -> None:
    row = {
        "suite": "s", "sample_id": "a", "task": "", "metric": "acc", "value": 0.0,
        "passed": False, "input": "one\n\x1b[31mtwo " + "x" * 5000, "output": None,
    }  # fmt: skip
    lines = drawn(sample_sheets({"name": "m", "version": 1, "samples": [row], "notes": ["gone"]}))
    assert lines[0] == "m version 1, suite s"
    assert "\x1b" not in "".join(lines)
    assert 4 < len(lines) < 12
    assert all(width(line) <= 80 for line in lines)
    assert lines[-1] == "note: gone"


def test_no_examples_are_told() -> None:
    none: dict[str, Any] = {"name": "m", "version": 1, "samples": [], "notes": []}
    assert drawn(sample_sheets(none)) == ["m version 1 has no such results"]
