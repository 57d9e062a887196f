import gc

import pytest

from regista.site.collecting import THRESHOLD, fewer_collections


@pytest.mark.parametrize(
    ("before", "within"),
    [(700, THRESHOLD), (THRESHOLD * 2, THRESHOLD * 2), (0, 0)],
)
def test_the_collector_runs_less_often_and_then_as_before(before: int, within: int) -> None:
    found = gc.get_threshold()
    try:
        gc.set_threshold(before, 7, 8)
        with pytest.raises(KeyError), fewer_collections():
            assert gc.get_threshold() == (within, 7, 8)
            raise KeyError
        assert gc.get_threshold() == (before, 7, 8)
    finally:
        gc.set_threshold(*found)
