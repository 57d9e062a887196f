"""Several jobs over one store, one of them at a time, switched at each call of the store.

A seed chooses who goes on, so what it finds can be run again. There are no locks, as on object
stores: whatever order the calls come in, correctness may not rest on them.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

from fakes.faulty_store import Fault, FaultyStore, KilledError
from regista.storage.store import Store

Job = Callable[[Store], Any]


class _Turns:
    """Lets one of several threads go on at a time."""

    def __init__(self, jobs: int, chance: Random) -> None:
        self._changed = threading.Condition()
        self._chance = chance
        self._waiting = list(range(jobs))
        self._turn = chance.randrange(jobs)

    def wait(self, job: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._turn == job)

    def pass_on(self, job: int) -> None:
        with self._changed:
            self._turn = self._chance.choice(self._waiting)
            self._changed.notify_all()
        self.wait(job)

    def leave(self, job: int) -> None:
        with self._changed:
            self._waiting.remove(job)
            if self._waiting:
                self._turn = self._chance.choice(self._waiting)
            self._changed.notify_all()


class InterleavedStore(FaultyStore):
    """The store as one job sees it."""

    def __init__(self, inner: Store, job: int, turns: _Turns, kill_at: int | None) -> None:
        super().__init__(inner, kill_at=kill_at)
        self._job = job
        self._turns = turns
        self._thread = threading.get_ident()

    @contextmanager
    def no_lock(self, _name: str, *, timeout_s: float, shared: bool = False) -> Iterator[bool]:
        del timeout_s, shared
        yield False

    lock = no_lock  # type: ignore[assignment]

    def _next(self, operation: str, key: str) -> Fault:
        if threading.get_ident() == self._thread:
            self._turns.pass_on(self._job)
        return super()._next(operation, key)


def interleave(
    store: Store, jobs: Sequence[Job], seed: int, *, kills: dict[int, int] | None = None
) -> list[Any]:
    """Run jobs to their ends, interleaved; return their results, None for those killed.

    Args:
        store: what they share.
        jobs: each gets its own view of the store.
        seed: of the order.
        kills: for each job to be killed, instead of which of its writes.

    Raises:
        Exception: what a job raised.
    """
    turns = _Turns(len(jobs), Random(seed))
    results: list[Any] = [None] * len(jobs)
    errors: list[Exception] = []

    def run(number: int) -> None:
        turns.wait(number)
        view = InterleavedStore(store, number, turns, (kills or {}).get(number))
        try:
            results[number] = jobs[number](view)
        except KilledError:
            pass
        except Exception as error:  # noqa: BLE001 - raised again below
            errors.append(error)
        finally:
            turns.leave(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
