"""Heads: what checkpoints and the tip tell fast readers is what the log leads to."""

from regista.model.commit import Commit
from regista.read.replica import Replica
from regista.verify.checkpoints import compare_checkpoints, usable_checkpoints
from regista.verify.problems import Problem
from regista.verify.replaying import Replayer
from regista.verify.tips import TipCheck


class HeadsCheck:
    """Compares stored heads with the folded ones as the walk comes to their commits."""

    def __init__(self, replica: Replica) -> None:
        self._checkpoints, self._problems = usable_checkpoints(replica)
        self._tips = TipCheck(replica)

    @property
    def problems(self) -> list[Problem]:
        """What was found so far."""
        return [*self._problems, *self._tips.problems]

    def add(self, commit: Commit, digest: str, replayer: Replayer) -> None:
        """Compare what tells of the state after a commit, which was just replayed."""
        if replayer.stopped:
            return
        if tip := self._tips.at(commit.seq):
            self._tips.compare(tip, digest, commit.time, replayer.checkpoint())
        for checkpoint in self._checkpoints.get(commit.seq, ()):
            folded = replayer.checkpoint()
            self._problems += compare_checkpoints(checkpoint, folded, commit.time)

    def finish(self, last: int) -> None:
        """Say when the log ends before what they tell of."""
        self._tips.finish(last)
