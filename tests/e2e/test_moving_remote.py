"""Registries are moved between a folder and a bucket, and collected there."""

import time
from pathlib import Path

import pytest

from support import emulators
from support.cli import Cli
from support.everything import build
from support.registries import artifact, new_registry, register


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    cache = {"REGISTA_CACHE_DIR": str(tmp_path / "cache")}
    return Cli(tmp_path, {**emulators.s3().environ, **cache})


def test_a_registry_goes_to_a_bucket_and_comes_back(cli: Cli) -> None:
    build(folder=cli.folder / "registry_data")
    bucket = emulators.s3().new_uri()
    there = cli.ok("mirror", "registry_data", bucket)
    assert cli.ok("mirror", "registry_data", bucket)["commits"] == 0
    assert cli.ok("--registry", bucket, "verify", "--deep")["head"] == there["commit"]

    cli.ok("--registry", bucket, "export", "--full", "from-bucket.tar")
    cli.ok("export", "--full", "from-folder.tar")
    assert (cli.folder / "from-bucket.tar").read_bytes() == (
        cli.folder / "from-folder.tar"
    ).read_bytes()

    back = cli.ok("mirror", bucket, "back")
    assert (back["seq"], back["commit"]) == (there["seq"], there["commit"])
    assert cli.ok("--registry", "back", "verify", "--deep")["ok"]

    second = emulators.s3().new_uri()
    assert cli.ok("--registry", second, "import", "from-bucket.tar")["commit"] == there["commit"]
    assert cli.ok("--registry", second, "show", "m") == cli.ok("show", "m")


def test_garbage_in_a_bucket_goes_by_the_age_that_the_store_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = emulators.s3().store(tmp_path / "cache")
    registry = new_registry(store=store)
    register(registry, "m", "kept")
    artifact(store, "left by a killed register")
    # nobody's own clock decides
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert registry.gc().files == []
    assert {item["reason"] for item in registry.gc(dry_run=True, grace="0s").files} == {"unnamed"}
    assert len(registry.gc(grace="0s").files) == 2
    assert registry.verify(deep=True).problems == []
    assert not [key for key in store.list_after("") if key.startswith("probe-")]
