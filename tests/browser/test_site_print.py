"""On paper: no navigation, dark ink on white, and nothing cut that lies beyond an edge."""

from operator import or_

import pytest
from playwright.sync_api import Browser

from support.browser import expect_none, tab
from support.site_pages import pages_by_kind
from support.sites import Sites

# asked through the page: a session of our own beside it would end the emulation of paper
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# A4 at 96 dots an inch, less margins of 1 cm
PAPER = 718
CUT = """(() => {
  const found = [];
  for (const one of document.querySelectorAll('main *')) {
    if (one.closest('svg, .unseen') || !one.checkVisibility()) continue;
    const hides = getComputedStyle(one).overflowX !== 'visible';
    if (hides && one.clientWidth && one.scrollWidth > one.clientWidth + 1)
      found.push(`${one.tagName}.${one.className}: ${one.scrollWidth} in ${one.clientWidth}`);
  }
  return found.slice(0, 5);
})()"""
# a button in the head of a table holds the name of the column
SHOWN = """[...document.querySelectorAll('nav, form, button, input, select, .skip')].filter(
  (one) => !one.closest('thead') && one.checkVisibility()
    && one.getBoundingClientRect().right > 0).map(
  (one) => `${one.tagName}.${one.className}`)"""
PAINT = """(() => {
  const style = getComputedStyle(document.body);
  const own = getComputedStyle(document.documentElement);
  return [style.color, style.backgroundColor, own.backgroundColor].map(
    (text) => text.match(/[\\d.]+/g).map(Number));
})()"""


@pytest.mark.parametrize("name", ["demo", "waived"])
def test_every_kind_of_page_prints(browser: Browser, sites: Sites, name: str) -> None:
    cut, shown = {}, {}
    with tab(browser, sites.http(name), width=PAPER) as opened:
        opened.page.emulate_media(media="print")
        for kind, pages in pages_by_kind(sites.folder(name)).items():
            # nobody prints the console
            if kind == "sql":
                continue
            opened.open(pages[0])
            cut[pages[0]] = opened.page.evaluate(CUT)
            shown[pages[0]] = opened.page.evaluate(SHOWN)
            assert opened.page.evaluate(OVERFLOW) == 0, pages[0]
    expect_none(cut)
    expect_none(shown)


def test_a_dark_screen_still_prints_dark_on_white(browser: Browser, sites: Sites) -> None:
    dark = {}
    with tab(browser, sites.http("demo"), scheme="dark", width=PAPER) as opened:
        opened.page.emulate_media(media="print")
        for pages in pages_by_kind(sites.folder("demo")).values():
            opened.open(pages[0])
            ink, *papers = opened.page.evaluate(PAINT)
            clear = [len(paper) == 4 and paper[3] == 0 for paper in papers]
            white = [min(paper[:3]) > 230 for paper in papers]
            fine = max(ink[:3]) < 100 and all(map(or_, clear, white))
            dark[pages[0]] = "" if fine else f"{ink} on {papers}"
    expect_none(dark)
