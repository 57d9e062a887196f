"""Replaying: every commit planned again on the state before it, and compared.

The state is folded as the walk goes, and spilled to a scratch store when it grows, so that
memory does not follow the registry's size. A commit that cannot be read ends the replay, and
says so: what follows stands on a state that nobody can know.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regista.decide import fold
from regista.decide.replay import UnrecordedFactError, differences, replay
from regista.decide.state import State
from regista.errors import IntegrityError, RegistaError
from regista.model.commit import Commit, OpRecord
from regista.read.replica import Replica, fold_commit
from regista.read.world import World
from regista.storage.checkpoint import Checkpoint
from regista.storage.checkpointer import write_checkpoint
from regista.storage.local import LocalStore
from regista.verify.problems import MALFORMED, Problem, ProblemKind
from regista.version import engine
from regista.write.bulk_heads import extend_checkpoint, is_bulk

SPILL_AT = 100_000


@dataclass(slots=True)
class Replayer:
    """Replays commits in order.

    Attributes:
        replica: where policies, scores and data are looked up.
        scratch: folder for what does not fit in memory.
        problems: what was found so far.
        stopped: number of the commit that could not be followed; 0 while all is well.
    """

    replica: Replica
    scratch: Path
    problems: list[Problem] = field(default_factory=list)
    stopped: int = 0
    _state: State = field(init=False)
    _world: World = field(init=False)
    _store: LocalStore = field(init=False)
    _spilled: Checkpoint | None = None

    def __post_init__(self) -> None:
        self._state = State(self.replica.registry_id, 0, self.replica.registry_id, "", self._lookup)
        self._world = World(self.replica)
        self._store = LocalStore(self.scratch)

    def add(self, commit: Commit, digest: str) -> None:
        """Replay one commit, then apply what it recorded."""
        if self.stopped:
            return
        if commit.seq != self._state.seq + 1:
            self._stop(commit.seq, "it stands on a commit that cannot be read")
            return
        self._compare(commit)
        try:
            self._apply(commit, digest)
        except (RegistaError, *MALFORMED) as error:
            self._stop(commit.seq, f"its rows cannot be applied: {type(error).__name__}: {error}")
            return
        self._state.seq, self._state.digest = commit.seq, digest
        self._state.time = commit.time
        if len(self._state.heads.changed) > SPILL_AT:
            self.checkpoint()

    def _apply(self, commit: Commit, digest: str) -> None:
        heads = self._state.heads
        if not is_bulk(commit):
            fold_commit(heads, commit, self.replica.data_rows(commit))
            return
        self._spilled = extend_checkpoint(
            self._store,
            self._spilled,
            self._state,
            commit=commit,
            digest=digest,
            source=self.replica.store,
        )
        heads.changed.clear()

    def checkpoint(self) -> Checkpoint | None:
        """Spill the state; return it as a checkpoint that can be streamed."""
        changed = self._state.heads.changed
        if changed:
            encoded = {key: fold.encode_head(value) for key, value in changed.items()}
            self._spilled = write_checkpoint(
                self._store, self._spilled, self._state.seq, self._state.digest, encoded
            )
            changed.clear()
        return self._spilled

    def _lookup(self, key: str) -> Any:  # noqa: ANN401 - the head type follows from the key
        value = self._spilled.get(key) if self._spilled else None
        return None if value is None else fold.decode_head(key, value)

    def _compare(self, commit: Commit) -> None:
        try:
            plan = replay(self._state, commit, self._world)
            found = differences(plan, commit)
        except (UnrecordedFactError, IntegrityError) as error:
            self._report(commit, ProblemKind.REPLAY, f"it cannot be replayed: {error}")
        except RegistaError as error:
            self._report(commit, ProblemKind.DECISION, f"it was not possible: {error.message}")
        except MALFORMED as error:
            self._report(
                commit,
                ProblemKind.DECISION,
                f"its operations are malformed: {type(error).__name__}: {error}",
            )
        else:
            other_engine = commit.engine != engine() and any(map(_has_sql_gate, commit.ops))
            kind = ProblemKind.REPLAY if other_engine else ProblemKind.DECISION
            note = f" (written by {commit.engine}, replayed by {engine()})" if other_engine else ""
            for difference in found:
                self._report(commit, kind, difference + note)

    def _stop(self, seq: int, why: str) -> None:
        self.stopped = seq
        self.problems.append(
            Problem(seq, ProblemKind.REPLAY, f"{why}; decisions from here on cannot be replayed")
        )

    def _report(self, commit: Commit, kind: ProblemKind, detail: str) -> None:
        self.problems.append(Problem(commit.seq, kind, detail))


def _has_sql_gate(op: OpRecord) -> bool:
    read = (*op.decision.get("gates", ()), *op.decision.get("evidence", ()))
    return any(gate.get("kind") == "sql" for gate in read)
