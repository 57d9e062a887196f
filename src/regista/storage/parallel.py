"""The same work on many items by a few threads, with one progress bar and one first failure.

Invariants: no thread works on after the call has returned; after a failure, or Ctrl-C, the work
under way ends at its next `advance`. What the work is, is the callers' business.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# enough for several fsyncs to share one flush of the disk; hashing needs no more than the cores
_THREADS = 8


class Progress(Protocol):
    """Somebody who wants to know how far a long copy is. Calls never overlap."""

    def start(self, total_bytes: int) -> None:
        """Hear once how many bytes there are to do."""
        ...

    def advance(self, n_bytes: int) -> None:
        """Hear that so many more bytes are done."""
        ...


class Meter:
    """Counts bytes for many threads, and is where they learn that it is over.

    Args:
        progress: told of the bytes, if anybody wants to know.
        total_bytes: what there is to do.
    """

    def __init__(self, progress: Progress | None, total_bytes: int) -> None:
        self._progress = progress
        self._guard = threading.Lock()
        self._stopped = False
        if progress is not None:
            progress.start(total_bytes)

    def advance(self, n_bytes: int) -> None:
        """Count bytes that are done."""
        self.heed()
        if self._progress is not None:
            with self._guard:
                self._progress.advance(n_bytes)

    def heed(self, _: int = 0) -> None:
        """End this thread's work, by an exception, if the others have been stopped."""
        if self._stopped:
            raise _StoppedError

    def stop(self) -> None:
        """Make every later call raise."""
        self._stopped = True


def run_all(work: Callable[[Item], Result], items: Sequence[Item], meter: Meter) -> list[Result]:
    """Return the work's results in the order of the items; raise the first failure.

    Args:
        work: called once per item, from several threads; calls `meter.advance` now and then.
        items: what to work on; the first ones start first.
        meter: stopped on a failure, so that the work under way ends soon.
    """
    if len(items) <= 1:
        return [work(item) for item in items]
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    with ThreadPoolExecutor(min(_THREADS, len(items))) as pool:
        try:
            futures = [pool.submit(work, item) for item in items]
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:
            meter.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


class _StoppedError(Exception):
    """The work of another thread failed; nobody waits for this one's result."""
