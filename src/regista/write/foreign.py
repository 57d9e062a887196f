"""Parquet files that people bring: judged before they are read, and refused in one line.

Such a file may be anything. A few hundred bytes can claim rows without end, so what its footer
says is held against its size before a single page is read; and whoever reads it does so over a
connection of bounded memory (`reading_connection`) inside `reading`, which turns whatever DuckDB
finds wrong into `InvalidInputError`. Files that the registry wrote itself are not judged here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from regista.errors import InvalidInputError, StorageError
from regista.model.names import shown
from regista.read import duck
from regista.storage.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_MB = 1000
MAX_ROWS = 1_000_000_000
MAX_FOOTER_BYTES = 64 << 20

_MAGIC = b"PAR1"
_ENCRYPTED = b"PARE"
_TAIL_BYTES = 8
# what a file may claim without further question, and how many times its size beyond that:
# numbers in a row and few different values pack well, but not better than this
_ROWS_ALWAYS = 1_000_000
_ROWS_PER_BYTE = 1000
_UNPACKED_ALWAYS = 1 << 30
_UNPACKED_PER_BYTE = 1000


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A Parquet file whose footer is plausible.

    Attributes:
        path: where it lies.
        rows: number of rows.
        columns: DuckDB's types of its columns, by name.
    """

    path: Path
    rows: int
    columns: dict[str, str]

    @property
    def source(self) -> str:
        """A table function that reads it, with `file_row_number` as a further column."""
        return duck.parquet(self.path, options=", file_row_number = true")


def is_parquet(path: Path) -> bool:
    """Say whether a file begins as Parquet does, encrypted or not."""
    return _read_at(path, 0, len(_MAGIC)) in {_MAGIC, _ENCRYPTED}


def regular_file(path: Path, what: str) -> Path:
    """Return the path of a file that can be read.

    Raises:
        InvalidInputError: it is missing, is not a regular file, or cannot be opened.
    """
    try:
        if not path.is_file():
            there = "is not a file" if path.exists() else "does not exist"
            raise InvalidInputError(f"{what} {shown(str(path), 200)} {there}")
        with path.open("rb"):
            return path
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInputError(f"cannot read {shown(str(path), 200)}: {reason}") from error


@contextmanager
def reading_connection(store: Store) -> Iterator[tuple["DuckDBPyConnection", Path]]:
    """Lend a connection of bounded memory and a scratch folder that it spills into."""
    with store.scratch() as folder:
        spill = folder / "spill"
        spill.mkdir()
        with duck.connect(threads=2, memory_mb=MEMORY_MB, spill=spill) as con:
            yield con, folder


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what DuckDB says about a file of somebody's into the library's errors.

    Args:
        name: how messages call the file.

    Raises:
        InvalidInputError: the file is not what it should be, or is too large to unpack.
        StorageError: the disk for what does not fit in memory is full.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        line = duck.first_line(error).partition(": ")[2] or duck.first_line(error)
        if isinstance(error, duckdb.OutOfMemoryException):
            raise InvalidInputError(
                f"{shown(name, 200)} needs more than {MEMORY_MB} MB of memory to unpack, or more"
                " disk than there is"
            ) from error
        if "no space left" in line.lower():
            raise StorageError(f"no room to sort {shown(name, 200)}: {line}") from error
        raise InvalidInputError(f"{shown(name, 200)} cannot be read: {_plain(line)}") from error


def judge(con: "DuckDBPyConnection", path: Path, *, max_rows: int = MAX_ROWS) -> ForeignFile:
    """Look at a Parquet file's footer.

    Raises:
        InvalidInputError: it is no Parquet file, is damaged or encrypted, or claims more than it
            can hold.
    """
    name = path.name
    size = regular_file(path, "the file").stat().st_size
    _check_frame(path, name, size)
    literal = duck.escaped_path(path)
    with reading(name):
        rows = _sum(con, "num_rows", f"parquet_file_metadata({literal})")
        unpacked = _sum(con, "total_uncompressed_size", f"parquet_metadata({literal})")
        described = con.execute(f"DESCRIBE FROM {duck.parquet(path)}").fetchall()
    if rows > max_rows:
        raise InvalidInputError(
            f"{shown(name, 200)} has {rows:,} rows; at most {max_rows:,} are read"
        )
    if rows < 0 or rows > max(_ROWS_ALWAYS, _ROWS_PER_BYTE * size):
        raise InvalidInputError(f"{shown(name, 200)} claims {rows:,} rows in {size:,} bytes")
    if unpacked > max(_UNPACKED_ALWAYS, _UNPACKED_PER_BYTE * size):
        raise InvalidInputError(
            f"{shown(name, 200)} claims to unpack {unpacked:,} bytes from {size:,}"
        )
    return ForeignFile(path, rows, {str(row[0]): str(row[1]) for row in described})


def _check_frame(path: Path, name: str, size: int) -> None:
    head, tail = _read_at(path, 0, len(_MAGIC)), _read_at(path, -_TAIL_BYTES, _TAIL_BYTES)
    if _ENCRYPTED in (head, tail[-len(_ENCRYPTED) :]):
        raise InvalidInputError(f"{shown(name, 200)} is an encrypted Parquet file")
    smallest = len(_MAGIC) + _TAIL_BYTES
    if size < smallest or head != _MAGIC or tail[-len(_MAGIC) :] != _MAGIC:
        raise InvalidInputError(f"{shown(name, 200)} is not a Parquet file, or not a whole one")
    footer = int.from_bytes(tail[: -len(_MAGIC)], "little")
    if footer > min(size - smallest, MAX_FOOTER_BYTES):
        raise InvalidInputError(f"{shown(name, 200)} claims a footer of {footer:,} bytes")


def _read_at(path: Path, start: int, length: int) -> bytes:
    with path.open("rb") as file:
        if start < 0:
            start = max(0, file.seek(0, 2) + start)
        file.seek(start)
        return file.read(length)


def _sum(con: "DuckDBPyConnection", column: str, source: str) -> int:
    row = con.execute(f"SELECT sum({column}) FROM {source}").fetchone()
    return int(row[0] or 0) if row else 0


def _plain(line: str) -> str:
    """Return DuckDB's words on one line, without what a stranger's file may have put there."""
    return shown(line, 300)[1:-1]
