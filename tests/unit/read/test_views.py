"""The views: right as of any commit, whether its rows are tabled or still in the log."""

from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regista.model.tables import TABLES
from regista.read import duck
from regista.read.sql import named_query, open_views, run_query
from regista.read.sqlfiles import QUERIES, VIEWS, load
from regista.read.views import with_needs
from regista.storage import cover
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.write.merging import merge_ready
from regista.write.tabling import table_commit
from support.commit_samples import SampleLog, entry_row, run_rows
from support.story import ask, example, moment, tabled
from support.table_checks import data_ref


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


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (4, []),
        (5, [("fraud", 1)]),
        (6, [("fraud", 2)]),
        (8, [("fraud", 1)]),
        (9, [("risk/fraud", 1)]),
    ],
)
def test_as_of_shows_stages_and_names_of_then(
    store: Store, log: SampleLog, as_of: int, expected: list[tuple[str, int]]
) -> None:
    assert ask(store, log, "SELECT entry, version FROM current_stages", as_of) == expected


@pytest.mark.parametrize("as_of", [1, 4, 6, 11])
def test_as_of_shows_the_rows_up_to_that_commit(store: Store, log: SampleLog, as_of: int) -> None:
    commits = log.commits[:as_of]
    entries, scores = (
        sum(commit.row_counts().get(table, 0) for commit in commits)
        for table in ("entries", "eval_scores")
    )
    query = """
        SELECT (SELECT count(*) FROM entries), (SELECT count(*) FROM eval_scores), count(*)
        FROM commits
    """
    assert ask(store, log, query, as_of) == [(entries, scores, as_of)]


def test_a_renamed_entry_has_its_new_name_and_its_old_one_belongs_to_another(
    store: Store, log: SampleLog
) -> None:
    assert ask(store, log, "SELECT DISTINCT entry_id, entry FROM versions ORDER BY ALL") == [
        ("e11-0", "fraud"),
        ("e2-0", "risk/fraud"),
        ("e3-0", "churn"),
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
        store,
        log,
        "SELECT entry, version, metric, value, status, run_id FROM latest_scores"
        " WHERE slice = '' ORDER BY ALL",
    ) == [
        ("churn", 1, "auc", 0.85, "complete", "r3-2"),
        ("risk/fraud", 1, "auc", 0.8, "complete", "r2-2"),
        ("risk/fraud", 1, "loss", 0.2, "complete", "r2-2"),
        ("risk/fraud", 2, "auc", 0.7, "partial", "r10-0"),
    ]


def test_score_history_has_the_scores_of_all_runs(store: Store, log: SampleLog) -> None:
    assert ask(
        store,
        log,
        "SELECT value, status, seq FROM score_history"
        " WHERE entry = 'risk/fraud' AND version = 2 AND slice = '' ORDER BY seq",
    ) == [(0.9, "complete", 4), (0.7, "partial", 10)]


def test_the_leaderboard_ranks_complete_runs_and_says_what_is_where(
    store: Store, log: SampleLog
) -> None:
    query = "SELECT rank, entry, version, stages FROM leaderboard WHERE metric = 'auc' ORDER BY 1"
    assert ask(store, log, query) == [(1, "churn", 1, None), (2, "risk/fraud", 1, "prod")]
    assert ask(store, log, query, 6) == [
        (1, "fraud", 2, "prod"),
        (2, "churn", 1, None),
        (3, "fraud", 1, None),
    ]


def test_the_leaderboard_knows_directions_ties_and_deleted_versions() -> None:
    log = SampleLog()
    log.add(*(entry_row(f"e1-{k}", name) for k, name in enumerate("abcd")))
    for k, (name, value) in enumerate(zip("abcd", ("0.3", "0.1", "0.1", "0.2"), strict=True)):
        log.add(
            *run_rows(f"e1-{k}", name, 1, f"r{k}-0", {"loss": value}, higher=False),
            *run_rows(f"e1-{k}", name, 1, f"r{k}-9", {"acc": value}, suite="t", higher=None),
        )
    log.add(
        {
            "table": "statuses",
            "entry_id": "e1-3",
            "entry": "d",
            "version": 1,
            "from_status": "active",
            "status": "deleted",
        }
    )
    query = "SELECT rank, entry, higher_is_better FROM leaderboard WHERE metric = $m ORDER BY ALL"
    store = MemoryStore("directions")
    assert ask(store, log, query, m="loss") == [(1, "b", False), (1, "c", False), (3, "a", False)]
    assert ask(store, log, query, m="acc") == [(1, "a", True), (2, "b", True), (2, "c", True)]


def test_a_restored_version_is_on_the_leaderboard_again() -> None:
    log = SampleLog()
    log.add(entry_row("e1-0", "a"), *run_rows("e1-0", "a", 1, "r1-0", {"acc": "1"}))
    for status in ("deleted", "active"):
        log.add(
            {
                "table": "statuses",
                "entry_id": "e1-0",
                "entry": "a",
                "version": 1,
                "from_status": "x",
                "status": status,
            }
        )
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
        (11, "fraud", "registered"),
        (11, "fraud", "created"),
        (10, "risk/fraud", "evaluated"),
    ]
    first = named_query(store, log.tail, "registry_history", {}, as_of=1)
    assert [(row["event"], row["detail"]) for row in first] == [("policy applied", "f" * 12)]


def test_entries_are_listed_by_name_kind_and_pattern(store: Store, log: SampleLog) -> None:
    def listed(**parameters: object) -> list[tuple[Any, ...]]:
        rows = named_query(store, log.tail, "list_entries", parameters)
        return [(row["name"], row["kind"], row["versions"], row["stages"]) for row in rows]

    prompt: tuple[Any, ...] = ("fraud", "prompt", 1, {})
    assert listed() == [
        ("churn", "model", 1, {}),
        prompt,
        ("risk/fraud", "model", 2, {"prod": 1}),
    ]
    assert listed(kind="prompt") == [prompt]
    assert listed(pattern="*fraud", limit=1) == [prompt]
    assert listed(pattern="' OR true --") == []


def test_versions_of_an_entry_come_newest_first(store: Store, log: SampleLog) -> None:
    rows = named_query(store, log.tail, "entry_versions", {"entry_id": "e2-0"})
    assert [(row["version"], row["label"], row["status"], row["stages"]) for row in rows] == [
        (2, "2.0", "active", None),
        (1, None, "active", "prod"),
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
    assert with_needs(VIEWS)[-len(VIEWS) :] == list(VIEWS)


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
        log.add(
            *({"table": "tags", "entry_id": f"e{k}", "entry": "e", "key": text} for k, text in rows)
        )
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
        (seq, i, text)
        for seq, rows in enumerate(commits[:as_of], 1)
        for i, (_, text) in enumerate(rows)
    )


def test_rows_by_digest_of_commits_that_are_not_tabled_are_there() -> None:
    store, log = MemoryStore("bulk"), SampleLog()
    query = "SELECT 'e1-' || (k + 1) AS entry_id, 'n' || k AS entry FROM range(30) t(k)"
    log.add(
        entry_row("e1-0", "inline"), data=(data_ref(store, "entries", query, i=1, kind="dataset"),)
    )
    assert ask(store, log, "SELECT count(*), max(i), max(kind) FROM entries") == [(31, 30, "model")]
