"""The tip: what a cold reader believes is what the log leads to."""

from regista.errors import IntegrityError
from regista.read.replica import Replica
from regista.storage.checkpoint import Checkpoint, manifest_key
from regista.storage.tip import TIP_KEY, Tip, parse_tip
from regista.verify.problems import Problem, ProblemKind

_REBUILD = "regista rebuild"


class TipCheck:
    """Checks the tip as the walk comes to its commit.

    Attributes:
        tip: as it was when the check was made; None when there is none that can be read.
        problems: what was found so far.
    """

    def __init__(self, replica: Replica) -> None:
        self.tip: Tip | None = None
        self.problems: list[Problem] = []
        self._replica = replica
        data = replica.store.get(TIP_KEY)
        try:
            self.tip = parse_tip(data) if data else None
        except IntegrityError as error:
            self._report(0, error.message)

    def at(self, seq: int) -> Tip | None:
        """Return the tip if it tells of the state after this commit."""
        return self.tip if self.tip and self.tip.seq == seq else None

    def compare(self, tip: Tip, digest: str, time: str, folded: Checkpoint | None) -> None:
        """Compare it with the commit of its number and the heads that the log leads to."""
        said, registry = tip.said, self._replica.registry_id
        if (said.get("registry"), said.get("digest"), said.get("time")) != (registry, digest, time):
            self._report(tip.seq, f"commit {tip.seq} is another than it names")
            return
        wrong = [
            key
            for key, value in said.get("heads", {}).items()
            if (folded.get(key) if folded else None) != value
        ]
        if wrong:
            self._report(tip.seq, f"its heads differ from what the log leads to, at {wrong[0]}")
        base = said.get("checkpoint", "")
        stored = self._replica.store.get(manifest_key(base)) if base else b""
        if stored is not None and stored != said.get("manifest", "").encode():
            self._report(tip.seq, f"the manifest of checkpoint {base} is another than it holds")

    def finish(self, last: int) -> None:
        """Say when the log ends before its commit."""
        if self.tip and self.tip.seq > last:
            self._report(self.tip.seq, f"the log ends with commit {last}")

    def _report(self, seq: int, detail: str) -> None:
        self.problems.append(
            Problem(seq, ProblemKind.CHECKPOINT, f"{TIP_KEY}: {detail}; {_REBUILD}")
        )
