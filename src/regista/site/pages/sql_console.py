"""The SQL console: what its page is rendered from, and its data for pages opened from a folder.

Over http the page fetches `data/<table>.parquet`. From file:// a browser refuses that, so beside
each file that is not too large lies `data/<table>.parquet.js`, the same bytes as a classic script.
Queries run in the browser; see ADR 6.
"""

import base64
import json
from pathlib import Path
from typing import Any

from regista.model.tables import TABLES
from regista.read.sqlfiles import VIEWS, load
from regista.site.listing import Site
from regista.site.pages.canned_queries import CANNED_QUERIES
from regista.site.pages.entry import Page
from regista.site.pages.navigation import SQL_PAGE
from regista.site.published import PublishedTables
from regista.site.render import Renderer

# of a Parquet file, in bytes; its script is a third larger, and doubles what a site stores of it
SCRIPT_LIMIT = 4_000_000
# of a table that the page loads: 500,000 scores take 6 s and 560 MB on a machine of 2 cores
ROW_LIMIT = 500_000


def console(renderer: Renderer, site: Site, tables: PublishedTables) -> Page:
    """Return the page of the SQL console."""
    page = renderer.page(
        "registry/sql.html",
        SQL_PAGE,
        here=SQL_PAGE,
        site=site,
        tables=[_table(tables, name) for name in tables.counts],
        views=[load(name) for name in VIEWS],
        canned=CANNED_QUERIES,
        script_limit=SCRIPT_LIMIT,
        row_limit=ROW_LIMIT,
    )
    return SQL_PAGE, page


def _table(tables: PublishedTables, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "file": f"data/{name}.parquet",
        "bytes": tables.file(name).stat().st_size,
        "rows": tables.counts[name],
        "grain": TABLES[name].grain,
        "columns": TABLES[name].columns,
    }


def parquet_script(table: str, file: Path) -> bytes | None:
    """Return the script that carries a table's file to pages opened from a folder.

    Returns:
        Content for `data/<table>.parquet.js`; None when the file is too large for that.
    """
    if file.stat().st_size > SCRIPT_LIMIT:
        return None
    text = base64.b64encode(file.read_bytes()).decode("ascii")
    return (
        "(window.registaParquet = window.registaParquet || {})"
        f"[{json.dumps(table)}] = {json.dumps(text)};\n"
    ).encode()
