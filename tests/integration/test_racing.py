"""Many processes write to one folder; some are killed. Nothing acknowledged is lost.

Set REGISTA_CAMPAIGN=1 for the long version: 16 processes of 50 rounds, and 1,000 kills; `make
faults` does more of it, faster, with forks of one process.
"""

import os
from pathlib import Path
from random import Random

import pytest

import regista
from support.races import assert_nothing_lost, kill_writers, survive, versions_of
from support.registries import GATED, STAGES, Json, new_registry, register
from support.workers import RACERS, finish, promote_each, start

LONG = bool(os.environ.get("REGISTA_CAMPAIGN"))
PROCESSES, ROUNDS = (16, 50) if LONG else (4, 6)
KILLS = 1000 if LONG else 10
PROMOTIONS = 200 if LONG else 12
MERGE_AT = 64
TAGGED_BEFORE = 44
ROUNDS_BESIDE = 100 if LONG else 8
NO_WORSE: Json = {
    **STAGES,
    "rules": [
        {
            "match": {},
            "stage": "prod",
            "gates": [{"baseline": {"suite": "holdout", "metric": "acc"}}],
        }
    ],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "registry"
    new_registry(GATED, folder=folder)
    return folder


def test_racing_processes_lose_nothing_and_number_without_gaps(root: Path, tmp_path: Path) -> None:
    workers = [
        start("work", root, tmp_path / f"told-{seed}", ROUNDS, seed) for seed in range(PROCESSES)
    ]
    for worker in workers:
        finish(worker)
    assert_nothing_lost(root, tmp_path)
    assert len(versions_of(regista.open(str(root)))) == PROCESSES * ROUNDS


def test_of_two_racing_promotions_the_second_is_judged_on_what_the_first_did(
    tmp_path: Path,
) -> None:
    root = tmp_path / "registry"
    registry = new_registry(NO_WORSE, folder=root)
    with registry.transaction() as transaction:
        for number in range(PROMOTIONS):
            for version, acc in ((1, "0.90"), (2, "0.95")):
                name = f"race{number}"
                transaction.register(name, uri=f"s3://{name}/{version}")
                transaction.log_eval(f"{name}@{version}", "holdout", {"acc": acc})
    racers = [
        start(promote_each.__name__, root, tmp_path / f"told-{version}", PROMOTIONS, version)
        for version in range(1, RACERS + 1)
    ]
    for racer in racers:
        finish(racer)
    after = regista.open(str(root))
    # whoever came first: the worse one passes before the better one, and is refused after it
    assert {after.resolve(f"race{number}@prod").version for number in range(PROMOTIONS)} == {2}
    assert after.verify().problems == []
    commits = {after.replica.log.read(seq)[0].seq for seq in range(1, after.replica.log.head() + 1)}
    assert commits == set(range(1, 3 + 2 * PROMOTIONS))


def test_whoever_looks_while_others_write_and_merge_sees_a_sound_registry(
    root: Path, tmp_path: Path
) -> None:
    registry = regista.open(str(root))
    registry.create("m")
    for number in range(TAGGED_BEFORE):
        registry.tag("m", {"k": str(number)})
    workers = [
        start("work", root, tmp_path / f"told-{seed}", ROUNDS_BESIDE, seed) for seed in range(2)
    ]
    looks = 0
    while any(worker.poll() is None for worker in workers):
        looker = regista.open(str(root))
        assert looker.verify().problems == []
        head = looker.replica.refresh().seq
        [[counted]] = looker.sql("SELECT count(*) FROM commits", as_of=head).fetchall()
        assert counted == head
        assert len(looker.history("m", limit=head)) >= TAGGED_BEFORE
        # commits 1 and 2 are init and create, so the tag 17 came with commit 20
        assert looker.show("m", as_of=20)["tags"] == {"k": "17"}
        looks += 1
    for worker in workers:
        finish(worker)
    assert looks > 1
    assert registry.replica.refresh().seq > MERGE_AT
    assert_nothing_lost(root, tmp_path)


def test_killed_writers_leave_a_sound_registry(root: Path, tmp_path: Path) -> None:
    kill_writers(root, tmp_path, kills=range(KILLS), writers=2, chance=Random(7))
    survive(root, tmp_path, KILLS)
    assert_nothing_lost(root, tmp_path)
    registry = regista.open(str(root))
    registry.compact()
    assert registry.doctor().ok
    assert registry.verify(deep=True).problems == []
    assert register(registry, "m", "after all").created
