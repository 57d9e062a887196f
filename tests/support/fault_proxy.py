"""A proxy between a client and its object store that does to requests what bad networks do.

It stands where the store's endpoint is expected, passes everything on, notes it, and on order
loses, breaks or invents answers. So the real client meets the fault, with all that it does by
itself about it.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# how long a hanging answer hangs; clients under test give up long before
HANG_S = 30.0
_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "server"}


class Fault(Enum):
    """What happens to one request."""

    LOST = "the connection breaks before the store hears of it"
    CUT = "the connection breaks in the middle of the request's body"
    ANSWER_LOST = "the store does it, and its answer is lost"
    HANG = "nothing is done, and no answer comes"
    ANSWER_HANGS = "the store does it, and no answer comes"
    ERROR = "a status is answered, and nothing is done"
    ERROR_AFTER = "the store does it, and a status is answered all the same"
    PARTIAL = "the answer's body breaks off"
    STALE_LIST = "a listing lacks what was written last"
    LATE = "the store hears of it some time after the connection broke"


@dataclass(slots=True)
class Order:
    """A fault for requests that fit.

    Attributes:
        fault: what happens.
        method: of the request.
        part: what its path and query must hold.
        times: how often still; after that, requests pass.
        status: for the faults with one.
        after_bytes: where bodies break.
        spare: how many requests that fit pass first.
    """

    fault: Fault
    method: str
    part: str
    times: int = 1
    status: int = 500
    after_bytes: int = 100
    spare: int = 0

    def takes(self, method: str, target: str) -> bool:
        """Say whether the request is to suffer, and count it."""
        if self.times <= 0 or method != self.method or self.part not in target:
            return False
        if self.spare > 0:
            self.spare -= 1
            return False
        self.times -= 1
        return True


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was made, and the fault that it met."""

    method: str
    target: str
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Passed:
    """A request that the store answered: how many bytes its body had, and the answer's."""

    method: str
    target: str
    sent: int
    received: int


class FaultProxy(ThreadingHTTPServer):
    """The proxy, on a free port of this machine.

    Args:
        upstream: URL of the real store.
        delay_s: added to each request.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream: str, delay_s: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        parts = urlsplit(upstream)
        self.host = f"{parts.hostname}:{parts.port}"
        self.prefix = parts.path
        self.delay_s = delay_s
        self.orders: list[Order] = []
        self.asked: list[Asked] = []
        self.passed: list[Passed] = []
        self.guard = threading.Lock()

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.server_port}{self.prefix}"

    def order(self, fault: Fault, method: str, part: str, **how: int) -> None:
        """Let requests that fit meet a fault; see `Order`."""
        with self.guard:
            self.orders.append(Order(fault, method, part, **how))

    def obey(self) -> None:
        """Forget what was ordered and noted."""
        with self.guard:
            self.orders.clear()
            self.asked.clear()
            self.passed.clear()

    def count(self, method: str = "", part: str = "") -> int:
        """Return how many requests were made that fit."""
        return sum(1 for one in self.asked if method in one.method and part in one.target)

    def count_met(self, fault: Fault) -> int:
        """Return how many requests met a fault."""
        return sum(1 for one in self.asked if one.fault is fault)

    def sent(self, part: str) -> int:
        """Return how many bytes clients sent in requests that fit and came through."""
        return sum(one.sent for one in self.passed if part in one.target)

    def received(self, part: str) -> int:
        """Return how many bytes the store gave to requests that fit."""
        return sum(one.received for one in self.passed if part in one.target)

    def met(self, method: str, target: str) -> Order | None:
        """Note a request, and return what it is to suffer."""
        with self.guard:
            found = next((order for order in self.orders if order.takes(method, target)), None)
            self.asked.append(Asked(method, target, found.fault if found else None))
            return found

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that broke; breaking them is the point."""


@contextmanager
def faulty(upstream: str, delay_s: float = 0.0) -> Iterator[FaultProxy]:
    """Run a proxy before a store."""
    proxy = FaultProxy(upstream, delay_s)
    threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()


@dataclass(slots=True)
class _Answer:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FaultProxy

    def _pass(self) -> None:
        time.sleep(self.server.delay_s)
        order = self.server.met(self.command, self.path)
        length = int(self.headers.get("Content-Length", 0))
        if order and order.fault is Fault.CUT:
            self.rfile.read(min(length, order.after_bytes))
            self._break()
            return
        body = self.rfile.read(length)
        match order.fault if order else None:
            case Fault.LOST:
                self._break()
            case Fault.LATE:
                self._break()
                time.sleep(0.3)
                self._forward(body)
            case Fault.HANG:
                self._hang()
            case Fault.ERROR:
                assert order
                self._answer(_Answer(order.status))
            case Fault.ANSWER_LOST:
                self._forward(body)
                self._break()
            case Fault.ANSWER_HANGS:
                self._forward(body)
                self._hang()
            case Fault.ERROR_AFTER:
                assert order
                self._forward(body)
                self._answer(_Answer(order.status))
            case Fault.PARTIAL:
                assert order
                self._answer(self._forward(body), order.after_bytes)
            case Fault.STALE_LIST:
                self._answer(_without_last(self._forward(body)))
            case _:
                self._answer(self._forward(body))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass  # noqa: N815 - their names there

    def _forward(self, body: bytes) -> _Answer:
        upstream = HTTPConnection(self.server.host, timeout=60)
        try:
            headers = dict(self.headers.items())
            upstream.request(self.command, self.path, body or None, headers)
            answer = upstream.getresponse()
            kept = [pair for pair in answer.getheaders() if pair[0].lower() not in _HOP]
            if self.command == "HEAD":
                kept.append(("Content-Length", answer.getheader("Content-Length") or "0"))
            given = answer.read()
            self.server.passed.append(Passed(self.command, self.path, len(body), len(given)))
            return _Answer(answer.status, kept, given)
        except (OSError, HTTPException):
            return _Answer(502)
        finally:
            upstream.close()

    def _answer(self, answer: _Answer, cut_at: int | None = None) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[:cut_at])
        if cut_at is not None:
            self._break()

    def _hang(self) -> None:
        # until the client gives up, or the test is over
        self.connection.settimeout(HANG_S)
        with suppress(OSError):
            self.connection.recv(1)
        self._break()

    def _break(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


def _without_last(answer: _Answer) -> _Answer:
    """Leave out the last file of a listing."""
    before, found, rest = answer.body.rpartition(b"<Contents>")
    if found:
        answer.body = before + rest.partition(b"</Contents>")[2]
    return answer
