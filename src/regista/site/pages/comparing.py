"""Scores of one version against another: difference, confidence, and what it says. Pure."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from markupsafe import Markup

from regista.registry.score_changes import ScoreChange, score_change
from regista.site.charts.sparkline import delta_bar
from regista.site.model import Run, Score, Version

# slices of a run may be thousands; the worst are shown
MAX_SLICES = 24


class Line(NamedTuple):
    """One score of two versions, and the bar that draws its difference; no bar without interval."""

    change: ScoreChange
    bar: Markup


@dataclass(frozen=True, slots=True)
class Compared:
    """Scores of a version against those of another, `incumbent`."""

    version: int
    incumbent: int
    rows: tuple[Line, ...]
    hidden: int
    notes: tuple[str, ...]


def compared(version: Version, incumbent: Version | None) -> Compared | None:
    """Compare the latest runs of two versions; None where there is nothing to compare."""
    if incumbent is None or not version.latest_runs or incumbent.number == version.number:
        return None
    before = {run.suite: run for run in incumbent.latest_runs}
    changes: list[ScoreChange] = []
    notes: list[str] = []
    for run in version.latest_runs:
        other = before.get(run.suite)
        if other is None:
            notes.append(f"v{incumbent.number} was not evaluated on {run.suite}.")
            continue
        changes += _changes(other, run)
        notes += _remarks(other, run, incumbent.number, version.number)
    extent = max(
        (abs(end) for c in changes for end in (c.low, c.high) if end is not None), default=0.0
    )
    overall = [change for change in changes if not change.slice]
    slices = sorted((change for change in changes if change.slice), key=_worst_first)
    shown = [*overall, *slices[:MAX_SLICES]]
    return Compared(
        version.number,
        incumbent.number,
        tuple(_line(change, f"d{index}", extent) for index, change in enumerate(shown)),
        len(slices) - len(slices[:MAX_SLICES]),
        tuple(notes),
    )


def _changes(before: Run, after: Run) -> list[ScoreChange]:
    def by_grain(run: Run) -> dict[tuple[str, str, str], dict[str, Any]]:
        return {(s.task, s.metric, s.slice): s._asdict() for s in run.scores}

    one, other = by_grain(before), by_grain(after)
    return [
        score_change((after.suite, *grain), one[grain], other[grain])
        for grain in other
        if grain in one
    ]


def _worst_first(change: ScoreChange) -> tuple[int, float]:
    gain = abs(change.difference or 0.0)
    order = {"worse": 0, "unclear": 1, "same": 2, "better": 3}
    return order.get(change.verdict, 4), -gain if change.verdict == "worse" else gain


def _remarks(before: Run, after: Run, one: int, other: int) -> list[str]:
    remarks = []
    names = [run.dataset.text if run.dataset else None for run in (before, after)]
    if names[0] != names[1]:
        shown = " and ".join(name or "an unrecorded dataset" for name in names)
        remarks.append(f"{after.suite}: they were evaluated on different datasets, {shown}.")
    elif names[0] is None:
        remarks.append(f"{after.suite}: neither run recorded its dataset.")
    remarks += [
        f"{after.suite}: the run of v{number} is {run.status}."
        for number, run in ((one, before), (other, after))
        if run.status != "complete"
    ]
    return remarks


def _line(change: ScoreChange, id_: str, extent: float) -> Line:
    bar = Markup()
    if change.low is not None and change.difference is not None:
        label = f"difference in {change.metric}"
        svg = delta_bar(
            change.difference, id_, label, low=change.low, high=change.high, extent=extent
        )
        bar = Markup(svg)  # noqa: S704 - it escapes
    return Line(change, bar)


def score_of(version: Version, suite: str, task: str, metric: str) -> Score | None:
    """Return a version's score over all of the data, from its latest run of a suite."""
    for run in version.latest_runs:
        if run.suite == suite:
            for score in run.scores:
                if not score.slice and score.metric == metric and score.task == task:
                    return score
    return None
