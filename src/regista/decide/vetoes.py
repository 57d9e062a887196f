"""Pre-hooks in a decision: what they are asked, and what their answers do to a plan.

Which hooks there are is configured outside the log, so their answers are facts from outside: they
stand among an operation's `reads`, and a replay hands the same ones back. What follows from them
is decided here. Who asks, and how, is not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

from regista.decide.operations.context import Json, Planned
from regista.decide.operations.placing import verdict_row
from regista.decide.state import State
from regista.decide.verdict import Finding, Outcome, Verdict, VerdictStatus
from regista.model import canonical

READS = "hooks"
"""Where the answers stand among an operation's reads."""
WAY_BACK = frozenset({"rollback", "demote"})
"""What is never refused because something does not work: a hook, or a clock."""
KIND = "hook"
RECORDED_ON_REFUSAL = frozenset({"decisions", "verdicts"})
_REVISION = 1
_NO_RULE = -1
# what is new in every plan, though it comes to the same
_PASSING = frozenset({"entry_id", "run_id"})
# a version is registered by its content, whichever number is free by then
_PASSING_OF = {"register": frozenset({"version"})}
# what a verdict says in words, such as an age in minutes
_WORDS = frozenset({"observed", "required", "reason", "remedy"})
_OF_ROW = ("entry_id", "entry", "version", "stage")


class Said(StrEnum):
    """What a hook answered. FAILED: nothing that could be understood, or nothing at all."""

    ALLOWED = "allowed"
    VETOED = "vetoed"
    FAILED = "failed"


class OnError(StrEnum):
    """What follows when a hook does not answer."""

    REFUSE = "refuse"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Answer:
    """A pre-hook's answer, as it is recorded.

    Attributes:
        hook: id of the hook.
        said: what it answered.
        reason: why, on one line.
        on_error: what was configured for when it does not answer.
    """

    hook: str
    said: Said
    reason: str
    on_error: OnError

    def refuses(self, op: str) -> bool:
        """Say whether the answer refuses an operation."""
        match self.said:
            case Said.ALLOWED:
                return False
            case Said.VETOED:
                return True
            case Said.FAILED:
                return self.on_error is OnError.REFUSE and op not in WAY_BACK

    def to_json(self) -> Json:
        """Return the answer as a JSON object."""
        return {
            "hook": self.hook,
            "said": str(self.said),
            "reason": self.reason,
            "on_error": str(self.on_error),
        }

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read what `to_json` wrote."""
        return cls(value["hook"], Said(value["said"]), value["reason"], OnError(value["on_error"]))


@dataclass(frozen=True, slots=True)
class Subject:
    """What an operation is about, as far as it is there: the entry's kind, the version's digest."""

    kind: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What pre-hooks are asked: may this operation, which nothing else refuses, go on?

    Attributes:
        op: the operation.
        args: the intent.
        actor: who asks.
        decision: what it comes to on the state looked at.
        subject: what it is about.
        time: recorded time that the commit would have.
        after: number of the commit that the state follows.
    """

    op: str
    args: Json
    actor: str
    decision: Json
    subject: Subject
    time: str
    after: int

    @property
    def identity(self) -> str:
        """What an answer holds for: as long as a plan comes to the same, on whatever state.

        Other people's commits in between do not void it; another version, holder, gate status
        or evidence does. Numbers that each plan gives anew and words about ages are left out.
        """
        passing = _PASSING | _PASSING_OF.get(self.op, frozenset())
        decision = {name: value for name, value in self.decision.items() if name not in passing}
        if "gates" in decision:
            decision["gates"] = [
                {name: value for name, value in gate.items() if name not in _WORDS}
                for gate in decision["gates"]
            ]
        return canonical.digest([self.op, self.args, self.actor, decision])


class PreHooks(Protocol):
    """Whoever knows what pre-hooks answered."""

    def answers(self, question: Question) -> Sequence[Answer]:
        """Return the answers that are known already; what is not is noted as open."""
        ...

    @property
    def open(self) -> bool:
        """Whether questions are open since the hooks were last asked."""
        ...


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
