"""How many requests a command makes of an object store, counted on the way to a real S3 server.

Each request takes the time of a round trip, 20 to 100 ms, so these are what a command takes there.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest

import regista
from fakes.dear_store import DearStore
from regista.model.commit import log_key
from regista.storage.bundles import bundle_key, list_bundles
from regista.storage.memory import MemoryStore
from support import emulators
from support.cli import Cli, Ran
from support.fault_proxy import FaultProxy, faulty
from support.registries import new_registry

VERSIONS = 20_000
COMMITS = 200


@dataclass
class Counted:
    """A registry behind a proxy that counts."""

    cli: Cli
    proxy: FaultProxy

    def run(self, *line: str, cold: bool = False) -> tuple[Ran, int]:
        """Run a command; return what it printed and how many requests it made.

        Args:
            line: the command.
            cold: on a machine that knows nothing of the registry yet.
        """
        if cold:
            shutil.rmtree(self.cli.folder / "cache", ignore_errors=True)
        self.proxy.obey()
        ran = self.cli.inside(*line)
        assert ran.code == 0, ran
        return ran, self.proxy.count()


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultProxy]:
    with faulty(emulators.s3().url) as running:
        yield running


def counted(folder: Path, proxy: FaultProxy) -> Counted:
    place = {
        "REGISTA_REGISTRY": emulators.s3().new_uri(), "REGISTA_CACHE_DIR": str(folder / "cache"),
    }  # fmt: skip
    return Counted(Cli(folder, {**emulators.s3_environ(proxy.url), **place}), proxy)


@pytest.fixture(scope="module")
def small(proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory) -> Counted:
    """A registry with two versions, both of which were in prod."""
    made = counted(tmp_path_factory.mktemp("small"), proxy)
    made.run("init")
    for number in (1, 2):
        (made.cli.folder / f"{number}.txt").write_text(f"weights {number}")
        made.run("register", "m", f"{number}.txt")
        made.run("eval", "log", f"m@{number}", "--suite", "s", "--metric", f"auc=0.9{number}")
        made.run("promote", f"m@{number}", "--to", "staging")
        made.run("promote", f"m@{number}", "--to", "prod")
    return made


def test_a_warm_question_costs_one_request(small: Counted) -> None:
    small.run("resolve", "m@prod")
    for line in (["resolve", "m@prod"], ["resolve", "m@staging"], ["resolve", "m@1", "--json"]):
        ran, requests = small.run(*line)
        assert ran.out
        assert requests == 1, line
    small.run("show", "m")
    assert small.run("show", "m")[1] == 1


def test_a_cold_question_costs_few(small: Counted) -> None:
    for _ in range(2):
        ran, requests = small.run("resolve", "m@prod", cold=True)
        assert ran.out == "2\n"
        # the tip, the log's end, and the commit that the tip tells of; then the heads, if the
        # tip has no need to tell them
        assert requests <= 4
        small.run("compact")


def test_a_warm_promotion_keeps_to_its_budget(small: Counted) -> None:
    (small.cli.folder / "3.txt").write_text("weights 3")
    small.run("register", "m", "3.txt")
    small.run("eval", "log", "m@3", "--suite", "s", "--metric", "auc=0.99")
    assert small.run("promote", "m@3", "--to", "staging")[1] <= 12
    assert small.run("promote", "m@3", "--to", "prod")[1] <= 12
    assert small.run("rollback", "m", "--stage", "prod")[1] <= 12


def test_what_lies_in_the_cache_is_not_fetched_again(small: Counted) -> None:
    small.run("get", "m@1", str(small.cli.folder / "once"))
    assert small.run("get", "m@1", str(small.cli.folder / "twice"))[1] <= 3
    small.run("sql", "FROM current_stages")
    assert small.run("sql", "FROM current_stages")[1] <= 4


def test_questions_cost_no_more_in_a_large_registry(proxy: FaultProxy, tmp_path: Path) -> None:
    large = counted(tmp_path, proxy)
    large.run("init")
    large.run("import", str(bulk_files(tmp_path)))
    # at the import itself, then some commits after its checkpoint, then several runs of heads
    for commits in (0, 3, 70):
        put_many(large, commits)
        for name, last in (("team/m7", VERSIONS // 100), ("team/m8", VERSIONS // 100)):
            ran, requests = large.run("resolve", f"{name}@latest", cold=True)
            assert ran.out == f"{last}\n"
            # the tip, the log's end, a commit; the entry and the version
            assert requests <= 6
            assert large.run("resolve", f"{name}@latest")[1] == 1
            assert large.run("resolve", "team/m9@latest")[1] <= 3


def put_many(where: Counted, commits: int) -> None:
    """Register so many versions of entries of their own."""
    with patch.dict(os.environ, where.cli.environment(), clear=True):
        registry = regista.open(where.cli.environ["REGISTA_REGISTRY"], actor="ann")
        for number in range(commits):
            registry.register(f"new/{commits}-{number}", uri="s3://elsewhere/new")


@pytest.fixture(scope="module")
def long(proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory) -> Counted:
    """A registry of many commits, as writers leave it in a bucket."""
    made = counted(tmp_path_factory.mktemp("long"), proxy)
    inner = MemoryStore("long")
    registry = new_registry(store=DearStore(inner))
    registry.create("m")
    for number in range(COMMITS - 2):
        registry.tag("m", {"k": str(number)})
    bucket = emulators.s3().store_at(made.cli.environ["REGISTA_REGISTRY"], made.cli.folder / "own")
    for key in inner.list_after(""):
        bucket.put(key, inner.get(key) or b"")
    return made


def test_moving_a_long_log_costs_a_request_or_two_for_64_commits(
    long: Counted, tmp_path: Path
) -> None:
    source = long.cli.environ["REGISTA_REGISTRY"]
    ran, requests = long.run("mirror", source, str(tmp_path / "copy"), "--json", cold=True)
    assert (ran.json["seq"], ran.json["commits"]) == (COMMITS, COMMITS)
    # three bundles with the log's file of their last commit, eight files, the way to the head
    assert requests <= 35
    assert long.run("export", "--full", str(tmp_path / "backup.tar"), cold=True)[1] <= 60


def test_looking_far_back_in_a_long_log_costs_few_requests(long: Counted) -> None:
    ran, requests = long.run("log", "--limit", "190", "--json", cold=True)
    assert len(ran.json) == 190
    assert requests <= 35


def test_collecting_garbage_of_a_long_log_costs_few_requests(long: Counted) -> None:
    assert long.run("gc", cold=True)[1] <= 50


def test_rebuilding_a_long_registry_reads_its_log_in_bundles(long: Counted) -> None:
    _ran, requests = long.run("rebuild", cold=True)
    assert long.proxy.count("GET", "/log/0") <= 45
    assert requests <= 240


def test_a_verification_reads_every_file_of_the_log_all_the_same(long: Counted) -> None:
    ran, _requests = long.run("verify", "--json", cold=True)
    assert ran.json["problems"] == []
    for seq in range(1, COMMITS + 1):
        assert long.proxy.count("GET", log_key(seq))


def test_without_bundles_a_long_log_is_read_file_by_file_and_compact_makes_them(
    long: Counted, tmp_path: Path
) -> None:
    uri = long.cli.environ["REGISTA_REGISTRY"]
    bucket = emulators.s3().store_at(uri, tmp_path / "own")
    for span in list_bundles(bucket):
        bucket.delete(bundle_key(span))
    ran, requests = long.run("mirror", uri, str(tmp_path / "copy"), "--json", cold=True)
    assert ran.json["commits"] == COMMITS
    assert COMMITS <= requests <= COMMITS + 30
    long.run("compact", cold=True)
    assert len(list_bundles(bucket)) == COMMITS // 64


def test_a_bucket_that_a_registry_was_mirrored_to_is_as_quick_to_ask(
    long: Counted, proxy: FaultProxy, tmp_path: Path
) -> None:
    there = counted(tmp_path, proxy)
    uri = there.cli.environ["REGISTA_REGISTRY"]
    for _first_and_again in range(2):
        long.run("tag", "m", "mirrored=yes")
        long.run("mirror", long.cli.environ["REGISTA_REGISTRY"], uri)
        assert there.run("show", "m", cold=True)[1] <= 6


def bulk_files(folder: Path) -> Path:
    """Write a bulk import of a hundred entries."""
    target = folder / "bulk"
    target.mkdir()
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT 'team/m' || i AS entry, 'model' AS kind FROM range(100) t(i))"
            f" TO '{target}/entries.parquet'"
        )
        con.execute(
            "COPY (SELECT 'team/m' || (i % 100) AS entry, 1 + i // 100 AS version,"
            " 's3://elsewhere/' || i AS uri"
            f" FROM range({VERSIONS}) t(i)) TO '{target}/versions.parquet'"
        )
    return target
