"""Draws the stages of one entry over time; see `timeline_data` for what goes in.

A lane per stage, a bar per hold. The axis ends at the given time, never at the wall clock; what a
stage holds at that end is named to the right of its lane. A rollback has an arrow that turns back
above its bar; below the bars, a stroke is a drill that succeeded and a cross one that failed. Holds
too short to be told apart share one striped bar, which says how many they are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, assert_never

from regista.model.times import parse_time
from regista.site.charts.scales import Tick, minute_text, projection, seconds, time_ticks
from regista.site.charts.svg import BOLD, SMALL, figure, fitted, link, text_at, text_width
from regista.site.charts.timeline_data import Drill, Hold, Lane, Timeline, describe

WIDE = 720.0
NARROW = 360.0
"""Widths for a screen and for a phone: a page may carry both and show one, see `charts.css`."""

_Kind = Literal["now", "held", "many", "rollback", "drill succeeded", "drill failed"]
_KEY: dict[_Kind, str] = {
    "now": "holds it",
    "held": "held it",
    "many": "several short holds",
    "rollback": "rollback",
    "drill succeeded": "drill succeeded",
    "drill failed": "drill failed",
}
_EMPTY = "empty"

_TOP = 26.0
_PITCH = 44.0
# places in a lane, from its top
_BAR, _BAR_HEIGHT, _DRILL = 12.0, 18.0, 35.5
# a bar narrower than this could not be seen; holds that would be, and touch, share one
_MIN_WIDTH = 3.0
_ARROW_GAP = 12.0
_DRILL_GAP = 5.0
_TICK_ROOM = 66.0


@dataclass(slots=True)
class _Bar:
    """One bar of a lane, from left to right; several holds when each would be too narrow."""

    left: float
    right: float
    starts: list[float] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)

    @property
    def short(self) -> bool:
        return self.right - self.left <= _MIN_WIDTH or len(self.holds) > 1

    @property
    def current(self) -> bool:
        return self.holds[-1].until is None

    @property
    def label(self) -> str:
        return f"v{self.holds[0].version}" if len(self.holds) == 1 else f"{len(self.holds)} holds"


@dataclass(frozen=True, slots=True)
class _Area:
    """Where the lanes are: their sides, the width of the figure, the map from times to places."""

    left: float
    right: float
    width: float
    ticks: tuple[Tick, ...]
    at: Callable[[float], float]

    def place(self, time: str) -> float:
        """Return the place of a time, at the edge when it lies outside."""
        return min(max(self.at(seconds(parse_time(time))), self.left), self.right)


@dataclass(slots=True)
class _Canvas:
    """What was drawn so far, the links over it, and the kinds of marks, for the key."""

    body: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    used: set[_Kind] = field(default_factory=set)


def stage_timeline(data: Timeline, id_: str, width: float = WIDE) -> str:
    """Return the timeline as one SVG element.

    Args:
        data: what to draw.
        id_: makes the ids of this figure unique on its page.
        width: of the view box; WIDE or NARROW. Text has the same size in both.

    Raises:
        InvalidInputError: a time is not one.
    """
    end = parse_time(data.end)
    times = [hold.since for lane in data.lanes for hold in lane.holds]
    times += [drill.time for lane in data.lanes for drill in lane.drills]
    start = min([end, *map(parse_time, times)])
    bottom = _TOP + _PITCH * len(data.lanes)
    area = _area(data, width, (start, end) if times else None)
    canvas = _Canvas()
    if times:
        canvas.body.append(text_at(0, 13, f"from {minute_text(start)}", style="soft"))
    as_of = f"as of {minute_text(end)} UTC"
    canvas.body.append(text_at(width, 13, as_of, style="soft", anchor="end"))
    canvas.body += _axis(area, bottom)
    for n, lane in enumerate(data.lanes):
        _draw_lane(lane, area, _TOP + n * _PITCH, canvas)
    key, height = _key(canvas.used, width, bottom + (54 if times else 8))
    return figure(
        [*canvas.body, *key],
        id_=id_,
        kind="chart-timeline",
        size=(width, height),
        title=data.title,
        desc=describe(data),
        links=canvas.links,
    )


def _area(data: Timeline, width: float, span: tuple[datetime, datetime] | None) -> _Area:
    names = [text_width(_name(lane, width)) * BOLD for lane in data.lanes]
    now = [text_width(_now(lane)) * BOLD for lane in data.lanes]
    left = max(names, default=0.0) + 12
    right = width - max(now, default=0.0) - 10
    if span is None:
        return _Area(left, right, width, (), lambda _: right)
    start, end = span
    ticks = time_ticks(start, end, max(2, int((right - left) / _TICK_ROOM)))
    # a history of one moment has an axis too
    high = max(seconds(end), seconds(start) + 1)
    return _Area(left, right, width, ticks, projection(seconds(start), high, left, right))


def _name(lane: Lane, width: float) -> str:
    return fitted(lane.stage, width * 0.2 / BOLD)


def _now(lane: Lane) -> str:
    last = lane.holds[-1] if lane.holds else None
    return f"v{last.version}" if last and last.until is None else _EMPTY


def _axis(area: _Area, bottom: float) -> Iterable[str]:
    """Yield the grid and the axis with its labels; what they leave out, below where it changed."""
    places = [(tick, area.at(tick.at)) for tick in area.ticks]
    if places:
        path = "".join(f"M{x:.1f} {_TOP:g}V{bottom + 4:g}" for _, x in places)
        yield f'<path class="grid" d="{path}"/>'
    yield f'<path class="axis" d="M{area.left:.1f} {bottom:g}H{area.right:.1f}V{_TOP:g}"/>'
    free = area.width
    for tick, x in reversed(places):
        place = min(x, area.width - text_width(tick.label, SMALL) / 2)
        yield text_at(place, bottom + 17, tick.label, style="tick", anchor="middle")
        half = text_width(tick.context, SMALL) / 2
        place = min(x, area.width - half)
        # where two are too close, the later one says what the earlier one would
        if tick.context and place + half <= free:
            yield text_at(place, bottom + 31, tick.context, style="tick", anchor="middle")
            free = place - half - 6


def _draw_lane(lane: Lane, area: _Area, top: float, canvas: _Canvas) -> None:
    middle = top + _BAR + _BAR_HEIGHT / 2
    body = canvas.body
    body.append(text_at(0, middle + 4, _name(lane, area.width), style="name"))
    body.append(f'<path class="grid" d="M{area.left:.1f} {middle:g}H{area.right:.1f}"/>')
    bars = _bars(lane.holds, area)
    ends = [*(bar.left for bar in bars[1:]), area.right]
    for bar, end in zip(bars, ends, strict=False):
        _draw_bar(bar, top, canvas)
        if not bar.current:
            body.append(_label(bar, end, middle))
    _draw_arrows(lane, area, top, canvas)
    _draw_drills(lane.drills, area, top + _DRILL, canvas)
    now = _now(lane)
    style = "soft" if now == _EMPTY else "name"
    body.append(text_at(area.right + 6, middle + 4, now, style=style))


def _bars(holds: Sequence[Hold], area: _Area) -> list[_Bar]:
    """Lay the holds out as bars that do not overlap and are wide enough to be seen."""
    bars: list[_Bar] = []
    for hold in holds:
        start = area.place(hold.since)
        end = area.right if hold.until is None else area.place(hold.until)
        before = bars[-1] if bars else None
        narrow = end - start < _MIN_WIDTH
        mergeable = narrow and hold.until is not None
        if mergeable and before and before.short and start - before.right < 1:
            before.right = max(before.right, end)
            before.starts.append(start)
            before.holds.append(hold)
            continue
        left = max(start, before.right) if before else start
        right = max(end, left + _MIN_WIDTH)
        if right > area.right:
            left, right = area.right - _MIN_WIDTH, area.right
        bars.append(_Bar(left, right, [start], [hold]))
    return bars


def _draw_bar(bar: _Bar, top: float, canvas: _Canvas) -> None:
    """Draw a bar and link it to its version; one of several holds, to the newest."""
    # a gap of one unit keeps neighbours apart
    width = max(bar.right - bar.left - 1, _MIN_WIDTH - 1)
    frame = f'x="{bar.left:.1f}" y="{top + _BAR:g}" width="{width:.1f}" height="{_BAR_HEIGHT:g}"'
    style: _Kind = "now" if bar.current else "held"
    canvas.used.add(style)
    canvas.body.append(f'<rect class="{style}" {frame} rx="1.5"/>')
    if len(bar.holds) > 1:
        canvas.used.add("many")
        canvas.body.append(f'<path class="many" d="{_stripes(bar, top)}"/>')
    first, last = bar.holds[0], bar.holds[-1]
    until = "now" if last.until is None else minute_text(parse_time(last.until))
    words = f"{bar.label}: {minute_text(parse_time(first.since))} to {until}"
    if len(bar.holds) == 1:
        words += f", {first.action}"
    canvas.links.append(link(last.href, words, f"<rect {frame}/>"))


def _stripes(bar: _Bar, top: float) -> str:
    path, free = "", bar.left
    for start in bar.starts[1:]:
        if start >= free + _MIN_WIDTH:
            path += f"M{start:.1f} {top + _BAR + 1:g}v{_BAR_HEIGHT - 2:g}"
            free = start
    return path


def _label(bar: _Bar, end: float, middle: float) -> str:
    """Return the name of a bar, inside or to its right, or nothing where there is no room."""
    width = text_width(bar.label, SMALL)
    if width + 8 <= bar.right - bar.left:
        style = "inside halo" if len(bar.holds) > 1 else "inside"
        return text_at(bar.left + 4, middle + 4, bar.label, style=style)
    if width + 8 <= end - bar.right:
        return text_at(bar.right + 3, middle + 4, bar.label, style="soft halo")
    return ""


def _draw_arrows(lane: Lane, area: _Area, top: float, canvas: _Canvas) -> None:
    """Draw an arrow over each rollback; of those too close together, the newest."""
    free = area.width
    for hold in reversed(lane.holds):
        x = area.place(hold.since)
        if hold.action == "rollback" and x + _ARROW_GAP <= free:
            free = x
            canvas.used.add("rollback")
            canvas.body.append(_arrow(x, top + 9.5))
            words = f"rolled back to v{hold.version}: {minute_text(parse_time(hold.since))}"
            hit = f'<rect x="{x:.1f}" y="{top:g}" width="10" height="{_BAR:g}"/>'
            canvas.links.append(link(hold.href, words, hit))


def _draw_drills(drills: Sequence[Drill], area: _Area, y: float, canvas: _Canvas) -> None:
    """Draw the drills; of those in one place the first that failed, else the first."""
    shown: dict[int, Drill] = {}
    for drill in sorted(drills, key=lambda drill: (drill.ok, drill.time)):
        shown.setdefault(int(area.place(drill.time) / _DRILL_GAP), drill)
    for _, drill in sorted(shown.items()):
        x = area.place(drill.time)
        canvas.used.add(_outcome(drill))
        canvas.body.append(_drill(_outcome(drill), x, y))
        hit = f'<rect x="{x - 2.5:.1f}" y="{y - 5:g}" width="5" height="10"/>'
        words = f"{_outcome(drill)}: {minute_text(parse_time(drill.time))}"
        canvas.links.append(link("", words, hit))


def _outcome(drill: Drill) -> _Kind:
    return "drill succeeded" if drill.ok else "drill failed"


def _drill(outcome: _Kind, x: float, y: float) -> str:
    if outcome == "drill succeeded":
        return f'<path class="drill" d="M{x:.1f} {y - 3.5:g}v7"/>'
    return f'<path class="drill failed" d="M{x - 2.5:.1f} {y - 2.5:g}l5 5m0-5l-5 5"/>'


def _arrow(x: float, y: float) -> str:
    turn = "v-1.5a3.5 3.5 0 0 0-3.5-3.5h-5.5m3-3l-3 3l3 3"
    return f'<path class="rollback" d="M{x + 9:.1f} {y:.1f}{turn}"/>'


def _key(used: set[_Kind], width: float, y: float) -> tuple[list[str], float]:
    """Return the key to the marks that occur, in as many lines as it takes, and the full height."""
    body: list[str] = []
    x = 0.0
    for kind, word in _KEY.items():
        if kind in used:
            room = 17 + text_width(word, SMALL)
            if x and x + room > width:
                x, y = 0.0, y + 18
            body += [_sample(kind, x, y), text_at(x + 17, y, word, style="soft")]
            x += room + 16
    return body, y + 6


def _sample(kind: _Kind, x: float, y: float) -> str:
    """Return a mark of the key, left of its word."""
    match kind:
        case "now" | "held":
            frame = f'x="{x:.1f}" y="{y - 9:.1f}" width="12" height="10"'
            return f'<rect class="{kind}" {frame} rx="1.5"/>'
        case "many":
            stripes = f'<path class="many" d="M{x + 3:.1f} {y - 8:.1f}v8m3-8v8m3-8v8"/>'
            return _sample("held", x, y) + stripes
        case "rollback":
            return _arrow(x + 1, y)
        case "drill succeeded" | "drill failed":
            return _drill(kind, x + 6, y - 4)
        case _:
            assert_never(kind)
