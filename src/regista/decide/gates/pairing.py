"""Pairing: which scores of a candidate stand against which of a baseline version.

A pair has the same suite, task, metric and slice, from the latest run of each, on the same
dataset. Whatever cannot be paired is a gap with its reason: it is never left out in silence.
"""

from dataclasses import dataclass, field
from functools import partial
from shlex import quote

from regista.decide.evidence import Case, Run, Score
from regista.decide.gates.comparing import Pair
from regista.decide.gates.field_types import Params
from regista.decide.gates.findings import eval_log
from regista.decide.gates.runs import (
    Grain,
    Missing,
    by_grain,
    evidence_of,
    lacking,
    latest_run,
    not_a_number,
    slices_of,
    title,
)
from regista.decide.heads import RunHead, VersionHead

EVERY = "*"
UNRECORDED = "neither run has its dataset recorded"


@dataclass(slots=True)
class Pairing:
    """Pairs and gaps in a fixed order, and what was used to find them."""

    pairs: list[Pair] = field(default_factory=list)
    gaps: list[tuple[str, Missing]] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def pair_up(case: Case, baseline: VersionHead, params: Params) -> Pairing:
    """Pair the candidate's scores with the baseline's, as a gate's parameters ask.

    A suite `*` is every suite that the baseline has a run of, a metric `*` every metric that
    such a run has.
    """
    pairing = Pairing()
    suite = params["suite"]
    for name in sorted(baseline.runs) if suite == EVERY else [suite]:
        _pair_suite(pairing, case, baseline, name, params)
    if not pairing.pairs and not pairing.gaps:
        what = "slices" if params.get("slices") == "all" else "scores"
        named = title(suite, params.get("task", ""), params["metric"])
        reason = f"version {baseline.version} has no {what} for {named} to compare with"
        remedy = eval_log(case, baseline, "SUITE" if suite == EVERY else suite)
        pairing.gaps.append((named, Missing("nothing to compare", reason, remedy)))
    return pairing


def _pair_suite(
    pairing: Pairing, case: Case, baseline: VersionHead, suite: str, params: Params
) -> None:
    ours, theirs = latest_run(case, case.version, suite), latest_run(case, baseline, suite)
    for run in (ours, theirs):
        used = run.evidence if isinstance(run, Missing) else (evidence_of(run.head),)
        pairing.evidence += [name for name in used if name not in pairing.evidence]
    if isinstance(ours, Missing):
        pairing.gaps.append((suite, ours))
    elif isinstance(theirs, Missing):
        pairing.gaps.append((suite, theirs))
    elif other := _other_data(case, baseline, suite, ours.head, theirs.head):
        pairing.gaps.append((suite, other))
    else:
        if not theirs.head.dataset and not theirs.head.dataset_digest:
            pairing.notes.append(UNRECORDED)
        _pair_scores(pairing, case, baseline, (ours, theirs), params)


def _pair_scores(
    pairing: Pairing, case: Case, baseline: VersionHead, runs: tuple[Run, Run], params: Params
) -> None:
    sides = [
        (version, run, by_grain(run))
        for version, run in zip((case.version, baseline), runs, strict=True)
    ]
    suite = runs[0].suite
    remedy = eval_log(case, case.version, suite)
    for grain in _grains(sides[1][2], params):
        name = title(suite, *grain)
        found: list[Score] = []
        for version, run, scores in sides:
            score = scores.get(grain)
            if score is None:
                pairing.gaps.append((name, lacking(case, version, run, grain)))
            elif not score.value.is_finite():
                pairing.gaps.append((name, not_a_number(case, version, run, score)))
            else:
                found.append(score)
        if len(found) == len(sides):
            samples = partial(case.pairs, baseline, suite, grain)
            pairing.pairs.append(Pair(name, found[0], found[1], remedy, samples))


def _grains(theirs: dict[Grain, Score], params: Params) -> list[Grain]:
    suite, metric, slices = params["suite"], params["metric"], slices_of(params)
    task = params.get("task")
    if EVERY not in (suite, metric) and slices != "all":
        # asked for by name, so that one which the baseline lacks is a gap
        return sorted((task or "", metric, slice_) for slice_ in slices)
    found = []
    for grain in theirs:
        if metric == EVERY:
            wanted = task is None or grain[0] == task
        else:
            wanted = grain[:2] == (task or "", metric)
        if wanted and (slices == "all" or grain[2] in slices):
            found.append(grain)
    if slices == "all" and not any(slice_ for _task, _metric, slice_ in found):
        return []
    return sorted(found)


def _other_data(
    case: Case, baseline: VersionHead, suite: str, ours: RunHead, theirs: RunHead
) -> Missing | None:
    # a digest says more than the text, which may name the same version in another way
    same_text = not ours.dataset_digest and ours.dataset == theirs.dataset
    if ours.dataset_digest == theirs.dataset_digest and (ours.dataset_digest or same_text):
        return None
    reason = (
        f"the latest runs of {suite} are on different data: version {case.version.version} on "
        f"{_data(ours)}, version {baseline.version} on {_data(theirs)}"
    )
    dataset = quote(theirs.dataset) if theirs.dataset else "NAME@V"
    remedy = f"{eval_log(case, case.version, suite)} --dataset {dataset}"
    return Missing("another dataset", reason, remedy)


def _data(run: RunHead) -> str:
    if not run.dataset:
        return "a dataset that is not recorded"
    return f"{run.dataset} ({run.dataset_digest[:12]})" if run.dataset_digest else run.dataset
