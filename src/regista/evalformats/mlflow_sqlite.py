"""MLflow's SQLite store, opened for reading only.

The database is a stranger's: only tables are asked, never views, whose definitions are programs;
functions that a schema names do not run; and a query that takes too long is broken off.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError
from regista.evalformats.mlflow_store import Dataset, Metric, Run
from regista.model.names import shown
from regista.model.numbers import double_text

SQLITE = b"SQLite format 3\x00"
# what MLflow writes for an infinity, which its column cannot hold
_INFINITE = 1.7976931348623157e308
_STEPS_AT_ONCE = 1_000_000
# of a million virtual machine instructions each: some minutes
_MAX_STEPS = 20_000

_RUNS = """
    SELECT r.run_uuid, r.name, e.name, r.status, r.start_time FROM runs AS r
    LEFT JOIN experiments AS e ON e.experiment_id = r.experiment_id
    WHERE r.lifecycle_stage = 'active' ORDER BY r.start_time, r.run_uuid
"""
_METRICS = "SELECT key, value, is_nan FROM latest_metrics WHERE run_uuid = ? ORDER BY key"
_TAG = "SELECT value FROM tags WHERE run_uuid = ? AND key = ?"
_DATASETS = """
    SELECT d.name, d.digest, t.value FROM inputs AS i
    JOIN datasets AS d ON d.dataset_uuid = i.source_id
    LEFT JOIN input_tags AS t ON t.input_uuid = i.input_uuid AND t.name = 'mlflow.data.context'
    WHERE i.destination_id = ? AND i.source_type = 'DATASET' AND i.destination_type = 'RUN'
    ORDER BY d.name, d.digest
"""


class SqliteStore:
    """A database of MLflow."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = shown(path.name, 200)

    def tables(self) -> set[str]:
        """Return the names of its tables."""
        rows = self._query("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {str(name) for (name,) in rows}

    def runs(self) -> list[Run]:
        """Return the runs that are not deleted."""
        tables = self.tables()
        if missing := {"runs", "experiments", "latest_metrics"} - tables:
            raise InvalidInputError(
                f"{self._name} is no database of MLflow: it has no table {min(missing)}",
                hint="--format auto finds the format by the content",
            )
        return [
            Run(str(run_id), name or "", experiment or "", status or "", str(start or ""), None)
            for run_id, name, experiment, status, start in self._query(_RUNS)
        ]

    def metrics(self, run: Run) -> list[Metric]:
        """Return the latest value of each metric, as MLflow keeps it."""
        found = []
        for key, value, is_nan in self._query(_METRICS, run.id):
            if not isinstance(value, (int, float)):
                raise InvalidInputError(f"{self._name}: metric {shown(str(key))} is not a number")
            finite = not is_nan and abs(value) < _INFINITE
            found.append(Metric(str(key), double_text(float(value)) if finite else "NaN"))
        return found

    def datasets(self, run: Run) -> list[Dataset]:
        """Return a run's inputs; databases before MLflow 2.4 have none."""
        if not {"inputs", "datasets", "input_tags"} <= self.tables():
            return []
        return [
            Dataset(name or "", digest or "", context or "")
            for name, digest, context in self._query(_DATASETS, run.id)
        ]

    def tag(self, run: Run, name: str) -> str:
        """Return a run's tag."""
        return next((str(value or "") for (value,) in self._query(_TAG, run.id, name)), "")

    def _query(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        try:
            with self._connection() as con:
                return con.execute(sql, values).fetchall()
        except (sqlite3.Error, OverflowError) as error:
            raise InvalidInputError(
                f"{self._name} cannot be read as a database of MLflow: {error}",
                hint="mlflow db upgrade mends an old one; a damaged one must come from a backup",
            ) from error

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        left = _MAX_STEPS

        def broken_off() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        uri = f"{self._path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as con:
            con.text_factory = lambda data: data.decode("utf-8", "replace")
            con.set_progress_handler(broken_off, _STEPS_AT_ONCE)
            con.execute("PRAGMA trusted_schema = OFF")
            yield con
