"""The published tables: what a site may show, as Parquet files, pinned at one commit.

Everything that a page says of the registry is read from these files, so what is kept back (by
`site.publish`, or because it looks like a secret or an e-mail address) cannot reach a page by
another way. Texts that lie in blobs come through `regista.site.texts`, which keeps the same back.
Rows of one entry lie together, by `entry_id`, so entries are read one at a time, in little memory.
"""

import pickle
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.errors import IntegrityError
from regista.model import secrets
from regista.model.tables import TABLES, Column, Table
from regista.read import duck
from regista.read.sql import log_tail, open_views
from regista.read.sqlfiles import VIEWS, load
from regista.registry.reads import Reads
from regista.site.options import SiteOptions
from regista.site.texts import HIDDEN, Texts, shown_sql
from regista.write.parquet import sorted_copy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Row = Any
Rows = dict[str, list[Row]]

WITHHELD = "[not published]"
MEMORY_MB = 400
_FETCH = 2_000
# written by the machine, so there is nothing to keep back
_MACHINE_MADE = frozenset({
    "entry_id", "entry", "kind", "stage", "op", "outcome", "status", "from_status", "digest",
    "sha256", "parent", "state", "policy", "run_id", "target_entry_id", "target_digest", "action",
    "dataset_entry_id", "dataset_digest", "source_digest", "card_digest", "description_digest",
    "texts_digest", "import_digest", "version_digest", "rules_digest", "evidence_digest", "engine",
    "ops", "rows", "alias", "from_name",
})  # fmt: skip
# columns that are published only with a kind of content
_COLUMN_OF = {
    ("versions", "params"): "params",
    ("versions", "source"): "source",
    ("versions", "card"): "cards",
    ("versions", "card_digest"): "cards",
    ("descriptions", "description"): "cards",
    ("descriptions", "description_digest"): "cards",
    ("drills", "detail"): "files",
}
# gates whose verdicts quote a kind of content, in these columns
_QUOTED_BY = {"metadata": "tags", "integrity": "files", "drill": "files"}
_QUOTING = frozenset({("verdicts", "observed"), ("verdicts", "reason")})
_TABLE_OF = {"tags": "tags", "files": "files", "eval_samples": "samples"}
# JSON of texts, which is taken apart: a pattern could run from one text into another
_OBJECTS = frozenset({("versions", "params"), ("versions", "source")})
_ARRAYS = frozenset({("verdicts", "evidence")})
# in the order of entry_id, and so read entry by entry
_BY_ENTRY = (
    *(
        table.name
        for table in TABLES.values()
        if table.order[0] == "entry_id" and table.name != "eval_samples"
    ),
    "events",
    "uses",
)
# as each commit says how many rows of each table it has
_RECORDED = """
    SELECT of.key, sum(of.value)::BIGINT
    FROM (
        SELECT unnest(map_entries(json_transform(rows::JSON, '"MAP(VARCHAR, BIGINT)"'))) AS of
        FROM commits
    )
    GROUP BY of.key
"""
_QUERIES = {
    # the most rows by far, so only what pages tell of them
    "eval_scores": """
        SELECT entry_id, seq, i, run_id, task, metric, slice, value, stderr, n, higher_is_better
        FROM eval_scores
    """,
    "events": "FROM events WHERE entry_id IS NOT NULL ORDER BY entry_id, seq DESC, i DESC",
    "latest_events": """
        FROM events
        WHERE event NOT IN ('created', 'placed', 'tagged', 'described')
        ORDER BY seq DESC, i DESC LIMIT 12
    """,
    "events_by_seq": "FROM events ORDER BY seq, i",
    "placements_by_seq": "FROM placements ORDER BY seq, i",
    # an approval of a policy is of no entry
    "approvals": "FROM approvals WHERE entry_id IS NOT NULL ORDER BY entry_id, version, seq, i",
    # what came from a version, or was evaluated on it
    "uses": """
        SELECT target_entry_id AS entry_id, target_version AS version, relation,
            entry AS user, version AS user_version, NULL AS suite, 1 AS times
        FROM lineage WHERE target_entry_id IS NOT NULL
        UNION ALL
        SELECT dataset_entry_id, dataset_version, 'eval', entry, version, suite, count(*)
        FROM eval_runs WHERE dataset_entry_id IS NOT NULL GROUP BY ALL
        ORDER BY ALL
    """,
}


@dataclass(frozen=True, slots=True)
class PublishedTables:
    """The published tables of a registry at one commit.

    Attributes:
        texts: the long texts of the registry.
        options: what is published.
        seq: number of the commit.
        folder: where the Parquet files lie, `<table>.parquet`.
        counts: number of rows of each published table.
    """

    texts: Texts
    options: SiteOptions
    seq: int
    folder: Path
    counts: dict[str, int]
    con: "DuckDBPyConnection"

    def file(self, table: str) -> Path:
        """Return the Parquet file of a table."""
        return self.folder / f"{table}.parquet"

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a query over the published tables and the usual views on them."""
        found: list[tuple[Any, ...]] = self.con.cursor().execute(sql, list(values)).fetchall()
        return found

    def rows(self, name: str) -> Iterator[Row]:
        """Yield the rows of a table in its order, or of a query of ours, as named tuples."""
        cursor = self.con.cursor().execute(_QUERIES.get(name, f'FROM "{name}"'))
        type_ = _row_type(name, tuple(column[0] for column in cursor.description))
        while batch := cursor.fetchmany(_FETCH):
            yield from map(type_._make, batch)

    def entries(self) -> Iterator[Rows]:
        """Yield, for each entry in the order of ids, its rows of every table."""
        streams = {name: _ById(self.rows(name)) for name in _BY_ENTRY}
        for entry in self.rows("entries"):
            yield {name: stream.take(entry.entry_id) for name, stream in streams.items()}


@cache
def _row_type(name: str, columns: tuple[str, ...]) -> Any:  # noqa: ANN401 - made at run time
    make_type: Any = namedtuple  # noqa: PYI024 - the columns are known only now
    return make_type(name, columns)


def packed(rows: Rows) -> bytes:
    """Return rows as bytes, the same for the same rows, which `unpacked` reads back."""
    plain = [
        (name, group[0]._fields, list(map(tuple, group))) for name, group in rows.items() if group
    ]
    return pickle.dumps((list(rows), plain), protocol=5)


def unpacked(data: bytes) -> Rows:
    """Return the rows that `packed` wrote in this program."""
    names, plain = pickle.loads(data)  # noqa: S301 - from our own process
    rows: Rows = {name: [] for name in names}
    for name, columns, group in plain:
        rows[name] = list(map(_row_type(name, columns)._make, group))
    return rows


class _ById:
    """Rows in the order of `entry_id`, taken entry by entry."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._groups = groupby(rows, key=attrgetter("entry_id"))
        self._next = next(self._groups, None)

    def take(self, entry_id: str) -> list[Row]:
        """Return the rows of an entry; ids are asked for in their order."""
        taken: list[Row] = []
        while self._next is not None and self._next[0] <= entry_id:
            if self._next[0] == entry_id:
                taken = list(self._next[1])
            self._next = next(self._groups, None)
        return taken


@contextmanager
def published(
    reads: Reads, options: SiteOptions, seq: int, folder: Path
) -> Iterator[PublishedTables]:
    """Write the published tables of a commit into a folder, and read them.

    Raises:
        IntegrityError: a file of the registry is missing or damaged.
        StorageError: they do not fit.
    """
    tail = log_tail(reads.replica.log, seq)
    counts = {}
    with open_views(reads.replica.store, tail, as_of=seq, threads=2) as views:
        for table in TABLES.values():
            if not _is_published(table.name, options):
                continue
            query = _redacted(table, options)
            path = folder / f"{table.name}.parquet"
            with duck.guarded(f"write the published table {table.name}"):
                ((count,),) = views.execute(f'SELECT count(*) FROM "{table.name}"').fetchall()
                counts[table.name] = sorted_copy(views, table, query, path, rows=count)
        with duck.guarded("count the rows of the tables"):
            _require_all(views, counts, seq)
    with duck.connect(threads=2, memory_mb=MEMORY_MB, spill=folder) as con:
        _create_views(con, folder, counts)
        texts = Texts(reads.replica.store, options)
        yield PublishedTables(texts, options, seq, folder, counts, con)


def _require_all(views: "DuckDBPyConnection", counts: dict[str, int], seq: int) -> None:
    """Be sure that the tables have every row: a table file that is gone is missed by nobody else.

    Raises:
        IntegrityError: they do not.
    """
    recorded = dict(views.execute(_RECORDED).fetchall())
    for table, count in counts.items():
        expected = seq if table == "commits" else recorded.get(table, 0)
        if count != expected:
            raise IntegrityError(
                f"the table {table} has {count:,} rows instead of {expected:,}",
                hint="regista rebuild",
            )


def _create_views(con: "DuckDBPyConnection", folder: Path, counts: dict[str, int]) -> None:
    for table in TABLES.values():
        columns = ", ".join(f'NULL::{column.type} AS "{column.name}"' for column in table.columns)
        rows = f"SELECT {columns} LIMIT 0"
        if table.name in counts:
            rows = f"FROM {duck.parquet(folder / f'{table.name}.parquet')}"
        con.execute(f'CREATE VIEW "{table.name}" AS {rows}')
    for view in VIEWS:
        con.execute(f'CREATE VIEW "{view}" AS {load(view).text}')


def _is_published(table: str, options: SiteOptions) -> bool:
    return table not in _TABLE_OF or options.publishes(_TABLE_OF[table])


def _redacted(table: Table, options: SiteOptions) -> str:
    columns = ", ".join(_column(table.name, column, options) for column in table.columns)
    return f'SELECT {columns} FROM "{table.name}"'


def _column(table: str, column: Column, options: SiteOptions) -> str:
    name = f'"{column.name}"'
    needs = _COLUMN_OF.get((table, column.name))
    if needs and not options.publishes(needs):
        return f"NULL::{column.type} AS {name}"
    if column.type != "VARCHAR" or column.name in _MACHINE_MADE:
        return name
    place = (table, column.name)
    if place in _OBJECTS:
        shown = _object(name, options)
    elif place in _ARRAYS:
        shown = _array(name, options)
    elif place == ("tags", "value"):
        shown = _named("key", name, options)
    else:
        shown = shown_sql(name, options)
    if place in _QUOTING:
        shown = _withheld(shown, options)
    return f"{shown} AS {name}"


def _withheld(shown: str, options: SiteOptions) -> str:
    """Return SQL for what a verdict says, without content that is not published."""
    kinds = [kind for kind, needs in _QUOTED_BY.items() if not options.publishes(needs)]
    listed = ", ".join(map(duck.quoted, kinds)) or "NULL"
    return f"CASE WHEN kind IN ({listed}) THEN {duck.quoted(WITHHELD)} ELSE {shown} END"


def _named(key: str, value: str, options: SiteOptions) -> str:
    """Return SQL for the value of a name, which may say that it is a secret."""
    is_secret = f"{value} IS NOT NULL AND regexp_matches({key}, {duck.quoted(secrets.NAMES)})"
    return f"CASE WHEN {is_secret} THEN {duck.quoted(HIDDEN)} ELSE {shown_sql(value, options)} END"


def _object(name: str, options: SiteOptions) -> str:
    """Return SQL for a JSON object of texts without what is kept back."""
    pairs = f"""map_entries(json_transform({name}::JSON, '"MAP(VARCHAR, VARCHAR)"'))"""
    key, value = shown_sql("p.key", options), _named("p.key", "p.value", options)
    written = f"list_transform({pairs}, lambda p: to_json({key}) || ':' || to_json({value}))"
    return f"CASE WHEN {name} IS NOT NULL THEN '{{' || array_to_string({written}, ',') || '}}' END"


def _array(name: str, options: SiteOptions) -> str:
    """Return SQL for a JSON array of texts without what is kept back."""
    texts = f"""json_transform({name}::JSON, '["VARCHAR"]')"""
    shown = f"list_transform({texts}, lambda text: {shown_sql('text', options)})"
    return f"CASE WHEN {name} IS NOT NULL THEN to_json({shown})::VARCHAR END"
