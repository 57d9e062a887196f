"""The chain: every log file in turn, with what is wrong with it as a file.

Yields what can be read and goes on after what cannot, so that one flipped byte hides nothing
that stands behind it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from regista.errors import IntegrityError, NewerFormatError
from regista.model import canonical
from regista.model.canonical import sha256_hex
from regista.model.commit import FIRST_SEQ, Commit, log_key, parse, seq_of_key
from regista.storage.log import LOG_PREFIX
from regista.storage.several import get_ahead
from regista.storage.store import Store
from regista.verify.problems import Problem, ProblemKind

# sorts before every time
_NO_TIME = ""


@dataclass(slots=True)
class Chain:
    """One pass over the log.

    Attributes:
        store: where the log lies.
        registry_id: parent of the first commit.
        problems: what was found so far.
        hear: told of each file's number and bytes, also where they cannot be read as a commit.
        commits: number of files read.
        head: sha256 of the last file read.
        last: number of the last file read.
    """

    store: Store
    registry_id: str
    problems: list[Problem] = field(default_factory=list)
    hear: Callable[[int, bytes], None] = lambda _seq, _data: None
    commits: int = 0
    head: str = ""
    last: int = 0

    def walk(self, anchors: dict[int, str]) -> Iterator[tuple[Commit, str]]:
        """Yield each readable commit with its digest, in order.

        Args:
            anchors: digests noted elsewhere, by number.
        """
        parent = self.registry_id
        before: str | None = _NO_TIME
        for key, found in get_ahead(self.store, self._keys()):
            seq, data = seq_of_key(key) or 0, found or b""
            if seq != self.last + 1:
                self._gap(seq)
                parent, before = "", None
            digest = sha256_hex(data)
            self.commits, self.last = self.commits + 1, seq
            self.hear(seq, data)
            commit = self._read(seq, data)
            if commit is not None:
                self._check(commit, seq, parent, before, data)
                yield commit, digest
            before = commit.time if commit else None
            parent, self.head = digest, digest
            self._anchor(seq, digest, anchors)
        for seq in sorted(set(anchors) - set(range(1, self.last + 1))):
            self._report(seq, ProblemKind.ANCHOR, "the log ends before this anchor")

    def _keys(self) -> Iterator[str]:
        for key in self.store.list_after(LOG_PREFIX):
            if (seq_of_key(key) or 0) < FIRST_SEQ:
                self._report(0, ProblemKind.STRAY, f"{key} is no log file")
            else:
                yield key

    def _report(self, seq: int, kind: ProblemKind, detail: str) -> None:
        self.problems.append(Problem(seq, kind, detail))

    def _gap(self, seq: int) -> None:
        missing = f"{self.last + 1}" if seq == self.last + 2 else f"{self.last + 1} to {seq - 1}"
        self._report(self.last + 1, ProblemKind.GAP, f"missing from the log: commit {missing}")

    def _read(self, seq: int, data: bytes) -> Commit | None:
        try:
            return parse(data)
        except (IntegrityError, NewerFormatError) as error:
            self._report(seq, ProblemKind.COMMIT, f"{log_key(seq)}: {error.message}")
            return None

    def _check(
        self, commit: Commit, seq: int, parent: str, before: str | None, data: bytes
    ) -> None:
        """Report what is wrong; `parent` is '' and `before` None where they are not known."""
        line = data.partition(b"\n")[0]
        checks: list[tuple[Callable[[], bool], ProblemKind, str]] = [
            (
                lambda: commit.seq == seq,
                ProblemKind.COMMIT,
                f"the file of commit {seq} says that it is commit {commit.seq}",
            ),
            (
                lambda: commit.registry == self.registry_id,
                ProblemKind.REGISTRY,
                f"it belongs to registry {commit.registry[:12]}",
            ),
            (
                lambda: canonical.is_canonical(line),
                ProblemKind.CANONICAL,
                "its bytes are not the canonical form of what it says",
            ),
            (
                lambda: parent in {"", commit.parent},
                ProblemKind.PARENT,
                f"its parent is {commit.parent[:12]}, but the commit before it is {parent[:12]}",
            ),
            (
                lambda: commit.time == max(commit.clock, commit.time if before is None else before),
                ProblemKind.TIME,
                f"its time {commit.time} does not follow from its clock and the commit before it",
            ),
        ]
        for holds, kind, detail in checks:
            if not holds():
                self._report(seq, kind, detail)

    def _anchor(self, seq: int, digest: str, anchors: dict[int, str]) -> None:
        wanted = anchors.get(seq)
        if wanted and not digest.startswith(wanted):
            self._report(
                seq,
                ProblemKind.ANCHOR,
                f"its file has sha256 {digest[:12]}, the anchor says {wanted[:12]}",
            )
