"""A metric over versions."""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regista.site.charts.metric import metric_chart
from regista.site.charts.metric_data import (
    GateLine,
    Mark,
    MetricChart,
    MetricPoint,
    describe,
    metric_rows,
)

_MARKS = ("passed", "refused", "none", "waived")


class Figure(Protocol):
    name: str
    words: str

    def texts(self, style: str = "") -> list[str]: ...
    def tooltips(self) -> list[str]: ...


Read = Callable[[str], Figure]
anything = st.text(st.characters(), max_size=40)


def point(version: int, value: float | None, mark: Mark = "passed") -> MetricPoint:
    return MetricPoint(version, value, None, mark, (), f"v/{version}.html")


def chart(*values: float | None, **more: object) -> MetricChart:
    points = tuple(point(i + 1, value) for i, value in enumerate(values))
    return replace(MetricChart("accuracy of digits", "accuracy", points), **more)  # type: ignore[arg-type]


def path(svg: str, style: str) -> str:
    return svg.partition(f'class="{style}"')[2].partition(' d="')[2].partition('"')[0]


DEMO = MetricChart(
    title="accuracy of digits/classifier",
    metric="accuracy",
    points=(
        point(1, 0.71, "refused"),
        replace(point(2, 0.93), held=("prod",), stderr=0.012),
        point(3, 0.88, "waived"),
        point(4, 0.9, "none"),
        replace(point(5, 0.92), held=("staging",)),
    ),
    lines=(GateLine("prod", 0.8, "min"),),
    incumbent=2,
    higher_is_better=True,
)


def test_it_says_what_one_sees(read: Read) -> None:
    figure = read(metric_chart(DEMO, "m"))
    assert figure.name == "accuracy of digits/classifier"
    assert figure.words == (
        "accuracy over versions 1 to 5, from 0.71 to 0.93, newest 0.92; version 2 is in prod with"
        " 0.93; 2 passed; 1 refused; 1 not judged; 1 waived; gate: prod min 0.8; higher is better."
    )
    assert "higher is better" in figure.texts()
    assert "min 0.80" in figure.texts()
    assert "prod" in figure.texts("holder")
    assert "staging" in figure.texts("holder")


def test_every_outcome_has_a_shape_of_its_own_and_a_word_in_the_key(read: Read) -> None:
    svg = metric_chart(DEMO, "m")
    shapes = {"".join(c for c in path(svg, m) if c.isalpha()) for m in _MARKS}
    assert len(shapes) == len(_MARKS)
    assert {"passed", "refused", "not judged", "waived"} <= set(read(svg).texts("soft"))


def test_a_point_links_to_its_version_and_tells_it(read: Read) -> None:
    svg = metric_chart(DEMO, "m")
    assert '<a href="v/2.html" tabindex="-1">' in svg
    assert read(svg).tooltips() == [
        "version 1: 0.71, refused",
        "version 2: 0.93 ± 0.012, passed, in prod",
        "version 3: 0.88, waived",
        "version 4: 0.9, not judged",
        "version 5: 0.92, passed, in staging",
    ]


def test_only_the_incumbent_is_ringed() -> None:
    assert metric_chart(DEMO, "m").count('class="ring"') == 1
    assert 'class="ring"' not in metric_chart(replace(DEMO, incumbent=None), "m")
    assert 'class="ring"' not in metric_chart(replace(DEMO, incumbent=77), "m")


def test_an_incumbent_is_labelled_with_the_name_of_its_stage(read: Read) -> None:
    assert "live" in read(metric_chart(replace(DEMO, stage="live"), "m")).texts("holder")[0]


def test_an_incumbent_without_a_value_is_said_to_have_none() -> None:
    assert "version 2 is in prod, without a value" in describe(chart(0.7, None, 0.8, incumbent=2))


def test_missing_values_leave_gaps() -> None:
    assert path(metric_chart(chart(1, 2, 3), "m"), "trend").count("M") == 1
    assert path(metric_chart(chart(1, None, 3), "m"), "trend").count("M") == 2
    assert path(metric_chart(chart(1, math.nan, 3, math.inf, 4), "m"), "trend").count("M") == 3
    assert "2 without a value" in describe(chart(1, math.nan, 3, math.inf, 4))


def test_versions_stand_where_their_numbers_are() -> None:
    data = replace(DEMO, points=(point(1, 1.0), point(2, 1.0), point(11, 1.0)), lines=())
    places = [
        float(part.split()[0]) for part in path(metric_chart(data, "m"), "passed").split("M")[1:]
    ]
    assert places[2] - places[1] == pytest.approx(9 * (places[1] - places[0]), abs=1)


def test_no_versions_and_no_values_are_said(read: Read) -> None:
    for data in (chart(), chart(None, math.nan)):
        figure = read(metric_chart(data, "m"))
        assert figure.words == "No version has a value yet."
        assert "no values yet" in figure.texts()


def test_one_value_is_told_without_a_range() -> None:
    assert describe(chart(0.5)) == "accuracy of version 1 is 0.5; 1 passed."


def test_equal_values_have_an_axis(read: Read) -> None:
    assert len(read(metric_chart(chart(0.5, 0.5), "m")).texts("tick")) >= 4


def test_close_values_have_labels_that_differ(read: Read) -> None:
    ticks = read(metric_chart(chart(0.912, 0.913, 0.915), "m")).texts("tick")
    assert ticks[:4] == ["0.912", "0.913", "0.914", "0.915"]


def test_error_bars_only_where_points_are_few() -> None:
    points = tuple(replace(point(i + 1, i * 1.0), stderr=0.1) for i in range(41))
    assert 'class="bars"' in metric_chart(replace(DEMO, points=points[:40]), "m")
    assert 'class="bars"' not in metric_chart(replace(DEMO, points=points), "m")


@pytest.mark.parametrize("stderr", [0.0, -1.0, math.nan, math.inf, 1.7e308])
def test_an_error_that_is_none_has_no_bar(stderr: float) -> None:
    values = tuple(replace(point(i, 1.7e308 - i), stderr=stderr) for i in (1, 2))
    assert 'class="bars"' not in metric_chart(replace(DEMO, points=values), "m")


def test_a_limit_keeps_all_its_digits(read: Read) -> None:
    figure = read(metric_chart(chart(0.7, 0.9, lines=(GateLine("", 0.8049, "min"),)), "m"))
    assert figure.texts("limit") == ["min 0.8049"]


def test_a_limit_far_from_the_values_is_named_at_the_edge_and_flattens_nothing(
    read: Read,
) -> None:
    lines = (GateLine("prod", 0.1, "min"), GateLine("cap", 5, "max"))
    svg = metric_chart(chart(0.931, 0.932, lines=lines), "m")
    assert read(svg).texts("limit") == ["max 5 ↑", "min 0.1 ↓"]
    assert 'class="gate"' not in svg


def test_equal_limits_are_one_line_with_both_names(read: Read) -> None:
    lines = (GateLine("prod", 0.8, "min"), GateLine("staging", 0.8, "min"))
    svg = metric_chart(chart(0.7, 0.9, lines=(*lines, lines[0])), "m")
    assert svg.count('class="gate"') == 1
    assert "prod, staging" in read(svg).texts("soft")


@pytest.mark.parametrize("count", [1, 4, 9, 30])
def test_labels_of_limits_never_overlap(read: Read, count: int) -> None:
    lines = tuple(GateLine(f"g{i}", 0.8 + i / 10_000, "min") for i in range(count))
    svg = metric_chart(chart(0.7, 0.9, lines=lines), "m")
    places = [
        float(part.split('y="')[1].split('"')[0]) for part in svg.split("<text ") if "limit" in part
    ]
    assert all(after - before >= 12.9 for before, after in pairwise(places))
    assert len(places) == count or read(svg).texts("limit")[-1] == f"+ {count - 10} more"


def big(count: int) -> MetricChart:
    marks: tuple[Mark, ...] = ("passed", "refused", "none", "waived", "passed")
    points = [point(i, math.sin(i) + i / 100, marks[i % 5]) for i in range(1, count + 1)]
    points[2] = replace(points[2], value=-50.0)
    points[-3] = replace(points[-3], held=("prod",))
    return replace(DEMO, points=tuple(points), incumbent=count - 2)


def test_many_points_thin_out_and_it_is_said_how_many_are_drawn(read: Read) -> None:
    data = big(2000)
    svg = metric_chart(data, "m")
    drawn = svg.count("<a ")
    assert 100 < drawn <= 200
    tooltips = read(svg).tooltips()
    for version in (1, 3, 1998, 2000):
        assert [text for text in tooltips if text.startswith(f"version {version}:")]
    assert f"{drawn} of 2000 versions drawn" in read(svg).texts()
    assert 'class="ring"' in svg
    assert path(svg, "trend").count("M") == 1


def test_the_note_stands_beside_the_key_where_both_fit(read: Read) -> None:
    crowded = metric_chart(big(2000), "m")
    plain = replace(big(2000), points=tuple(replace(p, mark="none") for p in big(2000).points))
    assert "2000 versions drawn" in read(metric_chart(plain, "m")).texts()[-1]
    assert 'height="211"' in metric_chart(plain, "m")
    assert 'height="229"' in crowded


def test_up_to_150_points_all_are_drawn() -> None:
    svg = metric_chart(big(150), "m")
    assert svg.count("<a ") == 150
    assert "versions drawn" not in svg


def test_a_few_missing_among_many_do_not_tear_the_line() -> None:
    data = big(2000)
    missing = replace(data.points[999], value=None)
    torn = replace(data, points=(*data.points[:999], missing, *data.points[1000:]))
    assert path(metric_chart(torn, "m"), "trend").count("M") == 1


def test_the_table_has_every_version_in_full_precision() -> None:
    table = metric_rows(DEMO)
    assert table.header == ("version", "accuracy", "standard error", "decision", "holds")
    assert [row.cells for row in table.rows[-2:]] == [
        ("2", "0.93", "0.012", "passed", "prod"),
        ("1", "0.71", "", "refused", ""),
    ]
    assert table.rows[0].href == "v/5.html"
    assert metric_rows(chart(0.1 + 0.2)).rows[0].cells[1] == "0.30000000000000004"
    assert metric_rows(chart(math.nan)).rows[0].cells[1] == "no value"
    assert len(metric_rows(big(2000)).rows) == 2000


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "</svg>", "]]>", "\"'&", "\u202e\x00"]
)
def test_hostile_text_is_inert(read: Read, text: str) -> None:
    data = MetricChart(
        title=text,
        metric=text,
        points=(MetricPoint(1, 0.5, None, "passed", (text,), f"javascript:{text}"),),
        lines=(GateLine(text, 0.4, "min"),),
        incumbent=1,
        stage=text,
    )
    svg = metric_chart(data, text)
    read(svg)
    assert "<script" not in svg
    assert "<a " not in svg


marks = st.sampled_from(_MARKS)
values = st.none() | st.floats()
points = st.builds(
    MetricPoint,
    version=st.integers(1, 10**9),
    value=values,
    stderr=values,
    mark=marks,
    held=st.lists(anything, max_size=3).map(tuple),
    href=anything,
)
lines = st.builds(
    GateLine,
    label=anything,
    value=st.floats(allow_nan=False, allow_infinity=False),
    direction=st.sampled_from(["min", "max"]),
)
charts = st.builds(
    MetricChart,
    title=st.text(st.characters(), min_size=1),
    metric=anything,
    points=st.lists(points, max_size=30, unique_by=lambda point: point.version).map(
        lambda found: tuple(sorted(found, key=lambda point: point.version))
    ),
    lines=st.lists(lines, max_size=15).map(tuple),
    incumbent=st.none() | st.integers(1, 30),
    higher_is_better=st.none() | st.booleans(),
    stage=anything,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(charts, anything)
def test_whatever_comes_in_a_figure_comes_out(read: Read, data: MetricChart, id_: str) -> None:
    svg = metric_chart(data, id_)
    read(svg)
    assert svg == metric_chart(data, id_)
    metric_rows(data)


def test_the_bytes_do_not_depend_on_hash_seeds() -> None:
    code = (
        "from regista.site.charts.metric import metric_chart;"
        "from regista.site.charts.metric_data import *;"
        "print(metric_chart(MetricChart('t', 'm', tuple("
        "MetricPoint(i, i % 7.0, None, ('passed', 'none')[i % 2], ('a', 'b'), 'x') "
        "for i in range(1, 400)), (GateLine('a', 3, 'min'), GateLine('b', 3, 'min'))), 'i'))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
