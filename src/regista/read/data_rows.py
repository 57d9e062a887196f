"""Rows that a commit carries by digest, read back as log rows.

A data file holds some of its table's own columns, and the reference those that all its rows
share; together they are what an inline row says: nulls left out, doubles as decimal texts. Rows
come in file order, which is the order of their `i`, however many there are. Writing data files is
`regista.write.bulk`; whether a file has its digest is checked by `regista.verify`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.decide.evidence import Score
from regista.decide.fold import STATE_TABLES
from regista.decide.heads import VersionHead
from regista.decide.planning import score_of
from regista.errors import IntegrityError
from regista.model.commit import Commit, DataRef, Row
from regista.model.numbers import double_text
from regista.model.tables import COMMON_COLUMNS, TABLES, Table
from regista.model.times import format_time
from regista.read import duck
from regista.storage.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_VERIFY = "regista verify"
_BATCH = 4096
_MEMORY_MB = 500


def state_rows(store: Store, commit: Commit) -> Iterator[Row]:
    """Yield the rows of a commit's data files that change state, in the order to fold them.

    Raises:
        IntegrityError: a data file is missing or damaged.
    """
    for ref in commit.data:
        if ref.table in STATE_TABLES:
            yield from iter_rows(store, ref, state_only=True)


def iter_rows(store: Store, ref: DataRef, *, state_only: bool = False) -> Iterator[Row]:
    """Yield the rows of a data file in order, as the log would write them inline.

    Args:
        store: where the registry lies.
        ref: the reference.
        state_only: leave out rows of the table that change no head.

    Raises:
        IntegrityError: the file is missing or damaged.
    """
    with _reading(ref) as con:
        source = DataFile(store, con, ref)
        yield from source.rows(source.state_clause() if state_only else "")


def run_scores(
    store: Store, ref: DataRef, run_id: str, version: VersionHead | None = None
) -> tuple[Score, ...]:
    """Return the scores of one run that a data file holds, sorted by task, metric and slice.

    Args:
        store: where the registry lies.
        ref: a reference to `eval_scores`.
        run_id: the run.
        version: the version that the run is of; data files are sorted by version, so knowing it
            saves reading most of a large one.

    Raises:
        IntegrityError: the file is missing or damaged.
    """
    if ref.columns.get("run_id", run_id) != run_id:
        return ()
    wanted: dict[str, object] = {"run_id": run_id}
    if version is not None:
        wanted |= {"entry_id": version.entry_id, "version": version.version}
    with _reading(ref) as con:
        source = DataFile(store, con, ref)
        held = {name: value for name, value in wanted.items() if name in source.columns}
        conditions = " AND ".join(f'"{name}" = ?' for name in held)
        found = list(source.rows(conditions and f"WHERE {conditions}", list(held.values())))
    return tuple(sorted(map(score_of, found), key=_grain))


class DataFile:
    """One data file, open for reading.

    Args:
        store: where the registry lies.
        con: the connection to read with; one result of it can be open at a time.
        ref: the reference.

    Attributes:
        columns: the columns that the file holds, in the table's order.

    Raises:
        IntegrityError: the file is missing, or has not the size or the columns that it should.
    """

    def __init__(self, store: Store, con: "DuckDBPyConnection", ref: DataRef) -> None:
        self.ref = ref
        self.path = data_path(store, ref)
        self._con = con
        self._table = _table_of(ref)
        described = con.execute(f"DESCRIBE FROM {duck.parquet(self.path)}").fetchall()
        found = [str(row[0]) for row in described]
        self.columns = [name for name in self._table.column_names if name in found]
        foreign = set(found) - (set(self.columns) - set(COMMON_COLUMNS) - set(ref.columns))
        if foreign:
            raise IntegrityError(
                f"{ref.key} has a column {min(foreign)!r}, which it should not hold", hint=_VERIFY
            )

    def state_clause(self) -> str:
        """Return the WHERE that leaves out rows which change no head; '' for none."""
        # heads show scores over all of the data, so those of slices need not be read for them
        return state_clause(self.ref.table) if "slice" in self.columns else ""

    def rows(self, clauses: str = "", parameters: Sequence[object] = ()) -> Iterator[Row]:
        """Yield the rows as log rows; `clauses` follow the FROM, such as a WHERE of ours."""
        kinds = {column.name: column.type for column in self._table.columns}
        values = ", ".join(f'CAST("{name}" AS {kinds[name]})' for name in self.columns)
        query = f"SELECT {values} FROM {duck.parquet(self.path)} {clauses}"
        shared = {"table": self.ref.table, **self.ref.columns}
        convert = converter([kinds[name] for name in self.columns], self.ref.key)
        result = self._con.execute(query, list(parameters))
        while batch := result.fetchmany(_BATCH):
            for items in map(convert, batch):
                pairs = zip(self.columns, items, strict=True)
                yield shared | {name: value for name, value in pairs if value is not None}


def state_clause(table: str) -> str:
    """Return the WHERE that leaves out rows of a table which change no head; '' for none."""
    return "WHERE coalesce(slice, '') = ''" if table == "eval_scores" else ""


def data_path(store: Store, ref: DataRef) -> Path:
    """Return a local file with the rows.

    Raises:
        IntegrityError: it is missing, or has another size than the log says.
    """
    path = store.local_path(ref.key)
    if path is None:
        raise IntegrityError(f"{ref.key} is missing, though the log needs it", hint=_VERIFY)
    if path.stat().st_size != ref.size:
        raise IntegrityError(f"{ref.key} has not the size that the log says", hint=_VERIFY)
    return path


def converter(types: Sequence[str], key: str) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Return a function from a fetched row to its values as the log writes them.

    Args:
        types: DuckDB types of the values.
        key: where they come from, for messages.
    """
    doubles = [k for k, type_ in enumerate(types) if type_ == "DOUBLE"]
    times = [k for k, type_ in enumerate(types) if type_ == "TIMESTAMP"]
    if not doubles and not times:
        return lambda values: values

    def convert(values: Sequence[Any]) -> Sequence[Any]:
        items = list(values)
        for k in doubles:
            if items[k] is not None:
                items[k] = _exact(items[k], key)
        for k in times:
            if items[k] is not None:
                items[k] = _time_text(items[k])
        return items

    return convert


@contextmanager
def _reading(ref: DataRef) -> "Iterator[DuckDBPyConnection]":
    doing = f"read {ref.key}"
    with duck.connect(memory_mb=_MEMORY_MB) as con, duck.guarded(doing, mend=_VERIFY):
        yield con


def _grain(score: Score) -> tuple[str, str, str]:
    return score.task, score.metric, score.slice


def _exact(value: float, key: str) -> str:
    if not math.isfinite(value):
        raise IntegrityError(f"{key} holds a number that is not finite", hint=_VERIFY)
    return double_text(value)


def _time_text(moment: datetime) -> str:
    return format_time(moment.replace(tzinfo=UTC))


def _table_of(ref: DataRef) -> Table:
    table = TABLES.get(ref.table)
    if table is None:
        raise IntegrityError(f"the log has rows of an unknown table, {ref.table!r}", hint=_VERIFY)
    return table
