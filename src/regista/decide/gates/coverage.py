"""`coverage`: evaluations exist at all: suites, and metrics and slices within them."""

from dataclasses import dataclass, replace

from regista.decide.evidence import Case, Run, Score
from regista.decide.gates.field_types import Params, text, texts, texts_or
from regista.decide.gates.fields import (
    CheckContext,
    Field,
    Problems,
    Stricter,
    exclusive,
    one_needed,
)
from regista.decide.gates.findings import eval_log, failed, listed, passed, plural, undecidable
from regista.decide.gates.kind import GateKind
from regista.decide.gates.reading import Rows, run_row, run_rows
from regista.decide.gates.runs import (
    MIN_N,
    WHOLE,
    Missing,
    evidence_of,
    latest_head,
    latest_run,
    title,
    too_few,
)
from regista.decide.policy_problem import problem
from regista.decide.verdict import Finding

ANY = "any"


@dataclass(frozen=True, slots=True)
class _Wanted:
    suites: tuple[str, ...]
    task: str
    metrics: tuple[str, ...]
    slices: tuple[str, ...]

    @property
    def inside(self) -> bool:
        """Whether the scores of a run have to be looked at."""
        return bool(self.metrics or self.slices)

    def __str__(self) -> str:
        parts = [f"complete runs of {listed(self.suites)}"]
        if self.metrics:
            parts.append(f"with {listed(self.metrics)}")
        if self.slices:
            parts.append(f"in slices {listed(self.slices)}")
        return " ".join(parts)

    def scores_of(self, run: Run) -> list[Score]:
        """Return the scores of a run that are asked for."""
        slices = (WHOLE, *self.slices) if self.metrics else self.slices
        return [
            score
            for score in run.scores
            if score.task == self.task
            and score.slice in slices
            and (not self.metrics or score.metric in self.metrics)
        ]

    def missing_in(self, run: Run) -> list[str]:
        """Name the scores that a run should have and lacks."""
        have = {(score.metric, score.slice) for score in run.scores if score.task == self.task}
        if not self.metrics:
            found = {slice_ for _metric, slice_ in have}
            absent = [slice_ for slice_ in self.slices if slice_ not in found]
            return [f"{run.suite} in slice {slice_}" for slice_ in absent]
        return [
            title(run.suite, self.task, metric, slice_)
            for metric in self.metrics
            for slice_ in (WHOLE, *self.slices)
            if (metric, slice_) not in have
        ]


def evaluate(params: Params, case: Case) -> Finding:
    """Judge whether the latest runs are there, complete, and hold what is asked for."""
    if params.get("suites") == ANY:
        return _any_suite(case)
    named = (params["suite"],) if "suite" in params else tuple(params["suites"])
    wanted = _Wanted(
        named,
        params.get("task", ""),
        tuple(params.get("metrics", ())),
        tuple(params.get("slices", ())),
    )
    least = params.get("min_n", 0)
    gaps: list[tuple[str, Missing]] = []
    absent: dict[str, list[str]] = {}
    evidence: list[str] = []
    for suite in wanted.suites:
        run = latest_head(case, case.version, suite)
        if not isinstance(run, Missing) and wanted.inside:
            loaded = latest_run(case, case.version, suite)
            run = loaded if isinstance(loaded, Missing) else loaded.head
            if isinstance(loaded, Run) and (names := wanted.missing_in(loaded)):
                absent[suite] = names
            elif isinstance(loaded, Run):
                run = too_few(case, loaded, wanted.scores_of(loaded), least) or run
        if isinstance(run, Missing):
            gaps.append((suite, run))
            evidence += run.evidence
        else:
            evidence.append(evidence_of(run))
    return _finding(case, wanted, gaps, absent, evidence)


def _finding(
    case: Case,
    wanted: _Wanted,
    gaps: list[tuple[str, Missing]],
    absent: dict[str, list[str]],
    evidence: list[str],
) -> Finding:
    required = str(wanted)
    if absent:
        names = [name for lacked in absent.values() for name in lacked]
        reason = f"the latest runs lack {listed(names)}"
        remedy = listed([eval_log(case, case.version, suite) for suite in absent])
        return failed(f"lacks {listed(names, 2)}", required, reason, remedy, evidence)
    if gaps:
        observed = listed([f"{suite}: {gap.observed}" for suite, gap in gaps], 2)
        reason = listed([gap.reason for _suite, gap in gaps])
        return undecidable(observed, required, reason, gaps[0][1].remedy, evidence)
    observed = plural(len(wanted.suites), "complete run")
    return passed(observed, required, "everything asked for was evaluated", evidence)


def _any_suite(case: Case) -> Finding:
    required = "a complete run of any suite"
    heads = [latest_head(case, case.version, suite) for suite in sorted(case.version.runs)]
    good = [head for head in heads if not isinstance(head, Missing)]
    if good:
        evidence = [evidence_of(head) for head in good]
        observed = plural(len(good), "complete run")
        return passed(observed, required, f"the version has {observed}", evidence)
    gaps = [head for head in heads if isinstance(head, Missing)]
    reason = listed([gap.reason for gap in gaps])
    none = f"version {case.version.version} has no eval run"
    remedy = gaps[0].remedy if gaps else eval_log(case, case.version, "SUITE")
    evidence = [name for gap in gaps for name in gap.evidence]
    return undecidable("no complete run", required, reason or none, remedy, evidence)


def _cross_check(params: Params, _context: CheckContext) -> Problems:
    problems = one_needed(params, "suite", "suites") + exclusive(params, "suite", "suites")
    inside = [name for name in ("task", "metrics", "slices") if name in params]
    if params.get("suites") == ANY and inside:
        problems += problem(f"{inside[0]} needs named suites", "write suites: [a, b] or suite: a")
    elif inside == ["task"]:
        problems += problem("task needs metrics or slices", "name the metrics of the task")
    elif "min_n" in params and not inside:
        problems += problem("min_n needs metrics or slices", "name the metrics that it is about")
    return problems


def evidence(params: Params, case: Case) -> Rows:
    """Return the latest run of each suite, with its scores where these are asked for."""
    if params.get("suites") == ANY:
        return [row for suite in sorted(case.version.runs) for row in run_row(case.version, suite)]
    suites = [params["suite"]] if "suite" in params else params["suites"]
    if "metrics" in params or "slices" in params:
        return [row for suite in suites for row in run_rows(case, case.version, suite)]
    return [row for suite in suites for row in run_row(case.version, suite)]


KIND = GateKind(
    kind="coverage",
    revision=2,
    summary="The candidate was evaluated: the latest runs of these suites are complete, and have "
    "these metrics and slices.",
    fields=(
        Field("suite", text("a suite"), "one suite that must have a complete latest run"),
        Field(
            "suites",
            texts_or(ANY, "suites"),
            "several suites, or `any` for at least one",
            stricter=Stricter.MORE,
        ),
        Field("task", text("a task"), "task of the metrics and slices", default="none"),
        Field(
            "metrics", texts("metrics"), "metrics that each run must have", stricter=Stricter.MORE
        ),
        Field(
            "slices",
            texts("slices"),
            "slices that each run must have, for every metric named",
            stricter=Stricter.MORE,
        ),
        MIN_N,
    ),
    evaluate=evaluate,
    evidence=evidence,
    cross_check=_cross_check,
    id_fields=("suite", "suites", "task", "metrics", "slices"),
    notes="A run that is absent, partial, failed or empty leaves it undecided; a complete run "
    "that lacks a metric or slice fails it. Revision 1 knew no `min_n`.",
)
KIND_1 = replace(KIND, revision=1)
