"""Runs of a command that end in a power cut, at every call, and what the judge says of them."""

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from random import Random

from campaigns import forking
from campaigns.cases import Case, run
from campaigns.power_cuts import Disk, Image, cuts, lay_out
from campaigns.sweeps import Bench, Result
from campaigns.system_calls import Call, Watch, watching
from support.cli import Ran

CUT, CHANCE, AGAIN = (
    "power cut: all that was not synced is lost",
    "power cut: chance decides what was not synced",
    "killed, run again to the end, then a power cut",
)
CHANCES = 2
_Ending = tuple[str, Image, Ran | None]


@dataclass(frozen=True, slots=True)
class Recording:
    """A run without faults.

    Attributes:
        disk: as it was before.
        calls: all that the command did.
        ran: what it said.
    """

    disk: Disk
    calls: list[Call]
    ran: Ran


def record(bench: Bench, case: Case) -> Recording:
    """Run a command with nothing failing, and keep what it did."""
    bench.recorded(case)
    with bench.copy(case) as folder:
        disk = Disk.of(folder)
        ran, calls = forking.value(lambda: _run(bench, folder, case))
    return Recording(disk, calls, ran)


def every_cut(
    bench: Bench, case: Case, recording: Recording, *, without: str = "", again: bool = True
) -> Iterator[Result]:
    """Cut the power before every call that changes something, and at the end; the end first.

    Args:
        bench: where to run.
        case: the command.
        recording: of the command.
        without: a sync that is not done: the name of its place in the program.
        again: whether to kill the command there too, run it again, and cut the power then.
    """
    calls = [call for call in recording.calls if not without or call.site != without]
    start = copy.deepcopy(recording.disk)
    moments = [_Moment(number, copy.deepcopy(disk)) for number, disk in cuts(start, calls)]
    seen: set[int] = set()
    for moment in reversed(moments):
        ended = moment.number == len(calls)
        where = f"{moment.number} {'the end' if ended else calls[moment.number]}"
        ran = recording.ran if ended else None
        endings = _endings(moment, ran)
        if again and not ended:
            endings = chain(endings, _after_running_again(bench, case, moment.disk))
        for fault, image, said in endings:
            key = hash((said is None, tuple(sorted(image.items()))))
            if key not in seen:
                seen.add(key)
                yield _judged(bench, case, image, said, (fault, where))


@dataclass(frozen=True, slots=True)
class _Moment:
    """The disk before call `number`."""

    number: int
    disk: Disk


def _endings(moment: _Moment, ran: Ran | None) -> Iterator[_Ending]:
    """Yield what may be found after a cut at a moment, and what the command said by then."""
    yield CUT, moment.disk.after_cut(), ran
    for number in range(CHANCES):
        yield CHANCE, moment.disk.after_cut(Random(f"{moment.number} {number}")), ran


def _after_running_again(bench: Bench, case: Case, disk: Disk) -> Iterator[_Ending]:
    """Run a command on what a kill left, and cut the power when it has answered."""
    if disk.after_cut() == disk.seen():
        return
    with bench.copy(case) as folder:
        lay_out(disk.seen(), folder)
        ran, calls = forking.value(lambda: _run(bench, folder, case))
    model = copy.deepcopy(disk)
    for call in calls:
        model.apply(call)
    yield AGAIN, model.after_cut(), ran if ran.code == 0 else None


def _run(bench: Bench, folder: Path, case: Case) -> tuple[Ran, list[Call]]:
    with bench.mutation(), watching(Watch(folder, contents=True)) as watch:
        ran = run(folder, *case.command())
    return ran, watch.calls


def _judged(
    bench: Bench, case: Case, image: Image, ran: Ran | None, what: tuple[str, str]
) -> Result:
    started = time.monotonic()
    with bench.copy(case) as folder:
        lay_out(image, folder)
        verdict = bench.judged(folder, case, ran)
    fault, where = what
    code, seconds = ran.code if ran else None, round(time.monotonic() - started, 3)
    return Result(case.name, fault, where, code, verdict.committed, verdict.violations, seconds)
