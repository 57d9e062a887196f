"""A site follows from its commit alone: built at once, in steps, later, or elsewhere."""

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
from regista.site.options import SiteOptions
from regista.storage.blobs import blob_key
from support import site_registries
from support.registries import GATED, OPEN, apply_policy, copy_of, new_registry, register, reopen
from support.site_build import build, pages_of, text_of
from support.site_crawl import differing

Step = Callable[[Registry], object]
LONG = "long text " * 200


@pytest.fixture(autouse=True)
def small_guide(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guide takes as long as all the rest, and is the same in all sites."""
    page = ("guide/index.html", b"<!doctype html><title>Guide</title>")
    monkeypatch.setattr(publishing, "guide_pages", lambda _options: [page])


def grown() -> Registry:
    """Make a registry with two models that have come through the gates, and who refers to them."""
    registry = new_registry(GATED)
    register(registry, "data", "rows", kind="dataset")
    for number, score in enumerate(("0.90", "0.95", "0.5"), 1):
        register(registry, "model", f"m{number}", dataset=["data@1"], params={"n": str(number)},
                 card=registry.preparing.text("card", f"{LONG} {number}"))  # fmt: skip
        registry.log_eval(f"model@{number}", "holdout", {"acc": score}, dataset="data@1")
        registry.promote(f"model@{number}", "staging")
        registry.promote(f"model@{number}", "prod")
    register(registry, "other", "o1", base=["model@1"])
    register(registry, "bundle", "b1", kind="bundle", member=["model@2"])
    register(registry, "prompt", "Say {word}", kind="prompt")
    registry.alias("model@1", "best")
    registry.describe("model", "The model.")
    return registry


OWN = ("entries/model/", "api/v1/entries/model/", "badges/model/")
# what is about the whole registry
LISTS = (
    "index.html", "models.html", "prompts.html", "datasets.html", "bundles.html", "search",
    "drills.html", "gates.html", "as-of/", "audit/", "404.html", "sql.html", "data/", "feed.xml",
    "sitemap.xml", "api/v1/index.json", "api/v1/events.json", "api/v1/drills.json",
    "api/v1/policy.json", "api/v1/stages/",
)  # fmt: skip
REST = ("entries/", "api/v1/entries/", "badges/")
STEPS: dict[str, tuple[Step, tuple[str, ...]]] = {
    "register": (lambda r: register(r, "model", "m4"), OWN),
    "register the first": (lambda r: register(r, "new", "n"), ("entries/new/", "api/v1/entries/new/",
                                                                "badges/new/")),
    "register from another": (
        lambda r: register(r, "data", "rows 2", kind="dataset"),
        ("entries/data/", "api/v1/entries/data/", "badges/data/"),
    ),
    "use in another": (
        lambda r: register(r, "other", "o2", base=["model@1"]),
        (*OWN, "entries/other/", "api/v1/entries/other/", "badges/other/"),
    ),
    "create": (lambda r: r.create("new", "prompt"), ("entries/new/", "api/v1/entries/new/",
                                                     "badges/new/")),
    "eval log": (lambda r: r.log_eval("model@3", "holdout", {"acc": "0.99"}), OWN),
    "eval log on data": (
        lambda r: r.log_eval("model@3", "holdout", {"acc": "0.99"}, dataset="data@1"),
        (*OWN, "entries/data/", "api/v1/entries/data/"),
    ),
    "refused": (lambda r: r.promote("model@3", "prod"), OWN),
    "promote": (lambda r: r.promote("model@2", "staging"), OWN),
    "rollback": (lambda r: r.rollback("model", "prod", reason="slow"), OWN),
    "demote": (lambda r: r.demote("model", "prod"), OWN),
    "drill": (lambda r: r.drill("model", "prod"), OWN),
    "failed drill": (lambda r: r.drill("model", "prod", smoke="exit 1"), OWN),
    "tag": (lambda r: r.tag("model", {"owner": "ann"}), OWN),
    "tag a version": (lambda r: r.tag("model@1", {"owner": "ann"}), OWN),
    "rename": (
        lambda r: r.rename("model", "renamed"),
        (*OWN, "entries/renamed/", "api/v1/entries/renamed/", "badges/renamed/", "entries/other/",
         "api/v1/entries/other/", "entries/bundle/", "api/v1/entries/bundle/", "entries/data/",
         "api/v1/entries/data/"),
    ),
    "alias": (lambda r: r.alias("model@2", "best"), OWN),
    "remove an alias": (lambda r: r.remove_alias("model", "best"), OWN),
    "deprecate": (lambda r: r.deprecate("model@2", reason="old"), OWN),
    "archive": (lambda r: r.archive("model@1", reason="old"), OWN),
    "delete": (lambda r: r.delete("model@1", reason="old"), OWN),
    "delete and purge": (lambda r: _purge(r, "model@1"), OWN),
    "describe": (lambda r: r.describe("model", f"{LONG} told"), OWN),
    "describe a version": (lambda r: r.describe("model@1", "told"), OWN),
    "apply a policy": (lambda r: apply_policy(r, OPEN), REST),
}  # fmt: skip


def _purge(registry: Registry, ref: str) -> None:
    registry.remove_alias("model", "best")
    registry.delete(ref, reason="private", purge=True)
    registry.collect_garbage() if hasattr(registry, "collect_garbage") else None


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Registry, Path]:
    registry = grown()
    out = tmp_path_factory.mktemp("base") / "site"
    with pytest.MonkeyPatch.context() as patch:
        page = ("guide/index.html", b"<!doctype html><title>Guide</title>")
        patch.setattr(publishing, "guide_pages", lambda _options: [page])
        build(registry, out)
    return registry, out


def copied(base: tuple[Registry, Path], folder: Path) -> tuple[Registry, Path]:
    """Return a registry and its site, to go on with."""
    registry, out = base
    target = folder / "site"
    for path, data in {**pages_of(out), ".regista-site.json": b""}.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(data or (out / path).read_bytes())
    return reopen(copy_of(registry.replica.store)), target


@pytest.mark.parametrize("name", STEPS)
def test_a_build_in_steps_is_a_build_at_once(
    base: tuple[Registry, Path], tmp_path: Path, name: str
) -> None:
    step, expected = STEPS[name]
    registry, out = copied(base, tmp_path)
    step(registry)
    done = build(registry, out, incremental=True)
    build(registry, tmp_path / "whole")
    assert differing(out, tmp_path / "whole") == []
    assert [path for path in done.paths if not path.startswith((*LISTS, *expected))] == []
    again = build(registry, out, incremental=True)
    assert (again.written, again.removed) == (0, 0)


def test_nothing_new_writes_nothing(base: tuple[Registry, Path], tmp_path: Path) -> None:
    registry, out = copied(base, tmp_path)
    before = {path: (out / path).stat().st_mtime_ns for path in pages_of(out)}
    for incremental in (True, False):
        done = build(registry, out, incremental=incremental)
        assert (done.written, done.removed, done.paths) == (0, 0, ())
        assert {path: (out / path).stat().st_mtime_ns for path in pages_of(out)} == before


@pytest.mark.parametrize(
    "path",
    ["index.html", "audit/1.html", "data/tags.parquet", "entries/model/v/1.html", "css/regista.css",
     "guide/index.html", "feed.xml", "mine.txt"],
)  # fmt: skip
def test_what_somebody_removed_or_added_is_put_right(
    base: tuple[Registry, Path], tmp_path: Path, path: str
) -> None:
    registry, out = copied(base, tmp_path)
    (out / path).write_text("x")
    if path != "mine.txt":
        (out / path).unlink()
    build(registry, out, incremental=True)
    assert differing(out, base[1]) == []


def test_one_more_of_many_versions_writes_its_pages_and_the_lists(tmp_path: Path) -> None:
    registry, out = new_registry(), tmp_path / "site"
    for number in range(120):
        register(registry, "many", str(number))
        if number % 40 == 0:
            register(registry, f"other-{number}", "x")
    build(registry, out)
    register(registry, "many", "new")
    done = build(registry, out, incremental=True)
    mine = [path for path in done.paths if path.startswith("entries/")]
    assert mine == sorted([
        "entries/many/index.html", "entries/many/compare.html", "entries/many/compare-data.js",
        "entries/many/feed.xml", "entries/many/versions/2.html", "entries/many/v/121.html",
        # it was in the stage of new versions
        "entries/many/v/120.html",
    ])  # fmt: skip
    assert [
        path for path in done.paths if path.startswith(("css/", "js/", "vendor/", "guide/"))
    ] == []


@pytest.mark.parametrize(
    "options",
    [
        SiteOptions(title="Another"),
        SiteOptions(base_url="https://example.org/x/"),
        SiteOptions(rollback_url="https://ci.example.org/{entry}"),
        SiteOptions(publish=frozenset()),
        SiteOptions(publish=frozenset({"data"})),
    ],
)
def test_other_options_make_another_site(
    base: tuple[Registry, Path], tmp_path: Path, options: SiteOptions
) -> None:
    registry, out = copied(base, tmp_path)
    build(registry, out, options, incremental=True)
    build(registry, tmp_path / "whole", options)
    assert differing(out, tmp_path / "whole") == []
    build(registry, out, incremental=True)
    assert differing(out, base[1]) == []


def test_another_template_makes_another_site(base: tuple[Registry, Path], tmp_path: Path) -> None:
    registry, out = copied(base, tmp_path)
    theirs = tmp_path / "theirs"
    (theirs / "registry").mkdir(parents=True)
    page = theirs / "registry" / "version.html"
    for text in ("<p>one {{ version.number }}</p>", "<p>two {{ version.number }}</p>"):
        page.write_text(text)
        build(registry, out, SiteOptions(templates=theirs), incremental=True)
        assert text_of(out, "entries/model/v/2.html") == text.replace("{{ version.number }}", "2")
    page.unlink()
    build(registry, out, SiteOptions(templates=theirs), incremental=True)
    build(registry, tmp_path / "whole")
    assert pages_of(out) == pages_of(tmp_path / "whole")


def test_a_registry_in_the_place_of_another_is_noticed(
    base: tuple[Registry, Path], tmp_path: Path
) -> None:
    """Its log is as long as the other's, and has the same id."""
    registry, out = copied(base, tmp_path)
    other = reopen(copy_of(registry.replica.store))
    registry.tag("model", {"owner": "ann"})
    other.tag("model", {"owner": "bob"})
    build(registry, out, incremental=True)
    build(other, out, incremental=True)
    build(other, tmp_path / "whole")
    assert differing(out, tmp_path / "whole") == []


def test_verified_or_not_makes_another_first_page(tmp_path: Path) -> None:
    registry = regista.open(str(site_registries.empty(tmp_path / "registry")))
    build(registry, tmp_path / "site")
    done = build(registry, tmp_path / "site", incremental=True, verify=True)
    assert "index.html" in done.paths
    build(registry, tmp_path / "whole", verify=True)
    assert differing(tmp_path / "site", tmp_path / "whole") == []


@pytest.mark.parametrize("name", [name for name in STEPS if "purge" not in name])
def test_the_past_is_shown_as_it_was_shown_then(
    base: tuple[Registry, Path], tmp_path: Path, name: str
) -> None:
    registry, out = base
    later = reopen(copy_of(registry.replica.store))
    seq = later.replica.refresh().seq
    STEPS[name][0](later)
    later.tag("other", {"later": "still"})
    assert later.replica.refresh().seq > seq
    for when in (seq, str(seq)):
        build(later, tmp_path / "then", as_of=when)
        assert differing(tmp_path / "then", out) == []


def test_the_past_is_told_by_a_time_too(base: tuple[Registry, Path], tmp_path: Path) -> None:
    registry, out = base
    later = reopen(copy_of(registry.replica.store))
    time = later.replica.refresh().time
    later.tag("other", {"later": "still"})
    build(later, tmp_path / "then", as_of=time)
    assert differing(tmp_path / "then", out) == []


def test_of_what_was_purged_since_only_the_texts_are_gone(tmp_path: Path) -> None:
    registry = new_registry()
    register(registry, "model", "1", card=registry.preparing.text("card", LONG))
    register(registry, "model", "2")
    build(registry, tmp_path / "site")
    seq = registry.replica.refresh().seq
    registry.delete("model@1", reason="private", purge=True)
    for digest in _card_digests(registry):
        registry.replica.store.delete(blob_key(digest))
    build(registry, tmp_path / "then", as_of=seq)
    pages = [path for path in differing(tmp_path / "site", tmp_path / "then")
             if not path.endswith(".json")]  # fmt: skip
    assert pages == ["entries/model/v/1.html"]


def _card_digests(registry: Registry) -> list[str]:
    rows = registry.sql("SELECT card_digest FROM versions WHERE card_digest IS NOT NULL")
    return [digest for (digest,) in rows.fetchall()]


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
    with pytest.raises(IntegrityError, match="corrupt|damaged"):
        build(reopen(registry.replica.store), tmp_path / "site")
    assert pages_of(tmp_path / "site") == before


def test_without_the_policy_in_force_there_is_no_site(tmp_path: Path) -> None:
    registry = grown()
    for digest in _stored(registry, "SELECT digest FROM policies"):
        registry.replica.store.delete(blob_key(digest))
    with pytest.raises(IntegrityError):
        build(reopen(registry.replica.store), tmp_path / "site")


@pytest.mark.parametrize("table", ["versions", "placements", "commits", "eval_scores", "files"])
@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all", None])
def test_a_damaged_table_is_told(tmp_path: Path, table: str, content: bytes | None) -> None:
    root = site_registries.demo(tmp_path / "registry")
    files = sorted((root / "tables").rglob("*.parquet"))
    mine = [path for path in files if path.parent.name == table and path.stem != "schema"]
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
