"""The site map names pages that are there, absolutely where the address is known."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from regista.site.options import SiteOptions
from regista.site.sitemap import ROBOTS, SITEMAP, Place, sitemap
from support import site_registries
from support.site_files import Files, site_of

NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
DEMO = str(site_registries.DEMO)
BASE = "https://example.org/models/"


def locations(data: bytes) -> list[str]:
    urls = ET.fromstring(data)  # noqa: S314 - made by us
    return [str(loc.text) for loc in urls.iter(f"{NAMESPACE}loc")]


def test_the_site_map_names_pages_of_the_site(demo_site: Files) -> None:
    found = locations(demo_site[SITEMAP])
    assert len(found) == len(set(found))
    assert set(found) <= set(demo_site)
    entries = {path for path in demo_site if path.endswith("/index.html") and "entries/" in path}
    versions = {path for path in demo_site if "/v/" in path}
    assert {"index.html", *entries, *versions} <= set(found)


def test_a_site_map_without_an_address_says_what_it_wants(demo_site: Files) -> None:
    assert b"base-url" in demo_site[SITEMAP]
    assert demo_site[ROBOTS] == b"User-agent: *\nAllow: /\n"


@pytest.mark.parametrize("base_url", [BASE, BASE.rstrip("/")])
def test_addresses_are_absolute_where_the_site_knows_its_own(
    base_url: str, demo_site: Files
) -> None:
    site = site_of(DEMO, SiteOptions(base_url=base_url))
    assert locations(site[SITEMAP]) == [BASE + path for path in locations(demo_site[SITEMAP])]
    assert b"base-url" not in site[SITEMAP]
    assert site[ROBOTS] == f"User-agent: *\nAllow: /\nSitemap: {BASE}sitemap.xml\n".encode()


def test_the_console_is_named_only_where_it_is_published(tmp_path: Path) -> None:
    root = site_registries.empty(tmp_path / "registry")
    everything = SiteOptions()
    no_data = SiteOptions(publish=everything.publish - {"data"})
    assert "sql.html" in locations(site_of(str(root), everything)[SITEMAP])
    assert "sql.html" not in locations(site_of(str(root), no_data)[SITEMAP])


def test_many_pages_are_named_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regista.site.sitemap.MAX_URLS", 2)
    pages = [Place(f"docs/{name} &.html") for name in "abcde"]
    files = dict(sitemap(BASE, pages))
    assert locations(files[SITEMAP]) == [BASE + f"sitemap-{k}.xml" for k in (1, 2, 3)]
    named = [found for part in ("1", "2", "3") for found in locations(files[f"sitemap-{part}.xml"])]
    assert named == [BASE + f"docs/{name}%20%26.html" for name in "abcde"]
