"""What follows a commit: its table files, merges, and a checkpoint now and then.

All of it can be made again from the log, so a crash at any point here loses nothing.
"""

from regista.decide.fold import encode_head
from regista.model.commit import Commit
from regista.read.duck import connect
from regista.read.replica import Replica
from regista.storage.checkpointer import prune, write_checkpoint
from regista.storage.tablefiles import tables_covered_to
from regista.write.merging import merge_ready
from regista.write.schemas import ensure_schema_files
from regista.write.tabling import table_commit, table_pending, tabling_connection

EVERY = 64


class Follower:
    """Keeps tables and checkpoints up with the log, over one DuckDB connection."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.connection = connect()
        self._tabled: int | None = None

    def follow(self, commit: Commit, digest: str) -> None:
        """Do what is due after a commit was written.

        Raises:
            StorageError: the store failed; the commit stands.
        """
        if self._tabled == commit.seq - 1 and not commit.data:
            table_commit(self.replica.store, self.connection, commit, digest)
        else:
            self._catch_up(commit)
        self._tabled = commit.seq
        if commit.seq % EVERY == 0:
            self.compact()

    def _catch_up(self, commit: Commit) -> None:
        """Table all that is not; bulk rows or a long backlog on a connection that may spill."""
        store, log = self.replica.store, self.replica.log
        covered = tables_covered_to(store)
        if covered and commit.seq - covered <= EVERY and not commit.data:
            table_pending(store, self.connection, log.read, commit.seq)
            return
        with tabling_connection(store) as connection:
            if not covered:
                # before the first rows: a registry with tables has the schemas of all of them
                ensure_schema_files(store, connection)
            table_pending(store, connection, log.read, commit.seq)

    def compact(self) -> None:
        """Table what is not, merge what is due, and write a checkpoint of the head."""
        store, log = self.replica.store, self.replica.log
        with tabling_connection(store) as connection:
            ensure_schema_files(store, connection)
            table_pending(store, connection, log.read, log.head())
            merge_ready(store, connection)
        self.checkpoint()

    def checkpoint(self) -> None:
        """Write a checkpoint of the state at the head that this process has read."""
        replica = self.replica
        state = replica.refresh()
        base = replica.checkpoint
        if base is not None and base.seq == state.seq:
            return
        changed = {key: encode_head(value) for key, value in state.heads.changed.items()}
        write_checkpoint(replica.store, base, state.seq, state.digest, changed)
        prune(replica.store)
        replica.reload()
