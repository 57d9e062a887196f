"""Search finds entries by name, label, alias and digest, from a server and from a folder."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

import regista
from support.browser import Tab, tab
from support.site_hostile import BREAKING
from support.site_names import MODEL
from support.sites import Sites


@pytest.fixture(params=["http", "file"])
def hard(request: pytest.FixtureRequest, browser: Browser, sites: Sites) -> Iterator[Tab]:
    with tab(browser, getattr(sites, request.param)("hard")) as opened:
        yield opened


def look_for(opened: Tab, text: str) -> list[str]:
    """Type into the search page and return the names that it lists, the best first."""
    page = opened.page
    page.get_by_role("searchbox").fill(text)
    expect(page.locator("[data-search-count]")).to_contain_text("found")
    return page.locator("[data-search-result] li a").all_text_contents()


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("payments/fraud-detector", MODEL),
        ("fraud-det", MODEL),
        ("PAYMENTS FRAUD-DETECTOR", MODEL),
        ("支付", "反欺诈/支付卡片交易风险评分与异常检测模型"),
        ("بطاقة", "احتيال/بطاقة"),
        ("naïve", "naïve-bayes"),
        ("challenger", MODEL),
        ("1.450.0", MODEL),
        ("  two   spaces ", "two  spaces in it"),
    ],
)
def test_it_finds(hard: Tab, typed: str, first: str) -> None:
    hard.open("search.html")
    assert look_for(hard, typed)[0] == first


def test_it_finds_by_digest_and_leads_there(hard: Tab, sites: Sites) -> None:
    registry = regista.open(str(sites.registry("hard")))
    digest = registry.resolve("support/triage@prod").digest
    hard.open("search.html")
    assert look_for(hard, digest[:12]) == ["support/triage"]
    hard.page.get_by_role("link", name="support/triage").click()
    expect(hard.page.locator("h1")).to_contain_text("support/triage")


def test_nothing_found_is_said(hard: Tab) -> None:
    hard.open("search.html")
    assert look_for(hard, "no such thing anywhere") == []
    expect(hard.page.locator("[data-search-count]")).to_contain_text("0 found")


def test_every_page_leads_to_the_search(hard: Tab) -> None:
    page = hard.open("gates.html")
    page.keyboard.press("/")
    page.keyboard.type("triage")
    page.keyboard.press("Enter")
    expect(page.get_by_role("searchbox")).to_have_value("triage")
    expect(page.locator("[data-search-result] a").first).to_have_text("support/triage")


def test_a_search_is_a_link_to_share(hard: Tab) -> None:
    page = hard.open("search.html#q=triage")
    expect(page.locator("[data-search-result] a").first).to_have_text("support/triage")


@pytest.mark.parametrize("base", ["http", "file"])
def test_a_hostile_search_does_nothing(browser: Browser, sites: Sites, base: str) -> None:
    with tab(browser, getattr(sites, base)("hostile")) as opened:
        page = opened.open("search.html")
        for text in BREAKING:
            page.get_by_role("searchbox").fill(text)
        page = opened.open("index.html")
        page = opened.open("search.html#q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
        expect(page.get_by_role("searchbox")).to_have_value("<img src=x onerror=alert(1)>")
        page = opened.open("index.html")
        # no text of a link may break a page
        page = opened.open("search.html#q=%E0%A4%A")
        assert page.locator("h1").is_visible()
        assert opened.owned() is None
