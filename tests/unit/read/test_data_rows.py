"""Rows by digest, read back: what is damaged is told, what a fold needs comes in its order."""

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from regista.decide.evidence import Score
from regista.decide.heads import VersionHead
from regista.errors import IntegrityError
from regista.model.canonical import sha256_hex
from regista.model.commit import FORMAT, Commit, DataRef, data_key
from regista.read.data_rows import iter_rows, run_scores, state_rows
from regista.storage.memory import MemoryStore
from regista.write.bulk import write_rows
from support.registries import REGISTRY_ID

SHARED = {"entry_id": "e1", "entry": "m", "version": 3, "run_id": "r1", "suite": "s"}
SCORES: list[dict[str, Any]] = [
    {"metric": "f1", "value": "0.1", "n": 5},
    {"metric": "acc", "value": "0.25", "slice": "class=3", "stderr": "0.0000001"},
    {"metric": "acc", "value": "1e300", "higher_is_better": False},
]


def commit_with(*refs: DataRef) -> Commit:
    time = "2026-01-01T00:00:00.000000Z"
    return Commit(
        FORMAT, REGISTRY_ID, 2, "p", "t", time, time, "ann", (), (), refs, "", "test"
    )  # fmt: skip


def foreign_file(store: MemoryStore, table: str, query: str) -> DataRef:
    with store.scratch() as folder:
        path = folder / "x.parquet"
        with duckdb.connect() as con:
            con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        data = path.read_bytes()
    sha256 = sha256_hex(data)
    store.put(data_key(table, sha256), data)
    return DataRef(table, sha256, 1, len(data))


def test_what_all_rows_share_is_in_every_row() -> None:
    store = MemoryStore("test")
    ref = write_rows(store, "eval_scores", SCORES).with_columns(SHARED)
    assert list(iter_rows(store, ref)) == [
        {"table": "eval_scores", **SHARED, **row} for row in SCORES
    ]


def test_rows_that_change_state_come_in_the_order_of_the_references() -> None:
    store = MemoryStore("test")
    scores = write_rows(store, "eval_scores", SCORES).with_columns(SHARED)
    files = write_rows(store, "files", [{"path": "a", "size": 1, "sha256": "b"}])
    tags = write_rows(store, "tags", [{"entry_id": "e1", "key": "k", "value": ""}])
    samples = write_rows(store, "eval_samples", [{"sample_id": "a", "metric": "m", "value": "1"}])
    found = list(state_rows(store, commit_with(scores, files, samples, tags)))
    assert [(row["table"], row.get("metric")) for row in found] == [
        ("eval_scores", "f1"),
        ("eval_scores", "acc"),
        ("tags", None),
    ]
    assert "slice" not in found[1]


def test_scores_without_a_slice_column_are_all_over_all_of_the_data() -> None:
    store = MemoryStore("test")
    ref = write_rows(store, "eval_scores", [{"metric": "a", "value": "1"}])
    assert len(list(iter_rows(store, ref, state_only=True))) == 1


def test_scores_of_a_run_come_sorted_and_exact() -> None:
    store = MemoryStore("test")
    ref = write_rows(store, "eval_scores", SCORES).with_columns(SHARED)
    expected = (
        Score("", "acc", "", Decimal("1e300"), None, None, higher_is_better=False),
        Score("", "acc", "class=3", Decimal("0.25"), Decimal("1e-7"), None),
        Score("", "f1", "", Decimal("0.1"), None, 5),
    )
    assert run_scores(store, ref, "r1") == expected
    assert run_scores(store, ref, "r2") == ()


def test_scores_of_one_run_are_found_among_many() -> None:
    store = MemoryStore("test")
    rows = [
        {"entry_id": "e1", "version": v, "run_id": f"r{v}", "suite": "s", "metric": m, "value": "1"}
        for v in range(1, 400)
        for m in ("a", "b")
    ]
    ref = write_rows(store, "eval_scores", rows)
    version = VersionHead("e1", 7, "d", 1, "", "")
    assert [score.metric for score in run_scores(store, ref, "r7")] == ["a", "b"]
    assert run_scores(store, ref, "r7", version) == run_scores(store, ref, "r7")
    assert run_scores(store, ref, "r8", version) == ()


def test_a_missing_or_cut_file_is_an_integrity_error() -> None:
    store = MemoryStore("test")
    ref = write_rows(store, "eval_scores", SCORES)
    data = store.get(ref.key)
    assert data is not None
    store.put(ref.key, data[:-1])
    with pytest.raises(IntegrityError, match="size") as caught:
        list(iter_rows(store, ref))
    assert caught.value.hint == "regista verify"
    store.delete(ref.key)
    with pytest.raises(IntegrityError, match="missing"):
        run_scores(store, ref, "r1")


def test_a_file_of_the_right_size_that_is_no_parquet_is_an_integrity_error() -> None:
    store = MemoryStore("test")
    ref = write_rows(store, "eval_scores", SCORES)
    store.put(ref.key, b"x" * ref.size)
    with pytest.raises(IntegrityError) as caught:
        list(iter_rows(store, ref))
    assert caught.value.hint == "regista verify"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT 1 AS nonsense", "nonsense"),
        ("SELECT 1 AS seq, 'a' AS metric", "seq"),
        ("SELECT 'a' AS metric, 'nan'::DOUBLE AS value", "not finite"),
        ("SELECT 'a' AS metric, 'inf'::DOUBLE AS value", "not finite"),
        ("SELECT 'a' AS metric, 'x' AS value", "Conversion Error"),
    ],
)
def test_a_file_that_holds_what_it_should_not_is_an_integrity_error(
    query: str, message: str
) -> None:
    store = MemoryStore("test")
    ref = foreign_file(store, "eval_scores", query)
    with pytest.raises(IntegrityError, match=message):
        list(iter_rows(store, ref))


def test_rows_of_an_unknown_table_are_an_integrity_error() -> None:
    store = MemoryStore("test")
    ref = foreign_file(store, "nonsense", "SELECT 1 AS x")
    with pytest.raises(IntegrityError, match="unknown table"):
        list(iter_rows(store, ref))
