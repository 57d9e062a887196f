"""Stages over time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.model.times import format_time
from regista.site.charts.timeline import NARROW, WIDE, stage_timeline
from regista.site.charts.timeline_data import Drill, Hold, Lane, Timeline, describe, timeline_rows

END = datetime(2026, 11, 25, 13, 23, tzinfo=UTC)
Read = Callable[[str], "Figure"]
anything = st.text(st.characters(), max_size=40)


class Figure(Protocol):
    name: str
    words: str

    def texts(self, style: str = "") -> list[str]: ...
    def tooltips(self) -> list[str]: ...


def ago(**parts: float) -> str:
    return format_time(END - timedelta(**parts))


def hold(version: int, since: str, until: str | None, action: str = "promote") -> Hold:
    return Hold(version, since, until, action, f"v/{version}.html")


def timeline(*lanes: Lane) -> Timeline:
    return Timeline("stages of digits", lanes, format_time(END))


def bars(svg: str, style: str) -> list[tuple[float, float]]:
    """Left side and width of each bar."""
    parts = [part for part in svg.split("<rect ")[1:] if part.startswith(f'class="{style}" ')]
    numbers = [
        [part.split(f' {name}="')[1].split('"')[0] for name in ("x", "width")] for part in parts
    ]
    # the last one is the sample in the key
    return [(float(x), float(width)) for x, width in numbers][:-1]


DEMO = timeline(
    Lane(
        "prod",
        (
            hold(1, ago(days=90), ago(days=60)),
            hold(2, ago(days=60), ago(days=20)),
            hold(1, ago(days=20), None, "rollback"),
        ),
        (Drill(ago(days=70), ok=True), Drill(ago(days=5), ok=False)),
    ),
    Lane("staging", (hold(2, ago(days=80), ago(days=60)),)),
    Lane("dev", ()),
)


def test_it_says_what_one_sees(read: Read) -> None:
    figure = read(stage_timeline(DEMO, "t"))
    assert figure.name == "stages of digits"
    assert figure.words == (
        "prod holds v1, since 5 Nov 2026; 3 holds in all, 1 rollback, 2 drills, 1 failed."
        " staging is empty; 1 hold in all. dev never held a version."
        " As of 25 Nov 2026 13:23 UTC."
    )
    assert figure.texts("name") == ["prod", "v1", "staging", "dev"]
    assert figure.texts("inside") == ["v1", "v2", "v2"]
    assert {"from 27 Aug 2026 13:23", "as of 25 Nov 2026 13:23 UTC"} <= set(figure.texts())


def test_the_key_names_the_marks_that_occur_and_no_others(read: Read) -> None:
    words = {"holds it", "held it", "rollback", "drill succeeded", "drill failed"}
    assert words <= set(read(stage_timeline(DEMO, "t")).texts("soft"))
    plain = timeline(Lane("prod", (hold(1, ago(days=9), None),)))
    assert not (words - {"holds it"}) & set(read(stage_timeline(plain, "t")).texts("soft"))


def test_bars_rollbacks_and_drills_tell_more(read: Read) -> None:
    assert read(stage_timeline(DEMO, "t")).tooltips() == [
        "v1: 27 Aug 2026 13:23 to 26 Sep 2026 13:23, promote",
        "v2: 26 Sep 2026 13:23 to 5 Nov 2026 13:23, promote",
        "v1: 5 Nov 2026 13:23 to now, rollback",
        "rolled back to v1: 5 Nov 2026 13:23",
        "drill succeeded: 16 Sep 2026 13:23",
        "drill failed: 20 Nov 2026 13:23",
        "v2: 6 Sep 2026 13:23 to 26 Sep 2026 13:23, promote",
    ]
    assert '<a href="v/2.html" tabindex="-1">' in stage_timeline(DEMO, "t")


def test_bars_are_as_long_as_the_holds() -> None:
    (one, two) = bars(stage_timeline(DEMO, "t"), "held")[:2]
    assert (two[1] + 1) / (one[1] + 1) == pytest.approx(40 / 30, abs=0.01)


def test_a_hold_of_a_moment_is_still_seen() -> None:
    data = timeline(
        Lane("prod", (hold(1, ago(days=900), ago(hours=1)), hold(2, ago(hours=1), None)))
    )
    svg = stage_timeline(data, "t")
    assert bars(svg, "now")[0][1] >= 2
    assert bars(svg, "held")[0][1] > 500


def test_the_name_of_a_short_hold_stands_beside_it_where_there_is_room(read: Read) -> None:
    data = timeline(
        Lane("prod", (hold(7, ago(days=500), ago(days=499)), hold(8, ago(days=100), None)))
    )
    figure = read(stage_timeline(data, "t"))
    assert "v7" in figure.texts("halo")


def test_holds_too_short_to_tell_apart_share_a_bar_that_counts_them(read: Read) -> None:
    short = tuple(
        hold(i, ago(days=500 - i / 10), ago(days=500 - (i + 1) / 10)) for i in range(1, 400)
    )
    svg = stage_timeline(timeline(Lane("prod", (*short, hold(400, ago(days=460), None)))), "t")
    figure = read(svg)
    assert svg.count("<a ") == 2
    assert "399 holds" in " ".join(figure.tooltips())
    assert "several short holds" in figure.texts("soft")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_hundreds_of_holds_and_drills_stay_few_marks(read: Read, width: float) -> None:
    holds = tuple(
        hold(i, ago(days=501 - i), ago(days=500 - i), "rollback" if i % 3 else "promote")
        for i in range(1, 500)
    )
    drills = tuple(Drill(ago(days=i), ok=i % 50 != 0) for i in range(1, 500))
    svg = stage_timeline(timeline(Lane("prod", holds, drills)), "t", width)
    figure = read(svg)
    assert svg.count("<path") < 250
    # of drills in one place, the one that failed is shown
    assert len([text for text in figure.tooltips() if text.startswith("drill failed")]) == 9


def test_the_axis_ends_at_the_given_time_even_if_a_record_is_later(read: Read) -> None:
    later = format_time(END + timedelta(days=900))
    data = timeline(Lane("prod", (hold(1, ago(days=9), later),), (Drill(later, ok=True),)))
    svg = stage_timeline(data, "t")
    read(svg)
    assert all(x + width <= WIDE for x, width in bars(svg, "held"))


def test_a_history_of_one_moment_has_a_bar(read: Read) -> None:
    data = timeline(Lane("dev", (hold(1, format_time(END), None, "register"),)))
    svg = stage_timeline(data, "t")
    read(svg)
    assert bars(svg, "now")[0][1] > 500


def test_stages_that_never_held_anything_are_empty(read: Read) -> None:
    for data in (timeline(), timeline(Lane("prod", ()))):
        read(stage_timeline(data, "t"))
    assert "empty" in read(stage_timeline(timeline(Lane("prod", ())), "t")).texts("soft")
    assert describe(timeline()) == "No stage. As of 25 Nov 2026 13:23 UTC."


def test_days_that_meet_at_midnight_do_not_write_over_each_other(read: Read) -> None:
    end = datetime(2026, 11, 25, 0, 30, tzinfo=UTC)
    since = format_time(end - timedelta(minutes=50))
    data = Timeline("t", (Lane("prod", (hold(1, since, None),)),), format_time(end))
    texts = read(stage_timeline(data, "t", NARROW)).texts("tick")
    assert "25 Nov 2026" in texts


def test_the_table_has_holds_and_drills_newest_first() -> None:
    table = timeline_rows(DEMO)
    assert table.header == ("stage", "version", "event", "since (UTC)", "until (UTC)")
    assert [row.cells for row in table.rows[:3]] == [
        ("prod", "", "drill failed", "2026-11-20 13:23:00", ""),
        ("prod", "v1", "rollback", "2026-11-05 13:23:00", "holds it"),
        ("prod", "v2", "promote", "2026-09-26 13:23:00", "2026-11-05 13:23:00"),
    ]
    assert table.rows[1].href == "v/1.html"
    assert len(table.rows) == 6


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        stage_timeline(Timeline("t", (), "yesterday"), "t")


@st.composite
def lanes(draw: st.DrawFn) -> Lane:
    """Lanes as histories are: holds that follow each other, the last one perhaps open."""
    span = draw(st.sampled_from([1e-3, 1.0, 3e3, 1e5, 1e7, 1e9]))
    cuts = draw(st.lists(st.floats(0, 1), min_size=0, max_size=40).map(sorted))
    times = [ago(seconds=span * (1 - cut)) for cut in cuts]
    ends = [*times[1:], draw(st.sampled_from([None, format_time(END)]))]
    actions = st.sampled_from(["promote", "rollback", "register", "imported"])
    holds = [
        Hold(i + 1, since, until, draw(actions), draw(anything))
        for i, (since, until) in enumerate(zip(times, ends, strict=False))
    ]
    drills = [Drill(time, ok=draw(st.booleans())) for time in times[::3]]
    return Lane(draw(anything), tuple(holds), tuple(drills))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(
    st.lists(lanes(), max_size=4),
    st.text(st.characters(), min_size=1),
    anything,
    st.sampled_from([WIDE, NARROW]),
)
def test_whatever_happened_a_figure_comes_out(
    read: Read, stages: list[Lane], title: str, id_: str, width: float
) -> None:
    data = Timeline(title, tuple(stages), format_time(END))
    svg = stage_timeline(data, id_, width)
    read(svg)
    assert svg == stage_timeline(data, id_, width)
    assert "<script" not in svg
    assert len(timeline_rows(data).rows) == sum(len(x.holds) + len(x.drills) for x in stages)
