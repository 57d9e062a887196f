"""Text for terminals: made safe, measured, cut and wrapped by the columns that it takes.

Names, reasons and cards come from strangers. Whatever could move a cursor, hide or reorder text
becomes a visible code here, and all output for people goes through it. Tables and
colours are `regista.cli.render`.
"""

import unicodedata

ELLIPSIS = "…"


def safe(text: object) -> str:
    """Return text for one line: control, format and direction characters become visible."""
    return "".join(map(_visible, str(text)))


def safe_lines(text: str) -> list[str]:
    """Return text for several lines, each made safe; tabs become spaces."""
    return [safe(line) for line in text.expandtabs(4).replace("\r\n", "\n").split("\n")]


def one_line(text: str) -> str:
    """Return text on one line: line breaks become spaces, the rest is made safe."""
    return safe(" ".join(text.split()))


def _visible(char: str) -> str:
    if char == " " or unicodedata.category(char)[0] not in "CZ":
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - the BMP's end


def width(text: str) -> int:
    """Return the number of terminal columns that a safe text takes."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Return text filled with spaces to a number of columns; `right` aligns it there."""
    space = " " * (columns - width(text))
    return space + text if right else text + space


def clip(text: str, columns: int, mark: str = ELLIPSIS) -> str:
    """Return text cut to a number of columns, with a mark where something is missing."""
    if width(text) <= columns:
        return text
    return _head(text, columns - 1) + mark if columns > 0 else ""


def _head(text: str, columns: int) -> str:
    """Return the longest beginning that fits; a combining mark stays with its letter."""
    used = 0
    for index, char in enumerate(text):
        used += _char_width(char)
        if used > columns:
            return text[:index]
    return text


def wrap(text: str, columns: int) -> list[str]:
    """Return text as lines of at most that many columns, broken at spaces where it can be."""
    lines, line = [], ""
    for word in text.split(" "):
        candidate = f"{line} {word}" if line else word
        if width(candidate) <= columns:
            line = candidate
            continue
        if line:
            lines.append(line)
        line = word
        while width(line) > columns:
            # a head of nothing would never end: a wide character in one column
            head = _head(line, columns) or line[0]
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line] if line or not lines else lines
