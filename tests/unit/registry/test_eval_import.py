"""`log_eval` from a file: what it says is kept, what is given counts more, twice is once."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

import regista
from regista.errors import InvalidInputError
from regista.registry.core import Registry
from support.cli import Cli

RUN = {
    "suite": "holdout", "dataset": "data of@today", "harness": "h", "harness_version": "2",
    "code": "abc", "time": "2026-03-03T09:30:00+01:00", "note": "key sk-proj-" + "x" * 30,
    "scores": [{"metric": "acc", "value": 0.10, "stderr": 0.01, "n": 9, "direction": "higher"}],
}  # fmt: skip


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = regista.init(str(tmp_path / "registry"), actor="ada").registry
    model = tmp_path / "m"
    model.write_text("m")
    made.register("m", model)
    model.write_text("n")
    made.register("m", model)
    return made


def file_of(tmp_path: Path, value: object = RUN) -> Path:
    path = tmp_path / "run.json"
    path.write_text(json.dumps(value))
    return path


def runs(registry: Registry) -> list[dict[str, Any]]:
    found = registry.sql("FROM eval_runs ORDER BY seq")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def test_what_the_file_says_is_kept(registry: Registry, tmp_path: Path) -> None:
    result = registry.log_eval("m@1", from_file=file_of(tmp_path))
    assert (result.suite, result.scores, result.created) == ("holdout", 1, True)
    [row] = runs(registry)
    assert [row[key] for key in ("suite", "dataset", "harness", "harness_version", "code")] == [
        "holdout", "data of at today", "h", "2", "abc",
    ]  # fmt: skip
    assert row["evaluated_at"].isoformat() == "2026-03-03T08:30:00"
    assert row["note"] == "key [redacted]"
    assert registry.verify().problems == []


def test_what_is_given_counts_more(registry: Registry, tmp_path: Path) -> None:
    registry.log_eval(
        "m@1", "mine", {"extra": "1"}, from_file=file_of(tmp_path), status="partial",
        dataset="other", harness="me", note="n",
    )  # fmt: skip
    [row] = runs(registry)
    assert [row[key] for key in ("suite", "status", "dataset", "harness", "note", "scores")] == [
        "mine", "partial", "other", "me", "n", 2,
    ]  # fmt: skip


def test_the_same_file_again_is_the_run_that_it_was(registry: Registry, tmp_path: Path) -> None:
    path = file_of(tmp_path)
    first = registry.log_eval("m@1", from_file=path)
    registry.log_eval("m@1", "holdout", {"acc": "0.2"})
    again = registry.log_eval("m@1", from_file=path)
    assert not again.created
    assert (again.run_id, again.seq, again.commit) == (first.run_id, first.seq, first.commit)
    assert (again.scores, again.samples) == (1, 0)
    assert len(runs(registry)) == 2
    forced = registry.log_eval("m@1", from_file=path, force_new=True)
    assert forced.created
    assert registry.log_eval("m@1", from_file=path).run_id == forced.run_id
    assert registry.verify().problems == []


@pytest.mark.parametrize(
    "change",
    [
        {"ref": "m@2"}, {"suite": "other"}, {"dataset": "d"}, {"status": "partial"},
        {"note": "n"}, {"samples": [{"id": 1, "metric": "acc", "value": 1}]},
        {"scores": {"f1": "1"}},
    ],
)  # fmt: skip
def test_whatever_is_said_otherwise_makes_another_run(
    registry: Registry, tmp_path: Path, change: dict[str, Any]
) -> None:
    path = file_of(tmp_path)
    registry.log_eval("m@1", from_file=path)
    assert registry.log_eval(**{"ref": "m@1", **change}, from_file=path).created


def test_scores_that_are_given_by_hand_are_a_run_each_time(registry: Registry) -> None:
    for _ in range(2):
        assert registry.log_eval("m@1", "s", {"acc": "0.5"}).created


def test_a_pinned_dataset_that_moved_makes_another_run(registry: Registry, tmp_path: Path) -> None:
    data = tmp_path / "d"
    data.write_text("1")
    registry.register("data", data, kind="dataset")
    path = file_of(tmp_path)
    registry.log_eval("m@1", from_file=path, dataset="data@latest")
    assert not registry.log_eval("m@1", from_file=path, dataset="data@1").created
    data.write_text("2")
    registry.register("data", data)
    assert registry.log_eval("m@1", from_file=path, dataset="data@latest").created


def test_twice_in_one_commit_is_once(registry: Registry, tmp_path: Path) -> None:
    path = file_of(tmp_path)
    with registry.transaction() as tx:
        tx.log_eval("m@1", from_file=path)
        assert not tx.log_eval("m@1", from_file=path).created
    assert len(runs(registry)) == 1
    assert registry.verify().problems == []


def test_the_index_is_the_same_after_a_rebuild(registry: Registry, tmp_path: Path) -> None:
    path = file_of(tmp_path)
    registry.log_eval("m@1", from_file=path)
    registry.rebuild()
    fresh = regista.open(registry.uri, actor="ada")
    assert fresh.verify().problems == []
    assert not fresh.log_eval("m@1", from_file=path).created


def test_without_a_suite_or_a_file_the_error_says_so(registry: Registry, tmp_path: Path) -> None:
    nameless = file_of(tmp_path, {"acc": 1})
    with pytest.raises(InvalidInputError, match=r"'run.json' does not say of which suite"):
        registry.log_eval("m@1", from_file=nameless)
    with pytest.raises(InvalidInputError, match="no suite is given"):
        registry.log_eval("m@1", scores={"a": "1"})
    with pytest.raises(InvalidInputError, match="no file to choose from"):
        registry.log_eval("m@1", "s", {"a": "1"}, run="x")
    assert runs(registry) == []


def test_a_time_that_is_none_is_kept_in_words(registry: Registry, tmp_path: Path) -> None:
    registry.log_eval("m@1", from_file=file_of(tmp_path, {**RUN, "time": "noon", "note": ""}))
    [row] = runs(registry)
    assert (row["evaluated_at"], row["note"]) == (None, "run at noon")


def test_texts_are_kept_apart_redacted_and_purged(registry: Registry, tmp_path: Path) -> None:
    samples = [
        {"id": "a", "metric": metric, "value": 1, "input": "tell me",
         "output": "ghp_" + "a" * 36 + " is it"}
        for metric in ("acc", "f1")
    ]  # fmt: skip
    path = file_of(tmp_path)
    registry.log_eval("m@1", from_file=path, samples=samples)
    assert runs(registry)[0]["texts_digest"] is None
    registry.log_eval("m@1", from_file=path, samples=samples, keep_texts=True)
    digest = runs(registry)[1]["texts_digest"]
    blob = Path(registry.uri) / "blobs" / "sha256" / digest[:2] / digest
    with duckdb.connect() as con:
        texts = con.execute(f"FROM read_parquet('{blob}')").fetchall()
    assert texts == [("", "a", "tell me", "[redacted] is it")]
    assert not registry.log_eval("m@1", from_file=path, samples=samples, keep_texts=True).created
    assert registry.verify(deep=True).problems == []
    registry.demote("m", "dev")
    registry.delete("m@1", purge=True)
    registry.gc()
    assert not blob.exists()
    assert registry.verify(deep=True).problems == []


def test_what_every_tool_wrote_goes_into_a_registry(registry: Registry) -> None:
    folders = Path(__file__).parents[2] / "data" / "evals"
    chosen = {"mlflow": "good", "promptfoo": "plain"}
    files = [
        path
        for folder in sorted(folders.iterdir())
        for path in sorted(folder.iterdir())
        if path.name not in {"README.md", "version2.json"} and not path.name.startswith("samples_")
    ]
    for path in files:
        options: dict[str, Any] = {
            "from_file": path, "run": chosen.get(path.parent.name), "keep_texts": True,
        }  # fmt: skip
        assert registry.log_eval("m@1", path.name, **options).created
        assert not registry.log_eval("m@1", path.name, **options).created
    assert len(runs(registry)) == len(files) > 15
    assert registry.verify().problems == []


def test_the_command_line_says_that_nothing_was_added(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    (tmp_path / "m.txt").write_text("m")
    file_of(tmp_path)
    assert cli.inside("init").code == 0
    assert cli.inside("register", "m", "m.txt").code == 0
    line = ("eval", "log", "m@1", "--from", "run.json")
    assert "has a new complete run of holdout" in cli.inside(*line).out
    again = cli.inside(*line)
    assert again.code == 0
    assert "nothing was added; to add it once more, use --force-new" in " ".join(again.out.split())
    assert json.loads(cli.inside(*line, "--json").out)["created"] is False
    assert json.loads(cli.inside(*line, "--json", "--force-new").out)["created"] is True
    (tmp_path / "rows.csv").write_text("name,x\nacc,0.5\n")
    mapped = ("--from", "rows.csv", "--map", "metric=name", "--map", "value=x", "--suite", "s")
    assert cli.inside("eval", "log", "m@1", *mapped).code == 0
