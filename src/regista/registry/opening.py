"""Making and opening registries: `init` and `open`."""

import os
from dataclasses import dataclass

from regista.decide.operations.context import Request
from regista.model import canonical
from regista.model.commit import FORMAT
from regista.read.opening import REGISTRY_KEY, open_replica
from regista.registry.core import Registry
from regista.storage.opening import open_store
from regista.storage.probing import probe
from regista.storage.store import PutOutcome
from regista.write.committed import DEFAULT_TIMEOUT_S
from regista.write.founding import found


@dataclass(frozen=True, slots=True)
class Initialised:
    """Result of `init`: the registry, and whether this call made it."""

    registry: Registry
    created: bool
    seq: int
    commit: str


def open_registry(uri: str, *, actor: str = "", timeout_s: float = DEFAULT_TIMEOUT_S) -> Registry:
    """Open a registry.

    Args:
        uri: a folder, or `memory://name`.
        actor: who writes; found from the environment when empty.
        timeout_s: how long a write goes on against other writers.

    Raises:
        NotFoundError: there is no registry.
        NewerFormatError: it was made by a newer Regista.
    """
    return Registry(open_replica(uri), actor=actor, timeout_s=timeout_s)


def init_registry(
    uri: str,
    *,
    policy: str | None = None,
    actor: str = "",
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> Initialised:
    """Make a registry with a policy, or finish and return the one that is there.

    Args:
        uri: where to.
        policy: path of a policy file; the default policy when None.
        actor: who.
        timeout_s: as for `open_registry`.

    Raises:
        StorageError: the store cannot create a file exactly once, which commits rest on.
    """
    store = open_store(uri)
    if store.get(REGISTRY_KEY) is None:
        probe(store)
    text = {"format": FORMAT, "id": os.urandom(16).hex()}
    created = found(store, canonical.encode(text) + b"\n")
    registry = open_registry(uri, actor=actor, timeout_s=timeout_s)
    if registry.replica.refresh().seq == 0:
        digest = registry.preparing.policy(policy)
        request = Request("init", {"policy": digest})
        registry.writer.run([request], txid=f"init-{registry.id}")
    _commit, sha256 = registry.replica.log.read(1)
    return Initialised(registry, created is PutOutcome.CREATED, 1, sha256)
