"""Whether a gate's query may run: one SELECT that answers the same whenever it is run again.

It looks at the query as DuckDB parses it: a clock, chance, a sample, a setting or a look into
the database itself is refused by name, with the function that brings it in. What is not a
function at all is left to DuckDB to complain about.
"""

from functools import cache
from typing import TYPE_CHECKING

from regista.read import duck, syntax

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
        return _objection_to(con, sql)
    except ValueError:
        # a statement that the client has no name for, such as UPDATE EXTENSIONS
        return "the query is not a SELECT"
    except duckdb.Error as error:
        return duck.first_line(error)
    finally:
        con.close()


def _objection_to(con: "DuckDBPyConnection", sql: str, within: tuple[str, ...] = ()) -> str:
    parsed = syntax.parsed(con, sql)
    if parsed["error"]:
        return f"the query cannot be checked: {parsed['error_message']}"
    for node in syntax.nodes(parsed["statements"]):
        if node.get("sample"):
            return "the query takes a sample, which is another one each time"
        match node.get("type"):
            case "TABLE_FUNCTION":
                name = str(node["function"]["function_name"]).lower()
                looks_out = name not in _TABLE_FUNCTIONS
            case "COLUMN_REF":
                name = ".".join(map(str, node["column_names"])).lower()
                looks_out = name in _WORDS
            case "SHOW_REF":
                name, looks_out = "a description of the database", True
            case _ if name := str(node.get("function_name", "")).lower():
                looks_out = _looks_out(con, name, within)
            case _:
                continue
        if looks_out:
            return f"the query uses {name}, whose answer is not in the entry's rows"
    return ""


def _looks_out(con: "DuckDBPyConnection", name: str, within: tuple[str, ...]) -> bool:
    """Say whether a function looks at anything but its arguments."""
    inconstant, macros = _functions()
    if name in inconstant:
        return True
    return name not in within and any(
        _objection_to(con, f"SELECT {body}", (*within, name)) for body in macros.get(name, ())
    )


@cache
def _functions() -> tuple[frozenset[str], dict[str, list[str]]]:
    """Return the functions whose answer varies, and the definitions of each macro."""
    con = duck.connect()
    try:
        rows = con.execute(
            "SELECT lower(function_name), stability, macro_definition FROM duckdb_functions()"
            " WHERE function_type IN ('scalar', 'aggregate', 'window', 'macro')"
        ).fetchall()
    finally:
        con.close()
    macros: dict[str, list[str]] = {}
    for name, _, body in rows:
        if body is not None:
            macros.setdefault(name, []).append(body)
    inconstant = {name for name, stability, _ in rows if stability not in (None, "CONSISTENT")}
    return frozenset(inconstant), macros
