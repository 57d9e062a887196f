"""The sandbox of SQL gates: it answers from the entry's pinned rows, and nothing else gets in."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from regista.decide.operations.context import Query
from regista.errors import IntegrityError
from regista.model import canonical
from regista.model.commit import Commit
from regista.read import duck, sandbox
from regista.read.sandbox import run_gate_query
from regista.read.sqlcheck import MAX_QUERY, check
from regista.storage.cover import Span, TableFile
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.write.tabling import table_pending
from support.commit_samples import SampleLog, entry_row, placement_row, run_rows, version_row

LIMITS = {"timeout_s": 20, "memory_mb": 100}
NAMES = {"entry": "fraud", "version": 2, "stage": "prod"}


def example() -> SampleLog:
    log = SampleLog()
    log.add({"table": "policies", "digest": "f" * 64})
    log.add(
        entry_row("e2-0", "fraud"),
        version_row("e2-0", "fraud", 1),
        *run_rows("e2-0", "fraud", 1, "r2-2", {"auc": "0.8"}),
    )
    log.add(
        entry_row("e3-0", "churn"),
        version_row("e3-0", "churn", 1),
        *run_rows("e3-0", "churn", 1, "r3-2", {"auc": "0.99"}),
    )
    log.add(version_row("e2-0", "fraud", 2), placement_row("e2-0", "fraud", "prod", (None, 1)))
    log.add(*run_rows("e2-0", "fraud", 2, "r5-0", {"auc": "0.9"}))
    log.add(*run_rows("e2-0", "fraud", 2, "r6-0", {"auc": "0.1"}))
    return log


@pytest.fixture(scope="module")
def log() -> SampleLog:
    return example()


@pytest.fixture(scope="module", params=[0, 6], ids=["tail", "tables"])
def store(request: pytest.FixtureRequest, log: SampleLog) -> Store:
    store = MemoryStore("sandbox")
    with duck.connect() as con:
        table_pending(store, con, log.read, request.param)
    return store


def ask(
    log: SampleLog,
    sql: str,
    store: Store | None = None,
    as_of: int = 5,
    limits: Mapping[str, int] = LIMITS,
    pending: Commit | None = None,
) -> dict[str, Any]:
    where = store or MemoryStore("none")
    asked = Query(as_of, pending, "e2-0", NAMES, sql, dict(limits))
    answer = run_gate_query(where, log.tail, asked)
    # whatever it is, a commit can record it
    assert canonical.decode(canonical.encode(answer)) == answer
    return answer


def test_rows_of_the_commit_in_the_making_are_there_and_those_that_came_after_are_not(
    store: Store, log: SampleLog
) -> None:
    # commit 6 is in the log, and may be tabled, as it is in a replay
    run = run_rows("e2-0", "fraud", 2, "r6-0", {"auc": "0.5"})
    renamed = {"table": "names", "entry_id": "e2-0", "entry": "new", "from_name": "fraud"}
    pending = replace(log.commits[5], rows=(*run, renamed))
    sql = "SELECT entry, list(value ORDER BY seq)::VARCHAR FROM eval_scores GROUP BY entry"
    [[entry, seen]] = ask(log, sql, store, pending=pending)["rows"]
    assert entry == "new"
    [[_entry, without]] = ask(log, sql, store)["rows"]
    assert seen == without[:-1] + ", 0.5, 0.5]"


def test_a_gate_gets_one_row_about_the_version_that_it_names(store: Store, log: SampleLog) -> None:
    sql = """
        SELECT l.value >= 0.85 AS passed, l.value AS observed, '>= 0.85' AS required,
            c.version AS held, $stage AS stage, r.time
        FROM latest_scores l JOIN eval_runs r USING (run_id)
        JOIN current_stages c ON c.stage = $stage
        WHERE l.version = $version AND l.entry = $entry AND l.slice = ''
    """
    assert ask(log, sql, store) == {
        "columns": ["passed", "observed", "required", "held", "stage", "time"],
        "rows": [[True, "0.9", ">= 0.85", 1, "prod", "2026-03-03T00:00:05.000000Z"]],
    }


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("entries", 1),
        ("versions", 2),
        ("eval_scores", 4),
        ("latest_scores", 4),
        ("policies", 1),
        ("current_stages", 1),
        ("leaderboard", 2),
        ("events", 7),
        ("placements", 1),
        ("tags", 0),
    ],
)
def test_only_rows_of_the_entry_up_to_the_commit_are_there(
    store: Store, log: SampleLog, table: str, rows: int
) -> None:
    sql = f"SELECT count(*) AS n FROM {table}"
    assert ask(log, sql, store) == {"columns": ["n"], "rows": [[rows]]}


def test_as_of_is_what_was_known_then(store: Store, log: SampleLog) -> None:
    sql = "SELECT count(*), max(value) FROM eval_scores WHERE version = 2"
    values = [ask(log, sql, store, as_of)["rows"] for as_of in (4, 5, 6)]
    assert values == [[[0, None]], [[2, "0.9"]], [[4, "0.9"]]]


def test_rows_come_in_the_order_of_their_table(store: Store, log: SampleLog) -> None:
    sql = "SELECT string_agg(version || slice || run_id, ' ') FROM eval_scores"
    expected = "1r2-2 1class=3r2-2 2r5-0 2class=3r5-0 2r6-0 2class=3r6-0"
    assert ask(log, sql, store, 6)["rows"] == [[expected]]


def test_at_most_two_rows_come_back(log: SampleLog) -> None:
    assert ask(log, "SELECT i FROM range(1000000000) t(i)")["rows"] == [[0], [1]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("NULL", None),
        ("true", True),
        ("12", 12),
        ("9007199254740991", 9007199254740991),
        ("9007199254740992", "9007199254740992"),
        (
            "170141183460469231731687303715884105727::HUGEINT",
            "170141183460469231731687303715884105727",
        ),
        ("0.1::DOUBLE + 0.2::DOUBLE", "0.30000000000000004"),
        ("0.1 + 0.2", "0.3"),
        ("1e-9::DECIMAL(18, 12)", "0.000000001000"),
        ("'nan'::DOUBLE", "nan"),
        ("'-inf'::DOUBLE", "-inf"),
        ("DATE '2026-03-03'", "2026-03-03"),
        ("TIMESTAMP '2026-03-03 09:30:00'", "2026-03-03T09:30:00.000000Z"),
        ("'infinity'::TIMESTAMP", "9999-12-31T23:59:59.999999Z"),
        ("'99999-01-01'::DATE", "99999-01-01"),
        ("'é' || chr(0) || '😀'", "é\0😀"),
        ("repeat('x', 100000)", "x" * 4096),
        ("[1, 2]::VARCHAR", "[1, 2]"),
    ],
)
def test_values_come_back_as_json(log: SampleLog, value: str, expected: object) -> None:
    assert ask(log, f"SELECT {value} AS v") == {"columns": ["v"], "rows": [[expected]]}


@pytest.mark.parametrize(
    "value",
    [
        "[1, 2]",
        "{'a': 1}",
        "MAP {'a': 1}",
        "INTERVAL 1 DAY",
        "'x'::BLOB",
        "TIME '09:30:00'",
        "'2026-01-01'::TIMESTAMPTZ",
        "'1'::JSON",
        "[1.5::DECIMAL(9, 2)]",
    ],
)
def test_a_value_that_json_has_not_is_an_error_that_names_the_column(
    log: SampleLog, value: str
) -> None:
    error = ask(log, f"SELECT {value} AS v")["error"]
    assert error.startswith("column v is of type ")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM read_blob('{file}')",
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_json('{file}')",
        "SELECT * FROM read_parquet('{file}')",
        "SELECT * FROM parquet_metadata('{file}')",
        "SELECT * FROM sniff_csv('{file}')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM 'https://example.org/x.csv'",
        "SELECT * FROM read_text('https://example.org/x.csv')",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM query_table('entries')",
        "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
        "SELECT * FROM arrow_scan(1, 2, 3)",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM pragma_version()",
        "SELECT * FROM duckdb_tables",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM pg_catalog.pg_tables",
        "SELECT * FROM system.main.duckdb_views",
        "SELECT * FROM other.entries",
        "SELECT * FROM (SHOW TABLES)",
        "DESCRIBE entries",
        "SELECT * FROM commits",
        "WITH x AS (DELETE FROM entries RETURNING *) FROM x",
        "WITH x AS (INSERT INTO entries FROM entries RETURNING *) FROM x",
        "SELECT getenv('HOME')",
        "SELECT current_setting('threads')",
        "SELECT getvariable('x')",
        "SELECT set_config('threads', '4')",
        "SELECT nextval('s')",
        "SELECT current_database()",
        "SELECT write_log('x')",
        "SELECT now()",
        "SELECT list_transform([1], lambda x: now())",
        "SELECT (SELECT max(now()) FROM entries)",
        "SELECT ago(INTERVAL 1 DAY)",
        "SELECT current_timestamp",
        "SELECT current_date",
        "SELECT current_user",
        "SELECT today()",
        "SELECT random()",
        "SELECT 1 ORDER BY random()",
        "SELECT uuid()",
        "SELECT txid_current()",
        "SELECT sleep_ms(10)",
        "SELECT * FROM entries USING SAMPLE 1",
        "SELECT * FROM entries TABLESAMPLE 10%",
        "COPY (SELECT 1) TO '{file}.out'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{file}.out'",
        "EXPORT DATABASE '{file}.out'",
        "ATTACH '{file}.out'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "UPDATE EXTENSIONS",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "PRAGMA version",
        "CALL pragma_version()",
        "CREATE TABLE x AS SELECT 1",
        "CREATE SECRET s (TYPE s3)",
        "DROP TABLE entries",
        "INSERT INTO entries SELECT * FROM entries",
        "UPDATE entries SET kind = 'x'",
        "DELETE FROM entries",
        "PREPARE p AS SELECT 1",
        "CHECKPOINT",
        "PIVOT entries ON kind USING count(*)",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY (SELECT 1) TO '{file}.out'",
        "",
        "-- nothing",
        "SELEC 1",
        "SELECT $nope",
        "SELECT ?",
        "SELECT nope FROM entries",
        "SELECT 'x'::INTEGER",
        "SELECT error('no')",
        f"SELECT {'(' * 5000}1{')' * 5000}",
        f"SELECT 1{' + 1' * 10_000}",
        f"SELECT '{'x' * MAX_QUERY}'",
        "SELECT " + ", ".join(f"{number} AS c{number}" for number in range(51)),
    ],
)
def test_what_reaches_out_varies_or_is_wrong_is_an_error_in_one_line(
    log: SampleLog, tmp_path: Path, sql: str
) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("password\nhunter2\n", "utf-8")
    sql = sql.replace("{file}", str(file))
    answer = ask(log, sql)
    assert list(answer) == ["error"]
    assert answer["error"]
    assert "\n" not in answer["error"]
    assert "hunter2" not in answer["error"]
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
    assert ask(log, sql) == answer


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(1000000000) a, range(1000000000) b",
        "SELECT list(i) FROM range(1000000000) t(i)",
        "SELECT repeat('x', 4000000000)",
        "SELECT len(list_sort(list_transform(range(100000000), lambda x: -x)))",
        "SELECT string_agg(repeat('x', 1000) || i, '') FROM range(10000000) t(i)",
        "SELECT * FROM range(100000000) t(i) ORDER BY hash(i)",
    ],
)
def test_a_query_that_wants_too_much_memory_says_so(log: SampleLog, sql: str) -> None:
    assert ask(log, sql) == {"error": "the query needs more than 100 MB of memory"}


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT max(i) FROM r",
        "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3",
    ],
)
def test_a_query_that_takes_too_long_says_so(log: SampleLog, sql: str) -> None:
    answer = ask(log, sql, limits={"timeout_s": 1, "memory_mb": 100})
    assert answer == {"error": "the query took longer than 1 s"}


def test_rows_that_do_not_fit_say_so() -> None:
    log = SampleLog()
    for k in range(40):
        log.add(
            *(
                {
                    "table": "tags",
                    "entry_id": "e2-0",
                    "entry": "fraud",
                    "key": f"{k}-{n}",
                    "value": f"{k}-{n} " * 8000,
                }
                for n in range(10)
            )
        )
    answer = ask(log, "SELECT count(*) FROM tags", as_of=40, limits={"memory_mb": 8})
    assert answer == {"error": "the rows of the entry need more than 8 MB of memory"}


def test_a_worker_that_died_between_two_queries_is_replaced(log: SampleLog) -> None:
    assert ask(log, "SELECT 1 AS n")["rows"] == [[1]]
    worker = sandbox._workers[-1]  # noqa: SLF001 - to kill it
    worker._process.kill()  # noqa: SLF001
    worker._process.wait()  # noqa: SLF001
    assert ask(log, "SELECT 1 AS n")["rows"] == [[1]]


def test_a_worker_that_dies_over_a_query_is_an_error() -> None:
    worker = sandbox._Worker()  # noqa: SLF001 - to kill it
    worker._process.kill()  # noqa: SLF001
    answer = worker.ask({"sql": "SELECT 1", "timeout_s": 1, "memory_mb": 100})
    assert answer == {
        "error": "the query broke the process that ran it, limited to 100 MB of memory"
    }
    assert not worker.usable


def test_a_worker_that_does_not_end_a_query_is_ended(
    log: SampleLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(log, "SELECT 1 AS n")["rows"] == [[1]]
    # so the worker has not even begun when its time is up
    monkeypatch.setattr(sandbox, "_GRACE_S", -0.99999)
    sql = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3"
    answer = ask(log, sql, limits={"timeout_s": 1, "memory_mb": 100})
    assert answer == {"error": "the query took longer than 1 s"}
    assert sandbox._workers == []  # noqa: SLF001 - it is gone


def test_a_worker_serves_one_query_after_another(log: SampleLog) -> None:
    ask(log, "SELECT 1 AS n")
    before = list(sandbox._workers)  # noqa: SLF001 - is it the same?
    assert ask(log, "SELECT nope")["error"]
    assert ask(log, "SELECT count(*) AS n FROM versions")["rows"] == [[2]]
    assert sandbox._workers == before  # noqa: SLF001


def test_a_damaged_file_of_the_registry_is_raised_and_not_the_querys_fault(
    log: SampleLog,
) -> None:
    store = MemoryStore("damaged")
    with duck.connect() as con:
        table_pending(store, con, log.read, 1)
    store.put(TableFile("policies", Span(1, 1)).key, b"no Parquet file")
    with pytest.raises(IntegrityError):
        ask(log, "SELECT count(*) FROM policies", store)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT nullif(1, 2), list_sum([1, 2]), round_even(1.5, 0)",
        "WITH x AS (FROM versions), y AS (FROM x) SELECT count(*) FROM y, unnest([1, 2]) u(v)",
        "SELECT row_number() OVER (ORDER BY seq), lag(seq) OVER (ORDER BY seq) FROM main.versions",
        "SELECT median(value), quantile_cont(value, 0.9), stddev(value) FROM eval_scores",
        "SELECT date_diff('day', min(time), max(time)) FROM eval_runs",
        "SELECT regexp_matches(entry, '^f'), json_extract_string(params, '$.a') FROM versions",
        "SELECT * FROM generate_series(1, 2), range(2), json_each('{\"a\": 1}')",
        "SELECT v.version FROM versions v ANTI JOIN placements p ON p.to_version = v.version",
    ],
)
def test_what_is_about_rows_alone_may_run(sql: str) -> None:
    assert check(sql).objection == ""


def test_the_tables_of_a_query_are_told_from_its_own_names() -> None:
    sql = "WITH x AS (FROM Versions) SELECT $entry, (SELECT 1 FROM tags) FROM x, leaderboard"
    assert check(sql).tables == {"versions", "tags", "leaderboard"}
