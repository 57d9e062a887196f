"""`evaluator`: somebody else than the author of a version logged the run that counts."""

from collections.abc import Callable
from dataclasses import replace

from regista.decide.evidence import Case
from regista.decide.gates.field_types import BOOLEAN, Params, text
from regista.decide.gates.fields import CheckContext, Field, Problems
from regista.decide.gates.findings import eval_log, failed, passed
from regista.decide.gates.kind import GateKind
from regista.decide.gates.reading import Rows, run_row
from regista.decide.gates.runs import Missing, evidence_of, latest_head
from regista.decide.people import person
from regista.decide.policy_problem import problem
from regista.decide.verdict import Finding


def evaluate(params: Params, case: Case) -> Finding:
    """Judge by the actors on record: of the latest run's commit, and of the registration."""
    return _evaluate(params, case, person)


def evaluate_1(params: Params, case: Case) -> Finding:
    """Judge as revision 1 did, to which `Ann` was not `ann`."""
    return _evaluate(params, case, str)


def _evaluate(params: Params, case: Case, who: Callable[[str], str]) -> Finding:
    suite, author = params["suite"], case.version.by
    required = "not the author"
    run = latest_head(case, case.version, suite)
    if isinstance(run, Missing):
        return run.finding(required)
    evidence = (evidence_of(run), f"commit:{case.version.seq}")
    number = case.version.version
    if who(run.by) != who(author):
        reason = f"{run.by} logged the run of {suite}; {author} registered version {number}"
        return passed(run.by, required, reason, evidence)
    reason = f"{author} registered version {number} and logged its latest run of {suite}"
    remedy = f"let somebody else run it: {eval_log(case, case.version, suite)} --actor WHO"
    return failed(run.by, required, reason, remedy, evidence)


def evidence(params: Params, case: Case) -> Rows:
    """Return the latest run of the suite, which names who logged it, and the author."""
    return [*run_row(case.version, params["suite"]), {"author": case.version.by}]


def _cross_check(params: Params, _context: CheckContext) -> Problems:
    if params["not_author"]:
        return []
    return problem("not_author: false asks for nothing", "write not_author: true, or drop the gate")


KIND = GateKind(
    kind="evaluator",
    revision=2,
    summary="Whoever logged the latest run of a suite is not who registered the version.",
    fields=(
        Field("suite", text("a suite"), "eval suite whose latest run counts", required=True),
        Field("not_author", BOOLEAN, "must be true", required=True),
    ),
    evaluate=evaluate,
    evidence=evidence,
    cross_check=_cross_check,
    id_fields=("suite",),
    notes="Actors are taken as recorded: `--actor`, the CI system's or git's identity. They are "
    "compared without regard to case; revision 1 compared them letter by letter.",
)
KIND_1 = replace(KIND, revision=1, evaluate=evaluate_1)
