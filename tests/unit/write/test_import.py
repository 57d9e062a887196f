"""Bulk import: what was given is there, all of it or nothing, and once."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regista.decide.heads import LineageHead, VersionHead
from regista.errors import (
    InvalidInputError,
    NotFoundError,
    RefusedError,
    RegistaError,
    TxidReusedError,
)
from regista.model.canonical import sha256_hex
from regista.model.manifest import Manifest
from regista.registry.core import Registry
from regista.storage.blobs import get_blob
from regista.storage.memory import MemoryStore
from regista.write import import_checks
from regista.write.importing import STEPS
from support.import_folders import URI, WORLD, Rows, write_folder, write_parquet
from support.registries import STAGES, artifact, new_registry, register, reopen

Change = Callable[[dict[str, Rows]], object]


def world(**changes: Rows) -> dict[str, Rows]:
    return {**{name: [dict(row) for row in rows] for name, rows in WORLD.items()}, **changes}


def imported(tmp_path: Path, **changes: Rows) -> Registry:
    registry = new_registry()
    registry.import_bulk(write_folder(tmp_path / "given", world(**changes)))
    return registry


def head(registry: Registry, number: int, name: str = "fraud/card") -> VersionHead:
    state = registry.replica.refresh()
    return state.version(state.entry(name), number)


def test_entries_versions_and_what_they_hold_are_there(tmp_path: Path) -> None:
    registry = imported(tmp_path)
    prod = registry.resolve("fraud/card@prod")
    assert (prod.version, prod.stages, prod.kind, prod.status) == (1, ["prod"], "model", "active")
    assert registry.resolve("fraud/card@staging").version == 2
    assert registry.resolve("fraud/card@best").version == 2
    assert registry.resolve("fraud/card@1.0").version == 1
    assert registry.resolve("fraud/card@sha256:abababab").version == 2
    entry = registry.replica.refresh().entry("fraud/card")
    assert (entry.last_version, entry.description, entry.tags) == (2, "about m", {"owner": "ann"})
    assert entry.slots["prod"].action == "imported"
    assert registry.replica.refresh().slot(entry.entry_id, "prod").stack == [1]


def test_a_version_is_as_it_was_given(tmp_path: Path) -> None:
    registry = imported(tmp_path)
    first, second = head(registry, 1), head(registry, 2)
    dataset = registry.replica.refresh().entry("digits")
    assert (first.uri, first.bytes, first.files) == (URI, 7, 0)
    assert (first.label, first.run, first.code, first.params) == (
        "1.0", "run-1", "abc", {"depth": "3"},
    )  # fmt: skip
    assert first.digest == Manifest((), URI).digest
    assert first.lineage == [
        LineageHead(
            "dataset", "digits@1", dataset.entry_id, 1, Manifest((), "s3://bucket/digits").digest
        ),
        LineageHead("code", "abc"),
        LineageHead("run", "run-1"),
        LineageHead("uri", URI),
    ]
    assert (second.digest, second.description, second.tags) == ("ab" * 32, "second", {"risk": ""})
    assert second.lineage == [LineageHead("base", "elsewhere@9")]
    assert head(registry, 1, "digits").source == {"by": "me"}


def test_per_example_results_keep_their_slices_and_what_they_took(tmp_path: Path) -> None:
    given = world()
    taken: dict[str, Any] = {
        "slices": '{"age":"9","region":"eu"}', "latency_s": 0.5, "cost_usd": 0.001,
        "tokens_in": 10, "tokens_out": 20, "passed": True,
    }  # fmt: skip
    given["eval_samples"][0].update(taken, slices='{ "region": "eu", "age": "9" }')
    registry = new_registry()
    registry.import_bulk(write_folder(tmp_path / "given", given))
    (row,) = registry.sql(f"SELECT {', '.join(taken)} FROM eval_samples").fetchall()
    assert dict(zip(taken, row, strict=True)) == taken
    assert registry.verify(deep=True).problems == []


def test_versions_keep_their_status_and_why(tmp_path: Path) -> None:
    versions: Rows = [
        {"entry": "m", "version": number, "digest": "ab" * 32} for number in range(1, 6)
    ]
    statuses: Rows = [
        {"entry": "m", "version": 2, "status": "archived", "reason": "old"},
        {"entry": "m", "version": 3, "status": "deprecated"},
        {"entry": "m", "version": 4, "status": "deleted", "reason": "wrong data"},
        {"entry": "m", "version": 5, "status": "deleted"},
    ]
    given: dict[str, Rows] = {
        "entries": [{"entry": "m", "kind": "model"}],
        "versions": versions,
        "statuses": statuses,
        "aliases": [{"entry": "m", "alias": "best", "version": 2}],
        "placements": [{"entry": "m", "stage": "prod", "version": 3}],
    }
    registry = new_registry()
    done = registry.import_bulk(write_folder(tmp_path / "given", given))
    assert done.rows["statuses"] == 4
    statuses_now = [
        (head(registry, number, "m").status, head(registry, number, "m").status_reason)
        for number in range(1, 6)
    ]
    assert statuses_now == [
        ("active", ""),
        ("archived", "old"),
        ("deprecated", ""),
        ("deleted", "wrong data"),
        ("deleted", ""),
    ]
    assert registry.resolve("m@prod").status == "deprecated"
    assert registry.resolve(f"m@sha256:{'ab' * 32}").version == 3
    assert registry.resolve("m@latest").version == 3
    with pytest.raises(NotFoundError):
        registry.resolve("m@5")
    found = registry.sql("SELECT from_status, status FROM statuses ORDER BY version").fetchall()
    assert found == [("active", row["status"]) for row in statuses]
    assert registry.restore("m@2").status == "active"
    assert registry.verify(deep=True).problems == []
    registry.rebuild()
    assert registry.verify(deep=True).problems == []
    assert registry.resolve(f"m@sha256:{'ab' * 32}").version == 3


@pytest.mark.parametrize("uri", ['a"b\\c/d', "é\u00a0😀", "x" * 10_000, "{}"])
def test_the_digest_of_a_uri_is_that_of_its_manifest(uri: str, tmp_path: Path) -> None:
    versions: Rows = [
        {"entry": "fraud/card", "version": 1, "uri": uri},
        {"entry": "fraud/card", "version": 2, "digest": "ab" * 32},
        {"entry": "digits", "version": 1, "digest": "ab" * 32},
    ]
    assert head(imported(tmp_path, versions=versions), 1).digest == Manifest((), uri).digest


def test_versions_may_have_gaps_and_the_next_one_follows_the_highest(tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "given",
        {
            "entries": [{"entry": "m", "kind": "model"}],
            "versions": [{"entry": "m", "version": n, "uri": f"s3://m/{n}"} for n in (2, 5, 9)],
        },
    )
    registry = new_registry()
    registry.import_bulk(folder)
    assert registry.resolve("m@latest").version == 9
    assert registry.register("m", uri="s3://m/10").version == 10
    assert registry.verify().problems == []


def test_of_several_runs_of_a_suite_the_later_row_is_the_latest(tmp_path: Path) -> None:
    registry = imported(tmp_path)
    run = head(registry, 1).runs["holdout"]
    assert run.run_id.endswith("-a")
    assert (run.scores, run.samples, run.dataset) == (3, 1, "")
    assert run.main == (
        ["", "acc", "0.25", "0.0000001", 10, None],
        ["", "f1", "0.1", None, None, None],
    )
    assert head(registry, 2).runs["holdout"].status == "failed"


def test_scores_in_bulk_are_evidence(tmp_path: Path) -> None:
    gate = {"threshold": {"suite": "holdout", "metric": "acc", "min": "0.25"}}
    policy = {
        **STAGES, "ungated": "refuse", "rules": [{"match": {}, "stage": "shadow", "gates": [gate]}]
    }  # fmt: skip
    registry = new_registry(policy)
    registry.import_bulk(write_folder(tmp_path / "given", world()))
    assert registry.promote("fraud/card@1", "shadow").outcome == "passed"
    assert registry.promote("fraud/card@2", "shadow").outcome == "refused"
    assert registry.verify().ok


def test_scores_over_all_of_the_data_are_ranked_like_those_that_were_logged(tmp_path: Path) -> None:
    registry = imported(tmp_path)
    given = {row["metric"] for row in world()["eval_scores"] if not row.get("slice")}
    ranked = registry.sql("SELECT DISTINCT metric FROM leaderboard").fetchall()
    assert {metric for (metric,) in ranked} == given != set()
    nulls = "SELECT count(*) FROM eval_scores WHERE task IS NULL OR slice IS NULL"
    assert registry.sql(nulls).fetchall() == [(0,)]


def test_the_registry_goes_on_from_there_and_verifies(tmp_path: Path) -> None:
    registry = new_registry(folder=tmp_path / "registry")
    register(registry, "older", "one")
    done = registry.import_bulk(write_folder(tmp_path / "given", world()), source="elsewhere")
    assert (done.seq, done.name) == (3, "elsewhere")
    assert done.rows["versions"] == 3
    assert register(registry, "fraud/card", "three").version == 3
    registry.demote("fraud/card", "prod")
    assert list(registry.verify(deep=True).problems) == []
    assert not registry.writer.warnings
    assert registry.rebuild().seq == 5
    assert registry.verify(deep=True).ok


def test_names_and_numbers_are_independent_of_where_the_commit_lands(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "given", world())
    first, second = new_registry(), new_registry()
    register(second, "older", "one")
    for registry in (first, second):
        registry.import_bulk(folder)
    entries = [registry.replica.refresh().entry("fraud/card") for registry in (first, second)]
    assert entries[0].entry_id == entries[1].entry_id
    assert entries[0].seq != entries[1].seq


def test_the_same_transaction_is_done_once(tmp_path: Path) -> None:
    registry = new_registry()
    folder = write_folder(tmp_path / "given", world())
    first = registry.import_bulk(folder, txid="once")
    assert registry.import_bulk(folder, txid="once") == first
    assert reopen(registry.replica.store).import_bulk(folder, txid="once") == first
    with pytest.raises(RefusedError):
        registry.import_bulk(folder)
    other = write_folder(tmp_path / "other", world(tags=WORLD["tags"][:1]))
    with pytest.raises(TxidReusedError):
        registry.import_bulk(other, txid="once")
    assert registry.replica.log.head() == first.seq


def test_an_entry_renamed_since_is_not_imported_again(tmp_path: Path) -> None:
    registry = new_registry()
    folder = write_folder(tmp_path / "given", world())
    registry.import_bulk(folder)
    for name in ("fraud/card", "digits"):
        registry.rename(name, f"{name}-old")
    with pytest.raises(RefusedError, match="imported before"):
        registry.import_bulk(folder)


def test_an_entry_of_that_name_is_refused(tmp_path: Path) -> None:
    registry = new_registry()
    register(registry, "digits", "one", kind="dataset")
    with pytest.raises(RefusedError, match="'digits' already"):
        registry.import_bulk(write_folder(tmp_path / "given", world()))


def test_long_texts_become_blobs(tmp_path: Path) -> None:
    card = "# Card\n" + "é" * 600
    entries = [{**WORLD["entries"][0], "description": "x" * 1001}, WORLD["entries"][1]]
    versions = [{**WORLD["versions"][0], "card": card}, *WORLD["versions"][1:]]
    registry = imported(tmp_path, entries=entries, versions=versions)
    version, store = head(registry, 1), registry.replica.store
    assert (version.card, version.card_digest) == ("", sha256_hex(card.encode()))
    assert get_blob(store, version.card_digest) == card.encode()
    digest = registry.replica.refresh().entry("fraud/card").description_digest
    assert get_blob(store, digest) == b"x" * 1001


def file_world(**changes: Any) -> dict[str, Rows]:
    data = b"content"
    row = {"entry": "fraud/card", "version": 2, "path": "model.bin", "size": len(data),
           "sha256": sha256_hex(data), **changes}  # fmt: skip
    versions = [dict(version) for version in WORLD["versions"]]
    versions[1] = {"entry": "fraud/card", "version": 2}
    return world(files=[row], versions=versions)


def test_artifacts_that_are_stored_make_up_a_version(tmp_path: Path) -> None:
    registry = new_registry()
    manifest, _payload = artifact(registry.replica.store, "content")
    registry.replica.store.delete(f"blobs/sha256/{manifest.digest[:2]}/{manifest.digest}")
    registry.import_bulk(write_folder(tmp_path / "given", file_world()))
    version = head(registry, 2)
    assert (version.digest, version.files, version.bytes) == (manifest.digest, 1, 7)
    assert registry.verify(deep=True).ok


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": "../x"}, "'..' part"),
        ({"path": ""}, "empty"),
        ({"size": 8}, "is not in the store"),
        ({"sha256": "cd" * 32}, "is not in the store"),
        ({"sha256": "CD" * 32}, "its sha256 is not a SHA-256"),
        ({"version": 3}, "files.parquet has entry 'fraud/card', version '3', which"),
    ],
)
def test_artifacts_that_are_not_as_they_should_be_are_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    registry = new_registry()
    artifact(registry.replica.store, "content")
    given = file_world(**changes)
    if "version" in changes:
        given["versions"][1]["digest"] = "ab" * 32
    with pytest.raises(InvalidInputError) as caught:
        registry.import_bulk(write_folder(tmp_path / "given", given))
    assert message in caught.value.message


def test_a_digest_or_a_count_that_the_files_do_not_make_up_is_refused(tmp_path: Path) -> None:
    registry = new_registry()
    artifact(registry.replica.store, "content")
    for column, value, message in (("digest", "ab" * 32, "make up"), ("files", 2, "has 2 files")):
        given = file_world()
        given["versions"][1][column] = value
        with pytest.raises(InvalidInputError, match=message):
            registry.import_bulk(write_folder(tmp_path / column, given))


def first(table: str, **values: object) -> Change:
    return lambda tables: tables[table][0].update(values)


def again(table: str, **values: object) -> Change:
    return lambda tables: tables[table].append({**tables[table][0], **values})


STATUS = {"entry": "fraud/card", "version": 2, "status": "deprecated", "reason": "too slow"}


def status(**values: object) -> Change:
    return lambda tables: tables.update(statuses=[{**STATUS, **values}])


BAD: list[tuple[Change, str]] = [
    (first("entries", entry="a//b"), "folder or name that is empty"),
    (first("entries", entry="a@b"), "U+0040"),
    (first("entries", entry=None), "entries.parquet, row 1: it has no entry"),
    (first("entries", entry="x" * 256), "row 1: its entry is not"),
    (first("entries", kind="toy"), "row 1: its kind is not one of"),
    (first("entries", description="a\x07"), "row 1: its description is not"),
    (again("entries"), "entries.parquet has two rows with entry 'fraud/card'"),
    (again("versions", entry="other"), "versions.parquet has entry 'other', which entries.parquet"),
    (first("versions", version=0), "versions.parquet, row 1: its version is not"),
    (first("versions", version=2**40), "row 1: its version is not"),
    (again("versions", label=None), "two rows with entry 'fraud/card', version '1'"),
    (again("versions", version=3), "two rows with entry 'fraud/card', label '1.0'"),
    (first("versions", label="latest"), "its label is not"),
    (first("versions", digest="AB" * 32), "its digest is not"),
    (first("versions", uri=None), "has neither files nor a uri nor a digest"),
    (first("versions", uri="a\u2028b"), "its uri is not"),
    (first("versions", files=1), "has 1 files, but files.parquet has 0"),
    (first("versions", bytes=-1), "its bytes is not"),
    (first("versions", params='{"a": 1}'), "its params is not a JSON object"),
    (first("versions", source="[]"), "its source is not a JSON object"),
    (first("lineage", relation="uri"), "its relation is not one of"),
    (first("lineage", target=None), "it has no target"),
    (first("lineage", version=7), "lineage.parquet has entry 'fraud/card', version '7', which"),
    (again("lineage"), "lineage.parquet has two rows"),
    (first("tags", key=""), "its key is not"),
    (first("tags", entry="other"), "tags.parquet has entry 'other', which entries.parquet"),
    (again("tags", value="bob"), "two rows with entry 'fraud/card', key 'owner'"),
    (first("aliases", alias="latest"), "reserved"),
    (first("aliases", alias="prod"), "is a stage and cannot be an alias"),
    (again("aliases", version=1), "aliases.parquet has two rows"),
    (first("placements", stage="moon"), "there is no stage 'moon'"),
    (first("placements", stage="a b"), "is not a stage name"),
    (again("placements", version=1), "two rows with entry 'fraud/card', stage 'staging'"),
    (first("placements", version=9), "placements.parquet has entry 'fraud/card', version '9'"),
    (status(status="active"), "statuses.parquet, row 1: its status is not one of deprecated"),
    (status(status=None), "statuses.parquet, row 1: it has no status"),
    (status(reason="a\x07"), "its reason is not plain text"),
    (status(version=9), "statuses.parquet has entry 'fraud/card', version '9', which"),
    (
        lambda tables: tables.update(statuses=[STATUS, {**STATUS, "status": "archived"}]),
        "statuses.parquet has two rows with entry 'fraud/card', version '2'",
    ),
    (
        status(version=1, status="archived"),
        "version 1 of 'fraud/card' is archived, but placements.parquet has it as 'prod'",
    ),
    (
        status(version=1, status="deleted"),
        "version 1 of 'fraud/card' is deleted, but placements.parquet has it as 'prod'",
    ),
    (
        lambda tables: tables.update(
            statuses=[{**STATUS, "status": "deleted"}], placements=tables["placements"][1:]
        ),
        "version 2 of 'fraud/card' is deleted, but aliases.parquet has it as 'best'",
    ),
    (first("eval_runs", suite=" "), "its suite is not"),
    (first("eval_runs", status="fine"), "its status is not one of"),
    (first("eval_runs", version=9), "eval_runs.parquet has entry 'fraud/card', version '9'"),
    (again("eval_runs"), "eval_runs.parquet has two rows with run_id 'b'"),
    (again("eval_runs", run_id="d"), "run 'd' is complete and has no score"),
    (first("eval_scores", run_id="z"), "eval_scores.parquet has run_id 'z', which"),
    (first("eval_scores", metric="a\nb"), "its metric is not"),
    (first("eval_scores", value=None), "it has no value"),
    (
        first("eval_scores", value="nan"),
        "eval_scores.parquet, row 1: its value is not a finite number",
    ),
    (first("eval_scores", value="-inf"), "its value is not a finite number"),
    (first("eval_scores", stderr=-1), "its stderr is not a finite number from 0"),
    (first("eval_scores", n=-1), "its n is not a count"),
    (again("eval_scores", value=2), "two rows with run_id 'a', metric 'f1'"),
    (again("eval_samples", value=0), "two rows with run_id 'a', metric 'acc', sample_id 's1'"),
    (first("eval_samples", slices="[]"), "its slices is not a JSON object of text to text"),
    (first("eval_samples", slices='{"a":"' + "x" * 4000 + '"}'), "its slices is not a JSON object"),
    (first("eval_samples", latency_s=-1), "its latency_s is not a finite number from 0"),
    (first("eval_samples", cost_usd=math.inf), "its cost_usd is not a finite number from 0"),
    (first("eval_samples", tokens_in=-1), "its tokens_in is not a count"),
    (first("eval_samples", run_id="z"), "eval_samples.parquet has run_id 'z', which"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_one_row_in_error_and_nothing_is_committed(
    change: Change, message: str, tmp_path: Path
) -> None:
    tables = world()
    change(tables)
    registry = new_registry()
    before = set(registry.replica.store.list_after(""))
    with pytest.raises(RegistaError) as caught:
        registry.import_bulk(write_folder(tmp_path / "given", tables))
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert set(registry.replica.store.list_after("")) == before


def test_equal_rows_are_found_and_others_not_where_they_are_looked_for_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_checks, "GROUPED_AT_ONCE", 1)
    new_registry().import_bulk(write_folder(tmp_path / "fine", world()))
    twice = world()
    again("eval_scores", value=2)(twice)
    with pytest.raises(InvalidInputError, match="two rows with run_id 'a', metric 'f1'"):
        new_registry().import_bulk(write_folder(tmp_path / "twice", twice))


def test_a_folder_that_is_none_or_lacks_a_file_is_refused(tmp_path: Path) -> None:
    registry = new_registry()
    for folder in (tmp_path / "missing", "nul\0", write_folder(tmp_path / "empty", {})):
        with pytest.raises(InvalidInputError):
            registry.import_bulk(folder)
    given = world()
    del given["versions"]
    with pytest.raises(InvalidInputError, match=r"has no versions\.parquet"):
        registry.import_bulk(write_folder(tmp_path / "given", given))


@pytest.mark.parametrize(
    ("file", "types", "message"),
    [
        ("tags", {"entry": "VARCHAR", "key": "VARCHAR"}, "tags.parquet has no column value"),
        ("aliases", {"entry": "VARCHAR", "alias": "VARCHAR", "version": "VARCHAR"}, "has the type"),
        ("aliases", {"entry": "VARCHAR", "alias": "VARCHAR", "version": "DOUBLE"}, "has the type"),
        ("tags", {"entry": "VARCHAR", "when": "DATE"}, "tags.parquet has the unknown column 'when"),
        ("tricks", {"a": "VARCHAR"}, "'tricks.parquet' is not a file of an import"),
    ],
)
def test_files_and_columns_are_known_or_refused(
    file: str, types: dict[str, str], message: str, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "given", world())
    write_parquet(folder / f"{file}.parquet", [dict.fromkeys(types)], types)
    with pytest.raises(InvalidInputError) as caught:
        new_registry().import_bulk(folder)
    assert message in caught.value.message


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "given", world())
    (folder / "tags.parquet").write_text("key,value\n")
    with pytest.raises(InvalidInputError, match=r"'tags\.parquet' is not a Parquet file"):
        new_registry().import_bulk(folder)


def test_more_entries_than_a_commit_can_hold_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_checks, "MAX_ENTRIES", 1)
    with pytest.raises(InvalidInputError, match="more than 1 different values of entry"):
        new_registry().import_bulk(write_folder(tmp_path / "given", world()))


def test_other_files_of_the_folder_are_left_alone(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "given", world())
    (folder / "README.md").write_text("Exported on Monday.")
    assert new_registry().import_bulk(folder).seq == 2


def test_progress_is_told_to_the_end(tmp_path: Path) -> None:
    class Steps:
        total = done = 0

        def start(self, total: int) -> None:
            self.total = total

        def advance(self, count: int) -> None:
            self.done += count

    steps = Steps()
    folder = write_folder(tmp_path / "given", world())
    new_registry(store=MemoryStore("steps")).import_bulk(folder, progress=steps)
    assert (steps.total, steps.done) == (len(STEPS), len(STEPS))
