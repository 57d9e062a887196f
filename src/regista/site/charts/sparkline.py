"""Small figures for the cells of tables: a trend, and a difference with its confidence."""

import math
from collections.abc import Iterable, Sequence

from regista.site.charts.scales import number, padded, projection
from regista.site.charts.svg import figure

WIDTH, HEIGHT = 80.0, 20.0
_DELTA_WIDTH = 120.0
_COLUMNS = 39
_EDGE = 3.0


def sparkline(values: Sequence[float | None], id_: str, label: str) -> str:
    """Return a trend in 80 by 20, its newest value dotted; None and NaN leave a gap.

    Args:
        values: from the oldest to the newest.
        id_: makes the ids of this figure unique on its page.
        label: what the values are, for its name.
    """
    known = [(i, value) for i, value in enumerate(values) if value is not None]
    points = [(i, value) for i, value in known if math.isfinite(value)]
    size = (WIDTH, HEIGHT)
    if not points:
        return figure([], id_=id_, kind="spark", size=size, title=f"{label}: no values")
    shown = [value for _, value in points]
    low, high = padded(min(shown), max(shown), 0)
    x = projection(0, len(values) - 1, _EDGE, WIDTH - _EDGE)
    y = projection(low, high, HEIGHT - _EDGE, _EDGE)
    body = []
    if len(points) > 1:
        path, before = "", -1
        for i, value in _thinned(points):
            # the idle stroke shows a value that stands alone between gaps as a dot
            alone = not path or _gap(values, before, i)
            path += f"M{x(i):.1f} {y(value):.1f}h0" if alone else f"L{x(i):.1f} {y(value):.1f}"
            before = i
        body.append(f'<path class="trend" d="{path}"/>')
    i, last = points[-1]
    body.append(f'<circle class="last" cx="{x(i):.1f}" cy="{y(last):.1f}" r="2"/>')
    title = f"{label}: {number(last)}"
    if len(points) > 1:
        title = (
            f"{label}: newest {number(last)}, from {number(min(shown))} to {number(max(shown))},"
            f" {len(points)} values"
        )
    return figure(body, id_=id_, kind="spark", size=size, title=title)


def _gap(values: Sequence[float | None], before: int, after: int) -> bool:
    between = values[before + 1 : after]
    missing = sum(value is None or not math.isfinite(value) for value in between)
    return 0 < missing >= len(between) - missing


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return first, last, and the extremes of every column, in order."""
    count = len(points)
    if count <= 2 * _COLUMNS:
        return points
    chosen = {points[0], points[-1]}
    for column in range(_COLUMNS):
        stretch = points[column * count // _COLUMNS : (column + 1) * count // _COLUMNS]
        chosen.add(min(stretch, key=lambda point: point[1]))
        chosen.add(max(stretch, key=lambda point: point[1]))
    return sorted(chosen)


def delta_bar(
    difference: float | None,
    id_: str,
    label: str,
    *,
    low: float | None = None,
    high: float | None = None,
    limit: float | None = None,
    extent: float | None = None,
) -> str:
    """Return a difference on a line with zero in the middle: dot, confidence interval, tolerance.

    Args:
        difference: what was measured; None or not finite where nothing can be compared.
        id_: makes the ids of this figure unique on its page.
        label: what differs from what, for its name.
        low: lower end of the confidence interval.
        high: upper end of the confidence interval.
        limit: the tolerance, a difference; dashed.
        extent: largest difference on the axis, so that rows of a table share one; what lies
            beyond is drawn at the edge, as an arrow. By default, all fits.
    """
    known = [_finite(value) for value in (difference, low, high, limit)]
    if extent is None or not 0 < extent < math.inf:
        extent = max([abs(value) for value in known if value is not None], default=0.0) or 1.0
    return figure(
        _delta_drawn(*known, extent=extent),
        id_=id_,
        kind="delta",
        size=(_DELTA_WIDTH, HEIGHT),
        title=f"{label}: {_delta_words(*known)}",
    )


def _delta_drawn(
    difference: float | None,
    low: float | None,
    high: float | None,
    limit: float | None,
    *,
    extent: float,
) -> Iterable[str]:
    place = projection(-extent, extent, 8, _DELTA_WIDTH - 8)
    middle = HEIGHT / 2
    yield f'<path class="axis" d="M2 {middle:g}H{_DELTA_WIDTH - 2:g}"/>'
    yield f'<path class="zero" d="M{_DELTA_WIDTH / 2:g} 2v16"/>'
    if limit is not None and abs(limit) <= extent:
        yield f'<path class="gate" d="M{place(limit):.1f} 1v18"/>'
    if low is not None and high is not None:
        start, end = (place(min(max(value, -extent), extent)) for value in sorted((low, high)))
        yield f'<path class="interval" d="M{start:.1f} {middle:g}H{max(end, start + 1):.1f}"/>'
    if difference is not None:
        yield _dot(difference, extent, place(difference), middle)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _dot(difference: float, extent: float, x: float, middle: float) -> str:
    if abs(difference) <= extent:
        return f'<circle class="last" cx="{x:.1f}" cy="{middle:g}" r="3.5"/>'
    tip, way = (_DELTA_WIDTH - 1, -6) if difference > 0 else (1, 6)
    return f'<path class="last" d="M{tip:g} {middle:g}l{way} 4v-8z"/>'


def _delta_words(
    difference: float | None, low: float | None, high: float | None, limit: float | None
) -> str:
    if difference is None:
        return "cannot be compared"
    words = f"{'+' if difference > 0 else ''}{number(difference)}"
    if low is not None and high is not None:
        words += f", confidence interval {number(min(low, high))} to {number(max(low, high))}"
    if limit is not None:
        words += f", tolerance {number(limit)}"
    return words
