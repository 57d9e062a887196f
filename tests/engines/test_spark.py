"""Spark reads the table files as they are: `make engines` installs it and runs this."""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.engines import (
    ALL_TABLES,
    Rows,
    example,
    in_order,
    in_production,
    many_files,
    rows_by_sql,
    run_example,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

if find_spec("pyspark") is None:
    pytest.skip("pyspark is not installed: run make engines", allow_module_level=True)
if shutil.which("java") is None:
    pytest.skip("Spark needs Java, and there is none on PATH", allow_module_level=True)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[SparkSession]":
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "America/New_York")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return many_files(tmp_path_factory.mktemp("engines"))


@pytest.mark.parametrize("table", ALL_TABLES)
def test_spark_sees_the_rows_that_sql_gives(
    spark: "SparkSession", tables: Path, table: str
) -> None:
    rows: Rows = [row.asDict() for row in spark.read.parquet(str(tables / table)).collect()]
    assert in_order(rows) == rows_by_sql(tables, table)


@pytest.mark.usefixtures("spark")
def test_the_example_of_spark_says_what_is_in_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = in_production(tmp_path)
    monkeypatch.chdir(tmp_path)
    source = example("Spark").replace('"registry_data/', f'"{tmp_path}/registry_data/')
    assert run_example(source) == answer
