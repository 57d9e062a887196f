"""Which points a chart draws."""

from hypothesis import given
from hypothesis import strategies as st

from regista.site.charts.thinning import BUCKETS, LIMIT, NOTABLE, kept

many = st.lists(st.floats(-1e6, 1e6), min_size=LIMIT + 1, max_size=600)


def test_all_are_drawn_up_to_the_limit() -> None:
    assert kept([0.0] * LIMIT) == list(range(LIMIT))
    assert kept([]) == []


@given(many)
def test_a_thinned_series_keeps_its_ends_its_extremes_and_what_matters(
    values: list[float],
) -> None:
    notable = set(range(0, len(values), 3))
    shown = kept(values, notable)
    assert shown == sorted(set(shown))
    assert len(shown) <= 2 + 2 * BUCKETS + NOTABLE
    assert {0, len(values) - 1, *sorted(notable)[-NOTABLE:]} <= set(shown)
    assert min(values[i] for i in shown) == min(values)
    assert max(values[i] for i in shown) == max(values)
