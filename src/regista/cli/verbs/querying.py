"""`sql` and `tables`: the registry as a database to read."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from regista.cli import output
from regista.cli.exits import ExitCode
from regista.cli.inputs import text_of
from regista.cli.options import Call, as_of, command
from regista.cli.render import Page, plural
from regista.cli.rowformats import FORMATS, write_result
from regista.errors import InvalidInputError, NotFoundError
from regista.model.names import shown
from regista.registry.reads import Reads

SHELL = "duckdb"


@command(
    name="sql",
    examples=(
        'regista sql "SELECT * FROM current_stages"',
        'regista sql --format csv --output scores.csv "FROM latest_scores"',
        "regista sql --emit-views > views.sql",
    ),
)
@click.argument("query", required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How to print the rows; --json is --format json.",
)
@click.option(
    "--output",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write them; parquet needs a file.",
)
@click.option(
    "--emit-views",
    is_flag=True,
    help="Print SQL that gives the same views in a plain DuckDB shell.",
)
@as_of
def sql(
    call: Call,
    *,
    query: str | None,
    format_: str,
    file: Path | None,
    emit_views: bool,
    as_of: str | None,
) -> ExitCode:
    """Query the registry with SQL.

    QUERY is one DuckDB statement that reads; `regista tables` lists what there is. Without one,
    standard input is read; on a terminal the duckdb shell is started on the views.
    """
    registry = call.reading()
    if emit_views:
        output.write(_views(registry, as_of).rstrip("\n"))
        return ExitCode.DONE
    if query is None and sys.stdin.isatty():
        return _shell(registry, as_of)
    rows = registry.sql(text_of("-") if query is None else query, as_of=as_of)
    write_result(rows, "json" if call.json else format_, file, call.page())
    return ExitCode.DONE


def _views(registry: Reads, as_of: str | None) -> str:
    from regista.read.sql import emit_views

    seq = None if as_of is None else registry.state(as_of).seq
    return emit_views(registry.replica.store, seq)


def _shell(registry: Reads, as_of: str | None) -> ExitCode:
    import shutil
    import subprocess
    import tempfile

    program = shutil.which(SHELL)
    if program is None:
        raise InvalidInputError(
            "no query is given, and the duckdb shell is not installed",
            hint='regista sql "SELECT * FROM current_stages", or install it: https://duckdb.org',
        )
    with tempfile.TemporaryDirectory(prefix="regista-sql-") as folder:
        views = Path(folder) / "views.sql"
        views.write_text(_views(registry, as_of), encoding="utf-8")
        done = subprocess.run([program, "-init", str(views)], env=os.environ, check=False)
    return ExitCode.DONE if done.returncode == 0 else ExitCode.INVALID


@command(name="tables", examples=("regista tables", "regista tables eval_scores"))
@click.argument("name", metavar="[TABLE]", required=False)
@as_of
def tables(call: Call, name: str | None, as_of: str | None) -> ExitCode:
    """List the tables and their columns.

    With TABLE, its columns and what they mean.
    """
    from regista.registry.overview import table_overview

    found = table_overview(call.reading(), as_of=as_of)
    if name is not None:
        found = [table for table in found if table["name"] == name]
        if not found:
            raise NotFoundError(f"there is no table or view {shown(name)}", hint="regista tables")
    call.answer(
        found, lambda page: _overview(page, found) if name is None else _columns(page, found[0])
    )
    return ExitCode.DONE


def _overview(page: Page, found: list[dict[str, Any]]) -> None:
    for type_, headers in (
        ("table", ("TABLE", "ROWS", "FILES", "ONE ROW PER")),
        ("view", ("VIEW", "ROWS", "ONE ROW PER")),
    ):
        page.gap()
        listed = [table for table in found if table["type"] == type_]
        counts = {"table": ("rows", "files"), "view": ("rows",)}[type_]
        page.table(
            headers,
            [
                (table["name"], *(f"{table[count]:,}" for count in counts), table["grain"])
                for table in listed
            ],
            right=("ROWS", "FILES"),
        )


def _columns(page: Page, table: dict[str, Any]) -> None:
    page.heading(f"{table['name']} ({plural(table['rows'], 'row')}, one per {table['grain']})")
    if table["about"]:
        page.prose(table["about"], 2)
    page.gap()
    if table["type"] == "view":
        page.item(", ".join(column["name"] for column in table["columns"]))
    else:
        page.table(
            ("COLUMN", "TYPE", "MEANING"),
            [(column["name"], column["type"], column["doc"]) for column in table["columns"]],
            wrapped=("MEANING",),
        )
