"""Pairing in DuckDB: equal to plain Python, whatever the order, the files and the threads."""

import random
from pathlib import Path
from typing import Any

import duckdb
import pytest

from regista.decide.operations.context import SampleSource
from regista.errors import IntegrityError
from regista.model.commit import DataRef, data_key
from regista.read.pairs import load_pairs
from regista.storage.local import LocalStore
from regista.write.bulk import write_relation
from regista.write.samples import store_samples
from support.paired import paired, pairs_of

Json = dict[str, Any]
GRAIN = ("", "acc", "")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def source(store: LocalStore, run_id: str, rows: list[Json]) -> SampleSource:
    """Store results as `eval log` does."""
    [ref] = store_samples(store, rows).data
    return SampleSource(run_id, (ref.with_columns({"run_id": run_id, "suite": "h"}),))


def results(values: dict[str, float], **fields: Any) -> list[Json]:
    return [{"sample_id": k, "metric": "acc", "value": v, **fields} for k, v in values.items()]


def random_values(seed: int, n: int, *, binary: bool) -> dict[str, float]:
    chance = random.Random(seed)
    return {
        f"s{k:05}": float(chance.random() < 0.7) if binary else chance.gauss(3, 2) for k in range(n)
    }


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("n", [1, 20, 501, 9000])
def test_the_same_examples_come_to_what_python_counts(
    store: LocalStore, n: int, threads: int, *, binary: bool
) -> None:
    ours, theirs = (random_values(seed, n, binary=binary) for seed in (1, 2))
    found = load_pairs(
        store,
        source(store, "r1", results(ours)),
        source(store, "r2", results(theirs)),
        GRAIN,
        threads=threads,
    )
    assert found == paired(ours, theirs)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_examples_that_one_run_lacks_are_counted_and_the_others_joined(
    store: LocalStore, threads: int
) -> None:
    ours, theirs = (random_values(seed, 3000, binary=False) for seed in (1, 2))
    del ours["s00007"], theirs["s00008"], theirs["s02999"]
    sources = [source(store, f"r{k}", results(side)) for k, side in enumerate((ours, theirs))]
    found = load_pairs(store, sources[0], sources[1], GRAIN, threads=threads)
    assert found == paired(ours, theirs)
    assert (found.only_candidate, found.only_baseline) == (2, 1)


def test_as_many_but_other_examples_are_not_laid_side_by_side(store: LocalStore) -> None:
    ours, theirs = {"a": 1.0, "b": 2.0, "c": 5.0}, {"b": 2.5, "c": 7.0, "d": 1.0}
    sources = [source(store, f"r{k}", results(side)) for k, side in enumerate((ours, theirs))]
    assert load_pairs(store, sources[0], sources[1], GRAIN) == paired(ours, theirs)


def test_runs_without_a_common_example_have_no_pairs(store: LocalStore) -> None:
    sources = [source(store, f"r{k}", results({key: 1.0})) for k, key in enumerate("ab")]
    found = load_pairs(store, sources[0], sources[1], GRAIN)
    assert found is not None
    assert (found.pairs, found.unpaired) == (0, 2)


def test_another_metric_task_or_run_has_none(store: LocalStore) -> None:
    one = source(store, "r1", results({"a": 1.0}))
    assert load_pairs(store, one, one, ("", "f1", "")) is None
    assert load_pairs(store, one, one, ("law", "acc", "")) is None
    assert load_pairs(store, one, SampleSource("r1", ()), GRAIN) is None


def test_what_passed_counts_for_both_runs_or_not_at_all(store: LocalStore) -> None:
    rows: list[Json] = [
        {"sample_id": f"s{k}", "metric": "acc", "value": 0.1 * k, "passed": k % 3 > 0}
        for k in range(9)
    ]
    other = [{**row, "passed": row["sample_id"] < "s6"} for row in rows]
    one, two = source(store, "r1", rows), source(store, "r2", other)
    found = load_pairs(store, one, two, GRAIN)
    assert found is not None
    sides = [(bool(a["passed"]), bool(b["passed"])) for a, b in zip(rows, other, strict=True)]
    assert found == pairs_of([0.1 * k for k in range(9)], [0.1 * k for k in range(9)], passed=sides)
    bare = source(store, "r3", [{**other[0], "passed": None}, *other[1:]])
    lacking = load_pairs(store, one, bare, GRAIN)
    assert lacking is not None
    assert lacking.passed is None


@pytest.mark.parametrize("values", [(1e308, -1e308), (5e-324, 0.0), (1e-300, 1e-301), (7.0, 7.0)])
def test_the_largest_and_the_smallest_doubles_have_sums_too(
    store: LocalStore, values: tuple[float, float]
) -> None:
    ours, theirs = {"a": values[0], "b": 0.0}, {"a": values[1], "b": 0.0}
    sources = [source(store, f"r{k}", results(side)) for k, side in enumerate((ours, theirs))]
    assert load_pairs(store, sources[0], sources[1], GRAIN) == paired(ours, theirs)


def imported(store: LocalStore, tmp_path: Path, query: str) -> DataRef:
    """Store one file of several runs, as a bulk import does."""
    with duckdb.connect() as con:
        return write_relation(store, con, tmp_path, "eval_samples", query, rows=10)


def test_one_file_may_hold_many_runs(store: LocalStore, tmp_path: Path) -> None:
    ref = imported(
        store,
        tmp_path,
        "SELECT 'r' || (k % 2) AS run_id, 's' || (k // 2) AS sample_id, 'acc' AS metric,"
        " CAST(k AS DOUBLE) AS value FROM range(100) t(k) ORDER BY run_id, sample_id",
    )
    found = load_pairs(store, SampleSource("r1", (ref,)), SampleSource("r0", (ref,)), GRAIN)
    assert found == pairs_of([2.0 * k + 1 for k in range(50)], [2.0 * k for k in range(50)])


def test_a_slice_is_the_examples_that_have_its_key_and_value(
    store: LocalStore, tmp_path: Path
) -> None:
    ref = imported(
        store,
        tmp_path,
        "SELECT 'r' || (k % 2) AS run_id, 's' || (k // 2) AS sample_id, 'acc' AS metric,"
        " CAST(k AS DOUBLE) AS value, json_object('lang/x', CASE WHEN k < 40 THEN 'de' ELSE 'fr'"
        " END, 'hard', '1') AS slices FROM range(100) t(k)",
    )
    one, two = SampleSource("r1", (ref,)), SampleSource("r0", (ref,))
    found = load_pairs(store, one, two, ("", "acc", "lang/x=de"))
    assert found is not None
    assert found.pairs == 20
    whole = load_pairs(store, one, two, ("", "acc", "hard=1"))
    assert whole is not None
    assert whole.pairs == 50
    assert load_pairs(store, one, two, ("", "acc", "lang/x=it")) is None


def test_slices_are_those_that_were_logged_with_each_example(store: LocalStore) -> None:
    rows = [{**row, "slices": {"lang": "de" if k % 3 else "fr", "a~b/c": "1"}}
            for k, row in enumerate(results(random_values(1, 30, binary=False)))]  # fmt: skip
    one = source(store, "r1", rows)
    for slice_, count in (("lang=de", 20), ("lang=fr", 10), ("a~b/c=1", 30)):
        found = load_pairs(store, one, one, ("", "acc", slice_))
        assert found is not None
        assert found.pairs == count
    inline = [{"table": "eval_samples", "run_id": "r2", "sample_id": "s00001", "metric": "acc",
               "value": "1", "slices": '{"lang": "de"}'}]  # fmt: skip
    pending = SampleSource.of("r2", inline, ())
    found = load_pairs(store, pending, one, ("", "acc", "lang=de"))
    assert found is not None
    assert (found.pairs, found.only_baseline) == (1, 19)


def test_results_without_slices_are_in_none(store: LocalStore) -> None:
    one = source(store, "r1", results({"a": 1.0}))
    assert load_pairs(store, one, one, ("", "acc", "hard=1")) is None


def test_results_that_a_commit_holds_inline_count_too(store: LocalStore) -> None:
    ours, theirs = {"a": 1.0, "b": 0.25}, {"a": 0.0, "b": 0.5}
    rows = [{"table": "eval_samples", "run_id": "r1", "sample_id": k, "metric": "acc",
             "value": str(v)} for k, v in ours.items()]  # fmt: skip
    inline = SampleSource.of("r1", [*rows, {**rows[0], "run_id": "r9"}], ())
    found = load_pairs(store, inline, source(store, "r2", results(theirs)), GRAIN)
    assert found == paired(ours, theirs)


@pytest.mark.parametrize("value", ["'nan'::DOUBLE", "'inf'::DOUBLE", "NULL::DOUBLE"])
def test_a_value_that_is_no_number_is_damage(store: LocalStore, tmp_path: Path, value: str) -> None:
    query = f"SELECT 'r1' AS run_id, 'a' AS sample_id, 'acc' AS metric, {value} AS value"
    one = SampleSource("r1", (imported(store, tmp_path, query),))
    with pytest.raises(IntegrityError, match="not a finite number"):
        load_pairs(store, one, one, GRAIN)


def test_one_example_twice_is_damage(store: LocalStore, tmp_path: Path) -> None:
    query = (
        "SELECT 'r1' AS run_id, 'a' AS sample_id, 'acc' AS metric, CAST(k AS DOUBLE) AS value"
        " FROM range(2) t(k)"
    )
    twice = SampleSource("r1", (imported(store, tmp_path, query),))
    with pytest.raises(IntegrityError, match="two results of one example"):
        load_pairs(store, twice, source(store, "r2", results({"a": 1.0})), GRAIN)


def test_a_file_that_is_gone_or_cut_is_damage(store: LocalStore) -> None:
    one = source(store, "r1", results({"a": 1.0}))
    path = store.local_path(data_key("eval_samples", one.refs[0].sha256))
    assert path
    path.unlink()
    with pytest.raises(IntegrityError, match="missing"):
        load_pairs(store, one, one, GRAIN)
