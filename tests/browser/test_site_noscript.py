"""Without JavaScript every fact is readable: who is in prod, since when, the way back, and why."""

from datetime import datetime

import pytest
from playwright.sync_api import Browser, Page

import regista
from regista.registry.core import Registry
from regista.site import paths
from support.browser import tab
from support.site_pages import pages_by_kind
from support.sites import Sites

MODEL, PROMPT = "digits/classifier", "digits/explain"


@pytest.fixture(scope="module")
def registry(sites: Sites) -> Registry:
    return regista.open(str(sites.registry("demo")))


def visible(page: Page) -> str:
    """The text that a reader sees; what lies behind a summary opens without a script."""
    page.locator("details:not([open])").evaluate_all("all => all.forEach(one => one.open = true)")
    return words(page.locator("body").inner_text())


def words(text: str) -> str:
    return " ".join(text.split())


def day(time: str) -> str:
    moment = datetime.fromisoformat(time)
    return f"{moment.day} {moment:%b %Y}"


@pytest.mark.parametrize("name", [MODEL, PROMPT])
def test_the_first_page_says_what_is_in_prod_and_since_when(
    browser: Browser, sites: Sites, registry: Registry, name: str
) -> None:
    held = registry.resolve(f"{name}@prod")
    with tab(browser, sites.file("demo"), scripts=False) as opened:
        row = words(opened.open("index.html").locator("tr", has_text=name).inner_text())
        assert f"v{held.version}" in row
        assert day(held.since) in row


def test_the_first_page_says_what_is_wrong_and_the_way_back(
    browser: Browser, sites: Sites, registry: Registry
) -> None:
    target = registry.resolve(f"{MODEL}@prod~1").version
    with tab(browser, sites.file("demo"), scripts=False) as opened:
        page = opened.open("index.html")
        assert f"to v{target}" in page.locator("tr", has_text=MODEL).inner_text()
        assert "refused" in page.locator("main").inner_text()


def test_an_entry_says_how_to_go_back(browser: Browser, sites: Sites, registry: Registry) -> None:
    held = registry.resolve(f"{MODEL}@prod")
    target = registry.resolve(f"{MODEL}@prod~1").version
    with tab(browser, sites.file("demo"), scripts=False) as opened:
        # nothing needs to be opened for this
        text = words(opened.open(paths.entry_page(MODEL)).locator("main").inner_text())
        assert f"regista rollback {MODEL} --stage prod" in text
        assert f"v{target}" in text
        assert f"by {held.by}" in text
        assert day(held.since) in text


def test_every_verdict_and_its_reason_is_on_the_versions_page(
    browser: Browser, sites: Sites, registry: Registry
) -> None:
    columns = "version, gate, status, observed, reason"
    verdicts = registry.sql(f"SELECT {columns} FROM verdicts WHERE entry = '{MODEL}'").fetchall()
    assert len(verdicts) > 20
    with tab(browser, sites.file("demo"), scripts=False) as opened:
        texts = {
            version: visible(opened.open(paths.version_page(MODEL, version)))
            for version in {row[0] for row in verdicts}
        }
    for version, *facts in verdicts:
        for fact in facts:
            assert words(str(fact)) in texts[version], (version, fact)


def test_every_score_file_and_digest_is_on_the_versions_page(
    browser: Browser, sites: Sites, registry: Registry
) -> None:
    scores = registry.sql(
        f"SELECT version, metric, slice, value FROM latest_scores WHERE entry = '{MODEL}'"
    ).fetchall()
    files = registry.sql(
        f"SELECT version, path, sha256 FROM files WHERE entry = '{MODEL}'"
    ).fetchall()
    with tab(browser, sites.file("demo"), scripts=False) as opened:
        texts = {
            version: visible(opened.open(paths.version_page(MODEL, version)))
            for version in {row[0] for row in scores}
        }
    for version, metric, slice_, value in scores:
        for fact in (metric, slice_, f"{value:.4g}"):
            assert fact in texts[version], (version, metric, slice_, value)
    for version, path, sha256 in files:
        assert path in texts[version]
        assert sha256[:12] in texts[version]


def test_a_prompt_is_readable_with_what_changed(browser: Browser, sites: Sites) -> None:
    with tab(browser, sites.file("demo"), scripts=False) as opened:
        text = visible(opened.open(paths.version_page(PROMPT, 2)))
        assert "Answer with the digit alone." in text
        # what the version before said is struck out
        assert "Which digit do you see in this image?" in text


def test_every_commit_is_in_the_audit_log(
    browser: Browser, sites: Sites, registry: Registry
) -> None:
    with tab(browser, sites.file("demo"), scripts=False) as opened:
        text = visible(opened.open(paths.audit_page(1)))
    for seq, actor in registry.sql("SELECT seq, actor FROM commits").fetchall():
        assert str(seq) in text
        assert actor in text
    for (reason,) in registry.sql("SELECT reason FROM placements WHERE reason <> ''").fetchall():
        assert reason in text


def test_the_policy_in_force_is_readable(
    browser: Browser, sites: Sites, registry: Registry
) -> None:
    with tab(browser, sites.file("demo"), scripts=False) as opened:
        text = visible(opened.open("gates.html"))
    for (gate,) in registry.sql("SELECT DISTINCT gate FROM verdicts").fetchall():
        if not gate.startswith(("from", "rolled-back", "status")):
            assert gate in text


def test_drills_are_readable(browser: Browser, sites: Sites, registry: Registry) -> None:
    with tab(browser, sites.file("demo"), scripts=False) as opened:
        text = visible(opened.open("drills.html"))
    for entry, smoke in registry.sql("SELECT entry, smoke FROM drills").fetchall():
        assert entry in text
        assert smoke in text


@pytest.mark.parametrize("name", ["waived", "hard"])
def test_waived_refused_and_undecidable_are_said_in_words(
    browser: Browser, sites: Sites, name: str
) -> None:
    reads = regista.open(str(sites.registry(name)))
    query = "SELECT DISTINCT ON (status) entry, version, status FROM verdicts ORDER BY status, seq"
    with tab(browser, sites.file(name), scripts=False) as opened:
        for entry, version, status in reads.sql(query).fetchall():
            assert status in visible(opened.open(paths.version_page(entry, version))).lower()


def test_nothing_invites_to_what_needs_a_script(browser: Browser, sites: Sites) -> None:
    with tab(browser, sites.file("demo"), scripts=False) as opened:
        for kind, pages in pages_by_kind(sites.folder("demo")).items():
            page = opened.open(pages[0])
            controls = page.locator("button, input, select, textarea")
            shown = [one for one in controls.all() if one.is_visible()]
            assert shown == [], (kind, pages[0])
