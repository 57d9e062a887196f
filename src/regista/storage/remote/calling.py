"""Calling the client so that Ctrl-C works, and so that a forked process never waits for ever.

The client blocks in its own code, where Python's signals are not heard until it returns: up to
the time limit of a request. So the main thread lets another one call, and waits.
"""

import os
import threading
from collections.abc import Callable
from typing import TypeVar

from regista.errors import StorageError
from regista.model.names import shown
from regista.storage.remote.failures import Answer

Result = TypeVar("Result")

# so often may the answer to one question break off
MOST_BREAKS = 5
# where the client's own exception for a bug of its has its home; it is no Exception
_PANICS = "pyo3_runtime"

_called_in = 0


def call(work: Callable[[], Result]) -> Result:
    """Return what the work returns, or raise what it raises.

    Raises:
        StorageError: the process was forked off one that used the client, whose threads are not
            in this one; or the client broke down.
    """
    global _called_in  # noqa: PLW0603 - the client's threads belong to the whole process
    _called_in = _called_in or os.getpid()
    if _called_in != os.getpid():
        raise StorageError(
            "an object store cannot be used in a process that was forked off one that used it",
            hint="start processes by spawn, or open the registry in the new process alone",
        )
    try:
        if threading.current_thread() is not threading.main_thread():
            return work()
        return _in_another_thread(work)
    except BaseException as error:
        if type(error).__module__ != _PANICS:
            raise
        first = str(error).partition("\n")[0]
        raise StorageError(
            f"the client of the store broke down: {shown(first, 200)}",
            hint="check the endpoint and the credentials that are set",
        ) from error


def call_again(work: Callable[[], Result]) -> Result:
    """Call what may be repeated, and do so when an answer broke off, which the client does not."""
    for _ in range(MOST_BREAKS):
        try:
            return call(work)
        except Exception as error:
            if not Answer.of(error).broke_off:
                raise
    return call(work)


def _in_another_thread(work: Callable[[], Result]) -> Result:
    results: list[Result] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it belongs
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]
