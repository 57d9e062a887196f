"""Connections of webhooks: to the address that was checked, and to no other."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from regista.hooks.hook import Hook, Match, When
from regista.hooks.sending import DeliveryFailedError, send
from support.hooking import OK, SECRET, Receiver, hang, receiving

PUBLIC = ("93.184.216.34", 443)


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)


def hook(url: str, *, private: bool = True) -> Hook:
    return Hook(
        "h", ("*",), When.POST, Match(), Path(), url=url, secret_env=("HOOK_SECRET",),
        allow_http=True, allow_private=private,
    )  # fmt: skip


class Names:
    """Name look-ups that give what a test says, one answer after the other."""

    def __init__(self, *answers: list[tuple[str, int]]) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, _host: str, _port: int, **_options: Any) -> list[tuple[Any, ...]]:
        addresses = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, address) for address in addresses]


def here(receiver: Receiver) -> tuple[str, int]:
    return "127.0.0.1", receiver.port


def test_it_connects_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(OK) as receiver:
        # a name that answers differently the second time gains nothing: nobody asks again
        names = Names([here(receiver)], [("10.0.0.1", 1)])
        monkeypatch.setattr(socket, "getaddrinfo", names)
        assert send(hook("http://hooks.example.org/x"), "msg_1", b"{}", 5).ok
    assert names.asked == 1
    assert receiver.received[0].headers["host"] == "hooks.example.org"


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(OK) as receiver:
        names = Names([PUBLIC, here(receiver)])
        monkeypatch.setattr(socket, "getaddrinfo", names)
        with pytest.raises(DeliveryFailedError, match=r"is at 127.0.0.1, which is not a public"):
            send(hook("https://hooks.example.org/x", private=False), "msg_1", b"{}", 5)
    assert receiver.received == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "0"])
def test_odd_ways_to_write_an_address_are_looked_up_first(host: str) -> None:
    with receiving(OK) as receiver:
        with pytest.raises(DeliveryFailedError, match=r"not a public address|its name|not known"):
            send(hook(f"http://{host}:{receiver.port}/", private=False), "msg_1", b"{}", 5)
        assert receiver.received == []


def test_the_next_address_is_tried_when_one_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(OK) as receiver:
        names = Names([("127.0.0.1", 9), here(receiver)])
        monkeypatch.setattr(socket, "getaddrinfo", names)
        assert send(hook("http://hooks.example.org/x"), "msg_1", b"{}", 5).ok


def test_a_name_that_is_never_found_has_an_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_arguments: object, **_options: object) -> list[object]:
        time.sleep(3)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    started = time.monotonic()
    with pytest.raises(DeliveryFailedError, match=r"its name was not found in 0.2 s"):
        send(hook("https://example.org/"), "msg_1", b"{}", 0.2)
    assert time.monotonic() - started < 2


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with receiving(OK) as receiver:
        assert send(hook(receiver.url), "msg_1", b"{}", 5).ok


def test_a_handshake_that_nobody_answers_has_an_end_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        started = time.monotonic()
        # nobody answers the handshake
        with pytest.raises(DeliveryFailedError, match=r"did not answer within 0.5 s"):
            send(hook(f"https://127.0.0.1:{port}/"), "msg_1", b"{}", 0.5)
        assert time.monotonic() - started < 3


def test_an_answer_that_is_late_is_none() -> None:
    with (
        receiving(hang(30)) as receiver,
        pytest.raises(DeliveryFailedError, match=r"did not answer within 0.5 s") as caught,
    ):
        send(hook(receiver.url), "msg_1", b"{}", 0.5)
    assert "token" not in caught.value.message
