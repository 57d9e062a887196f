"""The asking operations: what is where, since when, and how it came about.

`resolve`, `show` and `get` answer from heads and import nothing heavy; the others ask DuckDB.
Every method takes `as_of`, a commit number or a time, and answers as of then.
"""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from regista.decide.state import State
from regista.model.commit import Commit
from regista.model.selectors import VersionRef
from regista.read.replica import Replica
from regista.registry import views
from regista.registry.answers import Resolved
from regista.storage.checkpoint import CheckpointGoneError

if TYPE_CHECKING:
    from regista.decide.policy_bundle import PolicyBundle

AsOf = int | str | None
Answer = TypeVar("Answer")
ATTEMPTS = 5


class Reads:
    """Asking operations, over a replica: `Reads(open_replica(uri))` is a registry to read from."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica

    def resolve(self, ref: str, *, as_of: AsOf = None) -> Resolved:
        """Return the version that a reference names, and how it came to name it.

        Raises:
            NotFoundError: nothing is there.
        """
        parsed = VersionRef.parse(ref)
        return self._ask(as_of, lambda state: views.resolved(state, parsed))

    def show(self, subject: str, *, as_of: AsOf = None) -> dict[str, Any]:
        """Return all that is known of an entry (`NAME`) or a version (`NAME@V`), as JSON."""
        if "@" not in subject:
            view = self._ask(as_of, lambda state: self._entry_view(state, subject))
            return views.with_texts(self.replica.store, view)
        ref = VersionRef.parse(subject)
        view = self._ask(as_of, lambda state: views.version_view(state, ref))
        return views.with_artifacts(self.replica.store, views.with_texts(self.replica.store, view))

    def _entry_view(self, state: State, name: str) -> dict[str, Any]:
        from regista.read.policies import stage_order

        return views.entry_view(state, name, stage_order(self.replica.store, state.policy_digest))

    def diff(self, one: str, other: str, *, as_of: AsOf = None) -> dict[str, Any]:
        """Return what differs between two versions: files, parameters, tags, scores, lineage."""
        from regista.registry.diffing import difference

        return difference(self.show(one, as_of=as_of), self.show(other, as_of=as_of))

    def get(
        self,
        ref: str,
        dest: str | PathLike[str],
        *,
        as_of: AsOf = None,
        progress: Any = None,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Lay a version's artifacts under a folder, checking every digest.

        Raises:
            IntegrityError: a stored file is missing or is not what its digest says.
            InvalidInputError: the destination holds other files of the same names.
        """
        from regista.storage.blobs import get_manifest
        from regista.storage.fetching import fetch

        found = self.resolve(ref, as_of=as_of)
        manifest = get_manifest(self.replica.store, found.digest)
        fetch(self.replica.store, manifest, Path(dest), progress=progress)
        return {
            "name": found.name,
            "version": found.version,
            "digest": found.digest,
            "dest": str(dest),
            "files": len(manifest.files),
            "uri": manifest.uri,
            "bytes": manifest.size,
        }

    def log(self, *, limit: int = 20, as_of: AsOf = None) -> list[tuple[Commit, str]]:
        """Return the newest commits, the last first, each with its file's sha256."""
        last = self._seq(as_of)
        first = max(1, last - limit + 1)
        log = self.replica.log_of(first, last)
        return [log.read(seq) for seq in range(last, first - 1, -1)]

    def state(self, as_of: AsOf = None) -> State:
        """Return the pinned state at the head, or as of a commit or time."""
        if as_of is None:
            return self.replica.refresh()
        from regista.read.past import state_as_of

        return state_as_of(self.replica, self._seq(as_of))

    def policy(self, *, as_of: AsOf = None) -> dict[str, Any]:
        """Return the policy in force: digest, the parsed policy, its YAML text and its files."""
        bundle = self.policy_bundle(as_of=as_of)
        return {
            "digest": bundle.digest,
            "policy": bundle.value,
            "files": dict(bundle.files),
            "yaml": bundle.yaml,
        }

    def policy_bundle(self, *, as_of: AsOf = None) -> "PolicyBundle":
        """Return the policy in force as a value, with its source."""
        from regista.read.world import load_bundle

        digest = self._ask(as_of, lambda state: state.policy_digest)
        return load_bundle(self.replica.store, digest)

    def entries(
        self,
        pattern: str | None = None,
        *,
        kind: str | None = None,
        limit: int | None = None,
        as_of: AsOf = None,
    ) -> list[dict[str, Any]]:
        """Return one object per entry: name, kind, versions, what its stages hold, times.

        Args:
            pattern: only names that match this glob.
            kind: only entries of this kind.
            limit: at most so many.
            as_of: commit number or time.
        """
        wanted = {"pattern": pattern, "kind": kind, "limit": limit}
        return self._rows("list_entries", wanted, as_of)

    def history(
        self, name: str = "", *, limit: int = 100, as_of: AsOf = None
    ) -> list[dict[str, Any]]:
        """Return the events of one entry, or of all, the last first."""
        if not name:
            return self._rows("registry_history", {"limit": limit}, as_of)
        entry = self._ask(as_of, lambda state: state.entry(name))
        return self._rows("entry_history", {"entry_id": entry.entry_id, "limit": limit}, as_of)

    def sql(self, query: str, *, as_of: AsOf = None) -> Any:  # noqa: ANN401 - DuckDB's relation
        """Run SQL over the registry's views; returns a DuckDB result (`.arrow()`, `.fetchall()`).

        Raises:
            InvalidInputError: the query is wrong; the message is DuckDB's.
        """
        from regista.read.sql import log_tail, run_query

        seq = self._seq(as_of)
        tail = log_tail(self.replica.log, seq)
        return run_query(self.replica.store, tail, query, as_of=_pinned(as_of, seq))

    def connection(self, *, as_of: AsOf = None) -> Any:  # noqa: ANN401 - a DuckDB connection
        """Return a DuckDB connection with the registry's views."""
        from regista.read.sql import log_tail, open_views

        seq = self._seq(as_of)
        tail = log_tail(self.replica.log, seq)
        return open_views(self.replica.store, tail, as_of=_pinned(as_of, seq))

    def _rows(self, query: str, parameters: dict[str, Any], as_of: AsOf) -> list[dict[str, Any]]:
        from regista.read.sql import log_tail, named_query

        seq = self._seq(as_of)
        tail = log_tail(self.replica.log, seq)
        return named_query(self.replica.store, tail, query, parameters, as_of=_pinned(as_of, seq))

    def _seq(self, as_of: AsOf) -> int:
        if as_of is None:
            return self.replica.refresh().seq
        from regista.read.past import seq_as_of

        return seq_as_of(self.replica, as_of)

    def _ask(self, as_of: AsOf, question: Callable[[State], Answer]) -> Answer:
        for _ in range(ATTEMPTS):
            try:
                return question(self.state(as_of))
            except CheckpointGoneError:
                # a writer pruned the checkpoint that we were reading; there is a newer one
                self.replica.reload()
        return question(self.state(as_of))


def _pinned(as_of: AsOf, seq: int) -> int | None:
    return None if as_of is None else seq
