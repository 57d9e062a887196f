"""`soak`: the candidate has held another stage for long enough, without a break until now."""

from regista.decide.evidence import Case
from regista.decide.gates.field_types import DURATION, STAGE, Params, duration_of
from regista.decide.gates.fields import Field, Stricter
from regista.decide.gates.findings import failed, passed, ref
from regista.decide.gates.kind import GateKind
from regista.decide.gates.reading import Rows, slot_row
from regista.decide.verdict import Finding
from regista.model.times import elapsed, format_duration, format_time, parse_time


def evaluate(params: Params, case: Case) -> Finding:
    """Judge the current hold: from the placement that put it there to the decision."""
    stage, least = params["stage"], duration_of(params, "min")
    required = f"{format_duration(least)} in {stage}"
    slot = case.entry.slots.get(stage)
    if slot is None or slot.version != case.version.version:
        other = f"holds version {slot.version}" if slot and slot.version else "is empty"
        reason = f"version {case.version.version} does not hold {stage}, which {other}"
        remedy = f"regista promote {ref(case)} --to {stage}"
        return failed(f"not in {stage}", required, reason, remedy)
    held = elapsed(slot.time, case.time)
    observed, evidence = f"{format_duration(held)} in {stage}", (f"commit:{slot.seq}",)
    reason = f"version {case.version.version} has held {stage} for {format_duration(held)}"
    if held >= least:
        return passed(observed, required, reason, evidence)
    until = format_time(parse_time(slot.time) + least)
    remedy = f"wait until {until}, {format_duration(least - held)} more"
    return failed(observed, required, reason, remedy, evidence)


def evidence(params: Params, case: Case) -> Rows:
    """Return what the other stage holds, and since which commit; how long is the clock's."""
    return [slot_row(params["stage"], case.entry.slots.get(params["stage"]))]


KIND = GateKind(
    kind="soak",
    revision=1,
    summary="The candidate has held `stage` for at least `min`, without a break until now.",
    fields=(
        Field("stage", STAGE, "stage that the candidate must hold", required=True),
        Field("min", DURATION, "shortest hold allowed", required=True, stricter=Stricter.HIGHER),
    ),
    evaluate=evaluate,
    evidence=evidence,
    id_fields=("stage",),
)
