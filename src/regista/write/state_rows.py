"""The rows of many commits in an order that lets heads be folded a version at a time.

The log's order is by commit; a fold in that order must keep every head in memory. Here the same
rows come by entry and version, and by (seq, i) within; what belongs to an entry as a whole comes
before its versions. The rules of `regista.decide.fold` give the same heads in either order, but
for keys that entries share, which `regista.write.bulk_heads` looks after.

Inline rows go through a temporary file and bulk rows are read where they lie; DuckDB sorts both,
spilling to disk. So memory is bounded, however many rows and commits there are.
"""

import heapq
import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from regista.decide.fold import STATE_TABLES, Stamp
from regista.decide.heads import Status
from regista.model.commit import Commit, DataRef, Row
from regista.model.numbers import decimal_text
from regista.model.tables import COMMON_COLUMNS, TABLES, Column
from regista.read import rows
from regista.read.data_rows import data_path, iter_rows, state_clause
from regista.storage.store import Store
from regista.write.bulk import json_lines

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Placed = tuple[int, int, Stamp, Row]
"""A row with its commit's number, its position, and what the commit's rows share."""
Group = tuple[str, int, list[Placed]]
"""All rows of one version of an entry; of the entry itself where the number is 0."""

DigestEvent = tuple[str, int, bool]
"""A digest, a version that has it, and whether it was deleted rather than added."""

_BATCH = 8192
# rows with a version that are not about that version alone
_OF_ENTRIES = frozenset({"entries", "placements", "aliases", "names", "drills", "policies"})
# what no rule of the fold reads, where there may be millions of rows
_UNREAD = {
    "versions": ("entry_id", "entry", "kind"),
    "lineage": ("entry_id", "entry"),
    "eval_runs": ("entry_id", "entry", "harness", "harness_version", "code", "source_digest",
                  "note", "dataset_entry_id", "dataset_version", "evaluated_at", "texts_digest"),
    "eval_scores": ("entry_id", "entry", "slice"),
}  # fmt: skip
_SPILLED = {
    "k": "VARCHAR", "v": "BIGINT", "q": "BIGINT", "i": "BIGINT", "t": "VARCHAR", "a": "VARCHAR",
    "d": "VARCHAR", "x": "BOOLEAN", "r": "VARCHAR",
}  # fmt: skip
_VERSION = itemgetter(0, 1)


class StateRows:
    """Rows that change state, collected from commits and read back sorted.

    Args:
        store: where the registry lies.
        con: a connection that may spill.
        folder: an existing local folder for temporary files.
    """

    def __init__(self, store: Store, con: "DuckDBPyConnection", folder: Path) -> None:
        self._store = store
        self._con = con
        self._path = folder / "state.jsonl"
        self._stamps: dict[int, Stamp] = {}
        self._queries: dict[str, list[str]] = {}
        self._encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        self._file: TextIO = self._path.open("w", encoding="utf-8")

    def add(self, commit: Commit) -> None:
        """Take in the rows of a commit.

        Raises:
            IntegrityError: a data file is missing or damaged.
        """
        stamp = Stamp(commit.seq, commit.time, commit.actor)
        for i, row in enumerate(commit.rows):
            if row["table"] in STATE_TABLES:
                self._spill(stamp, i, row)
        for ref in commit.data:
            if ref.table in STATE_TABLES:
                self._add_data(commit, ref, stamp)

    def close(self) -> None:
        """Let go of the temporary file, whatever was or was not read."""
        self._file.close()

    def groups(self) -> Iterator[Group]:
        """Yield the rows by entry and version, each group once, in order."""
        self._file.close()
        streams = [groupby(self._spilled(), _VERSION)]
        streams += [groupby(self._stored(table), _VERSION) for table in self._queries]
        merged = heapq.merge(
            *(((*key, [row[2] for row in rows]) for key, rows in stream) for stream in streams),
            key=_VERSION,
        )
        for (entry_id, version), parts in groupby(merged, _VERSION):
            placed = [row for part in parts for row in part[2]]
            # no two rows have the same number and position, so nothing else is compared
            placed.sort(key=_VERSION)
            yield entry_id, version, placed

    def digests(self) -> Iterator[tuple[str, Iterator[DigestEvent]]]:
        """Yield entry id and what happened to versions whose digests start alike, in order.

        Each iterator is to be read before the next.
        """
        lines = f"SELECT k AS entry_id, v AS version, d AS digest, x, q, i FROM {self._lines()}"
        columns = "SELECT entry_id, version, {}, seq AS q, i FROM ({})"
        added = [f"FROM ({lines}) WHERE digest IS NOT NULL"]
        added += [columns.format("digest, false AS x", query) for query in self._of("versions")]
        deleted = [f"FROM ({lines}) WHERE x"]
        deleted += [
            columns.format("NULL AS digest, status = 'deleted' AS x", query)
            for query in self._of("statuses")
        ]
        result = self._con.cursor().execute(
            f"WITH added AS ({' UNION ALL '.join(added)}),"
            # a version may be deleted twice, the second time to purge it
            f" deleted AS (SELECT entry_id, version, min({{'q': q, 'i': i}}) AS first"
            f" FROM ({' UNION ALL '.join(deleted)}) WHERE x GROUP BY ALL)"
            " SELECT entry_id, digest, version, false AS x, q, i FROM added"
            " UNION ALL SELECT entry_id, digest, version, true, first.q, first.i"
            " FROM deleted JOIN added USING (entry_id, version)"
            " ORDER BY entry_id, left(digest, 8), q, i"
        )
        for (entry_id, _), found in groupby(_fetched(result), lambda row: (row[0], row[1][:8])):
            yield entry_id, ((row[1], row[2], row[3]) for row in found)

    def _of(self, table: str) -> list[str]:
        return self._queries.get(table, [])

    def _add_data(self, commit: Commit, ref: DataRef, stamp: Stamp) -> None:
        if "version" in ref.columns:
            # one small file of one run or version: there may be very many of these
            for k, row in enumerate(iter_rows(self._store, ref, state_only=True)):
                self._spill(stamp, ref.i + k, row)
            return
        self._stamps[commit.seq] = stamp
        table, path = TABLES[ref.table], data_path(self._store, ref)
        query = rows.data_rows(self._con, table, commit, ref, path)
        self._queries.setdefault(ref.table, []).append(query)

    def _spill(self, stamp: Stamp, i: int, row: Row) -> None:
        version = 0 if row["table"] in _OF_ENTRIES else row.get("version", 0)
        digest = row["digest"] if row["table"] == "versions" else None
        deletes = row["table"] == "statuses" and row["status"] == Status.DELETED
        line = {"k": row.get("entry_id", ""), "v": version, "q": stamp.seq, "i": i,
                "t": stamp.time, "a": stamp.actor, "d": digest, "x": deletes,
                "r": self._encode(row)}  # fmt: skip
        self._file.write(self._encode(line) + "\n")

    def _lines(self) -> str:
        return json_lines(self._path, _SPILLED)

    def _spilled(self) -> Iterator[tuple[Any, ...]]:
        result = self._con.cursor().execute(
            f"SELECT k, v, q, i, t, a, r FROM {self._lines()} ORDER BY k, v, q, i"
        )
        for entry_id, version, seq, i, time, actor, text in _fetched(result):
            yield entry_id, version, (seq, i, Stamp(seq, time, actor), json.loads(text))

    def _stored(self, table: str) -> Iterator[tuple[Any, ...]]:
        unread = (*COMMON_COLUMNS, *_UNREAD.get(table, ()))
        columns = [column for column in TABLES[table].columns if column.name not in unread]
        names = [column.name for column in columns]
        doubles = [column.name for column in columns if column.type == "DOUBLE"]
        version = "0" if table in _OF_ENTRIES else "coalesce(version, 0)"
        union = " UNION ALL ".join(self._queries[table])
        result = self._con.cursor().execute(
            f"SELECT entry_id, {version}, seq, i, {', '.join(map(_as_logged, columns))}"
            f" FROM ({union}) {state_clause(table)} ORDER BY entry_id, 2, seq, i"
        )
        for entry_id, number, seq, i, *values in _fetched(result):
            pairs = zip(names, values, strict=True)
            row = {name: value for name, value in pairs if value is not None}
            row["table"], row["entry_id"] = table, entry_id
            for name in doubles:
                if "e" in row.get(name, ""):
                    row[name] = decimal_text(Decimal(row[name]))
            yield entry_id, number, (seq, i, self._stamps[seq], row)


def _as_logged(column: Column) -> str:
    """Return the SQL of a value as the log writes it, but for doubles with an exponent."""
    if column.type == "DOUBLE":
        text = rf"regexp_replace(({column.name} + 0.0)::VARCHAR, '\.0$', '')"
        return (
            f"CASE WHEN NOT isfinite({column.name})"
            f" THEN error('{column.name} is not finite') ELSE {text} END"
        )
    if column.type == "TIMESTAMP":
        return f"strftime({column.name}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f'"{column.name}"'


def _fetched(result: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - DuckDB has no types
    while batch := result.fetchmany(_BATCH):
        yield from batch
