"""Making findings: the statuses, the commands that remedies name, and how numbers are shown.

Observed and required texts go into table cells, so they are short. Numbers are decimals and are
computed in contexts of their own: the thread's decimal context rounds to 28 digits.
"""

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from shlex import quote

from regista.decide.evidence import Case
from regista.decide.heads import VersionHead
from regista.decide.verdict import Finding, VerdictStatus

EXACT = Context(prec=2000)
"""Sums and differences of scores are exact: a double spans some 650 digits."""

_SHOWN_DIGITS = 20
_ROUNDED_DIGITS = 6
_SHORT = 200
_LISTED = 5


def passed(observed: str, required: str, reason: str, evidence: Iterable[str] = ()) -> Finding:
    """Return the finding that the case meets the gate."""
    return Finding(VerdictStatus.PASSED, observed, required, reason, "", tuple(evidence))


def failed(
    observed: str, required: str, reason: str, remedy: str, evidence: Iterable[str] = ()
) -> Finding:
    """Return the finding that the case does not meet the gate."""
    return Finding(VerdictStatus.FAILED, observed, required, reason, remedy, tuple(evidence))


def undecidable(
    observed: str, required: str, reason: str, remedy: str, evidence: Iterable[str] = ()
) -> Finding:
    """Return the finding that the evidence does not answer the gate; it refuses."""
    return Finding(VerdictStatus.UNDECIDABLE, observed, required, reason, remedy, tuple(evidence))


def number(value: Decimal) -> str:
    """Return a number for a table cell, without idle zeros; every digit that a double has."""
    context = Context(prec=_SHOWN_DIGITS)
    cut = context.normalize(context.plus(value))
    plain = -7 <= cut.adjusted() <= 20  # noqa: PLR2004 - as repr(float) does, roughly
    return "0" if not cut else f"{cut:f}" if plain else str(cut)


def rounded(value: Decimal) -> Decimal:
    """Return a computed statistic as it is shown and recorded: 6 significant digits."""
    return Context(prec=_ROUNDED_DIGITS).plus(value)


def signed(value: Decimal) -> str:
    """Return a difference for a table cell, always with its sign."""
    return number(value) if value < 0 else f"+{number(value)}"


def clip(text: str, limit: int = _SHORT) -> str:
    """Return a text on one line, cut where it is too long for a table cell."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def listed(items: Sequence[str], limit: int = _LISTED) -> str:
    """Return the first few items as a text, and how many more there are."""
    more = len(items) - limit
    shown = ", ".join(items[:limit])
    return f"{shown} and {more} more" if more > 0 else shown


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: 1 score, 2 scores."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def ref(case: Case, version: VersionHead | None = None) -> str:
    """Return `NAME@V` as a shell takes it; the candidate when no version is given."""
    return quote(f"{case.entry.name}@{(version or case.version).version}")


def eval_log(case: Case, version: VersionHead, suite: str) -> str:
    """Return the command that logs an eval run."""
    return f"regista eval log {ref(case, version)} --suite {quote(suite)} --from FILE"


def holder(case: Case, target: str) -> int | None:
    """Return the version that a stage holds, or that a gated alias names."""
    pointer = case.entry.slots.get(target) or case.entry.aliases.get(target)
    return pointer.version if pointer else None
