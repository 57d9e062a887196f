"""Whether a gate's query may run: one SELECT that answers the same whenever it is run again.

It looks at the query as DuckDB parses it: a clock, chance, a sample, a setting or a look into
the database itself is refused by name, with the function that brings it in. What is not a
function at all is left to DuckDB to complain about.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from regista.read import duck

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TABLE_FUNCTIONS = frozenset(("range", "generate_series", "unnest", "json_each", "json_tree"))
# DuckDB takes these words for functions where no column has the name
_WORDS = frozenset((
    "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp",
    "current_user", "current_role", "session_user", "user", "current_catalog", "current_schema",
))


def objection(sql: str) -> str:
    """Say in a sentence why a query may not run; '' when it may."""
    import duckdb

    con = duck.connect()
    try:
        statements = con.extract_statements(sql)
        if len(statements) != 1:
            return f"the query has {len(statements)} statements instead of one"
        if statements[0].type.name != "SELECT":
            return f"the query is not a SELECT but {statements[0].type.name}"
        return _objection_to(_parsed(con, sql))
    except ValueError:
        return "the query is not a SELECT"
    except duckdb.Error as error:
        return duck.first_line(error)
    finally:
        con.close()


def _objection_to(parsed: Any) -> str:  # noqa: ANN401 - a syntax tree in JSON
    if parsed["error"]:
        return f"the query cannot be checked: {parsed['error_message']}"
    refused = _refused_functions()
    for node in _nodes(parsed["statements"]):
        if name := str(node.get("function_name", "")).lower():
            if name in refused:
                return f"the query uses {name}, whose answer is not in the registry's rows"
        elif node.get("type") == "COLUMN_REF":
            words = [str(word).lower() for word in node["column_names"]]
            if len(words) == 1 and words[0] in _WORDS:
                return f"the query uses {words[0]}, whose answer is not in the registry's rows"
        elif node.get("sample"):
            return "the query takes a sample, which is another one each time"
    return ""


def _parsed(con: "DuckDBPyConnection", sql: str) -> Any:  # noqa: ANN401
    ((text,),) = con.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
    return json.loads(text)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    pending = [tree]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield item
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


@cache
def _refused_functions() -> frozenset[str]:
    """Return the functions that look at anything but their arguments."""
    con = duck.connect()
    try:
        rows = con.execute(
            "SELECT lower(function_name), function_type, stability, macro_definition"
            " FROM duckdb_functions()"
        ).fetchall()
        refused = {
            name for name, type_, stability, _ in rows
            if (type_ in ("scalar", "aggregate") and stability != "CONSISTENT")
            or (type_ in ("table", "table_macro", "pragma") and name not in _TABLE_FUNCTIONS)
        }
        macros = {name: text for name, type_, _, text in rows if type_ == "macro"}
        used = {
            name: _functions_in(con, text) for name, text in macros.items()
        }
        return frozenset(_closed(refused, used))
    finally:
        con.close()
