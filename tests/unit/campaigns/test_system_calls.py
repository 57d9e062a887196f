"""What is noted of a call that was made to fail: a model of the disk replays it."""

from pathlib import Path

import pytest

from campaigns.system_calls import Call, Fault, Watch


def made(fault: Fault, name: str, error: OSError | None = None) -> tuple[Call, list[str]]:
    """Fail a call; return what was noted of it, and what was done."""
    watch = Watch(Path("r"), at=0, fault=fault)
    done: list[str] = []

    def act() -> None:
        if error:
            raise error
        done.append(name)

    with pytest.raises(OSError, match=r"r/x|would have failed"):
        watch.made(Call(name, "r/x"), act)
    return watch.calls[0], done


@pytest.mark.parametrize("name", ["link", "mkdir"])
def test_a_call_whose_answer_was_lost_has_been_made(name: str) -> None:
    call, done = made(Fault.LOST_ANSWER, name)
    assert done == [name]
    assert not call.failed


def test_a_call_that_would_have_failed_anyway_was_not_made() -> None:
    call, done = made(Fault.LOST_ANSWER, "mkdir", FileExistsError("it would have failed"))
    assert done == []
    assert call.failed


@pytest.mark.parametrize(
    ("fault", "name"), [(Fault.EIO, "link"), (Fault.ENOSPC, "mkdir"), (Fault.LOST_ANSWER, "fsync")]
)
def test_what_was_refused_and_a_sync_that_failed_prove_nothing(fault: Fault, name: str) -> None:
    assert made(fault, name)[0].failed
