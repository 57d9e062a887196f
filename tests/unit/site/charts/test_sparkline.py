"""Figures in the cells of tables."""

import math
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regista.site.charts.sparkline import delta_bar, sparkline

Read = Callable[[str], object]
numbers = st.none() | st.floats()


def trend(svg: str) -> str:
    return svg.partition('class="trend" d="')[2].partition('"')[0]


@pytest.mark.parametrize("values", [[], [None], [math.nan, None], [math.inf]])
def test_no_values_are_said_to_be_none(values: list[float | None], read: Read) -> None:
    svg = sparkline(values, "s", "accuracy")
    read(svg)
    assert "accuracy: no values" in svg
    assert "<path" not in svg


def test_one_value_is_a_dot() -> None:
    svg = sparkline([0.5], "s", "accuracy")
    assert "accuracy: 0.5<" in svg
    assert "<path" not in svg
    assert 'cx="40.0" cy="10.0"' in svg


def test_equal_values_are_a_level_line() -> None:
    assert trend(sparkline([0.5] * 3, "s", "a")) == "M3.0 10.0h0L40.0 10.0L77.0 10.0"


def test_a_missing_value_leaves_a_gap_and_a_lone_value_is_a_dot() -> None:
    assert trend(sparkline([0, None, 1, 1], "s", "a")).count("M") == 2
    assert "M3.0 17.0h0M" in trend(sparkline([0, math.nan, 1, 1], "s", "a"))


def test_it_says_newest_and_range() -> None:
    svg = sparkline([0.2, 0.9, 0.7], "s", "accuracy")
    assert "accuracy: newest 0.7, from 0.2 to 0.9, 3 values" in svg


def test_many_values_thin_out_but_keep_their_extremes() -> None:
    values = [0.5] * 1000
    values[371], values[802] = 0.0, 1.0
    path = trend(sparkline(values, "s", "a"))
    assert path.count("L") < 100
    assert " 17.0" in path
    assert " 3.0" in path


def test_many_values_with_a_few_missing_are_still_one_line() -> None:
    values: list[float | None] = [float(i % 7) for i in range(1000)]
    values[500] = None
    assert trend(sparkline(values, "s", "a")).count("M") == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(numbers, max_size=120), st.text(st.characters()))
def test_whatever_comes_in_a_figure_comes_out(
    read: Read, values: list[float | None], label: str
) -> None:
    read(sparkline(values, "s", label))


def test_a_difference_is_said_with_its_interval_and_tolerance() -> None:
    svg = delta_bar(0.02, "d", "accuracy", low=0.01, high=0.03, limit=-0.01)
    assert "accuracy: +0.02, confidence interval 0.01 to 0.03, tolerance −0.01" in svg
    assert 'class="interval"' in svg
    assert 'class="gate"' in svg
    assert "accuracy: −0.5<" in delta_bar(-0.5, "d", "accuracy")


def test_zero_is_in_the_middle_whatever_the_difference() -> None:
    for difference in (-3.0, 0.0, 1e-9):
        assert 'class="zero" d="M60 2v16"' in delta_bar(difference, "d", "a")
    assert 'cx="60.0"' in delta_bar(0.0, "d", "a")


@pytest.mark.parametrize("difference", [None, math.nan, math.inf])
def test_what_cannot_be_compared_says_so(difference: float | None) -> None:
    svg = delta_bar(difference, "d", "accuracy")
    assert "cannot be compared" in svg
    assert 'class="last"' not in svg


def test_what_is_beyond_a_shared_axis_is_an_arrow_at_its_edge() -> None:
    right = delta_bar(5, "d", "a", low=4, high=6, limit=-9, extent=1)
    assert "M119 10l-6" in right
    assert 'class="gate"' not in right
    assert "M1 10l6" in delta_bar(-5, "d", "a", extent=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers, numbers, numbers, numbers, numbers)
def test_whatever_the_numbers_a_bar_comes_out(
    read: Read,
    difference: float | None,
    low: float | None,
    high: float | None,
    limit: float | None,
    extent: float | None,
) -> None:
    read(delta_bar(difference, "d", "a", low=low, high=high, limit=limit, extent=extent))
