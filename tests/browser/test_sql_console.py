"""The SQL console: it gives DuckDB's answers, offline, from a server and from a folder."""

import csv
import datetime as dt
import functools
import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

import regista
from regista.read.sqlfiles import VIEWS
from regista.registry.core import Registry
from regista.site.pages.canned_queries import CANNED_QUERIES, CannedQuery
from support import everything
from support.console_site import ROOT, build
from support.dialect_cases import DIALECT, REFUSED

pytestmark = pytest.mark.xdist_group("browser")
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# a fixed time in place of now, so that both engines are asked the same
NOW = "TIMESTAMP '2026-11-25 12:00:00'"
ASK = """async (query) => {
    const {columns, rows} = await registaSql.engine.query(query, 100000);
    return {columns, rows};
}"""


class Site(http.server.ThreadingHTTPServer):
    """A folder served on loopback, below a path of its own."""

    def __init__(self, folder: Path) -> None:
        handler = functools.partial(Quiet, directory=str(folder))
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_port}/some/path/sql.html"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves in silence."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def demo() -> Registry:
    return regista.open(str(ROOT / "registry_data"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, demo: Registry) -> Path:
    site = tmp_path_factory.mktemp("site") / "some" / "path"
    site.parent.mkdir()
    build(site, demo)
    return site


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[str]:
    with Site(folder.parents[1]) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield site.url
        site.shutdown()


@pytest.fixture(params=["http", "file"])
def url(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "file":
        return (folder / "sql.html").as_uri()
    served: str = request.getfixturevalue("served")
    return served


@pytest.fixture(scope="module")
def console(browser: Browser, served: str) -> Iterator[Page]:
    """The page, opened once, for tests that only ask its engine."""
    with watched(browser) as page:
        page.goto(served)
        yield page


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with watched(browser) as page:
        yield page


@contextmanager
def watched(browser: Browser) -> Iterator[Page]:
    """Open a page on which no error may be printed, and from which no request may leave."""
    found = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    found.on("console", lambda message: said.append(message.text))
    found.on("pageerror", lambda error: said.append(str(error)))
    found.on("request", lambda request: asked.append(request.url))
    yield found
    found.close()
    assert said == []
    away = [url for url in asked if not url.startswith(("file:", "http://127.0.0.1:", "blob:"))]
    assert away == []


def open_query(page: Page, url: str, query: str) -> None:
    page.goto(f"{url}#q={quote(query)}")
    page.locator("#sql-status", has_text=re.compile(r" in [0-9.]+ s")).wait_for()


def plain(value: object) -> object:
    """Return a value of DuckDB's as the console gives it."""
    match value:
        case dt.datetime():
            text = value.isoformat(sep=" ")
            return re.sub(r"0+$", "", text) if "." in text else text
        case dt.date():
            return value.isoformat()
        case dt.timedelta():
            return pytest.approx(value.total_seconds())
        case bool():
            return int(value)
        case float() | Decimal():
            return pytest.approx(float(value), rel=1e-12, abs=1e-12)
        case _:
            return value


def duckdb_rows(registry: Registry, query: str) -> tuple[list[str], list[list[object]]]:
    found = registry.sql(query)
    columns = [column[0] for column in found.description]
    return columns, [[plain(value) for value in row] for row in found.fetchall()]


def by_text(rows: list[list[object]]) -> list[list[object]]:
    return sorted(rows, key=lambda row: [re.sub(r" ± .*", "", str(value)) for value in row])


def same(
    page: Page,
    registry: Registry,
    query: str,
    order: Callable[[list[list[object]]], list[list[object]]] = list,
) -> int:
    """Check that both engines answer the same; return the number of rows."""
    query = query.replace("current_timestamp", NOW)
    columns, rows = duckdb_rows(registry, query)
    found = page.evaluate(ASK, query)
    assert found["columns"] == columns
    assert order(found["rows"]) == order(rows)
    return len(rows)


@pytest.mark.parametrize("query", CANNED_QUERIES, ids=lambda query: query.title)
def test_a_canned_query_answers_as_duckdb_does(
    console: Page, demo: Registry, query: CannedQuery
) -> None:
    same(console, demo, query.sql)


DOCUMENTED = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/sql.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("query", DOCUMENTED)
def test_a_query_that_the_docs_teach_answers_as_duckdb_does(
    console: Page, demo: Registry, query: str
) -> None:
    same(console, demo, query, by_text)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_the_rows_of_duckdbs(console: Page, demo: Registry, view: str) -> None:
    assert same(console, demo, f"FROM {view}", by_text) > 0


def test_the_views_agree_on_a_registry_in_which_everything_happened(
    page: Page, tmp_path: Path
) -> None:
    registry = everything.build(folder=tmp_path / "registry")
    build(tmp_path / "site", registry)
    page.goto((tmp_path / "site" / "sql.html").as_uri())
    for view in VIEWS:
        assert same(page, registry, f"FROM {view}", by_text) > 0


@pytest.mark.parametrize("query", DIALECT)
def test_duckdbs_dialect_is_translated_soundly(console: Page, demo: Registry, query: str) -> None:
    assert same(console, demo, query, by_text if "ORDER BY" not in query else list) > 0


@pytest.mark.parametrize("query", REFUSED)
def test_what_cannot_be_run_is_refused_in_plain_words(console: Page, query: str) -> None:
    said = console.evaluate(
        "(query) => registaSql.engine.query(query, 10).then(String, (error) =>"
        " error instanceof registaSql.QueryError ? error.message : 'not a QueryError: ' + error)",
        query,
    )
    assert REFUSED[query] in said
    assert "regista_" not in said


def test_a_tables_file_may_stand_for_the_table(console: Page) -> None:
    for file in ("data/versions.parquet", "registry_data/tables/versions/*.parquet"):
        found = console.evaluate(ASK, f"SELECT count(*) AS n FROM '{file}'")
        assert found["rows"][0][0] > 0


def test_now_is_a_time_in_utc(console: Page) -> None:
    query = "SELECT now() - current_timestamp::TIMESTAMP AS apart, today() = current_date AS same"
    ((apart, same_day),) = console.evaluate(ASK, query)["rows"]
    assert abs(apart) < 5
    assert same_day in {0, 1}


def test_an_expression_without_a_name_is_named_as_it_was_written(console: Page) -> None:
    query = "SELECT DISTINCT version  + 1, max(version) - 1 AS m, count(*) FROM versions GROUP BY 1"
    assert console.evaluate(ASK, query)["columns"] == ["version + 1", "m", "count(*)"]


def test_a_link_with_a_query_runs_it(page: Page, url: str) -> None:
    open_query(page, url, "SELECT entry, label, version FROM versions ORDER BY seq LIMIT 2")
    headers = page.locator("#sql-result th[scope=col]").all_inner_texts()
    assert headers == ["entry", "label", "version"]
    assert page.locator("#sql-result td.sql-null").first.inner_text() == "NULL"
    assert page.locator("#sql-result td.sql-number").all_inner_texts() == ["1", "1"]
    assert page.locator("#sql-status").inner_text().startswith("2 rows in ")


def test_a_question_is_run_by_keyboard_and_the_address_follows(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("#sql-query").fill("SELECT count(*) AS n FROM entries")
    page.keyboard.press("Control+Enter")
    page.locator("#sql-result td").first.wait_for()
    assert page.url.endswith("#q=SELECT%20count(*)%20AS%20n%20FROM%20entries")
    page.get_by_role("button", name="Run: What is in production?").focus()
    page.keyboard.press("Enter")
    page.locator("#sql-result th", has_text="kind").wait_for()
    page.go_back()
    page.locator("#sql-result th", has_text="n").first.wait_for()
    assert page.locator("#sql-query").input_value() == "SELECT count(*) AS n FROM entries"


def test_an_error_is_announced_and_takes_the_old_result_away(page: Page, url: str) -> None:
    open_query(page, url, "FROM entries")
    page.locator("#sql-query").fill("FROM nosuch")
    page.locator("#sql-run").click()
    page.locator("#sql-error:not([hidden])").wait_for()
    assert "There is no table" in page.get_by_role("alert").inner_text()
    assert page.locator("#sql-result").is_hidden()


def test_a_long_result_is_cut_for_display_and_whole_in_the_csv(
    page: Page, url: str, tmp_path: Path
) -> None:
    query = (
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1500)"
        """ SELECT i, NULL AS missing, '' AS "empty", 'a, "b"' AS quoted FROM n"""
    )
    open_query(page, url, query)
    assert page.locator("#sql-result tbody tr").count() == 1000
    assert "1,500 rows" in page.locator("#sql-status").inner_text()
    assert "the first 1,000 are shown" in page.locator("#sql-status").inner_text()
    with page.expect_download() as download:
        page.locator("#sql-csv").click()
    download.value.save_as(tmp_path / "rows.csv")
    text = (tmp_path / "rows.csv").read_text("utf-8")
    assert text.splitlines()[1] == '1,,"","a, ""b"""'
    assert len(list(csv.reader(text.splitlines()))) == 1501


ENDLESS = (
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS m FROM n"
)


def test_a_query_that_computes_for_ever_is_stopped(page: Page, url: str) -> None:
    open_query(page, url, "SELECT count(*) AS n FROM versions")
    before = page.locator("#sql-result td").inner_text()
    page.locator("#sql-query").fill(ENDLESS)
    page.locator("#sql-run").click()
    page.locator("#sql-stop:enabled").click()
    page.locator("#sql-error:not([hidden])").wait_for()
    assert page.get_by_role("alert").inner_text().startswith("Stopped.")
    assert page.locator("#sql-stop").is_disabled()
    open_query(page, url, "SELECT count(*) AS n FROM versions WHERE true")
    assert page.locator("#sql-result td").inner_text() == before


def test_a_query_whose_table_never_comes_is_stopped(page: Page, served: str) -> None:
    # a request that nobody answers
    page.route("**/versions.parquet", lambda _route: None)
    open_query(page, served, "SELECT count(*) AS n FROM entries")
    page.locator("#sql-query").fill("SELECT count(*) AS n FROM versions")
    page.locator("#sql-run").click()
    page.locator("#sql-stop:enabled").click()
    page.locator("#sql-error:not([hidden])", has_text="Stopped.").wait_for()
    page.unroute("**/versions.parquet")
    page.locator("#sql-run").click()
    page.locator("#sql-result td").wait_for()
    page.locator("#sql-status", has_text="1 row in").wait_for()


def test_where_no_worker_is_allowed_queries_run_in_the_page(page: Page, url: str) -> None:
    page.add_init_script("window.Worker = class { constructor() { throw new Error('no'); } };")
    open_query(page, url, "SELECT count(*) AS n FROM versions")
    assert int(page.locator("#sql-result td").inner_text()) > 0
    assert not page.evaluate("registaSql.engine.canStop")


def test_hostile_text_is_shown_and_does_nothing(page: Page, url: str) -> None:
    text = "<img src=x onerror=alert(1)><script>alert(1)</script>"
    open_query(page, url, f"SELECT '{text}' AS \"{text}\"")
    assert page.locator("#sql-result td").inner_text() == text
    assert page.locator("#sql-result th").inner_text() == text


def test_a_table_too_large_says_what_to_do(page: Page, url: str) -> None:
    page.goto(url)
    page.evaluate("registaSql.engine.tables.get('versions').rows = 5000000")
    page.evaluate("registaSql.engine.tables.get('entries').script = false")
    page.locator("#sql-query").fill("FROM versions")
    page.locator("#sql-run").click()
    page.locator("#sql-error:not([hidden])").wait_for()
    assert "duckdb -c" in page.locator("#sql-error").inner_text()
    if url.startswith("file:"):
        page.locator("#sql-query").fill("FROM entries")
        page.locator("#sql-run").click()
        page.locator("#sql-error", has_text="regista site serve").wait_for()


def test_a_damaged_file_and_an_unpublished_table_are_named(page: Page, served: str) -> None:
    page.route("**/names.parquet", lambda route: route.fulfill(body="PAR1 is not enough"))
    page.goto(served)
    page.evaluate("registaSql.engine.tables.delete('waivers')")
    for query, said in {
        "FROM names": "data/names.parquet cannot be read",
        "FROM waivers": "There is no table or view waivers",
        "FROM events": "names.parquet cannot be read",
        "SELECT count(*) FROM entries": "",
    }.items():
        page.locator("#sql-query").fill(query)
        page.locator("#sql-run").click()
        if said:
            page.locator("#sql-error:not([hidden])", has_text=said).wait_for()
    page.unroute("**/names.parquet")
    page.locator("#sql-result td", has_text="3").wait_for()
    page.locator("#sql-query").fill("FROM events")
    page.locator("#sql-run").click()
    page.locator("#sql-error", has_text="waivers, which this needs, is not published").wait_for()


def test_without_javascript_the_tables_the_files_and_the_commands_are_there(
    browser: Browser, url: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    text = page.locator("main").inner_text()
    assert "needs JavaScript" in text
    assert "regista sql" in text
    assert "duckdb -c" in text
    assert page.locator("#sql-console").is_hidden()
    assert page.locator("button:visible").count() == 0
    page.locator(".sql-table summary", has_text="versions").first.click()
    assert page.get_by_role("link", name="data/versions.parquet").is_visible()
    context.close()


def test_the_vendored_files_are_the_pinned_ones() -> None:
    subprocess.run([sys.executable, ROOT / "tools/vendor.py", "--check"], check=True)
