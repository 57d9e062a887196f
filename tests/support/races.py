"""What must hold after any number of writers raced, and some of them were killed."""

from pathlib import Path
from random import Random

import regista
from regista.registry.core import Registry
from support.workers import acknowledged, finish, kill_at_random, start

LONGEST_LIFE_S = 1.5
# more than any of them will finish before it is killed
ENDLESS = 10_000


def versions_of(registry: Registry) -> list[int]:
    """Return the numbers of all versions, in the order in which they were given."""
    rows = registry.sql("SELECT version FROM versions ORDER BY seq, i").fetchall()
    return [row[0] for row in rows]


def assert_nothing_lost(root: Path, told: Path) -> int:
    """Check that the registry is sound and holds all that was acknowledged; return how much."""
    registry = regista.open(str(root))
    assert registry.verify().problems == []
    acknowledgements = acknowledged(told)
    assert acknowledgements
    for item in acknowledgements:
        _commit, digest = registry.replica.log.read(item.seq)
        assert digest == item.commit
    numbers = [item.version for item in acknowledgements if item.version is not None]
    assert len(numbers) == len(set(numbers)), "a version number was given twice"
    versions = versions_of(registry)
    assert versions == list(range(1, len(versions) + 1))
    assert set(numbers) <= set(versions)
    return len(acknowledgements)


def kill_writers(root: Path, told: Path, *, kills: range, writers: int, chance: Random) -> None:
    """Start writers, a few at a time, and kill each of them at a random moment.

    Args:
        root: the registry.
        told: folder for what they were told.
        kills: a number for each of them, used once.
        writers: how many at a time.
        chance: the dice.
    """
    pending = list(kills)
    while pending:
        batch, pending = pending[:writers], pending[writers:]
        running = [start("work", root, told / f"told-{seed}", ENDLESS, seed) for seed in batch]
        for worker in running:
            kill_at_random(worker, chance, LONGEST_LIFE_S)


def survive(root: Path, told: Path, seed: int) -> None:
    """Let one more writer do its work to the end."""
    finish(start("work", root, told / f"told-{seed}", 1, seed))
