"""All that a site has of one entry, from its published rows: what `building` and its workers do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from regista.decide.policy import Policy
from regista.site.api.records import Listed, Record, listed
from regista.site.beside import BesideEntries
from regista.site.facts import Knowledge, entry_facts, folded
from regista.site.listing import EntrySummary, Site
from regista.site.options import SiteOptions
from regista.site.pages.entry import EntryPages
from regista.site.pages.lists import EntryDrill
from regista.site.pages.navigation import BarItem, bar_of
from regista.site.pages.overview import summary_of
from regista.site.published import Rows
from regista.site.render import Renderer
from regista.site.texts import Texts
from regista.storage.opening import open_store
from regista.storage.store import Store

File = tuple[str, bytes]
# most rows, of which lists tell nothing
_ON_PAGES_ALONE = frozenset({"files", "lineage", "uses", "eval_runs", "eval_scores"})


@dataclass(frozen=True, slots=True)
class Brief:
    """What making any entry needs; it can be sent to another process.

    Attributes:
        store: URI of the registry.
        policy: the policy in force at the pinned commit.
        names: name of each entry by its id.
        docs: prose of the site.
        scratch: a folder of the build's own, where compiled templates are kept for all.
    """

    store: str
    options: SiteOptions
    policy: Policy
    site: Site
    names: Mapping[str, str]
    docs: tuple[BarItem, ...]
    scratch: str

    def renderer(self) -> Renderer:
        """Return a renderer of the site's pages."""
        options = self.options
        bar = bar_of(options, self.docs)
        return Renderer(options.templates, self.scratch, site_title=options.title, bar=bar)


class Told(NamedTuple):
    """What lists keep of an entry."""

    summary: EntrySummary
    listed: Listed
    drills: tuple[EntryDrill, ...]


class EntryMaker:
    """Makes the facts and the files of entries.

    Args:
        brief: what they are made with.
        store: the registry's; None to open it by its URI, as another process has to.
    """

    def __init__(self, brief: Brief, store: Store | None = None) -> None:
        self._site = brief.site
        texts = Texts(store or open_store(brief.store), brief.options)
        self._know = Knowledge(
            texts, brief.names, brief.policy, brief.site.final_stage, brief.options
        )
        self._pages = EntryPages(brief.renderer(), brief.site, texts)
        self._beside = BesideEntries(brief.site)

    def told(self, rows: Rows) -> Told:
        """Return what lists keep of the entry that some rows are of."""
        few = {table: [] if table in _ON_PAGES_ALONE else found for table, found in rows.items()}
        return self.record(few)[1]

    def record(self, rows: Rows) -> tuple[Record, Told]:
        """Return the facts of the entry that some rows are of, and what lists keep of them."""
        state = folded(rows)
        entry = entry_facts(self._know, rows, state)
        record = Record.of(entry, state, rows)
        summary = summary_of(entry, self._site.final_stage, self._site.time)
        drills = tuple(EntryDrill(entry.name, drill) for drill in entry.drills)
        return record, Told(summary, listed(record), drills)

    def files(self, record: Record) -> Iterator[File]:
        """Yield path and bytes of each file of an entry."""
        yield from self._pages.pages(record.entry)
        yield from self._beside.files(record)
