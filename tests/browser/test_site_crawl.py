"""Sites read without a browser: links, ids, headings, tables, data, names of files, leaks."""

import getpass
import shutil
import tempfile
from pathlib import Path

import pytest

import regista
from regista.site import paths
from support.site_building import build_site
from support.site_crawl import crawl, differing, files_of, largest_page, leaks, read_pages
from support.site_hostile import ADDRESSES, SECRETS
from support.sites import MAKERS, Sites

# a phone reads this much in a second or two
MAX_PAGE_BYTES = 400_000
ALL = sorted(MAKERS)


@pytest.mark.parametrize("name", ALL)
def test_every_page_link_and_file_is_sound(sites: Sites, name: str) -> None:
    assert "\n".join(crawl(sites.folder(name))) == ""


@pytest.mark.parametrize("name", ALL)
def test_every_version_and_entry_has_its_page(sites: Sites, name: str) -> None:
    pages = files_of(sites.folder(name))
    registry = regista.open(str(sites.registry(name)))
    entries = registry.sql("SELECT entry FROM entries").fetchall()
    versions = registry.sql("SELECT entry, version FROM versions").fetchall()
    wanted = {paths.entry_page(entry) for (entry,) in entries}
    wanted |= {paths.version_page(entry, version) for entry, version in versions}
    assert wanted <= pages


@pytest.mark.parametrize("name", ALL)
def test_a_second_build_elsewhere_is_the_same_to_the_byte(
    sites: Sites, name: str, tmp_path: Path
) -> None:
    registry = tmp_path / "another" / "registry"
    shutil.copytree(sites.registry(name), registry)
    again = build_site(registry, tmp_path / "another" / "site")
    assert differing(sites.folder(name), again) == []


@pytest.mark.parametrize("name", ["demo", "waived", "hostile"])
def test_nothing_of_the_machine_that_built_it_is_published(sites: Sites, name: str) -> None:
    here = [str(sites.root), str(Path(__file__).parents[2]), tempfile.gettempdir() + "/"]
    if len(getpass.getuser()) > len("root"):
        here.append(getpass.getuser())
    assert leaks(sites.folder(name), here) == []


def test_no_secret_is_published(sites: Sites) -> None:
    lines = [line for secret in SECRETS.values() for line in secret.splitlines()]
    assert leaks(sites.folder("hostile"), lines) == []


def test_no_address_of_a_person_is_published(sites: Sites) -> None:
    assert leaks(sites.folder("hostile"), ADDRESSES) == []


@pytest.mark.parametrize("name", ALL)
def test_no_page_is_too_large_for_a_phone(sites: Sites, name: str) -> None:
    size, path = largest_page(sites.folder(name))
    assert size <= MAX_PAGE_BYTES, path


def test_pages_have_titles_of_their_own(sites: Sites) -> None:
    titles = [page.title for page in read_pages(sites.folder("demo")).values()]
    assert len(titles) == len(set(titles))


def test_with_a_base_url_feeds_and_the_site_map_have_whole_addresses(
    sites: Sites, tmp_path: Path
) -> None:
    base = "https://models.example.org/some/path/"
    site = build_site(sites.registry("demo"), tmp_path / "site", "--base-url", base)
    assert base in (site / "sitemap.xml").read_text("utf-8")
    assert base in (site / "feed.xml").read_text("utf-8")
    # a page that stands for any missing address needs links that hold at any depth
    missing = read_pages(site)["404.html"]
    near = [link.url for link in missing.links if not link.url.startswith(("https:", "/", "#"))]
    assert near == []
