"""The SQL console: what its page is rendered from, and its data for pages opened from a folder.

Over http the page fetches `data/<table>.parquet`. From file:// a browser refuses that, so beside
each file that is not too large lies `data/<table>.parquet.js`, the same bytes as a classic script.
Queries run in the browser; see ADR 6.
"""

import base64
import json
from collections.abc import Sequence
from typing import Any

from regista.read.sqlfiles import VIEWS, load
from regista.site.pages.canned_queries import CANNED_QUERIES

TEMPLATE = "registry/sql.html"
# of a Parquet file, in bytes; its script is a third larger, and doubles what a site stores of it
SCRIPT_LIMIT = 4_000_000
# of a table that the page loads: 500,000 scores take 6 s and 560 MB on a machine of 2 cores
ROW_LIMIT = 500_000


def context(root: str, tables: Sequence[Any]) -> dict[str, Any]:
    """Return all that the page's template needs.

    Args:
        root: prefix that leads to the site's root, such as '../'.
        tables: the published tables, each with `name`, `file` (from the root), `bytes`, `rows`,
            `grain` and `columns` (each with `name`, `type`, `doc`).
    """
    return {
        "root": root,
        "tables": tables,
        "views": [load(name) for name in VIEWS],
        "canned": CANNED_QUERIES,
        "script_limit": SCRIPT_LIMIT,
        "row_limit": ROW_LIMIT,
    }


def parquet_script(table: str, parquet: bytes) -> str | None:
    """Return the script that carries a table's file to pages opened from a folder.

    Returns:
        Text for `data/<table>.parquet.js`; None when the file is too large for that.
    """
    if len(parquet) > SCRIPT_LIMIT:
        return None
    text = base64.b64encode(parquet).decode("ascii")
    return (
        "(window.registaParquet = window.registaParquet || {})"
        f"[{json.dumps(table)}] = {json.dumps(text)};\n"
    )
