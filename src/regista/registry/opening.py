"""Making and opening registries: `init` and `open`."""

import os
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from regista.decide.operations.context import Request
from regista.errors import InvalidInputError, OutcomeUnknownError, StorageError
from regista.model import canonical
from regista.model.commit import FORMAT
from regista.model.names import shown
from regista.read.opening import REGISTRY_KEY, open_replica, refuse_lost_id
from regista.registry.core import Registry
from regista.registry.hooking import Hooking, config_here
from regista.storage.creating import Creation
from regista.storage.opening import open_store
from regista.storage.probing import probe
from regista.write import clocks
from regista.write.committed import DEFAULT_TIMEOUT_S
from regista.write.founding import found, refuse_inside_another


@dataclass(frozen=True, slots=True)
class Initialised:
    """Result of `init`: the registry, and whether this call made it."""

    registry: Registry
    created: bool
    seq: int
    commit: str


def open_registry(
    uri: str,
    *,
    actor: str = "",
    timeout_s: float = DEFAULT_TIMEOUT_S,
    deliver: bool = True,
) -> Registry:
    """Open a registry.

    Hooks are those of the `regista.toml` that counts in the current folder, unless that names
    another registry.

    Args:
        uri: a folder, a place in an object store, or `memory://name`.
        actor: who writes; found from the environment when empty.
        timeout_s: how long a write goes on against other writers.
        deliver: whether post-hooks are tried right after a write; else they wait for
            `hooks.run()`. Pre-hooks are asked in any case.

    Raises:
        NotFoundError: there is no registry.
        NewerFormatError: it was made by a newer Regista.
    """
    replica = open_replica(uri)
    hooking = Hooking(config_here(), deliver=deliver)
    return Registry(replica, actor=actor, timeout_s=timeout_s, hooking=hooking)


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
        policy: path of a policy file, or the name of a starter: `team`, `strict`, `llm` or
            `regulated`; the default policy when None.
        actor: who.
        timeout_s: as for `open_registry`.

    Raises:
        InvalidInputError: the policy is malformed, or the registry is there with another one, or
            the place lies among the files of another registry.
        IntegrityError: there are commits, and no `registry.json`.
        StorageError: the store cannot create a file exactly once, which commits rest on, or did
            not say clearly whether the registry was made; or this machine's clock is ahead.
    """
    if policy is not None:
        from regista.policyfile.loading import read_policy

        # what is wrong with it is said before anything is made
        read_policy(Path(policy))
    store = open_store(uri)
    if store.get(REGISTRY_KEY) is None:
        refuse_lost_id(store)
        refuse_inside_another(store)
        clocks.refuse(clocks.how_far_ahead(store))
        probe(store)
    text = {"format": FORMAT, "id": os.urandom(16).hex()}
    created = found(store, canonical.encode(text) + b"\n")
    registry = open_registry(uri, actor=actor, timeout_s=timeout_s)
    if registry.replica.refresh().seq == 0:
        digest = registry.preparing.policy(policy)
        request = Request("init", {"policy": digest})
        registry.writer.run([request], txid=f"init-{registry.id}")
    else:
        if policy is not None:
            _follows(registry, policy)
        _settle(registry)
    _commit, sha256 = registry.replica.log.read(1)
    return Initialised(registry, created is Creation.WON, 1, sha256)


def _settle(registry: Registry) -> None:
    """Make the first commit durable: whoever wrote it may have died before it was.

    Raises:
        OutcomeUnknownError: it is there, but may not survive a power cut.
    """
    try:
        registry.replica.log.settle(1)
    except StorageError as error:
        raise OutcomeUnknownError(
            "the store did not say whether commit 1 was written for good",
            txid=f"init-{registry.id}",
            hint="run regista init again",
        ) from error


def _follows(registry: Registry, policy: str) -> None:
    """Refuse to pass over a policy that the registry neither began with nor follows now.

    Raises:
        InvalidInputError: it is another one.
    """
    from regista.policyfile.loading import read_policy

    first = registry.replica.log.read(1)[0].ops[0].args.get("policy")
    known = {first, registry.replica.refresh().policy_digest}
    if read_policy(Path(policy)).digest not in known:
        raise InvalidInputError(
            f"the registry is there already, with another policy than {shown(policy, 200)}",
            hint=f"regista policy diff {quote(policy)}, then regista policy apply {quote(policy)}",
        )
