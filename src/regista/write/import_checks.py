"""Checking a folder to import, by SQL over views of its files, before anything is written.

`open_folder` makes a view `given_<table>` of each file, with typed and normalised columns and the
row's `position` from 0; a file that is not there is a view without rows. `check_folder` then
refuses the folder at the first thing wrong with it. Rules that need the registry's state are the
planner's (`regista.decide.operations.importing`); artifacts are `import_artifacts`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.decide.heads import Status
from regista.errors import InvalidInputError
from regista.model import names
from regista.model.names import shown
from regista.read.duck import name_list, quoted
from regista.write.foreign import ForeignFile, judge, reading
from regista.write.import_tables import IMPORT_TABLES, NEEDED, Field, ImportTable, Link

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# entries travel inside the log file, which every reader of the log's tail parses
MAX_ENTRIES = 100_000
MAX_NAMES = 10_000
# so many groups fit in memory; DuckDB does not group more on the disk
GROUPED_AT_ONCE = 10_000_000

_INTEGERS = frozenset(
    f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
)
_FITTING = {
    "VARCHAR": frozenset({"VARCHAR", "JSON", "UUID"}),
    "BIGINT": _INTEGERS,
    "DOUBLE": frozenset({*_INTEGERS, "DOUBLE", "FLOAT", "DECIMAL"}),
    "BOOLEAN": frozenset({"BOOLEAN"}),
}


def open_folder(con: "DuckDBPyConnection", folder: Path) -> dict[str, ForeignFile]:
    """Judge the files of a folder and make a view of each; return those that are there.

    Raises:
        InvalidInputError: a file is missing, unknown, damaged, or has wrong columns.
    """
    files: dict[str, ForeignFile] = {}
    for path in _parquet_files(folder):
        table = IMPORT_TABLES.get(path.stem)
        if table is None:
            raise InvalidInputError(
                f"{shown(path.name, 200)} is not a file of an import",
                hint="known are " + ", ".join(table.file for table in IMPORT_TABLES.values()),
            )
        files[table.name] = judge(con, path)
        _check_columns(table, files[table.name].columns)
    for name in NEEDED:
        if name not in files:
            raise InvalidInputError(f"{shown(str(folder), 200)} has no {name}.parquet")
    for table in IMPORT_TABLES.values():
        con.execute(f"CREATE VIEW given_{table.name} AS {_view(table, files.get(table.name))}")
    return files


def check_folder(con: "DuckDBPyConnection") -> None:
    """Refuse an opened folder at the first thing wrong with it.

    Raises:
        InvalidInputError: a value, a row, or how rows belong together; the message says where.
    """
    for table in IMPORT_TABLES.values():
        with reading(table.file):
            _check_values(con, table)
            _check_unique(con, table, table.grain)
    _check_unique(con, IMPORT_TABLES["versions"], ("entry", "label"), "label IS NOT NULL")
    _check_names(con)
    for table in IMPORT_TABLES.values():
        if table.link:
            _check_link(con, table, table.link)
    _check_complete_runs(con)
    _check_digests(con)
    _check_out_of_use(con, "placements", "stage", (Status.ARCHIVED, Status.DELETED))
    _check_out_of_use(con, "aliases", "alias", (Status.DELETED,))


def distinct(con: "DuckDBPyConnection", table: str, column: str, limit: int) -> list[str]:
    """Return the different texts of a column, sorted.

    Raises:
        InvalidInputError: there are more than `limit`.
    """
    found = con.execute(
        f"SELECT DISTINCT {column} FROM given_{table} ORDER BY 1 LIMIT {limit + 1}"
    ).fetchall()
    if len(found) > limit:
        raise InvalidInputError(
            f"{table}.parquet has more than {limit:,} different values of {column}",
            hint="import it in several parts",
        )
    return [str(row[0]) for row in found]


def _parquet_files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".parquet")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInputError(f"cannot read {shown(str(folder), 200)}: {reason}") from error


def _check_columns(table: ImportTable, columns: Mapping[str, str]) -> None:
    fields = {field.name: field for field in table.fields}
    unknown = sorted(set(columns) - set(fields))
    if unknown:
        raise InvalidInputError(
            f"{table.file} has the unknown column {shown(unknown[0])}",
            hint=f"known are {', '.join(fields)}",
        )
    for name, field in fields.items():
        if name not in columns:
            if field.needed:
                raise InvalidInputError(f"{table.file} has no column {name}")
        elif columns[name].partition("(")[0] not in _FITTING[field.type]:
            raise InvalidInputError(
                f"{table.file}: column {name} has the type {columns[name]}, not {field.type}"
            )


def _view(table: ImportTable, file: ForeignFile | None) -> str:
    columns = file.columns if file else {}
    values = ", ".join(f"{_value(field, columns)} AS {field.name}" for field in table.fields)
    source = f"{file.source}" if file else "(SELECT 0 AS file_row_number) WHERE false"
    return f"SELECT {values}, file_row_number AS position FROM {source}"


def _value(field: Field, columns: Mapping[str, str]) -> str:
    if field.name not in columns:
        return f"CAST(NULL AS {field.type})"
    value = f'CAST("{field.name}" AS {field.type})'
    if field.rule.normal:
        value = f"nfc_normalize({value})"
    if field.type == "VARCHAR" and not field.needed:
        value = f"nullif({value}, '')"
    # -0.0 would be another text than 0
    return f"{value} + 0.0" if field.type == "DOUBLE" else value


def _check_values(con: "DuckDBPyConnection", table: ImportTable) -> None:
    cases: list[tuple[str, str]] = []
    for field in table.fields:
        if field.needed:
            cases.append((f"{field.name} IS NULL", f"it has no {field.name}"))
        cases.append(
            (field.rule.broken(field.name), f"its {field.name} is not {field.rule.message}")
        )
    whens = " ".join(f"WHEN {broken} THEN {quoted(text)}" for broken, text in cases)
    # the first row in error, without sorting: all of them may be
    row = con.execute(
        "SELECT min(position), arg_min(problem, position) FROM"
        f" (SELECT position, CASE {whens} END AS problem FROM given_{table.name})"
        " WHERE problem IS NOT NULL"
    ).fetchone()
    if row and row[0] is not None:
        raise InvalidInputError(f"{table.file}, row {row[0] + 1}: {row[1]}")


def _check_unique(
    con: "DuckDBPyConnection", table: ImportTable, grain: Iterable[str], where: str = "true"
) -> None:
    columns = list(grain)
    listed = name_list(columns)
    (rows,) = con.execute(f"SELECT count(*) FROM given_{table.name}").fetchone() or (0,)
    # equal rows are in the same part
    parts = 1 + rows // GROUPED_AT_ONCE
    for part in range(parts):
        row = con.execute(
            f"SELECT {listed} FROM given_{table.name} WHERE ({where})"
            f" AND hash({listed}) % {parts} = {part}"
            " GROUP BY ALL HAVING count(*) > 1 LIMIT 1"
        ).fetchone()
        if row:
            raise InvalidInputError(f"{table.file} has two rows with {_said(columns, row)}")


def _check_names(con: "DuckDBPyConnection") -> None:
    for entry in distinct(con, "entries", "entry", MAX_ENTRIES):
        names.entry_name(entry)
    for alias in distinct(con, "aliases", "alias", MAX_NAMES):
        names.slug(alias, "an alias")
    for stage in distinct(con, "placements", "stage", MAX_NAMES):
        names.slug(stage, "a stage")


def _check_link(con: "DuckDBPyConnection", table: ImportTable, link: Link) -> None:
    links = [(link, f"{link.columns[-1]} IS NOT NULL")]
    if link.parent == "versions":
        links.append((Link("entries", ("entry",)), "true"))
    for wanted, where in links:
        columns = name_list(wanted.columns)
        with reading(table.file):
            row = con.execute(
                f"SELECT {columns} FROM given_{table.name}"
                f" ANTI JOIN given_{wanted.parent} USING ({columns}) WHERE {where} LIMIT 1"
            ).fetchone()
        if row:
            said = _said(wanted.columns, row)
            raise InvalidInputError(
                f"{table.file} has {said}, which {wanted.parent}.parquet has not"
            )


def _check_complete_runs(con: "DuckDBPyConnection") -> None:
    row = con.execute(
        "SELECT run_id FROM given_eval_runs ANTI JOIN given_eval_scores USING (run_id)"
        " WHERE coalesce(status, 'complete') = 'complete' LIMIT 1"
    ).fetchone()
    if row:
        raise InvalidInputError(
            f"eval_runs.parquet: run {shown(row[0])} is complete and has no score",
            hint="give it the status failed or partial",
        )


def _check_digests(con: "DuckDBPyConnection") -> None:
    row = con.execute(
        "SELECT entry, version FROM given_versions ANTI JOIN given_files USING (entry, version)"
        " WHERE digest IS NULL AND uri IS NULL LIMIT 1"
    ).fetchone()
    if row:
        raise InvalidInputError(
            f"versions.parquet: version {row[1]} of {shown(row[0])} has neither files nor a uri"
            " nor a digest"
        )


def _check_out_of_use(
    con: "DuckDBPyConnection", table: str, column: str, out_of_use: Iterable[Status]
) -> None:
    """Refuse what no operation would let be: a stage or alias of a version that is out of use."""
    row = con.execute(
        f"SELECT entry, version, status, {column} FROM given_statuses"
        f" JOIN given_{table} USING (entry, version)"
        f" WHERE status IN ({', '.join(map(quoted, out_of_use))}) LIMIT 1"
    ).fetchone()
    if row:
        raise InvalidInputError(
            f"statuses.parquet: version {row[1]} of {shown(row[0])} is {row[2]}, but"
            f" {table}.parquet has it as {shown(row[3])}"
        )


def _said(columns: Iterable[str], row: Iterable[Any]) -> str:
    pairs = zip(columns, row, strict=True)
    return ", ".join(f"{name} {shown(str(value))}" for name, value in pairs if value is not None)
