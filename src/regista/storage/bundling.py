"""Making and removing bundles of log files (`regista.storage.bundles`).

A bundle's bytes follow from the log, so whoever makes it writes the same, and a kill at any point
leaves nothing to repair. They are made only where each question to the store takes its time.
One of 4,096 commits takes the place of 64 small ones, which stay a while for who reads them.
"""

from collections.abc import Iterator

from regista.model.commit import log_key
from regista.storage.bundles import (
    BUNDLES_PREFIX,
    LARGE,
    SMALL,
    BundleReader,
    bundle_bytes,
    bundle_key,
    list_bundles,
    load_sound,
    parse_bundle,
    span_of,
    span_of_key,
)
from regista.storage.cover import Span
from regista.storage.log import Log
from regista.storage.several import is_dear
from regista.storage.store import Store

# a reader has one of them in memory; commits of which that many take more have smaller bundles
MOST_BYTES = 32 << 20
# what a commit's writer looks after: a few more than are due, since one may have been killed
RECENT = 4 * SMALL


def bundle_recent(store: Store, head: int, *, spare_s: float) -> None:
    """Make the bundles that the last commits made due, and remove small ones that were replaced.

    Older ones that are missing are left to `make_bundles`: a commit should not pay for them.

    Args:
        store: where the registry lies.
        head: number of a commit that is there.
        spare_s: keep what was replaced for so many seconds, for who still reads it.

    Raises:
        StorageError: the store fails.
    """
    if not is_dear(store):
        return
    have = list_bundles(store)
    for span in _complete(SMALL, head, since=head - RECENT):
        if span not in have and span_of(span.last, LARGE) not in have and _make(store, span, have):
            have.add(span)
    for span in _complete(LARGE, head, since=head - RECENT):
        if span not in have and have.issuperset(_inside(span)) and _make(store, span, have):
            have.add(span)
    for key in stale_bundles(store, spare_s=spare_s, have=have):
        store.delete(key)


def make_bundles(store: Store, head: int) -> None:
    """Make all bundles that are missing, where each question to the store takes its time.

    Args:
        store: where the registry lies.
        head: number of the last commit.

    Raises:
        StorageError: the store fails.
    """
    if not is_dear(store):
        return
    have = list_bundles(store)
    for size in (LARGE, SMALL):
        for span in _complete(size, head):
            known = span in have or span_of(span.last, LARGE) in have
            if not known and _make(store, span, have):
                have.add(span)


def rebuild_bundles(store: Store) -> int:
    """Remove what is no sound bundle, make those that are missing; return the log's last number.

    Raises:
        StorageError: the store fails.
    """
    # listed first, so that what reaches beyond this head was never the log's
    keys = list(store.list_after(BUNDLES_PREFIX))
    head = Log(store).head()
    wanted = is_dear(store)
    for key in keys:
        span = span_of_key(key)
        if not (wanted and span and span.last <= head and load_sound(store, span)):
            store.delete(key)
    make_bundles(store, head)
    return head


def stale_bundles(
    store: Store, *, spare_s: float = 0.0, have: set[Span] | None = None
) -> list[str]:
    """Return the keys of small bundles that a sound large one holds.

    Args:
        store: where the registry lies.
        spare_s: only where the large one was made longer ago than that, in seconds.
        have: the spans of all bundles, where they were just listed.
    """
    spans = list_bundles(store) if have is None else have
    stale: list[str] = []
    for large in sorted(span for span in spans if span.commits == LARGE):
        inside = sorted(spans & _inside(large))
        if not inside or (store.age_s(bundle_key(large)) or 0.0) < spare_s:
            continue
        if load_sound(store, large):
            stale += map(bundle_key, inside)
    return stale


def _complete(commits: int, head: int, *, since: int = 0) -> Iterator[Span]:
    """Yield the spans of a size that end after commit `since` and not after the head."""
    for first in range(max(since, 0) // commits * commits + 1, head - commits + 2, commits):
        yield Span(first, first + commits - 1)


def _inside(large: Span) -> set[Span]:
    return {span_of(first, SMALL) for first in range(large.first, large.last, SMALL)}


def _make(store: Store, span: Span, have: set[Span]) -> bool:
    """Make the bundle of a span; say whether that could be done."""
    reader, files, size = BundleReader(store, span.last, have), [], 0
    for seq in range(span.first, span.last + 1):
        data = reader.get(log_key(seq))
        size += len(data or b"")
        if not data or size > MOST_BYTES:
            return False
        files.append(data)
    bundle = parse_bundle(span, bundle_bytes(span, files))
    # a damaged log is `verify`'s business, and must not be spread
    if bundle.is_chained():
        store.put(bundle_key(span), bundle.data)
    return bundle.is_chained()
