"""A fork server: the parent has imported everything and opened nothing; every job is a child.

A process of its own costs half a second of imports, and a campaign needs tens of thousands of
them. A fork costs milliseconds and is a real process all the same: it can be killed at any
instruction, and nothing of it is left but what it wrote. The parent must stay free of DuckDB
connections and threads, which do not survive a fork.
"""

import os
import pickle
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Generic, TypeVar

T = TypeVar("T")
LONGEST_S = 120.0
_ASKED_EVERY_S = 0.002


@dataclass(frozen=True, slots=True)
class Ended(Generic[T]):
    """How a child ended.

    Attributes:
        value: what its function returned; None when it was killed or raised.
        killed: whether a signal ended it.
        hung: whether that was because it took too long.
        error: the traceback of what it raised.
    """

    value: T | None
    killed: bool = False
    hung: bool = False
    error: str = ""


def import_everything() -> None:
    """Import what any command may need, so that no child has to."""
    import importlib
    import pkgutil

    import duckdb  # noqa: F401 - only to have it loaded
    import obstore  # noqa: F401 - as duckdb
    import pyarrow.parquet  # noqa: F401 - as duckdb

    import regista

    for module in pkgutil.walk_packages(regista.__path__, "regista."):
        # the plug-in of MkDocs brings all of MkDocs, and the other ends the process
        if not module.name.startswith("regista.site") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def start(job: Callable[[], T], result: Path) -> int:
    """Run a job in a child that writes what it returned to a file; return the process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        ended = _ended(job)
        result.with_suffix(".part").write_bytes(pickle.dumps(ended))
        result.with_suffix(".part").rename(result)
        code = 0
    finally:
        # no clean-up that belongs to the parent
        os._exit(code)


def result_of(result: Path) -> Ended[T]:
    """Return how a child that has ended did."""
    if not result.exists() or not result.stat().st_size:
        return Ended(None, killed=True)
    ended: Ended[T] = pickle.loads(result.read_bytes())  # noqa: S301 - written by our own child
    return ended


def run(job: Callable[[], T], longest_s: float = LONGEST_S) -> Ended[T]:
    """Run a job in a child of its own and wait for it."""
    with NamedTemporaryFile(prefix="regista-child-") as file:
        result = Path(file.name + ".result")
        pid = start(job, result)
        try:
            if not _wait(pid, longest_s):
                return Ended(None, killed=True, hung=True)
            return result_of(result)
        finally:
            result.unlink(missing_ok=True)
            result.with_suffix(".part").unlink(missing_ok=True)


def value(job: Callable[[], T], longest_s: float = LONGEST_S) -> T:
    """Run a job in a child and return what it returned; that it fails is a bug here."""
    ended = run(job, longest_s)
    if ended.error or ended.killed:
        raise RuntimeError(f"a child failed: {ended.error or 'it was killed'}")
    return ended.value  # type: ignore[return-value]


def _wait(pid: int, longest_s: float) -> bool:
    ends = time.monotonic() + longest_s
    while time.monotonic() < ends:
        done, _status = os.waitpid(pid, os.WNOHANG)
        if done:
            return True
        time.sleep(_ASKED_EVERY_S)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def _ended(job: Callable[[], T]) -> Ended[T]:
    try:
        return Ended(job())
    except BaseException:  # noqa: BLE001 - it is told to the parent
        return Ended(None, error=traceback.format_exc())
