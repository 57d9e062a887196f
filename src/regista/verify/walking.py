"""Walking: the state of a registry from its first commit on, one commit after another.

The state is folded as the walk goes, and spilled to a scratch store when it grows, so that memory
does not follow the registry's size.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regista.decide import keys
from regista.decide.state import State
from regista.model.commit import Commit
from regista.read.replica import Replica, fold_commit, is_bulk
from regista.storage.checkpoint import Checkpoint
from regista.storage.checkpointer import write_checkpoint
from regista.storage.local import LocalStore
from regista.write.bulk_heads import extend_checkpoint

SPILL_AT = 100_000


@dataclass(slots=True)
class Walk:
    """The state after the commits so far.

    Attributes:
        replica: where data files are looked up.
        scratch: folder for what does not fit in memory.
        state: the state; it changes as the walk goes on.
    """

    replica: Replica
    scratch: Path
    state: State = field(init=False)
    _store: LocalStore = field(init=False)
    _spilled: Checkpoint | None = None

    def __post_init__(self) -> None:
        self.state = State(self.replica.registry_id, 0, self.replica.registry_id, "", self._lookup)
        self._store = LocalStore(self.scratch)

    def advance(self, commit: Commit, digest: str) -> None:
        """Apply what the next commit recorded.

        Raises:
            RegistaError: a data file is missing or damaged. The state is of no use then, as it is
                where the rows of a commit are malformed (`problems.MALFORMED`).
        """
        self._apply(commit, digest)
        self.state.seq, self.state.digest, self.state.time = commit.seq, digest, commit.time
        if len(self.state.heads.changed) > SPILL_AT:
            self.checkpoint()

    def _apply(self, commit: Commit, digest: str) -> None:
        heads = self.state.heads
        if not is_bulk(commit):
            fold_commit(heads, commit, self.replica.data_rows(commit))
            return
        self._spilled = extend_checkpoint(
            self._store,
            self._spilled,
            self.state,
            commit=commit,
            digest=digest,
            source=self.replica.store,
        )
        heads.changed.clear()

    def checkpoint(self) -> Checkpoint | None:
        """Spill the state; return it as a checkpoint that can be streamed."""
        changed = self.state.heads.changed
        if changed:
            encoded = {key: keys.encode_head(value) for key, value in changed.items()}
            self._spilled = write_checkpoint(
                self._store, self._spilled, self.state.seq, self.state.digest, encoded
            )
            changed.clear()
        return self._spilled

    def _lookup(self, key: str) -> Any:  # noqa: ANN401 - the head type follows from the key
        value = self._spilled.get(key) if self._spilled else None
        return None if value is None else keys.decode_head(key, value)
