"""axe-core finds nothing serious or critical on any kind of page, light or dark, wide or narrow."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from support.browser import PHONE, expect_none, tab
from support.site_pages import pages_by_kind, sample
from support.sites import Sites

# what depends on the colour scheme; all else is judged once
OF_COLOUR = ("color-contrast", "link-in-text-block")
# axe needs half a minute for a page of 200 kB
LARGEST = 60_000
KINDS = ("home", "entry", "version", "versions", "compare", "list", "month", "audit-page")


def chosen(name: str, site: Path) -> list[str]:
    """Return the pages to look at: the largest of each kind that are not too large."""
    if name == "demo":
        return sample(site, of_each=1)
    found = pages_by_kind(site)
    small = [
        [path for path in found.get(kind, []) if (site / path).stat().st_size <= LARGEST]
        for kind in KINDS
    ]
    return [paths[0] for paths in small if paths]


@pytest.mark.parametrize("name", ["demo", "hard", "waived", "empty"])
def test_every_kind_of_page(browser: Browser, sites: Sites, name: str) -> None:
    found = {}
    with tab(browser, sites.http(name)) as opened:
        for path in chosen(name, sites.folder(name)):
            page = opened.open(path)
            found[path] = opened.axe()
            page.emulate_media(color_scheme="dark")
            found[f"{path}, dark"] = opened.axe(*OF_COLOUR)
            page.emulate_media(color_scheme="light")
    expect_none(found)


def test_every_kind_of_page_on_a_phone(browser: Browser, sites: Sites) -> None:
    found = {}
    with tab(browser, sites.http("demo"), width=PHONE) as opened:
        for path in sample(sites.folder("demo"), of_each=1):
            opened.open(path)
            found[path] = opened.axe()
    expect_none(found)
