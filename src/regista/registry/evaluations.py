"""Questions about evaluation runs: a version's scores, two versions compared, a metric's trend.

They are answered from each version's latest run of a suite, whatever became of the run; what the
run's status was is always said. Differences are computed in decimals. The interval of a
difference takes the two runs as independent; a test that pairs examples is the baseline gate's.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from math import sqrt
from typing import Any

from regista.read.sql import log_tail, named_query
from regista.registry.reads import AsOf, Reads

# two-sided, so 2.5 % on each side of the normal distribution
Z_95 = 1.959963984540054
Row = Mapping[str, Any]
Grain = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """One score of two versions.

    Attributes:
        suite: suite, task, metric and slice say which score.
        one: value for the first version; None where it has none.
        other: value for the second.
        difference: the second less the first.
        low: lower end of the 95 % interval of the difference; None without both stderr.
        high: upper end.
        verdict: `better`, `worse` or `same` for the second; `unclear` when the interval holds
            zero; '' when there is nothing to compare.
    """

    suite: str
    task: str
    metric: str
    slice: str
    one: float | None
    other: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Result of `compare`.

    Attributes:
        one: the first version, `NAME@V`.
        other: the second.
        scores: what either has, by suite, task, metric and slice.
        notes: what a reader must know before trusting a difference.
    """

    one: str
    other: str
    scores: list[ScoreChange]
    notes: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return asdict(self)


def version_scores(reads: Reads, ref: str, *, as_of: AsOf = None) -> dict[str, Any]:
    """Return the latest run of each suite of a version, with all scores.

    Args:
        reads: the registry.
        ref: the version, `NAME@SELECTOR`.
        as_of: commit number or time.

    Returns:
        `name`, `version`, and `runs`: each with `suite`, `run_id`, `status`, `dataset`, `time`,
        `by`, `seq`, `samples` (a count) and `scores`.
    """
    view = reads.show(ref, as_of=as_of)
    rows = _rows(reads, "version_scores", as_of, entry=view["name"], version=view["version"])
    runs = []
    for suite, run in view["evals"].items():
        facts = {
            name: run[name]
            for name in ("run_id", "status", "dataset", "time", "by", "seq", "samples")
        }
        scores = [
            {key: value for key, value in row.items() if key not in {"suite", "run_id"}}
            for row in rows
            if row["suite"] == suite
        ]
        runs.append({"suite": suite, **facts, "scores": scores})
    return {"name": view["name"], "version": view["version"], "runs": runs}


def compare(
    reads: Reads, one: str, other: str, *, suite: str | None = None, as_of: AsOf = None
) -> Comparison:
    """Compare the scores of two versions.

    Args:
        reads: the registry.
        one: the version to compare with, `NAME@SELECTOR`.
        other: the version that is compared.
        suite: only this suite.
        as_of: commit number or time.
    """
    sides = [version_scores(reads, ref, as_of=as_of) for ref in (one, other)]
    runs = [
        {run["suite"]: run for run in side["runs"] if suite in (None, run["suite"])}
        for side in sides
    ]
    first, second = (f"{side['name']}@{side['version']}" for side in sides)
    before, after = (_by_grain(side) for side in runs)
    changes = [
        score_change(grain, before.get(grain), after.get(grain))
        for grain in sorted(set(before) | set(after))
    ]
    return Comparison(first, second, changes, _notes(runs[0], runs[1], (first, second)))


def metric_history(
    reads: Reads,
    name: str,
    *,
    metric: str | None = None,
    suite: str | None = None,
    slice_: str = "",
    limit: int = 100,
    as_of: AsOf = None,
) -> list[dict[str, Any]]:
    """Return how scores changed over an entry's versions, the oldest first.

    Args:
        reads: the registry.
        name: the entry.
        metric: only this metric.
        suite: only this suite.
        slice_: slice of the data; '' for all of it.
        limit: only so many of the newest versions.
        as_of: commit number or time.

    Returns:
        One object per version, suite, task and metric; `change` is the difference to the version
        before it in the list, `verdict` says whether that is better.
    """
    entry = reads.state(as_of).entry(name)
    rows = _rows(
        reads,
        "metric_history",
        as_of,
        entry=entry.name,
        metric=metric,
        suite=suite,
        slice=slice_,
        limit=limit,
    )
    return list(_with_changes(rows))


def _with_changes(rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    before: Row | None = None
    for row in rows:
        same = before is not None and all(
            row[key] == before[key] for key in ("suite", "task", "metric")
        )
        change = score_change(("", "", "", ""), before if same else None, row)
        yield {**row, "change": change.difference, "verdict": change.verdict}
        before = row


def _rows(reads: Reads, query: str, as_of: AsOf, **parameters: object) -> list[dict[str, Any]]:
    replica, seq = reads.replica, reads.state(as_of).seq
    pinned = None if as_of is None else seq
    return named_query(replica.store, log_tail(replica.log, seq), query, parameters, as_of=pinned)


def _by_grain(runs: Mapping[str, Row]) -> dict[Grain, Row]:
    return {
        (suite, score["task"], score["metric"], score["slice"]): score
        for suite, run in runs.items()
        for score in run["scores"]
    }


def score_change(grain: Grain, one: Row | None, other: Row | None) -> ScoreChange:
    """Compare one score of two versions; rows have `value`, `stderr` and `higher_is_better`."""
    if one is None or other is None:
        value, otherwise = (None if side is None else side["value"] for side in (one, other))
        return ScoreChange(*grain, value, otherwise, None, None, None, "")
    difference = float(Decimal(repr(other["value"])) - Decimal(repr(one["value"])))
    low = high = None
    if one["stderr"] is not None and other["stderr"] is not None:
        spread = Z_95 * sqrt(one["stderr"] ** 2 + other["stderr"] ** 2)
        low, high = difference - spread, difference + spread
    higher = other["higher_is_better"] is not False and one["higher_is_better"] is not False
    verdict = _verdict(difference if higher else -difference, low, high)
    return ScoreChange(*grain, one["value"], other["value"], difference, low, high, verdict)


def _verdict(gain: float, low: float | None, high: float | None) -> str:
    if gain == 0:
        return "same"
    if low is not None and high is not None and low <= 0 <= high:
        return "unclear"
    return "better" if gain > 0 else "worse"


def _notes(one: Mapping[str, Row], other: Mapping[str, Row], names: Iterable[str]) -> list[str]:
    notes = []
    for suite in sorted(set(one) & set(other)):
        datasets = [run[suite]["dataset"] for run in (one, other)]
        if datasets[0] != datasets[1]:
            shown = " and ".join(dataset or "an unrecorded dataset" for dataset in datasets)
            notes.append(f"suite {suite}: the runs are on different datasets, {shown}")
        elif datasets[0] is None:
            notes.append(f"suite {suite}: neither run recorded its dataset")
    for name, runs in zip(names, (one, other), strict=True):
        notes += [
            f"suite {suite}: the run of {name} is {run['status']}"
            for suite, run in runs.items()
            if run["status"] != "complete"
        ]
    return notes
