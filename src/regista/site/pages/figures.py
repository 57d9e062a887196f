"""The drawings of an entry's page: metrics over versions, and what each stage held. Pure."""

from typing import NamedTuple

from markupsafe import Markup

from regista.site.charts.metric import metric_chart
from regista.site.charts.metric_data import GateLine, Mark, MetricChart, MetricPoint, metric_rows
from regista.site.charts.svg import Table
from regista.site.charts.timeline import NARROW, stage_timeline
from regista.site.charts.timeline_data import Drill, Hold, Lane, Timeline, timeline_rows
from regista.site.listing import Site
from regista.site.model import Entry, GatedMetric, Version
from regista.site.pages.comparing import score_of

# one point is no trend; the page's tables have it
_FEWEST = 2
_MARKS: dict[str, Mark] = {"passed": "passed", "refused": "refused", "waived": "waived"}


class Figure(NamedTuple):
    """A drawing, and the table of what it shows."""

    svg: Markup
    table: Table
    caption: str


def metric_figure(entry: Entry, metric: GatedMetric, site: Site, id_: str) -> Figure | None:
    """Draw a metric over the versions of an entry; None where fewer than two have it."""
    found = [
        (version, score_of(version, metric.suite, metric.task, metric.metric))
        for version in reversed(entry.versions)
        if version.status != "deleted"
    ]
    scores = [score for _version, score in found if score]
    if len(scores) < _FEWEST:
        return None
    final = entry.slot(site.final_stage)
    title = f"{metric.metric} of {entry.name} in {metric.suite}"
    data = MetricChart(
        title=title,
        metric=" / ".join(filter(None, (metric.suite, metric.task, metric.metric))),
        points=tuple(
            MetricPoint(
                version.number,
                score.value if score else None,
                score.stderr if score else None,
                _MARKS.get(version.outcome, "none"),
                version.stages,
                _href(version),
            )
            for version, score in found
        ),
        lines=_lines(metric),
        incumbent=final.version if final else None,
        higher_is_better=scores[-1].higher_is_better,
        stage=site.final_stage,
    )
    svg = Markup(metric_chart(data, id_))  # noqa: S704 - it escapes
    return Figure(svg, metric_rows(data), title)


def _lines(metric: GatedMetric) -> tuple[GateLine, ...]:
    lines = []
    if metric.minimum is not None:
        lines.append(GateLine("gate", metric.minimum, "min"))
    if metric.maximum is not None:
        lines.append(GateLine("gate", metric.maximum, "max"))
    return tuple(lines)


def _href(version: Version) -> str:
    # the figure stands on the entry's own page, one folder above
    return f"v/{version.number}.html"


def timeline_figure(entry: Entry, site: Site) -> Figure | None:
    """Draw what each stage of an entry held; None where none ever held anything.

    The axis ends with the entry's last event: a page may not change because of other entries.
    """
    if not entry.holds:
        return None
    order = [*site.stages, *(slot.stage for slot in entry.slots)]
    stages = [stage for stage in dict.fromkeys(order) if entry.slot(stage)]
    data = Timeline(
        title=f"what each stage of {entry.name} held",
        lanes=tuple(_lane(entry, stage) for stage in reversed(stages)),
        end=entry.updated,
    )
    wide = stage_timeline(data, "timeline")
    narrow = stage_timeline(data, "timeline-phone", NARROW)
    # which of the two is shown is the style sheet's to say; both escape what they show
    svg = Markup(  # noqa: S704
        f'<div class="chart-for-screen">{wide}</div><div class="chart-for-phone">{narrow}</div>'
    )
    return Figure(svg, timeline_rows(data), data.title)


def _lane(entry: Entry, stage: str) -> Lane:
    return Lane(
        stage,
        tuple(
            Hold(hold.version, hold.since, hold.until, hold.action, f"v/{hold.version}.html")
            for hold in entry.holds
            if hold.stage == stage
        ),
        tuple(Drill(drill.time, drill.ok) for drill in entry.drills if drill.stage == stage),
    )
