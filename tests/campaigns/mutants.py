"""The campaign must be able to fail: each safeguard taken away, and what finds that it is gone.

A sync is taken away by leaving its calls out of a recording; all others by breaking the program
in the child that runs the command.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any
from unittest.mock import patch

from campaigns.cases import CASES, Case, case_named
from campaigns.cutting import Recording, every_cut, record
from campaigns.racing import check, new_arena, race
from campaigns.store_faults import Lie, try_careless, try_lies
from campaigns.sweeps import Bench, Result
from fakes.faulty_store import Fault
from regista.decide.planning import plan_commit
from regista.registry import opening
from regista.storage import creating, durable
from regista.storage.creating import Creation
from regista.storage.local import LocalStore
from regista.storage.store import PutOutcome, Store
from regista.write import transaction

RACERS, COMMITS = 4, 24
# who meets whom in a race is chance
RACES = 20
SETTLING = "durable.sync_folder < local.settle"
COMMIT_SYNC = "durable.sync_folder < durable.publish_new"


@dataclass(frozen=True, slots=True)
class Caught:
    """What found a mutant.

    Attributes:
        mutant: what was taken away.
        by: the run that found it; empty when none did.
        violation: what the judge said.
        runs: how many runs that took.
    """

    mutant: str
    by: str
    violation: str
    runs: int


def _no_read_back(
    store: Store, key: str, data: bytes, _sleep: Callable[[float], None] | None = None
) -> Creation:
    created = store.put_if_absent(key, data) is PutOutcome.CREATED
    return Creation.WON if created else Creation.LOST


def _unknown_is_success(
    store: Store, key: str, data: bytes, sleep: Callable[[float], None]
) -> Creation:
    outcome = _create(store, key, data, sleep)
    return Creation.WON if outcome is Creation.UNKNOWN else outcome


def _replacing(temporary: Path, path: Path) -> PutOutcome:
    temporary.replace(path)
    durable.sync_folder(path.parent)
    return PutOutcome.CREATED


_create = creating.create
_plan_commit = plan_commit


def _same_plan(state: Any, requests: Any, world: Any, **options: Any) -> Any:
    """Plan once, and go on with that whatever happened since."""
    if id(requests) not in _plans:
        # the requests are kept, so that no other list gets their address
        _plans[id(requests)] = (requests, _plan_commit(state, requests, world, **options))
    return _plans[id(requests)][1]


_plans: dict[int, Any] = {}


@contextmanager
def broken(target: object, name: str, stand_in: object) -> Iterator[None]:
    """Put something else in the place of a function while the block runs."""
    with patch.object(target, name, stand_in):
        yield


def _mutation(target: object, name: str, stand_in: object) -> Callable[[], Any]:
    return lambda: broken(target, name, stand_in)


def without_syncs(bench: Bench) -> Iterator[Caught]:
    """Take away each sync, one by one, and cut the power until somebody notices."""
    recordings = {
        case.name: record(bench, case)
        for case in CASES
        if case.name in {"init", "register", "eval log", "promote", "merge"}
    }
    sites = {call.site for item in recordings.values() for call in item.calls if call.site}
    # what settles makes a difference after a kill alone; see `without_settling`
    for site in sorted(sites - {SETTLING}):
        yield without_sync(bench, site, recordings)


def without_sync(bench: Bench, site: str, recordings: dict[str, Recording]) -> Caught:
    """Take away one sync."""
    what = f"no fsync in {site}"
    # a cut of each command in turn, as a sync may matter to one of them alone
    turns = zip_longest(
        *(
            every_cut(bench, case_named(name), recording, without=site, again=False)
            for name, recording in recordings.items()
            if any(call.site == site for call in recording.calls)
        )
    )
    runs = 0
    for runs, result in enumerate(filter(None, chain.from_iterable(turns)), start=1):
        if result.violations:
            return _caught(what, result, runs)
    return Caught(what, "", "", runs)


def others(bench: Bench) -> Iterator[Caught]:
    """Take away each of the other safeguards."""
    yield lied_to(bench, "no read-back: what a store says is believed", _READ_BACK, _LOST_ANSWER)
    yield lied_to(bench, "an unknown outcome is told as success", _SUCCESS, _NEVER)
    yield without_settling(bench)
    yield raced(bench, "no plan made anew: a stale one is sent again", _STALE)
    yield raced(bench, "commits replace what has their name", _REPLACE)
    yield without_probe(bench)


def quick(bench: Bench, case: Case) -> Iterator[Caught]:
    """Take away the sync that makes a commit durable, and the read-back."""
    yield without_sync(bench, COMMIT_SYNC, {case.name: record(bench, case)})
    yield lied_to(bench, "no read-back: what a store says is believed", _READ_BACK, _LOST_ANSWER)


def lied_to(
    bench: Bench, what: str, mutation: Callable[[], Any], lies: Sequence[Sequence[Lie]]
) -> Caught:
    """Run a command of a mutant on stores that lie."""
    with _mutated(bench, mutation):
        for runs, some in enumerate(lies, start=1):
            result = try_lies(bench, case_named("promote"), some)
            if result.violations:
                return _caught(what, result, runs)
    return Caught(what, "", "", len(lies))


def without_settling(bench: Bench) -> Caught:
    """Let a command that was done before not look whether it is durable."""
    what, case = "what another process wrote is not synced again", case_named("approve")
    recording = record(bench, case)
    with _mutated(bench, _mutation(LocalStore, "settle", lambda _self, _key: None)):
        runs = 0
        for runs, result in enumerate(every_cut(bench, case, recording), start=1):
            if result.violations:
                return _caught(what, result, runs)
    return Caught(what, "", "", runs)


def raced(bench: Bench, what: str, mutation: Callable[[], Any]) -> Caught:
    """Let writers of a mutant race, without the lock that keeps them from wasting work."""
    by = f"{RACERS} writers × {COMMITS} commits"
    for runs in range(1, RACES + 1):
        root, notes = new_arena(bench.folder / "mutants race")
        wrong = race(
            str(root), notes,
            writers=RACERS, commits=COMMITS, readers=0, mutation=lambda: _unlocked(mutation),
        )  # fmt: skip
        found = check(root, notes, kills=0, what=by, seconds=0).violations
        found += [("writer failed", error[-200:]) for error in wrong]
        if found:
            return Caught(what, by, ": ".join(found[0]), runs)
    return Caught(what, "", "", RACES)


def without_probe(bench: Bench) -> Caught:
    """Make a registry on a careless store without trying it out."""
    with _mutated(bench, _mutation(opening, "probe", lambda _store: None)):
        result = try_careless(bench, case_named("init"))
    if result.violations:
        return _caught("no probe by init", result, 1)
    return Caught("no probe by init", "", "", 1)


@contextmanager
def _unlocked(mutation: Callable[[], AbstractContextManager[object]]) -> Iterator[None]:
    @contextmanager
    def lock(*_: object, **__: object) -> Iterator[bool]:
        yield False

    with mutation(), patch.object(LocalStore, "lock", lock):
        yield


@contextmanager
def _mutated(bench: Bench, mutation: Callable[[], Any]) -> Iterator[None]:
    case: Case = case_named("promote")
    bench.recorded(case)
    before, bench.mutation = bench.mutation, mutation
    try:
        yield
    finally:
        bench.mutation = before


def _caught(mutant: str, result: Result, runs: int) -> Caught:
    kind, detail = result.violations[0]
    return Caught(mutant, f"{result.case}, {result.fault}, at {result.where}",
                  f"{kind}: {detail}", runs)  # fmt: skip


_READ_BACK = _mutation(creating, "create", _no_read_back)
_SUCCESS = _mutation(creating, "create", _unknown_is_success)
_STALE = _mutation(transaction, "plan_commit", _same_plan)
_REPLACE = _mutation(durable, "publish_new", _replacing)
_LOST_ANSWER = [[Lie("put_if_absent", 0, Fault.RAISE_AFTER)]]
_NEVER = [[Lie("put_if_absent", at, Fault.UNKNOWN_BEFORE) for at in range(5)]]
