"""Evidence rows: what a gate reads of a case, as JSON, so that a person's yes can be bound to it.

Two cases with equal rows look alike to the gate, but for the clock. Each kind says what it reads
next to how it judges; one that says nothing is taken to read all that is on record.
"""

from collections.abc import Iterable
from typing import Any

from regista.decide.evidence import Case, Score
from regista.decide.gates.field_types import Params
from regista.decide.heads import Pointer, VersionHead

Rows = list[dict[str, Any]]

_SIGNED = ("approvals", "waivers")


def nothing(_params: Params, _case: Case) -> Rows:
    """Return no rows: the gate reads nothing but signatures."""
    return []


def all_on_record(_params: Params, case: Case) -> Rows:
    """Return the candidate's whole record, the entry's tags, and what its stages hold."""
    record = {name: value for name, value in case.version.to_json().items() if name not in _SIGNED}
    slots = [slot_row(stage, slot) for stage, slot in case.entry.slots.items()]
    runs = [row for suite in case.version.runs for row in run_rows(case, case.version, suite)]
    return [{"record": record}, {"entry_tags": case.entry.tags}, *slots, *runs]


def run_row(version: VersionHead, suite: str) -> Rows:
    """Return the latest run of a suite, without its scores; nothing where there is none."""
    head = version.runs.get(suite)
    if head is None:
        return []
    return [
        {
            "run": head.run_id,
            "seq": head.seq,
            "version": version.version,
            "suite": suite,
            "by": head.by,
            "status": head.status,
            "dataset": head.dataset,
            "dataset_digest": head.dataset_digest,
            "scores": head.scores,
            "samples": head.samples,
        }
    ]


def run_rows(case: Case, version: VersionHead, suite: str, metric: str | None = None) -> Rows:
    """Return the latest run of a suite with its scores, of one metric or of all."""
    rows = run_row(version, suite)
    run = case.run(version, suite) if rows else None
    scores = run.scores if run else ()
    wanted = (score for score in scores if metric is None or score.metric == metric)
    return [*rows, *_score_rows(version.runs[suite].run_id, wanted)] if rows else []


def slot_row(stage: str, slot: Pointer | None) -> dict[str, Any]:
    """Return what a stage, or a gated alias, holds and since which commit."""
    return {
        "stage": stage,
        "version": slot.version if slot else None,
        "seq": slot.seq if slot else None,
    }


def _score_rows(run_id: str, scores: Iterable[Score]) -> Rows:
    return [
        {
            "run": run_id,
            "task": score.task,
            "metric": score.metric,
            "slice": score.slice,
            "value": str(score.value),
            "stderr": None if score.stderr is None else str(score.stderr),
            "n": score.n,
            "higher_is_better": score.higher_is_better,
        }
        for score in scores
    ]
