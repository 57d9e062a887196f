"""Chromium for tests: one per session, driven by Playwright, watched for everything that is wrong.

A `Tab` notes console errors, page errors, violations of the content security policy, dialogs and
each request; leaving it fails the test if any of these happened, or if a request left the site.
No request can reach another host: names do not resolve in this browser. The policy of the pages is
never bypassed: axe, and what tests ask of a page, run in a world of their own beside the page's.
"""

import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    Dialog,
    Page,
    Playwright,
    Request,
    sync_playwright,
)

SUB_PATH = "/some/sub/path/"
PHONE, DESK, WIDE = 390, 1280, 1440
HEIGHT = 900
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
WORLD = "tests"
# told through the console, since a page without scripts has no other way to us
WATCH = """
document.addEventListener('securitypolicyviolation', (event) => console.error(
  `policy violated: ${event.violatedDirective} by ${event.blockedURI} at ${event.sourceFile}`
));
"""


class NoChromiumError(Exception):
    """There is no Chromium to run the tests in."""


def find_chromium() -> str:
    """Return the path of Chromium.

    Raises:
        NoChromiumError: it is not installed.
    """
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    raise NoChromiumError("there is no Chromium: apt-get install chromium, or make browser as root")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser."""
    path = find_chromium()
    with sync_playwright() as playwright:
        browser = _launch(playwright, path)
        try:
            yield browser
        finally:
            browser.close()


def _launch(playwright: Playwright, path: str) -> Browser:
    return playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))


@dataclass  # without slots: Playwright keeps its handlers on whoever they are bound to
class Tab:
    """One page of the browser, on one site.

    Attributes:
        page: Playwright's page.
        base: URL of the site, with a slash at its end.
        troubles: what went wrong so far.
        requests: URLs that were asked for.
    """

    page: Page
    base: str
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _session: CDPSession | None = None

    def open(self, path: str) -> Page:
        """Open a page of the site, by its path as in a link."""
        self.page.goto(self.base + path, wait_until="load")
        return self.page

    @property
    def path(self) -> str:
        """The page that is open, as the path of its file within the site."""
        return unquote(urlsplit(self.page.url.removeprefix(self.base)).path)

    def ask(self, script: str) -> Any:
        """Return what an expression or promise gives, in a world that no page's script sees."""
        if self._session is None:
            self._session = self.page.context.new_cdp_session(self.page)
        frame = self._session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = self._session.send(
            "Page.createIsolatedWorld", {"frameId": frame, "worldName": WORLD}
        )
        done = self._session.send(
            "Runtime.evaluate",
            {
                "expression": script,
                "contextId": world["executionContextId"],
                "awaitPromise": True,
                "returnByValue": True,
            },
        )
        if "exceptionDetails" in done:
            raise AssertionError(done["exceptionDetails"])
        return done["result"].get("value")

    def owned(self) -> Any:
        """Return what a script of the page left in `window.owned`, in the page's own world."""
        return self.page.evaluate("window.owned")

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        width = "document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.ask(width))

    def overflow_at(self, *widths: int) -> dict[int, int]:
        """Return by how many pixels the page is wider than windows of some widths, where it is."""
        found = {}
        for width in widths:
            self.page.set_viewport_size({"width": width, "height": HEIGHT})
            if over := self.overflow():
                found[width] = over
        return found

    def axe(self, *rules: str) -> list[str]:
        """Return what axe finds that is serious or critical, by some rules or by all."""
        options: dict[str, Any] = {
            "preload": False, "resultTypes": ["violations"], "iframes": False,
        }  # fmt: skip
        if rules:
            options["runOnly"] = rules
        found = self.ask(f"{_axe_script()}; axe.run(document, {json.dumps(options)})")
        return [
            f"{item['id']} ({item['impact']}): {node['html'][:160]} {node['failureSummary'][:300]}"
            for item in found["violations"]
            if item["impact"] in {"serious", "critical"}
            for node in item["nodes"][:3]
        ]

    def _watch(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.troubles.append(f"page error: {error}"))
        self.page.on("dialog", self._on_dialog)
        self.page.on("request", self._on_request)
        self.page.on("requestfailed", self._on_failed)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"{self.path}: console: {message.text}")

    def _on_dialog(self, dialog: Dialog) -> None:
        self.troubles.append(f"{self.path}: dialog: {dialog.message}")
        dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        self.requests.append(request.url)
        # a blob is the page's own, and what is in it came from the site
        if not request.url.startswith((self.base, "blob:")):
            self.troubles.append(f"{self.path}: it asked for {request.url[:200]}")

    def _on_failed(self, request: Request) -> None:
        # the next page was opened before the picture of the tab had come
        if request.failure == "net::ERR_ABORTED":
            return
        self.troubles.append(f"{self.path}: request failed: {request.url[:200]} {request.failure}")


def expect_none(found: Mapping[str, object]) -> None:
    """Fail with all that was found, by page, where anything was."""
    lines = [f"{path}: {problem}" for path, problem in found.items() if problem]
    if lines:
        raise AssertionError("\n".join(lines))


@contextmanager
def tab(
    browser: Browser,
    base: str,
    *,
    scheme: str = "light",
    width: int = DESK,
    scripts: bool = True,
) -> Iterator[Tab]:
    """Open a tab; at the end, fail if anything went wrong in it.

    Args:
        browser: the browser.
        base: URL of the site, with a slash at its end.
        scheme: light or dark.
        width: of the window, in pixels.
        scripts: whether pages may run scripts.
    """
    context = _context(browser, scheme, width, scripts=scripts)
    try:
        made = Tab(context.new_page(), base)
        made._watch()  # noqa: SLF001 - it is a part of making it
        yield made
        if made.troubles:
            raise AssertionError("\n".join(dict.fromkeys(made.troubles)))
    finally:
        context.close()


def _context(browser: Browser, scheme: str, width: int, *, scripts: bool) -> BrowserContext:
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=scripts,
        reduced_motion="reduce",
        service_workers="block",
        locale="en-GB",
        timezone_id="UTC",
    )
    context.set_default_timeout(10_000)
    context.add_init_script(WATCH)
    return context


@cache
def _axe_script() -> str:
    return str(AXE_FILE_PATH.read_text("utf-8"))


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder below the sub-path as a plain host does, 404 page included."""

    def translate_path(self, path: str) -> str:
        if not path.startswith(SUB_PATH):
            return str(Path(self.directory) / "no-such-file")
        return super().translate_path("/" + path.removeprefix(SUB_PATH))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = Path(self.directory) / "404.html"
        if code != HTTPStatus.NOT_FOUND or not page.exists():
            super().send_error(code, message, explain)
            return
        data = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name is given
        pass


@contextmanager
def serve(site: Path) -> Iterator[str]:
    """Serve a site on the loopback interface; give its URL, which has a sub-path."""
    handler = partial(_Handler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}{SUB_PATH}"
        finally:
            server.shutdown()
            thread.join()


def file_base(site: Path) -> str:
    """Return the URL of a site on the disk."""
    return site.resolve().as_uri() + "/"
