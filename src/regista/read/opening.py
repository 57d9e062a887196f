"""Opening a registry for reading: which store, and whose registry lies there."""

from regista.errors import InvalidInputError, NewerFormatError, NotFoundError, StorageError
from regista.model import canonical
from regista.model.commit import FORMAT
from regista.model.names import shown
from regista.read.replica import Replica
from regista.storage.opening import open_store
from regista.storage.store import Store

REGISTRY_KEY = "registry.json"


def open_replica(uri: str) -> Replica:
    """Return the view of a registry's state.

    Raises:
        NotFoundError: there is no registry.
        NewerFormatError: it was made by a newer Regista.
        StorageError: its `registry.json` is damaged, or the store cannot be read.
    """
    return replica_of(open_store(uri))


def replica_of(store: Store) -> Replica:
    """Return the view of the registry that lies in a store; raises as `open_replica` does."""
    return Replica(store, _read_id(store))


def _read_id(store: Store) -> str:
    data = store.get(REGISTRY_KEY)
    if data is None:
        raise NotFoundError(
            f"there is no registry at {shown(store.uri, 200)}",
            hint="regista init, or name one with --registry URI",
        )
    try:
        value = canonical.decode(data)
        found, id_ = int(value["format"]), str(value["id"])
    except (InvalidInputError, KeyError, TypeError, ValueError) as error:
        raise StorageError(
            f"{REGISTRY_KEY} at {shown(store.uri, 200)} is damaged",
            hint="restore it from a backup; its id is the parent of commit 1",
        ) from error
    if found > FORMAT:
        raise NewerFormatError(
            f"the registry has format {found}; this Regista knows up to {FORMAT}",
            hint="pip install --upgrade regista",
        )
    return id_
