"""What `eval compare`, `history` and `leaderboard` show, as sheets: rows with small charts."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from math import floor, log10
from typing import Any

from regista.cli.charts import Strip, sparkline
from regista.cli.render import minute, number, plural
from regista.cli.sheets import Sheet
from regista.cli.text import clip, one_line
from regista.decide.statistics.intervals import METHODS
from regista.registry.score_changes import ScoreChange
from regista.registry.score_comparison import Comparison

# of the normal distribution, two-sided; what a chart draws is no test
_Z = 1.96
_BETTER = {True: "higher is better", False: "lower is better"}
# names that a sentence lists
_NAMED = 5
# columns of an example's text that a table shows
_SHOWN = 240
Row = Mapping[str, Any]


def comparison_sheets(found: Comparison, *, blocks: bool) -> list[Sheet]:
    """Return a comparison for a terminal: the scores, then how sure the differences are."""
    title = f"{found.other} against {found.one}"
    if not found.scores:
        return [Sheet(title, (), (), empty="neither has scores to compare", notes=found.notes)]
    tested = [score for score in found.scores if score.method]
    sheets = [_scores(title, found.scores)]
    if tested:
        sheets.append(_intervals(tested, blocks=blocks))
    return [*sheets, Sheet("", (), (), about=_tests(found.scores), notes=found.notes)]


def comparison_document(found: Comparison) -> list[Sheet]:
    """Return a comparison as one wide table, for Markdown."""
    rows = [
        (*row, _interval(score), _p(score), score.n, score.method)
        for row, score in zip(_rows(found.scores), found.scores, strict=True)
    ]
    return [
        Sheet(
            f"{found.other} against {found.one}",
            (*_SCORES, "95%", "P", "N", "TEST"),
            rows,
            right=("A", "B", "B - A", "P", "N"),
            optional=("SLICE", "95%", "P", "N", "TEST"),
            notes=[*_tests(found.scores), *found.notes],
            empty="neither has scores to compare",
        )
    ]


_SCORES = ("SUITE", "METRIC", "SLICE", "A", "B", "B - A", "B IS")


def _scores(title: str, scores: Sequence[ScoreChange]) -> Sheet:
    return Sheet(
        title, _SCORES, _rows(scores), right=("A", "B", "B - A"), optional=("SLICE", "B - A")
    )


def _rows(scores: Iterable[ScoreChange]) -> list[tuple[object, ...]]:
    return [
        (
            score.suite,
            _metric(score.task, score.metric),
            score.slice,
            number(score.one),
            number(score.other),
            number(score.difference, signed=True),
            score.verdict,
        )
        for score in scores
    ]


def _intervals(tested: Sequence[ScoreChange], *, blocks: bool) -> Sheet:
    ends = [end for score in tested for end in (score.low, score.high)]
    strip = Strip.around(ends, zero=True, blocks=blocks)
    rows = [
        (
            _metric(score.task, score.metric),
            score.slice,
            _interval(score),
            _p(score),
            strip.draw(_middle(score), score.low, score.high),
            score.n,
            score.method,
        )
        for score in tested
    ]
    return Sheet(
        "How sure the differences are",
        ("METRIC", "SLICE", "95% OF B - A", "P", strip.ends, "N", "TEST"),
        rows,
        right=("P", "N"),
        keep=("95% OF B - A", "TEST"),
        optional=("SLICE", "N"),
        charts=(strip.ends,),
    )


def _middle(score: ScoreChange) -> float | None:
    return score.difference if score.paired_difference is None else score.paired_difference


def _interval(score: ScoreChange) -> str:
    if score.low is None or score.high is None:
        return ""
    # two digits of the interval's width are all that it can claim
    width = score.high - score.low
    places = max(1 - floor(log10(width)), 0) if width > 0 else 6
    return "..".join(f"{end:+.{places}f}" for end in (score.low, score.high))


def _p(score: ScoreChange) -> str:
    if score.p is None:
        return ""
    return "<0.001" if score.p < 0.001 else f"{score.p:.3f}"  # noqa: PLR2004 - as it is shown


def _tests(scores: Sequence[ScoreChange]) -> list[str]:
    """Say what the tests are, what has none, and where a direction was assumed."""
    used = {score.method for score in scores if score.verdict}
    told = [f"{name}: {METHODS[name]}" for name in METHODS if name in used]
    if "" in used:
        told.append("no test: neither paired examples nor two standard errors; may be chance")
    assumed = [score.title for score in scores if score.verdict and score.higher_is_better is None]
    if assumed:
        told.append(f"higher is taken as better, as no run says which: {_listed(assumed)}")
    return told


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def sample_sheets(found: Mapping[str, Any]) -> list[Sheet]:
    """Return results on examples, one sheet per suite; texts as far as they fit into a cell."""
    title = f"{found['name']} version {found['version']}"
    if not found["samples"]:
        return [Sheet("", (), (), empty=f"{title} has no such results", notes=found["notes"])]
    sheets = [
        Sheet(
            f"{title}, suite {suite}",
            ("EXAMPLE", "METRIC", "VALUE", "PASSED", "INPUT", "OUTPUT"),
            [
                (
                    row["sample_id"],
                    _metric(row["task"], row["metric"]),
                    number(row["value"]),
                    {True: "yes", False: "no", None: ""}[row["passed"]],
                    _beginning(row["input"]),
                    _beginning(row["output"]),
                )
                for row in rows
            ],
            right=("VALUE",),
            optional=("PASSED", "INPUT", "OUTPUT"),
            wrapped=("INPUT", "OUTPUT"),
        )
        for suite, rows in groupby(found["samples"], lambda row: row["suite"])
    ]
    return [*sheets, Sheet("", (), (), notes=found["notes"])]


def _beginning(text: str | None) -> str:
    return clip(one_line((text or "")[: 2 * _SHOWN]), _SHOWN)


def history_sheets(rows: Sequence[Row], *, blocks: bool) -> list[Sheet]:
    """Return trends, one sheet per suite, task and metric."""
    if not rows:
        return [Sheet("", (), (), empty="there are no such scores")]
    return [
        _trend(list(group), blocks=blocks)
        for _key, group in groupby(rows, lambda row: (row["suite"], row["task"], row["metric"]))
    ]


def _trend(rows: Sequence[Row], *, blocks: bool) -> Sheet:
    first, last = rows[0], rows[-1]
    values = [row["value"] for row in rows]
    strip = Strip.around(_reach(rows), zero=False, blocks=blocks)
    name = f"{first['suite']}/{_metric(first['task'], first['metric'])}"
    change = f"{number(first['value'])} to {number(last['value'])}"
    line = sparkline(values, blocks=blocks)
    known = {row["higher_is_better"] for row in rows} - {None}
    way = _BETTER[known.pop()] if len(known) == 1 else "higher taken as better"
    return Sheet(
        f"{name} in {first['slice']}" if first["slice"] else name,
        ("V", "VALUE", "CHANGE", "IS", "STDERR", strip.ends, "WHEN (UTC)"),
        [
            (
                row["version"],
                number(row["value"]),
                number(row["change"], signed=True),
                row["verdict"],
                number(row["stderr"]),
                _whiskers(strip, row),
                minute(row["time"].isoformat()),
            )
            for row in rows
        ],
        right=("V", "VALUE", "CHANGE", "STDERR"),
        optional=("STDERR", "CHANGE", "IS"),
        charts=(strip.ends,),
        about=[f"{line}  {change} over {plural(len(rows), 'version')}, {way}"],
        notes=[
            f"the run of version {row['version']} is {row['status']}"
            for row in rows
            if row["status"] != "complete"
        ],
    )


def leaderboard_sheets(rows: Sequence[Row], slice_: str, *, blocks: bool) -> list[Sheet]:
    """Return rankings, one sheet per suite, task and metric."""
    if not rows:
        return [Sheet("", (), (), empty="there are no such scores of a complete run")]
    return [
        _ranking(list(group), slice_, blocks=blocks)
        for _key, group in groupby(rows, lambda row: (row["suite"], row["task"], row["metric"]))
    ]


def _ranking(rows: Sequence[Row], slice_: str, *, blocks: bool) -> Sheet:
    first = rows[0]
    name = f"{first['suite']}/{_metric(first['task'], first['metric'])}"
    strip = Strip.around(_reach(rows), zero=False, blocks=blocks)
    return Sheet(
        f"{name} in {slice_}" if slice_ else name,
        ("#", "ENTRY", "V", "IN", "VALUE", "STDERR", "N", strip.ends),
        [
            (
                row["rank"],
                row["entry"],
                row["version"],
                row["stages"],
                number(row["value"]),
                number(row["stderr"]),
                row["n"],
                _whiskers(strip, row),
            )
            for row in rows
        ],
        right=("#", "V", "VALUE", "STDERR", "N"),
        optional=("IN", "STDERR", "N"),
        charts=(strip.ends,),
        about=[_direction(first)],
        notes=_ranking_notes(rows),
    )


def _direction(row: Row) -> str:
    match row["direction"]:
        case "recorded":
            return _BETTER[row["higher_is_better"]]
        case "assumed":
            return "higher is taken as better: no score says which"
        case _:
            return "higher is taken as better: the scores disagree on which is"


def _ranking_notes(rows: Sequence[Row]) -> list[str]:
    notes = []
    if rows[0]["datasets"] > 1:
        notes.append(
            f"these are evaluations on {rows[0]['datasets']} different datasets, so they may not"
            " compare"
        )
    if len(rows) < rows[0]["ranked"]:
        notes.append(f"{len(rows)} of {rows[0]['ranked']} are shown")
    return notes


def _reach(rows: Iterable[Row]) -> list[float]:
    """Return all that a chart of values with their errors has to hold."""
    return [
        row["value"] + side * _Z * (row["stderr"] or 0.0) for row in rows for side in (-1, 0, 1)
    ]


def _whiskers(strip: Strip, row: Row) -> str:
    value, stderr = row["value"], row["stderr"]
    if stderr is None:
        return strip.draw(value, None, None)
    return strip.draw(value, value - _Z * stderr, value + _Z * stderr)


def _metric(task: str, metric: str) -> str:
    return "/".join(filter(None, (task, metric)))
