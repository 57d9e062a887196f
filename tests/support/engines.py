"""A registry whose tables lie in many files, and its rows as `regista sql` gives them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import regista
from regista.model.tables import TABLES
from support.everything import build_long
from support.registries import OPEN, new_registry, register

Rows = list[dict[str, Any]]
# what other engines cannot know: names of entries that were renamed are resolved by the views
_RESOLVED = "entry"


def many_files(folder: Path) -> Path:
    """Make a registry with merged and single files; return the folder of its tables."""
    registry = build_long(folder=folder / "registry_data")
    for number in range(3):
        registry.tag("m", {"later": str(number)})
    tables = folder / "registry_data" / "tables"
    assert len(list((tables / "commits").iterdir())) > 3
    return tables


def rows_by_sql(tables: Path, table: str) -> Rows:
    """Return a table's rows as `regista sql` does, in order of (seq, i)."""
    found = regista.open(str(tables.parent)).sql(f"SELECT * FROM {table}")
    return in_order(dict(zip(found.columns, row, strict=True)) for row in found.fetchall())


def in_order(rows: Iterable[Mapping[str, Any]]) -> Rows:
    """Return an engine's rows in order of (seq, i), with values as Python has them."""
    ordered = sorted(rows, key=lambda row: (row["seq"], row.get("i", 0)))
    return [
        {name: _plain(value) for name, value in row.items() if name != _RESOLVED} for row in ordered
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        assert value.tzinfo is None, "times have no zone, and mean UTC"
        # pandas has a type of its own, which is equal
        return datetime.fromisoformat(value.isoformat())
    return value


ALL_TABLES = tuple(TABLES)
IN_PRODUCTION = "SELECT entry, version FROM current_stages WHERE stage = 'prod' ORDER BY entry"


def example(heading: str, language: str = "python") -> str:
    """Return the example below a heading of the page about engines."""
    page = Path(__file__).parents[2] / "docs" / "engines.md"
    section = page.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return section.split(f"```{language}\n")[1].split("```")[0]


def in_production(folder: Path) -> list[tuple[str, int]]:
    """Make a registry in which the question has an answer, with pitfalls; return the answer."""
    registry = new_registry(OPEN, folder=folder / "registry_data")
    for name in ("b", "a", "emptied", "gone back", "early"):
        register(registry, name, f"{name} 1")
        register(registry, name, f"{name} 2")
        registry.promote(f"{name}@1", "prod")
    registry.promote("a@2", "prod")
    registry.demote("emptied", "prod")
    registry.promote("gone back@2", "prod")
    registry.rollback("gone back", "prod")
    registry.compact()
    registry.promote("b@2", "prod")
    answer = [tuple(row) for row in registry.sql(IN_PRODUCTION).fetchall()]
    assert answer == [("a", 2), ("b", 2), ("early", 1), ("gone back", 1)]
    return answer


def run_example(source: str) -> list[tuple[str, int]]:
    """Run an example of the page, in the working directory; return its answer."""
    names: dict[str, Any] = {}
    exec(compile(source, "docs/engines.md", "exec"), names)  # noqa: S102 - our own page
    return [(str(entry), int(version)) for entry, version in names["answer"]]
