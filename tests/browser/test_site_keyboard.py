"""The keyboard alone: Tab reaches every control in order, what has the focus is seen, no traps."""

from itertools import groupby
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from regista.site import paths
from support.browser import DESK, PHONE, Tab, expect_none, tab
from support.site_pages import pages_by_kind
from support.sites import Sites

MOST = 400
CONTROLS = """[...document.querySelectorAll('*')].map((one, index) => [one, index]).filter(
  ([one]) =>
    one.matches('a[href], button, input:not([type=hidden]), select, textarea, summary,'
      + ' [tabindex="0"]')
    && !one.disabled && one.tabIndex >= 0
    && one.checkVisibility({visibilityProperty: true, contentVisibilityAuto: false})
  ).map(([one, index]) => index)"""
# which element has the focus, whether that is seen, and whether it is on the screen
FOCUS = """(() => {
  const one = document.activeElement;
  if (!one || one === document.body || one === document.documentElement) return null;
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  return {
    index: [...document.querySelectorAll('*')].indexOf(one),
    what: `${one.tagName} ${(one.textContent || one.name || '').trim().slice(0, 40)}`,
    // within a date field the browser shows the focus of each part itself
    seen: ring || style.boxShadow !== 'none' || one.matches('input[type^=date]'),
    there: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0
      && box.left < innerWidth,
  };
})()"""


def walk(opened: Tab) -> list[dict[str, Any]]:
    """Press Tab until it comes round, and return each stop, the first of the page first.

    From the end of a page the browser goes to controls of its own, or straight to the first.
    """
    stops: list[dict[str, Any]] = []
    for _ in range(MOST):
        opened.page.keyboard.press("Tab")
        stop = opened.ask(FOCUS)
        if stop is None:
            continue
        if len({one["index"] for one in stops}) > 1 and stop["index"] == stops[0]["index"]:
            start = min(range(len(stops)), key=lambda i: stops[i]["index"])
            return stops[start:] + stops[:start]
        stops.append(stop)
    raise AssertionError("Tab never came round")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_tab_reaches_every_control_of_every_kind_of_page(
    browser: Browser, sites: Sites, width: int
) -> None:
    wrong = {}
    with tab(browser, sites.http("demo"), width=width) as opened:
        for pages in pages_by_kind(sites.folder("demo")).values():
            opened.open(pages[-1])
            expected = opened.ask(CONTROLS)
            stops = walk(opened)
            # what scrolls can be reached too, though it is no control
            # and a date field has a stop for each of its parts
            reached = [stop for stop, _same in groupby(stop["index"] for stop in stops)]
            reached = [index for index in reached if index in expected]
            problems = [
                f"{stop['what']}: {'not on the screen' if stop['seen'] else 'focus is not seen'}"
                for stop in stops
                if not (stop["seen"] and stop["there"])
            ]
            if reached != expected:
                problems.append(f"missed {sorted({*expected} - {*reached})} of {len(expected)}")
            wrong[pages[-1]] = problems[:5]
    expect_none(wrong)


def test_the_first_stop_leads_past_the_navigation(browser: Browser, sites: Sites) -> None:
    with tab(browser, sites.http("demo")) as opened:
        page = opened.open("models.html")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null")


def test_a_table_is_sorted_and_a_command_copied_with_the_keyboard(
    browser: Browser, sites: Sites
) -> None:
    with tab(browser, sites.http("hard")) as opened:
        page = opened.open("models.html")
        page.locator("table[data-sortable] thead button").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator("th[aria-sort=ascending]")).to_have_count(1)
        page.keyboard.press("Space")
        expect(page.locator("th[aria-sort=descending]")).to_have_count(1)
        page = opened.open(paths.entry_page("support/triage"))
        page.get_by_role("button", name="Copy").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator("button", has_text="Copied")).to_be_visible()


def test_a_long_table_scrolls_with_the_keyboard_on_a_phone(browser: Browser, sites: Sites) -> None:
    scrollers = """[...document.querySelectorAll('main *')].filter((one) =>
      /auto|scroll/.test(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + 1
      && one.checkVisibility()).map((one) => [...document.querySelectorAll('*')].indexOf(one))"""
    with tab(browser, sites.http("demo"), width=PHONE) as opened:
        opened.open(paths.version_page("digits/classifier", 5))
        wanted = set(opened.ask(scrollers))
        assert wanted <= {stop["index"] for stop in walk(opened)}
