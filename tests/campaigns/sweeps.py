"""A sweep: one command, and one run for every system call of it and every fault."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from campaigns import forking
from campaigns.cases import DATA, Case, prepare, run
from campaigns.judging import HALF, LOST, UNSOUND, Verdict, Views, judge, view
from campaigns.power_cuts import Disk, Image
from campaigns.system_calls import Call, Fault, Watch, watching
from support.cli import Ran

_LOG = f"{DATA}/log/"
Mutation = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Result:
    """One run.

    Attributes:
        case: the command's name.
        fault: what happened, where.
        code: its exit code; None when it was killed.
        committed: whether its commit was in the log afterwards.
        violations: kind and detail of each.
        seconds: how long the run and the judge took.
    """

    case: str
    fault: str
    where: str
    code: int | None
    committed: bool
    violations: list[tuple[str, str]]
    seconds: float


@dataclass(slots=True)
class Bench:
    """Prepared registries, and a place to run commands on copies of them.

    Attributes:
        folder: where everything lies; removed by whoever made it.
        mutation: what is broken in every command under test, for the mutants.
    """

    folder: Path
    mutation: Mutation = nullcontext
    _recorded: dict[str, tuple[list[Call], Views]] = field(default_factory=dict)

    def recorded(self, case: Case) -> tuple[list[Call], Views]:
        """Return the calls that a command makes when nothing fails, and what readers see."""
        if case.name not in self._recorded:
            with self.copy(case) as folder:
                before = forking.value(lambda: view(folder))
                ran, calls = forking.value(lambda: self._watched(folder, case, None, Fault.KILL))
                if ran.code:
                    raise RuntimeError(f"{case.name} fails without any fault: {ran}")
                after = forking.value(lambda: view(folder))
            self._recorded[case.name] = calls, Views(before, after)
        return self._recorded[case.name]

    @contextmanager
    def copy(self, case: Case) -> Iterator[Path]:
        """Lend a fresh copy of a case's registry."""
        base = self.folder / "bases" / case.base
        if not base.exists():
            forking.value(lambda: prepare(case.base, base))
        copy = self.folder / f"run {case.name}"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(base, copy)
        try:
            yield copy
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    def try_fault(self, case: Case, at: int, fault: Fault) -> Result:
        """Run a command with a fault at its call number `at`, and judge what it left."""
        calls, _views = self.recorded(case)
        started = time.monotonic()
        with self.copy(case) as folder:
            disk = Disk.of(folder)
            ended = forking.run(lambda: self._watched(folder, case, at, fault))
            ran, done = ended.value or (None, [])
            verdict = self.judged(folder, case, ran)
            if ran and ran.code == 0 and case.writes and not _survives_a_cut(disk, done):
                verdict.violations.append((LOST, "exit 0, though a power cut would undo it"))
            if ended.hung or ended.error:
                verdict.violations.append((UNSOUND, ended.error[-400:] or "it never ended"))
        # threads may come in another order than when it was recorded
        made = done if at < len(done) else calls
        where = str(made[at])
        return Result(
            case.name,
            fault.value,
            f"{at} {where}",
            ran.code if ran else None,
            verdict.committed,
            verdict.violations,
            round(time.monotonic() - started, 3),
        )

    def judged(self, folder: Path, case: Case, ran: Ran | None) -> Verdict:
        """Judge in a process of its own what a command left."""
        _calls, views = self.recorded(case)
        ended = forking.run(lambda: judge(folder, case, views, ran))
        if ended.value is None:
            why = ended.error[-400:] or "a reader never ended"
            return Verdict(violations=[(HALF, why)])
        return ended.value

    def _watched(
        self, folder: Path, case: Case, at: int | None, fault: Fault
    ) -> tuple[Ran, list[Call]]:
        with self.mutation(), watching(Watch(folder, at, fault, contents=True)) as watch:
            ran = run(folder, *case.command())
        return ran, watch.calls


def sweep(bench: Bench, case: Case, faults: Sequence[Fault]) -> Iterator[Result]:
    """Run a command with each fault at each of its calls."""
    calls, _views = bench.recorded(case)
    for fault in faults:
        for at in places(calls, fault):
            yield bench.try_fault(case, at, fault)


def _survives_a_cut(disk: Disk, calls: Sequence[Call]) -> bool:
    """Say whether a power cut after a command leaves a commit that was not there before."""
    before = _commits(disk.after_cut())
    for call in calls:
        disk.apply(call)
    return len(_commits(disk.after_cut())) == len(before) + 1


def _commits(image: Image) -> list[str]:
    return [
        path
        for path, content in image.items()
        if content and path.startswith(_LOG) and ".tmp-" not in path
    ]


def places(calls: Sequence[Call], fault: Fault) -> list[int]:
    """Return the numbers of the calls at which a fault can make a difference.

    A kill before a call that only reads is the same as one before the next that writes, nothing
    takes room by reading, and an answer can only be lost of a call that did something.
    """
    reads = fault is Fault.DEAD_DISK
    return [number for number, call in enumerate(calls) if reads or not call.reads]
