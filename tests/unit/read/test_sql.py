"""SQL over the registry: right as of any commit, tabled or not, and it only reads."""

import shutil
from collections.abc import Iterable
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.faulty_store import FaultyStore
from regista.errors import ConflictError, IntegrityError, InvalidInputError
from regista.model.tables import TABLES
from regista.read import duck
from regista.read.sql import emit_views, named_query, open_views, run_query
from regista.read.sqlfiles import QUERIES, VIEWS, load
from regista.read.views import with_needs
from regista.storage import cover
from regista.storage.cover import Span, TableFile
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.write.merging import merge_ready
from regista.write.schemas import ensure_schema_files
from regista.write.tabling import table_commit, table_pending
from support.commit_samples import SampleLog, at_second, entry_row, placement_row, run_rows
from support.commit_samples import version_row as version
from support.table_checks import data_ref


def moment(seq: int) -> datetime:
    return datetime.fromisoformat(at_second(seq)).replace(tzinfo=None)


def example() -> SampleLog:
    """Two models with scores; `fraud` goes to prod, is replaced, rolled back, and renamed."""
    log = SampleLog()
    log.add({"table": "policies", "digest": "f" * 64})
    log.add(entry_row("e2-0", "fraud"), version("e2-0", "fraud", 1),
            *run_rows("e2-0", "fraud", 1, "r2-2", {"auc": "0.8", "loss": "0.2"}))
    log.add(entry_row("e3-0", "churn"), version("e3-0", "churn", 1),
            *run_rows("e3-0", "churn", 1, "r3-2", {"auc": "0.85"}))
    log.add(version("e2-0", "fraud", 2, label="2.0"),
            *run_rows("e2-0", "fraud", 2, "r4-1", {"auc": "0.9"}))
    log.add(placement_row("e2-0", "fraud", "prod", (None, 1)))
    log.add(placement_row("e2-0", "fraud", "prod", (1, 2)), actor="bob")
    log.add({"table": "decisions", "entry_id": "e2-0", "entry": "fraud", "version": 1,
             "stage": "prod", "op": "promote", "outcome": "refused"},
            {"table": "verdicts", "entry_id": "e2-0", "entry": "fraud", "version": 1,
             "stage": "prod", "gate": "auc", "status": "failed"})
    log.add(placement_row("e2-0", "fraud", "prod", (2, 1), "rollback"))
    log.add({"table": "names", "entry_id": "e2-0", "entry": "risk/fraud", "from_name": "fraud"})
    log.add(*run_rows("e2-0", "risk/fraud", 2, "r10-0", {"auc": "0.7"}, status="partial"))
    log.add(entry_row("e11-0", "fraud", "prompt"), version("e11-0", "fraud", 1))
    return log


def ask(
    store: Store, log: SampleLog, query: str, as_of: int | None = None, **values: Any  # noqa: ANN401
) -> list[tuple[Any, ...]]:
    found = run_query(store, log.tail, query, values or None, as_of=as_of)
    return [tuple(row) for row in found.fetchall()]


def tabled(log: SampleLog, upto: int, name: str = "tabled") -> Store:
    store = MemoryStore(name)
    with duck.connect() as con:
        ensure_schema_files(store, con)
        table_pending(store, con, log.read, upto)
    return store


@pytest.fixture(scope="module")
def log() -> SampleLog:
    return example()


@pytest.fixture(scope="module", params=[0, 5, 11], ids=["tail", "half", "tables"])
def store(request: pytest.FixtureRequest, log: SampleLog) -> Store:
    """The same registry, with none, some and all of its commits tabled."""
    return tabled(log, request.param)


def test_current_stages_are_what_the_last_placements_left(store: Store, log: SampleLog) -> None:
    digest = log.commits[1].rows[1]["digest"]
    assert ask(store, log, "FROM current_stages") == [
        ("risk/fraud", "model", "prod", 1, moment(8), "ann", 8, digest)
    ]


@pytest.mark.parametrize(("as_of", "expected"), [
    (4, []), (5, [("fraud", 1)]), (6, [("fraud", 2)]), (8, [("fraud", 1)]),
    (9, [("risk/fraud", 1)]),
])
def test_as_of_shows_stages_and_names_of_then(
    store: Store, log: SampleLog, as_of: int, expected: list[tuple[str, int]]
) -> None:
    assert ask(store, log, "SELECT entry, version FROM current_stages", as_of) == expected


@pytest.mark.parametrize("as_of", range(1, 12))
def test_as_of_shows_the_rows_up_to_that_commit(
    store: Store, log: SampleLog, as_of: int
) -> None:
    for table in ("entries", "eval_scores", "commits"):
        expected = sum(
            1 if table == "commits" else commit.row_counts().get(table, 0)
            for commit in log.commits[:as_of]
        )
        assert ask(store, log, f"SELECT count(*) FROM {table}", as_of) == [(expected,)]  # noqa: S608


def test_a_renamed_entry_has_its_new_name_and_its_old_one_belongs_to_another(
    store: Store, log: SampleLog
) -> None:
    assert ask(store, log, "SELECT DISTINCT entry_id, entry FROM versions ORDER BY ALL") == [
        ("e11-0", "fraud"), ("e2-0", "risk/fraud"), ("e3-0", "churn"),
    ]
    found = ask(store, log, "SELECT count(*) FROM eval_scores WHERE entry = $n", n="risk/fraud")
    assert found == [(8,)]
    assert ask(store, log, "SELECT count(*) FROM eval_scores WHERE entry = 'fraud'") == [(0,)]


def test_stage_history_tells_from_when_until_when(store: Store, log: SampleLog) -> None:
    assert ask(store, log, "SELECT * EXCLUDE (reason) FROM stage_history ORDER BY seq") == [
        ("risk/fraud", "prod", 1, moment(5), moment(6), "ann", "promote", "bob", "promote", 5, 6),
        ("risk/fraud", "prod", 2, moment(6), moment(8), "bob", "promote", "ann", "rollback", 6, 8),
        ("risk/fraud", "prod", 1, moment(8), None, "ann", "rollback", None, None, 8, None),
    ]


def test_latest_scores_are_of_the_last_run_though_it_is_partial(
    store: Store, log: SampleLog
) -> None:
    assert ask(
        store, log, "SELECT entry, version, metric, value, status, run_id FROM latest_scores"
        " WHERE slice = '' ORDER BY ALL",
    ) == [
        ("churn", 1, "auc", 0.85, "complete", "r3-2"),
        ("risk/fraud", 1, "auc", 0.8, "complete", "r2-2"),
        ("risk/fraud", 1, "loss", 0.2, "complete", "r2-2"),
        ("risk/fraud", 2, "auc", 0.7, "partial", "r10-0"),
    ]


def test_score_history_has_the_scores_of_all_runs(store: Store, log: SampleLog) -> None:
    assert ask(
        store, log, "SELECT value, status, seq FROM score_history"
        " WHERE entry = 'risk/fraud' AND version = 2 AND slice = '' ORDER BY seq",
    ) == [(0.9, "complete", 4), (0.7, "partial", 10)]


def test_the_leaderboard_ranks_complete_runs_and_says_what_is_where(
    store: Store, log: SampleLog
) -> None:
    query = "SELECT rank, entry, version, stages FROM leaderboard WHERE metric = 'auc' ORDER BY 1"
    assert ask(store, log, query) == [(1, "churn", 1, None), (2, "risk/fraud", 1, "prod")]
    assert ask(store, log, query, 6) == [
        (1, "fraud", 2, "prod"), (2, "churn", 1, None), (3, "fraud", 1, None),
    ]


def test_the_leaderboard_knows_directions_ties_and_deleted_versions() -> None:
    log = SampleLog()
    log.add(*(entry_row(f"e1-{k}", name) for k, name in enumerate("abcd")))
    for k, (name, value) in enumerate(zip("abcd", ("0.3", "0.1", "0.1", "0.2"), strict=True)):
        log.add(*run_rows(f"e1-{k}", name, 1, f"r{k}-0", {"loss": value}, higher=False),
                *run_rows(f"e1-{k}", name, 1, f"r{k}-9", {"acc": value}, suite="t", higher=None))
    log.add({"table": "statuses", "entry_id": "e1-3", "entry": "d", "version": 1,
             "from_status": "active", "status": "deleted"})
    query = "SELECT rank, entry, higher_is_better FROM leaderboard WHERE metric = $m ORDER BY ALL"
    store = MemoryStore("directions")
    assert ask(store, log, query, m="loss") == [(1, "b", False), (1, "c", False), (3, "a", False)]
    assert ask(store, log, query, m="acc") == [(1, "a", True), (2, "b", True), (2, "c", True)]


def test_a_restored_version_is_on_the_leaderboard_again() -> None:
    log = SampleLog()
    log.add(entry_row("e1-0", "a"), *run_rows("e1-0", "a", 1, "r1-0", {"acc": "1"}))
    for status in ("deleted", "active"):
        log.add({"table": "statuses", "entry_id": "e1-0", "entry": "a", "version": 1,
                 "from_status": "x", "status": status})
    store = MemoryStore("restored")
    assert ask(store, log, "SELECT count(*) FROM leaderboard", 2) == [(0,)]
    assert ask(store, log, "SELECT count(*) FROM leaderboard", 3) == [(1,)]


def test_events_tell_what_happened_in_order(store: Store, log: SampleLog) -> None:
    rows = named_query(store, log.tail, "entry_history", {"entry_id": "e2-0", "limit": 100})
    assert [(row["seq"], row["event"], row["version"], row["detail"]) for row in rows] == [
        (10, "evaluated", 2, "holdout: partial, 2 scores, 0 samples"),
        (9, "renamed", None, "from fraud"),
        (8, "rolled back", 1, "prod: 2 -> 1"),
        (7, "refused", 1, "promote to prod: auc failed"),
        (6, "promoted", 2, "prod: 1 -> 2"),
        (5, "promoted", 1, "prod: empty -> 1"),
        (4, "evaluated", 2, "holdout: complete, 2 scores, 0 samples"),
        (4, "registered", 2, f"{log.commits[3].rows[0]['digest'][:12]}, label 2.0"),
        (2, "evaluated", 1, "holdout: complete, 4 scores, 0 samples"),
        (2, "registered", 1, log.commits[1].rows[1]["digest"][:12]),
        (2, "created", None, "model"),
    ]


def test_the_registrys_history_is_everyones_and_limited(store: Store, log: SampleLog) -> None:
    rows = named_query(store, log.tail, "registry_history", {"limit": 3})
    assert [(row["seq"], row["entry"], row["event"]) for row in rows] == [
        (11, "fraud", "registered"), (11, "fraud", "created"), (10, "risk/fraud", "evaluated"),
    ]
    first = named_query(store, log.tail, "registry_history", {}, as_of=1)
    assert [(row["event"], row["detail"]) for row in first] == [("policy applied", "f" * 12)]


def test_entries_are_listed_by_name_kind_and_pattern(store: Store, log: SampleLog) -> None:
    def listed(**parameters: object) -> list[tuple[Any, ...]]:
        rows = named_query(store, log.tail, "list_entries", parameters)
        return [(row["name"], row["kind"], row["versions"], row["stages"]) for row in rows]

    prompt: tuple[Any, ...] = ("fraud", "prompt", 1, {})
    assert listed() == [
        ("churn", "model", 1, {}), prompt, ("risk/fraud", "model", 2, {"prod": 1}),
    ]
    assert listed(kind="prompt") == [prompt]
    assert listed(pattern="*fraud", limit=1) == [prompt]
    assert listed(pattern="' OR true --") == []


def test_versions_of_an_entry_come_newest_first(store: Store, log: SampleLog) -> None:
    rows = named_query(store, log.tail, "entry_versions", {"entry_id": "e2-0"})
    assert [(row["version"], row["label"], row["status"], row["stages"]) for row in rows] == [
        (2, "2.0", "active", None), (1, None, "active", "prod"),
    ]


@pytest.mark.parametrize("name", [*VIEWS, *QUERIES])
def test_every_sql_file_returns_its_declared_columns_on_an_empty_registry(name: str) -> None:
    file = load(name)
    values = dict.fromkeys(file.parameters) or None
    found = run_query(MemoryStore("empty"), SampleLog().tail, file.text, values)
    assert tuple(found.columns) == file.columns
    assert found.fetchall() == []
    assert file.summary
    assert file.grain


def test_every_sql_file_is_one_statement_of_the_tables_that_it_says() -> None:
    names = {item.name for item in resources.files("regista").joinpath("sql").iterdir()}
    assert names == {f"{name}.sql" for name in (*VIEWS, *QUERIES)}
    with duck.connect() as con:
        for name in (*VIEWS, *QUERIES):
            file = load(name)
            text = file.text
            for parameter in file.parameters:
                text = text.replace(f"${parameter}", "NULL")
            assert len(con.extract_statements(text)) == 1
            assert file.reads == con.get_table_names(text)
    assert with_needs(VIEWS)[-len(VIEWS):] == list(VIEWS)


def test_views_have_the_columns_and_types_of_their_tables(store: Store, log: SampleLog) -> None:
    with open_views(store, log.tail) as con:
        for table in TABLES.values():
            found = con.sql(f'FROM "{table.name}"')
            assert tuple(found.columns) == table.column_names
            types = [str(type_) for type_ in found.types]
            assert types == [column.type for column in table.columns]


rows_of_tags = st.lists(st.tuples(st.integers(0, 3), st.text(max_size=5)), max_size=4)


@settings(max_examples=15, deadline=None)
@given(st.lists(rows_of_tags, min_size=1, max_size=9), st.data())
def test_what_is_tabled_merged_or_still_in_the_log_makes_no_difference(
    commits: list[list[tuple[int, str]]], data: st.DataObject
) -> None:
    log = SampleLog()
    for rows in commits:
        log.add(*({"table": "tags", "entry_id": f"e{k}", "entry": "e", "key": text}
                  for k, text in rows))
    covered = data.draw(st.integers(0, log.head))
    as_of = data.draw(st.integers(0, log.head))
    store = MemoryStore("any")
    with pytest.MonkeyPatch.context() as patch, duck.connect() as con:
        patch.setattr(cover, "FANOUT", 2)
        for commit in log.commits[:covered]:
            table_commit(store, con, commit, log.digest(commit.seq))
        if data.draw(st.booleans()):
            merge_ready(store, con)
        found = ask(store, log, "SELECT seq, i, key FROM tags ORDER BY ALL", as_of)
    assert found == sorted(
        (seq, i, text) for seq, rows in enumerate(commits[:as_of], 1)
        for i, (_, text) in enumerate(rows)
    )


def test_rows_by_digest_of_commits_that_are_not_tabled_are_there() -> None:
    store, log = MemoryStore("bulk"), SampleLog()
    query = "SELECT 'e1-' || (k + 1) AS entry_id, 'n' || k AS entry FROM range(30) t(k)"
    log.add(entry_row("e1-0", "inline"),
            data=(data_ref(store, "entries", query, i=1, kind="dataset"),))
    assert ask(store, log, "SELECT count(*), max(i), max(kind) FROM entries") == [(31, 30, "model")]


@pytest.mark.parametrize(("query", "message"), [
    ("SELEC 1", "Parser Error"),
    ("SELECT nope FROM versions", "nope"),
    ("FROM version", "version does not exist"),
    ("SELECT 'x'::INTEGER", "Conversion Error"),
    ("SELECT $a", "a"),
    ("", "0 statements"),
    ("-- nothing", "0 statements"),
    ("SELECT 1; SELECT 2", "2 statements"),
    ("FROM 'nowhere.parquet'", "nowhere.parquet"),
])
def test_a_wrong_query_is_the_users_error_in_one_line(query: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as raised:
        ask(MemoryStore("wrong"), SampleLog(), query)
    assert "\n" not in raised.value.message


@pytest.mark.parametrize("query", [
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
])
def test_a_statement_that_does_not_only_read_is_refused(query: str, tmp_path: Path) -> None:
    file = tmp_path / "made"
    with pytest.raises(InvalidInputError, match="only read"):
        ask(MemoryStore("reads"), SampleLog(), query.format(file=file))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("query", [
    "SELECT 1", "(SELECT 1)", "FROM versions", "WITH x AS (FROM versions) FROM x", "VALUES (1)",
    "DESCRIBE versions", "SHOW TABLES", "SUMMARIZE versions", "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE FROM versions", "PIVOT versions ON kind USING count(*)",
    "-- why\n/* and how */ SELECT 1;", "SELECT count(*) FROM information_schema.tables",
    "SELECT * FROM query('FROM entries')",
])
def test_every_way_of_asking_works(query: str, store: Store, log: SampleLog) -> None:
    assert ask(store, log, query)


def test_values_are_bound_by_name_and_by_position(store: Store, log: SampleLog) -> None:
    query = "SELECT ? || kind FROM entries WHERE entry = ?"
    found = run_query(store, log.tail, query, ["a ", "churn"])
    assert found.fetchall() == [("a model",)]
    assert ask(store, log, "SELECT $a", a="'; DROP TABLE x") == [("'; DROP TABLE x",)]


def test_users_may_join_their_own_files(tmp_path: Path, store: Store, log: SampleLog) -> None:
    (tmp_path / "owners.csv").write_text("entry,owner\nchurn,zoe\n", "utf-8")
    query = f"SELECT owner FROM entries JOIN '{tmp_path}/owners.csv' USING (entry)"  # noqa: S608
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
            def local_path(self, key: str) -> Path | None:
                path = super().local_path(key)
                merge_ready(self.inner, con)
                return path

        assert ask(Merging(store), log, "SELECT count(*) FROM versions") == [(4,)]
    assert Span(1, 4) in {file.span for key in store.list_after("tables/commits/")
                          if (file := TableFile.parse(key))}


def test_files_that_keep_vanishing_are_a_conflict(tmp_path: Path, log: SampleLog) -> None:
    store = LocalStore(tmp_path)

    class Haunted(FaultyStore):
        def local_path(self, key: str) -> Path | None:
            path = super().local_path(key)
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
    return " UNION ALL ".join(f'SELECT \'{name}\', to_json(t)::VARCHAR FROM "{name}" t'  # noqa: S608
                              for name in names) + " ORDER BY ALL"


@pytest.mark.parametrize("as_of", [None, 1, 5, 8, 11])
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
