"""Where a webhook may go."""

import pytest

from regista.errors import InvalidInputError
from regista.hooks.urls import checked_url, is_public


@pytest.mark.parametrize(
    ("url", "origin", "port", "path"),
    [
        ("https://example.org", "https://example.org", 443, "/"),
        ("https://Example.org:8443/a/b?c=d", "https://example.org:8443", 8443, "/a/b?c=d"),
        ("https://[2001:4860::1]/x", "https://[2001:4860::1]", 443, "/x"),
    ],
)
def test_a_url_is_taken_apart(url: str, origin: str, port: int, path: str) -> None:
    target = checked_url(url, "url", allow_http=False)
    assert (target.tls, target.origin, target.port, target.path) == (True, origin, port, path)


def test_http_is_for_those_who_ask_for_it() -> None:
    assert checked_url("http://a.b:80/", "url", allow_http=True).origin == "http://a.b"
    with pytest.raises(InvalidInputError, match="url is without TLS"):
        checked_url("http://a.b/", "url", allow_http=False)


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "//example.org", "ftp://example.org", "file:///etc/passwd", "https://",
        "https:///path", "https://example.org:0/", "https://example.org:99999/",
        "https://example.org:x/", "https://user:pw@example.org/", "https://user@example.org/",
        "https://example.org/#part", "https://example.org/a b", "https://example.org/\r\nHost: x",
        "https://example.org/\tx", "https://ex\u00e4mple.org/", "https://example.org\\@evil.org/",
        "https://[::1/", "https://example.org/" + "a" * 2_000, "javascript:alert(1)",
    ],
    ids=range(21),
)  # fmt: skip
def test_what_is_no_plain_url_of_a_host_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        checked_url(url, "hook 1 (x): url", allow_http=True)
    assert caught.value.message.startswith("hook 1 (x): url")
    assert "pw" not in caught.value.message


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "8.8.8.8", "1.1.1.1", "2606:2800:220:1:248:1893:25c8:1946",
     "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"],
)  # fmt: skip
def test_addresses_of_the_public_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3",  # noqa: S104
        "10.0.0.1", "172.16.0.1", "172.31.255.255",
        "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1",
        "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1",
        "2001:db8::1", "100::1",
        # another address in it
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::1", "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::f5f5:f5f5", "2001:0:4136:e378:8000:63bf:80ff:fffe",
        # no address
        "", "example.org", "127.1", "0x7f000001", "1.2.3.4.5",
    ],
)  # fmt: skip
def test_all_others_are_not_public(address: str) -> None:
    assert not is_public(address)
