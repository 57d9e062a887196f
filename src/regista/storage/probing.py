"""Probing: can a store do the one thing that commits rest on, creating a file exactly once?"""

import os

from regista.errors import StorageError
from regista.model.names import shown
from regista.storage.store import PutOutcome, Store


def probe(store: Store) -> None:
    """Try a store out.

    Raises:
        StorageError: two writers could both create one file, so commits would not be safe.
    """
    key = f"probe-{os.urandom(8).hex()}"
    try:
        first, second = store.put_if_absent(key, b"1"), store.put_if_absent(key, b"2")
        sound = (first, second) == (PutOutcome.CREATED, PutOutcome.EXISTS)
        if not sound or store.get(key) != b"1":
            raise StorageError(
                f"{shown(store.uri, 200)} cannot create a file exactly once, so two writers"
                " could overwrite each other",
                hint="use a local disk, or an object store with conditional writes",
            )
    finally:
        store.delete(key)
