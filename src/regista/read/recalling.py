"""A replica as it was left by an earlier process, on this machine or another.

What is kept is what a checkpoint would hold: the heads that changed since the checkpoint stood
on, and which that is. This machine keeps it where its store has a memory, and the last writer in
the store's tip. The store has confirmed the commit that it was true at.
"""

from typing import Any

from regista.decide import keys
from regista.errors import IntegrityError
from regista.read.replica import MALFORMED, Replica
from regista.storage.checkpoint import manifest_bytes, parse_manifest
from regista.storage.log import Log
from regista.storage.remembering import Memory, Recalled
from regista.storage.store import Store
from regista.storage.tip import TIP_KEY, parse_tip

# as many heads as are read and written in a moment; more have a checkpoint soon
MOST_HEADS = 2_000


def recalled_replica(store: Store, memory: Memory) -> Replica | None:
    """Return the replica that is remembered; None when nothing is, or it is not so any more."""
    found = memory.recall()
    if found is None:
        return None
    try:
        return _replica(store, memory, found, kept=True)
    except (IntegrityError, *MALFORMED):
        return None


def remember(replica: Replica, memory: Memory) -> None:
    """Keep a replica's state for the next process."""
    known = what_is_known(replica)
    if known and replica.pinned:
        memory.remember(replica.pinned.seq, known)


def what_is_known(replica: Replica) -> dict[str, Any] | None:
    """Return a replica's state as JSON; None when it has none, or more than is worth telling."""
    state, checkpoint = replica.pinned, replica.checkpoint
    if state is None or len(state.heads.changed) > MOST_HEADS:
        return None
    return {
        "registry": state.registry,
        "digest": state.digest,
        "time": state.time,
        "checkpoint": checkpoint.id if checkpoint else "",
        "manifest": manifest_bytes(checkpoint).decode() if checkpoint else "",
        "heads": {key: keys.encode_head(value) for key, value in state.heads.changed.items()},
    }


def tip_replica(store: Store, memory: Memory) -> Replica | None:
    """Return the replica that the store's tip tells of; None when there is none that fits the log.

    Four questions at most, and one for each commit since.
    """
    data = store.get(TIP_KEY)
    try:
        tip = parse_tip(data) if data else None
        if tip is None:
            return None
        log = Log(store, get=memory.get)
        head = log.head(after=tip.seq)
        if head < tip.seq or log.digest(tip.seq) != tip.said["digest"]:
            return None
        return _replica(store, memory, Recalled(tip.seq, tip.said, head), kept=False)
    except (IntegrityError, *MALFORMED):
        return None


def _replica(store: Store, memory: Memory, found: Recalled, *, kept: bool) -> Replica:
    said = found.said
    replica = Replica(store, str(said["registry"]), memory=memory)
    base = None
    if said["checkpoint"]:
        base = parse_manifest(store, said["checkpoint"], said["manifest"].encode())
        if base is None:
            raise IntegrityError("what is remembered stands on a checkpoint of another format")
    heads = {
        key: None if value is None else keys.decode_head(key, value)
        for key, value in said["heads"].items()
    }
    replica.stand_on_remembered(
        base, found.seq, str(said["digest"]), str(said["time"]), heads, head=found.head, kept=kept
    )
    return replica
