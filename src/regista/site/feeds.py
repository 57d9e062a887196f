"""Atom feeds (RFC 4287): what happened in the registry, and to one entry, commit by commit. Pure.

Ids follow from the registry's id and the commit's number alone, so they stay when the site moves.
Links are absolute where `base_url` is known, and else relative to the feed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from regista.site import paths
from regista.site.listing import Site
from regista.site.model import Entry, Event

GLOBAL = "feed.xml"
MAX_COMMITS = 50
EVENTS_A_COMMIT = 20
_MAX_TITLE = 150
_MAX_LINE = 500
# the first of these names a commit of several events; others come after
_TELLING = (
    "promoted", "rolled back", "demoted", "refused", "policy applied", "deleted", "deprecated",
    "drilled", "registered", "evaluated", "created",
)  # fmt: skip
_RANK = {event: rank for rank, event in enumerate(_TELLING)}
# https://www.w3.org/TR/xml/#charsets
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})


class Commit(NamedTuple):
    """A commit as a feed tells it.

    Attributes:
        events: its events, at least one.
        total: how many it has in all.
    """

    events: Sequence[Event]
    total: int

    @property
    def seq(self) -> int:
        """Number of the commit."""
        return self.events[0].seq


def registry_feed(site: Site, commits: Sequence[Commit]) -> tuple[str, bytes]:
    """Return the path and the bytes of the feed of a registry.

    Args:
        site: the registry.
        commits: its newest commits that have events, the newest first.
    """
    feed = _Feed(site, GLOBAL, site.registry, f"{site.title}: what happened", "index.html")
    items = [feed.item(commit, paths.commit_link(commit.seq)) for commit in commits]
    return GLOBAL, feed.document(commits, items, site.time)


def entry_feed(site: Site, entry: Entry) -> tuple[str, bytes]:
    """Return the path and the bytes of the feed of an entry."""
    path = paths.feed(entry.name)
    key = f"{site.registry}:{entry.entry_id}"
    feed = _Feed(site, path, key, f"{entry.name}: what happened", entry.page)
    commits = list(islice(commits_of(entry.events), MAX_COMMITS))
    items = [feed.item(commit, _page(entry, commit)) for commit in commits]
    return path, feed.document(commits, items, entry.time)


def commits_of(events: Iterable[Event]) -> Iterator[Commit]:
    """Yield the commits of events that are in the order of commits."""
    for _seq, group in groupby(events, key=lambda event: event.seq):
        mine = tuple(group)
        yield Commit(mine[:EVENTS_A_COMMIT], len(mine))


def xml_text(text: str) -> str:
    """Return a text for XML, without the characters that XML cannot carry."""
    return _NOT_XML.sub("", text).translate(_ESCAPES)


@dataclass(frozen=True, slots=True)
class _Feed:
    """One feed.

    Attributes:
        path: where it lies.
        key: what its ids are made from.
        page: the page that tells the same.
    """

    site: Site
    path: str
    key: str
    title: str
    page: str

    def document(self, commits: Sequence[Commit], items: Iterable[str], otherwise: str) -> bytes:
        """Return the feed; `otherwise` is the time of one without commits."""
        updated = commits[0].events[0].time if commits else otherwise
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            '<feed xmlns="http://www.w3.org/2005/Atom">\n'
            f"<id>{self._id()}</id>\n"
            f"<title>{xml_text(self.title)}</title>\n"
            f"<updated>{updated}</updated>\n"
            f"<author><name>{xml_text(self.site.title) or 'Regista'}</name></author>\n"
            f'<link rel="self" type="application/atom+xml" href="{self._link(self.path)}"/>\n'
            f'<link rel="alternate" type="text/html" href="{self._link(self.page)}"/>\n'
            f"{''.join(items)}</feed>\n"
        ).encode()

    def item(self, commit: Commit, page: str) -> str:
        """Return a commit; `page` is the one that tells of it."""
        events = sorted(commit.events, key=lambda event: _RANK.get(event.event, len(_RANK)))
        first = events[0]
        more = commit.total - len(events)
        lines = [_line(event, _MAX_LINE) for event in events]
        lines += [f"and {more:,} more events"] if more else []
        return (
            "<entry>\n"
            f"<id>{self._id(commit.seq)}</id>\n"
            f"<title>{xml_text(_line(first, _MAX_TITLE))}</title>\n"
            f"<updated>{first.time}</updated>\n"
            f"<author><name>{xml_text(first.by) or 'unknown'}</name></author>\n"
            f'<link rel="alternate" type="text/html" href="{self._link(page)}"/>\n'
            f'<content type="text">{xml_text(chr(10).join(lines))}</content>\n'
            "</entry>\n"
        )

    def _id(self, seq: int | None = None) -> str:
        tail = "" if seq is None else f":{seq}"
        return f"urn:uuid:{uuid5(NAMESPACE_URL, f'regista:{self.key}{tail}')}"

    def _link(self, path: str) -> str:
        base = self.site.base_url
        return xml_text(f"{base.rstrip('/')}/{path}" if base else paths.root_of(self.path) + path)


def _line(event: Event, limit: int) -> str:
    version = "" if event.version is None else f"@{event.version}"
    subject = f"{event.entry}{version} " if event.entry else ""
    detail = f": {event.detail}" if event.detail else ""
    text = " ".join(f"{subject}{event.event}{detail}".split())
    return text if len(text) <= limit else f"{text[:limit]}…"


def _page(entry: Entry, commit: Commit) -> str:
    versions = {event.version for event in commit.events if event.version is not None}
    if len(versions) == 1:
        return paths.version_page(entry.name, versions.pop())
    return entry.page
