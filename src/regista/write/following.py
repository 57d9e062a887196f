"""What follows a commit: its table files, merges, and a checkpoint now and then.

All of it can be made again from the log, so a crash at any point here loses nothing. It is done
under a lock of its own, so that others commit meanwhile. Whoever holds it tables the commits of
those who wait with its own, many to a file, and they find theirs done. The lock only saves work.
"""

from regista.decide.keys import encode_head
from regista.model.commit import Commit
from regista.read.duck import connect
from regista.read.replica import Replica
from regista.storage.bundling import bundle_recent
from regista.storage.checkpoint import CheckpointGoneError
from regista.storage.checkpointer import prune, write_checkpoint
from regista.storage.cover import Span, blocks
from regista.storage.tablefiles import tables_covered_to
from regista.write.merging import merge_ready
from regista.write.schemas import ensure_schema_files
from regista.write.tabling import table_pending, tabling_connection, write_span

EVERY = 64
LOCK = "tables"
LOCK_WAIT_S = 5.0
# a checkpoint that newer ones replaced lives so long for those who have begun to read it
SPARE_S = 60.0


class Follower:
    """Keeps tables and checkpoints up with the log, over one DuckDB connection."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.connection = connect()
        self._schemas: dict[str, bytes] = {}

    def follow(self, commit: Commit, digest: str) -> None:
        """Do what is due after a commit was written, unless somebody else has.

        Raises:
            StorageError: the store failed; the commit stands.
        """
        store = self.replica.store
        with store.lock(LOCK, timeout_s=LOCK_WAIT_S) as held:
            covered = tables_covered_to(store)
            if covered >= commit.seq:
                return
            # whoever holds the lock also does the work of those who wait for it
            # ours is known, even where something has just taken it away
            head = max(commit.seq, self.replica.log.head(after=commit.seq)) if held else commit.seq
            tabled = self._table(commit, digest, covered, head)
            if covered // EVERY < tabled // EVERY:
                self._compact()
                bundle_recent(store, tabled, spare_s=SPARE_S, get=self.replica.log.get)

    def _table(self, commit: Commit, digest: str, covered: int, head: int) -> int:
        """Table what is not, at least to this commit and at most to the head; return to which."""
        store, log = self.replica.store, self.replica.log
        if covered and commit.seq - covered <= EVERY:
            spans = _spans_to(commit.seq, covered, head)
            known = {
                seq: (commit, digest) if seq == commit.seq else log.read(seq)
                for span in spans
                for seq in range(span.first, span.last + 1)
            }
            if not any(one.data for one, _digest in known.values()):
                for span in spans:
                    write_span(store, self.connection, span, known.__getitem__, self._schemas)
                return spans[-1].last
        # bulk rows, or a long backlog: on a connection that may spill
        with tabling_connection(store) as connection:
            if not covered:
                # before the first rows: a registry with tables has the schemas of all of them
                ensure_schema_files(store, connection, self._schemas)
            table_pending(store, connection, log.read, commit.seq)
        return commit.seq

    def compact(self) -> None:
        """Table what is not, merge what is due, and write a checkpoint of the head."""
        with self.replica.store.lock(LOCK, timeout_s=LOCK_WAIT_S):
            self._compact()

    def compact_tables(self) -> None:
        """Table what is not, and merge what is due."""
        with self.replica.store.lock(LOCK, timeout_s=LOCK_WAIT_S):
            self._compact_tables()

    def _compact(self) -> None:
        self._compact_tables()
        self._checkpoint()

    def _compact_tables(self) -> None:
        store, log = self.replica.store, self.replica.log
        with tabling_connection(store) as connection:
            ensure_schema_files(store, connection, self._schemas)
            table_pending(store, connection, log.read, log.head())
            merge_ready(store, connection)

    def _checkpoint(self) -> None:
        """Write a checkpoint of the head, unless there is one."""
        replica = self.replica
        try:
            self._write_checkpoint()
        except CheckpointGoneError:
            # others have written, and pruned, since ours was the newest
            replica.reload()
            self._write_checkpoint()
        prune(replica.store, spare_s=SPARE_S)
        replica.reload()

    def _write_checkpoint(self) -> None:
        replica = self.replica
        state, base = replica.refresh(), replica.checkpoint
        if base is not None and base.seq == state.seq:
            return
        changed = {key: encode_head(value) for key, value in state.heads.changed.items()}
        write_checkpoint(replica.store, base, state.seq, state.digest, changed, time=state.time)


def _spans_to(seq: int, covered: int, head: int) -> list[Span]:
    """Return the spans to table so that a commit is: as long as may be, and no more of them.

    What is left out has writers who wait for their turn, and longer spans by then.
    """
    spans = blocks(covered + 1, head)
    return [span for span in spans if span.first <= seq]
