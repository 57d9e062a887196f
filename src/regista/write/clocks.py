"""Clocks that are minutes ahead of the store's, which nobody may commit by.

Times of such a clock would be later than those of everybody who comes after.
"""

from datetime import UTC, datetime, timedelta

from regista.errors import StorageError
from regista.storage.store import Store

# clocks that are set by the network differ by less, and answers take their time
MOST_AHEAD = timedelta(minutes=2)
SET_IT = "set the clock, for example by NTP"


def how_far_ahead(store: Store) -> timedelta:
    """Return how far this machine's clock is ahead of the store's; 0 where that is no matter."""
    there = store.now()
    ahead = datetime.now(UTC) - there if there else timedelta()
    return ahead if ahead > MOST_AHEAD else timedelta()


def in_words(ahead: timedelta) -> str:
    """Say in words how far a clock is ahead."""
    return f"this machine's clock is {ahead.total_seconds() / 60:.0f} minutes ahead of the store's"


def refuse(ahead: timedelta) -> None:
    """Refuse a clock that is ahead.

    Raises:
        StorageError: it is.
    """
    if ahead:
        raise StorageError(f"{in_words(ahead)}, so nothing was committed", hint=SET_IT)
