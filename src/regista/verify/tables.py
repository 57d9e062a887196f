"""Tables: every row that the log leads to is in the Parquet files, and nothing else.

Rows are compared as multisets, by count and by a sum of hashes over all columns, span by span;
only where these differ are the rows themselves compared, to name the commits. Bytes of Parquet
files are never compared: they differ from one writer's version to another's.
"""

from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from regista.errors import IntegrityError
from regista.model.commit import Commit
from regista.model.tables import TABLES, Table
from regista.read import duck, rows
from regista.storage.cover import COMMITS
from regista.storage.store import Store
from regista.storage.tablefiles import Snapshot, list_all, take_snapshot
from regista.verify.problems import Problem, ProblemKind
from regista.write.tabling import tabling_connection

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH_ROWS = 20_000
SHOWN = 5


@dataclass(slots=True)
class TableCheck:
    """Compares the tables with the log as it is walked. Use it as a context manager.

    Attributes:
        store: where the registry lies.
        problems: what was found so far.
    """

    store: Store
    problems: list[Problem] = field(default_factory=list)
    _snapshot: Snapshot = field(init=False)
    _con: "DuckDBPyConnection" = field(init=False)
    _lending: Any = field(init=False)
    _inline: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _queries: dict[str, list[str]] = field(default_factory=dict)
    _first: int = 0
    _last: int = 0
    _staged: int = 0

    def __enter__(self) -> Self:
        self._snapshot = take_snapshot(self.store)
        self._lending = tabling_connection(self.store)
        self._con = self._lending.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lending.__exit__(kind, error, trace)

    def add(self, commit: Commit, digest: str) -> None:
        """Take in what one commit's rows should be."""
        if commit.seq > self._snapshot.covered_to:
            return
        self._first = self._first or commit.seq
        self._last = commit.seq
        for i, row in enumerate(commit.rows):
            if row["table"] in TABLES:
                self._keep(row["table"], rows.full_row(commit, i, row))
        self._keep(COMMITS, rows.commits_row(commit, digest))
        for ref in commit.data:
            path = self.store.local_path(ref.key) if ref.table in TABLES else None
            if path is not None:
                self._add_data(commit, ref, path)
        if self._staged > BATCH_ROWS:
            self._compare()

    def finish(self, head: int) -> None:
        """Compare what is left, and look for files beyond the log's head."""
        self._compare()
        for table, spans in list_all(self.store).items():
            for span in spans:
                if span.last > head:
                    self._report(head, f"{table} has rows of commits beyond the log's head {head}")
                    break

    def _keep(self, table: str, row: dict[str, Any]) -> None:
        self._inline.setdefault(table, []).append(row)
        self._staged += 1

    def _add_data(self, commit: Commit, ref: Any, path: Any) -> None:  # noqa: ANN401
        try:
            with duck.guarded(f"read {ref.key}"):
                query = rows.data_rows(self._con, TABLES[ref.table], commit, ref, path)
        except IntegrityError as error:
            self._report(commit.seq, error.message)
        else:
            self._queries.setdefault(ref.table, []).append(query)

    def _compare(self) -> None:
        if not self._first:
            return
        for table in TABLES.values():
            try:
                with duck.guarded(f"read table {table.name}"):
                    self._compare_table(table)
            except IntegrityError as error:
                self._report(self._first, error.message)
        self._inline.clear()
        self._queries.clear()
        self._first = self._staged = 0

    def _compare_table(self, table: Table) -> None:
        expected, parameters = self._expected(table)
        stored = self._stored(table)
        if expected is None and stored is None:
            return
        nothing = f"SELECT * FROM ({rows.json_rows(table, 'none')})"  # noqa: S608 - ours
        sides = [expected or nothing, stored or nothing]
        values = {**parameters, **({} if expected and stored else {"none": "[]"})}
        sums = [
            self._con.execute(
                f"SELECT count(*), sum(hash({duck.name_list(table.column_names)}))"  # noqa: S608
                f" FROM ({side})",
                {name: value for name, value in values.items() if f"${name}" in side},
            ).fetchone()
            for side in sides
        ]
        if sums[0] != sums[1]:
            self._name_commits(table, sides, values)

    def _name_commits(self, table: Table, sides: list[str], values: dict[str, Any]) -> None:
        columns = duck.name_list(table.column_names)
        mine, theirs = (f"SELECT {columns} FROM ({side})" for side in sides)  # noqa: S608
        found = self._con.execute(
            "SELECT seq, min(kind) FROM ("
            f"SELECT seq, 'missing or changed' AS kind FROM ({mine} EXCEPT ALL {theirs})"
            f" UNION ALL SELECT seq, 'not in the log' FROM ({theirs} EXCEPT ALL {mine})"
            ") GROUP BY seq ORDER BY seq",
            values,
        ).fetchall()
        for seq, kind in found[:SHOWN]:
            self._report(seq or 0, f"table {table.name} has rows that are {kind}; regista rebuild")
        if len(found) > SHOWN:
            self._report(
                found[SHOWN][0] or 0, f"table {table.name} is wrong in {len(found)} commits"
            )

    def _expected(self, table: Table) -> tuple[str | None, dict[str, Any]]:
        columns = duck.name_list(table.column_names)
        queries = [
            f"SELECT {columns} FROM ({query})"  # noqa: S608 - ours
            for query in self._queries.get(table.name, ())
        ]
        parameters = {}
        if inline := self._inline.get(table.name):
            queries.append(f"SELECT {columns} FROM ({rows.json_rows(table, 'rows')})")  # noqa: S608
            parameters["rows"] = rows.rows_json(inline)
        return " UNION ALL ".join(queries) or None, parameters

    def _stored(self, table: Table) -> str | None:
        files = [
            file
            for file in self._snapshot.files[table.name]
            if file.span.first <= self._last and file.span.last >= self._first
        ]
        paths = [path for file in files if (path := self.store.local_path(file.key))]
        if not paths:
            return None
        return (
            f"SELECT {duck.name_list(table.column_names)} FROM {duck.parquet(*paths)}"  # noqa: S608
            f" WHERE seq BETWEEN {self._first} AND {self._last}"
        )

    def _report(self, seq: int, detail: str) -> None:
        self.problems.append(Problem(seq, ProblemKind.TABLE, detail))
