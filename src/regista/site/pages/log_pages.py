"""The audit log, and the stages as of a date: pages that grow with the log and then stay.

A page of the audit log holds commits (k-1)*200+1 to k*200, and a page of `as-of` one month, so
what is past is never written again.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from regista.model import canonical
from regista.read.past import stored_time
from regista.site import paths
from regista.site.listing import Site
from regista.site.model import Event
from regista.site.pages.entry import Page, script
from regista.site.pages.navigation import pager
from regista.site.published import PublishedTables
from regista.site.records import event_of
from regista.site.render import Renderer

EVENTS_A_COMMIT = 50
ROWS_A_PART = 1_000
MAX_HOLDS = 100_000
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


class Commit(NamedTuple):
    """A commit, as the audit log shows it. `more`: events that are left out."""

    seq: int
    time: str
    by: str
    ops: str
    sha256: str
    events: tuple[Event, ...]
    more: int


def audit(renderer: Renderer, site: Site, published: PublishedTables) -> Iterator[Page]:
    """Yield the pages of the audit log; the newest is also `audit/index.html`."""
    size = paths.COMMITS_A_PAGE
    count = -(-site.seq // size)
    links = [
        (f"{k * size + 1} to {min((k + 1) * size, site.seq)}", f"audit/{k + 1}.html")
        for k in range(count)
    ]
    for number, commits in _audit_parts(published):
        # only the newest page may show where the log ends, or all would change with each commit
        shown = [(text if k == number else f"{k * size + 1} to {(k + 1) * size}", path)
                 for k, (text, path) in enumerate(links[: number + 2])]  # fmt: skip
        values: dict[str, Any] = {
            "site": site,
            "here": "audit/index.html",
            "first": commits[-1].seq,
            "last": commits[0].seq,
            "commits": commits,
            "kinds": sorted({event.event for commit in commits for event in commit.events}),
        }
        path = f"audit/{number + 1}.html"
        values["pager"] = pager(shown, number)
        yield path, renderer.page("registry/audit.html", path, newest=False, **values)
        if number == count - 1:
            path = "audit/index.html"
            values["pager"] = pager(links, number)
            yield path, renderer.page("registry/audit.html", path, newest=True, **values)


def _audit_parts(published: PublishedTables) -> Iterator[tuple[int, list[Commit]]]:
    events = groupby(published.rows("events_by_seq"), key=lambda row: row.seq)
    ahead = next(events, None)
    made: list[Commit] = []
    number = 0
    for row in published.rows("commits"):
        mine: tuple[Event, ...] = ()
        more = 0
        if ahead and ahead[0] == row.seq:
            found = [event_of(event) for event in ahead[1]]
            mine, more = tuple(found[:EVENTS_A_COMMIT]), len(found[EVENTS_A_COMMIT:])
            ahead = next(events, None)
        if (row.seq - 1) // paths.COMMITS_A_PAGE != number:
            yield number, made[::-1]
            made, number = [], (row.seq - 1) // paths.COMMITS_A_PAGE
        ops = ", ".join(canonical.decode(row.ops))
        made.append(Commit(row.seq, stored_time(row.time), row.actor, ops, row.sha256, mine, more))
    if made:
        yield number, made[::-1]


class Month(NamedTuple):
    """A month with placements."""

    key: str
    title: str
    changes: int


class Change(NamedTuple):
    """One placement."""

    time: str
    entry: str
    stage: str
    before: int | None
    after: int | None
    action: str
    by: str
    reason: str
    seq: int


class Held(NamedTuple):
    """What a stage held at the beginning of a month."""

    entry: str
    stage: str
    version: int
    since: str
    by: str


def as_of(renderer: Renderer, site: Site, published: PublishedTables) -> Iterator[Page]:
    """Yield the pages that tell what each stage held in the past."""
    held: dict[tuple[str, str], Held] = {}
    months = []
    holds: list[list[Any]] = []
    changes = (_change(row) for row in published.rows("placements_by_seq"))
    for key, group in groupby(changes, key=lambda change: change.time[:7]):
        mine = list(group)
        month = Month(key, _month_title(key), len(mine))
        months.append(month)
        yield from _month_pages(renderer, site, month, list(held.values()), mine)
        for change in mine:
            holds.append(
                [change.entry, change.stage, change.after, change.time, change.by, change.action]
            )
            _apply(held, change)
    yield "as-of/index.html", renderer.page(
        "registry/as_of.html", "as-of/index.html", here="as-of/index.html", site=site,
        months=months[::-1],
    )  # fmt: skip
    if holds:
        # a moment needs the newest placements before it: those kept are the newest
        data = {"folder": "entries/", "placements": _coded(holds[-MAX_HOLDS:])}
        yield "as-of/data.js", script("registaAsOf", data)


def _coded(holds: Iterable[list[Any]]) -> list[list[Any]]:
    return [[*hold, paths.encode(hold[0])] for hold in holds]


def _change(row: Any) -> Change:  # noqa: ANN401 - a row of placements
    return Change(
        stored_time(row.time), row.entry, row.stage, row.from_version, row.to_version, row.action,
        row.actor, row.reason or "", row.seq,
    )  # fmt: skip


def _apply(held: dict[tuple[str, str], Held], change: Change) -> None:
    key = change.entry, change.stage
    if change.after is None:
        held.pop(key, None)
    else:
        held[key] = Held(change.entry, change.stage, change.after, change.time, change.by)


def _month_title(key: str) -> str:
    moment = datetime.fromisoformat(f"{key}-01")
    return f"{_MONTHS[moment.month - 1]} {moment.year}"


def _month_pages(
    renderer: Renderer, site: Site, month: Month, held: Sequence[Held], changes: Sequence[Change]
) -> Iterator[Page]:
    held = sorted(held, key=lambda item: (item.entry, item.stage))
    rows: list[tuple[str, Any]] = [("held", item) for item in held]
    rows += [("change", item) for item in changes]
    parts = [rows[i : i + ROWS_A_PART] for i in range(0, len(rows), ROWS_A_PART)]
    names = [
        f"as-of/{month.key}.html" if number == 0 else f"as-of/{month.key}-{number + 1}.html"
        for number in range(len(parts))
    ]
    links = [(f"part {number}", name) for number, name in enumerate(names, 1)]
    for number, (part, path) in enumerate(zip(parts, names, strict=True)):
        yield (
            path,
            renderer.page(
                "registry/as_of_month.html",
                path,
                here="as-of/index.html",
                site=site,
                month=month,
                part=number + 1,
                pager=pager(links, number),
                held=[item for what, item in part if what == "held"],
                changes=[item for what, item in part if what == "change"],
            ),
        )
