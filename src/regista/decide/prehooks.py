"""What pre-hooks are asked about an operation, and what they answer.

Which hooks there are is configured outside the log, so their answers are facts from outside: they
stand among an operation's `reads`, and a replay hands the same ones back. What follows from them
is `regista.decide.vetoes`'s business. Who asks, and how, is not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, Self

from regista.model import canonical

WAY_BACK = frozenset({"rollback", "demote"})
"""What is never refused because something does not work: a hook, or a clock."""
# what is new in every plan, though it comes to the same
_PASSING = frozenset({"entry_id", "run_id"})
# a version is registered by its content, whichever number is free by then
_PASSING_OF = {"register": frozenset({"version"})}
# what a verdict says in words, such as an age in minutes
_WORDS = frozenset({"observed", "required", "reason", "remedy"})
Json = dict[str, Any]


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
