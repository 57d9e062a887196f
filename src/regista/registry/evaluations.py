"""Questions about evaluation runs: a version's scores, a metric's trend, entries ranked.

The first two are answered from each version's latest run of a suite, whatever became of the run;
what the run's status was is always said. A ranking takes complete runs alone. Two versions against
each other are `score_comparison`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from regista.errors import NotFoundError
from regista.model.names import shown
from regista.read.policies import stage_order
from regista.read.sql import log_tail, named_query
from regista.read.sqlfiles import load
from regista.registry.reads import AsOf, Reads
from regista.registry.score_changes import ScoreRow, score_change

HISTORY_COLUMNS = (*load("metric_history").columns, "change", "verdict")
RANKING_COLUMNS = load("entry_ranking").columns


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


def _with_changes(rows: Iterable[ScoreRow]) -> Iterator[dict[str, Any]]:
    before: ScoreRow | None = None
    for row in rows:
        same = before is not None and all(
            row[key] == before[key] for key in ("suite", "task", "metric")
        )
        change = score_change(("", "", "", ""), before if same else None, row)
        yield {**row, "change": change.difference, "verdict": change.verdict}
        before = row


def leaderboard(
    reads: Reads,
    *,
    kind: str | None = None,
    suite: str | None = None,
    metric: str | None = None,
    task: str | None = None,
    slice_: str = "",
    stage: str | None = None,
    limit: int = 20,
    as_of: AsOf = None,
) -> list[dict[str, Any]]:
    """Return entries ranked by each metric, with one version each.

    That is the newest one whose latest run of the suite is complete and has the metric, deleted
    and archived ones aside; with a stage, the version that the stage holds.

    Args:
        reads: the registry.
        kind: only entries of this kind.
        suite: only this suite.
        metric: only this metric.
        task: only this task; '' for what has none.
        slice_: slice of the data; '' for all of it.
        stage: only what this stage holds.
        limit: at most so many ranks of each metric.
        as_of: commit number or time.

    Returns:
        One object per suite, task, metric and entry, rank 1 first. `higher_is_better` is what the
        ranking goes by; `direction` says whether the scores say so: `recorded`, `assumed` where
        none does, or `mixed` where they disagree. `ranked` is how many there are, `datasets` on how
        many different ones they were evaluated.

    Raises:
        NotFoundError: the policy has no such stage.
    """
    if stage is not None:
        _require_stage(reads, stage, as_of)
    wanted = {
        "kind": kind,
        "suite": suite,
        "metric": metric,
        "task": task,
        "slice": slice_,
        "stage": stage,
        "limit": limit,
    }
    return _rows(reads, "entry_ranking", as_of, **wanted)


def _require_stage(reads: Reads, stage: str, as_of: AsOf) -> None:
    known = stage_order(reads.replica.store, reads.state(as_of).policy_digest)
    if known and stage not in known:
        raise NotFoundError(
            f"there is no stage {shown(stage)}", hint=f"the policy has {', '.join(known)}"
        )


def _rows(reads: Reads, query: str, as_of: AsOf, **parameters: object) -> list[dict[str, Any]]:
    replica, seq = reads.replica, reads.state(as_of).seq
    pinned = None if as_of is None else seq
    return named_query(replica.store, log_tail(replica.log, seq), query, parameters, as_of=pinned)
