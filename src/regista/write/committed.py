"""What a transaction gives back for each of its operations."""

from dataclasses import dataclass
from typing import Any

DEFAULT_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Committed:
    """One operation's outcome.

    Attributes:
        op: the operation.
        decision: what was decided.
        seq: commit that says so; an earlier one when there was nothing to do.
        commit: sha256 of that commit's file.
        created: whether this call made the commit.
        applied: false when the operation, or another of the same commit, was refused.
    """

    op: str
    decision: dict[str, Any]
    seq: int
    commit: str
    created: bool
    applied: bool = True
