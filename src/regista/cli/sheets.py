"""Answers of several tables with notes: for the terminal, as Markdown for a pull request, as rows.

A `Sheet` says once what a table holds; a terminal gets its charts beside the numbers, Markdown the
numbers alone. CSV and JSON carry the unrounded rows instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from regista.cli import output
from regista.cli.ci import markdown
from regista.cli.options import Call
from regista.cli.render import Page
from regista.cli.rowformats import write_csv

FORMATS = ("table", "json", "csv", "markdown")
Row = Mapping[str, Any]

format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How to print it; --json is --format json, markdown is for a pull request.",
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table with what is said around it.

    Attributes:
        title: what it is about; '' for none.
        headers: names of its columns.
        rows: cells; None is an empty one.
        right: headers of columns that hold numbers.
        keep: headers of other columns that are never narrowed.
        wrapped: headers of columns whose long cells become several lines.
        optional: headers of columns that are left out when no row has anything in them.
        charts: headers of columns that hold charts, for the terminal alone.
        about: lines between title and table.
        notes: what must be known, below it.
        empty: what to say instead of a table without rows.
    """

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]
    right: Sequence[str] = ()
    keep: Sequence[str] = ()
    wrapped: Sequence[str] = ()
    optional: Sequence[str] = ()
    charts: Sequence[str] = ()
    about: Sequence[str] = ()
    notes: Sequence[str] = ()
    empty: str = ""

    def draw(self, page: Page) -> None:
        """Add it to a page."""
        if self.title:
            page.heading(self.title)
        for line in self.about:
            page.line(line)
        if self.rows:
            page.table(
                self.headers,
                self.rows,
                right=self.right,
                keep=(*self.keep, *self.charts),
                wrapped=self.wrapped,
                optional=(*self.optional, *self.charts),
            )
        elif self.empty:
            page.line(self.empty)
        for note in self.notes:
            page.line(f"note: {note}", "yellow")

    def markdown(self) -> list[str]:
        """Return it as lines of Markdown, escaped, with an empty line at the end."""
        lines = [f"### {markdown(self.title)}", ""] if self.title else []
        lines += [markdown(line) for line in self.about] + ([""] if self.about else [])
        if self.rows:
            lines += [*self._markdown_table(), ""]
        elif self.empty:
            lines += [markdown(self.empty), ""]
        notes = [f"- {markdown(note)}" for note in self.notes]
        return [*lines, *notes, ""] if notes else lines

    def _markdown_table(self) -> list[str]:
        kept = [
            index
            for index, header in enumerate(self.headers)
            if header not in self.charts
            and (
                header not in self.optional
                or any(row[index] not in (None, "") for row in self.rows)
            )
        ]
        rows = [[self.headers[k] for k in kept]]
        rows += [["" if row[k] is None else str(row[k]) for k in kept] for row in self.rows]
        lines = ["| " + " | ".join(map(markdown, cells)) + " |" for cells in rows]
        rule = "|".join("--:" if self.headers[k] in self.right else "---" for k in kept)
        return [lines[0], f"|{rule}|", *lines[1:]]


@dataclass(frozen=True, slots=True)
class Told:
    """An answer in every format.

    Attributes:
        value: for JSON.
        columns: names of the columns for CSV.
        rows: for CSV, unrounded.
        sheets: for a terminal.
        document: for Markdown, whose tables may be wide; the same sheets when empty.
    """

    value: Any
    columns: Sequence[str]
    rows: Sequence[Row]
    sheets: Sequence[Sheet]
    document: Sequence[Sheet] = ()

    def tell(self, call: Call, format_: str) -> None:
        """Print it in a format."""
        match "json" if call.json else format_:
            case "json":
                output.write(output.dumps(self.value))
            case "csv":
                write_csv(self.columns, ([row[name] for name in self.columns] for row in self.rows))
            case "markdown":
                lines = [
                    line for sheet in self.document or self.sheets for line in sheet.markdown()
                ]
                output.write("\n".join(lines).rstrip("\n"))
            case _:
                page = call.page()
                for sheet in self.sheets:
                    sheet.draw(page)
                output.write(str(page))
