import csv
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from regista.cli.render import Page, Terminal
from regista.cli.rowformats import FORMATS, write_result
from regista.errors import InvalidInputError

QUERY = """
SELECT 1 AS n, 'a | <b>' AS text, NULL::VARCHAR AS nothing, 1.5 AS exact, true AS yes,
    TIMESTAMP '2026-03-03 09:30:00.5' AS at, TIMESTAMPTZ '2026-03-03 09:30:00+02' AS zoned,
    [1, NULL] AS list, 'nan'::DOUBLE AS nan, '\\x00\\xFF'::BLOB AS bytes
"""


def relation(query: str = QUERY) -> Any:
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    return connection.sql(query).materialize()


def written(format_: str, capsys: pytest.CaptureFixture[str], query: str = QUERY) -> str:
    write_result(relation(query), format_, None, Page(Terminal()))
    return capsys.readouterr().out


def test_json_has_every_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(written("json", capsys)) == [
        {
            "n": 1,
            "text": "a | <b>",
            "nothing": None,
            "exact": 1.5,
            "yes": True,
            "at": "2026-03-03T09:30:00.500000Z",
            "zoned": "2026-03-03T07:30:00.000000Z",
            "list": [1, None],
            "nan": None,
            "bytes": "00ff",
        }
    ]


def test_csv_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv", capsys))))
    assert rows[0]["text"] == "a | <b>"
    assert not rows[0]["nothing"]
    assert rows[0]["at"] == "2026-03-03 09:30:00.5"
    assert rows[0]["zoned"] == "2026-03-03 07:30:00"
    assert rows[0]["yes"] == "true"


def test_markdown_cells_hold_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    lines = written("markdown", capsys).splitlines()
    assert "a \\| &lt;b&gt;" in lines[2]
    assert lines[1].count("|") == lines[0].count("|")


def test_a_table_aligns_numbers_and_counts_rows(capsys: pytest.CaptureFixture[str]) -> None:
    text = written(
        "table", capsys, "SELECT * FROM (VALUES (1, 'x'), (100, 'y')) t(n, s) ORDER BY n"
    )
    assert text == "  n  s\n  1  x\n100  y\n(2 rows)\n"


@pytest.mark.parametrize("format_", ["table", "csv", "json", "markdown"])
def test_no_rows_are_well_formed(format_: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = written(format_, capsys, "SELECT 1 AS n WHERE false")
    assert (
        text
        == {"table": "n\n(0 rows)\n", "csv": "n\n", "json": "[]\n", "markdown": "| n |\n|---|\n"}[
            format_
        ]
    )


def test_large_results_come_whole_and_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    text = written("csv", capsys, "SELECT i FROM range(120_000) t(i) ORDER BY i")
    assert [int(line) for line in text.splitlines()[1:]] == list(range(120_000))


def test_parquet_goes_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    write_result(relation("SELECT 7 AS n"), "parquet", file, Page(Terminal()))
    assert duckdb.read_parquet(str(file)).fetchall() == [(7,)]


def test_parquet_without_a_file_says_what_is_missing() -> None:
    with pytest.raises(InvalidInputError, match="parquet needs a file"):
        write_result(relation("SELECT 1"), "parquet", None, Page(Terminal()))


@pytest.mark.parametrize("format_", FORMATS)
def test_a_file_that_cannot_be_written_is_invalid_input(format_: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot write"):
        write_result(relation("SELECT 1"), format_, tmp_path / "no" / "x", Page(Terminal()))
