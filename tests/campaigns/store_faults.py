"""Stores whose answers cannot be believed, in front of a real folder: every call, every lie.

The same lies come over a real network in `remote_faults`; here they need no server, so that each
call of each command meets each of them, and pairs of them too.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from unittest.mock import patch

from campaigns import forking
from campaigns.cases import Case, run
from campaigns.judging import KNOWN, Verdict
from campaigns.sweeps import Bench, Result
from fakes.faulty_store import Fault, FaultyStore
from regista.read import opening as reading
from regista.registry import opening
from regista.storage.opening import open_store
from regista.storage.store import PutOutcome, Store
from support.cli import Ran

ASKS = ("get", "get_range", "size", "list_after", "local_path", "copy_to")
WRITES = ("put", "put_by_digest", "delete", "settle")
LIES = tuple(fault for fault in Fault if fault not in {Fault.NONE, Fault.ABSENT})
_STORAGE = 7


@dataclass(frozen=True, slots=True)
class Lie:
    """One call that goes wrong: the number `at` of an operation."""

    operation: str
    at: int
    fault: Fault

    def __str__(self) -> str:
        return f"{self.operation} {self.at}: {self.fault.value}"


class CarelessStore(FaultyStore):
    """A store that overwrites, whatever the condition says."""

    def put_if_absent(self, key: str, data: bytes) -> PutOutcome:
        self.inner.put(key, data)
        return PutOutcome.CREATED


@contextmanager
def in_front(stand_in: Callable[[Store], FaultyStore]) -> Iterator[list[FaultyStore]]:
    """Let every store that this process opens be behind another; yield those opened."""
    opened: list[FaultyStore] = []

    def open_it(uri: str) -> Store:
        opened.append(stand_in(open_store(uri)))
        return opened[-1]

    with ExitStack() as stack:
        for module in (reading, opening):
            stack.enter_context(patch.object(module, "open_store", open_it))
        yield opened


def counted(bench: Bench, case: Case) -> dict[str, int]:
    """Return how often a command calls each operation of its store."""
    bench.recorded(case)

    def count(folder: Path) -> dict[str, int]:
        with in_front(FaultyStore) as opened:
            ran = run(folder, *case.command())
        assert ran.code == 0, ran
        names = [name for store in opened for name, _key in store.calls]
        return {name: names.count(name) for name in names}

    with bench.copy(case) as folder:
        return forking.value(lambda: count(folder))


def single_lies(counts: dict[str, int]) -> list[list[Lie]]:
    """Return every call with every lie that it can be told."""
    return [
        [Lie(operation, at, fault)]
        for operation, count in sorted(counts.items())
        for at in range(count)
        for fault in _lies_of(operation)
    ]


def random_pairs(counts: dict[str, int], chance: Random) -> Iterator[list[Lie]]:
    """Yield pairs of lies for ever."""
    single = [lies[0] for lies in single_lies(counts)]
    while True:
        yield chance.sample(single, 2)


def every_lie(bench: Bench, case: Case, *, pairs: int, seed: int) -> Iterator[Result]:
    """Run a command with each lie, and with random pairs of them."""
    counts = counted(bench, case)
    told = [*single_lies(counts), *islice(random_pairs(counts, Random(seed)), pairs)]
    for lies in told:
        yield try_lies(bench, case, lies)


def try_lies(bench: Bench, case: Case, lies: Sequence[Lie]) -> Result:
    """Run a command on a store that lies, and judge what it left."""
    started = time.monotonic()
    with bench.copy(case) as folder:
        ended = forking.run(lambda: _lied_to(bench, folder, case, lies))
        verdict = bench.judged(folder, case, ended.value)
    if ended.value is None:
        verdict.violations.append((KNOWN, ended.error[-400:] or "it never ended"))
    return Result(
        case.name,
        "a store that lies" if len(lies) == 1 else "a store that lies twice",
        "; ".join(map(str, lies)),
        ended.value.code if ended.value else None,
        verdict.committed,
        verdict.violations,
        round(time.monotonic() - started, 3),
    )


def try_careless(bench: Bench, case: Case) -> Result:
    """Make a registry on a store that cannot create a file exactly once: it must be refused."""
    started = time.monotonic()
    verdict = Verdict()

    def make(folder: Path) -> Ran:
        with bench.mutation(), in_front(CarelessStore):
            return run(folder, *case.command())

    with bench.copy(case) as folder:
        ran = forking.value(lambda: make(folder))
    verdict.expect(ran.code == _STORAGE, KNOWN, f"init was not refused: exit {ran.code}")
    return Result(
        case.name,
        "a store without conditional writes",
        "init",
        ran.code,
        verdict.committed,
        verdict.violations,
        round(time.monotonic() - started, 3),
    )


def _lied_to(bench: Bench, folder: Path, case: Case, lies: Sequence[Lie]) -> Ran:
    left = {lie.operation: [one for one in lies if one.operation == lie.operation] for lie in lies}

    def stand_in(inner: Store) -> FaultyStore:
        store = FaultyStore(inner)
        for operation, ordered in left.items():
            faults = [Fault.NONE] * (1 + max(lie.at for lie in ordered))
            for lie in ordered:
                faults[lie.at] = lie.fault
            store.order(operation, *faults)
        # a second store of the same process is told the truth
        left.clear()
        return store

    with bench.mutation(), in_front(stand_in):
        return run(folder, *case.command())


def _lies_of(operation: str) -> Sequence[Fault]:
    if operation == "put_if_absent":
        return LIES
    return (Fault.RAISE_BEFORE, Fault.RAISE_AFTER) if operation in WRITES else (Fault.RAISE_BEFORE,)
