import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.cli.charts import MOST_POINTS, STRIP, Strip, sparkline

NUMBERS = st.floats(-1e6, 1e6)


def test_a_sparkline_goes_from_the_least_to_the_greatest() -> None:
    assert sparkline([1, 2, 4.5, 8], blocks=True) == "▁▂▅█"
    assert sparkline([1, 2, 4.5, 8], blocks=False) == "_.=#"


def test_what_does_not_move_lies_in_the_middle_and_what_is_missing_is_a_gap() -> None:
    assert sparkline([3, None, 3], blocks=True) == "▅ ▅"
    assert not sparkline([None], blocks=True)


def test_of_many_values_the_newest_are_drawn() -> None:
    assert sparkline([99.0] * 50 + list(range(MOST_POINTS)), blocks=True)[-1] == "█"
    assert len(sparkline(range(200), blocks=True)) == MOST_POINTS


def test_an_interval_around_zero_shows_whether_it_holds_zero() -> None:
    strip = Strip.around([-0.1, 0.2], zero=True, blocks=True)
    assert (strip.low, strip.high) == (-0.2, 0.2)
    assert strip.draw(0.15, 0.1, 0.2) == "      │  ─●──"
    assert strip.draw(0.05, -0.1, 0.2) == "   ───│─●────"
    assert Strip(-1, 1, 0.0, blocks=False).draw(0.5, 0.4, 0.6) == "      | -o-"


def test_a_point_without_an_interval_is_a_point() -> None:
    strip = Strip.around([0.0, 1.0], zero=False, blocks=True)
    assert strip.draw(1.0, None, None) == " " * (STRIP - 1) + "●"
    assert not strip.draw(None, None, None)


@given(
    around=st.lists(NUMBERS, max_size=9),
    at=NUMBERS,
    interval=st.tuples(NUMBERS, NUMBERS),
    zero=st.booleans(),
    blocks=st.booleans(),
)
def test_a_row_never_leaves_its_scale(
    around: list[float], at: float, interval: tuple[float, float], *, zero: bool, blocks: bool
) -> None:
    low, high = sorted(interval)
    strip = Strip.around(around, zero=zero, blocks=blocks)
    assert 0 < len(strip.draw(at, low, high)) <= STRIP
    assert len(strip.ends) >= STRIP
    if not blocks:
        assert strip.draw(at, low, high).isascii()


@pytest.mark.parametrize("values", [[], [0.0], [5.0, 5.0]])
def test_a_scale_without_a_span_has_its_point_in_the_middle(values: list[float]) -> None:
    strip = Strip.around(values, zero=False, blocks=True)
    assert strip.draw(values[0] if values else 0.0, None, None).index("●") == STRIP // 2
