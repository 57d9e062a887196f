"""Samples with slices, time, cost and tokens; CSV; ten million rows fit into bounded memory."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from regista.errors import InvalidInputError
from regista.read.data_rows import iter_rows
from regista.storage.memory import MemoryStore
from regista.write.samples import store_samples

FULL: dict[str, Any] = {
    "sample_id": "a", "metric": "acc", "value": 0.5, "passed": True, "task": "t",
    "slices": {"region": "eu", "lang": 'd"e'}, "latency_s": 0.25, "cost_usd": 0.001,
    "tokens_in": 12, "tokens_out": 0,
}  # fmt: skip
KEPT = {
    "sample_id": "a", "metric": "acc", "value": "0.5", "passed": True, "task": "t",
    "slices": '{"lang":"d\\"e","region":"eu"}', "latency_s": "0.25", "cost_usd": "0.001",
    "tokens_in": 12, "tokens_out": 0,
}  # fmt: skip
BARE = {"sample_id": "b", "metric": "acc", "value": 1}


def kept(samples: Any) -> tuple[list[dict[str, Any]], str]:
    store = MemoryStore("test")
    stored = store_samples(store, samples)
    rows = [row for ref in stored.data for row in iter_rows(store, ref)]
    return [{k: v for k, v in row.items() if k != "table"} for row in rows], stored.digest


def refusal(samples: Any) -> str:
    with pytest.raises(InvalidInputError) as caught:
        kept(samples)
    assert "\n" not in caught.value.message
    return caught.value.message


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "s.any"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_every_source_gives_the_same_rows_and_digest(tmp_path: Path) -> None:
    lines = written(tmp_path, f"{json.dumps(FULL)}\n{json.dumps(BARE)}\n")
    table = tmp_path / "map.parquet"
    struct = tmp_path / "struct.parquet"
    with duckdb.connect() as con:
        source = f"read_json('{lines}', format = 'nd')"
        con.execute(f"COPY (FROM {source}) TO '{struct}' (FORMAT parquet)")
        con.execute(
            f"COPY (SELECT * REPLACE (to_json(slices)::VARCHAR AS slices) FROM {source})"
            f" TO '{table}' (FORMAT parquet)"
        )
    sheet = tmp_path / "s.csv"
    sheet.write_text(
        "\ufeffid,metric,value,passed,task,slice.region,slice.lang,latency_s,cost_usd,tokens_in,"
        'tokens_out,extra\nb,acc,1,,,,,,,,,\r\na,acc,0.5,True,t,eu,"d""e",0.25,1e-3,12,0,"x\ny"\n'
    )
    found = [kept(source) for source in ([FULL, BARE], lines, struct, table, sheet)]
    rows, digest = found[0]
    assert rows == [{"task": "", "sample_id": "b", "metric": "acc", "value": "1"}, KEPT]
    assert found[1:] == [(rows, digest)] * 4


def test_columns_that_no_row_has_leave_digest_and_file_as_they_were() -> None:
    rows, digest = kept([BARE])
    assert set(rows[0]) == {"task", "sample_id", "metric", "value"}
    # what the same rows had before there were such columns
    assert digest == kept([{**BARE, "slices": None, "tokens_in": None, "input": "x"}])[1]
    assert len({kept([{**BARE, **more}])[1] for more in (
        {}, {"slices": {"a": "b"}}, {"latency_s": 1}, {"cost_usd": 1}, {"tokens_in": 1},
        {"tokens_out": 1},
    )}) == 6  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("slices", [], "slices are not an object"),
        ("slices", "eu", "slices are not an object"),
        ("slices", {"a": {"b": "c"}}, "slices are not an object"),
        ("slices", {"a": None}, "slices are not an object"),
        ("slices", {"": "x"}, "slices are not an object"),
        ("slices", {"a\nb": "x"}, "slices are not an object"),
        ("slices", {"a": "x" * 5000}, "slices are longer than 4,000"),
        ("latency_s", -1, "latency_s is not a finite number from 0"),
        ("latency_s", "soon", "latency_s is not a finite number from 0"),
        ("cost_usd", float("inf"), "cost_usd is not a finite number from 0"),
        ("tokens_in", 1.5, "tokens_in is not a count"),
        ("tokens_out", -1, "tokens_out is not a count"),
        ("tokens_out", 1e300, "tokens_out is not a count"),
        ("tokens_in", True, "tokens_in is not a count"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object, message: str) -> None:
    said = refusal([BARE, {**BARE, "sample_id": "c", field: value}])
    assert said.startswith(f"sample 2: its {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,metric,value\na,acc\n", "line 2: it has 2 cells, and the header 3"),
        ("id,metric,value\na,acc,1\nb,acc,much\n", "line 3: its value is not a number"),
        ('id,metric,value\n"a\nb",acc,1\nc,acc,NaN\n', "line 3: its sample_id is not"),
        ("id,metric,passed\na,acc,yes\n", "line 2: its passed is neither true nor false"),
        ("id,metric,slices,value\na,acc,eu,1\n", "line 2: its slices are not an object"),
        ("id,metric,metric\na,acc,1\n", "line 1: a column has no name, or that of another"),
        ("name,metric\na,acc\n", "neither JSON lines, CSV nor Parquet"),
        ('id,metric,value\na,acc,"1\n', "line 2: "),
    ],
)
def test_a_bad_csv_is_named(text: str, message: str, tmp_path: Path) -> None:
    assert message in refusal(written(tmp_path, text))


def test_a_csv_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(b"id,metric,value\na,acc,1\n\xff,acc,1\n")
    assert "UTF-8" in refusal(path) or "cannot be read" in refusal(path)


PROBE = """
import resource, sys
from pathlib import Path
from regista.storage.local import LocalStore
from regista.write.samples import store_samples
stored = store_samples(LocalStore(Path(sys.argv[1])), sys.argv[2])
print(stored.data[0].rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_a_large_csv_needs_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    with duckdb.connect() as con:
        con.execute(
            "COPY (SELECT 'sample-' || range AS id, 'acc' AS metric, range % 2 AS value,"
            " 'eu' AS \"slice.region\", 0.5 AS latency_s FROM range(1500000))"
            f" TO '{path}' (HEADER)"
        )
    (tmp_path / "registry").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path / "registry"), str(path)],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    rows, peak = map(int, done.stdout.split())
    unit = 1 if sys.platform == "darwin" else 1024
    assert rows == 1_500_000
    assert peak * unit < 2_000_000_000
