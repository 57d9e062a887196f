"""SQL of users: it only reads, errs in one line, and outlasts merges; the views in a shell."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from fakes.faulty_store import FaultyStore
from regista.errors import ConflictError, IntegrityError, InvalidInputError
from regista.model.tables import TABLES
from regista.read import duck
from regista.read.sql import emit_views, run_query
from regista.read.sqlfiles import VIEWS
from regista.storage import cover
from regista.storage.cover import Span, TableFile
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.write.merging import merge_ready
from regista.write.schemas import ensure_schema_files
from regista.write.tabling import table_commit, table_pending
from support.commit_samples import SampleLog
from support.story import ask, example, tabled


@pytest.fixture(scope="module")
def log() -> SampleLog:
    return example()


@pytest.fixture(scope="module", params=[0, 5, 11], ids=["tail", "half", "tables"])
def store(request: pytest.FixtureRequest, log: SampleLog) -> Store:
    """The same registry, with none, some and all of its commits tabled."""
    return tabled(log, request.param)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC 1", "Parser Error"),
        ("SELECT nope FROM versions", "nope"),
        ("FROM version", "version does not exist"),
        ("SELECT 'x'::INTEGER", "Conversion Error"),
        ("SELECT $a", "a"),
        ("", "0 statements"),
        ("-- nothing", "0 statements"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("FROM 'nowhere.parquet'", "nowhere.parquet"),
    ],
)
def test_a_wrong_query_is_the_users_error_in_one_line(query: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as raised:
        ask(MemoryStore("wrong"), SampleLog(), query)
    assert "\n" not in raised.value.message


@pytest.mark.parametrize(
    "query",
    [
        "COPY (SELECT 1) TO '{file}'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{file}'",
        "EXPLAIN (ANALYZE, FORMAT json) COPY (SELECT 1) TO '{file}'",
        "/* SELECT */ COPY (SELECT 1) TO '{file}'",
        "-- SELECT\nCOPY (SELECT 1) TO '{file}'",
        "COPY (PIVOT versions ON kind USING count(*)) TO '{file}'",
        "EXPORT DATABASE '{file}'",
        "ATTACH '{file}'",
        "CREATE TABLE t AS SELECT 1",
        "INSTALL httpfs",
        "LOAD '{file}'",
        "UPDATE EXTENSIONS",
        "SET threads = 1",
        "PRAGMA database_size",
        "CALL pragma_version()",
        "CHECKPOINT",
        "PREPARE p AS SELECT 1",
        "DELETE FROM versions",
        "BEGIN",
    ],
)
def test_a_statement_that_does_not_only_read_is_refused(query: str, tmp_path: Path) -> None:
    file = tmp_path / "made"
    with pytest.raises(InvalidInputError, match="only read"):
        ask(MemoryStore("reads"), SampleLog(), query.format(file=file))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        "(SELECT 1)",
        "FROM versions",
        "WITH x AS (FROM versions) FROM x",
        "VALUES (1)",
        "DESCRIBE versions",
        "SHOW TABLES",
        "SUMMARIZE versions",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE FROM versions",
        "PIVOT versions ON kind USING count(*)",
        "-- why\n/* and how */ SELECT 1;",
        "SELECT count(*) FROM information_schema.tables",
        "SELECT * FROM query('FROM entries')",
    ],
)
def test_every_way_of_asking_works(query: str, store: Store, log: SampleLog) -> None:
    assert ask(store, log, query)


def test_values_are_bound_by_name_and_by_position(store: Store, log: SampleLog) -> None:
    query = "SELECT ? || kind FROM entries WHERE entry = ?"
    found = run_query(store, log.tail, query, ["a ", "churn"])
    assert found.fetchall() == [("a model",)]
    assert ask(store, log, "SELECT $a", a="'; DROP TABLE x") == [("'; DROP TABLE x",)]


def test_users_may_join_their_own_files(tmp_path: Path, store: Store, log: SampleLog) -> None:
    (tmp_path / "owners.csv").write_text("entry,owner\nchurn,zoe\n", "utf-8")
    query = f"SELECT owner FROM entries JOIN '{tmp_path}/owners.csv' USING (entry)"
    assert ask(store, log, query) == [("zoe",)]


def test_variables_of_the_program_are_no_tables(store: Store, log: SampleLog) -> None:
    secret = duckdb.sql("SELECT 1 AS x")
    assert secret is not None
    with pytest.raises(InvalidInputError, match="secret does not exist"):
        ask(store, log, "FROM secret")


def test_a_query_runs_again_when_a_merge_removed_its_files(
    tmp_path: Path, log: SampleLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cover, "FANOUT", 4)
    store = LocalStore(tmp_path)
    with duck.connect() as con:
        for commit in log.commits[:8]:
            table_commit(store, con, commit, log.digest(commit.seq))

        class Merging(FaultyStore):
            def local_path(self, key: str, **how: Any) -> Path | None:
                path = super().local_path(key, **how)
                merge_ready(self.inner, con)
                return path

        assert ask(Merging(store), log, "SELECT count(*) FROM versions") == [(4,)]
    assert Span(1, 4) in {
        file.span for key in store.list_after("tables/commits/") if (file := TableFile.parse(key))
    }


def test_files_that_keep_vanishing_are_a_conflict(tmp_path: Path, log: SampleLog) -> None:
    store = LocalStore(tmp_path)

    class Haunted(FaultyStore):
        def local_path(self, key: str, **how: Any) -> Path | None:
            path = super().local_path(key, **how)
            return path and path.with_name("gone.parquet")

    with duck.connect() as con:
        table_pending(store, con, log.read, log.head)
    with pytest.raises(ConflictError):
        ask(Haunted(store), log, "FROM versions")


def test_a_damaged_table_file_is_an_integrity_problem(log: SampleLog) -> None:
    store = tabled(log, 11, "damaged")
    key = next(key for key in store.list_after("tables/versions/") if "schema" not in key)
    store.put(key, b"no Parquet file")
    with pytest.raises(IntegrityError) as raised:
        ask(store, log, "FROM versions")
    assert raised.value.hint == "regista rebuild"
    assert ask(store, log, "SELECT count(*) FROM entries") == [(3,)]


def plain_shell(text: str, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as con:
        con.execute(text)
        return [tuple(row) for row in con.sql(query).fetchall()]


def all_rows(names: Iterable[str]) -> str:
    one = "SELECT '{name}', to_json(t)::VARCHAR FROM \"{name}\" t"
    return " UNION ALL ".join(one.replace("{name}", name) for name in names) + " ORDER BY ALL"


@pytest.mark.parametrize("as_of", [None, 8])
@pytest.mark.parametrize("local", [True, False])
def test_emitted_views_are_the_same_in_a_plain_shell(
    tmp_path: Path, log: SampleLog, as_of: int | None, *, local: bool
) -> None:
    store: Store = LocalStore(tmp_path / "o'hara [x]*" / "a=b") if local else MemoryStore("emitted")
    with duck.connect() as con:
        ensure_schema_files(store, con)
        for commit in log.commits:
            table_commit(store, con, commit, log.digest(commit.seq))
    everything = all_rows([*TABLES, *VIEWS])
    text = emit_views(store, as_of)
    assert plain_shell(text, everything) == ask(store, log, everything, as_of)


def test_emitted_views_of_a_folder_follow_it(tmp_path: Path, log: SampleLog) -> None:
    store = LocalStore(tmp_path / "registry")
    with duck.connect() as con:
        ensure_schema_files(store, con)
        table_pending(store, con, log.read, 3)
        text = emit_views(store)
        table_pending(store, con, log.read, 11)
    assert plain_shell(text, "SELECT max(seq) FROM commits") == [(11,)]


def test_emitted_views_need_the_schema_files(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "registry")
    with duck.connect() as con:
        ensure_schema_files(store, con)
    shutil.rmtree(tmp_path / "registry" / "tables" / "tags")
    with pytest.raises(IntegrityError, match="tags has no schema file"):
        emit_views(store)
