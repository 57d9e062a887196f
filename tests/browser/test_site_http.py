"""Every kind of page served over http below a sub-path: it loads, alone, and follows its links."""

import unicodedata

import pytest
from playwright.sync_api import Browser, expect

from regista.site import paths
from support.browser import DESK, PHONE, expect_none, tab
from support.site_names import DIFFICULT
from support.site_pages import KINDS, pages_by_kind, sample
from support.sites import MAKERS, Sites

WIDTHS = (320, PHONE, DESK)
# cells whose content reaches into the next one
SPILT = """[...document.querySelectorAll('main td, main th')].filter((one) =>
    one.checkVisibility() && !one.closest('.unseen') && one.scrollWidth > one.clientWidth + 2
  ).map((one) => one.textContent.trim().slice(0, 60)).slice(0, 3)"""


def test_the_sites_have_every_kind_of_page(sites: Sites) -> None:
    found = set(pages_by_kind(sites.folder("demo"))) | set(pages_by_kind(sites.folder("hard")))
    assert found == set(KINDS)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_pages_load_without_an_error_and_hold_their_layout(
    browser: Browser, sites: Sites, name: str
) -> None:
    wide, spilt = {}, {}
    with tab(browser, sites.http(name)) as opened:
        for path in sample(sites.folder(name)):
            page = opened.open(path)
            assert page.locator("h1").first.is_visible(), path
            wide[path] = opened.overflow_at(*WIDTHS)
            spilt[path] = opened.ask(SPILT)
    expect_none(wide)
    expect_none(spilt)


def test_no_name_breaks_the_page_of_its_entry(browser: Browser, sites: Sites) -> None:
    wide = {}
    with tab(browser, sites.http("hard")) as opened:
        for name in map(name_now, DIFFICULT):
            page = opened.open(paths.entry_page(name))
            assert opened.ask("document.querySelector('h1').textContent.trim()") == name
            assert page.title()
            wide[name] = opened.overflow_at(PHONE, DESK)
    expect_none(wide)


def name_now(name: str) -> str:
    """Return an entry's name as it is kept; one was renamed."""
    return "archive/Fraud" if name == "Fraud" else unicodedata.normalize("NFC", name)


def test_a_reader_gets_from_what_is_in_prod_to_its_files_and_back(
    browser: Browser, sites: Sites
) -> None:
    with tab(browser, sites.http("demo"), width=DESK) as opened:
        page = opened.open("index.html")
        page.locator("table").get_by_role("link", name="digits/classifier").click()
        expect(page.locator("h1")).to_contain_text("digits/classifier")
        page.get_by_role("link", name="v2", exact=True).first.click()
        expect(page.locator("h1")).to_contain_text("2")
        assert opened.path == paths.version_page("digits/classifier", 2)
        page.go_back()
        page.get_by_role("link", name="Overview").click()
        expect(page).to_have_url(f"{opened.base}index.html")


def test_a_missing_page_is_told_kindly(browser: Browser, sites: Sites) -> None:
    with tab(browser, sites.http("demo")) as opened:
        page = opened.open("no-such-page.html")
        assert page.locator("h1").is_visible()
        page.get_by_role("link", name="Overview").click()
        expect(page).to_have_url(f"{opened.base}index.html")
        # that it is missing is what the browser reports, and nothing else
        assert len(opened.troubles) == 1
        assert "404" in opened.troubles.pop()


def test_a_missing_page_has_its_style_at_any_depth(browser: Browser, sites: Sites) -> None:
    with tab(browser, sites.http("demo")) as opened:
        styles = [
            opened.open(path).locator("h1").evaluate("(e) => getComputedStyle(e).cssText")
            for path in ("no-such-page.html", "no/such/page.html")
        ]
        assert styles[0] == styles[1]
        font = opened.page.locator("body").evaluate("(e) => getComputedStyle(e).fontFamily")
        assert "sans-serif" in font
        # files of the site are not found from there, which is what the browser reports
        assert all("404" in trouble for trouble in opened.troubles)
        opened.troubles.clear()


def test_a_name_shows_its_spaces(browser: Browser, sites: Sites) -> None:
    with tab(browser, sites.http("hard")) as opened:
        page = opened.open(paths.entry_page("two  spaces in it"))
        assert page.locator("h1").inner_text() == "two  spaces in it"
        opened.open("search.html")
        page.locator("[data-search] input").fill("spaces in it")
        found = page.locator("[data-search-result] a").first
        found.wait_for()
        assert found.inner_text() == "two  spaces in it"


@pytest.mark.parametrize("base", ["http", "file"])
def test_sorting_a_table_keeps_its_rows(browser: Browser, sites: Sites, base: str) -> None:
    with tab(browser, getattr(sites, base)("hard")) as opened:
        page = opened.open("models.html")
        rows = page.locator("table[data-sortable] tbody tr")
        before = rows.all_inner_texts()
        page.locator("table[data-sortable] thead button").first.click()
        after = rows.all_inner_texts()
        assert after != before
        assert sorted(after) == sorted(before)
        expect(page.locator("thead th[aria-sort]").first).to_have_attribute(
            "aria-sort", "ascending"
        )


@pytest.mark.parametrize("base", ["http", "file"])
def test_a_command_is_copied(browser: Browser, sites: Sites, base: str) -> None:
    with tab(browser, getattr(sites, base)("demo")) as opened:
        page = opened.open(paths.entry_page("digits/classifier"))
        page.get_by_role("button", name="Copy").first.click()
        expect(page.locator("button", has_text="Copied")).to_be_visible()
