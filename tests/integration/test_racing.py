"""Many processes write to one folder; some are killed. Nothing acknowledged is lost.

Set REGISTA_CAMPAIGN=1 for the long version: 16 processes, and 300 kills.
"""

import os
import random
from pathlib import Path

import pytest

import regista
from regista.registry.core import Registry
from support.registries import GATED, new_registry
from support.workers import acknowledged, kill_at_random, start

LONG = bool(os.environ.get("REGISTA_CAMPAIGN"))
PROCESSES, ROUNDS = (16, 25) if LONG else (4, 6)
KILLS = 300 if LONG else 10


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "registry"
    new_registry(GATED, folder=folder)
    return folder


def _versions(registry: Registry) -> list[int]:
    rows = registry.sql("SELECT version FROM versions ORDER BY seq, i").fetchall()
    return [row[0] for row in rows]


def _assert_nothing_lost(root: Path, told: Path) -> None:
    registry = regista.open(str(root))
    verification = registry.verify()
    assert verification.problems == []
    acks = acknowledged(told)
    assert acks
    for ack in acks:
        _commit, digest = registry.replica.log.read(ack.seq)
        assert digest == ack.commit
    numbers = [ack.version for ack in acks if ack.version is not None]
    assert len(numbers) == len(set(numbers)), "a version number was given twice"
    versions = _versions(registry)
    assert versions == list(range(1, len(versions) + 1))
    assert set(numbers) <= set(versions)


def test_racing_processes_lose_nothing_and_number_without_gaps(root: Path, tmp_path: Path) -> None:
    workers = [start(root, tmp_path / f"told-{seed}", ROUNDS, seed) for seed in range(PROCESSES)]
    for worker in workers:
        _out, errors = worker.communicate(timeout=600)
        assert worker.returncode == 0, errors.decode()
    _assert_nothing_lost(root, tmp_path)
    assert len(_versions(regista.open(str(root)))) == PROCESSES * ROUNDS


def test_killed_writers_leave_a_sound_registry(root: Path, tmp_path: Path) -> None:
    chance = random.Random(7)
    longest_s = 1.5
    for seed in range(0, KILLS, 2):
        pair = [start(root, tmp_path / f"told-{seed + k}", 1000, seed + k) for k in range(2)]
        for worker in pair:
            kill_at_random(worker, chance, longest_s)
    survivor = start(root, tmp_path / "told-last", 1, KILLS)
    _out, errors = survivor.communicate(timeout=60)
    assert survivor.returncode == 0, errors.decode()
    _assert_nothing_lost(root, tmp_path)
    assert regista.open(str(root)).doctor().ok or _mended(root)


def _mended(root: Path) -> bool:
    registry = regista.open(str(root))
    registry.compact()
    return registry.doctor().ok
