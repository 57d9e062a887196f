"""Probing: can a store do the one thing that commits rest on, creating a file exactly once?"""

import os
from contextlib import suppress

from regista.errors import StorageError
from regista.model.names import shown
from regista.storage.store import PutOutcome, Store

# an answer may be lost on a bad day; one that is always lost is no store
_ATTEMPTS = 3


def probe(store: Store) -> None:
    """Try a store out.

    Raises:
        StorageError: two writers could both create one file, so commits would not be safe; or
            the store denies what a registry needs, or never answers clearly.
    """
    for _ in range(_ATTEMPTS):
        outcomes = _create_twice(store)
        if outcomes == (PutOutcome.CREATED, PutOutcome.EXISTS):
            return
        if outcomes == (PutOutcome.CREATED, PutOutcome.CREATED):
            raise StorageError(
                f"{shown(store.uri, 200)} cannot create a file exactly once, so two writers"
                " could overwrite each other",
                hint="use a local disk, or an object store with conditional writes",
            )
    raise StorageError(
        f"{shown(store.uri, 200)} did not say clearly whether a file was created",
        hint="run it again when the store can be reached without faults",
    )


def _create_twice(store: Store) -> tuple[PutOutcome, PutOutcome]:
    """Create one key with two contents; a store that keeps the second is as one that says so."""
    key = f"probe-{os.urandom(8).hex()}"
    try:
        first, second = store.put_if_absent(key, b"1"), store.put_if_absent(key, b"2")
        if store.get(key) == b"2":
            first = second = PutOutcome.CREATED
    except StorageError:
        # what denies one thing may deny the next, and the first is the one to tell
        with suppress(StorageError):
            store.delete(key)
        raise
    store.delete(key)
    return first, second
