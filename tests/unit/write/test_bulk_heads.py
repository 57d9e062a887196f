"""Bulk checkpoints: folded a version at a time, heads are what the log's order gives."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regista.decide.keys import encode_head
from regista.decide.state import Overlay
from regista.errors import IntegrityError, StorageError
from regista.model import canonical
from regista.read.replica import Replica, fold_commit
from regista.registry.core import Registry
from regista.storage.checkpoint import Checkpoint, load_latest
from regista.storage.checkpointer import prune
from regista.storage.memory import MemoryStore
from regista.write import importing
from regista.write.bulk_heads import checkpoint_import, rebuild_checkpoint
from support.chance import run_at_random
from support.import_folders import WORLD, Rows, write_folder
from support.registries import (
    GATED,
    apply_policy,
    new_registry,
    register,
    register_request,
    reopen,
)


def naive(replica: Replica) -> dict[str, Any]:
    """Fold the whole log in its own order, in memory."""
    heads = Overlay(lambda _key: None)
    for seq in range(1, replica.log.head() + 1):
        commit = replica.log.read(seq)[0]
        fold_commit(heads, commit, replica.data_rows(commit))
    return {
        key: json.loads(json.dumps(encode_head(value)))
        for key, value in heads.changed.items()
        if value is not None
    }


def latest(registry: Registry) -> Checkpoint:
    checkpoint = load_latest(registry.replica.store, registry.replica.log)
    assert checkpoint is not None
    return checkpoint


def happen(registry: Registry, seed: int) -> None:
    """Let all sorts of things happen, scores and files by digest among them."""

    def make(content: str, name: str = "m", **options: Any) -> Any:
        return register_request(registry.replica.store, name, content, **options)

    run_at_random(registry.submit_all, make, seed=seed, commits=15)
    register(registry, "gone", "1")
    registry.rename("gone", "kept")
    register(registry, "gone", "2")
    many = [{"metric": f"m{k:04}", "value": k / 7} for k in range(510)]
    slices = [{"metric": "acc", "value": 0.5, "slice": f"s{k:04}"} for k in range(510)]
    registry.log_eval("m@latest", "many", many)
    registry.log_eval("m@latest", "sliced", [*slices, {"metric": "acc", "value": 0.25}])
    for number in (1, 2):
        register(registry, "drilled", f"{number}")
        registry.promote(f"drilled@{number}", "prod")
    for _ in range(4):
        register(registry, "equal", "same", force_new=True)
    registry.demote("equal", "dev")
    for number in (4, 2):
        registry.delete(f"equal@{number}", purge=number == 2)
    register(registry, "equal", "same", force_new=True)
    registry.demote("equal", "dev")
    registry.delete("equal@5")
    registry.drill("drilled", "prod")
    registry.demote("drilled", "prod")
    apply_policy(registry, GATED)


@pytest.mark.parametrize("seed", range(3))
def test_heads_made_anew_are_those_of_the_log(seed: int, tmp_path: Path) -> None:
    registry = new_registry()
    happen(registry, seed)
    registry.import_bulk(write_folder(tmp_path / "given", WORLD))
    registry.tag("fraud/card@1", {"later": "yes"})
    register(registry, "fraud/card", "three")
    registry.log_eval("fraud/card@1", "holdout", {"acc": "0.9"})
    registry.promote("fraud/card@3", "prod")
    registry.rename("fraud/card", "elsewhere")
    prune(registry.replica.store, keep=0)
    checkpoint = rebuild_checkpoint(registry.replica)
    assert checkpoint is not None
    assert checkpoint.seq == registry.replica.log.head()
    assert dict(checkpoint.items()) == naive(registry.replica)
    assert registry.verify().ok


def test_an_import_extends_what_was_there_before(tmp_path: Path) -> None:
    registry = new_registry()
    happen(registry, 5)
    registry.compact()
    registry.alias("m@latest", "best")
    registry.import_bulk(write_folder(tmp_path / "given", WORLD))
    assert latest(registry).seq == registry.replica.log.head()
    assert dict(latest(registry).items()) == naive(registry.replica)


def test_equal_versions_of_an_import_count_as_the_log_has_them(tmp_path: Path) -> None:
    entries: Rows = [{"entry": name, "kind": "model"} for name in ("a", "b")]
    versions: Rows = [
        {"entry": name, "version": number, "digest": digest * 32}
        for name in ("a", "b")
        for number, digest in enumerate(("ab", "cd", "ab", "ab", "cd"), 1)
    ]
    statuses: Rows = [
        {"entry": "a", "version": number, "status": status}
        for number, status in ((1, "archived"), (2, "deleted"), (4, "deleted"), (5, "deleted"))
    ]
    given = {"entries": entries, "versions": versions, "statuses": statuses}
    registry = new_registry()
    registry.import_bulk(write_folder(tmp_path / "given", given))
    assert dict(latest(registry).items()) == naive(registry.replica)
    registry.delete("a@3")
    registry.rebuild()
    assert dict(latest(registry).items()) == naive(registry.replica)


def test_a_second_import_extends_the_first(tmp_path: Path) -> None:
    registry = new_registry()
    registry.import_bulk(write_folder(tmp_path / "one", WORLD))
    renamed = {
        name: [{**row, "entry": f"{row['entry']}-2"} if "entry" in row else row for row in rows]
        for name, rows in WORLD.items()
    }
    registry.import_bulk(write_folder(tmp_path / "two", renamed))
    assert dict(latest(registry).items()) == naive(registry.replica)


texts = st.text("abc", min_size=1, max_size=2)
digests = st.sampled_from(["ab" * 32, "ab" * 4 + "cd" * 28, "ef" * 32])


@st.composite
def folders(draw: st.DrawFn) -> dict[str, Rows]:
    """Draw a folder that is in order: every link leads somewhere, every grain is unique."""
    entries = draw(st.lists(texts, min_size=1, max_size=4, unique=True))
    counts = {entry: draw(st.integers(0, 4)) for entry in entries}
    versions = [(entry, v) for entry, count in counts.items() for v in range(1, count + 1)]
    tables: dict[str, Rows] = {
        "entries": [{"entry": entry, "kind": "model"} for entry in entries],
        "versions": [
            {"entry": entry, "version": v, "digest": draw(digests), "run": draw(texts),
             "label": draw(st.sampled_from([None, f"1.{v}"]))}
            for entry, v in versions
        ],
    }  # fmt: skip
    if not versions:
        entry = entries[0]
        return {**tables, "versions": [{"entry": entry, "version": 1, "digest": draw(digests)}]}
    some = st.lists(st.sampled_from(versions), max_size=5)

    def rows(name: str, grain: tuple[str, ...], **columns: st.SearchStrategy[Any]) -> None:
        found = {}
        for entry, version in draw(some):
            row = {"entry": entry, "version": version}
            row |= {column: draw(strategy) for column, strategy in columns.items()}
            found[tuple(row[column] for column in grain)] = row
        if found:
            tables[name] = list(found.values())

    version = ("entry", "version")
    rows("tags", (*version, "key"), key=texts, value=st.text("ab", max_size=1))
    rows("lineage", (*version, "relation", "target"), relation=st.just("base"), target=texts)
    rows("aliases", ("entry", "alias"), alias=texts)
    rows("placements", ("entry", "stage"), stage=st.sampled_from(["staging", "prod"]))
    rows("eval_runs", ("run_id",), run_id=texts, suite=texts, status=st.just("partial"))
    score = {
        "task": st.none() | texts,
        "metric": texts,
        "slice": st.none() | texts,
        "value": st.floats(allow_nan=False, allow_infinity=False),
        "stderr": st.none() | st.floats(0, 1),
        "n": st.none() | st.integers(0, 9),
        "higher_is_better": st.none() | st.booleans(),
    }
    if tables.get("eval_runs"):
        runs = st.sampled_from([row["run_id"] for row in tables["eval_runs"]])
        drawn = draw(st.lists(st.fixed_dictionaries({"run_id": runs, **score}), max_size=60))
        grain = ("run_id", "task", "metric", "slice")
        unique = {tuple(row[column] for column in grain): row for row in drawn}
        if unique:
            tables["eval_scores"] = list(unique.values())
    return tables


@settings(max_examples=8, deadline=None)
@given(folders())
def test_heads_of_any_import_are_those_of_the_log(
    tmp_path_factory: pytest.TempPathFactory, tables: dict[str, Rows]
) -> None:
    registry = new_registry()
    registry.import_bulk(write_folder(tmp_path_factory.mktemp("given"), tables))
    expected = naive(registry.replica)
    assert dict(latest(registry).items()) == expected
    prune(registry.replica.store, keep=0)
    rebuilt = rebuild_checkpoint(registry.replica)
    assert rebuilt is not None
    assert dict(rebuilt.items()) == expected


def test_a_run_keeps_as_many_main_scores_as_the_log_gives_it(tmp_path: Path) -> None:
    registry = new_registry()
    scores: Rows = [{"run_id": "b", "metric": f"m{k:03}", "value": k} for k in range(100)]
    scores += [{"run_id": "a", "metric": "acc", "value": 1}]
    registry.import_bulk(write_folder(tmp_path / "given", {**WORLD, "eval_scores": scores}))
    assert dict(latest(registry).items()) == naive(registry.replica)


def test_a_kill_before_the_checkpoint_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = new_registry()

    def fail(*_arguments: object) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(importing, "checkpoint_import", fail)
        registry.import_bulk(write_folder(tmp_path / "given", WORLD))
    assert [text for text in registry.writer.warnings if "regista rebuild" in text]
    assert load_latest(registry.replica.store, registry.replica.log) is None
    again = reopen(registry.replica.store)
    assert again.resolve("fraud/card@prod").version == 1
    assert again.promote("fraud/card@2", "prod").seq == 3
    again.rebuild()
    assert dict(latest(again).items()) == naive(again.replica)
    assert again.verify().ok


def test_an_import_after_one_without_a_checkpoint_makes_all_heads_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = new_registry()
    with monkeypatch.context() as patch:
        patch.setattr(importing, "checkpoint_import", lambda *_arguments: None)
        registry.import_bulk(write_folder(tmp_path / "given", WORLD))
    other: dict[str, Rows] = {
        "entries": [{"entry": "z", "kind": "prompt"}],
        "versions": [{"entry": "z", "version": 1, "uri": "file:///z"}],
    }
    registry.import_bulk(write_folder(tmp_path / "other", other))
    assert latest(registry).seq == 3
    assert dict(latest(registry).items()) == naive(registry.replica)


def test_a_checkpoint_of_what_has_one_already_is_not_made_again(tmp_path: Path) -> None:
    registry = new_registry()
    registry.import_bulk(write_folder(tmp_path / "given", WORLD))
    registry.tag("digits", {"a": "b"})
    registry.compact()
    commit, digest = registry.replica.log.read(2)
    found = checkpoint_import(registry.replica, commit, digest)
    assert found is not None
    assert found.seq == 3


def test_an_empty_log_has_no_checkpoint() -> None:
    assert rebuild_checkpoint(Replica(MemoryStore("empty"), "0" * 32)) is None


def test_a_missing_data_file_is_told(tmp_path: Path) -> None:
    registry = new_registry()
    registry.import_bulk(write_folder(tmp_path / "given", WORLD))
    store = registry.replica.store
    [key] = store.list_after("data/eval_scores/")
    store.delete(key)
    with pytest.raises(IntegrityError, match="is missing"):
        rebuild_checkpoint(registry.replica)


def test_a_checkpoint_of_another_format_is_as_none() -> None:
    registry = new_registry()
    happen(registry, 3)
    registry.compact()
    store = registry.replica.store
    for key in [key for key in store.list_after("checkpoints/") if key.endswith("manifest.json")]:
        body = canonical.decode(store.get(key) or b"")
        del body["digest"]
        body["format"] = 2
        store.put(key, canonical.encode({**body, "digest": canonical.digest(body)}) + b"\n")
    assert load_latest(store, registry.replica.log) is None
    later = reopen(store)
    assert later.replica.refresh().seq == registry.replica.refresh().seq
    assert later.verify().problems == []
    later.compact()
    assert dict(latest(later).items()) == naive(later.replica)
    assert later.verify().problems == []
