"""Artifacts and long texts of an import: manifests from file rows, blobs checked and stored.

The files themselves must be in the store before, as `regista.storage.artifacts` puts them;
an import brings only rows. A version without file rows keeps its artifacts elsewhere: its digest
is taken as given, or is that of the manifest which holds nothing but the URI.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.errors import InvalidInputError
from regista.model.manifest import FileEntry, Manifest
from regista.model.names import SHORT_TEXT, shown
from regista.storage.blobs import blob_key, put_blob_bytes
from regista.storage.store import Store
from regista.write.bulk import json_lines, write_lines

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH = 1000
_COLUMNS = {"entry": "VARCHAR", "version": "BIGINT", "manifest": "VARCHAR", "files": "BIGINT",
            "bytes": "BIGINT"}  # fmt: skip


def settle_manifests(store: Store, con: "DuckDBPyConnection", folder: Path) -> None:
    """Store the manifest of each version with files; make the table `manifests` of them.

    Raises:
        InvalidInputError: a path is not safe, a digest or a count is not that of the files, or a
            file's content is not in the store.
    """
    path = folder / "manifests.jsonl"
    write_lines(path, _manifests(store, con.cursor()))
    con.execute(f"CREATE TABLE manifests AS FROM {json_lines(path, _COLUMNS)}")
    row = con.execute(
        "SELECT entry, version, v.files, coalesce(m.files, 0) FROM given_versions v"
        " LEFT JOIN manifests m USING (entry, version)"
        " WHERE v.files <> coalesce(m.files, 0) LIMIT 1"
    ).fetchone()
    if row:
        raise InvalidInputError(
            f"versions.parquet: version {row[1]} of {shown(row[0])} has {row[2]} files, but"
            f" files.parquet has {row[3]}"
        )


def store_long_texts(store: Store, con: "DuckDBPyConnection") -> None:
    """Store the texts that are too long for a row."""
    result = con.execute(
        "SELECT DISTINCT text FROM (SELECT card AS text FROM given_versions"
        " UNION ALL SELECT description FROM given_versions"
        f" UNION ALL SELECT description FROM given_entries) WHERE strlen(text) > {SHORT_TEXT}"
    )
    while batch := result.fetchmany(_BATCH):
        for (text,) in batch:
            put_blob_bytes(store, text.encode())


def _manifests(store: Store, con: "DuckDBPyConnection") -> Iterator[dict[str, Any]]:
    stored: dict[str, int | None] = {}
    for (entry, version, digest, uri), rows in groupby(_file_rows(con), lambda row: row[:4]):
        where = f"version {version} of {shown(entry)}"
        try:
            manifest = Manifest(tuple(FileEntry(*row[4:]) for row in rows), uri or "")
        except InvalidInputError as error:
            raise InvalidInputError(f"files.parquet: {where}: {error.message}") from error
        if digest not in (None, manifest.digest):
            raise InvalidInputError(
                f"versions.parquet: {where} has the digest {digest[:12]}, but its files make up"
                f" {manifest.digest[:12]}",
                hint="leave the digest out: it is worked out",
            )
        _check_stored(store, manifest, where, stored)
        put_blob_bytes(store, manifest.to_bytes())
        yield {"entry": entry, "version": version, "manifest": manifest.digest,
               "files": len(manifest.files), "bytes": manifest.size}  # fmt: skip


def _check_stored(
    store: Store, manifest: Manifest, where: str, stored: dict[str, int | None]
) -> None:
    for file in manifest.files:
        if file.sha256 not in stored:
            stored[file.sha256] = store.size(blob_key(file.sha256))
        if stored[file.sha256] != file.size:
            raise InvalidInputError(
                f"files.parquet: {where}: the content of {shown(file.path)} is not in the store",
                hint="store the artifacts before the import",
            )


def _file_rows(con: "DuckDBPyConnection") -> Iterator[tuple[Any, ...]]:
    result = con.execute(
        "SELECT f.entry, f.version, v.digest, v.uri, f.path, f.size, f.sha256 FROM given_files f"
        " JOIN given_versions v USING (entry, version) ORDER BY f.entry, f.version, f.path"
    )
    while batch := result.fetchmany(_BATCH):
        yield from batch
