"""Data files: rows that travel by digest come back as they went in."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regista.model.canonical import sha256_hex
from regista.model.numbers import double_text
from regista.model.tables import TABLES
from regista.read.data_rows import iter_rows
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.write.bulk import write_rows

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "VARCHAR": st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    "BIGINT": st.integers(0, 2**53 - 1),
    "BOOLEAN": st.booleans(),
    "DOUBLE": st.floats(allow_nan=False, allow_infinity=False).map(double_text),
}
COLUMNS = {
    table: {column.name: column.type for column in TABLES[table].columns}
    for table in ("eval_scores", "eval_samples", "files")
}


def rows_of(table: str, names: tuple[str, ...]) -> st.SearchStrategy[list[dict[str, Any]]]:
    optional = {name: VALUES[COLUMNS[table][name]] for name in names}
    return st.lists(st.fixed_dictionaries({}, optional=optional), min_size=1, max_size=20)


@settings(max_examples=25, deadline=None)
@given(rows_of("eval_scores", ("task", "metric", "slice", "value", "stderr", "n")))
def test_rows_come_back_in_order_without_nulls_and_exact(rows: list[dict[str, Any]]) -> None:
    store = MemoryStore("test")
    ref = write_rows(store, "eval_scores", [{"metric": "m", **row} for row in rows])
    expected = [{"table": "eval_scores", "metric": "m", **row} for row in rows]
    assert list(iter_rows(store, ref)) == expected
    assert ref.rows == len(rows)


def test_a_file_is_named_by_its_content_and_holds_what_the_reference_says(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "[a]*?")
    ref = write_rows(store, "files", [{"path": f"p{k}", "size": k} for k in range(1000)])
    data = store.get(ref.key)
    assert data is not None
    assert (sha256_hex(data), len(data)) == (ref.sha256, ref.size)
    assert ref.key == f"data/files/{ref.sha256}.parquet"
    assert [row["size"] for row in iter_rows(store, ref)] == list(range(1000))


def test_rows_may_name_their_table_and_nothing_that_a_commit_adds() -> None:
    store = MemoryStore("test")
    ref = write_rows(store, "files", [{"table": "files", "path": "a", "size": 1}])
    assert list(iter_rows(store, ref)) == [{"table": "files", "path": "a", "size": 1}]
    for column in ("seq", "nonsense"):
        with pytest.raises(ValueError, match=f"no column {column}"):
            write_rows(store, "files", [{"path": "a", column: 1}])


def test_long_texts_fit() -> None:
    store = MemoryStore("test")
    ref = write_rows(store, "tags", [{"key": "k", "value": "x" * 100_000}] * 20)
    assert {len(row["value"]) for row in iter_rows(store, ref)} == {100_000}
