"""What a verification finds."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

# what a row, an argument or a decision that was tampered with can make the code that reads it raise
MALFORMED = (
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    ArithmeticError,
    AssertionError,
    RecursionError,
)


class ProblemKind(StrEnum):
    """The ways in which a registry can be wrong."""

    REGISTRY = "registry"
    GAP = "gap"
    STRAY = "stray"
    COMMIT = "commit"
    CANONICAL = "canonical"
    PARENT = "parent"
    TIME = "time"
    DECISION = "decision"
    REPLAY = "replay"
    MANIFEST = "manifest"
    DATA = "data"
    TABLE = "table"
    CHECKPOINT = "checkpoint"
    BUNDLE = "bundle"
    BLOB = "blob"
    ANCHOR = "anchor"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: in which commit (0 when in none), of which kind, and what."""

    seq: int
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Result of `verify`.

    Attributes:
        ok: whether no problem was found.
        commits: number of commits read.
        head: sha256 of the newest commit's file; '' when there is none.
        level: standard, or deep when every artifact was hashed again.
        problems: what was found, in the order of commits.
    """

    ok: bool
    commits: int
    head: str
    level: str
    problems: list[Problem] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the result as the contract's JSON object."""
        return asdict(self)
