"""Building a site: the one way, for the command line, `site serve` and the MkDocs plugin.

A build reads the published tables of one commit, makes the facts of each entry, and renders an
entry's pages unless its rows, the templates and the options are those of the build before. What
concerns all entries is rendered each time, from small summaries; equal files are not written.
"""

import tempfile
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Protocol

from regista.decide.policy import Policy
from regista.model import canonical
from regista.model.canonical import sha256_hex
from regista.read.world import load_bundle
from regista.site.api.records import Listed
from regista.site.beside import beside_lists
from regista.site.collecting import fewer_collections
from regista.site.entries import Brief, EntryMaker, Told
from regista.site.listing import EntrySummary, Site
from regista.site.lost import lost
from regista.site.output.sinks import Sink
from regista.site.pages.gates import gates
from regista.site.pages.lists import EntryDrill, drills, home, kind_lists, search
from regista.site.pages.log_pages import as_of as as_of_pages
from regista.site.pages.log_pages import audit
from regista.site.pages.navigation import bar_of
from regista.site.pages.sql_console import console, parquet_script
from regista.site.planning import Plan
from regista.site.published import PublishedTables, Rows, packed, published
from regista.site.records import event_of
from regista.site.templates import shipped_templates
from regista.site.workers import Workers

# what the folder of templates holds for browsers
ASSETS = ("css", "js", "img", "vendor")
LISTS, LOG, DATA = "lists", "log", "data"
Task = Callable[[], None]


class Progress(Protocol):
    """Told of steps done."""

    def start(self, total: int) -> None: ...  # noqa: D102 - how many there are
    def advance(self, count: int) -> None: ...  # noqa: D102 - so many are done


def build(
    plan: Plan, sink: Sink, progress: Progress | None = None, others: Iterable[Task] = ()
) -> None:
    """Make every page of a site.

    Args:
        plan: what it is made from.
        sink: where its files go.
        progress: told of every entry.
        others: make what more the site has; done when there is time for it.

    Raises:
        NotFoundError: the registry has no policy yet.
        IntegrityError: a file of the registry is missing or damaged.
        StorageError: it cannot be read, or there is no room.
        InvalidInputError: a template of the owner's is malformed.
    """
    folder: AbstractContextManager[str] = tempfile.TemporaryDirectory(prefix="regista-site-")
    with (
        fewer_collections(),
        folder as name,
        published(plan.reads, plan.options, plan.state.seq, Path(name)) as tables,
    ):
        _Build(plan, sink, tables).run(progress, others)


class _Build:
    """One build in progress."""

    def __init__(self, plan: Plan, sink: Sink, tables: PublishedTables) -> None:
        self.plan, self.sink, self.tables = plan, sink, tables
        policy = load_bundle(plan.reads.replica.store, plan.state.policy_digest).policy
        self.site = _site(plan, policy)
        self.policy = _published_policy(plan, policy, tables)
        names = dict(tables.query("SELECT entry_id, entry FROM entries"))
        self.brief = Brief(
            plan.reads.replica.store.uri, plan.options, self.policy, self.site, names, plan.docs,
            str(tables.folder),
        )  # fmt: skip
        self.renderer = self.brief.renderer()
        self.shared = canonical.digest(plan.shared)
        self.summaries: list[EntrySummary] = []
        self.drills: list[EntryDrill] = []
        self.listed: list[Listed] = []

    def run(self, progress: Progress | None, others: Iterable[Task]) -> None:
        self._assets()
        log = partial(self._unless_kept, LOG, self._log)
        data = partial(self._unless_kept, DATA, self._data)
        # they do not follow from the entries, so they may be done while workers start
        tasks: deque[Task] = deque([log, data, *others])
        with Workers(self.brief, self.sink) as workers:
            for told in self._entries(workers, tasks, progress):
                self.summaries.append(told.summary)
                self.listed.append(told.listed)
                self.drills += told.drills
            self._unless_kept(LISTS, self._lists)

    def _unless_kept(self, group: str, make: Task) -> None:
        # kept where only a file of another group is gone, or the prose has changed
        if not self.sink.keep(group, canonical.digest(self.plan.inputs)):
            make()

    def _entries(
        self, workers: Workers, tasks: deque[Task], progress: Progress | None
    ) -> list[Told]:
        """Write the files of all entries; return what lists keep of each, in the order of ids."""
        maker = EntryMaker(self.brief, self.plan.reads.replica.store)
        rendered, left = 0, self.tables.counts["versions"]
        if progress:
            progress.start(len(self.brief.names))
        for index, rows in enumerate(self.tables.entries()):
            versions = len(rows["versions"])
            group, data = f"entry/{rows['entries'][0].entry_id}", packed(rows)
            kept = self.sink.keep(group, self._fingerprint(rows, data))
            if kept:
                workers.told[index] = maker.told(rows)
            elif workers.take_part(rendered, left, versions):
                workers.give(index, group, versions, data)
            else:
                record, workers.told[index] = maker.record(rows)
                self._write(group, maker.files(record))
                rendered += versions
            left -= versions
            while tasks and workers.are_starting:
                tasks.popleft()()
            if progress:
                progress.advance(1)
        for task in tasks:
            task()
        workers.finish()
        return [told for _index, told in sorted(workers.told.items())]

    def _fingerprint(self, rows: Rows, data: bytes) -> str:
        """Return a digest of all that an entry's pages follow from: its rows, and more."""
        targets = {row.target_entry_id for row in rows["lineage"]}
        targets |= {row.dataset_entry_id for row in rows["eval_runs"]}
        names = self.brief.names
        named = sorted((id_, names[id_]) for id_ in targets if id_ in names)
        return sha256_hex(f"{self.shared} {named} {sha256_hex(data)}".encode())

    def _write(self, group: str, pages: Iterable[tuple[str, bytes]]) -> None:
        for path, data in pages:
            self.sink.write(group, path, data)

    def _assets(self) -> None:
        folders = (shipped_templates(), self.plan.options.templates)
        found: dict[str, Path] = {}
        for folder in filter(None, folders):
            for kind in ASSETS:
                for path in sorted((folder / kind).rglob("*")):
                    # what is told to people who change them is no part of a site
                    if path.is_file() and path.suffix != ".md":
                        found[path.relative_to(folder).as_posix()] = path
        if not self.sink.keep("assets", self.plan.shared["templates"]):
            for name, path in found.items():
                self.sink.write("assets", name, path)

    def _lists(self) -> None:
        renderer, site = self.renderer, self.site
        events = [event_of(row) for row in self.tables.rows("latest_events")]
        self._write(LISTS, [home(renderer, site, self.summaries, events)])
        self._write(LISTS, kind_lists(renderer, site, self.summaries))
        self._write(LISTS, [drills(renderer, site, self.summaries, self.drills)])
        self._write(LISTS, [gates(renderer, site, self.tables, self.policy)])
        self._write(LISTS, search(renderer, site, self.summaries))
        self._write(LISTS, [lost(renderer, site, self.plan.options)])
        bar = bar_of(self.plan.options, self.plan.docs)
        pages = [*(item.path for item in bar), "bundles.html"]
        beside = beside_lists(
            site,
            self.tables,
            self.plan.state.policy_digest,
            entries=self.listed,
            drills=self.drills,
            pages=pages,
        )
        self._write(LISTS, beside)

    def _log(self) -> None:
        self._write(LOG, audit(self.renderer, self.site, self.tables))
        self._write(LOG, as_of_pages(self.renderer, self.site, self.tables))

    def _data(self) -> None:
        if not self.plan.options.publishes("data"):
            return
        self._write(DATA, [console(self.renderer, self.site, self.tables)])
        for table in self.tables.counts:
            file = self.tables.file(table)
            self.sink.write(DATA, f"data/{table}.parquet", file)
            if script := parquet_script(table, file):
                self.sink.write(DATA, f"data/{table}.parquet.js", script)


def _published_policy(plan: Plan, policy: Policy, tables: PublishedTables) -> Policy:
    """Return the policy without what is kept back, as the names in the tables are without it."""
    stored = tables.texts.policy(plan.state.policy_digest)
    return policy if stored is None else Policy.from_json(stored["policy"], stored["files"])


def _site(plan: Plan, policy: Policy) -> Site:
    state = plan.state
    return Site(
        title=plan.options.title,
        base_url=plan.options.base_url,
        registry=state.registry,
        seq=state.seq,
        head=state.digest,
        time=state.time,
        stages=policy.all_stages,
        on_register=policy.on_register,
        final_stage=policy.stages[-1],
        verified=plan.verified,
        publish=plan.options.publish,
    )
