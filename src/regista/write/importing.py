"""Bulk import: a folder of Parquet files as one commit, with its tables and heads.

Invariants: nothing is committed of a folder with one row in error; what is committed names by
digest what was given, so a repeat with the same transaction id finds the first. A kill before the
commit leaves files that nobody names; after it, tables and heads that the next commit and
`regista rebuild` make. The folder's format is `regista.write.import_tables`.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from regista.decide import keys
from regista.decide.operations.context import Payload, Request
from regista.decide.planning import Planning
from regista.errors import InvalidInputError, RegistaError
from regista.model import canonical, names
from regista.model.commit import Commit
from regista.model.names import shown
from regista.model.times import format_time
from regista.read.world import World
from regista.write import import_artifacts, import_checks, import_rows
from regista.write.bulk_heads import checkpoint_import
from regista.write.committed import Committed
from regista.write.following import LOCK, LOCK_WAIT_S
from regista.write.foreign import ForeignFile, reading_connection
from regista.write.tabling import table_pending, tabling_connection
from regista.write.tipping import write_tip
from regista.write.transaction import Writer

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STEPS = ("hash", "check", "plan", "artifacts", "rows", "commit", "tables", "heads")


class Steps(Protocol):
    """Somebody who wants to know how far an import is."""

    def start(self, total: int) -> None:
        """Hear once how many steps there are: as many as `STEPS`."""
        ...

    def advance(self, count: int) -> None:
        """Hear that so many more are done."""
        ...


@dataclass(slots=True)
class ImportWriter(Writer):
    """A writer whose commit is followed by tables and heads for very many rows.

    Attributes:
        steps: told when the commit, the tables and the heads are done.
    """

    steps: Steps | None = None

    def _follow(self, commit: Commit, digest: str) -> None:
        _advance(self.steps)
        store, log = self.replica.store, self.replica.log
        try:
            with store.lock(LOCK, timeout_s=LOCK_WAIT_S), tabling_connection(store) as con:
                table_pending(store, con, log.read, commit.seq)
            _advance(self.steps)
            checkpoint_import(self.replica, commit, digest)
            # its heads are too many to fold in memory, and are looked up in the checkpoint
            self.replica.reload()
            write_tip(self.replica)
            _advance(self.steps)
        except RegistaError as error:
            self.warnings.append(
                f"commit {commit.seq} stands, but what follows it was not written:"
                f" {error.message}; until regista rebuild, reading is slow"
            )
            self.replica.reload()


def import_folder(
    writer: ImportWriter, folder: Path, *, source: str, txid: str | None
) -> Committed:
    """Import a folder; see `Registry.import_bulk`."""
    store, steps = writer.replica.store, writer.steps
    if steps:
        steps.start(len(STEPS))
    with reading_connection(store) as (con, scratch):
        files = import_checks.open_folder(con, folder)
        args = _arguments(con, files, source)
        _advance(steps)
        if txid and writer.replica.refresh().heads.get(keys.transaction(txid)):
            # done before, or refused since it was used for something else
            return writer.run([Request("import", args)], txid=txid)[0]
        import_checks.check_folder(con)
        _advance(steps)
        digest = canonical.digest(args)
        entries = import_rows.entry_rows(con, scratch, writer.replica.registry_id, digest)
        _plan_dry(writer, Request("import", args, Payload({"entries": entries})))
        _advance(steps)
        import_artifacts.settle_manifests(store, con, scratch)
        import_artifacts.store_long_texts(store, con)
        _advance(steps)
        import_rows.make_views(con, digest)
        refs = import_rows.write_tables(store, con, scratch)
        _advance(steps)
    request = Request("import", args, Payload({"entries": entries}, tuple(refs)))
    return writer.run([request], txid=txid)[0]


def _arguments(
    con: "DuckDBPyConnection", files: dict[str, ForeignFile], source: str
) -> dict[str, object]:
    """Return the intent: what is imported, by digest, and which stages and aliases it names."""
    args: dict[str, object] = {
        "files": {name: _sha256(file.path) for name, file in sorted(files.items())}
    }
    if source:
        args["source"] = names.plain_text(source, "a source", names.MAX_REASON)
    for key, table, column in (("stages", "placements", "stage"), ("aliases", "aliases", "alias")):
        found = import_checks.distinct(con, table, column, import_checks.MAX_NAMES)
        if found:
            args[key] = found
    return args


def _plan_dry(writer: ImportWriter, request: Request) -> None:
    """Have the planner refuse what it would refuse, before hours of work rather than after."""
    state, clock = writer.replica.refresh(), format_time(datetime.now(UTC))
    planning = Planning(state, World(writer.replica), actor=writer.actor, clock=clock)
    planning.add(request)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InvalidInputError(f"cannot read {shown(path.name, 200)}: {error.strerror}") from error


def _advance(steps: Steps | None) -> None:
    if steps:
        steps.advance(1)
