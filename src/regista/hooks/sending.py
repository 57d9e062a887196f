"""Sending one webhook: a POST to a checked address, with an end in time and size.

The host's name is looked up once, every address it has is checked, and the connection is made to
an address that was, so that a name which answers differently the next moment gains nothing. No
redirect is followed, no proxy of the environment is used, and a response is read up to a limit.
"""

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from regista.errors import InvalidInputError, StorageError
from regista.hooks.hook import Hook
from regista.hooks.signing import secret_key, signed_headers
from regista.hooks.urls import Target, is_public, target_of
from regista.version import __version__

RESPONSE_KEPT = 65_536
SUCCESS = range(200, 300)
Address = tuple[Any, ...]
Resolve = Callable[[str, int], list[tuple[Any, ...]]]


class DeliveryFailedError(StorageError):
    """A webhook's receiver could not be reached, may not be, or did not answer in time."""

    code = "hook"


@dataclass(frozen=True, slots=True)
class Response:
    """What a receiver answered.

    Attributes:
        status: HTTP status code.
        body: the beginning of its body.
        retry_after: that header, where it was there.
    """

    status: int
    body: bytes
    retry_after: str | None

    @property
    def ok(self) -> bool:
        """Whether the event counts as delivered: 200 to 299."""
        return self.status in SUCCESS


def keys_of(hook: Hook, environ: Mapping[str, str]) -> list[bytes]:
    """Return the signing keys of a webhook.

    Raises:
        InvalidInputError: a variable is not set, or holds no secret.
    """
    keys = []
    for name in hook.secret_env:
        if not environ.get(name):
            raise InvalidInputError(
                f"the variable {name} of hook {hook.id} is not set", hint=f"export {name}=whsec_…"
            )
        keys.append(secret_key(environ[name], name))
    return keys


def send(hook: Hook, message_id: str, body: bytes, timeout_s: float) -> Response:
    """Send a signed body once.

    Raises:
        InvalidInputError: a variable that the hook names is not as it should be.
        DeliveryFailedError: no connection to an allowed address, or no answer in time.
    """
    target, keys = target_of(hook, os.environ), keys_of(hook, os.environ)
    ends = time.monotonic() + timeout_s
    addresses = _resolved(target, timeout_s)
    if not hook.allow_private:
        _refuse_private(target, addresses)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"regista/{__version__}",
        "Connection": "close",
        **signed_headers(message_id, int(time.time()), body, keys),
    }
    connection = _Connection(target, addresses, ends)
    try:
        response = _exchange(connection, target, headers, body)
        if time.monotonic() >= ends:
            # it was cut off, which looks like the end of an answer
            raise TimeoutError
        return response  # noqa: TRY300 - what was cut off is dealt with below
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() >= ends:
            raise DeliveryFailedError(
                f"{target.origin} did not answer within {timeout_s:g} s"
            ) from error
        raise DeliveryFailedError(f"{target.origin}: {_said(error)}") from error
    finally:
        connection.end()


def _exchange(
    connection: "_Connection", target: Target, headers: dict[str, str], body: bytes
) -> Response:
    connection.request("POST", target.path, body, headers)
    response = connection.getresponse()
    kept = response.read(RESPONSE_KEPT)
    return Response(response.status, kept, response.getheader("Retry-After"))


def _said(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}"
    if isinstance(error, http.client.RemoteDisconnected):
        return "it closed the connection without an answer"
    if isinstance(error, http.client.HTTPException):
        # the text may be what the other side sent
        return f"its answer is not HTTP ({type(error).__name__})"
    text = error.strerror if isinstance(error, OSError) else ""
    return text or type(error).__name__


def _resolved(target: Target, timeout_s: float) -> list[Address]:
    """Return the host's addresses; the look-up knows no timeout, so a thread waits for it."""
    found: list[Address] = []
    problems: list[str] = []

    def look_up() -> None:
        try:
            found.extend(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            problems.append(getattr(error, "strerror", "") or "it is no host's name")

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive():
        raise DeliveryFailedError(f"{target.origin}: its name was not found in {timeout_s:g} s")
    if problems or not found:
        raise DeliveryFailedError(f"{target.origin}: {''.join(problems) or 'it has no address'}")
    return found


def _refuse_private(target: Target, addresses: list[Address]) -> None:
    for *_kind, address in addresses:
        if not is_public(address[0]):
            raise DeliveryFailedError(
                f"{target.origin} is at {address[0]}, which is not a public address",
                hint="set allow_private = true if it is meant",
            )


class _Connection(http.client.HTTPConnection):
    """A connection to an address that was checked, which ends when its time is up."""

    def __init__(self, target: Target, addresses: list[Address], ends: float) -> None:
        super().__init__(target.host, target.port)
        self._target, self._addresses, self._ends = target, addresses, ends
        self._timer: threading.Timer | None = None

    def connect(self) -> None:
        """Connect to the first address that answers."""
        connected = self._connected()
        if self._target.tls:
            # the handshake is under way only once its end is seen to
            connected = ssl.create_default_context().wrap_socket(
                connected, server_hostname=self._target.host, do_handshake_on_connect=False
            )
        self.sock = connected
        # a timeout of the socket is for each of its reads, and a receiver may dribble
        left_s = max(self._ends - time.monotonic(), 0)
        self._timer = threading.Timer(left_s, _cut, (connected,))
        self._timer.daemon = True
        self._timer.start()
        if isinstance(connected, ssl.SSLSocket):
            connected.do_handshake()

    def _connected(self) -> socket.socket:
        problem: OSError = TimeoutError()
        for family, kind, protocol, _name, address in self._addresses:
            left_s = self._ends - time.monotonic()
            if left_s <= 0:
                break
            attempt = socket.socket(family, kind, protocol)
            try:
                attempt.settimeout(left_s)
                attempt.connect(address)
            except OSError as error:
                attempt.close()
                problem = error
            else:
                return attempt
        raise problem

    def end(self) -> None:
        """Close the connection, and forget its end."""
        if self._timer:
            self._timer.cancel()
        with suppress(OSError):
            self.close()


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        # also under TLS, whose own way of closing would wait for the other side
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
