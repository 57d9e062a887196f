import io
import time

import pytest

from regista.cli import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_quick_work_shows_nothing(clock: list[float]) -> None:
    stderr = Terminal()
    with progress.Bar("storing", stderr) as bar:
        bar.start(100)
        bar.advance(100)
    assert clock == [0.0]
    assert not stderr.getvalue()


def test_long_work_shows_a_bar_with_what_was_done_before(clock: list[float]) -> None:
    stderr = Terminal()
    with progress.Bar("storing", stderr) as bar:
        bar.start(100)
        bar.advance(40)
        clock[0] = 1.5
        bar.advance(10)
        bar.advance(50)
    assert "storing" in stderr.getvalue()
    assert "100%" in stderr.getvalue()


def test_without_a_terminal_there_is_no_bar(clock: list[float]) -> None:
    stream = io.StringIO()
    with progress.Bar("storing", stream) as bar:
        bar.start(100)
        clock[0] = 5.0
        bar.advance(60)
    assert not stream.getvalue()


def test_work_of_nothing_is_no_division_by_zero(clock: list[float]) -> None:
    stderr = Terminal()
    with progress.Bar("storing", stderr) as bar:
        bar.start(0)
        clock[0] = 5.0
        bar.advance(0)
    assert not stderr.getvalue()
