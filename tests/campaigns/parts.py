"""The parts of the campaign, in the order in which they run."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from campaigns import mutants
from campaigns.cases import CASES, Case, case_named
from campaigns.cutting import every_cut, record
from campaigns.racing import Race, kill_part, race_part
from campaigns.remote_faults import COMMANDS, bucket_race_part, multipart_part, remote_part
from campaigns.store_faults import every_lie, try_careless
from campaigns.sweeps import Bench, Result, sweep
from campaigns.system_calls import Fault
from campaigns.traced import traced_part

Run = Result | Race | mutants.Caught
Part = Callable[[Path], Iterator[Run]]

ONCE = (Fault.KILL, Fault.EIO, Fault.ENOSPC)
LASTING = (Fault.LOST_ANSWER, Fault.FULL_DISK)
WRITES = tuple(case for case in CASES if case.writes and case.name != "merge")
PAIRS = 10
SEED = 1


def _calls(case: Case, folder: Path) -> Iterator[Result]:
    return sweep(Bench(folder), case, ONCE)


def _lasting(folder: Path) -> Iterator[Result]:
    bench = Bench(folder)
    for name in ("eval log", "promote"):
        yield from sweep(bench, case_named(name), LASTING)
    yield from sweep(bench, case_named("approve"), (*LASTING, Fault.DEAD_DISK))


def _on_a_disk(_folder: Path) -> Iterator[Result]:
    with TemporaryDirectory(prefix="regista-faults-disk-", dir=Path.home()) as folder:
        yield from sweep(Bench(Path(folder)), case_named("promote"), ONCE)


def _cuts(folder: Path) -> Iterator[Result]:
    bench = Bench(folder)
    for name in ("approve", "promote", "eval log", "register", "init"):
        case = case_named(name)
        yield from every_cut(bench, case, record(bench, case))


def _lies(folder: Path) -> Iterator[Result]:
    bench = Bench(folder)
    yield try_careless(bench, case_named("init"))
    for case in WRITES:
        if case.name != "init":
            yield from every_lie(bench, case, pairs=PAIRS, seed=SEED)


def _mutants(folder: Path) -> Iterator[mutants.Caught]:
    bench = Bench(folder)
    yield from mutants.others(bench)
    yield from mutants.without_syncs(bench)


def quick(folder: Path) -> Iterator[Run]:
    """Run a little of everything: calls around one commit, kills, a race, two mutants."""
    bench, case = Bench(folder), case_named("approve")
    calls, _views = bench.recorded(case)
    commit = next(number for number, call in enumerate(calls) if call.name == "link")
    sync = commit + 2
    for at, fault in ((commit, Fault.KILL), (sync, Fault.KILL), (sync, Fault.EIO)):
        yield bench.try_fault(case, at, fault)
    yield try_careless(bench, case_named("init"))
    yield from kill_part(folder / "kills", kills=4, at_once=2)
    yield from race_part(folder / "race", writers=3, commits=4, readers=1)
    yield from mutants.quick(bench, case)


PARTS: dict[str, Part] = {
    **{f"calls of {case.name}": partial(_calls, case) for case in CASES},
    "lasting faults": _lasting,
    "on a disk": _on_a_disk,
    "power cuts": _cuts,
    "lies": _lies,
    "kills": kill_part,
    "writers": race_part,
    "traced": traced_part,
    **{f"network of {name}": partial(remote_part, name) for name in COMMANDS},
    "uploads": multipart_part,
    "writers in a bucket": bucket_race_part,
    "mutants": _mutants,
}
