"""Every kind of page opened from a folder, where fetch, workers and modules are blocked."""

import pytest
from playwright.sync_api import Browser, expect

from regista.site import paths
from support.browser import PHONE, tab
from support.site_pages import sample
from support.sites import MAKERS, Sites


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_pages_load_from_a_folder(browser: Browser, sites: Sites, name: str) -> None:
    with tab(browser, sites.file(name)) as opened:
        for path in sample(sites.folder(name)):
            assert opened.open(path).locator("h1").first.is_visible(), path


def test_links_lead_to_files_and_never_to_folders(browser: Browser, sites: Sites) -> None:
    with tab(browser, sites.file("demo"), width=PHONE) as opened:
        page = opened.open(paths.version_page("digits/classifier", 5))
        for _ in range(3):
            page.get_by_role("link", name="Overview").click()
            expect(page).to_have_url(f"{opened.base}index.html")
            page.go_back()


def test_two_versions_are_compared_from_a_folder(browser: Browser, sites: Sites) -> None:
    with tab(browser, sites.file("demo")) as opened:
        page = opened.open(paths.compare_page("digits/classifier"))
        choices = page.locator("select")
        choices.nth(0).select_option("1")
        choices.nth(1).select_option("5")
        for value in ("0.825", "0.9917"):
            expect(page.locator("main")).to_contain_text(value)


def test_stages_as_of_a_day_are_shown_from_a_folder(browser: Browser, sites: Sites) -> None:
    with tab(browser, sites.file("hard")) as opened:
        page = opened.open("as-of/index.html")
        page.locator("input[name=at]").fill("2025-03-12T12:00")
        page.locator("input[name=name]").fill("payments/fraud-det")
        row = page.locator("tbody tr", has_text="payments/fraud-detector")
        # before the rollback of two days later, and after it
        expect(row).to_contain_text("v502")
        page.locator("input[name=at]").fill("2025-03-16T12:00")
        expect(row).to_contain_text("v501")
