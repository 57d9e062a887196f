"""Replaying: every commit planned again on the state before it, and compared.

A commit that cannot be read ends the replay, and says so: what follows stands on a state that
nobody can know.
"""

from dataclasses import dataclass, field
from pathlib import Path

from regista.decide.replay import UnrecordedFactError, differences, replay
from regista.errors import IntegrityError, RegistaError
from regista.model.commit import Commit, OpRecord
from regista.read.replica import Replica
from regista.read.world import World
from regista.storage.checkpoint import Checkpoint
from regista.verify.problems import MALFORMED, Problem, ProblemKind
from regista.verify.walking import Walk
from regista.version import engine


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
    _walk: Walk = field(init=False)
    _world: World = field(init=False)

    def __post_init__(self) -> None:
        self._walk = Walk(self.replica, self.scratch)
        self._world = World(self.replica)

    def add(self, commit: Commit, digest: str) -> None:
        """Replay one commit, then apply what it recorded."""
        if self.stopped:
            return
        if commit.seq != self._walk.state.seq + 1:
            self._stop(commit.seq, "it stands on a commit that cannot be read")
            return
        self._compare(commit)
        try:
            self._walk.advance(commit, digest)
        except (RegistaError, *MALFORMED) as error:
            self._stop(commit.seq, f"its rows cannot be applied: {type(error).__name__}: {error}")

    def checkpoint(self) -> Checkpoint | None:
        """Spill the state; return it as a checkpoint that can be streamed."""
        return self._walk.checkpoint()

    def _compare(self, commit: Commit) -> None:
        try:
            plan = replay(self._walk.state, commit, self._world)
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
