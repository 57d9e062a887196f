"""Where a webhook may go: which URLs, and which addresses behind a host's name. Pure.

A registry's configuration may come from a clone, and its webhooks must not reach what only the
inside of a network can: cloud metadata, databases, this machine. So every address of the host
must be one of the public internet, unless the hook says `allow_private`. Ranges are those of the
IANA special-purpose registries, as Python's `ipaddress` knows them, and addresses that carry
another in them are judged by that one as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from regista.errors import InvalidInputError

if TYPE_CHECKING:
    from regista.hooks.hook import Hook

MAX_URL = 2_000
HTTPS, HTTP = 443, 80
# special as well, which Python's own lists know in some of its versions only
_SPECIAL = tuple(
    map(
        ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "100::/64", "2001::/23", "5f00::/16", "fec0::/10"),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
# deprecated, and read as IPv4 by some stacks still (RFC 4291, 2.5.5.1)
_COMPATIBLE = IPv6Network("::/96")


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL.

    Attributes:
        tls: whether it is https.
        host: its host, without brackets.
        port: its port.
        path: path and query, as they are requested; they may hold a token.
    """

    tls: bool
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """What may be shown of it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == (HTTPS if self.tls else HTTP)
        return f"{'https' if self.tls else 'http'}://{host}{'' if usual else f':{self.port}'}"


def checked_url(url: str, where: str, *, allow_http: bool) -> Target:
    """Return a URL's parts.

    Args:
        url: the URL; messages do not show it, as it may hold a token.
        where: what to call it in messages.
        allow_http: whether it may be without TLS.

    Raises:
        InvalidInputError: not an https URL of a host, or it holds a user, a fragment, or what
            would end the request's line.
    """
    hint = "write it as https://example.org/path"
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidInputError(f"{where} is not a URL of up to {MAX_URL} plain signs", hint=hint)
    try:
        parts = urlsplit(url)
        # the port is read only when it is asked for
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidInputError(f"{where} is not a URL", hint=hint) from error
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise InvalidInputError(f"{where} is not an https URL", hint=hint)
    if parts.scheme == "http" and not allow_http:
        raise InvalidInputError(
            f"{where} is without TLS", hint="use https, or set allow_http = true"
        )
    if "@" in parts.netloc or parts.fragment or "\\" in url:
        raise InvalidInputError(
            f"{where} holds a user, a fragment or a backslash",
            hint="signatures say who sends; a URL with a token comes from url_env",
        )
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(tls, host, port or (HTTPS if tls else HTTP), path)


def target_of(hook: "Hook", environ: Mapping[str, str]) -> Target:
    """Return where a webhook goes.

    Raises:
        InvalidInputError: its variable is not set, or is no URL.
    """
    url, where = hook.url, f"url of hook {hook.id}"
    if hook.url_env:
        where = f"the variable {hook.url_env} of hook {hook.id}"
        url = environ.get(hook.url_env, "")
        if not url:
            raise InvalidInputError(f"{where} is not set", hint=f"export {hook.url_env}=https://…")
    return checked_url(url, where, allow_http=hook.allow_http)


def is_public(address: str) -> bool:
    """Say whether an IP address, as resolved, is one of the public internet."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(map(_is_public, (ip, *_inside(ip))))


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    special = (
        ip.is_private
        or ip.is_loopback
        or ip.is_link_local
        or ip.is_multicast
        or ip.is_reserved
        or ip.is_unspecified
        or any(ip in network for network in _SPECIAL)
    )
    carries = isinstance(ip, IPv6Address) and bool(_inside(ip))
    # some carriers are not global by themselves; what they carry decides
    return carries or (ip.is_global and not special)


def _inside(ip: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 one carries: mapped, 6to4, Teredo, NAT64."""
    if isinstance(ip, IPv4Address):
        return ()
    if ip.ipv4_mapped:
        return (ip.ipv4_mapped,)
    if ip.sixtofour:
        return (ip.sixtofour,)
    if ip.teredo:
        return ip.teredo
    if ip in _NAT64 or ip in _COMPATIBLE:
        return (IPv4Address(int(ip) & 0xFFFF_FFFF),)
    return ()
