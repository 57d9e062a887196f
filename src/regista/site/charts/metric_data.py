"""One metric of one entry over its versions: what was measured, and what the gates said.

Data, its table, and its description in words; `metric` draws.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from regista.site.charts.scales import number
from regista.site.charts.svg import Row, Table

Mark = Literal["passed", "refused", "none", "waived"]
Direction = Literal["min", "max"]

MARK_WORDS: dict[Mark, str] = {
    "passed": "passed",
    "refused": "refused",
    "none": "not judged",
    "waived": "waived",
}


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One version in the chart.

    Attributes:
        version: its number.
        value: None, or not finite, where it has none; leaves a gap.
        stderr: standard error of the value, in its unit.
        mark: outcome of its last decision.
        held: stages that it holds now.
        href: relative address of its page.
    """

    version: int
    value: float | None
    stderr: float | None
    mark: Mark
    held: tuple[str, ...]
    href: str


@dataclass(frozen=True, slots=True)
class GateLine:
    """A limit that a gate sets for the metric.

    Attributes:
        label: whose it is: a stage or a gate; may be empty.
        value: the limit, finite.
        direction: whether values may not be below (`min`) or above (`max`).
    """

    label: str
    value: float
    direction: Direction


@dataclass(frozen=True, slots=True)
class MetricChart:
    """A metric over versions.

    Attributes:
        title: name of the figure, such as `accuracy of digits/classifier`.
        metric: name of the metric.
        points: by version, ascending; no version twice.
        lines: limits of gates.
        incumbent: version in the last stage; None when that is empty.
        higher_is_better: None when nobody said.
        stage: name of the last stage, which the incumbent is labelled with.
    """

    title: str
    metric: str
    points: tuple[MetricPoint, ...]
    lines: tuple[GateLine, ...] = ()
    incumbent: int | None = None
    higher_is_better: bool | None = None
    stage: str = "prod"


def measured(point: MetricPoint) -> bool:
    """Say whether a point has a value that can be drawn."""
    return point.value is not None and math.isfinite(point.value)


def direction_words(data: MetricChart) -> str:
    """Say which way is better; empty when nobody said."""
    if data.higher_is_better is None:
        return ""
    return "higher is better" if data.higher_is_better else "lower is better"


def metric_rows(data: MetricChart) -> Table:
    """Return the facts of a metric chart, newest version first; values in full precision."""
    rows = [
        Row(
            (
                str(point.version),
                _exact(point.value, "no value"),
                _exact(point.stderr, ""),
                MARK_WORDS[point.mark],
                ", ".join(point.held),
            ),
            point.href,
        )
        for point in reversed(data.points)
    ]
    return Table(("version", data.metric, "standard error", "decision", "holds"), tuple(rows))


def gate_words(line: GateLine) -> str:
    """Return a limit in words: `prod min 0.8`."""
    return f"{line.label} {line.direction} {number(line.value, 6)}".strip()


def describe(data: MetricChart) -> str:
    """Say what a metric chart shows to somebody who sees it."""
    drawn = [point for point in data.points if measured(point)]
    if not drawn:
        return "No version has a value yet."
    values = [point.value for point in drawn if point.value is not None]
    first, last = drawn[0], drawn[-1]
    if len(drawn) == 1:
        parts = [f"{data.metric} of version {last.version} is {_shown(last)}"]
    else:
        versions = f"versions {first.version} to {last.version}"
        span = f"from {number(min(values))} to {number(max(values))}"
        parts = [f"{data.metric} over {versions}, {span}, newest {_shown(last)}"]
    if data.incumbent is not None:
        parts.append(_incumbent_words(data, drawn))
    counts = Counter(point.mark for point in drawn)
    parts += [f"{counts[mark]} {word}" for mark, word in MARK_WORDS.items() if counts[mark]]
    missing = len(data.points) - len(drawn)
    if missing:
        parts.append(f"{missing} without a value")
    parts += [f"gate: {gate_words(line)}" for line in data.lines]
    parts += filter(None, [direction_words(data)])
    return "; ".join(parts) + "."


def _incumbent_words(data: MetricChart, drawn: list[MetricPoint]) -> str:
    words = f"version {data.incumbent} is in {data.stage}"
    for point in drawn:
        if point.version == data.incumbent:
            return f"{words} with {_shown(point)}"
    return f"{words}, without a value"


def _shown(point: MetricPoint) -> str:
    return number(math.nan if point.value is None else point.value)


def _exact(value: float | None, absent: str) -> str:
    return absent if value is None or not math.isfinite(value) else repr(value)
