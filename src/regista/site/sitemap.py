"""`sitemap.xml` and `robots.txt`: what search engines may find. Pure.

Sitemaps name pages by absolute addresses. Where `base_url` is not known they are relative, which
no search engine takes, and a comment says what is missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote

from regista.site import paths
from regista.site.api.records import Listed
from regista.site.feeds import xml_text

SITEMAP = "sitemap.xml"
ROBOTS = "robots.txt"
# https://www.sitemaps.org/protocol.html
MAX_URLS = 50_000
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_WANTED = "<!-- addresses are relative: set site.base_url, or build with the option base-url -->\n"


class Place(NamedTuple):
    """A page, and when what it shows changed last; '' when not known."""

    path: str
    changed: str = ""


def places(pages: Iterable[str], entries: Iterable[Listed]) -> Iterator[Place]:
    """Yield the pages of a site: some, then those of each entry and of its versions."""
    for path in pages:
        yield Place(path)
    for entry in sorted(entries, key=lambda entry: entry.name):
        yield Place(paths.entry_page(entry.name), entry.updated)
        for number in range(1, entry.last_version + 1):
            yield Place(paths.version_page(entry.name, number))


def sitemap(base_url: str, found: Sequence[Place]) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of the site map, which names its parts where there are many pages."""
    if len(found) <= MAX_URLS:
        yield SITEMAP, _document(base_url, "urlset", "url", found)
        return
    parts: list[Place] = []
    for first in range(0, len(found), MAX_URLS):
        parts.append(Place(f"sitemap-{len(parts) + 1}.xml"))
        part = found[first : first + MAX_URLS]
        yield parts[-1].path, _document(base_url, "urlset", "url", part)
    yield SITEMAP, _document(base_url, "sitemapindex", "sitemap", parts)


def robots(base_url: str) -> tuple[str, bytes]:
    """Return path and bytes of `robots.txt`, which allows everything."""
    lines = ["User-agent: *", "Allow: /"]
    if base_url:
        lines.append(f"Sitemap: {_address(base_url, SITEMAP)}")
    return ROBOTS, "".join(f"{line}\n" for line in lines).encode()


def _document(base_url: str, root: str, item: str, found: Iterable[Place]) -> bytes:
    lines = [
        f"<{item}><loc>{xml_text(_address(base_url, place.path))}</loc>"
        f"{f'<lastmod>{place.changed}</lastmod>' if place.changed else ''}</{item}>\n"
        for place in found
    ]
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f"{'' if base_url else _WANTED}"
        f'<{root} xmlns="{_NAMESPACE}">\n{"".join(lines)}</{root}>\n'
    ).encode()


def _address(base_url: str, path: str) -> str:
    quoted = quote(path)
    return f"{base_url.rstrip('/')}/{quoted}" if base_url else quoted
