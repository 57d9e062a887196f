"""Rendering entries in several processes, where there are many versions and several processors.

The parent reads rows, sends those of an entry to a worker, and renders an entry itself whenever all
workers have enough to do meanwhile: so nobody is idle, and one worker fewer than there are
processors is enough. A worker puts the entry's files in their places, by the hand of the parent's
sink, and answers with what it put and what lists keep of the entry. It has a thread that takes in
what comes, so that the parent never waits for a worker that waits for it. Files are the same as
without workers, whoever makes them, and in whatever order.

Workers are started as programs of their own (no fork: DuckDB has threads; no `multiprocessing`
process: that would run the main module of whoever calls us once more). Standard input and output
are their two ends of the pipes. A worker that dies, or raises, ends the build.
"""

import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections import deque
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, NamedTuple, Self

from regista.errors import StorageError
from regista.site.collecting import fewer_collections
from regista.site.entries import Brief, EntryMaker, Told
from regista.site.output.sinks import Hand, Put, Sink
from regista.site.published import unpacked

# more would wait for the parent, which writes the files of all
MOST = 4
# so many versions are rendered by the parent first, and so many must be left to pay for a start
FIRST = 100
WORTH = 2_000
# the parent renders an entry while each worker has so many times as many versions to do
AHEAD = 2
_READY, _MADE, _FAILED = "ready", "made", "failed"


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Order(NamedTuple):
    """An entry that a worker is to make: its place among all, its group and its size."""

    place: int
    group: str
    versions: int


class _Worker:
    """A worker, as its parent sees it.

    Attributes:
        ready: whether it has begun.
        orders: what it has still to make, in order.
        versions: how many versions these have.
    """

    def __init__(self) -> None:
        # the same modules as here, wherever they come from
        program = f"import sys; sys.path[:] = {sys.path!r}; from regista.site.workers import work"
        orders, to = os.pipe()
        come, answers = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"{program}; work()"], stdin=orders, stdout=answers
        )
        os.close(orders)
        os.close(answers)
        self.to, self.come = Connection(to, readable=False), Connection(come, writable=False)
        self.ready = False
        self.orders: deque[_Order] = deque()
        self.versions = 0

    def died(self) -> StorageError:
        status = self.process.wait()
        how = f"signal {-status}" if status < 0 else f"status {status}"
        return StorageError(
            f"a process that rendered pages ended with {how}",
            hint="there may be too little memory: build again when there is more",
        )


class Workers:
    """The workers of one build; a context that ends them.

    Args:
        brief: what they need.
        sink: where the files go.
        most: at most so many.

    Attributes:
        told: what lists keep of each entry, by its index.
    """

    def __init__(self, brief: Brief, sink: Sink, most: int | None = None) -> None:
        self._brief, self._sink = brief, sink
        self._most = min(processors() - 1, MOST) if most is None else most
        if brief.store.startswith("memory:"):
            self._most = 0
        self._workers: list[_Worker] = []
        self.told: dict[int, Told] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.to.close()
            worker.come.close()
            if kind:
                worker.process.kill()
        for worker in self._workers:
            worker.process.wait()

    def take_part(self, rendered: int, left: int, versions: int) -> bool:
        """Say whether an entry is to be given to a worker, and start them when they pay.

        Args:
            rendered: so many versions were rendered without them.
            left: so many are to come, at most, with those of the entry.
            versions: how many the entry has.
        """
        if not self._workers and rendered >= FIRST and left >= WORTH:
            self._workers = [_Worker() for _ in range(self._most)]
        # while they start, there is time to render here
        self._receive(wait_s=0)
        return any(w.ready and w.versions < AHEAD * versions for w in self._workers)

    def give(self, index: int, group: str, versions: int, rows: bytes) -> None:
        """Give an entry's packed rows to the worker that has the least to do."""
        worker = min((w for w in self._workers if w.ready), key=lambda w: w.versions)
        worker.orders.append(_Order(index, group, versions))
        worker.versions += versions
        self._send(worker, rows)

    @property
    def are_starting(self) -> bool:
        """Whether there are some, and none has begun."""
        self._receive(wait_s=0)
        return bool(self._workers) and not any(worker.ready for worker in self._workers)

    def finish(self) -> None:
        """Wait until all that was given is made; nothing more can be given."""
        while any(worker.orders for worker in self._workers):
            self._receive()
        for worker in self._workers:
            # one that has nothing to do ends at the end of its input
            worker.to.close()

    def _send(self, worker: _Worker, data: bytes) -> None:
        try:
            worker.to.send_bytes(data)
        except OSError as error:
            raise worker.died() from error

    def _receive(self, wait_s: float | None = None) -> None:
        """Take what has come from each worker; wait for something, or for so many seconds."""
        by_connection = {worker.come: worker for worker in self._workers}
        for connection in wait(list(by_connection), wait_s) if by_connection else ():
            worker = by_connection[connection]  # type: ignore[index]
            try:
                kind, value = worker.come.recv()
            except (EOFError, OSError) as error:
                raise worker.died() from error
            self._got(worker, kind, value)

    def _got(self, worker: _Worker, kind: str, value: Any) -> None:  # noqa: ANN401 - by its kind
        match kind:
            case "ready":
                worker.ready = True
                self._send(worker, pickle.dumps((self._brief, self._sink.hand)))
            case "made":
                order = worker.orders.popleft()
                worker.versions -= order.versions
                puts, self.told[order.place] = value
                for put in puts:
                    self._sink.took(order.group, put)
            case _:
                raise value


def work() -> None:
    """Be a worker, between standard input and standard output."""
    # Ctrl-C reaches all processes of a terminal; the parent ends this one
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders, answers = Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False)
    # what prints by mistake must not come between
    os.dup2(2, 1)
    serve(orders, answers)


def serve(orders: Connection, answers: Connection) -> None:
    """Make the entries that come, until no more do."""
    try:
        answers.send((_READY, None))
        brief, hand = pickle.loads(orders.recv_bytes())  # noqa: S301 - from our parent
        maker = EntryMaker(brief)
        with fewer_collections():
            for data in _taken_in(orders):
                answers.send((_MADE, _make(maker, hand, data)))
    except (EOFError, BrokenPipeError):
        # the parent is gone
        return
    except Exception as error:  # noqa: BLE001 - it is the parent's to report
        answers.send((_FAILED, _portable(error)))


def _taken_in(orders: Connection) -> Iterator[bytes]:
    """Yield what comes, which a thread takes in as soon as it does."""
    queue: SimpleQueue[bytes | None] = SimpleQueue()

    def take_in() -> None:
        try:
            while True:
                queue.put(orders.recv_bytes())
        except (EOFError, OSError):
            # the parent has all, or is gone
            queue.put(None)

    Thread(target=take_in, daemon=True).start()
    while (data := queue.get()) is not None:
        yield data


def _make(maker: EntryMaker, hand: Hand, data: bytes) -> tuple[list[Put], Told]:
    record, told = maker.record(unpacked(data))
    return [hand.put(path, content) for path, content in maker.files(record)], told


def _portable(error: Exception) -> Exception:
    """Return an error that can be sent, with its traceback as a note."""
    text = "".join(traceback.format_exception(error))
    error.add_note(f"in a process that renders pages:\n{text}")
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - whatever it is
        return RuntimeError(text)
    return error
