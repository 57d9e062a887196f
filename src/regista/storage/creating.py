"""Creating a file that nobody else may have created, on a store whose answers may be lost.

The one place of this discipline: whatever a store says but CREATED is looked into, never
believed. The key is read back; our own bytes mean that we won, others that we lost, and where
there are none, the identical bytes are sent again. So the bytes must be ones that nobody else
would write, as a commit's are by its transaction id.
"""

import time
from collections.abc import Callable
from enum import Enum

from regista.errors import StorageError
from regista.storage.store import PutOutcome, Store

_ATTEMPTS = 5
_FIRST_DELAY_S = 0.05


class Creation(Enum):
    """What became of an attempt to create a file."""

    WON = "won"
    LOST = "lost"
    UNKNOWN = "unknown"


def create(
    store: Store, key: str, data: bytes, sleep: Callable[[float], None] = time.sleep
) -> Creation:
    """Create a file durably, with these bytes, unless somebody else has created it.

    Args:
        store: where.
        key: what it is called.
        data: bytes that are ours alone.
        sleep: waits that many seconds between attempts.

    Returns:
        WON: the file is there, with exactly these bytes.
        LOST: it is there with others.
        UNKNOWN: the store never said; the file may be there, now or later.

    Raises:
        StorageError: the store refused every attempt, and the file is not there.
    """
    refusals: list[StorageError] = []
    absent = False
    for attempt in range(_ATTEMPTS):
        if attempt:
            sleep(_delay(attempt))
        try:
            outcome = store.put_if_absent(key, data)
            if outcome is PutOutcome.CREATED:
                return Creation.WON
            if outcome is PutOutcome.UNSETTLED:
                # what it was that a disk did not take is told only once, so asking again proves
                # nothing
                return Creation.UNKNOWN
        except StorageError as error:
            refusals.append(error)
        try:
            found = store.get(key)
        except StorageError:
            absent = False
            continue
        if found is not None:
            return _found(store, key, ours=found == data)
        absent = True
    if absent and len(refusals) == _ATTEMPTS:
        raise refusals[-1]
    return Creation.UNKNOWN


def _found(store: Store, key: str, *, ours: bool) -> Creation:
    if not ours:
        return Creation.LOST
    try:
        store.settle(key)
    except StorageError:
        return Creation.UNKNOWN
    return Creation.WON


def _delay(attempt: int) -> float:
    # writers that failed together must not come back together
    import random

    jitter = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
    return _FIRST_DELAY_S * (1 << (attempt - 1)) * jitter
