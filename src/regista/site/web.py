"""A web server for one folder of files, for the person at this computer.

Every request opens its path anew, from the folder's name down and without following a symbolic
link, so that a site that takes another's place is served from the next request on. Nothing is
listed, nothing hidden is served, and every answer has to be asked for again (`no-cache`) but is
not sent twice (`ETag`). On a loopback address only requests to a loopback name are answered: a
web page elsewhere could give itself our address by its DNS, and read the site.
"""

import os
import shutil
import stat
import sys
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from socket import AF_INET, AF_INET6
from socketserver import TCPServer
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from regista.errors import InvalidInputError

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_INDEX, _MISSING = "index.html", "404.html"
_IDLE_S = 30
_HIGHEST_PORT = 65535


class FolderServer(ThreadingHTTPServer):
    """Serves a folder; it need not exist yet.

    Args:
        folder: what to serve.
        host: the name or address to listen on.
        port: the port; 0 for any free one, see `url`.

    Raises:
        InvalidInputError: the address cannot be listened on.
    """

    daemon_threads = True

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self.folder, self.host = folder, host
        self.address_family = AF_INET6 if ":" in host else AF_INET
        if not 0 <= port <= _HIGHEST_PORT:
            raise InvalidInputError(
                f"{port} is no port", hint=f"give --port a number from 0 to {_HIGHEST_PORT}"
            )
        try:
            super().__init__((host, port), _Handler)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InvalidInputError(
                f"cannot listen on {host} port {port}: {reason}",
                hint="give another port with --port, or 0 for any free one",
            ) from error

    def server_bind(self) -> None:
        """Bind without asking the network for this computer's name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.host, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's
        """Say nothing of clients that hang up."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """The address to open."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.server_port}/"

    def answers_to(self, host: str) -> bool:
        """Say whether a request with this `Host` is meant for us."""
        name = urlsplit(f"//{host}").hostname or ""
        return not _is_loopback(self.host) or _is_loopback(name)


class _Handler(BaseHTTPRequestHandler):
    server: FolderServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "regista", ""
    timeout = _IDLE_S

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass

    def _answer(self) -> None:
        try:
            known = self.server.answers_to(self.headers.get("Host", ""))
        except ValueError:
            known = False
        if not known:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        address, _, query = self.path.partition("#")[0].partition("?")
        segments, is_folder = _segments(address)
        found = None if segments is None else open_below(self.server.folder, segments)
        if segments is None or found is None:
            self._send_missing()
            return
        with os.fdopen(found.handle, "rb") as file:
            if found.is_index == is_folder:
                self._send_found(file, segments[-1] if segments and not is_folder else _INDEX)
            elif found.is_index:
                # from the segments: a path that begins with // would lead to another host
                target = quote(f"/{'/'.join(segments)}/", errors="surrogateescape")
                target = "/" if not segments else target
                location = f"{target}?{query}" if query else target
                self._send_head(HTTPStatus.MOVED_PERMANENTLY, {"Location": location}, 0)
            else:
                self._send_missing()

    def _send_found(self, file: BinaryIO, name: str) -> None:
        status = os.fstat(file.fileno())
        validators = {
            "ETag": f'"{status.st_mtime_ns:x}-{status.st_ino:x}-{status.st_size:x}"',
            "Last-Modified": formatdate(status.st_mtime, usegmt=True),
        }
        if self._has_it(validators["ETag"], int(status.st_mtime)):
            self._send_head(HTTPStatus.NOT_MODIFIED, validators, None)
            return
        self._send_file(HTTPStatus.OK, file, name, validators)

    def _send_missing(self) -> None:
        found = open_below(self.server.folder, [_MISSING])
        if found is None or found.is_index:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with os.fdopen(found.handle, "rb") as file:
            self._send_file(HTTPStatus.NOT_FOUND, file, _MISSING, {})

    def _send_file(
        self, status: HTTPStatus, file: BinaryIO, name: str, headers: dict[str, str]
    ) -> None:
        kind = _TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
        size = os.fstat(file.fileno()).st_size
        self._send_head(status, {"Content-Type": kind, **headers}, size)
        if self.command != "HEAD":
            shutil.copyfileobj(file, self.wfile)

    def _send_head(self, status: HTTPStatus, headers: dict[str, str], size: int | None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if size is not None:
            self.send_header("Content-Length", str(size))
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()

    def _has_it(self, etag: str, modified_s: int) -> bool:
        known = self.headers.get("If-None-Match")
        if known is not None:
            tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
            return bool(tags & {etag, "*"})
        since = self.headers.get("If-Modified-Since")
        try:
            return since is not None and modified_s <= parsedate_to_datetime(since).timestamp()
        except (ValueError, OverflowError):
            return False


class Found(NamedTuple):
    """An open file, and whether it stands for its folder."""

    handle: int
    is_index: bool


def open_below(folder: Path, segments: list[str]) -> Found | None:
    """Open a regular file below a folder; None where there is none, or a link is on the way.

    Args:
        folder: where to begin; opened anew.
        segments: names without `/`. Where they lead to a folder, its `index.html` is meant.
    """
    try:
        handle = os.open(folder, _OPEN | os.O_DIRECTORY)
        for name in segments:
            handle = _step(handle, name)
        is_index = stat.S_ISDIR(os.fstat(handle).st_mode)
        if is_index:
            handle = _step(handle, _INDEX)
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return Found(handle, is_index)
    os.close(handle)
    return None


def _step(folder: int, name: str) -> int:
    """Open one name in an open folder, which is closed whether or not that works."""
    try:
        return os.open(name, _OPEN, dir_fd=folder)
    finally:
        os.close(folder)


def _segments(address: str) -> tuple[list[str] | None, bool]:
    """Return a URL's path as names, None where a site has no such names; and is it a folder's?"""
    names = unquote(address, errors="surrogateescape").split("/")[1:]
    is_folder = names[-1:] == [""]
    names = names[:-1] if is_folder else names
    if any(not name or name.startswith(".") or "\\" in name for name in names):
        return None, is_folder
    return names, is_folder


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
