"""Tabling: the tables hold what the log says, whoever writes them and wherever one is killed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.faulty_store import FaultyStore, KilledError
from regista.errors import IntegrityError, NewerFormatError
from regista.model.commit import DataRef, Row
from regista.model.tables import TABLES, Table
from regista.read import duck
from regista.storage import cover
from regista.storage.cover import COMMITS, Span, TableFile, schema_key
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.storage.tablefiles import list_spans, tables_covered_to
from regista.write import schemas, tabling
from regista.write.parquet import schemas_of
from regista.write.schemas import ensure_schema_files, upgrade_schema
from regista.write.tabling import table_commit, table_pending, tabling_connection
from support.commit_samples import SampleLog, entry_row, run_rows, version_row
from support.table_checks import (
    a_log,
    assert_tables_are_the_log,
    data_ref,
    logged_rows,
    stored_rows,
)


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    # a folder whose name is a pattern and looks like a partition must not change what is read
    if request.param == "local":
        return LocalStore(tmp_path / "we[ir]d * a=b's" / "registry")
    return MemoryStore("test")


@pytest.fixture(scope="module")
def con() -> Iterator["duckdb.DuckDBPyConnection"]:
    with duck.connect() as connection:
        yield connection


def test_tables_hold_the_rows_of_the_log_typed_and_complete(
    store: Store, con: "duckdb.DuckDBPyConnection"
) -> None:
    log = a_log()
    for commit in log.commits:
        table_commit(store, con, commit, log.digest(commit.seq))
    assert_tables_are_the_log(store, log)


def test_a_commit_row_tells_how_many_rows_each_table_got(
    store: Store, con: "duckdb.DuckDBPyConnection"
) -> None:
    log = a_log(2)
    table_pending(store, con, log.read, log.head)
    counts = [json.loads(row["rows"]) for row in stored_rows(store, COMMITS)]
    assert counts == [
        {"entries": 1, "versions": 1},
        {"eval_runs": 1, "eval_scores": 4, "placements": 1, "versions": 1},
    ]
    assert [json.loads(row["ops"]) for row in stored_rows(store, COMMITS)] == [["test"], ["test"]]


def test_tabling_again_changes_nothing(store: Store, con: "duckdb.DuckDBPyConnection") -> None:
    log = a_log()
    assert table_pending(store, con, log.read, log.head) == log.head
    assert table_pending(store, con, log.read, log.head) == 0
    table_commit(store, con, log.commits[2], log.digest(3))
    assert_tables_are_the_log(store, log)


def test_earlier_commits_that_nobody_tabled_are_tabled_first(
    store: Store, con: "duckdb.DuckDBPyConnection"
) -> None:
    log = a_log(6)
    table_pending(store, con, log.read, 2)
    table_commit(store, con, log.commits[5], log.digest(6))
    assert tables_covered_to(store) == 2
    assert_tables_are_the_log(store, log, upto=2)
    table_pending(store, con, log.read, 6)
    assert_tables_are_the_log(store, log)


def test_a_long_backlog_becomes_long_files(
    store: Store, con: "duckdb.DuckDBPyConnection", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cover, "FANOUT", 4)
    log = a_log(27)
    table_pending(store, con, log.read, 2)
    table_pending(store, con, log.read, 27)
    assert sorted(list_spans(store, COMMITS)) == [
        Span(1, 2),
        Span(3, 4),
        Span(5, 8),
        Span(9, 12),
        Span(13, 16),
        Span(17, 20),
        Span(21, 24),
        Span(25, 26),
        Span(27, 27),
    ]
    assert_tables_are_the_log(store, log)


def test_rows_by_digest_get_their_constants_and_count_on_in_file_order(
    store: Store, con: "duckdb.DuckDBPyConnection"
) -> None:
    log = SampleLog()
    common = {"entry_id": "e1-0", "entry": "it's", "version": 3, "run_id": "r1-0", "suite": "s"}
    ref = data_ref(
        store,
        "eval_samples",
        i=2,
        **common,
        query="SELECT '' AS task, 'x' || (9 - k) AS sample_id, 'acc' AS metric,"
        " '0.5' AS value, k = 1 AS passed, 99 AS seq, 'evil' AS actor FROM range(3) t(k)",
    )
    log.add(entry_row("e1-0", "it's"), version_row("e1-0", "it's", 3), data=(ref,))
    table_commit(store, con, log.commits[0], log.digest(1))
    rows = stored_rows(store, "eval_samples")
    assert [(row["i"], row["sample_id"], row["passed"]) for row in rows] == [
        (2, "x9", False),
        (3, "x8", True),
        (4, "x7", False),
    ]
    for row in rows:
        assert row | common | {"seq": 1, "actor": "ann", "value": 0.5, "task": ""} == row


def test_inline_rows_and_rows_by_digest_of_one_table_are_one(
    store: Store, con: "duckdb.DuckDBPyConnection", monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SampleLog()
    query = "SELECT 'e1-' || (k + 1) AS entry_id, 'n' || k AS entry FROM range(30) t(k)"
    for seq in range(1, 5):
        ref = data_ref(store, "entries", query.replace("e1", f"e{seq}"), i=1, kind="model")
        log.add(entry_row(f"e{seq}-0", "first"), data=(ref,))
    expected = [(seq, i) for seq in range(1, 5) for i in range(31)]
    for limit in (20_000, 10):
        # with few rows kept in memory the same rows go through files
        monkeypatch.setattr(tabling, "MAX_STAGED_ROWS", limit)
        monkeypatch.setattr(tabling, "MAX_STAGED_QUERIES", limit)
        tabling.write_span(store, con, Span(1, 1), log.read)
        tabling.write_span(store, con, Span(1, 4), log.read)
        rows = stored_rows(store, "entries")
        assert [(row["seq"], row["i"]) for row in rows] == expected
        assert {row["kind"] for row in rows} == {"model"}
        monkeypatch.undo()


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.text(), min_size=1, max_size=5),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_text_and_any_number_comes_out_as_it_went_in(texts: list[str], number: float) -> None:
    rows: list[Row] = [
        {"table": "tags", "entry_id": "e1-0", "entry": text, "key": text, "value": text}
        for text in texts
    ]
    score = run_rows("e1-0", "n", 1, "r1-0", {"m": repr(number)})
    log = SampleLog()
    log.add(*rows, *score)
    store = MemoryStore("texts")
    with duck.connect() as con:
        table_commit(store, con, log.commits[0], log.digest(1))
    assert [row["value"] for row in stored_rows(store, "tags")] == texts
    assert [row["entry"] for row in stored_rows(store, "tags")] == texts
    assert {row["value"] for row in stored_rows(store, "eval_scores")} == {number}


def test_a_plain_glob_gives_all_rows_and_columns(
    tmp_path: Path, con: "duckdb.DuckDBPyConnection"
) -> None:
    store, log = LocalStore(tmp_path), a_log()
    ensure_schema_files(store, con)
    table_pending(store, con, log.read, log.head)
    for table in TABLES.values():
        found = con.sql(f"FROM '{tmp_path}/tables/{table.name}/*.parquet'")
        assert tuple(found.columns) == table.column_names
        assert [str(type_) for type_ in found.types] == [column.type for column in table.columns]
        if table.name != COMMITS:
            assert len(found.fetchall()) == len(logged_rows(log, table.name))


def test_a_kill_at_any_write_leaves_a_right_cover_and_the_next_writer_completes_it(
    con: "duckdb.DuckDBPyConnection",
) -> None:
    log = a_log(2)
    kill_at = 0
    while True:
        store = MemoryStore(f"kill-{kill_at}")
        try:
            table_pending(FaultyStore(store, kill_at=kill_at), con, log.read, log.head)
        except KilledError:
            assert_tables_are_the_log(store, log, upto=tables_covered_to(store))
            table_pending(store, con, log.read, log.head)
            assert_tables_are_the_log(store, log)
            kill_at += 1
        else:
            break
    assert kill_at > 8


def test_a_writer_that_was_slow_removes_files_that_a_longer_one_covers(
    store: Store, con: "duckdb.DuckDBPyConnection", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cover, "FANOUT", 4)
    log = a_log(4)
    table_pending(store, con, log.read, 4)
    table_commit(store, con, log.commits[3], log.digest(4))
    for table in TABLES:
        assert list_spans(store, table) <= {Span(1, 4)}
    assert_tables_are_the_log(store, log)


class Interrupted(FaultyStore):
    """Lets something happen right before one of its puts."""

    def __init__(self, inner: Store, race: Callable[[], object], *, at: int) -> None:
        super().__init__(inner)
        self._race = race
        self._at = at

    def put(self, key: str, source: bytes | Path) -> None:
        self._at -= 1
        if self._at == 0:
            self._race()
        super().put(key, source)


@pytest.mark.parametrize("moment", range(1, 20, 2))
@pytest.mark.parametrize(("ours", "theirs"), [(8, 6), (6, 8)])
def test_writers_that_table_more_or_fewer_commits_at_once_leave_each_row_once(
    con: "duckdb.DuckDBPyConnection", moment: int, ours: int, theirs: int
) -> None:
    store, log = MemoryStore("batches"), a_log(8)
    table_pending(store, con, log.read, 4)
    with duck.connect() as other:
        racing = Interrupted(
            store, lambda: table_pending(store, other, log.read, theirs), at=moment
        )
        table_pending(racing, con, log.read, ours)
    assert_tables_are_the_log(store, log, upto=tables_covered_to(store))
    assert tables_covered_to(store) == 8 if moment < 5 else tables_covered_to(store) >= ours
    for table in TABLES:
        assert cover.choose_cover(list_spans(store, table)).superseded == ()


def test_a_schema_file_that_was_right_is_read_and_not_parsed_again(
    con: "duckdb.DuckDBPyConnection", monkeypatch: pytest.MonkeyPatch
) -> None:
    store, log = MemoryStore("schemas"), a_log(3)
    known: dict[str, bytes] = {}
    parsed: list[Path] = []

    def parse(on: "duckdb.DuckDBPyConnection", paths: list[Path]) -> dict[Path, Any]:
        parsed.extend(paths)
        return schemas_of(on, paths)

    monkeypatch.setattr(schemas, "schemas_of", parse)
    ensure_schema_files(store, con)
    tabling.write_span(store, con, Span(3, 3), log.read, known)
    assert parsed
    parsed.clear()
    tabling.write_span(store, con, Span(3, 3), log.read, known)
    assert parsed == []
    store.put(schema_key("versions"), b"damaged")
    tabling.write_span(store, con, Span(3, 3), log.read, known)
    tabling.write_span(store, con, Span(3, 3), log.read, known)
    assert store.get(schema_key("versions")) == known["versions"] != b"damaged"


def test_a_missing_data_file_is_named(store: Store, con: "duckdb.DuckDBPyConnection") -> None:
    log = SampleLog()
    log.add(data=(DataRef("versions", "0" * 64, 1, 1),))
    with pytest.raises(IntegrityError, match=r"commit 1 needs data/versions/0{64}\.parquet"):
        table_pending(store, con, log.read, 1)
    assert tables_covered_to(store) == 0


def test_a_data_file_with_other_rows_than_announced_is_not_tabled(
    store: Store, con: "duckdb.DuckDBPyConnection"
) -> None:
    ref = data_ref(store, "entries", "SELECT 'e1-0' AS entry_id FROM range(3)", i=0)
    log = SampleLog()
    log.add(data=(DataRef(ref.table, ref.sha256, 4, ref.size),))
    with pytest.raises(IntegrityError, match="announces 4 rows of entries and brings 3"):
        table_pending(store, con, log.read, 1)
    assert tables_covered_to(store) == 0


def test_a_data_file_that_is_no_parquet_file_is_an_integrity_problem(
    store: Store, con: "duckdb.DuckDBPyConnection"
) -> None:
    ref = DataRef("entries", "1" * 64, 4, 5)
    store.put(ref.key, b"hello")
    log = SampleLog()
    log.add(data=(ref,))
    with pytest.raises(IntegrityError, match="cannot table commits 1 to 1") as caught:
        table_pending(store, con, log.read, 1)
    # what nothing can be made again from is not mended by `rebuild`
    assert caught.value.hint == "regista verify"


def test_a_row_of_an_unknown_table_is_an_integrity_problem(
    store: Store, con: "duckdb.DuckDBPyConnection"
) -> None:
    log = SampleLog()
    log.add({"table": "spells", "entry_id": "e1-0"})
    with pytest.raises(IntegrityError, match="'spells'"):
        table_pending(store, con, log.read, 1)


def test_a_new_column_rewrites_older_files_first(
    store: Store, con: "duckdb.DuckDBPyConnection", monkeypatch: pytest.MonkeyPatch
) -> None:
    log = a_log(3)
    table = TABLES["versions"]
    older = Table(
        table.name, table.grain, tuple(c for c in table.columns if c.name != "label"), table.order
    )
    monkeypatch.setitem(TABLES, "versions", older)
    table_pending(store, con, log.read, 1)
    table_pending(store, con, log.read, 2)
    monkeypatch.setitem(TABLES, "versions", table)
    table_pending(store, con, log.read, 3)
    paths = [
        store.local_path(TableFile("versions", span).key) for span in list_spans(store, "versions")
    ]
    paths.append(store.local_path(schema_key("versions")))
    columns = [tuple(con.sql(f"FROM {duck.parquet(path)}").columns) for path in paths if path]
    assert columns == [table.column_names] * 4
    assert [row["label"] for row in stored_rows(store, "versions")] == [None, None, None]
    assert upgrade_schema(store, con, table) == 0


def test_a_column_of_a_newer_regista_is_not_thrown_away(
    store: Store, con: "duckdb.DuckDBPyConnection", monkeypatch: pytest.MonkeyPatch
) -> None:
    log = a_log(2)
    table_pending(store, con, log.read, 1)
    table = TABLES["versions"]
    monkeypatch.setitem(TABLES, "versions", Table(table.name, table.grain, table.columns[:-1]))
    with pytest.raises(NewerFormatError, match="source"):
        table_pending(store, con, log.read, 2)


def test_a_damaged_schema_file_is_written_anew(
    store: Store, con: "duckdb.DuckDBPyConnection"
) -> None:
    log = a_log(2)
    table_pending(store, con, log.read, 1)
    store.put(schema_key("versions"), b"not a Parquet file")
    table_pending(store, con, log.read, 2)
    path = store.local_path(schema_key("versions"))
    assert path
    assert tuple(con.sql(f"FROM {duck.parquet(path)}").columns) == TABLES["versions"].column_names


def test_the_tabling_connection_spills_into_a_folder_that_it_removes(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    with tabling_connection(store) as con:
        ((folder,),) = con.execute("SELECT current_setting('temp_directory')").fetchall()
        assert Path(folder).is_relative_to(tmp_path)
        assert Path(folder).is_dir()
    assert not Path(folder).exists()
    assert list(store.list_after("")) == []
