"""MLflow: one run of the file store and of the database, and stores that lie."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from regista.evalformats import mlflow_sqlite
from regista.evalformats.mlflow_runs import FORMAT
from regista.evalformats.protocol import Choice
from support.evalfiles import FIXTURES, peek_at, refusal, scores_of, written

STORE = FIXTURES / "mlflow" / "mlruns"
DATABASE = FIXTURES / "mlflow" / "mlflow.db"
EXPERIMENT = STORE / "918641432179267810"
GOOD = EXPERIMENT / "7dabb724f7694c15ad767ab0664083dc"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return shutil.copytree(STORE, tmp_path / "mlruns")


@pytest.fixture
def run_folder(store: Path) -> Path:
    return store / EXPERIMENT.name / GOOD.name


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return Path(shutil.copy(DATABASE, tmp_path / "m.db"))


def execute(database: Path, sql: str) -> None:
    with closing(sqlite3.connect(database)) as con:
        con.executescript(sql)


@pytest.mark.parametrize("path", [STORE, DATABASE])
def test_both_stores_have_what_was_logged(path: Path) -> None:
    # the script that made them logged accuracy 0.5, 0.6 and 0.75 at steps 0, 1 and 2
    run = FORMAT.read(path, Choice(run="good"))
    assert run.scores == [
        {"metric": "accuracy", "value": "0.75"},
        {"metric": "eval/f1 score", "value": "0.7"},
        {"metric": "loss", "value": "0.25"},
    ]
    assert (run.suite, run.status, run.harness) == ("capitals", "complete", "mlflow")
    assert run.dataset == "capitals-v2@15398bb2"
    assert run.code == COMMIT
    assert run.time.startswith("2026-11-25T14:34:")
    assert run.note.endswith(" good, FINISHED")
    assert run.samples is None
    assert FORMAT.recognises(peek_at(path))


@pytest.mark.parametrize("path", [STORE, DATABASE])
def test_a_run_that_raised_is_failed(path: Path) -> None:
    run = FORMAT.read(path, Choice(run="bad"))
    assert run.status == "failed"
    assert run.scores == [{"metric": "accuracy", "value": "0.1"}]


@pytest.mark.parametrize("path", [STORE, DATABASE])
def test_a_number_that_is_not_finite_is_refused(path: Path) -> None:
    message = refusal(FORMAT, path, Choice(run="nan"))
    assert "metric 'accuracy' is" in message
    assert "which is not a finite number" in message


def test_an_infinity_of_the_database_is_none_either(database: Path) -> None:
    execute(database, "DELETE FROM latest_metrics WHERE key = 'accuracy'")
    assert "metric 'ratio'" in refusal(FORMAT, database, Choice(run="nan"))


@pytest.mark.parametrize("path", [STORE, EXPERIMENT, DATABASE])
def test_of_several_runs_one_must_be_chosen(path: Path) -> None:
    message = refusal(FORMAT, path)
    assert f"'{path.name}' holds 3 runs [choose one with --run: '" in message
    assert "has no run 'other'" in refusal(FORMAT, path, Choice(run="other"))


def test_a_run_is_chosen_by_its_id_or_its_folder() -> None:
    by_name = FORMAT.read(STORE, Choice(run="good"))
    assert FORMAT.read(STORE, Choice(run=GOOD.name)) == by_name
    assert FORMAT.read(GOOD, Choice()) == by_name
    assert FORMAT.recognises(peek_at(GOOD))
    assert FORMAT.recognises(peek_at(EXPERIMENT))


def test_a_name_that_two_runs_have_chooses_none(database: Path) -> None:
    execute(database, "UPDATE runs SET name = 'good'")
    message = refusal(FORMAT, database, Choice(run="good"))
    assert "has 3 runs named 'good' [choose one with --run by its id: " in message


def test_deleted_runs_are_not_there(database: Path, store: Path, run_folder: Path) -> None:
    execute(database, "UPDATE runs SET lifecycle_stage = 'deleted' WHERE name = 'good'")
    meta = run_folder / "meta.yaml"
    meta.write_text(meta.read_text().replace("lifecycle_stage: active", "lifecycle_stage: deleted"))
    for path in (database, store):
        assert "has no run 'good'" in refusal(FORMAT, path, Choice(run="good"))


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("FINISHED", "complete"),
        ("KILLED", "failed"),
        ("RUNNING", "partial"),
        ("SCHEDULED", "partial"),
    ],
)
def test_a_status_is_what_became_of_the_run(status: str, ours: str, database: Path) -> None:
    execute(database, f"UPDATE runs SET status = '{status}'")
    assert FORMAT.read(database, Choice(run="good")).status == ours


def test_of_two_datasets_the_one_for_evaluation_counts(run_folder: Path) -> None:
    (first,) = (run_folder / "inputs").iterdir()
    shutil.copytree(first, run_folder / "inputs" / "other")
    meta = run_folder / "inputs" / "other" / "meta.yaml"
    meta.write_text(meta.read_text().replace("context: eval", "context: training"))
    assert FORMAT.read(run_folder, Choice()).dataset == "capitals-v2@15398bb2"
    (first / "meta.yaml").write_text(meta.read_text())
    assert FORMAT.read(run_folder, Choice()).dataset == ""


@pytest.mark.parametrize("source", ["../../0", "..", "/etc", "none", ""])
def test_an_input_cannot_name_another_folder(source: str, run_folder: Path) -> None:
    (first,) = (run_folder / "inputs").iterdir()
    written(first / "meta.yaml", f"source_id: '{source}'\n")
    assert FORMAT.read(run_folder, Choice()).dataset == ""


def test_the_greatest_step_counts_and_not_the_last_line(run_folder: Path) -> None:
    written(run_folder / "metrics" / "accuracy", "5 0.9 2\n9 0.1 1\n\n4 0.8 2\n")
    assert scores_of(FORMAT.read(run_folder, Choice()))["", "accuracy", ""]["value"] == "0.9"
    written(run_folder / "metrics" / "accuracy", "5 0.90\n")
    assert scores_of(FORMAT.read(run_folder, Choice()))["", "accuracy", ""]["value"] == "0.90"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the metric 'accuracy' has no value"),
        ("1", "metric 'accuracy', line 1: it is not TIME VALUE STEP"),
        ("1 0.5 0\n1 x 0\n", "line 2: it is not TIME VALUE STEP"),
        ("1 " + "5" * 9000, "it is not TIME VALUE STEP"),
        (b"\xff", "cannot read metric 'accuracy'"),
    ],
)
def test_a_broken_metric_is_named(text: str | bytes, message: str, run_folder: Path) -> None:
    written(run_folder / "metrics" / "accuracy", text)
    assert message in refusal(FORMAT, run_folder)


def test_a_link_is_not_followed(run_folder: Path, tmp_path: Path) -> None:
    secret = written(tmp_path / "secret" / "s", "1 42 0\n")
    (run_folder / "metrics" / "linked").symlink_to(secret)
    (run_folder / "metrics" / "folder").symlink_to(secret.parent)
    assert len(FORMAT.read(run_folder, Choice()).scores) == 3


@pytest.mark.parametrize("text", [b"\xff", b"a: [", b"&a [*a]", b"x" * (2 << 20)])
def test_a_meta_file_that_is_broken_is_refused(text: bytes, run_folder: Path) -> None:
    written(run_folder / "meta.yaml", text)
    assert "meta.yaml" in refusal(FORMAT, run_folder)
    assert not FORMAT.recognises(peek_at(run_folder))


def test_an_empty_folder_is_none_of_mlflow(tmp_path: Path) -> None:
    assert not FORMAT.recognises(peek_at(tmp_path))
    assert "has no run in it" in refusal(FORMAT, tmp_path)


@pytest.mark.parametrize("kept", [0, 100, 10_000, 30_000])
def test_a_truncated_database_is_refused(kept: int, tmp_path: Path) -> None:
    path = written(tmp_path / "m.db", DATABASE.read_bytes()[:kept])
    assert "'m.db'" in refusal(FORMAT, path, Choice(run="good"))


def test_another_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    execute(path, "CREATE TABLE runs (a)")
    assert "is no database of MLflow: it has no table experiments" in refusal(FORMAT, path)
    assert not FORMAT.recognises(peek_at(path))
    assert "cannot be read as a database" in refusal(FORMAT, tmp_path / "none.db")


def test_a_view_is_not_asked_for_runs(database: Path) -> None:
    execute(database, "ALTER TABLE runs RENAME TO old; CREATE VIEW runs AS SELECT * FROM old")
    assert "it has no table runs" in refusal(FORMAT, database)


def test_a_query_that_does_not_end_is_broken_off(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow_sqlite, "_STEPS_AT_ONCE", 10)
    monkeypatch.setattr(mlflow_sqlite, "_MAX_STEPS", 0)
    assert "cannot be read as a database of MLflow: interrupted" in refusal(FORMAT, database)


def test_a_metric_that_is_no_number_is_named(database: Path) -> None:
    execute(database, "UPDATE latest_metrics SET value = 'x' WHERE key = 'loss'")
    assert "metric 'loss' is not a number" in refusal(FORMAT, database, Choice(run="good"))


def test_an_old_database_has_no_datasets(database: Path) -> None:
    execute(database, "DROP TABLE input_tags; DROP TABLE inputs; DROP TABLE datasets")
    assert FORMAT.read(database, Choice(run="good")).dataset == ""


def test_a_store_is_only_read(database: Path) -> None:
    before = database.read_bytes()
    FORMAT.read(database, Choice(run="good"))
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == ["m.db"]
