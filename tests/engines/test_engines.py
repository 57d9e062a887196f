"""Other engines read the table files as they are, and see the rows that `regista sql` does."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset
import pyarrow.parquet
import pytest

from support.engines import (
    ALL_TABLES,
    IN_PRODUCTION,
    Rows,
    example,
    in_order,
    in_production,
    many_files,
    rows_by_sql,
    run_example,
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return many_files(tmp_path_factory.mktemp("engines"))


def by_polars(folder: Path) -> Rows:
    return pl.scan_parquet(f"{folder}/*.parquet").collect().to_dicts()


def by_pyarrow(folder: Path) -> Rows:
    rows: Rows = pyarrow.parquet.read_table(folder).to_pylist()
    return rows


def by_arrow_dataset(folder: Path) -> Rows:
    rows: Rows = pyarrow.dataset.dataset(folder).to_table().to_pylist()
    return rows


def by_pandas(folder: Path) -> Rows:
    # its own types have no null for whole numbers
    frame = pd.read_parquet(folder, dtype_backend="pyarrow").astype(object)
    rows: Rows = frame.where(frame.notna(), None).to_dict("records")
    return rows


ENGINES = {
    "polars": by_polars,
    "pyarrow": by_pyarrow,
    "arrow dataset": by_arrow_dataset,
    "pandas": by_pandas,
}


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
@pytest.mark.parametrize("table", ALL_TABLES)
def test_an_engine_sees_the_rows_that_sql_gives(
    tables: Path, table: str, engine: Callable[[Path], Rows]
) -> None:
    assert in_order(engine(tables / table)) == rows_by_sql(tables, table)


def test_the_tables_compared_have_rows(tables: Path) -> None:
    empty = {table for table in ALL_TABLES if not rows_by_sql(tables, table)}
    assert len(empty) <= 2


@pytest.mark.parametrize("engine", ["Polars", "pandas", "PyArrow"])
def test_the_example_of_an_engine_says_what_is_in_production(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = in_production(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run_example(example(engine)) == answer


def test_the_example_of_duckdb_says_what_is_in_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = in_production(tmp_path)
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as con:
        assert con.execute(example("DuckDB", "sql")).fetchall() == answer
    assert IN_PRODUCTION in (Path(__file__).parents[2] / "docs" / "engines.md").read_text("utf-8")
