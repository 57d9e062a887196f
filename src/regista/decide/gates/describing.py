"""The reference of gate kinds in Markdown, made from their field specifications."""

from collections.abc import Iterable

from regista.decide.gates.fields import Field
from regista.decide.gates.kind import GateKind
from regista.decide.gates.registry import KINDS


def reference() -> str:
    """Return one section per gate kind: what it asks, its fields, and what else to know."""
    return "\n".join(_section(kind) for kind in KINDS.values())


def table(fields: Iterable[Field]) -> str:
    """Return fields as a Markdown table."""
    lines = ["| field | type | default | meaning |", "|---|---|---|---|"]
    for field in fields:
        default = "**required**" if field.required else field.default or "none"
        cells = (f"`{field.name}`", field.type.name, default, field.doc)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _section(kind: GateKind) -> str:
    notes = f"\n{kind.notes}\n" if kind.notes else ""
    return (
        f"### {kind.kind}\n\n{kind.summary} Revision {kind.revision}.\n\n"
        f"{table(kind.all_fields)}{notes}"
    )
