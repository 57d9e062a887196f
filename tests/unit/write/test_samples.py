"""Samples: any order and format gives the same rows and digest; one bad row and nothing is kept."""

import json
import random
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.model.numbers import double_text
from regista.read.data_rows import iter_rows
from regista.storage.memory import MemoryStore
from regista.write import foreign, sample_sources
from regista.write.samples import store_samples
from support.import_folders import write_parquet

GOOD = '{"id": "ok", "metric": "a", "value": 1}'
SAMPLES: list[dict[str, Any]] = [
    {"sample_id": f"s{k}", "metric": metric, "value": k / 7, "passed": k % 2 == 0, "task": "t"}
    for k in range(50)
    for metric in ("acc", "f1")
]
TYPES = {"sample_id": "VARCHAR", "metric": "VARCHAR", "value": "DOUBLE", "passed": "BOOLEAN",
         "task": "VARCHAR"}  # fmt: skip


def lines(*rows: object) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def kept(samples: Any) -> list[dict[str, Any]]:
    store = MemoryStore("test")
    [ref] = store_samples(store, samples).data
    return [
        {name: value for name, value in row.items() if name != "table"}
        for row in iter_rows(store, ref)
    ]


def refusal(samples: Any) -> str:
    store = MemoryStore("test")
    with pytest.raises(InvalidInputError) as caught:
        store_samples(store, samples)
    assert list(store.list_after("")) == []
    assert "\n" not in caught.value.message
    return caught.value.message


def test_objects_json_lines_and_parquet_give_the_same_rows_and_digest(tmp_path: Path) -> None:
    text = tmp_path / "samples[1]*.txt"
    text.write_text(lines(*SAMPLES).replace("\n", "\n\n"), encoding="utf-8")
    mark = tmp_path / "with-mark.jsonl"
    mark.write_text("\ufeff" + lines(*reversed(SAMPLES)), encoding="utf-8")
    table = write_parquet(tmp_path / "samples?.parquet", SAMPLES[::-1], TYPES)
    store = MemoryStore("test")
    stored = [store_samples(store, source) for source in (SAMPLES, text, str(mark), table)]
    assert len({each.digest for each in stored}) == 1
    found = [[*iter_rows(store, ref)] for each in stored for ref in each.data]
    assert found[1:] == found[:-1]
    assert len(found[0]) == len(SAMPLES)


def test_rows_are_kept_sorted_by_task_metric_and_sample() -> None:
    shuffled = random.Random(1).sample(SAMPLES, len(SAMPLES))
    found = kept(shuffled)
    grains = [(row["task"], row["metric"], row["sample_id"]) for row in found]
    assert grains == sorted(grains)
    by_grain = {(row["task"], row["metric"], row["sample_id"]): row for row in found}
    for sample in SAMPLES:
        row = by_grain[sample["task"], sample["metric"], sample["sample_id"]]
        assert row["value"] == double_text(sample["value"])
        assert row["passed"] == sample["passed"]


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=6),
        st.floats(allow_nan=False, allow_infinity=False),
        min_size=1,
    )
)
def test_any_finite_value_is_kept_exactly(values: dict[str, float]) -> None:
    import unicodedata

    plain = {unicodedata.normalize("NFC", name): value for name, value in values.items()}
    found = kept({"id": name, "metric": "m", "value": value} for name, value in plain.items())
    assert {row["sample_id"]: row["value"] for row in found} == {
        name: double_text(value) for name, value in plain.items()
    }


def test_different_results_have_different_digests() -> None:
    store = MemoryStore("test")
    variants = [
        {"id": "a", "metric": "m", "value": 1},
        {"id": "a", "metric": "m", "value": 1, "passed": True},
        {"id": "a", "metric": "m", "value": 2},
        {"id": "b", "metric": "m", "value": 1},
        {"id": "a", "metric": "n", "value": 1},
        {"id": "a", "metric": "m", "value": 1, "task": "t"},
    ]
    assert len({store_samples(store, [row]).digest for row in variants}) == len(variants)


def test_passed_alone_is_one_or_zero_and_further_fields_are_left_out() -> None:
    assert kept([
        {"id": 1, "metric": "m", "passed": True, "input": "x", "value": None},
        {"sample_id": "2", "id": "no", "metric": "m", "passed": False},
    ]) == [
        {"task": "", "sample_id": "1", "metric": "m", "value": "1", "passed": True},
        {"task": "", "sample_id": "2", "metric": "m", "value": "0", "passed": False},
    ]  # fmt: skip


def test_numbers_of_other_types_are_numbers() -> None:
    class Scalar:
        def item(self) -> float:
            return 0.25

    values = [Decimal("0.25"), "0.25", Scalar(), 1 / 4]
    assert {kept([{"id": 1, "metric": "m", "value": value}])[0]["value"] for value in values} == {
        "0.25"
    }
    assert "not a number" in refusal([{"id": 1, "metric": "m", "value": Fraction(1, 4)}])


def test_nothing_gives_no_file_and_a_digest(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n\n")
    store = MemoryStore("test")
    assert store_samples(store, []) == store_samples(store, empty)
    assert store_samples(store, []).data == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"id":1,"metric":"a","value":NaN}', "not a finite number"),
        ('{"id":1,"metric":"a","value":-Infinity}', "not a finite number"),
        ('{"id":1,"metric":"a","value":1e999}', "not a finite number"),
        ('{"id":1,"metric":"a","value":"inf"}', "not a finite number"),
        ('{"id":1,"metric":"a","value":"much"}', "not a number"),
        ('{"id":1,"metric":"a","value":true}', "not a number"),
        ('{"id":1,"metric":"a","value":[1]}', "not a number"),
        ('{"id":1,"metric":"a"}', "neither value nor passed"),
        ('{"id":1,"metric":"a","passed":"yes"}', "neither true nor false"),
        ('{"metric":"a","value":1}', "no sample_id"),
        ('{"id":1.5,"metric":"a","value":1}', "no sample_id"),
        ('{"id":null,"metric":"a","value":1}', "no sample_id"),
        ('{"id":"","metric":"a","value":1}', "sample_id is not"),
        ('{"id":"a\\u0000b","metric":"a","value":1}', "sample_id is not"),
        ('{"id":"' + "x" * 256 + '","metric":"a","value":1}', "sample_id is not"),
        ('{"id":1,"value":1}', "no metric"),
        ('{"id":1,"metric":3,"value":1}', "no metric"),
        ('{"id":1,"metric":"a\\nb","value":1}', "metric is not"),
        ('{"id":1,"metric":"a","value":1,"task":5}', "task is not text"),
        ('{"id":1,"metric":"a","value":1,"task":"\\t"}', "task is not 1 to"),
        ('{"id":1,"metric":"a","value":1', "is not JSON"),
        ('{"id":1,"id":2,"metric":"a","value":1}', "twice"),
        ('{"id":"\\ud800","metric":"a","value":1}', "not valid Unicode"),
        ("[1]", "not a JSON object"),
        ("3", "not a JSON object"),
    ],
)
def test_a_bad_line_is_named(row: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text(f"{GOOD}\n\n{row}\n{GOOD}\n")
    found = refusal(path)
    assert found.startswith("'samples.jsonl', line 3: ")
    assert message in found


def test_bytes_that_are_no_text_are_named_by_their_line(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_bytes(GOOD.encode() + b'\n{"id":"\xff","metric":"a","value":1}\n')
    assert refusal(path).startswith("'samples.jsonl', line 2: ")


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([{"id": 1, "metric": "a", "value": float("nan")}], "sample 1: its value is not a finite"),
        ([json.loads(GOOD), {"id": 1, "metric": "a"}], "sample 2: it has neither"),
        ([json.loads(GOOD), 5], "sample 2 is not an object"),
        ([{"id": object(), "metric": "a", "value": 1}], "sample 1: a field has the type object"),
        ([{"id": 1, "metric": "\ud800", "value": 1}], "sample 1: its text is not valid Unicode"),
        ([{"id": 1, "metric": "a", "value": 10**400}], "sample 1: its value is not a finite"),
    ],
)
def test_a_bad_object_is_named(samples: list[Any], message: str) -> None:
    assert refusal(samples).startswith(message)


def test_a_sample_given_twice_is_named(tmp_path: Path) -> None:
    assert refusal([{"id": "1", "metric": "a", "value": 1}, {"id": 1, "metric": "a", "value": 2}])
    path = tmp_path / "samples.jsonl"
    path.write_text(lines(*SAMPLES, SAMPLES[0]))
    assert refusal(path) == "'samples.jsonl': sample 's0' has metric 'acc' of task 't' twice"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x1f\x8b\x08", "compressed (gzip)"),
        (b"PK\x03\x04", "compressed (zip)"),
        (b"[{}]", "one JSON array"),
        (b"hello", "neither JSON lines, CSV nor Parquet"),
        (b"\xff\xfe{\x00", "neither JSON lines, CSV nor Parquet"),
        (b"PAR1", "not a Parquet file, or not a whole one"),
        (b"PAR1" + b"x" * 100 + b"PAR1", "claims a footer"),
        (b"PAR1" + b"x" * 100 + b"\x10\x00\x00\x00PAR1", "cannot be read"),
        (b"PARE" + b"x" * 100 + b"\x10\x00\x00\x00PARE", "encrypted"),
    ],
)
def test_other_files_are_refused_in_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "samples.data"
    path.write_bytes(content)
    assert message in refusal(path)


@pytest.mark.parametrize("name", ["missing", "folder", "nul\0", "x" * 300])
def test_what_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert refusal(tmp_path / name)


def parquet(path: Path, query: str) -> Path:
    with duckdb.connect() as con:
        con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT 'a' AS metric, 1.0 AS value", "no column sample_id"),
        ("SELECT 1 AS id, 1.0 AS value", "no column metric"),
        ("SELECT 1.5 AS id, 'a' AS metric, 1.0 AS value", "column id has the type DECIMAL"),
        ("SELECT 1 AS id, 2 AS metric, 1.0 AS value", "column metric has the type INTEGER"),
        ("SELECT 1 AS id, 'a' AS metric, '1' AS value", "column value has the type VARCHAR"),
        ("SELECT 1 AS id, 'a' AS metric, 1 AS passed", "column passed has the type INTEGER"),
        ("SELECT 1 AS id, 'a' AS metric, 'nan'::DOUBLE AS value", "row 1: its value is not a fin"),
        ("SELECT 1 AS id, 'a' AS metric", "row 1: it has neither value nor passed"),
        ("SELECT NULL::INTEGER AS id, 'a' AS metric, 1 AS value", "row 1: it has no sample_id"),
    ],
)
def test_bad_parquet_is_named(query: str, message: str, tmp_path: Path) -> None:
    assert message in refusal(parquet(tmp_path / "s.parquet", query))


def test_parquet_of_other_number_types_is_read(tmp_path: Path) -> None:
    query = "SELECT 7::UTINYINT AS id, 'a' AS metric, 1.50::DECIMAL(9,2) AS value, 'x' AS input"
    assert kept(parquet(tmp_path / "s.parquet", query)) == [
        {"task": "", "sample_id": "7", "metric": "a", "value": "1.5"}
    ]


def test_parquet_that_claims_rows_without_end_is_refused_unread(tmp_path: Path) -> None:
    query = "SELECT 'a' AS id, 'm' AS metric, 1.0 AS value FROM range(2000000)"
    path = tmp_path / "s.parquet"
    with duckdb.connect() as con:
        con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2000000)")
    assert path.stat().st_size < 1500
    assert "claims 2,000,000 rows" in refusal(path)


def test_parquet_with_more_rows_than_are_taken_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_sources, "MAX_SAMPLES", 10)
    path = write_parquet(tmp_path / "s.parquet", SAMPLES, TYPES)
    assert "has 100 rows; at most 10 are read" in refusal(path)


def test_parquet_that_unpacks_to_far_more_than_it_is_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "_UNPACKED_ALWAYS", 1 << 20)
    query = "SELECT repeat('x', 5000000) || range AS id, 'm' AS metric FROM range(8)"
    path = tmp_path / "s.parquet"
    with duckdb.connect() as con:
        con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    assert "claims to unpack" in refusal(path)


def test_a_text_of_many_megabytes_is_refused_and_fills_no_disk(tmp_path: Path) -> None:
    query = "SELECT repeat('x', 5000000) || range AS id, 'm' AS metric, 1 AS value FROM range(20)"
    assert "sample_id is not" in refusal(parquet(tmp_path / "s.parquet", query))


def flipped(dice: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 4))):
        # most of what a reader can stumble over is in the footer
        start = len(data) - 900 if dice.random() < 0.7 else 0
        changed[dice.randrange(start, len(data))] = dice.randrange(256)
    return bytes(changed)


def cut(dice: random.Random, data: bytes) -> bytes:
    return data[: dice.randrange(len(data))]


@pytest.mark.parametrize("damage", [flipped, cut])
def test_damaged_parquet_is_read_or_refused_and_never_more(
    damage: Callable[[random.Random, bytes], bytes], tmp_path: Path
) -> None:
    good = write_parquet(tmp_path / "good.parquet", SAMPLES, TYPES).read_bytes()
    dice = random.Random(7)
    store = MemoryStore("test")
    path = tmp_path / "s.parquet"
    refused = 0
    for _ in range(60):
        path.write_bytes(damage(dice, good))
        try:
            store_samples(store, path)
        except InvalidInputError as error:
            refused += "\n" not in error.message
    assert refused > 20
