"""Times that sort as texts, and durations."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.model.times import elapsed, format_duration, format_time, parse_duration, parse_time

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(
    datetime(1, 1, 2),
    datetime(9999, 12, 30),
    timezones=zones,
)


@given(moments)
def test_a_time_is_read_back_from_its_text(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment


@given(moments, moments)
def test_texts_of_times_sort_as_the_times_do(one: datetime, other: datetime) -> None:
    assert (format_time(one) < format_time(other)) == (one < other)
    assert len(format_time(one)) == len("2026-03-03T09:30:00.000000Z")


@given(moments, moments)
def test_elapsed_is_the_difference(one: datetime, other: datetime) -> None:
    assert elapsed(format_time(one), format_time(other)) == other - one


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-03-03T09:30:00Z", "2026-03-03T09:30:00.000000Z"),
        ("2026-03-03T09:30:00+01:00", "2026-03-03T08:30:00.000000Z"),
        ("2026-03-03T09:30:00.5-05:30", "2026-03-03T15:00:00.500000Z"),
        ("2026-03-03 09:30Z", "2026-03-03T09:30:00.000000Z"),
        ("2026-03-03", "2026-03-03T23:59:59.999999Z"),
    ],
)
def test_times_people_write_are_read(text: str, written: str) -> None:
    assert format_time(parse_time(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-02-30",
        "2026-13-01T00:00:00Z",
        "2026-03-03T25:00:00Z",
        "2026-03-03T09:30:00",
        "09:30Z",
        "10000-01-01",
        "٢٠٢٦-٠٣-٠٣",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-03-03T09:30:00Z\n",
    ],
)
def test_what_is_no_time_with_a_zone_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_time(text)


def test_the_last_day_that_there_is_has_an_end() -> None:
    assert parse_time("9999-12-30").tzinfo is UTC
    with pytest.raises(InvalidInputError):
        parse_time("9999-12-31")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800), ("2w", 1_209_600)],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "7", "d", "1.5h", "-1d", " 7d", "7d ", "7 d", "7D", "7y", "99999999999d", "٧d"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_duration(text)


def test_the_longest_duration_that_is_read_can_be_held() -> None:
    with pytest.raises(InvalidInputError):
        parse_duration("999999999w")


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=-5), "0s"),
        (timedelta(milliseconds=900), "0s"),
        (timedelta(seconds=61), "1m 1s"),
        (timedelta(hours=25, minutes=3), "1d 1h"),
        (timedelta(days=2, seconds=1), "2d 1s"),
    ],
)
def test_durations_are_shown_in_their_two_largest_units(delta: timedelta, text: str) -> None:
    assert format_duration(delta) == text
