"""What stands beside the pages: JSON documents, feeds, badges, the site map. For `building`."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from regista.read.past import stored_time
from regista.site.api import registry
from regista.site.api.entries import EntryDocuments
from regista.site.api.records import Listed, Record
from regista.site.badges import badges_of
from regista.site.feeds import EVENTS_A_COMMIT, MAX_COMMITS, Commit, entry_feed, registry_feed
from regista.site.listing import Site
from regista.site.model import Drill, Event
from regista.site.pages.gates import policy_changes
from regista.site.published import PublishedTables
from regista.site.sitemap import places, robots, sitemap

MAX_EVENTS = 200
File = tuple[str, bytes]

_EVENT = "seq, time, actor, entry, event, version, detail"
_LATEST = f"SELECT {_EVENT} FROM events ORDER BY seq DESC, i DESC LIMIT ?"
_COMMITS = f"""
    SELECT {_EVENT}, count(*) OVER (PARTITION BY seq) AS total
    FROM events
    WHERE seq IN (SELECT DISTINCT seq FROM events ORDER BY seq DESC LIMIT ?)
    QUALIFY row_number() OVER (PARTITION BY seq ORDER BY i DESC) <= ?
    ORDER BY seq DESC, i DESC
"""


class BesideEntries:
    """Makes what stands beside the pages of an entry."""

    def __init__(self, site: Site) -> None:
        self._site, self._documents = site, EntryDocuments(site)

    def files(self, record: Record) -> Iterator[File]:
        """Yield path and bytes of each file."""
        yield from self._documents.documents(record)
        yield entry_feed(self._site, record.entry)
        yield from badges_of(self._site, record.entry)


def beside_lists(
    site: Site,
    published: PublishedTables,
    policy_digest: str,
    *,
    entries: Sequence[Listed],
    drills: Sequence[tuple[str, Drill]],
    pages: Sequence[str],
) -> Iterator[File]:
    """Yield path and bytes of each file that concerns all entries.

    Args:
        site: the registry.
        published: its published tables.
        policy_digest: digest of the policy in force.
        entries: all entries.
        drills: all drills with the names of their entries.
        pages: the pages that are no entry's or version's, for the site map.
    """
    yield from registry.index(site, entries)
    yield from registry.stages(site, entries)
    yield registry.events([_event(row) for row in published.query(_LATEST, MAX_EVENTS)])
    stored = published.texts.policy(policy_digest)
    if stored is not None:
        yield registry.policy(policy_digest, stored, policy_changes(published))
    yield registry.drills(drills)
    yield from registry.schemas()
    yield registry_feed(site, _commits(published))
    yield from sitemap(site.base_url, list(places(pages, entries)))
    yield robots(site.base_url)


def _commits(published: PublishedTables) -> list[Commit]:
    rows = published.query(_COMMITS, MAX_COMMITS, EVENTS_A_COMMIT)
    commits = []
    for _seq, group in groupby(rows, key=itemgetter(0)):
        mine = list(group)
        commits.append(Commit(tuple(_event(row) for row in mine), mine[0][-1]))
    return commits


def _event(row: tuple[Any, ...]) -> Event:
    seq, time, actor, entry, event, version, detail, *_total = row
    return Event(seq, stored_time(time), actor, entry or "", event, version, detail or "")
