"""Whether a gate's query may run: one SELECT that answers the same whenever it is run again.

It looks at the query as DuckDB parses it: a clock, chance, a sample, a setting or a look into
the database itself is refused by name, with the function that brings it in. What is not a
function at all is left to DuckDB to complain about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from regista.model.tables import TABLES
from regista.read import duck, syntax
from regista.read.sqlfiles import VIEWS
from regista.storage.cover import COMMITS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAX_QUERY = 65_536
_TABLE_FUNCTIONS = frozenset(("range", "generate_series", "unnest", "json_each", "json_tree"))
# DuckDB takes these words for functions where no column has the name
_WORDS = frozenset(
    (
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "current_user",
        "current_role",
        "session_user",
        "user",
        "current_catalog",
        "current_schema",
    )
)
# with one argument, the time since then
_CLOCKS = frozenset(("age",))


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a query before it runs.

    Attributes:
        objection: why it may not run, in a sentence; '' when it may.
        tables: the tables and views that it names.
    """

    objection: str
    tables: frozenset[str] = frozenset()


def check(sql: str) -> Checked:
    """Look at a query without running it."""
    import duckdb

    if len(sql) > MAX_QUERY:
        return Checked(f"the query is longer than {MAX_QUERY} characters")
    con = duck.connect()
    try:
        objection = _not_one_select(con, sql)
        return Checked(objection) if objection else _checked_select(con, sql)
    except duckdb.Error as error:
        return Checked(duck.first_line(error))
    finally:
        con.close()


def _not_one_select(con: "DuckDBPyConnection", sql: str) -> str:
    try:
        kinds = [statement.type.name for statement in con.extract_statements(sql)]
    except ValueError:
        # a statement that the client has no name for, such as UPDATE EXTENSIONS
        return "the query is not a SELECT"
    if len(kinds) != 1:
        return f"the query has {len(kinds)} statements instead of one"
    return "" if kinds == ["SELECT"] else f"the query is not a SELECT but {kinds[0]}"


def _checked_select(con: "DuckDBPyConnection", sql: str) -> Checked:
    tables = syntax.tables_in(con, sql)
    readable = {*TABLES, *VIEWS} - {COMMITS}
    if unknown := tables - readable:
        return Checked(f"there is no table {min(unknown)} for a gate to read")
    return Checked(_objection_to(con, sql), frozenset(tables))


def _objection_to(con: "DuckDBPyConnection", sql: str, within: tuple[str, ...] = ()) -> str:
    tree = syntax.parsed(con, sql)
    if tree["error"]:
        return f"the query cannot be checked: {tree['error_message']}"
    return next(filter(None, (_about(con, node, within) for node in syntax.nodes(tree))), "")


def _about(con: "DuckDBPyConnection", node: dict[str, Any], within: tuple[str, ...]) -> str:
    """Return the objection to one node of the syntax tree."""
    kind = str(node.get("type", ""))
    name = str(node.get("function_name", "")).lower()
    if node.get("sample"):
        return "the query takes a sample, which is another one each time"
    if kind.endswith("_QUERY_NODE"):
        return "the query changes rows"
    if kind == "SHOW_REF":
        return "the query describes the database and not the entry's rows"
    if kind == "BASE_TABLE" and (node["catalog_name"] or node["schema_name"] not in ("", "main")):
        return f"there is no schema {node['schema_name']} for a gate to read"
    if kind == "TABLE_FUNCTION":
        name = str(node["function"]["function_name"]).lower()
        looks_out = name not in _TABLE_FUNCTIONS
    elif kind == "COLUMN_REF":
        name = ".".join(map(str, node["column_names"])).lower()
        looks_out = name in _WORDS
    else:
        looks_out = bool(name) and _looks_out(con, name, within)
    return f"the query uses {name}, whose answer is not in the entry's rows" if looks_out else ""


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
            "SELECT lower(function_name), stability, macro_definition, parameter_types"
            " FROM duckdb_functions()"
            " WHERE function_type IN ('scalar', 'aggregate', 'window', 'macro')"
        ).fetchall()
    finally:
        con.close()
    macros: dict[str, list[str]] = {}
    for name, _, body, _ in rows:
        if body is not None:
            macros.setdefault(name, []).append(body)
    inconstant = {name for name, stability, _, types in rows if _varies(name, stability, types)}
    return frozenset(inconstant), macros


def _varies(name: str, stability: str | None, types: Sequence[str]) -> bool:
    """Say whether a function, with parameters of these types, may answer otherwise later."""
    if stability in {None, "CONSISTENT"}:
        return False
    # what takes a time with a zone looks at the session's zone, which is always UTC; but `+` and
    # `range` have such parameters beside others, and must not be refused for these
    zoned = any("TIMESTAMPTZ" in type_ or "WITH TIME ZONE" in type_ for type_ in types)
    return not zoned or stability != "CONSISTENT_WITHIN_QUERY" or name in _CLOCKS
