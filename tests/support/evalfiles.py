"""Fixtures of eval files, each made by the tool itself, and looks at what adapters make of them."""

from pathlib import Path
from typing import Any

import pytest

from regista.errors import InvalidInputError
from regista.evalformats.protocol import PEEK_BYTES, Choice, EvalFormat, ImportedRun, Peek

FIXTURES = Path(__file__).parent.parent / "data" / "evals"


def peek_at(path: Path) -> Peek:
    if path.is_dir():
        return Peek(path, b"", 0)
    with path.open("rb") as file:
        return Peek(path, file.read(PEEK_BYTES), path.stat().st_size)


def written(path: Path, data: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def scores_of(run: ImportedRun) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Return the scores by task, metric and slice, which no two may share."""
    found = {}
    for score in run.scores:
        grain = (score.get("task", ""), score["metric"], score.get("slice", ""))
        assert grain not in found
        found[grain] = score
    return found


def samples_of(run: ImportedRun) -> list[dict[str, Any]]:
    """Return the samples; no two may have the same task, metric and id."""
    assert run.samples is not None
    rows = list(run.samples)
    grains = {(row.get("task", ""), row["metric"], row["sample_id"]) for row in rows}
    assert len(grains) == len(rows)
    return rows


def refusal(adapter: EvalFormat, path: Path, choice: Choice | None = None) -> str:
    """Return the one line with which a file is refused, its samples read too."""
    with pytest.raises(InvalidInputError) as caught:
        list(adapter.read(path, choice or Choice()).samples or ())
    assert caught.value.message
    assert "\n" not in caught.value.message + caught.value.hint
    return f"{caught.value.message} [{caught.value.hint}]"
