"""The evidence rule: the latest run of a suite counts, whole or not at all.

A run that is partial, failed, absent, or lacks what a gate asks for leaves the gate undecided.
No gate ever looks at an older run instead, or a bad run could be hidden behind a good one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from regista.decide.evidence import Case, Run, Score
from regista.decide.gates.field_types import Params, whole
from regista.decide.gates.fields import Field, Stricter
from regista.decide.gates.findings import eval_log, listed, plural, undecidable
from regista.decide.heads import RunHead, VersionHead
from regista.decide.verdict import Finding

COMPLETE = "complete"
WHOLE = ""
"""The slice that is all of the data."""

Grain = tuple[str, str, str]
Slices = Literal["all"] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Evidence that is not there or cannot be used, and what to do about it."""

    observed: str
    reason: str
    remedy: str
    evidence: tuple[str, ...] = ()

    def finding(self, required: str) -> Finding:
        """Return the undecided finding that follows."""
        return undecidable(self.observed, required, self.reason, self.remedy, self.evidence)


def evidence_of(run: RunHead) -> str:
    """Return how a verdict names a run."""
    return f"run:{run.run_id}"


def latest_head(case: Case, version: VersionHead, suite: str) -> RunHead | Missing:
    """Return the latest run of a suite if it is complete, without its scores."""
    remedy = eval_log(case, version, suite)
    head = version.runs.get(suite)
    if head is None:
        return Missing("no run", f"version {version.version} has no eval run of {suite}", remedy)
    evidence = (evidence_of(head),)
    if head.status != COMPLETE:
        reason = f"the latest run of {suite} for version {version.version} is {head.status}"
        return Missing(f"{head.status} run", reason, remedy, evidence)
    if not head.scores:
        reason = f"the latest run of {suite} for version {version.version} has no scores"
        return Missing("no scores", reason, remedy, evidence)
    return head


def latest_run(case: Case, version: VersionHead, suite: str) -> Run | Missing:
    """Return the latest run of a suite, with its scores, if it is complete."""
    head = latest_head(case, version, suite)
    if isinstance(head, Missing):
        return head
    run = case.run(version, suite)
    if run is None:
        reason = f"run {head.run_id} of {suite} cannot be read"
        return Missing("unreadable run", reason, "regista verify", (evidence_of(head),))
    return run


def by_grain(run: Run) -> dict[Grain, Score]:
    """Return a run's scores by (task, metric, slice)."""
    return {(score.task, score.metric, score.slice): score for score in run.scores}


def slices_of(params: Params) -> Slices:
    """Return the slices that a gate asks for; all of the data alone when it says nothing."""
    slices = params.get("slices")
    if slices is None:
        return (params.get("slice", WHOLE),)
    return "all" if slices == "all" else tuple(slices)


def in_slice(slice_: str) -> str:
    """Return a slice for a sentence, with a space before it; '' for all of the data."""
    return f" in slice {slice_}" if slice_ else ""


def title(suite: str, task: str, metric: str, slice_: str = WHOLE) -> str:
    """Return what a score is called: `holdout/auc`, `mmlu/law/acc in slice hard`."""
    return "/".join(part for part in (suite, task, metric) if part) + in_slice(slice_)


def lacking(case: Case, version: VersionHead, run: Run, grain: Grain, others: str = "") -> Missing:
    """Return that a run has no such score; `others` says which it does have."""
    name = title(run.suite, *grain)
    return Missing(
        f"no score{in_slice(grain[2])}",
        f"the latest run of version {version.version} has no score for {name}{others}",
        eval_log(case, version, run.suite),
        (evidence_of(run.head),),
    )


def others(run: Run, grain: Grain) -> str:
    """Return which slices, or else which metrics, a run has beside one that it lacks."""
    task, metric, _slice = grain
    own = [score for score in run.scores if score.task == task]
    slices = {score.slice for score in own if score.metric == metric and score.slice != WHOLE}
    metrics = {score.metric for score in own}
    if metric in metrics:
        return f"; it has the slices {listed(sorted(slices))}" if slices else ""
    return f"; it has {listed(sorted(metrics))}" if metrics else ""


def not_a_number(case: Case, version: VersionHead, run: Run, score: Score) -> Missing:
    """Return that a score is not finite."""
    name = title(run.suite, score.task, score.metric, score.slice)
    return Missing(
        str(score.value),
        f"{name} of version {version.version} is {score.value}, not a number",
        eval_log(case, version, run.suite),
        (evidence_of(run.head),),
    )


MIN_N = Field(
    "min_n",
    whole(1, 10**12),
    "examples that must be behind each score; fewer, or an unknown number, leave it undecided",
    default="none",
    stricter=Stricter.HIGHER,
)


def too_few(case: Case, run: Run, scores: Iterable[Score], least: int) -> Missing | None:
    """Return that a score has fewer examples behind it than a gate asks for, or does not say."""
    for score in scores:
        if (score.n is not None and score.n >= least) or not least:
            continue
        name = title(run.suite, score.task, score.metric, score.slice)
        command = eval_log(case, case.version, run.suite)
        has = "no number of examples" if score.n is None else plural(score.n, "example")
        return Missing(
            f"n {'unknown' if score.n is None else score.n}{in_slice(score.slice)}",
            f"{name} has {has} behind it, and {least} are asked for",
            f"log it with n, on {least} examples or more: {command}",
            (evidence_of(run.head),),
        )
    return None


def selected(case: Case, run: Run, task: str, metric: str, slices: Slices) -> list[Score] | Missing:
    """Return the candidate's scores of a metric in the slices asked for, all of them finite.

    `all` means every slice that the run has, and all of the data where the run has that too; a
    run without any slice does not answer it.
    """
    version, found = case.version, by_grain(run)
    if slices == "all":
        grains = [grain for grain in found if grain[:2] == (task, metric)]
        if not any(slice_ for _task, _metric, slice_ in grains):
            whole = (task, metric, WHOLE)
            lack = lacking(case, version, run, whole, others(run, whole))
            if not grains:
                return lack
            name = title(run.suite, task, metric)
            reason = f"the latest run of version {version.version} has no slices for {name}"
            return Missing("no slices", reason, lack.remedy, lack.evidence)
    else:
        grains = [(task, metric, slice_) for slice_ in slices]
    for grain in grains:
        if grain not in found:
            return lacking(case, version, run, grain, others(run, grain))
        if not found[grain].value.is_finite():
            return not_a_number(case, version, run, found[grain])
    return [found[grain] for grain in sorted(grains)]
