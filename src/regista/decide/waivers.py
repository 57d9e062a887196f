"""Waivers: when an exception to a gate holds, and what the gate's finding becomes then.

A waiver holds while the policy in force would still let the same person give it: it is asked
again at every decision who may waive the gate, and for how long.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from shlex import quote

from regista.decide.evidence import Case
from regista.decide.gates.findings import clip, listed, ref
from regista.decide.heads import WaiverHead
from regista.decide.people import Groups, is_member
from regista.decide.places import Place
from regista.decide.policy import Gate
from regista.decide.verdict import Finding, VerdictStatus
from regista.model.times import elapsed, format_duration, format_time, parse_duration, parse_time

REFUSING = frozenset({VerdictStatus.FAILED, VerdictStatus.UNDECIDABLE})


def waived(place: Place, finding: Finding, case: Case, groups: Groups) -> Finding:
    """Return what a finding comes to with the waiver of its gate, if there is one.

    A gate that passes needs none. One that refuses says how it could be waived, where it can.
    """
    gate = place.gate
    if finding.status not in REFUSING or gate is None:
        return finding
    waiver = waiver_of(case, place.id)
    why = objection(gate, waiver, case.time, groups) if waiver else ""
    if waiver and not why:
        return _excepted(finding, waiver)
    reason = f"{finding.reason}; {why}" if why else finding.reason
    return replace(finding, reason=reason, remedy=_remedy(place, gate, finding.remedy, case))


def waiver_of(case: Case, gate_id: str) -> WaiverHead | None:
    """Return the waiver on record of a gate of the placement."""
    about = (case.stage, gate_id)
    found = (item for item in case.version.waivers if (item.stage, item.gate) == about)
    return next(found, None)


def objection(gate: Gate, waiver: WaiverHead, time: str, groups: Groups) -> str:
    """Return why a waiver does not hold at a time, in one clause; '' when it does."""
    if time > waiver.until:
        return f"the waiver by {waiver.by} ended at {waiver.until}"
    if gate.waivable is None:
        return f"the waiver by {waiver.by} is void: the policy lets nobody waive this gate"
    if not is_member(groups, gate.waivable.by, waiver.by):
        asked = " or ".join(gate.waivable.by)
        return f"the waiver by {waiver.by} is void: {waiver.by} is not in {asked}"
    if elapsed(waiver.time, waiver.until) > parse_duration(gate.waivable.max):
        longest = format_duration(parse_duration(gate.waivable.max))
        return f"the waiver by {waiver.by} is void: it lasts longer than {longest}"
    return ""


def latest_end(gate: Gate, time: str) -> str:
    """Return the latest end, to the second, of a waiver that is given at a time; '' for none."""
    if gate.waivable is None:
        return ""
    end = _shifted(parse_time(time), parse_duration(gate.waivable.max))
    return format_time(end.replace(microsecond=0))


def _shifted(moment: datetime, longest: timedelta) -> datetime:
    try:
        return moment + longest
    except OverflowError:
        return datetime.max.replace(tzinfo=moment.tzinfo)


def _excepted(finding: Finding, waiver: WaiverHead) -> Finding:
    said = f"waived by {waiver.by} until {waiver.until}: {clip(waiver.reason)}"
    return replace(
        finding,
        status=VerdictStatus.WAIVED,
        reason=f"{said}; it is {finding.status}: {finding.reason}",
        evidence=(*finding.evidence, f"commit:{waiver.seq}"),
    )


def _remedy(place: Place, gate: Gate, remedy: str, case: Case) -> str:
    if gate.waivable is None:
        return remedy
    until = latest_end(gate, case.time).replace(".000000", "")
    where = f"{quote(place.id)} {ref(case)} --to {case.stage}"
    command = f"regista waive {where} --reason WHY --until {until}"
    return f"{remedy}; or, by one of {listed(list(gate.waivable.by))}: {command}"
