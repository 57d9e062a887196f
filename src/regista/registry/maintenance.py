"""Maintenance: verify, rebuild, compact, gc and doctor. All are safe to kill at any point."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from regista.errors import ConflictError, RegistaError
from regista.model.commit import FIRST_SEQ
from regista.read.replica import Replica
from regista.storage.blobs import BLOB_PREFIX

if TYPE_CHECKING:
    from regista.hooks.lifecycle import Lifecycle
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
class Finding:
    """One thing that `doctor` looked at: `ok`, what it saw, and the command that mends it."""

    check: str
    ok: bool
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Result of `doctor`."""

    ok: bool
    findings: list[Finding] = field(default_factory=list)

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


class Maintenance:
    """Maintenance operations, over a replica."""

    replica: Replica

    @property
    def hooks(self) -> "Lifecycle":
        """The lifecycle hooks of the registry."""
        raise NotImplementedError

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

    def doctor(self) -> Diagnosis:
        """Look at what commonly goes wrong, quickly; `verify` is the thorough look."""
        checks = (
            self._check_store,
            self._check_id,
            self._check_log,
            self._check_tables,
            self._check_superseded,
            self._check_checkpoint,
            self._check_hooks,
        )
        findings = []
        for check in checks:
            try:
                findings.append(check())
            except RegistaError as error:
                name = check.__name__.removeprefix("_check_")
                findings.append(Finding(name, ok=False, detail=error.message, fix=error.hint))
        return Diagnosis(all(finding.ok for finding in findings), findings)

    def _check_store(self) -> Finding:
        from regista.storage.probing import probe

        probe(self.replica.store)
        return Finding("store", ok=True, detail="it creates a file exactly once")

    def _check_id(self) -> Finding:
        from regista.read.opening import REGISTRY_KEY, read_id

        # who remembers the registry, or read its last commit, did not need that file
        found = read_id(self.replica.store)
        if found != self.replica.registry_id:
            return Finding(
                "id",
                ok=False,
                detail=f"{REGISTRY_KEY} is of another registry, {found[:12]}",
                fix="restore it from a backup; its id is the parent of commit 1",
            )
        return Finding("id", ok=True, detail=found)

    def _check_log(self) -> Finding:
        state = self.replica.refresh()
        return Finding("log", ok=True, detail=f"commit {state.seq}, sha256 {state.digest}")

    def _check_tables(self) -> Finding:
        from regista.storage.tablefiles import tables_covered_to

        head = self.replica.refresh().seq
        covered = tables_covered_to(self.replica.store)
        if covered > head:
            return Finding(
                "tables",
                ok=False,
                detail=f"they reach beyond the log, to {covered}",
                fix="regista rebuild",
            )
        if covered < head:
            return Finding(
                "tables",
                ok=True,
                detail=f"{head - covered} commits wait in the log; that is"
                " fine, and the next commit writes them",
                fix="regista compact",
            )
        return Finding("tables", ok=True, detail=f"they cover all {head} commits")

    def _check_superseded(self) -> Finding:
        from regista.storage.cover import choose_cover
        from regista.storage.tablefiles import list_all

        extra = sum(
            len(choose_cover(spans).superseded) for spans in list_all(self.replica.store).values()
        )
        if extra:
            return Finding(
                "table files",
                ok=False,
                detail=f"{extra} are left over from an interrupted"
                " merge; a plain glob would count their rows twice",
                fix="regista compact",
            )
        return Finding("table files", ok=True, detail="none is superfluous")

    def _check_checkpoint(self) -> Finding:
        from regista.storage.checkpoint import load_latest

        head = self.replica.refresh().seq
        found = load_latest(self.replica.store, self.replica.log)
        behind = head - (found.seq if found else 0)
        if behind > 4 * 64:
            return Finding(
                "checkpoint",
                ok=False,
                detail=f"it is {behind} commits behind, so reads are slow",
                fix="regista compact",
            )
        return Finding("checkpoint", ok=True, detail=f"{behind} commits behind the head")

    def _check_hooks(self) -> Finding:
        from regista.decide.gates.findings import plural

        hooks = [hook for hook in self.hooks.states() if hook.when == "post"]
        for hook in hooks:
            if hook.failing:
                return Finding(
                    "hooks",
                    ok=False,
                    detail=f"{hook.id} fails since {hook.failing.since}: {hook.failing.error};"
                    f" {plural(hook.backlog, 'event')} waiting for it",
                    fix="regista hooks run",
                )
        waiting = sum(hook.backlog for hook in hooks)
        return Finding(
            "hooks",
            ok=True,
            detail=f"{plural(waiting, 'event')} waiting for {plural(len(hooks), 'post-hook')}",
            fix="regista hooks run" if waiting else "",
        )
