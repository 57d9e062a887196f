"""Opening a registry for reading: which store, and whose registry lies there."""

from typing import TYPE_CHECKING

from regista.errors import (
    IntegrityError,
    InvalidInputError,
    NewerFormatError,
    NotFoundError,
    StorageError,
)
from regista.model import canonical
from regista.model.commit import FORMAT
from regista.model.names import shown
from regista.read.replica import Replica
from regista.storage.checkpoint import load_latest
from regista.storage.log import LOG_PREFIX, Log
from regista.storage.opening import open_store
from regista.storage.store import Store

if TYPE_CHECKING:
    from regista.storage.remembering import Memory

REGISTRY_KEY = "registry.json"
_MEND = "restore it from a backup; its id is the parent of commit 1"


def open_replica(uri: str) -> Replica:
    """Return the view of a registry's state.

    Raises:
        NotFoundError: there is no registry.
        NewerFormatError: it was made by a newer Regista.
        IntegrityError: its `registry.json` is lost.
        StorageError: its `registry.json` is damaged, or the store cannot be read.
    """
    store = open_store(uri)
    memory = store.memory()
    if memory is None:
        return replica_of(store)
    from regista.read.recalling import recalled_replica, tip_replica

    return (
        recalled_replica(store, memory)
        or tip_replica(store, memory)
        or _first_replica(store, memory)
    )


def _first_replica(store: Store, memory: "Memory") -> Replica:
    """Return the view of a registry that this machine knows nothing of yet, nor the store's tip.

    The commit that a checkpoint stands on names the registry, which saves a question.
    """
    log = Log(store)
    checkpoint = load_latest(store, log)
    if checkpoint is None:
        return Replica(store, read_id(store), memory=memory)
    commit, _digest = log.read(checkpoint.seq)
    replica = Replica(store, commit.registry, memory=memory)
    replica.stand_on(checkpoint)
    return replica


def replica_of(store: Store) -> Replica:
    """Return the view of a registry's state, from what the store holds and nothing remembered.

    Raises:
        NotFoundError, NewerFormatError, IntegrityError, StorageError: as for `open_replica`.
    """
    return Replica(store, read_id(store))


def refuse_lost_id(store: Store) -> None:
    """Refuse a place without `registry.json` that has commits: it is no place for a new one.

    Raises:
        IntegrityError: there are commits.
    """
    if any(True for _key in store.list_after(LOG_PREFIX)):
        raise IntegrityError(
            f"{shown(store.uri, 200)} has commits and no {REGISTRY_KEY}", hint=_MEND
        )


def read_id(store: Store) -> str:
    """Return the id of the registry, from its `registry.json`.

    Raises:
        NotFoundError, NewerFormatError, IntegrityError, StorageError: as for `open_replica`.
    """
    data = store.get(REGISTRY_KEY)
    if data is None:
        refuse_lost_id(store)
        raise NotFoundError(
            f"there is no registry at {shown(store.uri, 200)}",
            hint="regista init, or name one with --registry URI",
        )
    try:
        value = canonical.decode(data)
        found, id_ = int(value["format"]), str(value["id"])
    except (InvalidInputError, KeyError, TypeError, ValueError) as error:
        raise StorageError(
            f"{REGISTRY_KEY} at {shown(store.uri, 200)} is damaged", hint=_MEND
        ) from error
    if found > FORMAT:
        raise NewerFormatError(
            f"the registry has format {found}; this Regista knows up to {FORMAT}",
            hint="pip install --upgrade regista",
        )
    return id_


def require_own_id(replica: Replica) -> None:
    """Look whether `registry.json` is there and the replica's, who may not have read it.

    Raises:
        NotFoundError, NewerFormatError, IntegrityError, StorageError: as for `open_replica`; also
            when it is of another registry.
    """
    found = read_id(replica.store)
    if found != replica.registry_id:
        raise IntegrityError(f"{REGISTRY_KEY} is of another registry, {found[:12]}", hint=_MEND)
