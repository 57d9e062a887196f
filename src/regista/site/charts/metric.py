"""Draws a metric over versions; see `metric_data` for what goes in and what it says in words.

From top to bottom: name and direction, the plot with the labels of limits to its right, the axis
of versions, the key to the marks. Outcomes differ by shape: a disc passed, a cross was refused, a
hollow circle was not judged, a diamond was waived.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import assert_never

from regista.site.charts.metric_data import (
    MARK_WORDS,
    Mark,
    MetricChart,
    MetricPoint,
    describe,
    direction_words,
    measured,
)
from regista.site.charts.metric_plot import (
    BOTTOM,
    MOST_BARS,
    TOP,
    WIDTH,
    Plot,
    bar_ends,
    grid,
    limits_drawn,
    plot_of,
)
from regista.site.charts.svg import (
    BOLD,
    FONT,
    SMALL,
    Box,
    figure,
    fitted,
    link,
    text_at,
    text_width,
)
from regista.site.charts.thinning import kept

# later ones are painted over earlier ones
_PAINTED: tuple[Mark, ...] = ("none", "passed", "waived", "refused")
_KEY_LINE = BOTTOM + 39
# marks are smaller the more they are: up to how many, and how large
_RADII = ((24, 4.0), (70, 3.2), (math.inf, 2.5))
_LARGE = 4.0
_MOST_NAME = 150.0


@dataclass(frozen=True, slots=True)
class _Spot:
    """A point that is drawn.

    Attributes:
        point: what it stands for.
        index: its position among all points.
        rank: its position among those with a value.
        x: its place.
        y: its place.
    """

    point: MetricPoint
    index: int
    rank: int
    x: float
    y: float


def metric_chart(data: MetricChart, id_: str) -> str:
    """Return the chart as one SVG element.

    Args:
        data: what to draw.
        id_: makes the ids of this figure unique on its page.
    """
    found = [(i, point) for i, point in enumerate(data.points) if measured(point)]
    body = [*_heading(data)]
    links: list[str] = []
    height = BOTTOM + 8
    if found:
        plot = plot_of([point for _, point in found], data.lines)
        spots = _spots(data, plot, found)
        key, height = _key(spots, len(found))
        body += grid(plot, found[0][1].version, found[-1][1].version)
        body += [*limits_drawn(plot), _line(spots), *_bars(plot, spots)]
        links = [*_links(data, plot, spots)]
        body += [*_marks(data, spots), *_holders(data, plot, spots), *key]
    else:
        middle = (TOP + BOTTOM) / 2
        body.append(text_at(WIDTH / 2, middle, "no values yet", style="soft", anchor="middle"))
    return figure(
        body,
        id_=id_,
        kind="chart-metric",
        size=(WIDTH, height),
        title=data.title,
        desc=describe(data),
        links=links,
    )


def _spots(data: MetricChart, plot: Plot, found: Sequence[tuple[int, MetricPoint]]) -> list[_Spot]:
    values = [point.value or 0.0 for _, point in found]
    notable = [n for n, (_, point) in enumerate(found) if _is_notable(data, point)]
    spots = []
    for rank in kept(values, notable):
        index, point = found[rank]
        spots.append(_Spot(point, index, rank, plot.x(point.version), plot.y(values[rank])))
    return spots


def _is_notable(data: MetricChart, point: MetricPoint) -> bool:
    return bool(point.held) or point.mark == "refused" or point.version == data.incumbent


def _heading(data: MetricChart) -> Iterable[str]:
    words = direction_words(data)
    room = WIDTH - text_width(words, SMALL) - 12
    yield text_at(0, 13, fitted(data.metric, room / BOLD), style="name")
    if words:
        yield text_at(WIDTH, 13, words, style="soft", anchor="end")


def _line(spots: Sequence[_Spot]) -> str:
    """Join the points, but not across versions that have no value."""
    path = f"M{spots[0].x:.1f} {spots[0].y:.1f}"
    for before, after in pairwise(spots):
        # thinning leaves out neighbours too: only where values are missing is there a gap
        thinned = after.rank - before.rank - 1
        missing = after.index - before.index - 1 - thinned
        joined = not missing or missing < thinned
        path += f"{'L' if joined else 'M'}{after.x:.1f} {after.y:.1f}"
    return f'<path class="trend" d="{path}"/>'


def _bars(plot: Plot, spots: Sequence[_Spot]) -> Iterable[str]:
    if len(spots) > MOST_BARS:
        return
    bars = [(spot.x, ends) for spot in spots if (ends := bar_ends(spot.point))]
    if bars:
        paths = (f"M{x:.1f} {plot.y(low):.1f}V{plot.y(high):.1f}" for x, (low, high) in bars)
        yield f'<path class="bars" d="{"".join(paths)}"/>'


def _shapes(mark: Mark, places: Iterable[tuple[float, float]], r: float) -> str:
    """Return the marks of one outcome as one path: much smaller than an element for each."""
    match mark:
        case "passed":
            # a stroke without length and with round ends is a disc
            path = "".join([f"M{x:.1f} {y:.1f}h0" for x, y in places])
            return f'<path class="passed" stroke-width="{2 * r:g}" d="{path}"/>'
        case "none":
            half = f"a{r:g} {r:g} 0 1 0"
            parts = [f"M{x - r:.1f} {y:.1f}{half} {2 * r:g} 0{half}-{2 * r:g} 0" for x, y in places]
        case "waived":
            d = 1.3 * r
            parts = [
                f"M{x:.1f} {y - d:.1f}l{d:g} {d:g}-{d:g} {d:g}-{d:g}-{d:g}z" for x, y in places
            ]
        case "refused":
            h, d = 0.95 * r, 1.9 * r
            cross = f"l{d:g} {d:g}m0-{d:g}l-{d:g} {d:g}"
            parts = [f"M{x - h:.1f} {y - h:.1f}{cross}" for x, y in places]
        case _:
            assert_never(mark)
    return f'<path class="{mark}" d="{"".join(parts)}"/>'


def _marks(data: MetricChart, spots: Sequence[_Spot]) -> Iterable[str]:
    """Yield the points, those painted last on top, and the ring around the incumbent."""
    radius = _radius(spots)
    for mark in _PAINTED:
        places = [(spot.x, spot.y) for spot in spots if spot.point.mark == mark]
        if places:
            yield _shapes(mark, places, radius)
    for spot in spots:
        if spot.point.version == data.incumbent:
            r = radius + 3.5
            yield f'<circle class="ring" cx="{spot.x:.1f}" cy="{spot.y:.1f}" r="{r:g}"/>'


def _radius(spots: Sequence[_Spot]) -> float:
    return next(radius for most, radius in _RADII if len(spots) <= most)


def _links(data: MetricChart, plot: Plot, spots: Sequence[_Spot]) -> Iterable[str]:
    """Yield the areas around the points that link to their versions."""
    r = 2 * _radius(spots)
    for spot in spots:
        hit = f'<circle cx="{spot.x:.1f}" cy="{spot.y:.1f}" r="{r:g}"/>'
        yield link(spot.point.href, _words(data, plot, spot.point), hit)


def _words(data: MetricChart, plot: Plot, point: MetricPoint) -> str:
    words = f"version {point.version}: {plot.say(point.value or 0.0)}"
    if bar_ends(point):
        words += f" ± {plot.say(point.stderr or 0.0)}"
    words += f", {MARK_WORDS[point.mark]}"
    holds = _held(data, point)
    return f"{words}, in {holds}" if holds else words


def _held(data: MetricChart, point: MetricPoint) -> str:
    """Name the stages that a version holds, that of the incumbent first; empty for most."""
    if point.version == data.incumbent:
        return ", ".join([data.stage, *(stage for stage in point.held if stage != data.stage)])
    return ", ".join(point.held)


def _holders(data: MetricChart, plot: Plot, spots: Sequence[_Spot]) -> Iterable[str]:
    """Yield the names of the stages beside the versions that hold them, clear of the rest."""
    holders = [spot for spot in spots if _held(data, spot.point)]
    if not holders:
        return
    busy = [Box(spot.x - 4, spot.y - 4, spot.x + 4, spot.y + 4) for spot in spots]
    lines = [plot.y(limit.value) for limit in plot.limits if limit.inside]
    busy += [Box(plot.left, y - 1, plot.right, y + 1) for y in lines]
    taken: list[Box] = []
    # the incumbent chooses its place first
    for spot in sorted(holders, key=lambda spot: spot.point.version != data.incumbent):
        name = fitted(_held(data, spot.point), _MOST_NAME)
        places = [*_places(plot, spot, text_width(name) * BOLD)]
        best = min(places, key=lambda box: 100 * box.overlaps(taken) + box.overlaps(busy))
        taken.append(best)
        style = "holder prod" if spot.point.version == data.incumbent else "holder"
        yield text_at(
            (best.left + best.right) / 2, best.bottom - 3, name, style=style, anchor="middle"
        )


def _places(plot: Plot, spot: _Spot, width: float) -> Iterable[Box]:
    """Yield the places of a label beside a point that lie in the figure, the preferred first."""
    height = FONT + 2
    centre = min(max(spot.x, plot.left + width / 2), max(plot.right, plot.left + width) - width / 2)
    left, right = centre - width / 2, centre + width / 2
    above, below = spot.y - 9, spot.y + 9
    for gap in (0.0, 10.0, 22.0):
        if above - gap - height > TOP - 14:
            yield Box(left, above - gap - height, right, above - gap)
        if below + gap + height < BOTTOM:
            yield Box(left, below + gap, right, below + gap + height)
    for start in (spot.x + 10, spot.x - 10 - width):
        if plot.left < start < plot.right - width:
            yield Box(start, spot.y - height / 2, start + width, spot.y + height / 2)


def _key(spots: Sequence[_Spot], count: int) -> tuple[list[str], float]:
    """Return the key to the marks that occur, how many points are drawn, and the full height."""
    body = []
    x, y = 5.0, _KEY_LINE
    used = {spot.point.mark for spot in spots}
    for mark, word in MARK_WORDS.items():
        if mark in used:
            body.append(_shapes(mark, [(x, y - 4)], _LARGE))
            body.append(text_at(x + 9, y, word, style="soft"))
            x += 9 + text_width(word, SMALL) + 14
    if len(spots) < count:
        note = f"{len(spots)} of {count} versions drawn"
        if x + text_width(note, SMALL) > WIDTH:
            y += 18
        body.append(text_at(WIDTH, y, note, style="soft", anchor="end"))
    return body, y + 6
