"""The past: the state as of an earlier commit.

Heads are folded from the tables' rows of one key at a time, with the same fold as everything
else, so a look into the past costs what the question costs and not what the history is long.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from regista.decide import fold
from regista.decide.state import Overlay, State
from regista.errors import InvalidInputError, NotFoundError
from regista.model.commit import Row
from regista.model.numbers import double_text
from regista.model.tables import TABLES
from regista.model.times import format_time, parse_time
from regista.read.replica import Replica

VERSION_TABLES = (
    "versions",
    "lineage",
    "tags",
    "statuses",
    "descriptions",
    "eval_runs",
    "eval_scores",
)
ENTRY_TABLES = ("entries", "names", "placements", "aliases", "tags", "descriptions")


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
    """Return the state that followed a commit."""
    current = replica.refresh()
    if seq == current.seq:
        return current
    from regista.read.sql import log_tail, open_views

    commit, digest = replica.log.read(seq)
    connection = open_views(replica.store, log_tail(replica.log, seq), as_of=seq, threads=1)
    return State(replica.registry_id, seq, digest, commit.time, _Past(connection).lookup)


class _Past:
    """Looks heads up in the tables, one key at a time, each folded once."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - a DuckDB connection
        self._connection = connection
        self._folded = Overlay(lambda _key: None)
        self._done: set[str] = set()

    def lookup(self, key: str) -> Any:  # noqa: ANN401 - the head type follows from the key
        if key not in self._done:
            self._done.add(key)
            self._load(key)
        return self._folded.get(key)

    def _load(self, key: str) -> None:
        family, _, rest = key.partition("/")
        loader: Callable[[str], None] | None = {
            "g": self._load_registry,
            "n": self._load_name,
            "e": self._load_entry,
            "v": self._load_version,
            "s": self._load_slot,
            "l": self._load_label,
            "d": self._load_digest,
        }.get(family)
        if loader is None:
            raise InvalidInputError(f"{key} cannot be looked up in the past")
        loader(rest)

    def _fold(self, rows: Iterable[tuple[fold.Stamp, Row]], into: Overlay) -> Overlay:
        for stamp, row in rows:
            fold.apply_row(into, stamp, row)
        return into

    def _rows(self, table: str, where: str, *values: object) -> list[tuple[fold.Stamp, Row]]:
        cursor = self._connection.execute(
            f"SELECT * FROM {table} WHERE {where} ORDER BY seq, i",  # noqa: S608 - our own texts
            list(values),
        )
        names = [item[0] for item in cursor.description]
        return [
            as_log_row(table, dict(zip(names, values, strict=True))) for values in cursor.fetchall()
        ]

    def _ordered(
        self, tables: Iterable[str], where: str, *values: object
    ) -> list[tuple[fold.Stamp, Row]]:
        found = [
            (stamp.seq, index, stamp, row)
            for index, table in enumerate(tables)
            for stamp, row in self._rows(table, where, *values)
        ]
        found.sort(key=lambda item: item[:2])
        return [(stamp, row) for _seq, _index, stamp, row in found]

    def _load_registry(self, _rest: str) -> None:
        self._fold(self._rows("policies", "true"), self._folded)

    def _load_name(self, name: str) -> None:
        # views show an entry's name as of the commit that they are pinned at
        found = self._connection.execute(
            "SELECT entry_id FROM entries WHERE entry = ?", [name]
        ).fetchone()
        self._folded.put(f"n/{name}", found[0] if found else None)

    def _load_entry(self, entry_id: str) -> None:
        scratch = Overlay(lambda _key: None)
        rows = [
            (stamp, row)
            for stamp, row in self._ordered(ENTRY_TABLES, "entry_id = ?", entry_id)
            if row["table"] not in {"tags", "descriptions"} or "version" not in row
        ]
        self._fold(rows, scratch)
        head = scratch.get(fold.entry_key(entry_id))
        last = self._connection.execute(
            "SELECT max(version) FROM versions WHERE entry_id = ?", [entry_id]
        ).fetchone()[0]
        if head is not None:
            head = replace(head, last_version=last or 0)
        self._folded.put(fold.entry_key(entry_id), head)

    def _load_version(self, rest: str) -> None:
        entry_id, _, number = rest.rpartition("/")
        scratch = Overlay(lambda _key: None)
        scratch.put(fold.entry_key(entry_id), self.lookup(fold.entry_key(entry_id)))
        rows = self._ordered(VERSION_TABLES, "entry_id = ? AND version = ?", entry_id, int(number))
        self._fold(rows, scratch)
        key = fold.version_key(entry_id, int(number))
        self._folded.put(key, scratch.get(key))

    def _load_slot(self, rest: str) -> None:
        entry_id, _, stage = rest.rpartition("/")
        scratch = Overlay(lambda _key: None)
        entry_rows = self._rows("entries", "entry_id = ?", entry_id)
        rows = self._ordered(
            ("placements", "drills"), "entry_id = ? AND stage = ?", entry_id, stage
        )
        self._fold([*entry_rows, *rows], scratch)
        key = fold.slot_key(entry_id, stage)
        self._folded.put(key, scratch.get(key))

    def _load_label(self, rest: str) -> None:
        entry_id, _, label = rest.partition("/")
        found = self._connection.execute(
            "SELECT version FROM versions WHERE entry_id = ? AND label = ?", [entry_id, label]
        ).fetchone()
        self._folded.put(f"l/{rest}", found[0] if found else None)

    def _load_digest(self, rest: str) -> None:
        entry_id, _, prefix = rest.partition("/")
        found = self._connection.execute(
            "SELECT digest, version FROM versions WHERE entry_id = ? AND starts_with(digest, ?)"
            " ORDER BY version",
            [entry_id, prefix],
        ).fetchall()
        self._folded.put(f"d/{rest}", [list(item) for item in found] or None)


def as_log_row(table: str, columns: dict[str, Any]) -> tuple[fold.Stamp, Row]:
    """Return a table's row as the log carries it, with the stamp of its commit."""
    stamp = fold.Stamp(columns["seq"], stored_time(columns["time"]), columns["actor"])
    row: Row = {"table": table}
    for column in TABLES[table].columns[4:]:
        value = columns[column.name]
        if value is None or (value == "" and column.name != "value"):
            continue
        if isinstance(value, float):
            value = double_text(value)
        elif isinstance(value, datetime):
            value = stored_time(value)
        row[column.name] = value
    return stamp, row


def stored_time(moment: datetime) -> str:
    """Return a table's UTC timestamp as the log writes times."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
