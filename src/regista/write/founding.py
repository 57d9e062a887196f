"""The files of a registry that never change: its id, and what keeps git from changing bytes."""

from regista.errors import StorageError
from regista.model.names import shown
from regista.read.opening import REGISTRY_KEY
from regista.storage.creating import Creation, create
from regista.storage.store import Store

# line-ending conversion or a text merge of these would break every hash
GIT_ATTRIBUTES = b"""\
log/** -text -merge
data/** -text -merge
blobs/** -text -merge
*.parquet binary
"""
GIT_IGNORE = b"checkpoints/\nhooks/*/failing.json\n.tmp-*\n"


def found(store: Store, header: bytes) -> Creation:
    """Write the files that are not there.

    Args:
        store: where the registry is to lie.
        header: content of `registry.json`.

    Returns:
        What became of `registry.json`; where it exists, it may be another registry's.

    Raises:
        StorageError: the store refused, or never said whether it was written.
    """
    outcome = create(store, REGISTRY_KEY, header)
    if outcome is Creation.UNKNOWN:
        raise StorageError(
            f"{shown(store.uri, 200)} did not say whether {REGISTRY_KEY} was written",
            hint="run it again",
        )
    for key, content in ((".gitattributes", GIT_ATTRIBUTES), (".gitignore", GIT_IGNORE)):
        store.put_if_absent(key, content)
    return outcome
