"""A site is the same wherever it is built, and never made from what is damaged."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import regista
from regista.errors import IntegrityError
from regista.registry.core import Registry
from regista.registry.reads import Reads
from regista.site import publishing
from regista.storage.blobs import blob_key
from support import site_registries
from support.registries import OPEN, apply_policy, reopen
from support.site_build import build, pages_of, text_of
from support.site_crawl import differing
from support.site_steps import LONG, grown


@pytest.fixture(autouse=True)
def small_guide(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guide takes as long as all the rest, and is the same in all sites."""
    page = ("guide/index.html", b"<!doctype html><title>Guide</title>")
    monkeypatch.setattr(publishing, "guide_pages", lambda _options: [page])


PROGRAM = """
import sys
from pathlib import Path
import duckdb
from regista.read import duck
from regista.read.opening import open_replica
from regista.registry.reads import Reads
from regista.site import published
from regista.site.options import SiteOptions
from regista.site.publishing import SiteBuilder

threads = int(sys.argv[3])
for module in (duck, published):
    real = module.connect if module is duck else module.open_views
    name = "connect" if module is duck else "open_views"
    setattr(module, name, lambda *a, _real=real, **k: _real(*a, **{**k, "threads": threads}))
SiteBuilder(Reads(open_replica(sys.argv[1])), SiteOptions(), Path(sys.argv[2])).publish()
"""


@pytest.mark.parametrize("make", [site_registries.demo, site_registries.hostile])
def test_two_builds_are_the_same_whatever_the_surroundings(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    root = make(tmp_path / "registry")
    surroundings = (
        ("0", "UTC", "C", "1"),
        ("1", "Asia/Kathmandu", "tr_TR.UTF-8", "2"),
        ("4242", "America/St_Johns", "de_DE.UTF-8", "8"),
    )
    sites = []
    for seed, zone, language, threads in surroundings:
        out = tmp_path / f"site-{seed}"
        folder = tmp_path / f"cwd-{seed}"
        folder.mkdir()
        environ = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LANG": language,
                   "LC_ALL": language, "TMPDIR": str(folder)}  # fmt: skip
        command = [sys.executable, "-W", "error", "-c", PROGRAM, str(root), str(out), threads]
        subprocess.run(command, env=environ, cwd=folder, check=True, timeout=300)
        assert list(folder.iterdir()) == []
        sites.append(out)
    assert differing(sites[0], sites[1]) == []
    assert differing(sites[0], sites[2]) == []
    place = str(tmp_path).encode()
    assert [path for path, data in pages_of(sites[0]).items() if place in data] == []
    home = str(Path(__file__).parents[2]).encode()
    assert [path for path, data in pages_of(sites[0]).items() if home in data] == []


def _stored(registry: Registry, query: str) -> list[str]:
    return [value for (value,) in registry.sql(query).fetchall()]


DAMAGE = {
    "a card": "SELECT card_digest FROM versions WHERE card_digest IS NOT NULL",
    "a text of a prompt": "SELECT sha256 FROM files WHERE entry = 'prompt'",
    "a description": "SELECT description_digest FROM descriptions WHERE description IS NULL",
    "an old policy": "SELECT digest FROM policies ORDER BY seq LIMIT 1",
}


def damaged() -> Registry:
    registry = grown()
    registry.describe("model", LONG)
    apply_policy(registry, OPEN)
    return registry


def test_texts_come_from_the_registry_itself(tmp_path: Path) -> None:
    """A store in memory has a name that says nothing to others."""
    build(damaged(), tmp_path / "site")
    page = text_of(tmp_path / "site", "entries/model/v/1.html")
    assert "long text long text" in page
    assert "purged" not in page


@pytest.mark.parametrize("what", DAMAGE)
def test_without_a_text_its_page_is_without_it(tmp_path: Path, what: str) -> None:
    registry = damaged()
    for digest in _stored(registry, DAMAGE[what]):
        registry.replica.store.delete(blob_key(digest))
    build(registry, tmp_path / "site")
    assert text_of(tmp_path / "site", "entries/model/v/1.html")
    assert text_of(tmp_path / "site", "entries/prompt/v/1.html")
    assert text_of(tmp_path / "site", "gates.html")


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_text_is_told_and_leaves_the_old_site(tmp_path: Path, what: str) -> None:
    registry = damaged()
    build(registry, tmp_path / "site")
    before = pages_of(tmp_path / "site")
    for digest in _stored(registry, DAMAGE[what]):
        registry.replica.store.put(blob_key(digest), b"something else")
    registry.tag("model", {"a": "b"})
    with pytest.raises(IntegrityError, match=r"corrupt|damaged"):
        build(reopen(registry.replica.store), tmp_path / "site")
    assert pages_of(tmp_path / "site") == before


def test_without_the_policy_in_force_there_is_no_site(tmp_path: Path) -> None:
    registry = grown()
    for digest in _stored(registry, "SELECT digest FROM policies"):
        registry.replica.store.delete(blob_key(digest))
    with pytest.raises(IntegrityError):
        build(reopen(registry.replica.store), tmp_path / "site")


DAMAGES = [
    (table, content)
    for table in ("versions", "placements", "commits", "eval_scores", "files")
    for content in (b"", b"PAR1", b"no parquet at all", None)
    # without it no commit counts as tabled, and the log has all rows
    if (table, content) != ("commits", None)
]


def files_of_table(root: Path, table: str) -> list[Path]:
    files = sorted((root / "tables" / table).glob("*.parquet"))
    return [path for path in files if path.stem != "schema"]


def test_without_the_table_of_commits_all_is_read_from_the_log(tmp_path: Path) -> None:
    root = site_registries.demo(tmp_path / "registry")
    build(regista.open(str(root)), tmp_path / "whole")
    for path in files_of_table(root, "commits"):
        path.unlink()
    build(regista.open(str(root)), tmp_path / "site")
    pages = sorted((tmp_path / "whole").rglob("*.html"))
    assert pages
    for page in pages:
        same = tmp_path / "site" / page.relative_to(tmp_path / "whole")
        # the console tells the sizes of the Parquet files
        assert page.name == "sql.html" or same.read_bytes() == page.read_bytes()


@pytest.mark.parametrize(("table", "content"), DAMAGES)
def test_a_damaged_table_is_told(tmp_path: Path, table: str, content: bytes | None) -> None:
    root = site_registries.demo(tmp_path / "registry")
    mine = files_of_table(root, table)
    assert mine
    for path in mine:
        path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(IntegrityError):
        build(regista.open(str(root)), tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_verify_publishes_nothing_of_a_damaged_registry(tmp_path: Path) -> None:
    root = site_registries.demo(tmp_path / "registry")
    blob = next(path for path in sorted((root / "blobs").rglob("*")) if path.is_file())
    blob.write_bytes(b"x")
    reads: Reads = regista.open(str(root))
    with pytest.raises(IntegrityError, match="nothing was published"):
        build(reads, tmp_path / "site", verify=True)
    assert not (tmp_path / "site").exists()
