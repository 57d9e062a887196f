"""Where a registry may begin, and its files that never change: its id, and what git goes by."""

from regista.errors import InvalidInputError, RegistaError, StorageError
from regista.model.names import shown
from regista.read.opening import REGISTRY_KEY
from regista.storage.creating import Creation, create
from regista.storage.opening import open_store
from regista.storage.store import Store

# line-ending conversion or a text merge of these would break every hash
GIT_ATTRIBUTES = b"""\
log/** -text -merge
data/** -text -merge
blobs/** -text -merge
*.parquet binary
"""
GIT_IGNORE = b"checkpoints/\nhooks/*/failing.json\n.tmp-*\n"

# where a registry keeps files of its own, and removes what it does not know
_OWN_FOLDERS = frozenset({"blobs", "checkpoints", "data", "hooks", "log", "tables"})


def refuse_inside_another(store: Store) -> None:
    """Refuse a place in a folder that another registry keeps its own files in.

    Raises:
        InvalidInputError: it is one.
    """
    parts = store.uri.split("/")
    for count, name in enumerate(parts):
        outer = "/".join(parts[:count])
        if name in _OWN_FOLDERS and _has_registry(outer):
            raise InvalidInputError(
                f"{shown(store.uri, 200)} lies inside the registry {shown(outer, 200)}, among its"
                f" files of {name}/",
                hint="name a place beside it",
            )


def _has_registry(uri: str) -> bool:
    try:
        return open_store(uri).get(REGISTRY_KEY) is not None
    except RegistaError:
        # what is no place, or cannot be looked at, is not ours to judge
        return False


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
