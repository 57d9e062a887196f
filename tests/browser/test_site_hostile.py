"""The hostile registry's site: nothing of it runs, asks for anything, or changes a page's frame."""

import pytest
from playwright.sync_api import Browser

from regista.site import paths
from support.browser import DESK, PHONE, expect_none, tab
from support.site_crawl import files_of
from support.site_hostile import MODEL, PROMPT
from support.site_pages import kind_of
from support.sites import Sites

# what only the site's own pages may have, and the frame that texts may not leave
FRAME = """({
  scripts: [...document.scripts].filter((one) => !one.getAttribute('src')).length,
  handlers: [...document.querySelectorAll('*')].filter(
    (one) => [...one.attributes].some((a) => /^on|^style$/.test(a.name))).length,
  foreign: document.querySelectorAll(
    'main style, main iframe, main object, main embed, main form, main base, main meta, math,'
    + ' main img:not([src*="badges/"]), main video, main template, main link').length,
  links: [...document.links].map((one) => one.protocol).filter(
    (protocol) => !['http:', 'https:', 'mailto:', 'file:'].includes(protocol)),
  frame: [...document.body.children].map((one) => one.tagName).join(' ')
    .replace(/( SCRIPT)+$/, ''),
  mains: document.querySelectorAll('main').length,
})"""
# a direction mark that is never closed may turn its own text, but not the page's after it
TURNED = """(() => {
  const count = (text, marks) => (text.match(marks) ?? []).length;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walk.nextNode()) {
    const node = walk.currentNode;
    const opened = count(node.data, /[\\u202a\\u202b\\u202d\\u202e\\u2066-\\u2068]/g);
    if (opened <= count(node.data, /[\\u202c\\u2069]/g)) continue;
    let one = node.parentElement;
    if (!one.checkVisibility()) continue;
    const isolated = () => /isolate|plaintext/.test(getComputedStyle(one).unicodeBidi);
    while (getComputedStyle(one).display === 'inline' && !isolated()) one = one.parentElement;
    const after = document.createRange();
    after.setStartAfter(node);
    after.setEndAfter(one.lastChild);
    if (!isolated() && after.toString().trim())
      found.push(`${one.tagName}.${one.className}: ${after.toString().trim().slice(0, 60)}`);
  }
  return found.slice(0, 5);
})()"""


def all_pages(sites: Sites) -> list[str]:
    return sorted(path for path in files_of(sites.folder("hostile")) if kind_of(path))


@pytest.mark.parametrize("base", ["http", "file"])
def test_nothing_runs_and_no_frame_is_left(browser: Browser, sites: Sites, base: str) -> None:
    frames: dict[str, list[str]] = {}
    wide = {}
    with tab(browser, getattr(sites, base)("hostile")) as opened:
        for path in all_pages(sites):
            opened.open(path)
            frame = opened.ask(FRAME)
            assert frame["scripts"] == frame["handlers"] == frame["foreign"] == 0, (path, frame)
            assert frame["links"] == [], (path, frame)
            assert frame["mains"] == 1, path
            assert opened.owned() is None, path
            frames.setdefault(frame["frame"], []).append(path)
            wide[path] = opened.overflow_at(PHONE, DESK)
    # texts that close elements would have moved what follows them
    assert len(frames) <= 2, frames
    expect_none(wide)


def test_pages_do_the_same_without_scripts(browser: Browser, sites: Sites) -> None:
    with tab(browser, sites.http("hostile"), scripts=False) as opened:
        for path in all_pages(sites):
            opened.open(path)
            assert opened.ask(FRAME)["foreign"] == 0, path


def test_texts_are_shown_as_they_are(browser: Browser, sites: Sites) -> None:
    with tab(browser, sites.http("hostile"), scripts=False) as opened:
        text = opened.open(paths.version_page(MODEL, 1)).locator("body").inner_text()
        for shown in ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}"):
            assert shown in text
        text = opened.open(paths.version_page(PROMPT, 1)).locator("body").inner_text()
        assert "</textarea><script>alert(1)</script>" in text


def test_direction_characters_turn_nothing_but_their_own_text(
    browser: Browser, sites: Sites
) -> None:
    turned = {}
    with tab(browser, sites.http("hostile")) as opened:
        for path in all_pages(sites):
            opened.open(path)
            turned[path] = opened.ask(TURNED)
    expect_none(turned)


@pytest.mark.parametrize("base", ["http", "file"])
@pytest.mark.parametrize(
    "address",
    [
        "index.html#<img src=x onerror=alert(1)>",
        "as-of/index.html#date=<script>alert(1)</script>",
        "entries/hostile~-cards/compare.html#a=<img src=x onerror=alert(1)>&b=2",
        "entries/hostile~-cards/compare.html?a=1&b=__proto__#a=constructor&b=999999",
        "sql.html#q=SELECT '<img src=x onerror=alert(1)>'",
        'audit/index.html#c1"><script>alert(1)</script>',
    ],
)
def test_a_hostile_address_does_nothing(
    browser: Browser, sites: Sites, base: str, address: str
) -> None:
    with tab(browser, getattr(sites, base)("hostile")) as opened:
        page = opened.open(address)
        page.wait_for_timeout(200)
        assert page.locator("h1").first.is_visible()
        assert opened.owned() is None
