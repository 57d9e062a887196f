"""An advisory lock on a folder, by `flock`.

The lock is on the folder itself, so that no lock file has to be made, and read-only registries
can be locked too; the system frees it when its holder dies. Correctness never rests on it: a
file system without locks gives none, in silence.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# an even share of short sleeps costs less than what one lost race costs
_POLL_S = 0.0005


@contextmanager
def folder_lock(folder: Path, timeout_s: float, *, shared: bool) -> Iterator[bool]:
    """Hold the lock while the block runs; yield whether it is held.

    Args:
        folder: what to lock; where it does not exist there is no lock.
        timeout_s: how long to wait for others before going on without.
        shared: exclude only holders that do not share.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        yield _acquire(handle, timeout_s, shared=shared)
    finally:
        # closing frees the lock
        os.close(handle)


def _acquire(handle: int, timeout_s: float, *, shared: bool) -> bool:
    try:
        import fcntl
    except ImportError:
        return False
    kind = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(handle, kind)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
        except OSError:
            return False
        else:
            return True
