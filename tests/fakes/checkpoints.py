"""Small steps for tests about checkpoints: a log of dummy commits, and what a dict would hold."""

from typing import Any

from regista.model.canonical import sha256_hex
from regista.model.commit import log_key
from regista.storage.checkpoint import CHECKPOINTS_PREFIX, Checkpoint, load_latest
from regista.storage.checkpointer import write_checkpoint
from regista.storage.log import Log
from regista.storage.store import Store

Changes = dict[str, Any]


def commit_at(store: Store, seq: int, content: str = "ours") -> str:
    data = f"commit {seq} {content}".encode()
    store.put(log_key(seq), data)
    return sha256_hex(data)


def latest(store: Store) -> Checkpoint | None:
    return load_latest(store, Log(store))


def must_load(store: Store) -> Checkpoint:
    found = latest(store)
    assert found is not None
    return found


def add(store: Store, seq: int, changed: Changes) -> Checkpoint:
    return write_checkpoint(store, latest(store), seq, commit_at(store, seq), changed)


def keys_of(store: Store) -> list[str]:
    return list(store.list_after(CHECKPOINTS_PREFIX))


def run_keys(store: Store) -> set[str]:
    return {key for key in keys_of(store) if key.endswith(".run")}


def contents(checkpoint: Checkpoint | None) -> Changes:
    return dict(checkpoint.items()) if checkpoint else {}


def flip(store: Store, key: str, position: int) -> None:
    data = bytearray(store.get(key) or b"")
    data[position] ^= 1
    store.put(key, bytes(data))
