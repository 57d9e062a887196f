"""Prompts: their text with the variables marked, and what changed since another version. Pure.

A variable is what the usual template languages mean: `{{ name }}`, `{name}` and `${name}`.
"""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from regista.site.model import FileRow, Version

MAX_TEXT = 100_000
MAX_FILES = 20
MAX_DIFF_LINES = 2_000
_VARIABLE = re.compile(
    r"\{\{[ \t]*([A-Za-z_][\w.]{0,100})[ \t]*\}\}|\$?\{([A-Za-z_][\w.]{0,100})\}"
)
_CONTEXT = 3
_KINDS = {"+": "added", "-": "removed", "@": "place", " ": "same"}

Text = Callable[[str], str | None]


class Piece(NamedTuple):
    """A part of a text: plain, or a variable."""

    text: str
    variable: bool


class PromptFile(NamedTuple):
    """A text of a prompt. `cut`: whether it is longer than what is shown."""

    path: str
    size: int
    text: str
    pieces: tuple[Piece, ...]
    cut: bool


class DiffLine(NamedTuple):
    """A line of a diff: added, removed, same, or the place of what follows."""

    kind: str
    text: str


class Diff(NamedTuple):
    """What changed since another version."""

    title: str
    version: int
    lines: tuple[DiffLine, ...]
    added: int
    removed: int
    variables: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """The texts of a prompt's version."""

    files: tuple[PromptFile, ...]
    variables: tuple[str, ...]
    left_out: tuple[str, ...]
    diffs: tuple[Diff, ...]


def prompt_of(
    version: Version, others: list[tuple[str, Version]], text: Callable[[FileRow], str | None]
) -> Prompt | None:
    """Return what a prompt's page shows.

    Args:
        version: a version of a prompt.
        others: titles and versions to tell the differences from.
        text: returns the text of a file; None when it is no text, or gone.
    """
    files = _files(version, text)
    if not files and not version.artifacts:
        return None
    shown = {file.path for file in files}
    return Prompt(
        files=files,
        variables=_variables(files),
        left_out=tuple(file.path for file in version.artifacts if file.path not in shown)[
            :MAX_FILES
        ],
        diffs=tuple(_diff(title, other, _files(other, text), files) for title, other in others),
    )


def _files(version: Version, text: Callable[[FileRow], str | None]) -> tuple[PromptFile, ...]:
    files = []
    for row in version.artifacts[:MAX_FILES]:
        found = text(row) if row.size <= MAX_TEXT * 4 else None
        if found is not None:
            cut = len(found) > MAX_TEXT
            files.append(
                PromptFile(row.path, row.size, found[:MAX_TEXT], _pieces(found[:MAX_TEXT]), cut)
            )
    return tuple(files)


def _pieces(text: str) -> tuple[Piece, ...]:
    pieces, end = [], 0
    for match in _VARIABLE.finditer(text):
        pieces += [Piece(text[end : match.start()], False), Piece(match[0], True)]  # noqa: FBT003
        end = match.end()
    return (*pieces, Piece(text[end:], False))  # noqa: FBT003


def _variables(files: tuple[PromptFile, ...]) -> tuple[str, ...]:
    names = [match[1] or match[2] for file in files for match in _VARIABLE.finditer(file.text)]
    return tuple(dict.fromkeys(names))


def _diff(
    title: str, other: Version, before: tuple[PromptFile, ...], after: tuple[PromptFile, ...]
) -> Diff:
    old, new = ({file.path: file.text for file in files} for files in (before, after))
    lines: list[DiffLine] = []
    for path in sorted({*old, *new}):
        lines += _lines(old.get(path, ""), new.get(path, ""), path if len({*old, *new}) > 1 else "")
    gone, come = (
        sorted(set(_variables(one)) - set(_variables(two)))
        for one, two in ((before, after), (after, before))
    )
    words = [f"variable {name} is gone" for name in gone]
    words += [f"variable {name} is new" for name in come]
    return Diff(
        title,
        other.number,
        tuple(lines),
        sum(line.kind == "added" for line in lines),
        sum(line.kind == "removed" for line in lines),
        ", ".join(words),
    )


def _lines(old: str, new: str, path: str) -> list[DiffLine]:
    if old == new:
        return []
    one, two = old.splitlines()[:MAX_DIFF_LINES], new.splitlines()[:MAX_DIFF_LINES]
    made = difflib.unified_diff(one, two, n=_CONTEXT, lineterm="")
    lines = [DiffLine(_KINDS[line[0]], line) for line in list(made)[2:]]
    return [DiffLine("place", path), *lines] if path else lines
