"""Pairing the per-example results of two runs, in DuckDB: millions of rows come down to counts.

Nothing here depends on the order of rows or on threads: whatever is added up is a whole number.
Data files lie in the order of their grain, so two runs on the same examples mostly have the same
row at the same place, and are laid side by side; where they do not, they are joined. What the
counts and sums mean is `regista.decide.statistics.pairs`.
"""

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.decide.operations.context import Grain, SampleSource
from regista.decide.statistics.pairs import COARSER, LISTED, Outcomes, Pairs
from regista.errors import IntegrityError
from regista.model.commit import DataRef
from regista.model.numbers import double_text
from regista.model.tables import TABLES
from regista.read import duck
from regista.read.data_rows import data_path
from regista.storage.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_MB = 1000
_VERIFY = "regista verify"
_COLUMNS = ("sample_id", "value", "passed")
_BITS = 30
# beyond, two to that power is no double any more
_MOST_SCALE = 1000


def load_pairs(
    store: Store, candidate: SampleSource, baseline: SampleSource, grain: Grain, *, threads: int = 1
) -> Pairs | None:
    """Return what two runs say of the same examples; None where one says nothing.

    Args:
        store: where the registry lies.
        candidate: where the candidate's results lie.
        baseline: where the other version's lie.
        grain: task, metric and slice; a slice `KEY=VALUE` is the examples that have it so.
        threads: any number gives the same answer.

    Raises:
        IntegrityError: a data file is missing or damaged, or holds a value that is not finite.
        StorageError: the disk is full, or memory runs out.
    """
    with (
        store.scratch() as folder,
        duck.connect(threads=threads, memory_mb=MEMORY_MB, spill=folder / "spill") as con,
        duck.guarded("pair the per-example results of two runs"),
    ):
        counts = [
            _create(con, store, name, source, grain)
            for name, source in (("ours", candidate), ("theirs", baseline))
        ]
        if 0 in counts:
            return None
        _pair(con, side_by_side=counts[0] == counts[1])
        return _summed(con, counts[0], counts[1])


def _create(
    con: "DuckDBPyConnection", store: Store, name: str, source: SampleSource, grain: Grain
) -> int:
    """Make a view of a run's results of one grain; return how many there are."""
    selects = [_of_file(con, data_path(store, ref), ref, source.run_id, grain)
               for ref in source.refs]  # fmt: skip
    if source.rows:
        selects.append(_of_rows(con, name, source, grain))
    query = " UNION ALL ".join(select for select in selects if select)
    if not query:
        return 0
    con.execute(f'CREATE VIEW "{name}" AS {query}')
    counted = con.execute(f'SELECT count(*) FROM "{name}"').fetchone()
    return int(counted[0]) if counted else 0


def _of_file(con: "DuckDBPyConnection", path: Path, ref: DataRef, run_id: str, grain: Grain) -> str:
    source = duck.parquet(path)
    described = con.execute(f"DESCRIBE FROM {source}").fetchall()
    columns = {str(row[0]) for row in described}
    if "sample_id" not in columns:
        raise IntegrityError(f"{ref.key} has no column 'sample_id'", hint=_VERIFY)
    kinds = {column.name: column.type for column in TABLES["eval_samples"].columns}
    values = ", ".join(
        f'CAST({_column(name, columns, ref)} AS {kinds[name]}) AS "{name}"' for name in _COLUMNS
    )
    conditions = [
        f"{_column('run_id', columns, ref)} = {duck.quoted(run_id)}",
        f"coalesce({_column('task', columns, ref)}, '') = {duck.quoted(grain[0])}",
        f"{_column('metric', columns, ref)} = {duck.quoted(grain[1])}",
    ]
    if grain[2]:
        conditions.append(_in_slice(_column("slices", columns, ref), grain[2]))
    return f"SELECT {values} FROM {source} WHERE {' AND '.join(conditions)}"


def _column(name: str, columns: set[str], ref: DataRef) -> str:
    """Return a column, or the value that all rows of a file share."""
    if name in columns:
        return f'"{name}"'
    value = ref.columns.get(name)
    if isinstance(value, bool) or value is None:
        return "NULL" if value is None else str(value)
    return duck.quoted(str(value))


def _in_slice(column: str, slice_: str) -> str:
    """Return the condition that an example belongs to a slice such as `class=3`.

    An example's slices are a JSON object of texts, so one without an object is in no slice.
    """
    key, _equals, value = slice_.partition("=")
    pointer = "/" + key.replace("~", "~0").replace("/", "~1")
    found = f"json_extract_string(CAST({column} AS VARCHAR), {duck.quoted(pointer)})"
    return f"{found} = {duck.quoted(value)}"


def _of_rows(con: "DuckDBPyConnection", name: str, source: SampleSource, grain: Grain) -> str:
    """Make a table of the results that a commit holds inline."""
    con.execute(f'CREATE TABLE "{name}_inline" (sample_id VARCHAR, value DOUBLE, passed BOOLEAN)')
    key, _equals, value = grain[2].partition("=")
    rows = [
        [row["sample_id"], None if row.get("value") is None else float(row["value"]),
         row.get("passed")]
        for row in source.rows
        if (row.get("task", ""), row["metric"]) == grain[:2]
        and (not grain[2] or json.loads(row.get("slices") or "{}").get(key) == value)
    ]  # fmt: skip
    if rows:
        con.executemany(f'INSERT INTO "{name}_inline" VALUES (?, ?, ?)', rows)
    return f'SELECT * FROM "{name}_inline"'


def _pair(con: "DuckDBPyConnection", *, side_by_side: bool) -> None:
    """Make the table of pairs: x and p of the candidate, y and q of the baseline."""
    select = "SELECT o.value AS x, t.value AS y, o.passed AS p, t.passed AS q"
    if side_by_side:
        con.execute(
            f"CREATE TEMP TABLE paired AS {select}, o.sample_id = t.sample_id AS same"
            " FROM ours o POSITIONAL JOIN theirs t"
        )
        if _one(con, "SELECT bool_and(same) FROM paired")[0]:
            return
        con.execute("DROP TABLE paired")
    con.execute(f"CREATE TEMP TABLE paired AS {select} FROM ours o JOIN theirs t USING (sample_id)")


def _summed(con: "DuckDBPyConnection", ours: int, theirs: int) -> Pairs:
    pairs, low, high, half, *counts = _one(
        con,
        "SELECT count(*), least(min(x), min(y)), greatest(max(x), max(y)), max(abs(x / 2 - y / 2)),"
        f" bool_and(x IN (0, 1) AND y IN (0, 1)), {_outcomes('x = 1', 'y = 1')},"
        f" bool_and(coalesce(p = p AND q = q, false)), {_outcomes('p', 'q')},"
        " bool_and(x IS NOT NULL AND y IS NOT NULL) FROM paired",
    )
    if not pairs:
        return Pairs(0, ours, theirs)
    if pairs > min(ours, theirs):
        raise IntegrityError("a run has two results of one example", hint=_VERIFY)
    if not counts[-1] or not math.isfinite(low) or not math.isfinite(high):
        raise IntegrityError(
            "per-example results hold a value that is not a finite number", hint=_VERIFY
        )
    scale = _scale(half)
    fine, coarse = _sums(con, scale)
    return Pairs(
        pairs,
        ours - pairs,
        theirs - pairs,
        Decimal(double_text(low)),
        Decimal(double_text(high)),
        scale,
        fine,
        coarse,
        _listed(con, scale) if pairs <= LISTED else None,
        Outcomes(*counts[1:5]) if counts[0] else None,
        Outcomes(*counts[6:10]) if counts[5] else None,
    )


def _outcomes(ours: str, theirs: str) -> str:
    cases = (f"{ours} AND {theirs}", f"{ours} AND NOT {theirs}",
             f"NOT {ours} AND {theirs}", f"NOT {ours} AND NOT {theirs}")  # fmt: skip
    return ", ".join(f"count(*) FILTER (WHERE {case})" for case in cases)


def _scale(half: float) -> int:
    """Return the scale at which the largest difference, given half of it, has some 30 bits."""
    _mantissa, exponent = math.frexp(half)
    return min(_BITS - exponent - 1, _MOST_SCALE)


def _units(scale: int) -> str:
    # halves, since the difference of two doubles may be too large for one; floor, as casts round
    # in a way of their own
    return f"CAST(floor((x / 2 - y / 2) * {math.ldexp(1.0, scale + 1)!r}::DOUBLE + 0.5) AS BIGINT)"


def _sums(
    con: "DuckDBPyConnection", scale: int
) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
    sums = _one(
        con,
        "SELECT sum(d), sum(d * d), sum(c), sum(c * c), sum(c * c * c), sum(c * c * c * c)"
        f" FROM (SELECT {_units(scale)} AS d, {_units(scale - COARSER)} AS c FROM paired)",
    )
    first, second, *coarse = map(int, sums)
    return (first, second), (coarse[0], coarse[1], coarse[2], coarse[3])


def _listed(con: "DuckDBPyConnection", scale: int) -> tuple[tuple[int, int], ...]:
    found = con.execute(
        f"SELECT {_units(scale)} AS d, count(*) FROM paired GROUP BY d ORDER BY d"
    ).fetchall()
    return tuple((int(value), int(count)) for value, count in found)


def _one(con: "DuckDBPyConnection", query: str) -> tuple[Any, ...]:
    found = con.execute(query).fetchone()
    assert found is not None  # noqa: S101 - an aggregate has one row; for the types
    return tuple(found)
