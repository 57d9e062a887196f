"""`drill`: a rollback of the stage was rehearsed, with success, and not too long ago."""

from shlex import quote

from regista.decide.evidence import Case
from regista.decide.gates.field_types import DURATION, STAGE, Params, choice, duration_of
from regista.decide.gates.fields import CheckContext, Field, Problems, Stricter
from regista.decide.gates.findings import failed, passed, undecidable
from regista.decide.gates.kind import GateKind
from regista.decide.gates.reading import Rows
from regista.decide.heads import SlotHead
from regista.decide.policy_problem import problem
from regista.decide.state import rollback_candidates, unrestorable
from regista.decide.verdict import Finding
from regista.model.times import elapsed, format_duration


def evaluate(params: Params, case: Case) -> Finding:
    """Judge the latest drill of the stage; without a rollback target there is none to judge."""
    stage = params.get("stage", case.stage)
    max_age = duration_of(params, "max_age")
    required = f"a good drill of {stage}, at most {format_duration(max_age)} old"
    remedy = f"regista drill {quote(case.entry.name)} --stage {stage}"
    slot = case.slot(stage)
    if not _has_target(case, stage, slot):
        reason = f"no rollback target yet: nothing can be restored to {stage}"
        if params.get("when_absent", "pass") == "pass":
            return passed("no rollback target", required, reason)
        # a drill needs a target too, so only the policy can open this
        remedy = "set when_absent: pass in the gate, until there is a version to go back to"
        return failed("no rollback target", required, reason, remedy)
    drill = slot.drill
    if drill is None:
        reason = f"a rollback of {stage} was never rehearsed"
        return undecidable("no drill", required, reason, remedy)
    age = elapsed(drill.time, case.time)
    evidence = (f"commit:{drill.seq}",)
    observed = f"{'good' if drill.ok else 'failed'}, {format_duration(age)} old"
    reason = f"the latest drill of {stage} was {format_duration(age)} before the decision"
    if not drill.ok:
        reason += f" and failed{': ' + drill.detail if drill.detail else ''}"
    good = drill.ok and age <= max_age
    if good:
        return passed(observed, required, reason, evidence)
    return failed(observed, required, reason, remedy, evidence)


def _has_target(case: Case, stage: str, slot: SlotHead) -> bool:
    for number in rollback_candidates(case.entry, stage, slot):
        version = case.version_of(number)
        if version is not None and not unrestorable(version):
            return True
    return False


def _cross_check(params: Params, context: CheckContext) -> Problems:
    if "stage" not in params and context.target not in context.stages:
        return problem("an alias cannot be drilled", "say which stage: stage: prod")
    return []


def evidence(params: Params, case: Case) -> Rows:
    """Return the latest drill of the stage, and whether there is anything to go back to."""
    stage = params.get("stage", case.stage)
    slot = case.slot(stage)
    seen = (slot.drill.seq, slot.drill.ok) if slot.drill else (None, None)
    target = _has_target(case, stage, slot)
    return [{"drill": stage, "target": target, "seq": seen[0], "ok": seen[1]}]


KIND = GateKind(
    kind="drill",
    revision=1,
    summary="The latest drill of `stage` succeeded and is not older than `max_age`.",
    fields=(
        Field("stage", STAGE, "stage whose rollback was rehearsed", default="the stage asked for"),
        Field(
            "max_age", DURATION, "greatest age of the drill", required=True, stricter=Stricter.LOWER
        ),
        Field(
            "when_absent",
            choice("pass", "fail"),
            "what to say while the stage has no rollback target",
            default="pass",
            stricter=("pass", "fail"),
            assumed="pass",
        ),
    ),
    evaluate=evaluate,
    evidence=evidence,
    cross_check=_cross_check,
    id_fields=("stage",),
)
