import threading
import time

import pytest

from fakes.progress_bar import Bar
from regista.storage.parallel import Meter, run_all


class StrictBar(Bar):
    """A progress bar that notices two threads at once."""

    inside = 0

    def advance(self, n_bytes: int) -> None:
        self.inside += 1
        assert self.inside == 1
        time.sleep(0)
        super().advance(n_bytes)
        self.inside -= 1


@pytest.mark.parametrize("items", [0, 1, 100])
def test_results_are_in_the_order_of_the_items(items: int) -> None:
    assert run_all(lambda item: item * 2, range(items), Meter(None, 0)) == [
        item * 2 for item in range(items)
    ]


def test_progress_is_told_by_one_thread_at_a_time_and_misses_nothing() -> None:
    bar = StrictBar()
    meter = Meter(bar, 4000)

    def work(_: int) -> None:
        for _ in range(100):
            meter.advance(1)

    run_all(work, range(40), meter)
    assert (bar.total, bar.done) == (4000, 4000)


def test_the_first_failure_is_raised_and_stops_the_others() -> None:
    meter = Meter(None, 0)
    others = threading.Barrier(3)
    began: list[int] = []

    def work(item: int) -> None:
        began.append(item)
        if item < 3:
            others.wait()
        if item == 0:
            raise ZeroDivisionError
        while True:
            meter.advance(1)

    with pytest.raises(ZeroDivisionError):
        run_all(work, range(1000), meter)
    assert len(began) < 1000


def test_no_thread_outlives_a_failure() -> None:
    before = threading.active_count()

    def work(item: int) -> None:
        if item:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_all(work, range(20), Meter(None, 0))
    assert threading.active_count() == before
