"""What a commit names that lies outside the log: blobs and data files.

The log alone says what is reachable, so collecting garbage, mirroring and backing up all ask
here. Two strengths of naming: a commit *needs* what its rows, or a replay of its decisions, rest
on; it *mentions* every other digest in its arguments and reads, such as the policy of a change
that was refused, which is kept where it is there and missed by nobody where it is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from regista.decide.operations.context import Payload
from regista.decide.planning import PAYLOAD
from regista.errors import IntegrityError
from regista.model.commit import Commit, DataRef, Row
from regista.read.replica import MALFORMED
from regista.storage.blobs import blob_key
from regista.storage.store import Store

Owner = tuple[str, int]
TEXT_COLUMNS = ("card_digest", "description_digest", "texts_digest")
# tables whose rows, by digest too, name blobs
_NAMING_TABLES = frozenset({"files", "versions", "descriptions"})
_HEX = frozenset("0123456789abcdef")
_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Named:
    """One file that a commit names.

    Attributes:
        key: where it lies in the store.
        sha256: the digest of its bytes.
        size: its bytes, where the commit says how many.
        owner: entry id and version whose purge lets it go; None when it may never go.
        needed: whether the registry is damaged without it.
    """

    key: str
    sha256: str
    size: int | None
    owner: Owner | None
    needed: bool


def named(store: Store, commit: Commit) -> Iterator[Named]:
    """Yield the files that a commit names; one may come more than once.

    Args:
        store: where the commit's data files lie.
        commit: the commit.

    Raises:
        IntegrityError: a data file that names blobs is missing or damaged, or a row is malformed.
    """
    try:
        yield from _needed(store, commit)
    except MALFORMED as error:
        raise IntegrityError(
            f"commit {commit.seq} has malformed rows ({type(error).__name__}: {error})",
            hint="regista verify",
        ) from error


def mentioned(commit: Commit) -> set[str]:
    """Return every text in a commit's arguments and reads that could be a blob's digest."""
    found: set[str] = set()
    pending: list[Any] = [part for op in commit.ops for part in (op.args, op.reads)]
    while pending:
        match pending.pop():
            case dict() as value:
                pending.extend(value.values())
            case list() as value:
                pending.extend(value)
            case str() as text if _is_digest(text):
                found.add(text)
    return found


def purged_by(commit: Commit) -> set[Owner]:
    """Return the versions that a commit deletes for good."""
    return {
        (str(row.get("entry_id")), int(row.get("version") or 0))
        for _i, row in commit.rows_of("statuses")
        if row.get("purge")
    }


def _needed(store: Store, commit: Commit) -> Iterator[Named]:
    for ref in commit.data:
        yield _data(ref)
    for op in commit.ops:
        # what a refused operation brought is replayed with it
        if PAYLOAD in op.reads:
            yield from map(_data, Payload.from_json(op.reads[PAYLOAD]).data)
    for row in _rows(store, commit):
        yield from _of_row(row)


def _data(ref: DataRef) -> Named:
    return Named(ref.key, _checked(ref.sha256), ref.size, None, needed=True)


def _rows(store: Store, commit: Commit) -> Iterator[Row]:
    yield from commit.rows
    for ref in commit.data:
        if ref.table in _NAMING_TABLES:
            from regista.read.data_rows import iter_rows

            yield from iter_rows(store, ref)


def _of_row(row: Row) -> Iterator[Named]:
    owner = (row.get("entry_id", ""), row.get("version", 0))
    match row["table"]:
        case "files":
            yield _blob(row["sha256"], row["size"], owner, needed=True)
        case "versions":
            # what is kept elsewhere needs no manifest here, though it may have one
            yield _blob(row["digest"], None, owner, needed=bool(row.get("files")))
        case "policies":
            yield _blob(row["digest"], None, None, needed=True)
    for column in TEXT_COLUMNS:
        if row.get(column):
            yield _blob(row[column], None, owner, needed=True)


def _blob(digest: str, size: int | None, owner: Owner | None, *, needed: bool) -> Named:
    return Named(blob_key(_checked(digest)), digest, size, owner, needed)


def _checked(digest: str) -> str:
    if not _is_digest(digest):
        raise ValueError(f"{digest!r} is not a SHA-256")
    return digest


def _is_digest(text: str) -> bool:
    return len(text) == _DIGITS and _HEX.issuperset(text)
