"""Serve a site to the person at this computer, and build it anew when what it is made of changes.

Requests are answered by threads all the time; building is done by the calling thread, so that
Ctrl-C ends a build at once and leaves the old site. What the site is made of, and how, is the
caller's to know.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from regista.errors import RegistaError
from regista.site.output.publication import Published
from regista.site.web import FolderServer

_POLL_S = 1.0


def serve(
    build: Callable[[], Published],
    out: Path,
    port: int = 8000,
    host: str = "127.0.0.1",
    *,
    fingerprint: Callable[[], object],
    on_event: Callable[[str], None],
) -> None:
    """Build, then serve and rebuild until Ctrl-C.

    Args:
        build: builds the site into `out`; its first failure ends serving, later ones are told.
        out: the folder to serve.
        port: the port; 0 for any free one.
        host: the name or address to listen on.
        fingerprint: compared about once a second; a change means that the site is out of date.
        on_event: told in one line of everything that happens, the site's address first.

    Raises:
        InvalidInputError: the address cannot be listened on.
        RegistaError: from the first build.
    """
    with FolderServer(out, host, port) as server:
        try:
            seen = fingerprint()
            _tell(build(), on_event)
            answering = threading.Thread(target=server.serve_forever, daemon=True)
            answering.start()
            try:
                on_event(f"serving {server.url} until Ctrl-C")
                watch(build, fingerprint, seen, on_event, lambda: time.sleep(_POLL_S))
            finally:
                server.shutdown()
                answering.join()
        except KeyboardInterrupt:
            on_event("stopped")


def watch(
    build: Callable[[], Published],
    fingerprint: Callable[[], object],
    seen: object,
    on_event: Callable[[str], None],
    wait: Callable[[], None],
) -> None:
    """Build whenever the fingerprint is another one, until an exception comes out of `wait`.

    Args:
        build: builds the site.
        fingerprint: names the state of all that the site is made of.
        seen: the fingerprint that the last build began with.
        on_event: told of builds and failures; of a fingerprint that keeps failing only once.
        wait: called before each look.
    """
    told = ""
    while True:
        wait()
        try:
            now = fingerprint()
            told = ""
            if now == seen:
                continue
            # also when it fails: it is tried again when something changes, not each second
            seen = now
            _tell(build(), on_event)
        except Exception as error:  # noqa: BLE001 - an author's half-saved template may raise anything
            message = _failure(error)
            if message != told:
                on_event(message)
            told = message


def _tell(published: Published, on_event: Callable[[str], None]) -> None:
    on_event(
        f"built: {published.written} files written, {published.kept} kept,"
        f" {published.removed} removed"
    )


def _failure(error: Exception) -> str:
    if isinstance(error, RegistaError):
        reason = f"{error.message}; {error.hint}" if error.hint else error.message
    else:
        reason = f"{type(error).__name__}: {error}"
    return f"cannot build, so the last site stays: {reason}"
