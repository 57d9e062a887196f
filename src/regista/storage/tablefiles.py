"""Which table files a store holds, as lists and as one consistent snapshot.

A listing is not atomic: while it runs, a merge may add a longer file behind it and remove the
shorter ones ahead of it, so that it sees neither. A snapshot is therefore taken from two
listings that agree. What is in the files is not known here.
"""

from dataclasses import dataclass

from regista.errors import ConflictError
from regista.model.tables import TABLES
from regista.storage.cover import COMMITS, Span, TableFile, choose_cover, covered_to
from regista.storage.store import Store

_MAX_LISTINGS = 20


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The table files to read at one moment.

    Attributes:
        covered_to: the tables hold all rows of the commits 1 to this one; 0 for none.
        files: by table, its files without overlap, in order. Rows beyond `covered_to` that a
            file may hold are to be left out: they are still being written.
    """

    covered_to: int
    files: dict[str, tuple[TableFile, ...]]


def list_spans(store: Store, table: str) -> set[Span]:
    """Return the spans of all files of one table."""
    keys = store.list_after(f"tables/{table}/")
    return {file.span for key in keys if (file := TableFile.parse(key))}


def list_all(store: Store) -> dict[str, set[Span]]:
    """Return the spans of all files of every table that this Regista knows."""
    spans: dict[str, set[Span]] = {table: set() for table in TABLES}
    for key in store.list_after("tables/"):
        file = TableFile.parse(key)
        if file and file.table in spans:
            spans[file.table].add(file.span)
    return spans


def tables_covered_to(store: Store) -> int:
    """Return the last commit up to which all rows are in the tables; 0 for none."""
    if store.memory():
        # where each question takes its time, one listing also tells the versions of what will be
        # asked for next
        return covered_to(list_all(store)[COMMITS])
    return covered_to(list_spans(store, COMMITS))


def take_snapshot(store: Store) -> Snapshot:
    """Return the files that hold the rows of every tabled commit exactly once.

    Raises:
        ConflictError: merges kept changing the files.
    """
    before = list_all(store)
    for _ in range(_MAX_LISTINGS):
        # coverage comes from the first listing: whatever it covers was in place before the
        # second began
        covered = covered_to(before[COMMITS])
        now = list_all(store)
        files = _covering(now, covered)
        if files == _covering(before, covered):
            return Snapshot(covered, files)
        before = now
    raise ConflictError("the table files kept changing while they were listed", hint="try again")


def _covering(spans: dict[str, set[Span]], covered: int) -> dict[str, tuple[TableFile, ...]]:
    return {
        table: tuple(
            TableFile(table, span) for span in choose_cover(found).chosen if span.first <= covered
        )
        for table, found in spans.items()
    }
