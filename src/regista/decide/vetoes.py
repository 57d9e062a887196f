"""What the answers of pre-hooks do to a plan.

A veto, or no answer where one was needed, refuses an operation that nothing else did.
"""

from collections.abc import Sequence

from regista.decide.operations.context import Json, Planned
from regista.decide.operations.placing import verdict_row
from regista.decide.prehooks import Answer, Said, Subject
from regista.decide.state import State
from regista.decide.verdict import Finding, Outcome, Verdict, VerdictStatus

READS = "hooks"
"""Where the answers stand among an operation's reads."""
KIND = "hook"
RECORDED_ON_REFUSAL = frozenset({"decisions", "verdicts"})
_REVISION = 1
_NO_RULE = -1
_OF_ROW = ("entry_id", "entry", "version", "stage")


def subject_of(state: State, args: Json, decision: Json, entry_id: str = "") -> Subject:
    """Return what an operation is about, as a state knows it.

    Args:
        state: before the operation, or any after it.
        args: the intent.
        decision: what was decided.
        entry_id: the entry's id, where it is known: a name may have changed since.
    """
    kind, digest = decision.get("kind", ""), decision.get("digest", "")
    named = (decision.get("name"), decision.get("from_name"), args.get("name"))
    found = (state.find_entry(name) for name in named if name)
    entry = state.entry_by_id(entry_id) if entry_id else next(filter(None, found), None)
    if entry is None:
        return Subject(kind, digest)
    number = decision.get("version")
    version = state.find_version(entry.entry_id, number) if number else None
    return Subject(entry.kind, digest or (version.digest if version else ""))


def with_answers(op: str, plan: Planned, answers: Sequence[Answer]) -> Planned:
    """Return the plan as the answers leave it: as it is, or a refusal that says who vetoed."""
    against = [answer for answer in answers if answer.refuses(op)]
    if not against:
        return plan
    decision: Json = {
        **plan.decision,
        "outcome": str(Outcome.REFUSED),
        "vetoes": [{"hook": answer.hook, "reason": answer.reason} for answer in against],
    }
    verdicts = list(map(_verdict, against))
    if "gates" in decision:
        decision["gates"] = [*decision["gates"], *(verdict.to_json() for verdict in verdicts)]
    rows = [row for row in plan.rows if row["table"] in RECORDED_ON_REFUSAL]
    for place, row in enumerate(rows):
        if row["table"] == "decisions":
            rows[place] = {**row, "outcome": str(Outcome.REFUSED)}
            common = {name: row.get(name) for name in _OF_ROW}
            rows += [verdict_row(common, verdict) for verdict in verdicts]
            break
    return Planned(decision, rows, refused=True)


def _verdict(answer: Answer) -> Verdict:
    vetoed = answer.said is Said.VETOED
    finding = Finding(
        VerdictStatus.FAILED if vetoed else VerdictStatus.UNDECIDABLE,
        "vetoed" if vetoed else "no answer",
        f"hook {answer.hook} allows it",
        answer.reason,
        "regista hooks list" if vetoed else f"regista hooks test {answer.hook}",
    )
    return Verdict(f"{KIND}:{answer.hook}", KIND, _REVISION, _NO_RULE, finding)
