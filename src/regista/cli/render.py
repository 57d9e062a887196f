"""What people see: aligned tables and fields, times, sizes, and colour where it helps.

A `Page` collects lines for one terminal. It needs no third-party library, fits the terminal's
width, and never says anything by colour alone. Every cell is made safe on its way in, so no
caller has to remember it.
"""

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from regista.cli.text import ELLIPSIS, clip, pad, safe, safe_lines, width, wrap

GAP = 2
NARROWEST = 8
CUT_TO = 16
PLAIN_WIDTH = 100
CHART_CHARACTERS = "▁▂▃▄▅▆▇█●─│…"
ASCII_CUT = "~"

_CODES = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}
_WORD_COLOURS = {
    "passed": "green",
    "ok": "green",
    "active": "green",
    "complete": "green",
    "better": "green",
    "failed": "red",
    "refused": "red",
    "deleted": "red",
    "worse": "red",
    "undecidable": "yellow",
    "waived": "yellow",
    "deprecated": "yellow",
    "archived": "yellow",
    "partial": "yellow",
}
Paint = Callable[[str], str]
_SPANS = (("y", 365 * 86_400), ("mo", 30 * 86_400), ("d", 86_400), ("h", 3600), ("min", 60))


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the output goes to.

    Attributes:
        width: columns; None where lines may be as long as they are, as in a pipe.
        colour: whether escape codes for colour are understood and wanted.
        blocks: whether the encoding has the characters of charts, and an ellipsis.
    """

    width: int | None = None
    colour: bool = False
    blocks: bool = True

    @property
    def wrap_at(self) -> int:
        """Columns at which prose wraps."""
        return self.width or PLAIN_WIDTH


def stdout_terminal(environ: Mapping[str, str]) -> Terminal:
    """Return what standard output goes to."""
    tty = sys.stdout.isatty()
    plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return Terminal(_columns(environ, tty=tty), tty and not plain, _has_blocks())


def _has_blocks() -> bool:
    try:
        CHART_CHARACTERS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _columns(environ: Mapping[str, str], *, tty: bool) -> int | None:
    given = environ.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and int(given):
        return max(int(given), 40)
    if not tty:
        return None
    try:
        # not shutil's: importing it loads three compression libraries
        return max(os.get_terminal_size(sys.stdout.fileno()).columns, 40)
    except (OSError, ValueError):
        return 80


@dataclass(slots=True)
class Page:
    """Lines for people, for one terminal."""

    terminal: Terminal
    lines: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def line(self, text: object = "", colour: str = "") -> None:
        """Add one line, wrapped where it is too long."""
        lines = wrap(safe(text), self.terminal.wrap_at)
        self.lines += [self.paint(line, colour) for line in lines]

    def verdict(self, word: str, text: object) -> None:
        """Add a line that starts with a coloured status word."""
        line = f"{word}: {safe(text)}"
        first, *rest = wrap(line, self.terminal.wrap_at)
        painted = self.paint(word, _WORD_COLOURS.get(word, "")) + first[len(word) :]
        self.lines += [painted, *rest]

    def gap(self) -> None:
        """Add an empty line, unless there is one or nothing stands before."""
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def heading(self, text: str) -> None:
        """Add a heading after an empty line."""
        self.gap()
        self.lines.append(self.paint(safe(text), "bold"))

    def prose(self, text: str, indent: int = 0) -> None:
        """Add a text of several lines as it is, made safe, long lines wrapped."""
        space = " " * indent
        for line in safe_lines(text):
            self.lines += [space + part for part in wrap(line, self.terminal.wrap_at - indent)]

    def item(self, text: object, indent: int = 2) -> None:
        """Add a text that wraps with its indentation."""
        space = " " * indent
        wrapped = wrap(safe(text), self.terminal.wrap_at - indent)
        self.lines += [space + line for line in wrapped]

    def fields(self, pairs: Iterable[tuple[str, object]], indent: int = 2) -> None:
        """Add names and values in two columns; those without a value are left out."""
        kept = [(safe(name), safe(value)) for name, value in pairs if value not in (None, "")]
        name_width = max((width(name) for name, _value in kept), default=0)
        room = max(self.terminal.wrap_at - indent - name_width - GAP, NARROWEST)
        for name, value in kept:
            first, *rest = wrap(value, room)
            lead = " " * indent + self.paint(pad(name, name_width), "dim") + " " * GAP
            self.lines.append(lead + self._word(first))
            self.lines += [" " * (indent + name_width + GAP) + line for line in rest]

    def table(
        self,
        headers: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        right: Sequence[str] = (),
        keep: Sequence[str] = (),
        wrapped: Sequence[str] = (),
        optional: Sequence[str] = (),
    ) -> None:
        """Add a table.

        A table that is too wide for the terminal is narrowed where it may be: cells that are cut
        give way first, cells that wrap after them.

        Args:
            headers: names of the columns.
            rows: cells; None is an empty one.
            right: headers of columns that are aligned right, as numbers are, and never narrowed.
            keep: headers of other columns that are never narrowed.
            wrapped: headers of columns whose long cells become several lines; those of other
                columns are cut.
            optional: headers of columns that are left out when no row has anything in them.
        """
        cells = [["" if cell is None else safe(cell) for cell in row] for row in rows]
        if optional:
            headers, cells = _without_empty(headers, cells, optional)
        widths = self._widths(headers, cells, firm={*right, *keep}, wrapped=wrapped)
        layout = Layout(
            widths,
            [header in right for header in headers],
            [header in wrapped for header in headers],
            ELLIPSIS if self.terminal.blocks else ASCII_CUT,
        )
        self.lines.append(self.paint(layout.joined(headers, _plain), "bold"))
        for row in cells:
            self.lines += layout.lines(row, self._word)

    def _widths(
        self,
        headers: Sequence[str],
        cells: Sequence[Sequence[str]],
        *,
        firm: Collection[str],
        wrapped: Collection[str],
    ) -> list[int]:
        """Return how wide each column may be; cells that are cut give way before others."""
        widths = [max(map(width, column)) for column in zip(headers, *cells, strict=True)]
        limit = self.terminal.width or (PLAIN_WIDTH if wrapped else None)
        if limit is None:
            return widths
        floors = [
            own if header in firm else min(own, max(width(header), NARROWEST))
            for header, own in zip(headers, widths, strict=True)
        ]
        gentle = [
            own if header in wrapped else max(floor, min(own, CUT_TO))
            for header, own, floor in zip(headers, widths, floors, strict=True)
        ]
        return _fitted(_fitted(widths, gentle, limit), floors, limit)

    def _word(self, text: str) -> str:
        """Colour a cell that is nothing but a status word."""
        return self.paint(text, _WORD_COLOURS.get(text.strip(), ""))

    def paint(self, text: str, colour: str) -> str:
        """Return text in a colour, where the terminal knows colours."""
        if not colour or not self.terminal.colour or not text.strip():
            return text
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of one table are laid out.

    Attributes:
        widths: columns that each takes.
        right: whether each is aligned right.
        wrapped: whether each wraps; the others are cut.
        cut: what stands where something was cut.
    """

    widths: Sequence[int]
    right: Sequence[bool]
    wrapped: Sequence[bool]
    cut: str = ELLIPSIS

    def lines(self, row: Sequence[str], paint: Paint) -> list[str]:
        """Return a row as one or more lines."""
        parts = [
            wrap(cell, columns) if wraps else [clip(cell, columns, self.cut)]
            for cell, columns, wraps in zip(row, self.widths, self.wrapped, strict=True)
        ]
        height = max(map(len, parts))
        return [
            self.joined([part[index] if index < len(part) else "" for part in parts], paint)
            for index in range(height)
        ]

    def joined(self, cells: Sequence[str], paint: Paint) -> str:
        """Return cells, none wider than its column, as one line."""
        padded = [
            paint(pad(cell, columns, right=right))
            for cell, columns, right in zip(cells, self.widths, self.right, strict=True)
        ]
        # the last column is not filled up, so that no line ends in spaces
        if not self.right[-1]:
            padded[-1] = paint(cells[-1])
        return (" " * GAP).join(padded).rstrip()


def _without_empty(
    headers: Sequence[str], cells: list[list[str]], optional: Sequence[str]
) -> tuple[Sequence[str], list[list[str]]]:
    kept = [
        index
        for index, header in enumerate(headers)
        if header not in optional or any(row[index] for row in cells)
    ]
    return [headers[index] for index in kept], [[row[index] for index in kept] for row in cells]


def _plain(text: str) -> str:
    return text


def _fitted(widths: list[int], floors: list[int], limit: int) -> list[int]:
    """Narrow the widest columns, one by one, until the table fits; none below its floor."""
    fitted = list(widths)
    excess = sum(fitted) + GAP * (len(fitted) - 1) - limit
    while excess > 0:
        open_ = [i for i, columns in enumerate(fitted) if columns > floors[i]]
        if not open_:
            break
        widest = max(open_, key=lambda i: fitted[i])
        fitted[widest] -= 1
        excess -= 1
    return fitted


def when(time: str, now: datetime | None = None) -> str:
    """Return a registry time for people: `2026-03-03 09:30 UTC, 3 d ago`; '' for none."""
    return f"{minute(time)} UTC, {ago(time, now)}" if time else ""


def minute(time: str) -> str:
    """Return a registry time to the minute: `2026-03-03 09:30`."""
    return time[:16].replace("T", " ")


def ago(time: str, now: datetime | None = None) -> str:
    """Return how long ago a registry time was, in one unit: `3 d ago`."""
    passed = ((now or datetime.now(UTC)) - datetime.fromisoformat(time)).total_seconds()
    for unit, seconds in _SPANS:
        if passed >= seconds:
            return f"{int(passed // seconds)} {unit} ago"
    return "just now" if passed >= 0 else "in the future"


def size(count: int) -> str:
    """Return a number of bytes for people, in decimal units: `1.4 MB`."""
    if count < 1000:  # noqa: PLR2004 - where kB begin
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95:  # noqa: PLR2004 - what still rounds to four characters
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} PB"


def number(value: float | None, digits: int = 6, *, signed: bool = False) -> str:
    """Return a measured number for people, to so many significant digits; '' for none."""
    if value is None:
        return ""
    return f"{value:{'+' if signed else ''}.{digits}g}"


def plural(count: int, noun: str, many: str = "") -> str:
    """Return a count with its noun: `1 file`, `2 files`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {many or noun + 's'}"


def short(digest: str | None) -> str:
    """Return a digest as far as people compare it."""
    return f"sha256:{digest[:12]}" if digest else ""
