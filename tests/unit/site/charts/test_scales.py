"""Ticks and numbers of axes."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.site.charts.scales import (
    integer_ticks,
    linear_ticks,
    number,
    padded,
    projection,
    seconds,
    time_ticks,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
moments = st.datetimes(timezones=st.just(UTC))


def labels(low: float, high: float, count: int = 5) -> list[str]:
    return [tick.label for tick in linear_ticks(low, high, count)]


def times(start: str, end: str, count: int = 6) -> list[str]:
    ticks = time_ticks(datetime.fromisoformat(start), datetime.fromisoformat(end), count)
    return [f"{tick.label} {tick.context}".strip() for tick in ticks]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.912, 0.915, ["0.912", "0.913", "0.914", "0.915"]),
        (0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-3, 1, ["−3", "−2", "−1", "0", "1"]),
        (1e-9, 3e-9, ["1e-9", "1.5e-9", "2e-9", "2.5e-9", "3e-9"]),
        (-2e-9, 0, ["−2e-9", "−1.5e-9", "−1e-9", "−5e-10", "0"]),
        (1e12, 2e12, ["1e12", "1.2e12", "1.4e12", "1.6e12", "1.8e12", "2e12"]),
        (0, 50_000, ["0", "10,000", "20,000", "30,000", "40,000", "50,000"]),
        (4e6, 12e6, ["4e6", "6e6", "8e6", "1e7", "1.2e7"]),
        (1e6, 3e6, ["1,000,000", "1,500,000", "2,000,000", "2,500,000", "3,000,000"]),
        (0.0001, 0.0003, ["0.00010", "0.00015", "0.00020", "0.00025", "0.00030"]),
    ],
)
def test_tick_precision_follows_the_span(low: float, high: float, expected: list[str]) -> None:
    assert labels(low, high) == expected


def test_large_numbers_a_little_apart_keep_their_digits() -> None:
    assert labels(1_000_000.0005, 1_000_000.0045) == [
        f"1000000.00{digit}" for digit in (1, 2, 3, 4)
    ]


@given(finite, finite)
def test_ticks_are_few_distinct_ascending_and_inside(one: float, two: float) -> None:
    low, high = padded(min(one, two), max(one, two))
    ticks = linear_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert len({tick.label for tick in ticks}) == len(ticks)
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)
    slack = (high / 2 - low / 2) * 1e-9
    assert all(low / 2 - slack <= tick.at / 2 <= high / 2 + slack for tick in ticks)


@given(finite, finite)
def test_a_padded_range_holds_its_values_and_is_never_empty(one: float, two: float) -> None:
    low, high = padded(min(one, two), max(one, two))
    assert low <= min(one, two)
    assert high >= max(one, two)
    assert low < high


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1 + 0.2, "0.3"),
        (0.91234, "0.9123"),
        (-0.5, "−0.5"),
        (0.0, "0"),
        (-0.0, "0"),
        (12345.678, "12,350"),
        (1234.0, "1234"),
        (1e-9, "1e-9"),
        (-1.5e-9, "−1.5e-9"),
        (1e12, "1e12"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.798e308"),
        (math.nan, "\N{EN DASH}"),
        (math.inf, "\N{EN DASH}"),
    ],
)
def test_numbers_for_people(value: float, expected: str) -> None:
    assert number(value) == expected


@given(finite, finite)
def test_projection_keeps_both_ends(one: float, two: float) -> None:
    low, high = padded(min(one, two), max(one, two))
    place = projection(low, high, 10, 90)
    assert place(low) == pytest.approx(10)
    assert place(high) == pytest.approx(90)


def test_projection_of_one_value_is_the_middle() -> None:
    assert projection(5, 5, 10, 90)(5) == 50
    # a span so small that half of it is nothing
    assert projection(0, 5e-324, 10, 90)(0) == 50


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (3, 3, [3]),
        (1, 2, [1, 2]),
        (1, 5, [1, 2, 3, 4, 5]),
        (1, 60, [1, 20, 40, 60]),
        (1, 500, [1, 100, 200, 300, 400, 500]),
        (7, 500, [7, 100, 200, 300, 400, 500]),
        (95, 500, [95, 200, 300, 400, 500]),
    ],
)
def test_version_ticks_are_whole_and_name_both_ends(
    low: int, high: int, expected: list[int]
) -> None:
    assert [tick.at for tick in integer_ticks(low, high)] == expected


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.integers(2, 12))
def test_version_ticks_never_crowd(low: int, span: int, count: int) -> None:
    ticks = integer_ticks(low, low + span, count)
    assert len(ticks) <= count + 2
    assert ticks[0].at == low
    assert ticks[-1].at == low + span


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (
            "2026-11-25T13:22:46Z",
            "2026-11-25T13:22:54Z",
            ["13:22:46 25 Nov 2026", "13:22:48", "13:22:50", "13:22:52", "13:22:54"],
        ),
        (
            "2026-11-25T23:50:10Z",
            "2026-11-26T00:11:00Z",
            ["23:55 25 Nov 2026", "00:00 26 Nov 2026", "00:05", "00:10"],
        ),
        (
            "2026-11-24T07:00:00Z",
            "2026-11-25T13:00:00Z",
            ["12:00 24 Nov 2026", "18:00", "00:00 25 Nov 2026", "06:00", "12:00"],
        ),
        (
            "2026-12-29T07:00:00Z",
            "2027-01-02T13:00:00Z",
            ["30 Dec 2026", "31 Dec", "1 Jan 2027", "2 Jan"],
        ),
        # Mondays
        (
            "2026-11-01T07:00:00Z",
            "2026-11-28T13:00:00Z",
            ["2 Nov 2026", "9 Nov", "16 Nov", "23 Nov"],
        ),
        (
            "2026-10-02T00:00:00Z",
            "2027-02-03T00:00:00Z",
            ["Nov 2026", "Dec", "Jan 2027", "Feb"],
        ),
        (
            "2023-05-02T00:00:00Z",
            "2026-02-03T00:00:00Z",
            ["Jul 2023", "Jan 2024", "Jul", "Jan 2025", "Jul", "Jan 2026"],
        ),
        ("2021-05-02T00:00:00Z", "2025-02-03T00:00:00Z", ["2022", "2023", "2024", "2025"]),
        (
            "1966-12-02T00:00:00Z",
            "2026-02-03T00:00:00Z",
            ["1970", "1980", "1990", "2000", "2010", "2020"],
        ),
        ("2026-11-25T13:22:46.100Z", "2026-11-25T13:22:46.200Z", []),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", ["2000", "4000", "6000", "8000"]),
    ],
)
def test_time_ticks_stand_at_round_times(start: str, end: str, expected: list[str]) -> None:
    assert times(start, end) == expected


@given(moments, moments, st.integers(2, 12))
def test_time_ticks_are_inside_and_never_more_than_asked(
    one: datetime, two: datetime, count: int
) -> None:
    start, end = min(one, two), max(one, two)
    ticks = time_ticks(start, end, count)
    assert len(ticks) <= count
    assert all(seconds(start) <= tick.at <= seconds(end) for tick in ticks)
    if end - start >= timedelta(seconds=20) and end.year < 9000:
        assert ticks or end - start > timedelta(days=365) or count < 3
