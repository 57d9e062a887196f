"""Merging and rebuilding: rows stay what they were, at every moment and whoever else is at work."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fakes.faulty_store import FaultyStore, KilledError
from regista.errors import IntegrityError
from regista.model.tables import TABLES
from regista.read import duck
from regista.storage import cover
from regista.storage.cover import COMMITS, Span, TableFile, schema_key
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.storage.tablefiles import list_spans, take_snapshot
from regista.write.merging import merge_ready, rebuild_tables, remove_superseded
from regista.write.parquet import row_group_size
from regista.write.tabling import table_commit, table_pending, write_span
from support.commit_samples import SampleLog
from support.table_checks import a_log, assert_tables_are_the_log, data_ref, stored_rows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@pytest.fixture(autouse=True)
def _small_merges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cover, "FANOUT", 4)


@pytest.fixture(scope="module")
def con() -> Iterator["DuckDBPyConnection"]:
    with duck.connect() as connection:
        yield connection


class RacingStore(FaultyStore):
    """Lets something happen right before a file is asked for locally."""

    def __init__(self, inner: Store, race: Callable[[], object], *, at: int) -> None:
        super().__init__(inner)
        self._race = race
        self._at = at

    def local_path(self, key: str, **how: Any) -> Path | None:
        self._at -= 1
        if self._at == 0:
            self._race()
        return super().local_path(key, **how)


def singles(store: Store, con: "DuckDBPyConnection", log: SampleLog) -> None:
    for commit in log.commits:
        table_commit(store, con, commit, log.digest(commit.seq))


def test_merges_leave_the_rows_and_remove_the_short_files(con: "DuckDBPyConnection") -> None:
    store, log = MemoryStore("merge"), a_log(10)
    singles(store, con, log)
    assert merge_ready(store, con) == [Span(1, 4), Span(5, 8)]
    assert list_spans(store, COMMITS) == {Span(1, 4), Span(5, 8), Span(9, 9), Span(10, 10)}
    assert list_spans(store, "entries") == {Span(1, 4)}
    assert_tables_are_the_log(store, log)
    assert merge_ready(store, con) == []


def test_a_complete_longer_span_is_merged_at_once_from_what_is_there(
    con: "DuckDBPyConnection",
) -> None:
    store, log = MemoryStore("levels"), a_log(17)
    table_pending(store, con, log.read, 6)
    for seq in range(7, 18):
        table_commit(store, con, log.commits[seq - 1], log.digest(seq))
    assert merge_ready(store, con) == [Span(1, 16)]
    assert list_spans(store, COMMITS) == {Span(1, 16), Span(17, 17)}
    assert_tables_are_the_log(store, log)


def test_merged_files_are_in_the_order_of_their_table(
    tmp_path: Path, con: "DuckDBPyConnection"
) -> None:
    store, log = LocalStore(tmp_path), a_log(8)
    singles(store, con, log)
    merge_ready(store, con)
    for name in ("eval_scores", "versions", "placements", COMMITS):
        path = store.local_path(TableFile(name, Span(5, 8)).key)
        assert path
        order = ", ".join(f'"{column}"' for column in TABLES[name].order)
        found = con.sql(f"FROM {duck.parquet(path)}").fetchall()
        assert found == con.sql(f"FROM {duck.parquet(path)} ORDER BY {order}").fetchall()


def test_a_kill_at_any_write_of_a_merge_loses_and_doubles_no_row(
    con: "DuckDBPyConnection",
) -> None:
    log, kill_at = a_log(4), 0
    while True:
        store = MemoryStore(f"kill-merge-{kill_at}")
        singles(store, con, log)
        try:
            merge_ready(FaultyStore(store, kill_at=kill_at), con)
        except KilledError:
            assert_tables_are_the_log(store, log)
            kill_at += 1
        else:
            break
    assert kill_at > 15
    assert_tables_are_the_log(store, log)
    assert list_spans(store, "versions") == {Span(1, 4)}


def test_a_later_merge_removes_what_a_killed_one_left(con: "DuckDBPyConnection") -> None:
    store, log = MemoryStore("left"), a_log(4)
    singles(store, con, log)
    merge_ready(store, con)
    late = log.commits[2]
    for table in ("versions", COMMITS):
        store.put(TableFile(table, Span(3, 3)).key, _single_file(con, log, table, late.seq))
    assert merge_ready(store, con) == []
    assert list_spans(store, "versions") == {Span(1, 4)}
    assert remove_superseded(store) == 0


def _single_file(con: "DuckDBPyConnection", log: SampleLog, table: str, seq: int) -> bytes:
    other = MemoryStore("other")
    table_commit(other, con, log.commits[seq - 1], log.digest(seq))
    data = other.get(TableFile(table, Span(seq, seq)).key)
    assert data
    return data


@pytest.mark.parametrize("moment", range(1, 40, 3))
def test_two_merges_at_once_do_each_other_no_harm(con: "DuckDBPyConnection", moment: int) -> None:
    store, log = MemoryStore(f"race-{moment}"), a_log(8)
    singles(store, con, log)
    with duck.connect() as other:
        racing = RacingStore(store, lambda: merge_ready(store, other), at=moment)
        merge_ready(racing, con)
    assert list_spans(store, COMMITS) == {Span(1, 4), Span(5, 8)}
    assert_tables_are_the_log(store, log)


@pytest.mark.parametrize("moment", range(1, 12))
def test_a_merge_while_an_earlier_commit_is_tabled_again_is_right(
    con: "DuckDBPyConnection", moment: int
) -> None:
    store, log = MemoryStore(f"slow-{moment}"), a_log(4)
    singles(store, con, log)
    with duck.connect() as other:
        racing = RacingStore(store, lambda: merge_ready(store, other), at=moment)
        table_commit(racing, con, log.commits[1], log.digest(2))
        merge_ready(store, other)
    assert list_spans(store, "versions") == {Span(1, 4)}
    assert_tables_are_the_log(store, log)


def test_a_merge_that_would_lose_rows_is_refused(con: "DuckDBPyConnection") -> None:
    store, log = MemoryStore("lost"), a_log(4)
    singles(store, con, log)
    store.delete(TableFile("versions", Span(3, 3)).key)
    with pytest.raises(IntegrityError, match=r"versions has 3 rows of commits 1 to 4.*announces 4"):
        merge_ready(store, con)
    assert list_spans(store, "versions") == {Span(1, 1), Span(2, 2), Span(4, 4)}
    assert Span(1, 4) not in list_spans(store, COMMITS)


def test_a_damaged_file_stops_a_merge_with_its_name(con: "DuckDBPyConnection") -> None:
    store, log = MemoryStore("damaged"), a_log(4)
    singles(store, con, log)
    store.put(TableFile("versions", Span(3, 3)).key, b"PAR1 is not all that it takes")
    with pytest.raises(IntegrityError, match="cannot merge the tables of commits 1 to 4") as raised:
        merge_ready(store, con)
    assert "000000000003-000000000003.parquet" in raised.value.message
    assert raised.value.hint == "regista rebuild"


def test_the_only_file_of_a_span_is_copied_as_it_is(con: "DuckDBPyConnection") -> None:
    store = MemoryStore("bulk")
    ref = data_ref(
        store,
        "entries",
        "SELECT 'e2-' || k AS entry_id, 'n' || k AS entry FROM range(100) t(k)",
        i=0,
        kind="model",
    )
    log = SampleLog()
    log.add()
    log.add(data=(ref,))
    log.add()
    log.add()
    singles(store, con, log)
    before = store.get(TableFile("entries", Span(2, 2)).key)
    merge_ready(store, con)
    assert store.get(TableFile("entries", Span(1, 4)).key) == before
    assert len(stored_rows(store, "entries")) == 100


def rebuilt(store: Store, con: "DuckDBPyConnection", log: SampleLog) -> int:
    return rebuild_tables(store, con, log.read, lambda: log.head)


def test_a_rebuild_writes_the_same_rows_in_few_files(con: "DuckDBPyConnection") -> None:
    store, log = MemoryStore("rebuild"), a_log(10)
    singles(store, con, log)
    assert rebuilt(store, con, log) == 10
    assert list_spans(store, COMMITS) == {Span(1, 4), Span(5, 8), Span(9, 10)}
    assert_tables_are_the_log(store, log)


def test_a_rebuild_from_nothing_makes_all_tables(con: "DuckDBPyConnection") -> None:
    store, log = MemoryStore("nothing"), a_log(5)
    rebuilt(store, con, log)
    assert_tables_are_the_log(store, log)
    assert all(store.size(schema_key(table)) for table in TABLES)


def test_a_rebuild_mends_whatever_became_of_the_tables(con: "DuckDBPyConnection") -> None:
    store, log = MemoryStore("mend"), a_log(10)
    singles(store, con, log)
    merge_ready(store, con)
    wrong = store.get(TableFile("versions", Span(9, 9)).key)
    assert wrong
    for key in (
        TableFile("versions", Span(1, 4)).key,
        TableFile(COMMITS, Span(5, 8)).key,
        schema_key("versions"),
        schema_key("placements"),
    ):
        store.put(key, b"rubbish")
    for key in (
        # a table without rows there, commits that the log has not, names that are no spans
        TableFile("waivers", Span(5, 8)).key,
        TableFile("versions", Span(11, 11)).key,
        TableFile("versions", Span(1, 16)).key,
        "tables/versions/copy.parquet",
        TableFile("versions", Span(10, 10)).key,
        "tables/versions/000000000002-000000000003.parquet",
    ):
        store.put(key, wrong)
    store.delete(TableFile("eval_runs", Span(5, 8)).key)
    rebuilt(store, con, log)
    assert_tables_are_the_log(store, log)
    for table in TABLES:
        keys = set(store.list_after(f"tables/{table}/"))
        chosen = {file.key for file in take_snapshot(store).files[table]}
        assert keys == chosen | {schema_key(table)}


def test_a_kill_at_any_write_of_a_rebuild_leaves_right_tables_right(
    con: "DuckDBPyConnection",
) -> None:
    log, kill_at = a_log(4), 0
    while True:
        store = MemoryStore(f"kill-rebuild-{kill_at}")
        singles(store, con, log)
        try:
            rebuilt(FaultyStore(store, kill_at=kill_at), con, log)
        except KilledError:
            assert_tables_are_the_log(store, log)
            kill_at += 4
        else:
            break
    assert kill_at > 20


def test_commits_that_arrive_during_a_rebuild_are_in_the_tables(
    con: "DuckDBPyConnection",
) -> None:
    log = a_log(8)
    store = MemoryStore("grows")
    for commit in log.commits[:3]:
        table_commit(store, con, commit, log.digest(commit.seq))
    store.put(TableFile("versions", Span(2, 2)).key, _single_file(con, log, "versions", 3))

    def others_go_on() -> None:
        with duck.connect() as other:
            table_pending(store, other, log.read, 8)
            merge_ready(store, other)

    # the other writer merges the wrong file into a longer one, which the rebuild then writes anew
    heads = iter([3, 8, 8, 8])
    racing = RacingStore(store, others_go_on, at=1)
    rebuild_tables(racing, con, log.read, lambda: next(heads))
    assert_tables_are_the_log(store, log)
    assert list_spans(store, COMMITS) == {Span(1, 4), Span(5, 8)}


def test_a_block_written_from_the_log_is_the_block_merged_from_files(
    con: "DuckDBPyConnection",
) -> None:
    log = a_log(4)
    one, other = MemoryStore("written"), MemoryStore("merged")
    write_span(one, con, Span(1, 4), log.read)
    singles(other, con, log)
    merge_ready(other, con)
    for table in TABLES:
        key = TableFile(table, Span(1, 4)).key
        paths = [one.local_path(key), other.local_path(key)]
        if paths != [None, None]:
            written, merged = (
                con.sql(f"FROM {duck.parquet(path)}").fetchall() for path in paths if path
            )
            assert written == merged


@pytest.mark.parametrize(
    ("rows", "size"),
    [
        (0, 8192),
        (1000, 8192),
        (100_000, 8192),
        (1_000_000, 32_768),
        (10_000_000, 65_536),
        (10**9, 131_072),
    ],
)
def test_row_groups_grow_with_the_file(rows: int, size: int) -> None:
    assert row_group_size(rows) == size
