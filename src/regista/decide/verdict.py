"""Verdicts and decisions: what gates answer, and what follows from the answers."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class VerdictStatus(StrEnum):
    """What a gate says. Anything but PASSED and WAIVED refuses."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDABLE = "undecidable"
    WAIVED = "waived"


class Outcome(StrEnum):
    """What a decision says."""

    PASSED = "passed"
    REFUSED = "refused"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one gate kind finds in a case, before it is tied to a gate's identity.

    Attributes:
        status: passed, failed or undecidable.
        observed: what was seen, short, for a table cell.
        required: what the policy asks, short, for a table cell.
        reason: why, in one sentence.
        remedy: what to do about it; '' when passed.
        evidence: what was used, such as run ids, in a fixed order.
    """

    status: VerdictStatus
    observed: str
    required: str
    reason: str
    remedy: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding with the gate that made it. `rule` is the rule's index in the policy."""

    id: str
    kind: str
    revision: int
    rule: int
    finding: Finding

    @property
    def status(self) -> VerdictStatus:
        """The finding's status."""
        return self.finding.status

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as the contract's JSON object, plus what a replay compares."""
        return {
            "id": self.id,
            "kind": self.kind,
            "status": str(self.status),
            "observed": self.finding.observed,
            "required": self.finding.required,
            "reason": self.finding.reason,
            "remedy": self.finding.remedy,
            "evidence": list(self.finding.evidence),
            "revision": self.revision,
            "rule": self.rule,
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """All verdicts on one requested placement."""

    verdicts: tuple[Verdict, ...] = field(default=())
    ungated: bool = False

    @property
    def outcome(self) -> Outcome:
        """Refused if any verdict refuses; waived if one was waived; else passed."""
        statuses = {verdict.status for verdict in self.verdicts}
        if statuses & {VerdictStatus.FAILED, VerdictStatus.UNDECIDABLE}:
            return Outcome.REFUSED
        return Outcome.WAIVED if VerdictStatus.WAIVED in statuses else Outcome.PASSED
