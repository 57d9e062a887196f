"""Rendering entries in several processes, where there are many versions and several processors.

The parent reads rows, and sends those of one entry to each worker that is idle. A worker puts the
entry's files in their places, by the hand of the parent's sink, and answers with what it put and
what lists keep of the entry: one message for one, so neither side waits for one that waits for it.
Files are the same as without workers, whoever makes them, and in whatever order.

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
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Self

from regista.errors import StorageError
from regista.site.collecting import fewer_collections
from regista.site.entries import Brief, EntryMaker, Told
from regista.site.output.sinks import Hand, Put, Sink
from regista.site.published import unpacked

# more would wait for the parent, which writes the files of all
MOST = 4
# so many versions are rendered by the parent first, and so many must be left to pay for a start
FIRST = 200
WORTH = 2_500
_NONE = -1
_READY, _MADE, _FAILED = "ready", "made", "failed"


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Worker:
    """A worker, as its parent sees it.

    Attributes:
        index, group: of the entry that it renders; -1 while it is idle.
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
        self.index = _NONE
        self.group = ""

    @property
    def idle(self) -> bool:
        return self.ready and self.index == _NONE

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
        most: at most so many; fewer than two are none.

    Attributes:
        told: what lists keep of each entry, by its index.
    """

    def __init__(self, brief: Brief, sink: Sink, most: int | None = None) -> None:
        self._brief, self._sink = brief, sink
        self._most = min(processors(), MOST) if most is None else most
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
            # one that is idle ends at the end of its input
            worker.to.close()
            worker.come.close()
            if kind:
                worker.process.kill()
        for worker in self._workers:
            worker.process.wait()

    def take_part(self, rendered: int, left: int) -> bool:
        """Say whether entries are to be given to workers, and start them when they pay.

        Args:
            rendered: so many versions were rendered without them.
            left: so many are to come, at most.
        """
        if not self._workers and self._most > 1 and rendered >= FIRST and left >= WORTH:
            self._workers = [_Worker() for _ in range(self._most)]
        # while they start, there is time to render here
        self._receive(wait_s=0)
        return any(worker.ready for worker in self._workers)

    def give(self, index: int, group: str, rows: bytes) -> None:
        """Give an entry's packed rows to a worker, once one is idle."""
        while not any(worker.idle for worker in self._workers):
            self._receive()
        worker = next(worker for worker in self._workers if worker.idle)
        worker.index, worker.group = index, group
        self._send(worker, rows)

    def finish(self) -> None:
        """Wait until all that was given is made."""
        while any(worker.index != _NONE for worker in self._workers):
            self._receive()

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
                puts, self.told[worker.index] = value
                for put in puts:
                    self._sink.took(worker.group, put)
                worker.index = _NONE
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
            while True:
                answers.send((_MADE, _make(maker, hand, orders.recv_bytes())))
    except (EOFError, BrokenPipeError):
        # the parent has all, or is gone
        return
    except Exception as error:  # noqa: BLE001 - it is the parent's to report
        answers.send((_FAILED, _portable(error)))


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
