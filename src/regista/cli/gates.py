"""A decision for people: what the gates said, and for each that did not pass, why and what to do.

Both `promote` and `check` show this; the Markdown of it is `regista.cli.ci`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from regista.cli import output
from regista.cli.render import Page
from regista.registry.results import Decided

HEADERS = ("STATUS", "GATE", "OBSERVED", "REQUIRED")
OPEN = ("failed", "undecidable", "waived")
UNGATED = "it passed without any gate (ungated): no rule of the policy covers it"


def draw_check(page: Page, result: Decided) -> None:
    """Draw what `check` found: the outcome in a sentence, then the gates."""
    page.verdict(result.outcome, summary(result, asked=True))
    draw_gates(page, result.gates)


def draw_gates(page: Page, gates: Sequence[Mapping[str, Any]]) -> None:
    """Draw the table of gates, then the reasons and remedies of those that did not pass."""
    if not gates:
        return
    page.gap()
    page.table(
        HEADERS,
        [(gate["status"], gate["id"], gate["observed"], gate["required"]) for gate in gates],
        keep=("STATUS",),
        wrapped=HEADERS[1:],
    )
    for gate in gates:
        if gate["status"] in OPEN:
            page.gap()
            page.verdict(gate["status"], gate["id"])
            page.item(gate["reason"])
            if gate.get("remedy"):
                page.item(f"fix: {gate['remedy']}")


def warn_waived(gates: Sequence[Mapping[str, Any]]) -> None:
    """Say on standard error which gates were waived, by whom and why."""
    for gate in gates:
        if gate["status"] == "waived":
            output.warn(f"gate {gate['id']} is {gate['reason']}")


def warn_loosened(loosens: Sequence[str], *, refused: bool) -> None:
    """Say on standard error what a change of the policy lets in that was not let in before."""
    for line in loosens:
        output.warn(f"the policy {'would be' if refused else 'is'} looser: {line}")


def held(version: int | None) -> str:
    """Return what a stage holds, for a sentence."""
    return "nothing" if version is None else f"version {version}"


def summary(result: Decided, *, asked: bool) -> str:
    """Return a decision in one sentence.

    Args:
        result: the decision.
        asked: whether it was only asked about (`check`), and nothing moved.
    """
    what = f"{result.name} version {result.version}"
    stage, holder = result.stage, result.from_version
    if holder == result.version:
        return f"{what} is in {stage} already"
    if result.refused:
        keeps = "stays empty" if holder is None else f"keeps version {holder}"
        stays = "would stay" if asked else "stays"
        return f"{what} {stays} out of {stage}, which {keeps}"
    instead = "which was empty" if holder is None else f"in place of version {holder}"
    return f"{what} {'would enter' if asked else 'is now in'} {stage}, {instead}"
