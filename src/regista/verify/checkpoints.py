"""Checkpoints: the heads that fast reads use are those that the log leads to."""

from itertools import zip_longest

from regista.read.replica import Replica
from regista.storage.checkpoint import Checkpoint, scan
from regista.verify.problems import Problem, ProblemKind

SHOWN = 5


def newest_checkpoint(replica: Replica) -> tuple[Checkpoint | None, list[Problem]]:
    """Return the newest usable checkpoint, and what is wrong with those that are not."""
    newest, problems = None, []
    for candidate in scan(replica.store, replica.log):
        if candidate.checkpoint is None:
            detail = f"checkpoint {candidate.id}: {candidate.problem}; regista rebuild"
            problems.append(Problem(0, ProblemKind.CHECKPOINT, detail))
        elif newest is None:
            newest = candidate.checkpoint
    return newest, problems


def compare_checkpoints(stored: Checkpoint, folded: Checkpoint | None) -> list[Problem]:
    """Compare a stored checkpoint with the same heads folded from the log; stream both."""
    if folded is None:
        return []
    wrong: list[str] = []
    # both come in the order of the keys' hashes, so equal maps are equal streams
    for mine, theirs in zip_longest(folded.items(), stored.items()):
        if mine != theirs:
            key = (theirs or mine or ("?",))[0]
            wrong.append(key)
            if len(wrong) >= SHOWN or mine is None or theirs is None or mine[0] != theirs[0]:
                break
    if not wrong:
        return []
    return [
        Problem(
            stored.seq,
            ProblemKind.CHECKPOINT,
            f"its heads differ from what the log leads to, at {', '.join(wrong)}; regista rebuild",
        )
    ]
