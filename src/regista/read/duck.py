"""DuckDB, as Regista uses it: how a connection is set up, what its errors mean, how text is quoted.

Invariants: no connection looks at Python's variables or loads extensions; one that spills does so
in a folder that the caller lends, else not at all; DuckDB's exceptions do not leave the library.
Log rows as DuckDB rows are `regista.read.rows`; what can be asked is `regista.read.views`.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from regista.errors import IntegrityError, StorageError
from regista.storage.oserrors import one_line

if TYPE_CHECKING:
    import duckdb
    from duckdb import DuckDBPyConnection

_REBUILD = "regista rebuild"
_FULL_SIGNS = ("no space left", "disk quota exceeded")
_STORAGE_SIGNS = ("permission denied", "read-only", "input/output error")
# within the text there may be JSON, in which quotes are escaped
_TEMPORARY = re.compile(r'"([^"]+?)/[^"/]*\.tmp-[^"/]*/[^"/]+"')
_MISSING_SIGNS = ("no files found", "no such file", "does not exist")


def connect(
    *, threads: int = 1, memory_mb: int | None = None, spill: Path | None = None
) -> "DuckDBPyConnection":
    """Open an in-memory database.

    Args:
        threads: 1 for whatever a decision rests on: floating sums depend on the order of rows.
        memory_mb: limit in MB (10**6 bytes); DuckDB's default, 80 % of the machine's, if None.
        spill: folder for what does not fit; without one nothing is ever written to a disk.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": threads,
        "temp_directory": str(spill) if spill else "",
        # names of a query's tables must never mean variables of the program around it
        "python_enable_replacements": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    if memory_mb is not None:
        config["memory_limit"] = f"{memory_mb}MB"
    con = duckdb.connect(":memory:", config=config)
    con.execute("SET TimeZone = 'UTC'")
    # it would be drawn on standard output
    con.execute("SET enable_progress_bar = false")
    if spill:
        # it competes with a sort for memory, and what is sorted is read once
        con.execute("SET enable_external_file_cache = false")
    return con


@contextmanager
def guarded(what: str, *, mend: str = _REBUILD) -> Iterator[None]:
    """Turn DuckDB's exceptions about our own files into the library's.

    Args:
        what: what was being done, for the message, such as `table commit 7`.
        mend: the command to name when a file is damaged; `regista verify` where it may be a data
            file, which unlike a table cannot be made again from the log.

    Raises:
        StorageError: the disk is full, read-only or denies access, or memory runs out.
        IntegrityError: a file is missing or is not the Parquet file that it should be.
    """
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise StorageError(f"cannot {what}: {first_line(error)}") from error
    except duckdb.Error as error:
        line = first_line(error)
        if any(sign in line.lower() for sign in _FULL_SIGNS):
            raise StorageError(f"cannot {what}: {_full(line)}", hint="free some space") from error
        if any(sign in line.lower() for sign in _STORAGE_SIGNS):
            raise StorageError(f"cannot {what}: {line}") from error
        raise IntegrityError(f"cannot {what}: {line}", hint=mend) from error


def _full(line: str) -> str:
    """Return which disk is full, from the name of a temporary file, and not all that was said."""
    found = _TEMPORARY.search(line.replace('\\"', '"'))
    return f"the disk of {one_line(found[1])} is full" if found else "the disk is full"


def first_line(error: "duckdb.Error") -> str:
    """Return what DuckDB says, without the excerpt of the query that follows."""
    return str(error).strip().partition("\n")[0]


def is_missing_file(error: "duckdb.Error") -> bool:
    """Say whether a file that was to be read is gone."""
    import duckdb

    line = first_line(error).lower()
    return isinstance(error, duckdb.IOException) and any(sign in line for sign in _MISSING_SIGNS)


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def name_list(names: Iterable[str]) -> str:
    """Return column names of ours as SQL, quoted, since some are keywords."""
    return ", ".join(f'"{name}"' for name in names)


def escaped_path(path: Path) -> str:
    """Return a path as an SQL literal that, read as a pattern, matches nothing but it."""
    return quoted(re.sub(r"([*?\[])", r"[\1]", str(path)))


def parquet(*paths: Path, options: str = "") -> str:
    """Return a table function that reads Parquet files, which all have one schema."""
    files = ", ".join(escaped_path(path) for path in paths)
    # a folder called a=b above the registry must not become a column
    return f"read_parquet([{files}], hive_partitioning = false{options})"
