"""The replica: this process's view of a registry's state, brought up to date on demand.

A state is the newest checkpoint's heads with the log's tail folded on top. Each state handed out
is pinned: a later refresh makes a new one and leaves it as it was. Nothing here writes, and on
the common path nothing heavy is imported.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from regista.decide import fold, keys
from regista.decide.state import State
from regista.errors import IntegrityError
from regista.model.commit import Commit, log_key
from regista.storage.checkpoint import Checkpoint, load_latest
from regista.storage.log import Log
from regista.storage.store import Store

if TYPE_CHECKING:
    from regista.storage.remembering import Memory

REBASE_AT = 20_000
# older checkpoints than the newest few are removed, so a view that lives long must move on
LOOK_AGAIN_AFTER = 128
# commits that are as well asked for one by one
FEW = 2
# what rows can make the fold raise that nobody could have written
MALFORMED = (KeyError, ValueError, TypeError, AttributeError, IndexError)
_VERIFY = "regista verify"


class Replica:
    """The state of one registry, as far as this process has read it.

    Args:
        store: where the registry lies.
        registry_id: its id, the parent of the first commit.
        memory: what this machine remembers of it; None where looking is as fast.
    """

    def __init__(self, store: Store, registry_id: str, *, memory: "Memory | None" = None) -> None:
        self.store = store
        self.log = Log(store, get=memory.get if memory else None)
        self.registry_id = registry_id
        self.checkpoint: Checkpoint | None = None
        self._find = _lookup(None)
        self._state: State | None = None
        self._look_again_at = 0
        self.memory = memory
        self._remembered = 0
        # what was listed while the memory was confirmed need not be listed again
        self._head_told: int | None = None

    @property
    def pinned(self) -> State | None:
        """The state that was read last; None before any was."""
        return self._state

    def refresh(self) -> State:
        """Return the state at the log's head.

        Raises:
            IntegrityError: the tail does not follow from what is before it, or commits that
                were read before are gone.
            NewerFormatError: a newer Regista wrote a commit.
        """
        state = self._state or self.reload()
        told, self._head_told = self._head_told, None
        head = self.log.head(after=state.seq) if told is None else told
        if head < state.seq:
            raise IntegrityError(
                f"the log ends with commit {head}, though commit {state.seq} was there",
                hint=_VERIFY,
            )
        if head >= self._look_again_at or len(state.heads.changed) > REBASE_AT:
            state = self._rebased(state, head)
        log = self.log_of(state.seq + 1, head)
        for commit, digest in log.iterate(state.seq + 1, head, parent=state.digest):
            if is_bulk(commit) and self._rebased(state, head) is not state:
                # too many heads to fold in memory, and a newer checkpoint holds them
                return self.refresh()
            state = self.advance(commit, digest)
        self.remember()
        return state

    def log_of(self, first: int, last: int) -> Log:
        """Return the log, made ready to read some commits, which are there, with few questions.

        Args:
            first: number of the first one.
            last: number of the last one.
        """
        if last - first >= LOOK_AGAIN_AFTER:
            return self.log.over(first, last)
        if self.memory and last - first >= FEW:
            self.memory.fetch([log_key(seq) for seq in range(first, last + 1)])
        return self.log

    def remember(self, commit_bytes: bytes = b"") -> None:
        """Keep the state for this machine's next process, where that saves it questions.

        Args:
            commit_bytes: the file of the last commit, where this process wrote it.
        """
        if self.memory and self._state and self._state.seq > self._remembered:
            from regista.read.recalling import remember

            self._remembered = self._state.seq
            if commit_bytes:
                self.memory.keep(log_key(self._state.seq), commit_bytes)
            remember(self, self.memory)

    def stand_on_remembered(
        self,
        base: Checkpoint | None,
        seq: int,
        digest: str,
        time: str,
        heads: dict[str, Any],
        *,
        head: int,
        kept: bool,
    ) -> None:
        """Begin with a state that another process had.

        Args:
            base: the checkpoint that it stands on.
            seq: number of its commit.
            digest: sha256 of that commit's file.
            time: recorded time of that commit.
            heads: what changed since the checkpoint, by key.
            head: number of the last commit now.
            kept: whether this machine's memory has it.
        """
        self.stand_on(base)
        self._state = State(self.registry_id, seq, digest, time, self._find)
        self._state.heads.changed = heads
        self._remembered, self._head_told = seq if kept else 0, head

    def reload(self) -> State:
        """Forget what was read, and return the state at the newest checkpoint."""
        return self.stand_on(load_latest(self.store, self.log))

    def stand_on(self, base: Checkpoint | None) -> State:
        """Begin anew at a checkpoint, or before the first commit; return the state there."""
        self.checkpoint = base
        # one for all states that stand on it: what it holds does not change
        self._find = _lookup(base)
        if base is None:
            seq, digest, time = 0, self.registry_id, ""
        else:
            seq, digest, time = base.seq, base.head, base.time
            if self.memory:
                base.look_up_through(self.memory.get_range)
        self._look_again_at = seq + LOOK_AGAIN_AFTER
        self._state = State(self.registry_id, seq, digest, time, self._find)
        return self._state

    def _rebased(self, state: State, head: int) -> State:
        """Return the state at a newer checkpoint, if there is one; else the one at hand."""
        self._look_again_at = head + LOOK_AGAIN_AFTER
        newest = load_latest(self.store, self.log)
        if newest is None or (self.checkpoint and newest.seq <= self.checkpoint.seq):
            return state
        return self.stand_on(newest)

    def advance(self, commit: Commit, digest: str) -> State:
        """Apply the next commit and return the new state.

        Raises:
            IntegrityError: it is of another registry, or its rows cannot be applied.
        """
        if commit.registry != self.registry_id:
            raise IntegrityError(f"commit {commit.seq} is of another registry", hint=_VERIFY)
        before = self._state or self.reload()
        after = State(self.registry_id, commit.seq, digest, commit.time, self._find)
        after.heads.changed = dict(before.heads.changed)
        try:
            fold_commit(after.heads, commit, self.data_rows(commit))
        except MALFORMED as error:
            raise IntegrityError(
                f"commit {commit.seq} has rows that cannot be applied"
                f" ({type(error).__name__}: {error})",
                hint=_VERIFY,
            ) from error
        self._state = after
        return after

    def data_rows(self, commit: Commit) -> Iterable[dict[str, Any]]:
        """Return the rows that a commit carries by digest and that change heads."""
        if not any(ref.table in fold.STATE_TABLES for ref in commit.data):
            return ()
        from regista.read.data_rows import state_rows

        rows: Iterable[dict[str, Any]] = state_rows(self.store, commit)
        return rows


def is_bulk(commit: Commit) -> bool:
    """Say whether a commit brings versions in bulk, so that it should not be folded in memory."""
    return any(
        ref.table in fold.STATE_TABLES and "version" not in ref.columns for ref in commit.data
    )


def fold_commit(heads: keys.Heads, commit: Commit, data_rows: Iterable[dict[str, Any]]) -> None:
    """Apply a whole commit: its inline rows, its bulk rows, its transaction id."""
    stamp = fold.Stamp(commit.seq, commit.time, commit.actor)
    fold.apply_rows(heads, stamp, commit.rows)
    fold.apply_rows(heads, stamp, data_rows)
    fold.apply_transaction(heads, stamp, commit.txid, commit.ops)


def _lookup(checkpoint: Checkpoint | None) -> Callable[[str], Any]:
    if checkpoint is None:
        return lambda _key: None
    cache: dict[str, Any] = {}

    def find(key: str) -> Any:  # noqa: ANN401 - the head type follows from the key
        if key not in cache:
            value = checkpoint.get(key)
            cache[key] = None if value is None else keys.decode_head(key, value)
        return cache[key]

    return find
