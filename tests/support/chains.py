"""Logs of small commits that follow on each other, written into any store without a registry."""

from dataclasses import replace

from regista.model.canonical import sha256_hex
from regista.model.commit import log_key
from regista.storage.store import Store
from support.commit_samples import SampleLog

REGISTRY_ID = "registry-id"


def chain(commits: int) -> list[bytes]:
    """Return the log files of that many commits: of different sizes, every fifth one signed."""
    log, files, parent = SampleLog(), [], REGISTRY_ID
    for seq in range(1, commits + 1):
        row = {"table": "tags", "entry_id": "e1-0", "entry": "m" * (seq % 7), "key": "k"}
        commit = replace(log.add(row), parent=parent)
        files.append(commit.to_bytes() + b"signature: x\n" * (seq % 5 == 0))
        parent = sha256_hex(files[-1])
    return files


def write_chain(store: Store, files: list[bytes]) -> None:
    """Write log files under the numbers from 1 on."""
    for seq, data in enumerate(files, 1):
        store.put(log_key(seq), data)
