"""Table files as files: none too many, none too few, all of one schema.

What is in them is `regista.verify.tables`.
"""

from typing import TYPE_CHECKING

from regista.errors import IntegrityError
from regista.model.tables import ADDED, TABLES, Table
from regista.read import duck
from regista.storage.cover import COMMITS, Span, TableFile, schema_key
from regista.storage.log import Log
from regista.storage.store import Store
from regista.storage.tablefiles import list_all
from regista.verify.problems import Problem, ProblemKind
from regista.write.parquet import Columns, count_rows, schemas_of
from regista.write.schemas import today

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_REBUILD = "regista rebuild"


def stray_problems(store: Store, covered_to: int) -> list[Problem]:
    """Return what is wrong with the names of the table files.

    Args:
        store: where the registry lies.
        covered_to: the last commit that was tabled when the verification began.
    """
    problems = []
    listed = list_all(store)
    # looked up after the listing: a writer may be at work, and tables no commit before it is there
    head = Log(store).head()
    for table, spans in listed.items():
        beyond = [span for span in spans if span.last > head]
        if beyond:
            first = max(head + 1, min(beyond).first)
            what = f"{table} has rows of commits beyond the log's head {head}; {_REBUILD}"
            problems.append(Problem(first, ProblemKind.TABLE, what))
        if table == COMMITS:
            problems += _gap(spans, covered_to, head)
    for key in store.list_after("tables/"):
        if key.endswith(".parquet") and not _is_named(key):
            # it would be among the rows of a glob over the table
            what = f"{key} is no table file; {_REBUILD}"
            problems.append(Problem(0, ProblemKind.STRAY, what))
    return problems


def _gap(spans: set[Span], covered_to: int, head: int) -> list[Problem]:
    after = [span for span in spans if covered_to + 1 < span.first and span.last <= head]
    if not after or any(span.first <= covered_to + 1 <= span.last for span in spans):
        return []
    what = f"commit {covered_to + 1} is not tabled, though later ones are; {_REBUILD}"
    return [Problem(covered_to + 1, ProblemKind.TABLE, what)]


def _is_named(key: str) -> bool:
    file = TableFile.parse(key)
    if file is not None:
        return file.table in TABLES
    return key in {schema_key(table) for table in TABLES}


def schema_problems(store: Store, con: "DuckDBPyConnection", covered_to: int) -> list[Problem]:
    """Return what is wrong with the files that tell the tables' columns."""
    if not covered_to:
        return []
    found = ((table, _schema_problem(store, con, table)) for table in TABLES.values())
    return [
        Problem(0, ProblemKind.TABLE, f"{schema_key(table.name)} {what}; {_REBUILD}")
        for table, what in found
        if what
    ]


def _before(table: Table) -> Columns:
    """Return the columns that an older Regista wrote, which stay until a writer comes."""
    added = ADDED.get(table.name, frozenset())
    return tuple(column for column in today(table) if column[0] not in added)


def _schema_problem(store: Store, con: "DuckDBPyConnection", table: Table) -> str:
    path = store.local_path(schema_key(table.name))
    if path is None:
        return "is missing"
    try:
        with duck.guarded("read it"):
            found = schemas_of(con, [path])[path]
            if found not in {today(table), _before(table)}:
                return "has other columns than it should"
            return "has rows" if count_rows(con, path) else ""
    except IntegrityError as error:
        return f"is damaged: {error.message}"
