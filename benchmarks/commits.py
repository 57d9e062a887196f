"""Make a registry of very many commits, each of which registers a version; `scale.py` measures it.

    python benchmarks/commits.py DIR [--commits 1000000] [--entries 10000]

Each commit is planned and written as any other, but for its tables, which are written at the end,
and its checkpoints, which are written every few hundred commits. Prints how long it took.
"""

import argparse
import time
from pathlib import Path

from measuring import heading, row

import regista
from regista.decide.keys import encode_head
from regista.decide.operations.context import Request
from regista.model.commit import Commit
from regista.read.replica import Replica
from regista.storage.checkpointer import prune, write_checkpoint
from regista.write.transaction import Writer

CHECKPOINT_EVERY = 512
OPEN = "format: 1\nstages: [dev, staging, prod]\non_register: dev\nungated: allow\n"


class BareWriter(Writer):
    """A writer whose commits are followed by checkpoints alone."""

    def _follow(self, commit: Commit, digest: str) -> None:
        self.replica.advance(commit, digest)
        if commit.seq % CHECKPOINT_EVERY == 0:
            checkpoint(self.replica)


def checkpoint(replica: Replica) -> None:
    """Write a checkpoint of the state at hand, and stand on it."""
    state = replica.refresh()
    changed = {key: encode_head(value) for key, value in state.heads.changed.items()}
    made = write_checkpoint(
        replica.store, replica.checkpoint, state.seq, state.digest, changed, time=state.time
    )
    prune(replica.store)
    replica.stand_on(made)


def request(number: int, entries: int) -> Request:
    """Return what registers the next version: of which entry goes round."""
    name = f"team-{number % entries % 97}/model-{number % entries}"
    digest = f"{number:064x}"
    return Request(
        "register",
        {
            "name": name, "kind": "model", "manifest": digest, "files": 0, "bytes": 0,
            "uri": f"s3://models/{digest}", "run": f"run-{number}",
        },
    )  # fmt: skip


def main() -> None:
    """Make it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--commits", type=int, default=1_000_000)
    parser.add_argument("--entries", type=int, default=10_000)
    options = parser.parse_args()
    heading(f"Making a registry of {options.commits:,} commits")
    made = regista.init(str(options.folder), actor="benchmark")
    replica = made.registry.replica
    writer = BareWriter(replica, "benchmark")
    started = time.perf_counter()
    first = replica.refresh().seq + 1
    for number in range(first, options.commits + 1):
        writer.run([request(number, options.entries)])
    checkpoint(replica)
    taken = time.perf_counter() - started
    row("commits", f"{taken:.0f} s, {(options.commits + 1 - first) / taken:.0f} /s")
    started = time.perf_counter()
    regista.open(str(options.folder), actor="benchmark").compact()
    row("tables", f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
