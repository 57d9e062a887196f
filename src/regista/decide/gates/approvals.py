"""`approvals`: enough people have said yes to this very placement, and it still stands.

A yes is bound to what was looked at: the version, the rules, the evidence of the other gates. The
counting is apart from the case, since a change of the policy is approved by the same rule.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from shlex import quote

from regista.decide.evidence import Bound, Case
from regista.decide.gates.field_types import (
    BOOLEAN,
    DURATION,
    Params,
    duration_of,
    groups,
    text,
    whole,
)
from regista.decide.gates.fields import Field, Stricter
from regista.decide.gates.findings import failed, listed, passed, plural, ref
from regista.decide.gates.kind import GateKind
from regista.decide.gates.reading import nothing
from regista.decide.heads import ApprovalHead
from regista.decide.people import is_member, members, person
from regista.decide.verdict import Finding
from regista.model.times import elapsed, format_duration

MAX_COUNT = 20
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one approvals gate counts.

    Attributes:
        given: the approvals on record of this placement.
        bound: what they must be bound to to count.
        author: who made what is approved; '' when nobody is on record.
        committer: who asks for it.
        time: recorded time of the decision.
        command: what gives an approval, but for its meaning.
        subject: what is approved, in words.
        evidence: what the digest of the evidence is of, in words.
        names_gates: whether a void approval says which gate's evidence changed.
    """

    given: Sequence[ApprovalHead]
    bound: Bound
    author: str
    committer: str
    time: str
    command: str
    subject: str
    evidence: str = "evidence"
    names_gates: bool = True


def evaluate(params: Params, case: Case) -> Finding:
    """Count the approvals of the candidate for the stage."""
    return count(params, ballot_of(case))


def evaluate_1(params: Params, case: Case) -> Finding:
    """Count as revision 1 did, which did not say which gate's evidence changed."""
    return count(params, replace(ballot_of(case), names_gates=False))


def ballot_of(case: Case) -> Ballot:
    """Return what is on record of a placement."""
    version = case.version
    return Ballot(
        tuple(item for item in version.approvals if item.stage == case.stage),
        case.bound or Bound("", "", ""),
        version.by,
        case.actor,
        case.time,
        f"regista approve {ref(case)} --to {case.stage}",
        f"version {version.version}",
    )


def count(params: Params, ballot: Ballot) -> Finding:
    """Count the distinct people whose approval stands."""
    wanted, required = params.get("count", 1), _required(params)
    good: dict[str, ApprovalHead] = {}
    against: dict[str, str] = {}
    for item in _of_meaning(params, ballot):
        why = objection(params, ballot, item)
        if why:
            against[person(item.by)] = why
        else:
            good[person(item.by)] = item
    names = [item.by for item in good.values()]
    observed = f"{len(good)} of {wanted}" + (f": {listed(names)}" if names else "")
    said = [f"{listed(names)} approved {ballot.subject}"] if names else []
    said += [why for key, why in against.items() if key not in good]
    reason = "; ".join(said) or f"nobody has approved {ballot.subject}"
    evidence = tuple(f"commit:{item.seq}" for item in good.values())
    if len(good) >= wanted:
        return passed(observed, required, reason, evidence)
    return failed(observed, required, reason, _remedy(params, ballot, set(good)), evidence)


def objection(params: Params, ballot: Ballot, item: ApprovalHead) -> str:
    """Return why an approval does not count, in one clause; '' when it does."""
    why = unfit(params, ballot, item.by)
    if not why and params.get("not_committer") and person(item.by) == person(ballot.committer):
        why = f"{item.by} asks for it and cannot approve it too"
    return why or _void(params, ballot, item)


def unfit(params: Params, ballot: Ballot, actor: str) -> str:
    """Return why a person's approval can never count, whoever asks; '' when it can."""
    names = params.get("from")
    if names and not is_member(ballot.bound.groups, names, actor):
        return f"{actor} is not in {' or '.join(names)}"
    if params.get("not_author") and person(actor) == person(ballot.author):
        return f"{actor} is the author and cannot approve"
    return ""


def stands(params: Params, ballot: Ballot, item: ApprovalHead) -> bool:
    """Say whether giving the approval again would change nothing for the gate."""
    meant = params.get("meaning") in {None, item.meaning}
    return not meant or not _void(params, ballot, item)


def _void(params: Params, ballot: Ballot, item: ApprovalHead) -> str:
    changed = ", ".join(_changes(ballot, item))
    if changed:
        return f"the approval by {item.by} is void, since {changed} changed"
    if item.until and ballot.time > item.until:
        return f"the approval by {item.by} ended at {item.until}"
    if "max_age" in params:
        age = elapsed(item.time, ballot.time)
        if age > duration_of(params, "max_age"):
            return f"the approval by {item.by} is {format_duration(age)} old"
    return ""


def _changes(ballot: Ballot, item: ApprovalHead) -> Iterator[str]:
    bound = ballot.bound
    if item.version_digest != bound.version:
        yield "the version"
    if item.rules_digest != bound.rules:
        yield "the rules"
    if item.evidence_digest != bound.evidence:
        named = _evidence_of_gates if ballot.names_gates else _newer_evidence
        yield f"the {ballot.evidence}{named(bound, item)}"


def _evidence_of_gates(bound: Bound, item: ApprovalHead) -> str:
    """Name the gates that read a newer commit; where there are none, those that may be meant."""
    newer: dict[str, list[str]] = {}
    for seq, gate, name in bound.read_by:
        if seq > item.seq:
            newer.setdefault(name, []).append(gate)
    if newer:
        found = [f"{listed(gates, _NAMED)} ({name})" for name, gates in newer.items()]
        return f" of {listed(found, _NAMED)}"
    return f" of {' or '.join(bound.timeless)}" if bound.timeless else ""


def _newer_evidence(bound: Bound, item: ApprovalHead) -> str:
    newer = dict.fromkeys(name for seq, name in bound.newest if seq > item.seq)
    return f" ({listed(list(newer), _NAMED)})" if newer else ""


def _of_meaning(params: Params, ballot: Ballot) -> list[ApprovalHead]:
    meaning = params.get("meaning")
    return [item for item in ballot.given if meaning in {None, item.meaning}]


def _required(params: Params) -> str:
    parts = [plural(params.get("count", 1), "approval")]
    if "from" in params:
        parts.append(f"by {' or '.join(params['from'])}")
    if "meaning" in params:
        parts.append(f"meaning {params['meaning']}")
    outside = [word for word in ("author", "committer") if params.get(f"not_{word}")]
    if outside:
        parts.append(f"not by the {' or the '.join(outside)}")
    if "max_age" in params:
        parts.append(f"at most {format_duration(duration_of(params, 'max_age'))} old")
    return ", ".join(parts)


def _remedy(params: Params, ballot: Ballot, good: set[str]) -> str:
    meaning = f" --meaning {quote(params['meaning'])}" if "meaning" in params else ""
    command = f"{ballot.command}{meaning}"
    missing = params.get("count", 1) - len(good)
    if "from" not in params:
        return f"{missing} more of those who may write: {command}"
    able = [
        name
        for name in members(ballot.bound.groups, params["from"])
        if person(name) not in good and not unfit(params, ballot, name)
    ]
    barred = [name for name in able if _asks(params, ballot, name)]
    able = [name for name in able if name not in barred]
    if len(able) >= missing:
        return f"{missing} more of {listed(able)}: {command}"
    if len(able) + len(barred) >= missing:
        return f"somebody but {listed(barred)} must ask for it; then {missing} more: {command}"
    named = " or ".join(params["from"])
    return f"{named} has too few people for it: add some to the policy, or lower count"


def _asks(params: Params, ballot: Ballot, name: str) -> bool:
    return bool(params.get("not_committer")) and person(name) == person(ballot.committer)


KIND = GateKind(
    kind="approvals",
    revision=2,
    summary="Enough people approved the candidate for this stage, and their approvals stand.",
    fields=(
        Field(
            "count",
            whole(1, MAX_COUNT),
            "how many people must approve",
            default="1",
            stricter=Stricter.HIGHER,
            assumed=1,
        ),
        Field(
            "from",
            groups("from"),
            "groups of the policy whose people count",
            default="everybody who may write",
            stricter=Stricter.FEWER,
        ),
        Field(
            "not_author",
            BOOLEAN,
            "whether who registered the version does not count",
            default="false",
            stricter=Stricter.TRUE,
            assumed=False,
        ),
        Field(
            "not_committer",
            BOOLEAN,
            "whether who asks for the promotion does not count",
            default="false",
            stricter=Stricter.TRUE,
            assumed=False,
        ),
        Field(
            "max_age",
            DURATION,
            "greatest age of an approval",
            default="none",
            stricter=Stricter.LOWER,
        ),
        Field(
            "meaning",
            text("a meaning"),
            "what an approval must say that it stands for, word by word",
            default="any",
        ),
    ),
    evaluate=evaluate,
    evidence=nothing,
    id_fields=("from", "meaning"),
    notes="""\
An approval is bound to the version's digest, the stage, the rules that match, and the evidence
that the other gates read. When one of these changes it is void, and the verdict says which, and of
which gates the evidence changed; revision 1 did not name these. See
[Approvals](#approvals-and-waivers).""",
)
KIND_1 = replace(KIND, revision=1, evaluate=evaluate_1)
