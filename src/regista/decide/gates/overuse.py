"""`overuse`: one holdout has not been looked at too often on the way to this candidate.

Whoever tries versions on the same examples until one passes has fitted it to them: the more runs,
the less a good score says (Dwork et al. (2015), "The reusable holdout: Preserving validity in
adaptive data analysis", Science 349(6248), 636-638).
"""

from collections.abc import Callable
from dataclasses import replace

from regista.decide.evidence import Case
from regista.decide.gates.field_types import Params, choice, text, whole
from regista.decide.gates.fields import Field, Stricter
from regista.decide.gates.findings import clip, eval_log, failed, passed, plural, undecidable
from regista.decide.gates.kind import GateKind
from regista.decide.gates.reading import Rows, run_row
from regista.decide.gates.runs import Missing, evidence_of, latest_head
from regista.decide.heads import RunHead
from regista.decide.verdict import Finding

ENTRY, VERSION = "entry", "version"
_LIMITS = {"timeout_s": 60, "memory_mb": 256}


def evaluate(params: Params, case: Case) -> Finding:
    """Count the runs, of whatever suite, on the dataset of the candidate's latest run of one."""
    return _evaluate(params, case, _counted)


def evaluate_1(params: Params, case: Case) -> Finding:
    """Count as revision 1 did, which asked as an SQL gate does."""
    return _evaluate(params, case, _queried)


def _evaluate(
    params: Params, case: Case, count_of: Callable[[Case, RunHead, str], int | str]
) -> Finding:
    suite, most = params["suite"], params["max_evaluations"]
    per = params.get("per", ENTRY)
    required = f"at most {plural(most, 'run')} per {per}"
    run = latest_head(case, case.version, suite)
    if isinstance(run, Missing):
        return run.finding(required)
    evidence = (evidence_of(run),)
    remedy = f"{eval_log(case, case.version, suite)} --dataset NAME@V"
    if not run.dataset and not run.dataset_digest:
        reason = f"the latest run of {suite} has no dataset recorded, so its uses cannot be counted"
        return undecidable("no dataset", required, reason, remedy, evidence)
    count = count_of(case, run, per)
    if isinstance(count, str):
        reason = f"the runs cannot be counted: {clip(count)}"
        return undecidable("no answer", required, reason, "regista verify", evidence)
    whose = f"version {case.version.version}" if per == VERSION else case.entry.name
    reason = f"{whose} was evaluated {count} times on {run.dataset or 'this dataset'}"
    observed = plural(count, "run")
    if count <= most:
        return passed(observed, required, reason, evidence)
    remedy = f"evaluate on fresh examples: {remedy}"
    return failed(observed, required, reason, remedy, evidence)


def evidence(params: Params, case: Case) -> Rows:
    """Return the latest run of the suite; how many there are is counted at each decision anew."""
    return run_row(case.version, params["suite"])


def _counted(case: Case, run: RunHead, per: str) -> int:
    column, value = _dataset(run)
    own = {"version": case.version.version} if per == VERSION else {}
    return case.count_runs(**{column: value}, **own)


def _queried(case: Case, run: RunHead, per: str) -> int | str:
    """Return the number, or what was wrong with the query."""
    column, value = _dataset(run)
    own = " AND version = $version" if per == VERSION else ""
    query = f"SELECT count(*) AS runs FROM eval_runs WHERE {column} = {_quoted(value)}{own}"
    answer = case.query(query, _LIMITS, pending=True)
    return str(answer["error"]) if "error" in answer else int(answer["rows"][0][0])


def _dataset(run: RunHead) -> tuple[str, str]:
    """Return the column that tells a run's dataset: a text may name one in two ways."""
    if run.dataset_digest:
        return "dataset_digest", run.dataset_digest
    return "dataset", run.dataset


def _quoted(text_: str) -> str:
    return "'" + text_.replace("'", "''") + "'"


KIND = GateKind(
    kind="overuse",
    revision=2,
    summary="A holdout was not used too often: so many eval runs on one dataset at most.",
    fields=(
        Field("suite", text("a suite"), "eval suite whose dataset is the holdout", required=True),
        Field(
            "max_evaluations",
            whole(1, 1_000_000),
            "most runs allowed, the latest one counted",
            required=True,
            stricter=Stricter.LOWER,
        ),
        Field(
            "per",
            choice(ENTRY, VERSION),
            "whether runs of all versions of the entry count, or of the candidate alone",
            default="entry",
            stricter=(VERSION, ENTRY),
            assumed=ENTRY,
        ),
    ),
    evaluate=evaluate,
    evidence=evidence,
    id_fields=("suite",),
    notes="The dataset is that of the candidate's latest run: by its digest, else by its text. "
    "Runs of any suite and status count, since each has looked at the examples; so do those before "
    "in the same transaction.",
)
KIND_1 = replace(KIND, revision=1, evaluate=evaluate_1)
