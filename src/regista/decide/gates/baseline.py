"""`baseline`: the candidate is no worse than another version of its entry, on the same data.

Which scores stand against which is `pairing.py`, how two are compared is `comparing.py`. Here
the other version is found, and many comparisons become one finding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from regista.decide.evidence import Case
from regista.decide.gates.comparing import (
    MCNEMAR,
    NO_TEST,
    PAIRED,
    PAIRED_BOOTSTRAP,
    PAIRED_T,
    REQUIRED,
    STDERR,
    Comparison,
    Terms,
    percent,
)
from regista.decide.gates.field_types import (
    BOOLEAN,
    CONFIDENCE,
    NOT_NEGATIVE,
    SHARE,
    STAGE_OR_VERSION,
    Params,
    choice,
    decimal_of,
    text,
    texts_or,
    whole,
)
from regista.decide.gates.fields import CheckContext, Field, Problems, Stricter, exclusive
from regista.decide.gates.findings import (
    failed,
    holder,
    listed,
    number,
    passed,
    ref,
    undecidable,
)
from regista.decide.gates.kind import GateKind
from regista.decide.gates.pairing import EVERY, pair_up
from regista.decide.gates.reading import Rows, run_rows
from regista.decide.gates.runs import Missing
from regista.decide.gates.testing import compare_all
from regista.decide.heads import VersionHead
from regista.decide.policy_problem import problem
from regista.decide.statistics.correcting import CORRECTIONS
from regista.decide.verdict import Finding, VerdictStatus

MOST_RESAMPLED = Decimal("0.999")


@dataclass(frozen=True, slots=True)
class _Opponent:
    """The version that the candidate is compared with, and how sentences name it."""

    version: VersionHead
    name: str


def evaluate(params: Params, case: Case) -> Finding:
    """Judge the candidate's latest runs against those of the incumbent or of a fixed version."""
    terms = Terms.of(params)
    opponent = _opponent(params, case, _required(terms, "the incumbent"))
    if isinstance(opponent, Finding):
        return opponent
    pairing = pair_up(case, opponent.version, params)
    found = compare_all(pairing.pairs, terms)
    found += [_gap(name, missing, terms, opponent) for name, missing in pairing.gaps]
    notes = list(dict.fromkeys([*pairing.notes, *(item.note for item in found if item.note)]))
    return _finding(case, terms, opponent, found, (notes, pairing.evidence))


def evidence(params: Params, case: Case) -> Rows:
    """Return who the other version is, and the latest runs of both that are compared."""
    against = params.get("against", case.stage)
    number = against["version"] if isinstance(against, dict) else holder(case, against)
    other = None if number is None else case.version_of(number)
    rows: Rows = [
        {"against": against, "version": number, "digest": other.digest if other else None}
    ]
    if other is None or number == case.version.version:
        return rows
    suite, metric = params["suite"], params["metric"]
    for name in sorted(other.runs) if suite == EVERY else [suite]:
        for version in (case.version, other):
            rows += run_rows(case, version, name, None if metric == EVERY else metric)
    return rows


def _opponent(params: Params, case: Case, required: str) -> _Opponent | Finding:
    against = params.get("against", case.stage)
    if isinstance(against, dict):
        wanted, name = against["version"], f"version {against['version']}"
    else:
        wanted = holder(case, against)
        if wanted is None:
            return _no_incumbent(params, against, required)
        name = f"version {wanted} in {against}"
    if wanted == case.version.version:
        return passed("itself", required, f"{name} is the candidate itself")
    version = case.version_of(wanted)
    if version is None:
        reason = f"{name} does not exist, so there is nothing to compare with"
        remedy = "name an existing version in the gate's against"
        return undecidable("no such version", required, reason, remedy)
    return _Opponent(version, name)


def _no_incumbent(params: Params, stage: str, required: str) -> Finding:
    reason = f"no incumbent: {stage} holds nothing to compare with"
    if params.get("when_absent", "pass") == "pass":
        return passed("no incumbent", required, reason)
    remedy = "set when_absent: pass in the gate, or name a version in its against"
    return failed("no incumbent", required, reason, remedy)


def _gap(name: str, missing: Missing, terms: Terms, opponent: _Opponent) -> Comparison:
    return Comparison(
        name,
        VerdictStatus.UNDECIDABLE,
        missing.observed,
        _required(terms, opponent.name),
        missing.reason,
        missing.remedy,
    )


def _finding(
    case: Case,
    terms: Terms,
    opponent: _Opponent,
    found: Sequence[Comparison],
    support: tuple[list[str], list[str]],
) -> Finding:
    notes, evidence = support
    tail = f" ({'; '.join(notes)})" if notes else ""
    bad = [item for item in found if item.status == VerdictStatus.FAILED]
    open_ = [item for item in found if item.status == VerdictStatus.UNDECIDABLE]
    shown = _worst(bad or open_ or found)
    many = len(found) > 1
    observed = f"{shown.name}: {shown.observed}, worst of {len(found)}" if many else shown.observed
    required = _required(terms, opponent.name) if many else shown.required
    if bad:
        reason = f"against {opponent.name}, {_reasons(bad)}{_tolerated(terms)}"
        reason += f"; {len(open_)} more cannot be compared" if open_ else ""
        diff = f"regista diff {ref(case, opponent.version)} {ref(case)}"
        remedy = f"register a better version; {diff} shows the two"
        return failed(observed, required, reason + tail, remedy, evidence)
    if open_:
        remedy = listed(list(dict.fromkeys(item.remedy for item in open_)))
        return undecidable(observed, required, _reasons(open_) + tail, remedy, evidence)
    said = f"all {len(found)} scores hold" if many else f"{shown.reason}{_tolerated(terms)}"
    return passed(observed, required, f"against {opponent.name}, {said}{tail}", evidence)


def _worst(items: Sequence[Comparison]) -> Comparison:
    return min(items, key=lambda item: (item.gain is not None, item.gain or 0))


def _reasons(items: Sequence[Comparison]) -> str:
    return listed(list(dict.fromkeys(item.reason for item in items)))


def _tolerated(terms: Terms) -> str:
    if terms.superiority:
        return ", and it must be better"
    return f", and {number(terms.margin)} worse is tolerated" if terms.margin else ""


def _required(terms: Terms, opponent: str) -> str:
    if terms.superiority:
        asked = f"better than {opponent}"
    elif terms.margin:
        asked = f"at most {number(terms.margin)} worse than {opponent}"
    else:
        asked = f"not worse than {opponent}"
    return f"{asked}, {percent(terms.confidence)} sure" if terms.tested else asked


def _cross_check(params: Params, _context: CheckContext) -> Problems:
    problems = exclusive(params, "slice", "slices")
    if params.get("superiority") and "max_regression" in params:
        problems += problem("superiority leaves no room for max_regression", "keep one of them")
    test = params.get("test", NO_TEST)
    needing = [name for name in ("confidence", "correction") if name in params]
    if needing and test == NO_TEST:
        hint = f"add test: stderr, or leave {needing[0]} out"
        problems += problem(f"{needing[0]} needs a test", hint)
    if "max_unpaired" in params and test not in PAIRED:
        problems += problem("max_unpaired needs a paired test", f"add test: {PAIRED_BOOTSTRAP}")
    if test == PAIRED_BOOTSTRAP and decimal_of(params, "confidence", "0.95") > MOST_RESAMPLED:
        hint = f"use test: {PAIRED_T}, or a confidence up to {MOST_RESAMPLED}"
        problems += problem("a bootstrap cannot be that sure", hint)
    if test == MCNEMAR and decimal_of(params, "max_regression") >= 1:
        problems += problem("max_regression is a difference of shares", "write 0.01 for 1 %")
    return problems


KIND = GateKind(
    kind="baseline",
    revision=2,
    summary="The candidate's scores are no worse than those of another version, on the same data.",
    fields=(
        Field(
            "suite",
            text("a suite"),
            "eval suite; `*` for every suite of the other version",
            required=True,
        ),
        Field(
            "metric",
            text("a metric"),
            "metric; `*` for every metric of the other version",
            required=True,
        ),
        Field(
            "task",
            text("a task"),
            "task within the suite",
            default="none; every task when `metric` is `*`",
        ),
        Field(
            "against",
            STAGE_OR_VERSION,
            "whom to compare with: what a stage holds, or a version",
            default="the stage asked for",
        ),
        Field(
            "max_regression",
            NOT_NEGATIVE,
            "how much worse is tolerated, absolute",
            default="0",
            stricter=Stricter.LOWER,
            assumed="0",
        ),
        Field(
            "direction",
            choice("higher", "lower", REQUIRED),
            "which way is better; `required` leaves it to the scores, one of which must say it",
            default="as recorded with the score, else higher",
        ),
        Field(
            "test",
            choice(NO_TEST, STDERR, *PAIRED),
            "plain tolerance, a z test on standard errors, or a test on paired examples",
            default="none",
            stricter=(NO_TEST,),
            assumed=NO_TEST,
        ),
        Field(
            "superiority",
            BOOLEAN,
            "whether the candidate must be better",
            default="false",
            stricter=Stricter.TRUE,
            assumed=False,
        ),
        Field(
            "confidence",
            CONFIDENCE,
            "one-sided confidence of the test",
            default="0.95",
            stricter=Stricter.HIGHER,
            assumed="0.95",
        ),
        Field(
            "correction",
            choice(*CORRECTIONS),
            "how several tests in the gate share the error; none is needed for the gate's own",
            default="none",
        ),
        Field(
            "min_n",
            whole(1, 10**12),
            "examples that must be behind both scores, or be paired",
            default="1; 20 for a bootstrap or t test",
            stricter=Stricter.HIGHER,
        ),
        Field(
            "max_unpaired",
            SHARE,
            "share of the examples that may be in one run alone",
            default="0",
            stricter=Stricter.LOWER,
            assumed="0",
        ),
        Field("slice", text("a slice"), "one slice of the data", default="all of the data"),
        Field(
            "slices",
            texts_or("all", "slices"),
            "several slices, each compared",
            stricter=Stricter.MORE,
        ),
        Field(
            "when_absent",
            choice("pass", "fail"),
            "what to say while the stage is empty",
            default="pass",
            stricter=("pass", "fail"),
            assumed="pass",
        ),
    ),
    evaluate=evaluate,
    evidence=evidence,
    cross_check=_cross_check,
    id_fields=("suite", "task", "metric", "slice", "slices"),
    notes="""\
Both latest runs must be on the same dataset: the same digest or, where neither has one, the same
text. Where neither run has a dataset recorded they are compared, and the reason says so. Anything
else is undecided. `slices: all` means every slice that the other version's run has; one that the
candidate lacks is undecided.

A test asks that the gain is surely not below `-max_regression`, or surely above 0 with
`superiority`, at the one-sided `confidence`. Where the gain itself is enough but could be chance,
the verdict is undecided and says about how many examples it would take.

- `stderr`: a z test on the standard errors of the two scores, as of independent runs.
- `paired_bootstrap`, `paired_t`: on the differences per example, of any values.
- `mcnemar`: on examples that are right or wrong: values 0 and 1, else `passed`.

The three paired tests read the per-example results of both latest runs; the gate fails to decide
where one has none, or where an example is in one run alone. [Statistics](statistics.md) has the
formulas, what each assumes, and how often each is wrong. Revision 1 knew `none` and `stderr`.""",
)
KIND_1 = replace(KIND, revision=1)
