"""A replica as it was left by an earlier process, where its store has a memory.

What is remembered is what a checkpoint would hold: the heads that changed since the checkpoint
stood on, and which that is. The store has confirmed the commit that it was true at.
"""

from typing import Any

from regista.decide import fold
from regista.errors import IntegrityError
from regista.read.replica import MALFORMED, Replica
from regista.storage.checkpoint import manifest_bytes, parse_manifest
from regista.storage.remembering import Memory, Recalled
from regista.storage.store import Store

# as many heads as are read and written in a moment; more have a checkpoint soon
MOST_HEADS = 2_000


def recalled_replica(store: Store, memory: Memory) -> Replica | None:
    """Return the replica that is remembered; None when nothing is, or it is not so any more."""
    found = memory.recall()
    if found is None:
        return None
    try:
        return _replica(store, memory, found)
    except (IntegrityError, *MALFORMED):
        return None


def remember(replica: Replica, memory: Memory) -> None:
    """Keep a replica's state for the next process."""
    state, checkpoint = replica.pinned, replica.checkpoint
    if state is None or len(state.heads.changed) > MOST_HEADS:
        return
    said: dict[str, Any] = {
        "registry": state.registry,
        "digest": state.digest,
        "time": state.time,
        "checkpoint": checkpoint.id if checkpoint else "",
        "manifest": manifest_bytes(checkpoint).decode() if checkpoint else "",
        "heads": {key: fold.encode_head(value) for key, value in state.heads.changed.items()},
    }
    memory.remember(state.seq, said)


def _replica(store: Store, memory: Memory, found: Recalled) -> Replica:
    said = found.said
    replica = Replica(store, str(said["registry"]), memory=memory)
    base = None
    if said["checkpoint"]:
        base = parse_manifest(store, said["checkpoint"], said["manifest"].encode())
    heads = {
        key: None if value is None else fold.decode_head(key, value)
        for key, value in said["heads"].items()
    }
    replica.stand_on_remembered(
        base, found.seq, str(said["digest"]), str(said["time"]), heads, head=found.head
    )
    return replica
