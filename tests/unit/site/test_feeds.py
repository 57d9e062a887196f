"""Atom feeds are valid, keep their ids, and carry whatever people wrote."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest

from regista.model.times import parse_time
from regista.site import feeds, paths
from regista.site.listing import Site
from regista.site.model import Event
from regista.site.options import SiteOptions
from support import site_registries
from support.registries import OPEN, new_registry
from support.site_files import Files, site_of, target_of

ATOM = "{http://www.w3.org/2005/Atom}"
DEMO = str(site_registries.DEMO)
ENTRY = paths.feed("digits/classifier")
HOSTILE = (
    "</title><script>alert(1)</script>&amp;&<![CDATA[ ]]> \"'\u202e\x00\x0b\ufffe\ud800 \U0001f980"
)
SITE = Site(
    title="A site", base_url="", registry="r1", seq=3, head="0" * 64,
    time="2025-01-03T00:00:00.000000Z", stages=("dev",), on_register="dev", final_stage="dev",
    verified=False, publish=frozenset(),
)  # fmt: skip


def event(seq: int, detail: str = "", **more: object) -> Event:
    made = Event(seq, f"2025-01-0{seq}T00:00:00.000000Z", "ann", "m", "tagged", 1, detail)
    return made._replace(**more)  # type: ignore[arg-type]


def parsed(data: bytes) -> ET.Element:
    """Read a feed, and be sure of what RFC 4287 asks of one."""
    feed = ET.fromstring(data)  # noqa: S314 - made by us
    assert feed.tag == f"{ATOM}feed"
    ids = [text(feed, "id")]
    assert_has_what_an_element_needs(feed)
    entries = feed.findall(f"{ATOM}entry")
    for entry in entries:
        assert_has_what_an_element_needs(entry)
        content = entry.find(f"{ATOM}content")
        assert content is not None
        assert content.get("type") == "text"
        ids.append(text(entry, "id"))
    assert len(ids) == len(set(ids))
    for id_ in ids:
        assert UUID(id_.removeprefix("urn:uuid:")).version == 5
    times = [text(entry, "updated") for entry in entries]
    assert times == sorted(times, reverse=True)
    assert not times or text(feed, "updated") == times[0]
    rels = [link.get("rel") for link in feed.findall(f"{ATOM}link")]
    assert sorted(map(str, rels)) == ["alternate", "self"]
    return feed


def assert_has_what_an_element_needs(element: ET.Element) -> None:
    for name in ("id", "title", "updated"):
        assert len(element.findall(f"{ATOM}{name}")) == 1
    assert parse_time(text(element, "updated")).tzinfo is not None
    author = element.find(f"{ATOM}author/{ATOM}name")
    assert author is not None
    assert author.text
    link = element.find(f"{ATOM}link[@rel='alternate']")
    assert link is not None
    assert link.get("href")


def text(element: ET.Element, name: str) -> str:
    return element.findtext(f"{ATOM}{name}", "")


def entries_of(data: bytes) -> Sequence[ET.Element]:
    return parsed(data).findall(f"{ATOM}entry")


def hrefs(data: bytes) -> list[str]:
    return [str(link.get("href")) for link in parsed(data).iter(f"{ATOM}link")]


def test_the_feed_of_the_registry_tells_commits_the_newest_first(demo_site: Files) -> None:
    entries = entries_of(demo_site[feeds.GLOBAL])
    assert text(entries[0], "title") == "digits/explain@2 promoted: prod: empty -> 2"
    registered = text(entries[1], "content").splitlines()
    assert registered[0].startswith("digits/explain@2 registered: ")
    assert registered[-1] == "digits/explain@2 tagged: owner=vision"
    assert entries[0].findtext(f"{ATOM}author/{ATOM}name") == "ada"


def test_the_feed_of_an_entry_tells_of_nothing_else(demo_site: Files) -> None:
    entries = entries_of(demo_site[ENTRY])
    assert entries
    for entry in entries:
        for line in text(entry, "content").splitlines():
            assert line.startswith("digits/classifier")


@pytest.mark.parametrize("path", [feeds.GLOBAL, ENTRY])
def test_links_are_relative_to_the_feed_where_no_address_is_known(
    path: str, demo_site: Files
) -> None:
    for href in hrefs(demo_site[path]):
        assert not href.startswith(("/", "http"))
        assert target_of(path, href) in demo_site


@pytest.mark.parametrize("base_url", ["https://example.org/models/", "https://example.org/models"])
def test_links_are_absolute_and_ids_the_same_where_an_address_is_known(
    base_url: str, demo_site: Files
) -> None:
    site = site_of(DEMO, SiteOptions(base_url=base_url))
    for path in (feeds.GLOBAL, ENTRY):
        for href in hrefs(site[path]):
            assert href.startswith("https://example.org/models/")
            target = href.removeprefix("https://example.org/models/").partition("#")[0]
            assert target in site
        before, now = entries_of(demo_site[path]), entries_of(site[path])
        assert [text(entry, "id") for entry in now] == [text(entry, "id") for entry in before]


def test_entries_of_two_feeds_or_two_registries_have_ids_of_their_own(demo_site: Files) -> None:
    one = {text(entry, "id") for entry in entries_of(demo_site[feeds.GLOBAL])}
    other = {text(entry, "id") for entry in entries_of(demo_site[ENTRY])}
    assert not one & other
    commits = list(feeds.commits_of([event(1)]))
    here = feeds.registry_feed(SITE, commits)[1]
    there = feeds.registry_feed(replace(SITE, registry="r2"), commits)[1]
    assert {text(e, "id") for e in entries_of(here)} != {text(e, "id") for e in entries_of(there)}


def test_hostile_text_stays_text_and_what_xml_cannot_carry_is_left_out() -> None:
    hostile = event(1, HOSTILE, by=HOSTILE, entry=HOSTILE, event=HOSTILE)
    site = replace(SITE, title=HOSTILE, base_url="https://example.org/?a=1&b=<2>")
    commits = list(feeds.commits_of([hostile]))
    (entry,) = entries_of(feeds.registry_feed(site, commits)[1])
    shown = text(entry, "content")
    assert "</title><script>alert(1)</script>&amp;&<![CDATA[ ]]>" in shown
    assert "\U0001f980" in shown
    assert not set("\x00\x0b\ufffe\ud800") & set(shown)


def test_a_feed_without_events_is_valid() -> None:
    feed = parsed(feeds.registry_feed(SITE, [])[1])
    assert text(feed, "updated") == SITE.time


def test_long_details_and_commits_of_many_events_are_cut() -> None:
    many = [event(2, "x" * 10_000), *(event(1, f"number {k}") for k in range(30))]
    first, second = entries_of(feeds.registry_feed(SITE, list(feeds.commits_of(many)))[1])
    assert len(text(first, "title")) < 200
    assert len(text(first, "content")) < 600
    lines = text(second, "content").splitlines()
    assert len(lines) == feeds.EVENTS_A_COMMIT + 1
    assert lines[-1] == "and 10 more events"


def test_an_author_that_xml_cannot_carry_is_unknown() -> None:
    commits = list(feeds.commits_of([event(1, by="\x00")]))
    (entry,) = entries_of(feeds.registry_feed(SITE, commits)[1])
    assert entry.findtext(f"{ATOM}author/{ATOM}name") == "unknown"


def test_the_newest_fifty_commits_are_told_and_of_each_the_first_events(tmp_path: Path) -> None:
    registry = new_registry(OPEN, folder=tmp_path)
    registry.create("m")
    for number in range(52):
        registry.tag("m", {"k": str(number)})
    with registry.transaction() as tx:
        for number in range(25):
            tx.tag("m", {f"t{number}": "1"})
    site = site_of(str(tmp_path))
    for path in (feeds.GLOBAL, paths.feed("m")):
        entries = entries_of(site[path])
        assert len(entries) == feeds.MAX_COMMITS
        assert text(entries[0], "content").endswith("and 5 more events")


def test_feeds_of_hostile_registries_are_valid(hostile_site: Files) -> None:
    found = [path for path in hostile_site if path.endswith("feed.xml")]
    assert len(found) > 1
    for path in found:
        parsed(hostile_site[path])
