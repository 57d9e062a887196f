"""When a failed delivery is tried again."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.hooks.schedule import LONGEST_ASKED_S, asked_s, backoff_s

NOW = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)


def test_it_doubles_to_an_hour() -> None:
    waits = [backoff_s(failures, 0.5) for failures in range(1, 15)]
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-1] == 3600


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_it_is_spread_around_that(failures: int, chance: float) -> None:
    middle = backoff_s(failures, 0.5)
    assert middle / 2 <= backoff_s(failures, chance) <= middle * 1.5
    assert 0.5 <= backoff_s(failures, chance) <= 5400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("0", 0),
        (" 120 ", 120),
        ("9" * 400, LONGEST_ASKED_S),
        ("Tue, 03 Mar 2026 09:31:00 GMT", 60),
        ("Tue, 03 Mar 2026 09:31:00", 60),
        ("Tue, 03 Mar 2020 09:31:00 GMT", 0),
        ("Tue, 03 Mar 2126 09:31:00 GMT", LONGEST_ASKED_S),
    ],
)
def test_a_receiver_may_ask_for_a_pause(text: str | None, seconds: float | None) -> None:
    assert asked_s(text, NOW) == seconds


@given(st.text())
def test_no_header_breaks_it(text: str) -> None:
    asked = asked_s(text, NOW)
    assert asked is None or 0 <= asked <= LONGEST_ASKED_S
