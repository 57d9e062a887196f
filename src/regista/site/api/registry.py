"""The documents that concern all entries: index, stages, events, policy, drills, schemas.

Of these only the index, the events and the drills change with commits that do not concern them.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from regista.site import paths
from regista.site.api import addresses
from regista.site.api.encoding import Document, document
from regista.site.api.records import Listed
from regista.site.listing import PolicyChange, Site
from regista.site.model import Drill, Event

ENTRIES_A_PAGE = 10_000
MAX_DRILLS = 500
SCHEMAS = Path(__file__).parent / "schemas"
Json = dict[str, Any]

# how to reach every other document; names in braces are encoded as `regista.site.paths` says
_LINKS = {
    "site": "../../index.html",
    "feed": "../../feed.xml",
    "entry": "entries/{entry}/index.json",
    "version": "entries/{entry}/versions/{version}.json",
    "entry_stage": "entries/{entry}/stages/{stage}.json",
    "entry_alias": "entries/{entry}/aliases/{alias}.json",
    "entry_feed": "../../entries/{entry}/feed.xml",
    "badge": "../../badges/{entry}/{stage}.svg",
    "stage": "stages/{stage}.json",
    "events": "events.json",
    "policy": "policy.json",
    "drills": "drills.json",
    "schema": "schemas/{kind}.json",
}
_DATA = {"table": "../../data/{table}.parquet"}


def index(site: Site, entries: Sequence[Listed]) -> Iterator[Document]:
    """Yield the pages of the index: the registry, its stages, and where each entry is."""
    ordered = sorted(entries, key=lambda entry: entry.name)
    pages = max(1, -(-len(ordered) // ENTRIES_A_PAGE))
    for page in range(1, pages + 1):
        path = addresses.index_page(page)
        after = addresses.within(addresses.index_page(page + 1)) if page < pages else None
        shown = ordered[(page - 1) * ENTRIES_A_PAGE : page * ENTRIES_A_PAGE]
        yield document(
            path,
            "index",
            {
                "title": site.title,
                "registry": site.registry,
                "seq": site.seq,
                "head": site.head,
                "time": site.time,
                "stages": list(site.stages),
                "final_stage": site.final_stage,
                "published": sorted(site.publish),
                "links": {**_LINKS, **(_DATA if "data" in site.publish else {})},
                "entries_total": len(ordered),
                "page": page,
                "pages": pages,
                "next": after,
                "entries": [
                    {
                        "name": entry.name,
                        "kind": entry.kind,
                        "url": addresses.within(addresses.entry(entry.name)),
                    }
                    for entry in shown
                ],
            },
        )


def stages(site: Site, entries: Sequence[Listed]) -> Iterator[Document]:
    """Yield, for each stage of the policy or in use, the list of what it holds."""
    by_stage: dict[str, list[Json]] = {stage: [] for stage in site.stages}
    for entry in sorted(entries, key=lambda entry: entry.name):
        for held in entry.held:
            value = {"name": entry.name, "kind": entry.kind, **held._asdict()}
            del value["stage"]
            value["url"] = "../" + addresses.within(addresses.stage_of(entry.name, held.stage))
            by_stage.setdefault(held.stage, []).append(value)
    for stage, holders in by_stage.items():
        path = addresses.stage(stage)
        yield document(path, "stage", {"stage": stage, "entries": holders})


def events(found: Sequence[Event]) -> Document:
    """Return the latest events, the newest first, as `history --json` tells them."""
    values = [
        {
            "seq": event.seq,
            "time": event.time,
            "actor": event.by,
            "entry": event.entry or None,
            "event": event.event,
            "version": event.version,
            "detail": event.detail,
            "url": addresses.within(addresses.entry(event.entry)) if event.entry else None,
            "page": "../../" + paths.commit_link(event.seq),
        }
        for event in found
    ]
    return document(addresses.EVENTS, "events", {"events": values})


def policy(digest: str, stored: Mapping[str, Any], changes: Sequence[PolicyChange]) -> Document:
    """Return the policy in force, as `policy show --json` tells it, and the newest changes.

    Args:
        digest: its digest.
        stored: what is stored of it, as published.
        changes: the policies that were applied, the newest first.
    """
    value = {
        "digest": digest,
        "policy": stored["policy"],
        "files": stored["files"],
        "yaml": stored["yaml"],
        "changes": [
            {
                "seq": change.seq,
                "time": change.time,
                "by": change.by,
                "digest": change.digest,
                "reason": change.reason,
            }
            for change in changes
        ],
        "links": {"page": "../../gates.html"},
    }
    return document(addresses.POLICY, "policy", value)


def drills(found: Sequence[tuple[str, Drill]]) -> Document:
    """Return the newest drills with the entries that they are of."""
    newest = sorted(found, key=lambda item: item[1].seq, reverse=True)[:MAX_DRILLS]
    value = {
        "drills_total": len(found),
        "drills": [_drill(name, drill) for name, drill in newest],
        "links": {"page": "../../drills.html"},
    }
    return document(addresses.DRILLS, "drills", value)


def _drill(name: str, drill: Drill) -> Json:
    return {
        "seq": drill.seq,
        "time": drill.time,
        "by": drill.by,
        "name": name,
        "stage": drill.stage,
        "from_version": drill.from_version,
        "to_version": drill.to_version,
        "ok": drill.ok,
        "duration_s": drill.duration_s,
        "smoke": drill.smoke,
        "detail": drill.detail,
        "due": drill.due or None,
        "url": addresses.within(addresses.entry(name)),
    }


def schemas() -> Iterator[Document]:
    """Yield the schema of each kind of document."""
    for path in sorted(SCHEMAS.glob("*.json")):
        yield addresses.schema(path.stem), path.read_bytes()
