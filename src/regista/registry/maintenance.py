"""Maintenance: verify, rebuild, compact and gc. All are safe to kill at any point."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from regista.errors import ConflictError
from regista.model.commit import FIRST_SEQ
from regista.registry.diagnosing import Diagnosing
from regista.storage.blobs import BLOB_PREFIX

if TYPE_CHECKING:
    from regista.verify.problems import Verification
    from regista.write.collecting import Garbage

GC_LOCK_WAIT_S = 30.0
GRACE = "24h"
LEFT_OVER_S = 3600.0


@dataclass(frozen=True, slots=True)
class Collected:
    """Result of `gc`: what was removed, or would be.

    Attributes:
        blobs: digests of the artifact files and texts among it.
        bytes: size of all of it.
        files: each file's `key`, `size` and `reason`: purged, unnamed or superseded.
        temporary: left-over temporary files of killed processes.
        dry_run: whether nothing was removed.
    """

    blobs: list[str]
    bytes: int
    files: list[dict[str, Any]]
    temporary: list[str]
    dry_run: bool

    @classmethod
    def of(cls, garbage: "list[Garbage]", temporary: list[str], *, dry_run: bool) -> Self:
        """Return the result for what was found."""
        keys = [item.key for item in garbage]
        return cls(
            sorted(key.rpartition("/")[2] for key in keys if key.startswith(BLOB_PREFIX)),
            sum(item.size for item in garbage),
            [asdict(item) for item in garbage],
            temporary,
            dry_run,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Compacted:
    """Result of `rebuild` and `compact`: the commit up to which tables and heads are written."""

    seq: int
    files: int

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return asdict(self)


class Maintenance(Diagnosing):
    """Maintenance operations, over a replica."""

    def verify(
        self,
        *,
        deep: bool = False,
        anchors: Mapping[int, str] | None = None,
        progress: Any = None,  # noqa: ANN401 - see storage.artifacts.Progress
    ) -> "Verification":
        """Check all files against each other and replay every decision; see `regista.verify`."""
        from regista.read.opening import replica_of
        from regista.verify.run import verify

        # what is remembered is not what lies in the store
        return verify(replica_of(self.replica.store), deep=deep, anchors=anchors, progress=progress)

    def rebuild(self) -> Compacted:
        """Write all tables, the heads and the bundles of log files anew from the log."""
        from regista.storage.bundling import rebuild_bundles
        from regista.storage.checkpointer import prune
        from regista.write.bulk_heads import rebuild_checkpoint
        from regista.write.merging import rebuild_tables
        from regista.write.tabling import tabling_connection
        from regista.write.tipping import write_tip

        store, log = self.replica.store, self.replica.log
        # first, since the rest reads the log through them
        head = rebuild_bundles(store)
        read = log.over(FIRST_SEQ, head).read
        with tabling_connection(store) as connection:
            seq = rebuild_tables(store, connection, read, lambda: log.head(after=head))
        # a damaged checkpoint that looks whole would not be replaced
        prune(store, keep=0)
        rebuild_checkpoint(self.replica)
        self.replica.reload()
        write_tip(self.replica)
        return Compacted(seq, self._table_files())

    def compact(self) -> Compacted:
        """Bundle and table what is not, merge what is due, write a checkpoint of the head."""
        from regista.storage.bundling import make_bundles
        from regista.write.following import Follower
        from regista.write.tipping import write_tip

        make_bundles(self.replica.store, self.replica.refresh().seq)
        Follower(self.replica).compact()
        write_tip(self.replica)
        return Compacted(self.replica.refresh().seq, self._table_files())

    def _table_files(self) -> int:
        return sum(1 for _key in self.replica.store.list_after("tables/"))

    def gc(self, *, dry_run: bool = False, grace: str = GRACE) -> Collected:
        """Remove what nothing refers to any more; see `regista.write.collecting`.

        Args:
            dry_run: only say what would go.
            grace: a duration such as `24h`: what no commit names, and what was replaced, is left
                alone for so long. Purged artifacts do not wait.

        Raises:
            InvalidInputError: the grace period is not a duration.
            ConflictError: a `register` is under way and did not end in time.
            IntegrityError: the log is damaged; nothing was removed then. Or a commit took up a
                file while it was removed.
        """
        from regista.model.times import parse_duration
        from regista.write.collecting import find_garbage, remove_garbage

        grace_s = parse_duration(grace).total_seconds()
        began = time.monotonic()
        with self.replica.store.lock("blobs", timeout_s=0 if dry_run else GC_LOCK_WAIT_S) as held:
            # a store without locks says so at once, and gc does without
            if not held and not dry_run and time.monotonic() - began >= GC_LOCK_WAIT_S:
                raise ConflictError(
                    "artifacts are being registered just now", hint="run regista gc again later"
                )
            head = self.replica.log.head()
            garbage = find_garbage(self.replica, head, grace_s)
            if not dry_run:
                garbage = remove_garbage(self.replica, garbage, head)
        temporary = [] if dry_run else self._sweep()
        return Collected.of(garbage, temporary, dry_run=dry_run)

    def _sweep(self) -> list[str]:
        from regista.storage.local import LocalStore
        from regista.storage.temporary import sweep_temporary

        if not isinstance(self.replica.store, LocalStore):
            return []
        removed = sweep_temporary(Path(self.replica.store.uri), LEFT_OVER_S)
        return [str(path) for path in removed]
