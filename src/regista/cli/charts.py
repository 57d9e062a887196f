"""Small charts of text: how a number went over time, and where intervals lie.

Each is drawn with block and line characters, or with plain ASCII where the terminal's encoding has
none. They say nothing that the numbers beside them do not say too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from regista.cli.render import number

_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = "_.-~=+*#"
MOST_POINTS = 40
STRIP = 13


def sparkline(values: Sequence[float | None], *, blocks: bool) -> str:
    """Return one character per value, from the least to the greatest; a space where there is none.

    Of more than `MOST_POINTS` values, the newest are drawn.
    """
    levels = _LEVELS if blocks else _ASCII_LEVELS
    shown = list(values)[-MOST_POINTS:]
    known = [value for value in shown if value is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)

    def level(value: float) -> str:
        # a line that does not move lies in the middle
        share = (value - low) / span if span else 0.5
        return levels[min(int(share * len(levels)), len(levels) - 1)]

    return "".join(" " if value is None else level(value) for value in shown)


@dataclass(frozen=True, slots=True)
class Strip:
    """A scale of `STRIP` characters on which intervals are drawn, one row each.

    Attributes:
        low: value at its left end.
        high: value at its right end.
        mark: a value to mark with a line, such as zero; None for none.
        blocks: whether block and line characters may be used.
    """

    low: float
    high: float
    mark: float | None = None
    blocks: bool = True

    @classmethod
    def around(cls, values: Iterable[float | None], *, zero: bool, blocks: bool) -> "Strip":
        """Return a scale that holds all values, and zero in its middle where that is marked."""
        known = [value for value in values if value is not None]
        if zero:
            reach = max(map(abs, known), default=0.0)
            return cls(-reach, reach, 0.0, blocks)
        return cls(min(known, default=0.0), max(known, default=0.0), None, blocks)

    @property
    def ends(self) -> str:
        """The values at its two ends, as a heading of its width."""
        low, high = (number(end, digits=3) for end in (self.low, self.high))
        if len(low) + len(high) >= STRIP:
            low, high = (number(end, digits=2) for end in (self.low, self.high))
        return low + high.rjust(max(STRIP - len(low), len(high) + 1))

    def draw(self, at: float | None, low: float | None, high: float | None) -> str:
        """Return a row: a point, and the interval around it where there is one."""
        if at is None:
            return ""
        point, line, mark = ("●", "─", "│") if self.blocks else ("o", "-", "|")
        cells = [" "] * STRIP
        if low is not None and high is not None:
            for place in range(self._place(low), self._place(high) + 1):
                cells[place] = line
        if self.mark is not None:
            cells[self._place(self.mark)] = mark
        cells[self._place(at)] = point
        return "".join(cells).rstrip()

    def _place(self, value: float) -> int:
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return min(max(round(share * (STRIP - 1)), 0), STRIP - 1)
