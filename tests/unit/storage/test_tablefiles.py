"""Snapshots of the table files: consistent though a listing takes time and files come and go."""

from collections.abc import Callable, Iterator

import pytest

from fakes.faulty_store import FaultyStore
from regista.errors import ConflictError
from regista.storage.cover import COMMITS, FANOUT, Span, TableFile, schema_key
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.storage.tablefiles import list_all, list_spans, tables_covered_to, take_snapshot

WHOLE = Span(1, FANOUT)
SINGLES = [Span(seq, seq) for seq in range(1, FANOUT + 1)]


class SlowListing(FaultyStore):
    """Lists key by key, as an object store does page by page, while others go on working."""

    def __init__(self, inner: Store, between: Callable[[str], None]) -> None:
        super().__init__(inner)
        self._between = between

    def list_after(self, prefix: str, after: str = "") -> Iterator[str]:
        while (key := next(iter(self.inner.list_after(prefix, after)), None)) is not None:
            yield key
            self._between(key)
            after = key


def put(store: Store, table: str, *spans: Span) -> None:
    for span in spans:
        store.put(TableFile(table, span).key, b"rows")


def a_store(name: str) -> MemoryStore:
    store = MemoryStore(name)
    for table in ("aliases", COMMITS, "versions"):
        store.put(schema_key(table), b"schema")
        put(store, table, *SINGLES)
    return store


def merge(store: Store, table: str) -> None:
    put(store, table, WHOLE)
    for span in SINGLES:
        store.delete(TableFile(table, span).key)


def test_listings_hold_table_files_and_nothing_else() -> None:
    store = a_store("listing")
    store.put("tables/versions/1-1.parquet", b"stray")
    store.put("tables/unknown/000000000001-000000000001.parquet", b"another Regista's")
    assert list_spans(store, "versions") == set(SINGLES)
    assert {table for table, spans in list_all(store).items() if spans} == {
        "aliases",
        COMMITS,
        "versions",
    }
    assert tables_covered_to(store) == FANOUT


def test_a_snapshot_of_a_quiet_store_is_the_longest_files() -> None:
    store = a_store("quiet")
    put(store, "versions", WHOLE)
    put(store, "versions", Span(FANOUT + 1, FANOUT + 1))
    snapshot = take_snapshot(store)
    assert snapshot.covered_to == FANOUT
    assert [file.span for file in snapshot.files["versions"]] == [WHOLE]
    assert [file.span for file in snapshot.files["aliases"]] == SINGLES


@pytest.mark.parametrize("table", ["aliases", "versions"])
@pytest.mark.parametrize("at", [0, 1, 20, FANOUT - 1])
def test_a_merge_that_overtakes_a_listing_hides_no_commit(table: str, at: int) -> None:
    store = a_store(f"race-{table}-{at}")
    moment = TableFile(table, SINGLES[at]).key

    def between(key: str) -> None:
        if key == moment:
            merge(store, table)

    snapshot = take_snapshot(SlowListing(store, between))
    held = [
        seq for file in snapshot.files[table] for seq in range(file.span.first, file.span.last + 1)
    ]
    assert held == list(range(1, FANOUT + 1))


def test_commits_tabled_during_a_listing_are_not_covered_in_part() -> None:
    store = a_store("grows")
    new = Span(FANOUT + 1, FANOUT + 1)

    def between(key: str) -> None:
        # the writer is done between the listings of aliases and of commits
        if key == TableFile("aliases", SINGLES[-1]).key:
            put(store, "aliases", new)
            put(store, COMMITS, new)

    snapshot = take_snapshot(SlowListing(store, between))
    covered = {file.span for file in snapshot.files["aliases"]}
    assert (new in covered) == (snapshot.covered_to == new.last)


def test_files_that_never_come_to_rest_are_a_conflict() -> None:
    store = a_store("restless")
    lap = [0]

    def between(key: str) -> None:
        if key == TableFile("versions", SINGLES[0]).key:
            lap[0] += 1
            file = TableFile("versions", SINGLES[30]).key
            if lap[0] % 2:
                store.delete(file)
            else:
                store.put(file, b"rows")

    with pytest.raises(ConflictError):
        take_snapshot(SlowListing(store, between))
