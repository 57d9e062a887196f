"""The commit: one immutable, numbered log file.

A file is one line of canonical JSON and a newline; signature lines may follow. Its name is its
number, its identity the SHA-256 of its exact bytes, and its parent that of the file before.
What a commit means is decided in `regista.decide`; where it is kept is `regista.storage.log`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from regista.errors import IntegrityError, InvalidInputError, NewerFormatError
from regista.model import canonical
from regista.model.names import shown

FORMAT = 1
FIRST_SEQ = 1

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OpRecord:
    """One operation of a commit.

    Attributes:
        op: name of the operation.
        args: the intent, as the caller gave it.
        reads: facts from outside the log that the decision used, by key.
        decision: what was decided; its fields depend on the operation.
    """

    op: str
    args: dict[str, Any]
    reads: dict[str, Any]
    decision: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DataRef:
    """Rows of one table that a commit carries by digest, in `data/<table>/<sha256>.parquet`.

    Attributes:
        table: the table that the rows belong to.
        sha256: digest of the Parquet file.
        rows: number of rows.
        size: bytes of the file.
        i: position of the first row within the commit.
        columns: values that all rows share and the file does not hold, such as the run's id.
    """

    table: str
    sha256: str
    rows: int
    size: int
    i: int = 0
    columns: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Where the file lies in the store."""
        return data_key(self.table, self.sha256)

    def with_columns(self, columns: dict[str, Any]) -> "DataRef":
        """Return the reference with further values that all its rows share."""
        return replace(self, columns={**self.columns, **columns})


@dataclass(frozen=True, slots=True)
class Commit:
    """The content of one log file.

    Attributes:
        format: version of the registry format.
        registry: id of the registry.
        seq: number of the commit, from 1.
        parent: sha256 of the file before; the registry's id for the first.
        txid: transaction id, unique to one attempt to change something.
        time: recorded time, never before the parent's (RFC 3339, UTC, microseconds).
        clock: the writer's raw clock.
        actor: who.
        ops: what was asked and decided.
        rows: rows added, each with its `table`; the index is the row's `i`.
        data: rows added by digest.
        policy: digest of the policy in force when the operations were judged; '' before any.
        engine: writer's name and version.
    """

    format: int
    registry: str
    seq: int
    parent: str
    txid: str
    time: str
    clock: str
    actor: str
    ops: tuple[OpRecord, ...]
    rows: tuple[Row, ...]
    data: tuple[DataRef, ...]
    policy: str
    engine: str

    def to_bytes(self) -> bytes:
        """Return the exact bytes of the log file, newline included."""
        return canonical.encode(_to_json(self)) + b"\n"

    def rows_of(self, table: str) -> Iterator[tuple[int, Row]]:
        """Yield (i, row) of the inline rows of one table."""
        for i, row in enumerate(self.rows):
            if row["table"] == table:
                yield i, row

    def row_counts(self) -> dict[str, int]:
        """Return how many rows the commit adds to each table, inline and by digest."""
        counts: dict[str, int] = {}
        for row in self.rows:
            counts[row["table"]] = counts.get(row["table"], 0) + 1
        for ref in self.data:
            counts[ref.table] = counts.get(ref.table, 0) + ref.rows
        return counts


def parse(data: bytes) -> Commit:
    """Read a log file.

    Raises:
        IntegrityError: not a whole commit file: truncated, not JSON, a field missing or mistyped.
        NewerFormatError: written by a newer Regista.
    """
    line, newline, _signatures = data.partition(b"\n")
    if not newline:
        raise IntegrityError("the file is truncated: it does not end in a newline")
    try:
        value = canonical.decode(line)
    except InvalidInputError as error:
        raise IntegrityError(f"the file is {error.message}") from error
    if not isinstance(value, dict):
        raise IntegrityError("the file does not hold a JSON object")
    if isinstance(value.get("format"), int) and value["format"] > FORMAT:
        raise NewerFormatError(
            f"the registry has format {value['format']}; this Regista knows up to {FORMAT}",
            hint="pip install --upgrade regista",
        )
    return _from_json(value)


def log_key(seq: int) -> str:
    """Return the key of the log file with this number."""
    return f"log/{seq // 1000:06d}/{seq:012d}.json"


def seq_of_key(key: str) -> int | None:
    """Return the number in a log file's key; None for any other key."""
    prefix, _, name = key.rpartition("/")
    stem, dot, suffix = name.partition(".")
    if not prefix.startswith("log/") or dot != "." or suffix != "json" or not stem.isdigit():
        return None
    seq = int(stem)
    return seq if log_key(seq) == key else None


def data_key(table: str, sha256: str) -> str:
    """Return the key of a bulk data file."""
    return f"data/{table}/{sha256}.parquet"


def _to_json(commit: Commit) -> dict[str, Any]:
    ops = [
        {"op": op.op, "args": op.args, "reads": op.reads, "decision": op.decision}
        for op in commit.ops
    ]
    data = [
        {
            "table": ref.table,
            "sha256": ref.sha256,
            "rows": ref.rows,
            "size": ref.size,
            "i": ref.i,
            "columns": ref.columns,
        }
        for ref in commit.data
    ]
    return {
        "format": commit.format,
        "registry": commit.registry,
        "seq": commit.seq,
        "parent": commit.parent,
        "txid": commit.txid,
        "time": commit.time,
        "clock": commit.clock,
        "actor": commit.actor,
        "ops": ops,
        "rows": list(commit.rows),
        "data": data,
        "policy": commit.policy,
        "engine": commit.engine,
    }


_FIELD_TYPES: dict[str, type] = {
    "format": int,
    "registry": str,
    "seq": int,
    "parent": str,
    "txid": str,
    "time": str,
    "clock": str,
    "actor": str,
    "ops": list,
    "rows": list,
    "data": list,
    "policy": str,
    "engine": str,
}
_OP_TYPES: dict[str, type] = {"op": str, "args": dict, "reads": dict, "decision": dict}
_REF_TYPES: dict[str, type] = {
    "table": str,
    "sha256": str,
    "rows": int,
    "size": int,
    "i": int,
    "columns": dict,
}
# every file that is read goes through these, so they are cheaper than patterns
_ALL_ZEROS = str.maketrans("123456789", "000000000")
_TIME_SHAPE = "0000-00-00T00:00:00.000000Z"
_SHA256_DIGITS = 64
_HEX = frozenset("0123456789abcdef")
_TABLE_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz_")


def _from_json(value: dict[str, Any]) -> Commit:
    for name, type_ in _FIELD_TYPES.items():
        if type(value.get(name)) is not type_:
            raise IntegrityError(f"field {name!r} is missing or is not of type {type_.__name__}")
    unknown = set(value) - set(_FIELD_TYPES)
    if unknown:
        raise IntegrityError(f"unknown fields: {', '.join(map(shown, sorted(unknown)))}")
    if value["seq"] < FIRST_SEQ:
        raise IntegrityError(f"there is no commit {value['seq']}")
    for name in ("time", "clock"):
        if value[name].translate(_ALL_ZEROS) != _TIME_SHAPE:
            raise IntegrityError(f"field {name!r} is not a time as the registry writes it")
    return Commit(
        **{
            **value,
            "ops": tuple(map(_checked_op, value["ops"])),
            "rows": tuple(map(_checked_row, value["rows"])),
            "data": tuple(map(_checked_ref, value["data"])),
        }
    )


def _checked_op(op: Any) -> OpRecord:  # noqa: ANN401 - it is what is being checked
    if not _has_types(op, _OP_TYPES):
        raise IntegrityError("an operation is malformed")
    return OpRecord(**op)


def _checked_row(row: Any) -> Row:  # noqa: ANN401
    if not isinstance(row, dict) or not isinstance(row.get("table"), str):
        raise IntegrityError("a row is not an object with a table")
    return row


def _checked_ref(ref: Any) -> DataRef:  # noqa: ANN401
    if (
        not _has_types(ref, _REF_TYPES)
        or not ref["table"]
        or not _TABLE_CHARS.issuperset(ref["table"])
        or len(ref["sha256"]) != _SHA256_DIGITS
        or not _HEX.issuperset(ref["sha256"])
        or min(ref["rows"], ref["size"], ref["i"]) < 0
    ):
        raise IntegrityError("a reference to a data file is malformed")
    return DataRef(**ref)


def _has_types(value: Any, types: dict[str, type]) -> bool:  # noqa: ANN401
    """Say whether a value is an object with exactly these fields, each of its type."""
    if not isinstance(value, dict) or value.keys() != types.keys():
        return False
    return all(type(value[name]) is type_ for name, type_ in types.items())
