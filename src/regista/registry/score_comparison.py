"""Two versions' scores, side by side: how far apart, how sure, and what a reader must know.

Both latest runs of a suite count, whatever became of them. Where both have results of the same
examples on the same data, the examples are paired; where there are but two standard errors, the
runs are taken as independent; which it was is always said. Differences are decimal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from regista.decide.heads import RunHead
from regista.decide.operations.context import Grain
from regista.decide.statistics.pairs import MIN_PAIRS, Pairs
from regista.model.selectors import VersionRef
from regista.registry.evaluations import version_scores
from regista.registry.reads import AsOf, Reads
from regista.registry.score_changes import (
    ScoreChange,
    ScoreGrain,
    ScoreRow,
    score_change,
    with_pairs,
)

MANY_TESTS = 10
"""From so many on, a reader is reminded that some come out by chance."""

_EQUAL = 1e-6


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


def columns() -> list[str]:
    """Return the names of what is said of each score, in order."""
    return [field.name for field in fields(ScoreChange)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which scores to compare; None for all.

    Attributes:
        slice: '' for all of the data alone.
    """

    suite: str | None = None
    metric: str | None = None
    task: str | None = None
    slice: str | None = None

    def takes(self, grain: ScoreGrain) -> bool:
        """Say whether a score is one of them."""
        suite, task, metric, slice_ = grain
        return all(
            asked in (None, has)
            for asked, has in (
                (self.suite, suite),
                (self.task, task),
                (self.metric, metric),
                (self.slice, slice_),
            )
        )


@dataclass(frozen=True, slots=True)
class _Side:
    """One version: its name, its latest runs, and their scores."""

    name: str
    heads: Mapping[str, RunHead]
    scores: Mapping[ScoreGrain, ScoreRow]


def compare(
    reads: Reads,
    one: str,
    other: str,
    *,
    suite: str | None = None,
    metric: str | None = None,
    task: str | None = None,
    slice_: str | None = None,
    as_of: AsOf = None,
) -> Comparison:
    """Compare the scores of two versions.

    Args:
        reads: the registry.
        one: the version to compare with, `NAME@SELECTOR`.
        other: the version that is compared.
        suite: only this suite.
        metric: only this metric.
        task: only this task; '' for what has none.
        slice_: only this slice; '' for all of the data.
        as_of: commit number or time.

    Raises:
        NotFoundError: there is no such version.
        IntegrityError: per-example results are missing or damaged.
    """
    wanted = Wanted(suite, metric, task, slice_)
    before, after = (_side(reads, ref, wanted, as_of) for ref in (one, other))
    changes: list[ScoreChange] = []
    notes: list[str] = []
    for grain in sorted(set(before.scores) | set(after.scores)):
        change = score_change(grain, before.scores.get(grain), after.scores.get(grain))
        pairs = _pairs(reads, before, after, grain)
        if pairs is not None:
            change = with_pairs(change, pairs)
            notes += _pair_notes(change, pairs)
        changes.append(change)
    notes = [*_run_notes(before, after, wanted.suite), *notes, *_chance(changes)]
    return Comparison(before.name, after.name, changes, notes)


def _side(reads: Reads, ref: str, wanted: Wanted, as_of: AsOf) -> _Side:
    found = version_scores(reads, ref, as_of=as_of)
    state = reads.state(as_of)
    _entry, head = state.select(VersionRef.parse(f"{found['name']}@{found['version']}"))
    heads = {suite: run for suite, run in head.runs.items() if wanted.suite in (None, suite)}
    scores = {
        grain: score
        for run in found["runs"]
        for score in run["scores"]
        if wanted.takes(grain := (run["suite"], score["task"], score["metric"], score["slice"]))
    }
    return _Side(f"{found['name']}@{found['version']}", heads, scores)


def _pairs(reads: Reads, before: _Side, after: _Side, grain: ScoreGrain) -> Pairs | None:
    """Return what the two runs say of the same examples of the same data, or None."""
    if grain not in before.scores or grain not in after.scores:
        return None
    one, other = before.heads[grain[0]], after.heads[grain[0]]
    if not one.samples or not other.samples or not same_data(one, other):
        return None
    from regista.read.pairs import load_pairs
    from regista.read.world import World

    world = World(reads.replica)
    sources = world.find_samples(other), world.find_samples(one)
    inner: Grain = grain[1:]
    return load_pairs(reads.replica.store, *sources, inner)


def same_data(one: RunHead, other: RunHead) -> bool:
    """Say whether two runs are on the same dataset as far as is recorded: by digest, else text."""
    if one.dataset_digest or other.dataset_digest:
        return one.dataset_digest == other.dataset_digest
    return one.dataset == other.dataset


def _pair_notes(change: ScoreChange, pairs: Pairs) -> Iterable[str]:
    if not change.n:
        yield (
            f"{change.title}: {pairs.pairs} paired examples are too few for a test;"
            f" {MIN_PAIRS} are needed"
        )
        return
    if pairs.unpaired:
        yield (f"{change.title}: {pairs.unpaired:,} examples are in one run alone and do not count")
    told, paired = change.difference or 0.0, change.paired_difference or 0.0
    if abs(told - paired) > _EQUAL * max(1, abs(told)):
        yield (
            f"{change.title}: the interval is about the mean of the paired examples, which differ"
            f" by {paired:+.6g}; the scores differ by {told:+.6g}"
        )


def _chance(changes: Iterable[ScoreChange]) -> Iterable[str]:
    tests = sum(bool(change.method) for change in changes)
    if tests >= MANY_TESTS:
        yield f"of {tests} intervals at 95 %, about {tests / 20:.0f} miss zero by chance alone"


def _run_notes(one: _Side, other: _Side, suite: str | None) -> Iterable[str]:
    for name in sorted(set(one.heads) & set(other.heads)):
        datasets = [side.heads[name].dataset for side in (one, other)]
        if not same_data(one.heads[name], other.heads[name]):
            shown = " and ".join(dataset or "an unrecorded dataset" for dataset in datasets)
            yield f"suite {name}: the runs are on different datasets, {shown}"
        elif not any(datasets):
            yield f"suite {name}: neither run recorded its dataset"
    for side in (one, other):
        for name, run in sorted(side.heads.items()):
            if suite in (None, name) and run.status != "complete":
                yield f"suite {name}: the run of {side.name} is {run.status}"
