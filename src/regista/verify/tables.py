"""Tables: every row that the log leads to is in the Parquet files, and nothing else.

Rows are compared as multisets, by count and by a sum of hashes over all columns, span by span;
only where these differ are the rows themselves compared, to name the commits. Bytes of Parquet
files are never compared: they differ from one writer's version to another's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from regista.errors import IntegrityError
from regista.model.commit import Commit, DataRef
from regista.model.tables import TABLES, Table
from regista.read import duck, rows
from regista.storage.cover import COMMITS, TableFile
from regista.storage.store import Store
from regista.storage.tablefiles import Snapshot, take_snapshot
from regista.verify.problems import MALFORMED, Problem, ProblemKind
from regista.verify.tablefiles import schema_problems, stray_problems
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
    _queries: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    _unreadable: set[TableFile] = field(default_factory=set)
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
            else:
                self._report(commit.seq, f"the log has a row of an unknown table, {row['table']!r}")
        self._keep(COMMITS, rows.commits_row(commit, digest))
        for ref in commit.data:
            path = self.store.local_path(ref.key) if ref.table in TABLES else None
            if path is not None:
                self._add_data(commit, ref, path)
        if self._staged > BATCH_ROWS:
            self._compare()

    def finish(self) -> None:
        """Compare what is left, and look for files that should not be there, or should be."""
        self._compare()
        self.problems += stray_problems(self.store, self._snapshot.covered_to)
        self.problems += schema_problems(self.store, self._con, self._snapshot.covered_to)

    def _keep(self, table: str, row: dict[str, Any]) -> None:
        self._inline.setdefault(table, []).append(row)
        self._staged += 1

    def _add_data(self, commit: Commit, ref: DataRef, path: Path) -> None:
        try:
            with duck.guarded(f"read {ref.key}"):
                query = rows.data_rows(self._con, TABLES[ref.table], commit, ref, path)
        except (IntegrityError, *MALFORMED) as error:
            self._report(commit.seq, f"{ref.key} cannot be compared: {error}")
        else:
            self._queries.setdefault(ref.table, []).append((commit.seq, query))

    def _compare(self) -> None:
        if not self._first:
            return
        for table in TABLES.values():
            try:
                self._compare_table(table)
            except (IntegrityError, *MALFORMED):
                self._look_again_if_moved(table)
                self._compare_readable(table)
        self._inline.clear()
        self._queries.clear()
        self._first = self._staged = 0

    def _look_again_if_moved(self, table: Table) -> None:
        """List the files anew when a merge has removed some since they were listed."""
        if any(self.store.size(file.key) is None for file in self._files(table)):
            now = take_snapshot(self.store)
            self._snapshot = Snapshot(self._snapshot.covered_to, now.files)

    def _compare_readable(self, table: Table) -> None:
        """Name what cannot be read, leave it out, and compare the rest."""
        for file in self._files(table):
            if error := self._reading_fails(self._select(table, [file]), {}):
                self._report(file.span.first, f"{file.key}: {error}")
                self._unreadable.add(file)
        inline = self._inline.get(table.name, [])
        for seq in sorted({row["seq"] for row in inline}):
            mine = [row for row in inline if row["seq"] == seq]
            query = rows.json_rows(table, "rows")
            if error := self._reading_fails(query, {"rows": mine}):
                self._report(seq, f"rows of {table.name} in the log are malformed: {error}")
                inline = [row for row in inline if row["seq"] != seq]
        self._inline[table.name] = inline
        readable = []
        for seq, query in self._queries.get(table.name, ()):
            if error := self._reading_fails(query, {}):
                self._report(seq, f"rows of {table.name} in a data file: {error}")
            else:
                readable.append((seq, query))
        self._queries[table.name] = readable
        try:
            self._compare_table(table)
        except (IntegrityError, *MALFORMED) as error:
            self._report(self._first, f"table {table.name} cannot be compared: {error}")

    def _reading_fails(self, query: str, parameters: dict[str, list[dict[str, Any]]]) -> str:
        """Return why all the values of a query cannot be read; '' when they can."""
        try:
            values = {name: rows.rows_json(items) for name, items in parameters.items()}
            with duck.guarded("read"):
                self._con.execute(f"SELECT sum(hash(t)) FROM ({query}) AS t", values).fetchall()
        except (IntegrityError, *MALFORMED) as error:
            return str(error)
        return ""

    def _compare_table(self, table: Table) -> None:
        expected, parameters = self._expected(table)
        files = [file for file in self._files(table) if file not in self._unreadable]
        stored = self._select(table, files) if files else None
        if expected is None and stored is None:
            return
        nothing = rows.json_rows(table, "none")
        wanted = self._outside_unreadable(table)
        sides = [
            f"SELECT * FROM ({side}) WHERE {wanted}"
            for side in (expected or nothing, stored or nothing)
        ]
        values = {**parameters, **({} if expected and stored else {"none": "[]"})}
        with duck.guarded(f"read table {table.name}"):
            sums = [
                self._con.execute(
                    f"SELECT count(*), sum(hash({duck.name_list(table.column_names)}))"
                    f" FROM ({side})",
                    {name: value for name, value in values.items() if f"${name}" in side},
                ).fetchone()
                for side in sides
            ]
            if sums[0] != sums[1]:
                self._name_commits(table, sides, values)

    def _name_commits(self, table: Table, sides: list[str], values: dict[str, Any]) -> None:
        columns = duck.name_list(table.column_names)
        mine, theirs = (f"SELECT {columns} FROM ({side})" for side in sides)
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
            last = found[-1][0] or 0
            what = f"table {table.name} is wrong in {len(found)} commits, {last} the last of them"
            self._report(last, what)

    def _expected(self, table: Table) -> tuple[str | None, dict[str, Any]]:
        columns = duck.name_list(table.column_names)
        queries = [
            f"SELECT {columns} FROM ({query})" for _seq, query in self._queries.get(table.name, ())
        ]
        parameters = {}
        if inline := self._inline.get(table.name):
            queries.append(f"SELECT {columns} FROM ({rows.json_rows(table, 'rows')})")
            parameters["rows"] = rows.rows_json(inline)
        return " UNION ALL ".join(queries) or None, parameters

    def _outside_unreadable(self, table: Table) -> str:
        """Return the condition for rows of commits whose file can be read."""
        spans = [file.span for file in self._unreadable if file.table == table.name]
        within = [f"seq BETWEEN {span.first} AND {span.last}" for span in spans]
        return f"NOT ({' OR '.join(within)})" if within else "true"

    def _files(self, table: Table) -> list[TableFile]:
        """Return the files with rows of the commits that are being compared."""
        return [
            file
            for file in self._snapshot.files[table.name]
            if file.span.first <= self._last and file.span.last >= self._first
        ]

    def _select(self, table: Table, files: Sequence[TableFile]) -> str:
        """Return a SELECT of the rows of the commits that are being compared."""
        paths = [self.store.local_path(file.key) or Path(file.key) for file in files]
        return (
            f"SELECT {duck.name_list(table.column_names)}"
            f" FROM {rows.with_all_columns(table, duck.parquet(*paths))}"
            f" WHERE seq BETWEEN {self._first} AND {self._last}"
        )

    def _report(self, seq: int, detail: str) -> None:
        self.problems.append(Problem(seq, ProblemKind.TABLE, detail))
