"""A query as DuckDB parses it, and the tables that it names.

Names of parameters and of common table expressions are told apart from tables here, which the
client's own `get_table_names` does not do for a query with parameters.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def parsed(con: "DuckDBPyConnection", sql: str) -> Any:  # noqa: ANN401 - a syntax tree in JSON
    """Return the syntax tree of SELECTs, or an object whose `error` is true.

    Raises:
        duckdb.Error: the text is beyond DuckDB's parser.
    """
    ((text,),) = con.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
    return json.loads(text)


def nodes(tree: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - as `parsed`
    """Yield every object of a syntax tree."""
    pending = [tree]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield item
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


def tables_in(con: "DuckDBPyConnection", sql: str) -> set[str]:
    """Return the names of tables and views in a query, in lower case; none if it has no tree."""
    tree = parsed(con, sql)
    if tree["error"]:
        return set()
    named: set[str] = set()
    within: set[str] = set()
    for node in nodes(tree["statements"]):
        if node.get("type") == "BASE_TABLE":
            named.add(str(node["table_name"]).lower())
        for item in node.get("cte_map", {}).get("map", ()):
            within.add(str(item["key"]).lower())
    return named - within
