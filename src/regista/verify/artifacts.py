"""Artifacts: every blob that a version, text or policy names is there, and is what it was."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from regista.errors import RegistaError
from regista.model.commit import Commit, Row
from regista.model.manifest import FileEntry, Manifest
from regista.model.names import shown
from regista.storage.blobs import BlobState, blob_key, blob_states, stored_digest
from regista.storage.store import Store
from regista.verify.imported import texts, versions_with_files
from regista.verify.problems import MALFORMED, Problem, ProblemKind

_SHA256 = re.compile(r"[0-9a-f]{64}")
TEXT_COLUMNS = ("card_digest", "description_digest", "texts_digest")


@dataclass(slots=True)
class ArtifactCheck:
    """Collects what commits name, and checks each blob once.

    Attributes:
        store: where the blobs lie.
        deep: whether to hash every blob again.
        problems: what was found so far.
    """

    store: Store
    deep: bool
    problems: list[Problem] = field(default_factory=list)
    _wanted: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    _owners: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    _purged: set[tuple[str, int]] = field(default_factory=set)

    def add(self, commit: Commit, file_rows: Iterable[Row]) -> None:
        """Note what a commit names, and check its manifests against its file rows."""
        for ref in commit.data:
            self._data(commit.seq, ref.key, ref.sha256, ref.size)
        try:
            files = self._add_files(commit, file_rows)
            self._add_bulk(commit)
            self._add_rows(commit, files)
        except RegistaError as error:
            self._report(commit.seq, ProblemKind.MANIFEST, error.message)
        except MALFORMED as error:
            what = f"its rows are malformed: {type(error).__name__}: {error}"
            self._report(commit.seq, ProblemKind.MANIFEST, what)

    def _add_files(
        self, commit: Commit, file_rows: Iterable[Row]
    ) -> dict[tuple[str, int], list[FileEntry]]:
        """Note the blobs of files; return the files of inline versions."""
        # those of bulk versions may be very many, and are read again with them
        files: dict[tuple[str, int], list[FileEntry]] = {
            (row["entry_id"], row["version"]): [] for _i, row in commit.rows_of("versions")
        }
        for row in file_rows:
            entry = FileEntry(row["path"], row["size"], row["sha256"])
            owner = (row["entry_id"], row["version"])
            if owner in files:
                files[owner].append(entry)
            self._want(entry.sha256, commit.seq, entry.size, owner)
        return files

    def _add_bulk(self, commit: Commit) -> None:
        for version, files in versions_with_files(self.store, commit):
            self._version(commit.seq, version, files)
        for entry_id, number, digest in texts(self.store, commit):
            self._want(digest, commit.seq, None, (entry_id, number))

    def _add_rows(self, commit: Commit, files: dict[tuple[str, int], list[FileEntry]]) -> None:
        for row in commit.rows:
            if row["table"] == "versions":
                self._version(commit.seq, row, files[row["entry_id"], row["version"]])
            elif row["table"] == "policies":
                self._want(row["digest"], commit.seq, None, None)
            elif row["table"] == "statuses" and row.get("purge"):
                self._purged.add((row["entry_id"], row["version"]))
            for column in TEXT_COLUMNS:
                if row.get(column):
                    owner = (row["entry_id"], row.get("version", 0))
                    self._want(row[column], commit.seq, None, owner)

    def _version(self, seq: int, row: Row, files: list[FileEntry]) -> None:
        owner = (row["entry_id"], row["version"])
        manifest = Manifest(tuple(files), row.get("uri") or "")
        which = f"{row['entry']}@{row['version']}"
        if row["files"] != len(files):
            what = f"{which}: it says that it has {row['files']} files, and has {len(files)}"
            self._report(seq, ProblemKind.MANIFEST, what)
        elif files and row["bytes"] != manifest.size:
            what = f"{which}: it says that it has {row['bytes']} bytes, and has {manifest.size}"
            self._report(seq, ProblemKind.MANIFEST, what)
        if row["files"] and manifest.digest != row["digest"]:
            what = f"{which}: its files do not make up its digest"
            self._report(seq, ProblemKind.MANIFEST, what)
        if row["files"]:
            self._want(row["digest"], seq, None, owner)

    def _want(self, digest: str, seq: int, size: int | None, owner: tuple[str, int] | None) -> None:
        if not _SHA256.fullmatch(digest):
            self._report(seq, ProblemKind.BLOB, f"{shown(digest)} is not a SHA-256")
            return
        known = self._wanted.get(digest)
        self._wanted[digest] = known or (seq, size)
        # a blob may be gone only when everything that names it was purged
        self._owners.setdefault(digest, set()).add(owner or ("", 0))

    def _data(self, seq: int, key: str, digest: str, size: int) -> None:
        found = self.store.size(key)
        if found is None:
            self._report(seq, ProblemKind.DATA, f"{key} is missing")
        elif found != size:
            self._report(seq, ProblemKind.DATA, f"{key} has {found} bytes, not {size}")
        elif self.deep and stored_digest(self.store, key) != digest:
            self._report(seq, ProblemKind.DATA, f"{key} was changed")

    def finish(self) -> None:
        """Check every blob that was named and not purged."""
        sizes: dict[str, int] = {}
        for digest, (seq, size) in self._wanted.items():
            if self._owners[digest] <= self._purged:
                continue
            found = self.store.size(blob_key(digest))
            if found is None:
                self._blob(seq, digest, "is missing")
            elif size is not None and found != size:
                self._blob(seq, digest, f"has {found} bytes, not {size}")
            elif self.deep or size is None:
                # texts and manifests are small, so they are always hashed
                sizes[digest] = found
        for digest, state in blob_states(self.store, sizes, deep=True).items():
            if state is not BlobState.PRESENT:
                self._blob(self._wanted[digest][0], digest, "was changed")

    def _blob(self, seq: int, digest: str, what: str) -> None:
        self._report(seq, ProblemKind.BLOB, f"blob {digest[:12]} {what}")

    def _report(self, seq: int, kind: ProblemKind, detail: str) -> None:
        self.problems.append(Problem(seq, kind, detail))
