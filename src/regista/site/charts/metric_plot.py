"""The plot of a metric chart: the ranges of its axes, its grid, the limits of its gates."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from regista.site.charts.metric_data import Direction, GateLine, MetricPoint, gate_words
from regista.site.charts.scales import (
    Tick,
    integer_ticks,
    linear_ticks,
    number,
    number_to,
    padded,
    projection,
    step_exponent,
)
from regista.site.charts.svg import FONT, SMALL, escape, fitted, text_at, text_width

WIDTH = 420.0
TOP = 30.0
BOTTOM = 166.0
MOST_BARS = 40
"""Error bars are read one by one; among more points than this they would be noise."""

_LINE_HEIGHT = 13.0
_TICKS = 6
_LABEL_WIDTH = 92.0
# limits further from the values than so many times their span are named at the edge, not drawn:
# to draw them would flatten the values
_REACH = 3.0


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as it is drawn, after equal ones were joined.

    Attributes:
        value: the limit.
        texts: lines of its label: the limit itself, then whose it is.
        words: the same as one text, whole.
        inside: whether it lies in the range of the axis.
    """

    value: float
    texts: tuple[str, ...]
    words: str
    inside: bool


@dataclass(frozen=True, slots=True)
class Plot:
    """The area that is plotted on.

    Attributes:
        left: its left side.
        right: its right side; labels of limits stand beyond.
        exponent: decimal place of the step of the value axis, as a power of ten.
        digits: significant digits of a value that is told apart from its neighbours.
        ticks: of the value axis.
        limits: from top to bottom.
        x: from versions to places.
        y: from values to places.
    """

    left: float
    right: float
    exponent: int
    digits: int
    ticks: tuple[Tick, ...]
    limits: tuple[Limit, ...]
    x: Callable[[float], float]
    y: Callable[[float], float]

    def say(self, value: float) -> str:
        """Write a value as exactly as it is drawn, and more."""
        text = f"{value:.{self.digits}g}"
        return _finer(value, self.exponent) if "e" in text else text.replace("-", "\N{MINUS SIGN}")


def plot_of(points: Sequence[MetricPoint], lines: Sequence[GateLine]) -> Plot:
    """Lay the plot out for points that all have values, at least one."""
    low, high = padded(*_extent(points, lines))
    _, exponent = step_exponent(low, high, _TICKS)
    ticks = linear_ticks(low, high, _TICKS)
    limits = tuple(_limits(lines, low, high, exponent))
    left = max(text_width(tick.label) for tick in ticks) + 8
    labels = (text_width(text, SMALL) for texts in _fitting_labels(limits) for text in texts)
    right = WIDTH - max((width + 8 for width in labels), default=10.0)
    return Plot(
        left=left,
        right=right,
        exponent=exponent,
        digits=max(1, Decimal(max(abs(low), abs(high))).adjusted() - exponent + 4),
        ticks=ticks,
        limits=limits,
        x=projection(points[0].version, points[-1].version, left + 12, right - 12),
        y=projection(low, high, BOTTOM, TOP),
    )


def bar_ends(point: MetricPoint) -> tuple[float, float] | None:
    """Return the ends of an error bar, one standard error each way, where there is one."""
    if point.value is None or point.stderr is None or not point.stderr > 0:
        return None
    ends = (point.value - point.stderr, point.value + point.stderr)
    return ends if all(map(math.isfinite, ends)) else None


def _extent(points: Sequence[MetricPoint], lines: Iterable[GateLine]) -> tuple[float, float]:
    """Return the range of values, error bars and those limits that do not dwarf them."""
    shown = [point.value for point in points if point.value is not None]
    if len(points) <= MOST_BARS:
        shown += [end for point in points for end in bar_ends(point) or ()]
    low, high = min(shown), max(shown)
    reach = (high / 2 - low / 2) * 2 * _REACH
    near = [x.value for x in lines if not reach or low - reach <= x.value <= high + reach]
    return min([low, *near]), max([high, *near])


def _limits(lines: Iterable[GateLine], low: float, high: float, exponent: int) -> Iterable[Limit]:
    """Yield the limits from the highest to the lowest, equal ones joined."""
    owners: dict[tuple[float, Direction], list[str]] = {}
    for line in lines:
        labels = owners.setdefault((line.value, line.direction), [])
        if line.label and line.label not in labels:
            labels.append(line.label)
    for (value, direction), labels in sorted(owners.items(), reverse=True):
        inside = low <= value <= high
        beyond = "" if inside else " ↑" if value > high else " ↓"
        shown = _finer(value, exponent) if inside else number(value, 6)
        limit = f"{direction} {shown}{beyond}"
        owner = fitted(", ".join(labels), _LABEL_WIDTH, SMALL)
        words = "; ".join(gate_words(GateLine(x, value, direction)) for x in labels or [""])
        yield Limit(value, (limit, owner) if owner else (limit,), words, inside)


def _finer(value: float, exponent: int) -> str:
    """Write a number like the ticks, with up to three more digits: no limit must look met."""
    rounded = round(Decimal(repr(value)), 3 - exponent).normalize()
    return number_to(rounded, min(exponent, int(rounded.as_tuple().exponent)))


def grid(plot: Plot, first: int, last: int) -> Iterable[str]:
    """Yield the grid and both axes, for versions from first to last."""
    rows = [(tick.label, plot.y(tick.at)) for tick in plot.ticks]
    path = "".join(f"M{plot.left:.1f} {y:.1f}H{plot.right:.1f}" for _, y in rows)
    yield f'<path class="grid" d="{path}"/>'
    for label, y in rows:
        yield text_at(plot.left - 6, y + 4, label, style="tick", anchor="end")
    room = (plot.right - plot.left) / (text_width(f"v{last}") + 16)
    ticks = integer_ticks(first, last, max(2, int(room)))
    path = "".join(f"M{plot.x(tick.at):.1f} {BOTTOM:g}v4" for tick in ticks)
    yield f'<path class="axis" d="M{plot.left:.1f} {BOTTOM:g}H{plot.right:.1f}{path}"/>'
    for tick in ticks:
        label = f"v{tick.label}"
        place = min(plot.x(tick.at), WIDTH - text_width(label, SMALL) / 2)
        yield text_at(place, BOTTOM + 17, label, style="tick", anchor="middle")


def limits_drawn(plot: Plot) -> Iterable[str]:
    """Yield the limits, dashed, and their labels at the right, none of which overlap."""
    for limit in plot.limits:
        if limit.inside:
            y = plot.y(limit.value)
            path = f'<path class="gate" d="M{plot.left:.1f} {y:.1f}H{plot.right + 4:.1f}">'
            yield f"{path}<title>{escape(limit.words)}</title></path>"
    labels = _fitting_labels(plot.limits)
    wanted = [min(max(plot.y(limit.value), TOP), BOTTOM) - 6 for limit in plot.limits]
    for top, texts in zip(_spread(wanted, labels), labels, strict=False):
        yield text_at(plot.right + 7, top + 10, texts[0], style="limit")
        for owner in texts[1:]:
            yield text_at(plot.right + 7, top + 10 + _LINE_HEIGHT, owner, style="soft")


def _fitting_labels(limits: Sequence[Limit]) -> list[tuple[str, ...]]:
    """Return as many labels as fit: if need be without owners, then with the rest counted."""
    labels = [limit.texts for limit in limits]
    lines = int((BOTTOM - TOP + FONT) / _LINE_HEIGHT)
    if sum(map(len, labels)) > lines:
        labels = [texts[:1] for texts in labels]
    if len(labels) > lines:
        labels = [*labels[: lines - 1], (f"+ {len(labels) - lines + 1} more",)]
    return labels


def _spread(wanted: Sequence[float], labels: Sequence[Sequence[str]]) -> list[float]:
    """Return tops of labels, in order, near the wanted ones and without overlap."""
    tops: list[float] = []
    floor = TOP - 8
    for top, texts in zip(wanted, labels, strict=False):
        tops.append(max(top, floor))
        floor = tops[-1] + len(texts) * _LINE_HEIGHT
    ceiling = BOTTOM + 10
    for i in reversed(range(len(tops))):
        tops[i] = min(tops[i], ceiling - len(labels[i]) * _LINE_HEIGHT)
        ceiling = tops[i]
    return tops
