"""The files of a registry that never change: its id, and what keeps git from changing bytes."""

from regista.read.opening import REGISTRY_KEY
from regista.storage.store import PutOutcome, Store

# line-ending conversion or a text merge of these would break every hash
GIT_ATTRIBUTES = b"""\
log/** -text -merge
data/** -text -merge
blobs/** -text -merge
*.parquet binary
"""
GIT_IGNORE = b"checkpoints/\n.tmp-*\n"


def found(store: Store, header: bytes) -> PutOutcome:
    """Write the files that are not there.

    Args:
        store: where the registry is to lie.
        header: content of `registry.json`.

    Returns:
        What became of `registry.json`; where it exists, it may be another registry's.
    """
    outcome = store.put_if_absent(REGISTRY_KEY, header)
    for key, content in ((".gitattributes", GIT_ATTRIBUTES), (".gitignore", GIT_IGNORE)):
        store.put_if_absent(key, content)
    return outcome
