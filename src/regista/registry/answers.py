"""What the asking operations return, kept apart so that a fast read loads nothing else."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Resolved:
    """Result of `resolve`.

    Attributes:
        stage: the stage that the selector named, or None.
        stages: all stages that the version holds.
        since: when the selector came to point here (RFC 3339, UTC).
        by: who made it so.
        seq: commit that made it so.
    """

    name: str
    kind: str
    version: int
    digest: str
    stage: str | None
    stages: list[str]
    status: str
    since: str
    by: str
    seq: int

    def to_json(self) -> dict[str, Any]:
        """Return the result as the contract's JSON object."""
        return asdict(self)
