"""A receiver of webhooks on this computer, as bad as a test wants it, and ways to configure one."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regista.decide.prehooks import Subject
from regista.hooks.events import Event
from support.cli import Cli

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD_SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
EVENT = Event(
    "promote",
    "applied",
    {"ref": "fraud/card@7", "stage": "prod"},
    {"name": "fraud/card", "version": 7, "stage": "prod"},
    "ann",
    "2026-01-01",
    "r1",
    9,
    subject=Subject("model", "d" * 64),
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@dataclass(slots=True)
class Received:
    """One request."""

    head: str
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """The header lines, names in lower case."""
        lines = self.head.split("\r\n")[1:]
        return {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    def signed_by(self, secret: str) -> bool:
        """Say whether one of the signatures is of a secret, as the specification has it."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        told = self.headers
        signed = f"{told['webhook-id']}.{told['webhook-timestamp']}.".encode() + self.body
        digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{digest}" in told["webhook-signature"].split(" ")


Answer = bytes | Callable[[socket.socket], None]


@dataclass
class Receiver:
    """A server that answers with whatever bytes it is told to.

    Attributes:
        answers: what to answer, one after the other; the last for ever. A function gets the
            connection and does as it likes.
        received: the requests so far.
    """

    answers: list[Answer] = field(default_factory=lambda: [OK])
    received: list[Received] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook?token=in-the-url"

    @property
    def seqs(self) -> list[int]:
        """The commits that it heard of, in order."""
        return [item.json["data"]["seq"] for item in self.received]

    def serve(self, listening: socket.socket) -> None:
        """Answer until the socket is closed."""
        while True:
            try:
                connection, _address = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            request = _read_request(connection)
            if request is None:
                return
            answer = self.answers[min(len(self.received), len(self.answers) - 1)]
            self.received.append(request)
            try:
                if isinstance(answer, bytes):
                    connection.sendall(answer)
                else:
                    answer(connection)
            except OSError:
                return


def _read_request(connection: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    request = Received(head.decode(), body)
    length = int(request.headers["content-length"])
    while len(request.body) < length:
        request.body += connection.recv(65_536)
    return request


@contextmanager
def receiving(*answers: Answer) -> Iterator[Receiver]:
    """Serve while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        receiver = Receiver(list(answers) or [OK], port=listening.getsockname()[1])
        threading.Thread(target=receiver.serve, args=(listening,), daemon=True).start()
        yield receiver


def status(code: int, *lines: str, body: str = "") -> bytes:
    """Return an answer with a status."""
    head = "".join(f"{line}\r\n" for line in lines)
    return (f"HTTP/1.1 {code} Whatever\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}").encode()


def hang(seconds: float) -> Callable[[socket.socket], None]:
    """Return an answer that never comes."""
    return lambda _connection: time.sleep(seconds)


def dribble(connection: socket.socket) -> None:
    """Answer a byte at a time, without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def flood(connection: socket.socket) -> None:
    """Answer with a body without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    while True:
        connection.sendall(chunk)


def webhook(hook_id: str, url: str, *lines: str, on: str = "*") -> str:
    """Return the table of a webhook to this computer."""
    own = (f'id = "{hook_id}"', f'on = "{on}"', f'url = "{url}"', "allow_http = true",
           "allow_private = true")  # fmt: skip
    secret = () if any(line.startswith("secret_env") for line in lines) else (
        'secret_env = "HOOK_SECRET"',
    )  # fmt: skip
    return _table(*own, *secret, *lines)


def command(hook_id: str, script: str, *lines: str, on: str = "*") -> str:
    """Return the table of a hook that runs a script of the shell."""
    argv = json.dumps(["sh", "-c", script])
    return _table(f'id = "{hook_id}"', f'on = "{on}"', f"command = {argv}", *lines)


def configure(folder: Path, *tables: str) -> None:
    """Write the `regista.toml` of a folder."""
    (folder / "regista.toml").write_text("\n".join(tables), encoding="utf-8")


def _table(*lines: str) -> str:
    return "\n".join(("[[hooks]]", *lines, ""))


def create(cli: Cli, name: str, *options: str) -> str:
    """Write something; return standard error."""
    ran = cli.inside("create", name, "--kind", "model", *options)
    assert ran.code == 0, ran
    return ran.err


def states(cli: Cli) -> dict[str, dict[str, Any]]:
    """Return what `hooks list` tells, by the hooks' ids."""
    ran = cli.inside("hooks", "list", "--json")
    assert ran.code == 0, ran
    return {state["id"]: state for state in ran.json}
