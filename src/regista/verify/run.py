"""The verification as a whole: one walk over the log, then all that follows from it, and blobs."""

from collections.abc import Iterable, Mapping
from itertools import chain as chained
from typing import Any

from regista.errors import InvalidInputError
from regista.model.commit import Commit, Row
from regista.read.replica import Replica
from regista.verify.artifacts import ArtifactCheck
from regista.verify.bundles import BundleCheck
from regista.verify.chain import Chain
from regista.verify.heads import HeadsCheck
from regista.verify.problems import Problem, ProblemKind, Verification
from regista.verify.replaying import Replayer
from regista.verify.tables import TableCheck

SHORTEST_ANCHOR = 12


def verify(
    replica: Replica,
    *,
    deep: bool = False,
    anchors: Mapping[int, str] | None = None,
    progress: Any = None,  # noqa: ANN401 - see storage.artifacts.Progress
) -> Verification:
    """Check everything that a registry's files say against each other.

    Args:
        replica: the registry.
        deep: also hash every artifact again.
        anchors: digests of log files noted elsewhere, by number.
        progress: told of commits replayed.

    Returns:
        All problems, never just the first.
    """
    wanted = _checked(anchors or {})
    # listed before the log is, so that what reaches beyond its end was never the log's
    bundles = BundleCheck(replica.store)
    walk = Chain(replica.store, replica.registry_id, hear=bundles.add)
    artifacts = ArtifactCheck(replica.store, deep)
    with replica.store.scratch() as scratch:
        replayer = Replayer(replica, scratch)
        heads = HeadsCheck(replica)
        with TableCheck(replica.store) as tables:
            if progress:
                progress.start(replica.log.head())
            for commit, digest in walk.walk(wanted):
                replayer.add(commit, digest)
                tables.add(commit, digest)
                artifacts.add(commit, _file_rows(replica, commit))
                heads.add(commit, digest, replayer)
                if progress:
                    progress.advance(1)
            tables.finish()
        artifacts.finish()
        heads.finish(walk.last)
    bundles.finish(walk.last)
    problems = [
        *walk.problems,
        *replayer.problems,
        *tables.problems,
        *artifacts.problems,
        *heads.problems,
        *bundles.problems,
    ]
    if not walk.commits:
        problems.append(Problem(0, ProblemKind.GAP, "the log is empty; run regista init"))
    problems.sort(key=lambda item: item.seq)
    return Verification(
        not problems, walk.commits, walk.head, "deep" if deep else "standard", problems
    )


def _file_rows(replica: Replica, commit: Commit) -> Iterable[Row]:
    inline = (row for _i, row in commit.rows_of("files"))
    refs = [ref for ref in commit.data if ref.table == "files"]
    if not refs:
        return inline
    from regista.read.data_rows import iter_rows

    return chained(inline, *(iter_rows(replica.store, ref) for ref in refs))


def _checked(anchors: Mapping[int, str]) -> dict[int, str]:
    for seq, digest in anchors.items():
        hexadecimal = set(digest) <= set("0123456789abcdef")
        if seq < 1 or not hexadecimal or len(digest) < SHORTEST_ANCHOR:
            raise InvalidInputError(
                f"{seq}:{digest} is not an anchor",
                hint=f"write SEQ:SHA256, with at least {SHORTEST_ANCHOR} hexadecimal digits",
            )
    return dict(anchors)
