"""A site follows from its commit alone: built at once, in steps, later, or elsewhere."""

from collections.abc import Callable
from pathlib import Path

import pytest

import regista
from regista.registry.core import Registry
from regista.site import publishing
from regista.site.options import SiteOptions
from regista.storage.blobs import blob_key
from support import everything, site_registries
from support.registries import OPEN, copy_of, new_registry, register, reopen
from support.site_build import build, pages_of, text_of
from support.site_crawl import differing
from support.site_steps import LISTS, LONG, STEPS, grown


@pytest.fixture(autouse=True)
def small_guide(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guide takes as long as all the rest, and is the same in all sites."""
    page = ("guide/index.html", b"<!doctype html><title>Guide</title>")
    monkeypatch.setattr(publishing, "guide_pages", lambda _options: [page])


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


def everything_at(root: Path) -> Path:
    everything.build(folder=root)
    return root


@pytest.mark.parametrize("make", [everything_at, site_registries.demo, site_registries.waived])
def test_lists_say_the_same_of_an_entry_whose_pages_are_kept(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    registry = regista.open(str(make(tmp_path / "registry")), actor="ann")
    build(registry, tmp_path / "site")
    registry.register("one-more", uri="s3://bucket/one")
    done = build(registry, tmp_path / "site", incremental=True)
    assert all("one-more" in path for path in done.paths if path.startswith("entries/"))
    build(registry, tmp_path / "whole")
    assert differing(tmp_path / "site", tmp_path / "whole") == []


def test_an_entry_is_asked_for_where_it_is(tmp_path: Path) -> None:
    registry = new_registry(OPEN)
    for name in ("held", "promoted"):
        register(registry, name, "one")
    registry.create("nowhere", "model")
    registry.promote("promoted@1", "prod")
    build(registry, tmp_path)
    for name, stage in (("held", "dev"), ("promoted", "prod"), ("nowhere", "prod")):
        page = text_of(tmp_path, f"entries/{name}/index.html")
        assert f"regista resolve {name}@{stage}" in page
        assert f"entries/{name}/stages/{stage}.json" in page


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
