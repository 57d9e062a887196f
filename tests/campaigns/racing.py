"""Many writers at once, with clocks days apart, killed or not; and was the log one history?

Every writer notes when it asked, when it was told, and of which commit. The order of the log must
be one that all of them can have seen: whoever was told before another began comes first, and a
reader sees a state that was in force at some moment while it looked.
"""

import bisect
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import regista
from campaigns import forking
from campaigns.cases import DATA
from campaigns.judging import HALF, LOST, TWICE, UNSOUND, Raw, Verdict, read_log
from regista.registry.core import Registry
from regista.registry.results import Written
from regista.write import transaction
from support.registries import OPEN, Json, new_registry

DAY_S = 86_400
LONGEST_RACE_S = 3600.0
STAGE = "staging"
# with all that a fork saves, writers write within milliseconds of their birth
LONGEST_LIFE_S = 1.0


@dataclass(frozen=True, slots=True)
class Told:
    """One answer: when it was asked for and given (monotonic, ns), and what it said."""

    asked: int
    answered: int
    seq: int
    commit: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Race:
    """One race, and what the judge says of it.

    Attributes:
        what: kind and size.
        kills: how many writers were killed.
        commits: in the log at the end.
        told: answers that were given to writers.
        looks: answers that were given to readers.
        violations: kind and detail of each.
        seconds: how long it took, and looking at it.
    """

    what: str
    kills: int
    commits: int
    told: int
    looks: int
    violations: list[tuple[str, str]]
    seconds: float


class ShiftedClock:
    """Stands in for `datetime` where a writer reads its clock.

    Args:
        seconds: how far the clock is ahead.
    """

    def __init__(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def now(self, zone: tzinfo) -> datetime:
        return datetime.now(zone) + self._ahead


def write_on(uri: str, told: Path, commits: int, seed: int, ahead_s: float) -> None:
    """Register, evaluate and promote versions of one entry, noting every answer."""
    chance = Random(seed)
    registry = regista.open(uri, actor=f"writer-{seed}", timeout_s=LONGEST_RACE_S)
    folder = told.with_suffix(".artifacts")
    folder.mkdir(exist_ok=True)
    done = 0
    with (
        patch.object(transaction, "datetime", ShiftedClock(ahead_s)),
        told.open("a", encoding="utf-8", buffering=1) as notes,
    ):
        while done < commits:
            for ask in _steps(registry, folder, f"{seed} {done} {chance.random()}"):
                asked = time.monotonic_ns()
                made = ask()
                version = made.version if made.op == "register" else None
                note = Told(asked, time.monotonic_ns(), made.seq, made.commit, version)
                notes.write(json.dumps(asdict(note)) + "\n")
                done += 1
                if done == commits:
                    break


def read_on(uri: str, told: Path, stop: Path) -> None:
    """Ask which version holds the stage until told to stop, noting every answer."""
    with told.open("a", encoding="utf-8", buffering=1) as notes:
        while not stop.exists():
            asked = time.monotonic_ns()
            try:
                found = regista.open(uri).resolve(f"m@{STAGE}")
            except regista.errors.NotFoundError:
                time.sleep(0.01)
                continue
            note = Told(asked, time.monotonic_ns(), found.seq, version=found.version)
            notes.write(json.dumps(asdict(note)) + "\n")


def race(
    uri: str,
    notes: Path,
    *,
    writers: int,
    commits: int,
    readers: int = 2,
    clocks: tuple[float, float] = (-DAY_S, DAY_S),
    mutation: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> list[str]:
    """Let writers race to the end, beside readers; return what went wrong with them.

    Their clocks are spread evenly between two offsets in seconds.
    """
    stop = notes / "stop"

    def writer(seed: int) -> None:
        slowest, fastest = clocks
        ahead = slowest + (fastest - slowest) * seed / max(1, writers - 1)
        with mutation():
            write_on(uri, notes / f"told-{seed}", commits, seed, ahead)

    def reader(number: int) -> None:
        read_on(uri, notes / f"read-{number}", stop)

    results = [notes / f"result-{seed}" for seed in range(writers + readers)]
    running = [
        forking.start(lambda seed=seed: writer(seed), results[seed])  # type: ignore[misc]
        for seed in range(writers)
    ]
    looking = [
        forking.start(lambda n=number: reader(n), results[writers + number])  # type: ignore[misc]
        for number in range(readers)
    ]
    for pid in running:
        os.waitpid(pid, 0)
    stop.touch()
    for pid in looking:
        os.waitpid(pid, 0)
    ended: list[forking.Ended[None]] = [forking.result_of(result) for result in results]
    return [end.error or "it was killed" for end in ended if end.error or end.killed]


def kill_writers(
    uri: str, notes: Path, *, kills: range, at_once: int, longest_s: float, seed: int
) -> None:
    """Start writers, a few at a time, and kill each at a random moment of its life."""
    chance, pending = Random(f"{seed} {kills.start}"), list(kills)
    while pending:
        batch, pending = pending[:at_once], pending[at_once:]
        started = time.monotonic()
        deaths = []
        for number in batch:
            job = _endless(uri, notes / f"told-{number}", number, chance.uniform(-DAY_S, DAY_S))
            pid = forking.start(job, notes / f"result-{number}")
            deaths.append((started + chance.uniform(0.01, longest_s), pid))
        for moment, pid in sorted(deaths):
            time.sleep(max(0.0, moment - time.monotonic()))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def check(root: Path, notes: Path, *, kills: int, what: str, seconds: float) -> Race:
    """Judge a registry in a folder after a race."""
    told, looks = read_notes(notes, "told-*"), read_notes(notes, "read-*")
    verdict, raw = Verdict(committed=True), read_log(root)
    check_history(verdict, raw, told, looks)
    started = time.monotonic()
    found = forking.run(lambda: regista.open(str(root)).verify().problems, LONGEST_RACE_S)
    verdict.expect(found.value == [], UNSOUND, f"{found.value} {found.error}")
    whole = round(seconds + time.monotonic() - started, 1)
    return Race(what, kills, len(raw.commits), len(told), len(looks), verdict.violations, whole)


def check_history(verdict: Verdict, raw: Raw, told: Sequence[Told], looks: Sequence[Told]) -> None:
    """Compare a log with all that was told of it while it was made."""
    for problem in raw.problems:
        verdict.expect(False, HALF, problem)  # noqa: FBT003 - it was found
    for one in told:
        there = one.seq <= len(raw.digests) and raw.digests[one.seq - 1] == one.commit
        verdict.expect(there, LOST, f"commit {one.seq} {one.commit[:12]}")
    _check_numbers(verdict, raw, told)
    times = [commit["time"] for commit in raw.commits]
    verdict.expect(times == sorted(times), UNSOUND, "recorded time goes back")
    known = _Order(told)
    for one in told:
        before = known.last_answered_before(one.asked)
        verdict.expect(before < one.seq, HALF, f"{one.seq} came after {before} was told")
    changes = _holders(raw)
    for one in looks:
        verdict.expect(_was_in_force(one, known, changes), HALF, f"a reader saw {one}")


def read_notes(folder: Path, pattern: str) -> list[Told]:
    """Return all answers noted; a last line that was cut by a kill is no answer."""
    lines = [
        line
        for path in sorted(folder.glob(pattern))
        if path.is_file()
        for line in path.read_text("utf-8").splitlines(keepends=True)
    ]
    return [Told(**json.loads(line)) for line in lines if line.endswith("\n")]


class _Order:
    """Which commits were surely there, and which may have been, at a moment."""

    def __init__(self, told: Sequence[Told]) -> None:
        self._answered = _running_max((one.answered, one.seq) for one in told)
        self._asked = _running_max((one.asked, one.seq) for one in told)

    def last_answered_before(self, moment: int) -> int:
        return _at(self._answered, moment)

    def last_asked_before(self, moment: int) -> int:
        return _at(self._asked, moment)


def _was_in_force(look: Told, known: _Order, changes: Sequence[tuple[int, int | None]]) -> bool:
    """Say whether what a reader saw held at some moment between its question and the answer."""
    place = bisect.bisect_left(changes, look.seq, key=lambda change: change[0])
    if place == len(changes) or changes[place] != (look.seq, look.version):
        return False
    ends = changes[place + 1][0] if place + 1 < len(changes) else None
    still = ends is None or ends > known.last_answered_before(look.asked)
    return still and look.seq <= known.last_asked_before(look.answered)


def _holders(raw: Raw) -> list[tuple[int, int | None]]:
    return [
        (commit["seq"], row["to_version"])
        for commit in raw.commits
        for row in commit["rows"]
        if row["table"] == "placements" and row["stage"] == STAGE
    ]


def _check_numbers(verdict: Verdict, raw: Raw, told: Sequence[Told]) -> None:
    given = [
        row["version"]
        for commit in raw.commits
        for row in commit["rows"]
        if row["table"] == "versions"
    ]
    verdict.expect(given == list(range(1, len(given) + 1)), TWICE, "versions have gaps or doubles")
    numbers = [one.version for one in told if one.version is not None]
    verdict.expect(len(numbers) == len(set(numbers)), TWICE, "two writers were told one number")


def _running_max(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    highest, found = 0, []
    for moment, seq in sorted(pairs):
        highest = max(highest, seq)
        found.append((moment, highest))
    return found


def _at(order: Sequence[tuple[int, int]], moment: int) -> int:
    place = bisect.bisect_left(order, moment, key=lambda pair: pair[0])
    return order[place - 1][1] if place else 0


def _endless(uri: str, told: Path, seed: int, ahead_s: float) -> Callable[[], None]:
    return lambda: write_on(uri, told, 1_000_000, seed, ahead_s)


def _steps(registry: Registry, folder: Path, text: str) -> Iterable[Callable[[], Written]]:
    (folder / "model.bin").write_text(text)
    made: list[Any] = []

    def register() -> Written:
        made.append(registry.register("m", folder, kind="model"))
        return made[0]  # type: ignore[no-any-return]

    yield register
    ref = f"m@{made[0].version}"
    yield lambda: registry.log_eval(ref, "holdout", {"acc": "0.9"})
    yield lambda: registry.promote(ref, STAGE)


def new_arena(folder: Path, policy: Json = OPEN) -> tuple[Path, Path]:
    """Make a registry, and a folder for notes; return both."""
    shutil.rmtree(folder, ignore_errors=True)
    root, notes = folder / DATA, folder / "notes"
    notes.mkdir(parents=True)
    forking.value(lambda: str(new_registry(policy, folder=root)))
    return root, notes


def race_part(
    folder: Path, *, writers: int = 16, commits: int = 500, readers: int = 2
) -> Iterator[Race]:
    """Let writers race to the end of their work."""
    root, notes = new_arena(folder)
    started = time.monotonic()
    wrong = race(str(root), notes, writers=writers, commits=commits, readers=readers)
    seconds = time.monotonic() - started
    what = f"{writers} writers × {commits} commits"
    done = check(root, notes, kills=0, what=what, seconds=seconds)
    done.violations.extend((UNSOUND, f"a writer failed: {error[-300:]}") for error in wrong)
    expected = writers * commits + 1
    if done.commits != expected:
        done.violations.append((LOST, f"{done.commits} commits instead of {expected}"))
    yield done


def kill_part(
    folder: Path, *, kills: int = 1000, at_once: int = 4, a_round: int = 100, seed: int = 1
) -> Iterator[Race]:
    """Kill writers at random moments, a hundred to a registry."""
    for first in range(0, kills, a_round):
        root, notes = new_arena(folder)
        started = time.monotonic()
        some = range(first, min(kills, first + a_round))
        kill_writers(
            str(root), notes, kills=some, at_once=at_once, longest_s=LONGEST_LIFE_S, seed=seed
        )
        what = f"{at_once} writers at a time, each killed within {LONGEST_LIFE_S} s"
        seconds = time.monotonic() - started
        yield check(root, notes, kills=len(some), what=what, seconds=seconds)
