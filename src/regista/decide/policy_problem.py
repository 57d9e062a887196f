"""What is wrong with a policy, and where in it.

A problem knows its place as a path of keys and indexes, not as a line: lines belong to the YAML
text (`regista.policyfile`), which a policy out of the log no longer has at hand.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Literal, Self

from regista.model.names import shown

Path = tuple[str | int, ...]
Severity = Literal["error", "warning"]

MAX_PROBLEMS = 100
"""Checks of a list or mapping stop after this many: hostile input must not cost minutes."""

_LONGEST_COMPARED = 80


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """One thing that is wrong with, or doubtful in, a policy.

    Attributes:
        path: keys and indexes from the policy's root to the place.
        message: what is wrong, in one line.
        hint: what to write instead; may be empty.
        severity: an error makes the policy unusable, a warning does not.
        on_key: the key at the end of the path is meant, not its value.
    """

    path: Path
    message: str
    hint: str = ""
    severity: Severity = "error"
    on_key: bool = False

    def under(self, *prefix: str | int) -> Self:
        """Return the problem as seen from further up, its path behind the prefix."""
        return replace(self, path=(*prefix, *self.path))


def problem(message: str, hint: str = "") -> list[PolicyProblem]:
    """Return one error about the very value that is looked at."""
    return [PolicyProblem((), message, hint)]


def unknown(word: str, known: Collection[str], what: str) -> PolicyProblem:
    """Return the error for a key that nothing knows, with the word that was probably meant."""
    return PolicyProblem((word,), f"{what} {shown(word)}", meant(word, known), on_key=True)


def meant(word: str, known: Collection[str]) -> str:
    """Return a hint that names the closest known word, or all of them."""
    # the cut keeps the comparison, quadratic in the length, cheap on hostile input
    close = get_close_matches(word[:_LONGEST_COMPARED], known, n=1)
    return f"did you mean {close[0]}?" if close else f"use one of: {', '.join(known)}"


def described(value: Any) -> str:  # noqa: ANN401 - any parsed YAML value
    """Return a value of a policy for a message: its type, and the value where it is short."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int():
            return f"the number {value}"
        case str():
            return f"the text {shown(value)}"
        case list():
            return "a list"
        case _:
            return "a mapping"
