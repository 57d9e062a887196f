"""The past: the state as of an earlier commit.

Heads are folded from the tables' rows of one key at a time, with the same fold as everything
else, so a look into the past costs what the question costs and not what the history is long.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from regista.decide import fold, keys
from regista.decide.heads import RunHead, VersionHead, changed
from regista.decide.state import Overlay, State
from regista.errors import ConflictError, NotFoundError
from regista.model.commit import Row
from regista.model.numbers import double_text
from regista.model.tables import TABLES
from regista.model.times import format_time, parse_time
from regista.read import duck
from regista.read.replica import Replica

VERSION_TABLES = ("versions", "lineage", "statuses", "eval_runs", "approvals", "waivers")
ENTRY_TABLES = ("entries", "names", "placements", "aliases")
# whose rows are an entry's own where they name no version
SHARED_TABLES = ("tags", "descriptions")
_ATTEMPTS = 8
# seq, i, stamp and row of the log
_Placed = tuple[int, int, fold.Stamp, Row]


def seq_as_of(replica: Replica, as_of: int | str) -> int:
    """Return the number of the last commit as of a number or a time.

    Raises:
        InvalidInputError: neither a number nor a time with a zone.
        NotFoundError: nothing was there yet, or the number lies beyond the head.
    """
    head = replica.refresh().seq
    if isinstance(as_of, int) or re.fullmatch(r"[0-9]{1,15}", as_of):
        seq = int(as_of)
        if not 1 <= seq <= head:
            raise NotFoundError(
                f"there is no commit {seq}; the log goes from 1 to {head}", hint="regista log"
            )
        return seq
    moment = format_time(parse_time(as_of))
    low, high = 0, head
    while low < high:
        middle = (low + high + 1) // 2
        if replica.log.read(middle)[0].time <= moment:
            low = middle
        else:
            high = middle - 1
    if low == 0:
        raise NotFoundError(f"the registry did not exist yet at {as_of}", hint="regista log")
    return low


def state_as_of(replica: Replica, seq: int) -> State:
    """Return the state that followed a commit.

    Raises:
        NotFoundError: there is no such commit.
        IntegrityError: a file of the registry is missing or damaged.
    """
    current = replica.refresh()
    if seq == current.seq:
        return current
    commit, digest = replica.log.read(seq)
    return State(replica.registry_id, seq, digest, commit.time, _Past(replica, seq).lookup)


class _Past:
    """Looks heads up in the tables, one key at a time, each folded once."""

    def __init__(self, replica: Replica, seq: int) -> None:
        self._replica = replica
        self._seq = seq
        self._connection = self._open()
        self._known: dict[str, Any] = {}

    def _open(self) -> Any:  # noqa: ANN401 - a DuckDB connection
        from regista.read.sql import log_tail, open_views

        tail = log_tail(self._replica.log, self._seq)
        return open_views(self._replica.store, tail, as_of=self._seq, threads=1)

    def lookup(self, key: str) -> Any:  # noqa: ANN401 - the head type follows from the key
        if key not in self._known:
            family, _, rest = key.partition("/")
            loaders: dict[str, Callable[[str], Any]] = {
                keys.REGISTRY: self._registry,
                "n": self._entry,
                "e": self._entry_name,
                "v": self._version,
                "s": self._slot,
                "l": self._label,
                "d": self._digests,
                "p": self._previous,
                "r": self._run,
                "h": self._holders,
                "a": self._aliased,
                "t": self._transaction,
            }
            self._known[key] = loaders[family](rest)
        return self._known[key]

    def _query(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return rows by column; when a merge has removed a file meanwhile, look again."""
        import duckdb

        for _ in range(_ATTEMPTS):
            try:
                cursor = self._connection.execute(query, list(values))
                names = [item[0] for item in cursor.description]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            except duckdb.Error as error:
                if not duck.is_missing_file(error):
                    with duck.guarded("read the tables"):
                        raise
                self._connection = self._open()
        raise ConflictError("the table files kept changing while they were read", hint="try again")

    def _value(self, query: str, *values: object) -> Any:  # noqa: ANN401 - what it asks for
        """Return the first column of the first row; None when there is no row."""
        rows = self._query(query, *values)
        return next(iter(rows[0].values())) if rows else None

    def _rows(self, tables: Iterable[str], where: str, *values: object) -> list[_Placed]:
        return [
            (columns["seq"], columns["i"], *as_log_row(table, columns))
            for table in tables
            for columns in self._query(f"SELECT * FROM {table} WHERE {where}", *values)
        ]

    def _fold(self, rows: list[_Placed]) -> Overlay:
        """Fold rows in the log's order, from nothing."""
        heads = Overlay(lambda _key: None)
        for _seq, _i, stamp, row in sorted(rows, key=lambda placed: placed[:2]):
            fold.apply_row(heads, stamp, row)
        return heads

    def _registry(self, _rest: str) -> Any:  # noqa: ANN401
        rows = self._rows(("policies",), "true")
        rows += self._rows(("approvals",), "version IS NULL")
        head = self._fold(rows).get(keys.REGISTRY)
        entries = self._value("SELECT count(*) FROM entries")
        return {**(head or {}), **({"entries": entries} if entries else {})} or None

    # views show an entry's name as of the commit that they are pinned at

    def _entry_name(self, entry_id: str) -> Any:  # noqa: ANN401
        return self._value("SELECT entry FROM entries WHERE entry_id = ?", entry_id)

    def _entry(self, name: str) -> Any:  # noqa: ANN401
        entry_id = self._value("SELECT entry_id FROM entries WHERE entry = ?", name)
        if entry_id is None:
            return None
        rows = self._rows(ENTRY_TABLES, "entry_id = ?", entry_id)
        rows += self._rows(SHARED_TABLES, "entry_id = ? AND version IS NULL", entry_id)
        head = fold.entry_of(self._fold(rows), entry_id)
        last = self._value("SELECT max(version) FROM versions WHERE entry_id = ?", entry_id)
        return changed(head, last_version=last or 0)

    def _version(self, rest: str) -> Any:  # noqa: ANN401
        entry_id, _, number = rest.rpartition("/")
        where = "entry_id = ? AND version = ?"
        rows = self._rows(("entries",), "entry_id = ?", entry_id)
        rows += self._rows((*VERSION_TABLES, *SHARED_TABLES), where, entry_id, int(number))
        key = keys.version(entry_id, int(number))
        head: VersionHead | None = self._fold(rows).get(key)
        if head is None:
            return None
        for run in head.runs.values():
            rows += self._scores(run, entry_id, int(number))
        return self._fold(rows).get(key)

    def _scores(self, run: RunHead, entry_id: str, version: int) -> list[_Placed]:
        """Return a run's scores over all of the data; inline ones as exact as the log has them."""
        commit, _digest = self._replica.log.read(run.seq)
        stamp = fold.Stamp(commit.seq, commit.time, commit.actor)
        rows = [
            (commit.seq, i, stamp, row)
            for i, row in commit.rows_of("eval_scores")
            if row["run_id"] == run.run_id
        ]
        if any(ref.table == "eval_scores" for ref in commit.data):
            where = "entry_id = ? AND version = ? AND run_id = ? AND i >= ?"
            where += " AND coalesce(slice, '') = ''"
            inline = len(commit.rows)
            rows += self._rows(("eval_scores",), where, entry_id, version, run.run_id, inline)
        return rows

    def _slot(self, rest: str) -> Any:  # noqa: ANN401
        entry_id, _, stage = rest.rpartition("/")
        rows = self._rows(("entries",), "entry_id = ?", entry_id)
        rows += self._rows(("placements", "drills"), "entry_id = ? AND stage = ?", entry_id, stage)
        return self._fold(rows).get(keys.slot(entry_id, stage))

    def _label(self, rest: str) -> Any:  # noqa: ANN401
        query = "SELECT version FROM versions WHERE entry_id = ? AND label = ?"
        return self._value(query, *rest.split("/", 1))

    def _digests(self, rest: str) -> Any:  # noqa: ANN401
        entry_id, prefix = rest.split("/", 1)
        return self._equals(entry_id, prefix).get(keys.equals(entry_id, prefix))

    def _previous(self, rest: str) -> Any:  # noqa: ANN401
        entry_id, _, number = rest.rpartition("/")
        version = self.lookup(keys.version(entry_id, int(number)))
        if version is None:
            return None
        key = keys.before(entry_id, int(number))
        return self._equals(entry_id, version.digest[:8]).get(key)

    def _equals(self, entry_id: str, prefix: str) -> Overlay:
        """Fold all versions of an entry whose digests begin so, and what became of them."""
        where = "entry_id = ? AND starts_with(digest, ?)"
        rows = self._rows(("entries",), "entry_id = ?", entry_id)
        rows += self._rows(("versions",), where, entry_id, prefix)
        among = f"entry_id = ? AND version IN (SELECT version FROM versions WHERE {where})"
        return self._fold([*rows, *self._rows(("statuses",), among, entry_id, entry_id, prefix)])

    def _run(self, run_id: str) -> Any:  # noqa: ANN401
        query = "SELECT entry_id, version, seq, suite FROM eval_runs WHERE run_id = ?"
        found = self._query(query, run_id)
        return list(found[0].values()) if found else None

    def _holders(self, stage: str) -> Any:  # noqa: ANN401
        query = (
            "SELECT count(*) FROM (SELECT arg_max(to_version IS NOT NULL, (seq, i)) AS held"
            " FROM placements WHERE stage = ? GROUP BY entry_id) WHERE held"
        )
        return self._value(query, stage) or None

    def _aliased(self, alias: str) -> Any:  # noqa: ANN401
        query = (
            "SELECT count(*) FROM (SELECT arg_max(version IS NOT NULL, (seq, i)) AS used"
            " FROM aliases WHERE alias = ? GROUP BY entry_id) WHERE used"
        )
        return self._value(query, alias) or None

    def _transaction(self, txid: str) -> Any:  # noqa: ANN401
        seq = self._value("SELECT seq FROM commits WHERE txid = ? ORDER BY seq DESC", txid)
        if seq is None:
            return None
        return [seq, fold.arguments_digest(self._replica.log.read(seq)[0].ops)]


def as_log_row(table: str, columns: dict[str, Any]) -> tuple[fold.Stamp, Row]:
    """Return a table's row as the log carries it, with the stamp of its commit."""
    row: Row = {"table": table}
    for name in _log_columns(table):
        value = columns[name]
        if value is None or (value == "" and name != "value"):
            continue
        kind = type(value)
        if kind is float:
            value = double_text(value)
        elif kind is datetime:
            value = stored_time(value)
        row[name] = value
    return _stamp(columns["seq"], columns["time"], columns["actor"]), row


@cache
def _log_columns(table: str) -> tuple[str, ...]:
    """Return the columns of a table that are not its commit's."""
    return TABLES[table].column_names[4:]


@lru_cache(maxsize=64)
def _stamp(seq: int, time: datetime, actor: str) -> fold.Stamp:
    """Return what rows of one commit share, which mostly follow each other."""
    return fold.Stamp(seq, stored_time(time), actor)


@lru_cache(maxsize=4096)
def stored_time(moment: datetime) -> str:
    """Return a table's UTC timestamp as the log writes times; rows of one commit share it."""
    return format_time(moment.replace(tzinfo=UTC))
