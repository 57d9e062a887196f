"""Checkpoints: the heads that fast reads use are those that the log leads to.

Any of those that are kept may be the one that a reader falls back on, so all are compared.
"""

from itertools import zip_longest

from regista.errors import IntegrityError
from regista.read.replica import Replica
from regista.storage.checkpoint import Checkpoint, CheckpointGoneError, scan
from regista.verify.problems import Problem, ProblemKind

SHOWN = 5
_REBUILD = "regista rebuild"


def usable_checkpoints(replica: Replica) -> tuple[dict[int, list[Checkpoint]], list[Problem]]:
    """Return the usable checkpoints by commit, and what is wrong with those that are not."""
    usable: dict[int, list[Checkpoint]] = {}
    problems = []
    for candidate in scan(replica.store, replica.log):
        if candidate.checkpoint is None:
            number = candidate.id.partition("-")[0]
            seq = int(number) if number.isascii() and number.isdigit() else 0
            detail = f"checkpoint {candidate.id}: {candidate.problem}; {_REBUILD}"
            problems.append(Problem(seq, ProblemKind.CHECKPOINT, detail))
        else:
            usable.setdefault(candidate.checkpoint.seq, []).append(candidate.checkpoint)
    return usable, problems


def compare_checkpoints(stored: Checkpoint, folded: Checkpoint | None, time: str) -> list[Problem]:
    """Compare a stored checkpoint with the same heads folded from the log; stream both.

    Args:
        stored: the checkpoint.
        folded: the heads that it should have.
        time: recorded time of its commit.
    """
    if stored.time not in {"", time}:
        detail = f"checkpoint {stored.id}: its time is not that of the commit; {_REBUILD}"
        return [Problem(stored.seq, ProblemKind.CHECKPOINT, detail)]
    try:
        wrong = _different_keys(stored, folded)
    except CheckpointGoneError:
        # a writer has just made newer ones and removed it
        return []
    except IntegrityError as error:
        detail = f"checkpoint {stored.id}: {error.message}; {_REBUILD}"
        return [Problem(stored.seq, ProblemKind.CHECKPOINT, detail)]
    if not wrong:
        return []
    detail = f"its heads differ from what the log leads to, at {', '.join(wrong)}; {_REBUILD}"
    return [Problem(stored.seq, ProblemKind.CHECKPOINT, detail)]


def _different_keys(stored: Checkpoint, folded: Checkpoint | None) -> list[str]:
    """Return the first keys whose heads differ."""
    wrong: list[str] = []
    # both come in the order of the keys' hashes, so equal maps are equal streams
    expected = folded.items() if folded else iter(())
    for mine, theirs in zip_longest(expected, stored.items()):
        if mine != theirs:
            wrong.append((theirs or mine or ("?",))[0])
            if len(wrong) >= SHOWN or mine is None or theirs is None or mine[0] != theirs[0]:
                break
    return wrong
