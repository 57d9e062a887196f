"""The home page, the lists by kind, drills, search: pages that are made of all summaries."""

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Any, NamedTuple

from regista.site.listing import Attention, EntrySummary, Site
from regista.site.model import Drill, Event
from regista.site.pages.entry import Page, script
from regista.site.pages.navigation import KIND_PAGES, pager
from regista.site.render import Renderer

HOME_ENTRIES = 200
HOME_ATTENTION = 12
ENTRIES_A_PAGE = 500
MAX_DRILLS = 500
_HEADINGS = {"model": "Models", "prompt": "Prompts", "dataset": "Datasets", "bundle": "Bundles"}
# datasets are seldom staged; their own list has them
_ON_HOME = ("model", "prompt", "bundle")


class Group(NamedTuple):
    """Entries of one kind on the home page."""

    id: str
    title: str
    noun: str
    list: str
    stages: tuple[str, ...]
    entries: Sequence[EntrySummary]
    total: int
    more: bool


def home(
    renderer: Renderer, site: Site, entries: Sequence[EntrySummary], events: Sequence[Event]
) -> Page:
    """Return the first page: what is in the last stage, what needs a look, what happened."""
    attention = _sorted_attention(entries)
    in_final = sum(_holds(entry, site.final_stage) for entry in entries)
    page = renderer.page(
        "registry/home.html",
        "index.html",
        here="index.html",
        site=site,
        total=len(entries),
        in_final=in_final,
        attention=attention[:HOME_ATTENTION],
        attention_total=len(attention),
        groups=_groups(site, entries),
        events=events,
    )
    return "index.html", page


def _groups(site: Site, entries: Sequence[EntrySummary]) -> list[Group]:
    groups = []
    without = {site.on_register, site.final_stage}
    stages = tuple(stage for stage in site.stages if stage not in without)
    for kind in _ON_HOME:
        mine = [entry for entry in entries if entry.kind == kind]
        if not mine:
            continue
        # what is in production first, then what changed last
        mine.sort(key=lambda entry: entry.updated_seq, reverse=True)
        mine.sort(key=lambda entry: not _holds(entry, site.final_stage))
        shown = sorted(mine[:HOME_ENTRIES], key=lambda entry: entry.name)
        groups.append(
            Group(
                id=f"{kind}s",
                title=_HEADINGS[kind],
                noun=kind,
                list=f"{KIND_PAGES[kind]}.html",
                stages=stages,
                entries=shown,
                total=len(mine),
                more=len(mine) > len(shown),
            )
        )
    return groups


def _holds(entry: EntrySummary, stage: str) -> bool:
    slot = entry.slot(stage)
    return slot is not None and slot.version is not None


def _sorted_attention(entries: Sequence[EntrySummary]) -> list[Attention]:
    items = [(entry.updated_seq, item) for entry in entries for item in entry.attention]
    items.sort(key=lambda pair: (pair[1].level != "bad", -pair[0], pair[1].entry, pair[1].text))
    return [item for _seq, item in items]


def kind_lists(renderer: Renderer, site: Site, entries: Sequence[EntrySummary]) -> Iterator[Page]:
    """Yield the lists of entries by kind, in pages."""
    for kind, name in KIND_PAGES.items():
        mine = sorted((e for e in entries if e.kind == kind), key=lambda entry: entry.name)
        parts = [mine[i : i + ENTRIES_A_PAGE] for i in range(0, len(mine), ENTRIES_A_PAGE)] or [[]]
        paths = [_part(name, number) for number in range(1, len(parts) + 1)]
        links = [
            (f"{part[0].name[:24]} …" if part else "", path)
            for part, path in zip(parts, paths, strict=True)
        ]
        for number, (part, path) in enumerate(zip(parts, paths, strict=True)):
            page = renderer.page(
                "registry/kind.html",
                path,
                here=f"{name}.html",
                site=site,
                heading=_HEADINGS[kind],
                total=len(mine),
                entries=part,
                pages=pager(links, number),
            )
            yield path, page


def _part(name: str, number: int) -> str:
    return f"{name}.html" if number == 1 else f"{name}-{number}.html"


class EntryDrill(NamedTuple):
    """A drill, and of which entry."""

    entry: str
    drill: Drill


def drills(
    renderer: Renderer, site: Site, entries: Sequence[EntrySummary], found: Sequence[EntryDrill]
) -> Page:
    """Return the page of drills: who is ready to go back, and every rehearsal."""
    slots = [
        {
            "entry": entry.name,
            "slot": slot,
            "command": f"regista drill {quote(entry.name)} --stage {site.final_stage}",
        }
        for entry in sorted(entries, key=lambda entry: entry.name)
        if (slot := entry.slot(site.final_stage)) and slot.version is not None
    ]
    newest = sorted(found, key=lambda item: item.drill.seq, reverse=True)[:MAX_DRILLS]
    page = renderer.page(
        "registry/drills.html",
        "drills.html",
        here="drills.html",
        site=site,
        slots=slots,
        drills=newest,
        more=len(found) > len(newest),
    )
    return "drills.html", page


def search(renderer: Renderer, site: Site, entries: Sequence[EntrySummary]) -> Iterator[Page]:
    """Yield the search page, and what it searches, as a classic script."""
    lists = [{"title": _HEADINGS[kind], "path": f"{KIND_PAGES[kind]}.html"} for kind in KIND_PAGES]
    yield (
        "search.html",
        renderer.page(
            "registry/search.html", "search.html", here="search.html", site=site, lists=lists
        ),
    )
    rows: list[list[Any]] = []
    for entry in sorted(entries, key=lambda entry: entry.name):
        slot = entry.slot(site.final_stage)
        held = slot.version if slot else None
        words = " ".join(entry.search)
        rows.append([entry.name, entry.kind, entry.page, held, entry.newest, words])
    yield "search-data.js", script("registaSearch", {"stage": site.final_stage, "entries": rows})
