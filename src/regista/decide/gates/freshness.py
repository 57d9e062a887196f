"""`freshness`: the latest run of a suite is young enough at the time of the decision."""

from regista.decide.evidence import Case
from regista.decide.gates.field_types import DURATION, Params, duration_of, text
from regista.decide.gates.fields import Field, Stricter
from regista.decide.gates.findings import eval_log, failed, passed
from regista.decide.gates.kind import GateKind
from regista.decide.gates.reading import Rows, run_row
from regista.decide.gates.runs import Missing, evidence_of, latest_head
from regista.decide.verdict import Finding
from regista.model.times import elapsed, format_duration


def evaluate(params: Params, case: Case) -> Finding:
    """Judge the age of the latest run by recorded times, so that a replay answers the same."""
    suite, max_age = params["suite"], duration_of(params, "max_age")
    required = f"at most {format_duration(max_age)} old"
    run = latest_head(case, case.version, suite)
    if isinstance(run, Missing):
        return run.finding(required)
    age = elapsed(run.time, case.time)
    observed, evidence = f"{format_duration(age)} old", (evidence_of(run),)
    reason = f"the latest run of {suite} was logged {format_duration(age)} before the decision"
    if age <= max_age:
        return passed(observed, required, reason, evidence)
    remedy = eval_log(case, case.version, suite)
    return failed(observed, required, reason, remedy, evidence)


def evidence(params: Params, case: Case) -> Rows:
    """Return the latest run of the suite; its age is the clock's."""
    return run_row(case.version, params["suite"])


KIND = GateKind(
    kind="freshness",
    revision=1,
    summary="The latest run of a suite is not older than `max_age` when the decision is made.",
    fields=(
        Field("suite", text("a suite"), "eval suite whose latest run counts", required=True),
        Field("max_age", DURATION, "greatest age allowed", required=True, stricter=Stricter.LOWER),
    ),
    evaluate=evaluate,
    evidence=evidence,
    id_fields=("suite",),
)
