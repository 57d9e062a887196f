"""Mirroring: making one registry's log a prefix of another's, and keeping it one.

Invariants: of every commit the target has all that the source still has of what it names before
it has the commit, and commits come in order; so the target is a sound registry at every moment,
whatever is killed, and several mirrors at once write the same bytes. What is copied is checked:
each commit against the one before it, each other file against its digest. Tables, checkpoints and
bundles are not copied but made from the log. The target is never changed otherwise: one that has
commits that the source has not is refused.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import Any

from regista.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError
from regista.model.canonical import sha256_hex
from regista.model.commit import FIRST_SEQ, Commit, parse
from regista.model.names import shown
from regista.read.naming import Named, Owner, mentioned, named, purged_by
from regista.read.opening import REGISTRY_KEY, refuse_lost_id, replica_of
from regista.read.replica import Replica
from regista.storage.blobs import blob_key
from regista.storage.creating import Creation
from regista.storage.log import Log
from regista.storage.parallel import Meter, Progress, run_all
from regista.storage.probing import probe
from regista.storage.store import Store
from regista.transfer.batching import batched
from regista.transfer.copying import copy_file, is_there
from regista.transfer.deriving import derive
from regista.write.founding import found, refuse_inside_another

BLOB_LOCK_WAIT_S = 60.0
COMMITS_AT_ONCE = 64
FILES_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Result of `mirror`.

    Attributes:
        source: where from.
        destination: where to.
        registry: id of both.
        seq: number of the last commit that both have.
        commit: sha256 of its log file.
        commits: how many were added.
        files: how many artifact and data files were copied.
        bytes: their size.
    """

    source: str
    destination: str
    registry: str
    seq: int
    commit: str
    commits: int
    files: int
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return asdict(self)


def mirror(source: Replica, target: Store, progress: Progress | None = None) -> Mirrored:
    """Bring a store to where a registry's log is now; see the module.

    Args:
        source: the registry; others may write to it meanwhile.
        target: an empty place, or an earlier mirror of the same registry.
        progress: told of commits.

    Raises:
        InvalidInputError: the target is another registry, or the same place.
        IntegrityError: the target has diverged, or a file of the source is damaged or missing;
            all commits before are in the target then.
        StorageError: one of the stores fails.
    """
    return _Mirror(source, target).run(progress)


@dataclass(slots=True)
class _Mirror:
    source: Replica
    target: Store
    log: Log = field(init=False)
    commits: int = 0
    files: int = 0
    bytes: int = 0

    def __post_init__(self) -> None:
        self.log = Log(self.target)

    def run(self, progress: Progress | None) -> Mirrored:
        is_new = self._is_new()
        # in this order: a mirror at work beside us is never ahead of the source
        done = 0 if is_new else self.log.head()
        head = self.source.log.head()
        if not head:
            raise NotFoundError(f"the registry at {_at(self.source.store)} is empty")
        digest = self._common(done, head)
        if done:
            # as for the files: a power cut must not undo what we are about to vouch for
            self.log.settle(done)
        if is_new:
            probe(self.target)
        if progress:
            progress.start(head - done)
        purges = _Purges(self.source.log, done)
        while done < head:
            for links in batched(_chain(self.source, done + 1, head, digest), COMMITS_AT_ONCE):
                self._add(links, purges)
                done, digest = links[-1].commit.seq, links[-1].digest
                if progress:
                    progress.advance(len(links))
            # a purge that took a file before we had it is part of the story
            head = max(head, purges.last)
        derive(replica_of(self.target))
        return self._result(done, digest)

    def _add(self, links: "list[_Link]", purges: "_Purges") -> None:
        # a gc of the target waits until the commits name what is copied
        with self.target.lock("blobs", timeout_s=BLOB_LOCK_WAIT_S, shared=True):
            self._copy((link.commit for link in links), purges)
            for link in links:
                self._append(link)

    def _result(self, seq: int, digest: str) -> Mirrored:
        return Mirrored(
            self.source.store.uri,
            self.target.uri,
            self.source.registry_id,
            seq,
            digest,
            self.commits,
            self.files,
            self.bytes,
        )

    def _is_new(self) -> bool:
        if self.source.store.uri == self.target.uri:
            raise InvalidInputError(
                f"{_at(self.target)} is what is to be mirrored", hint="name another place"
            )
        if self.target.get(REGISTRY_KEY) is not None:
            self._refuse_other()
            return False
        refuse_lost_id(self.target)
        refuse_inside_another(self.target)
        return True

    def _refuse_other(self) -> None:
        theirs = replica_of(self.target).registry_id
        if theirs != self.source.registry_id:
            raise InvalidInputError(
                f"{_at(self.target)} is another registry, {theirs[:12]},"
                f" not {self.source.registry_id[:12]}",
                hint="name an empty place",
            )

    def _common(self, done: int, head: int) -> str:
        """Return the digest of the target's head, which the source must have too."""
        last = min(done, head)
        if last and not self._same(last):
            first = FIRST_SEQ
            while first < last:
                middle = (first + last) // 2
                if self._same(middle):
                    first = middle + 1
                else:
                    last = middle
            raise self._diverged(first, "differs")
        if done > head:
            raise self._diverged(head + 1, "is not in the source")
        return sha256_hex(self.log.read_bytes(done)) if done else self.source.registry_id

    def _same(self, seq: int) -> bool:
        return self.log.read_bytes(seq) == self.source.log.read_bytes(seq)

    def _diverged(self, seq: int, what: str) -> IntegrityError:
        return IntegrityError(
            f"{_at(self.target)} has diverged: its commit {seq} {what}",
            hint="somebody wrote to it, or the source is an older copy; mirror to an empty place",
        )

    def _copy(self, commits: Iterable[Commit], purges: "_Purges") -> None:
        """Copy what commits name, a bounded number of files at a time."""
        items = chain.from_iterable(map(self._named, commits))
        for some in batched(items, FILES_AT_ONCE):
            # of equal ones the first counts, which is the one that is needed
            wanted = list({item.key: (seq, item) for seq, item in reversed(some)}.values())
            for (seq, item), size in zip(wanted, self._copy_all(wanted), strict=True):
                if size is None:
                    self._miss(seq, item, purges)
                else:
                    self.files += size > 0
                    self.bytes += size

    def _copy_all(self, wanted: list[tuple[int, Named]]) -> list[int | None]:
        meter = Meter(None, 0)
        return run_all(lambda pair: self._copy_one(*pair, meter), wanted, meter)

    def _named(self, commit: Commit) -> Iterator[tuple[int, Named]]:
        for item in named(self.source.store, commit):
            yield commit.seq, item
        for digest in sorted(mentioned(commit)):
            yield commit.seq, Named(blob_key(digest), digest, None, None, needed=False)

    def _copy_one(self, seq: int, item: Named, meter: Meter) -> int | None:
        """Return the bytes copied, 0 for what is there; None where the source has it not."""
        if is_there(self.target, item):
            # an earlier run may have died before it was on the disk
            self.target.settle(item.key)
            return 0
        try:
            return copy_file(self.source.store, self.target, item, meter.advance)
        except IntegrityError as error:
            raise IntegrityError(f"commit {seq}: {error.message}", hint=error.hint) from error

    def _miss(self, seq: int, item: Named, purges: "_Purges") -> None:
        if item.needed and not purges.covers(item.owner):
            raise IntegrityError(
                f"commit {seq} needs {item.key}, which is missing in {_at(self.source.store)}",
                hint="restore it from a backup, or register the same files again",
            )

    def _append(self, link: "_Link") -> None:
        seq = link.commit.seq
        if seq == FIRST_SEQ:
            found(self.target, self.source.store.get(REGISTRY_KEY) or b"")
            # of two mirrors of different registries one came first
            self._refuse_other()
        match self.log.append(link.data, seq):
            case Creation.LOST:
                raise self._diverged(seq, "differs")
            case Creation.UNKNOWN:
                raise ConflictError(
                    f"{_at(self.target)} did not say whether commit {seq} was written",
                    hint="run it again: it goes on from what is there",
                )
        self.commits += 1


@dataclass(frozen=True, slots=True)
class _Link:
    """A commit with its file's exact bytes and their digest."""

    commit: Commit
    data: bytes
    digest: str


def _chain(source: Replica, first: int, last: int, parent: str) -> Iterator[_Link]:
    """Yield commits, each checked to follow the one before."""
    log = source.log.over(first, last)
    for seq in range(first, last + 1):
        data = log.read_bytes(seq)
        try:
            commit = parse(data)
        except IntegrityError as error:
            raise _damaged(source, seq, error.message) from error
        if (commit.registry, commit.seq, commit.parent) != (source.registry_id, seq, parent):
            raise _damaged(source, seq, "it does not follow the commit before it")
        parent = sha256_hex(data)
        yield _Link(commit, data, parent)


def _damaged(source: Replica, seq: int, what: str) -> IntegrityError:
    return IntegrityError(f"commit {seq} of {_at(source.store)}: {what}", hint="regista verify")


class _Purges:
    """Which purges the source's log has; read when a file is missing.

    Args:
        log: the source's.
        done: the commits up to this one name nothing that is asked for.
    """

    def __init__(self, log: Log, done: int) -> None:
        self._log = log
        self._purged: dict[Owner, int] = {}
        self._read_to = done
        self.last = 0

    def covers(self, owner: Owner | None) -> bool:
        """Say whether a version was purged; note where."""
        if owner is None:
            return False
        head = self._log.head(after=self._read_to)
        log = self._log.over(self._read_to + 1, head)
        for seq in range(self._read_to + 1, head + 1):
            for gone in purged_by(log.read(seq)[0]):
                self._purged[gone] = seq
        self._read_to = head
        self.last = max(self.last, self._purged.get(owner, 0))
        return owner in self._purged


def _at(store: Store) -> str:
    return shown(store.uri, 200)
