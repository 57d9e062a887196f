"""`threshold`: a score of the candidate lies within fixed bounds. Compared in decimals."""

from dataclasses import dataclass, replace
from decimal import Decimal

from regista.decide.evidence import Case, Score
from regista.decide.gates.field_types import BOOLEAN, DECIMAL, Params, decimal_of, text, texts_or
from regista.decide.gates.fields import (
    CheckContext,
    Field,
    Problems,
    Stricter,
    exclusive,
    one_needed,
)
from regista.decide.gates.findings import EXACT, failed, listed, number, passed, ref
from regista.decide.gates.kind import GateKind
from regista.decide.gates.reading import Rows, run_rows
from regista.decide.gates.runs import (
    MIN_N,
    Missing,
    evidence_of,
    in_slice,
    latest_run,
    selected,
    slices_of,
    title,
    too_few,
)
from regista.decide.policy_problem import problem
from regista.decide.verdict import Finding


@dataclass(frozen=True, slots=True)
class _Bounds:
    low: Decimal | None
    high: Decimal | None
    strict: bool

    def miss(self, score: Score) -> Decimal:
        """How far a score lies outside; negative within, zero on a bound."""
        distances = []
        if self.low is not None:
            distances.append(EXACT.subtract(self.low, score.value))
        if self.high is not None:
            distances.append(EXACT.subtract(score.value, self.high))
        return max(distances)

    def allow(self, score: Score) -> bool:
        miss = self.miss(score)
        return miss < 0 if self.strict else miss <= 0

    def __str__(self) -> str:
        equal = "" if self.strict else "="
        low = [f">{equal} {number(self.low)}"] if self.low is not None else []
        high = [f"<{equal} {number(self.high)}"] if self.high is not None else []
        return " and ".join(low + high)


def evaluate(params: Params, case: Case) -> Finding:
    """Judge the latest run of the suite: every score asked for must lie within the bounds."""
    bounds = _bounds(params)
    suite, task, metric = params["suite"], params.get("task", ""), params["metric"]
    slices = slices_of(params)
    required = f"{bounds}{_scope(slices)}"
    run = latest_run(case, case.version, suite)
    if isinstance(run, Missing):
        return run.finding(required)
    scores = selected(case, run, task, metric, slices)
    if isinstance(scores, Missing):
        return scores.finding(required)
    evidence = (evidence_of(run.head),)
    few = too_few(case, run, scores, params.get("min_n", 0))
    if few is not None:
        return few.finding(required)
    name = title(suite, task, metric)
    worst = max(scores, key=bounds.miss)
    observed = _observed(worst, len(scores))
    missed = sorted((s for s in scores if not bounds.allow(s)), key=bounds.miss, reverse=True)
    if not missed:
        return passed(observed, required, f"{name} is {observed}, as asked", evidence)
    many = listed([f"{number(score.value)}{in_slice(score.slice)}" for score in missed])
    remedy = f"register a better version; regista show {ref(case)} has this one's scores"
    return failed(observed, required, f"{name} is {many}, not {bounds}", remedy, evidence)


def evidence(params: Params, case: Case) -> Rows:
    """Return the latest run of the suite, with the scores of the metric."""
    return run_rows(case, case.version, params["suite"], params["metric"])


def _bounds(params: Params) -> _Bounds:
    def bound(name: str) -> Decimal | None:
        return decimal_of(params, name) if name in params else None

    return _Bounds(bound("min"), bound("max"), params.get("strict", False))


def _scope(slices: object) -> str:
    match slices:
        case "all":
            return " in every slice"
        case (one,):
            return in_slice(str(one))
        case _:
            return " in the slices named"


def _observed(worst: Score, count: int) -> str:
    shown = f"{number(worst.value)}{in_slice(worst.slice)}"
    return shown if count == 1 else f"{shown}, worst of {count}"


def _cross_check(params: Params, _context: CheckContext) -> Problems:
    problems = one_needed(params, "min", "max") + exclusive(params, "slice", "slices")
    bounds = _bounds(params)
    if bounds.low is None or bounds.high is None:
        return problems
    if bounds.low > bounds.high or (bounds.strict and bounds.low == bounds.high):
        problems += problem("no score lies between min and max", "exchange them")
    return problems


KIND = GateKind(
    kind="threshold",
    revision=2,
    summary="A score of the candidate is at least `min` and at most `max`.",
    fields=(
        Field("suite", text("a suite"), "eval suite whose latest run counts", required=True),
        Field("metric", text("a metric"), "metric to look at", required=True),
        Field("task", text("a task"), "task within the suite", default="none"),
        Field("slice", text("a slice"), "one slice of the data", default="all of the data"),
        Field(
            "slices",
            texts_or("all", "slices"),
            "several slices, each within the bounds",
            stricter=Stricter.MORE,
        ),
        Field("min", DECIMAL, "least value allowed", stricter=Stricter.HIGHER),
        Field("max", DECIMAL, "greatest value allowed", stricter=Stricter.LOWER),
        Field(
            "strict",
            BOOLEAN,
            "whether the bounds themselves do not pass",
            default="false",
            stricter=Stricter.TRUE,
            assumed=False,
        ),
        MIN_N,
    ),
    evaluate=evaluate,
    evidence=evidence,
    cross_check=_cross_check,
    id_fields=("suite", "task", "metric", "slice", "slices"),
    notes="At least one of `min` and `max` is needed. `slices: all` means every slice that the "
    "run has, and all of the data, so the worst slice decides; a run without slices leaves it "
    "undecided. Revision 1 knew no `min_n`.",
)
KIND_1 = replace(KIND, revision=1)
