"""Which blobs and data files a registry's log reaches, as of one commit.

The log is walked from its head backwards, so that a purge is known before what it lets go. Only
digests stay in memory, about 100 bytes for each.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from regista.errors import IntegrityError
from regista.model.commit import FIRST_SEQ, Commit
from regista.read.naming import Named, Owner, mentioned, named, purged_by
from regista.read.replica import Replica
from regista.storage.blobs import BLOB_PREFIX, blob_key
from regista.storage.store import Store

DATA_PREFIX = "data/"
_DATA_SUFFIX = ".parquet"


@dataclass(slots=True)
class Reach:
    """What the commits of a log name; digests are kept as bytes.

    Attributes:
        needed: blobs without which the registry is damaged.
        kept: blobs that are kept where they are there.
        data: keys of data files that are needed.
        purged: blobs that purged versions named; gone, unless something else names them.
    """

    needed: set[bytes] = field(default_factory=set)
    kept: set[bytes] = field(default_factory=set)
    data: set[str] = field(default_factory=set)
    purged: set[bytes] = field(default_factory=set)
    _mentioned: set[bytes] = field(default_factory=set)
    _owners: set[Owner] = field(default_factory=set)

    def add(self, store: Store, commit: Commit) -> None:
        """Take in a commit; those after it must have been before."""
        self._owners |= purged_by(commit)
        for item in named(store, commit):
            self._add_named(item)
        self._mentioned.update(map(bytes.fromhex, mentioned(commit)))

    def _add_named(self, item: Named) -> None:
        digest = bytes.fromhex(item.sha256)
        if not item.key.startswith(BLOB_PREFIX):
            self.data.add(item.key)
        elif item.owner in self._owners:
            self.purged.add(digest)
        elif item.needed:
            self.needed.add(digest)
        else:
            self.kept.add(digest)

    def names(self, key: str) -> bool:
        """Say whether a blob or data file must stay."""
        if key in self.data:
            return True
        digest = digest_of(key)
        return digest is None or (
            digest in self.needed
            or digest in self.kept
            or (digest in self._mentioned and digest not in self.purged)
        )

    def files(self) -> Iterator[tuple[str, bool]]:
        """Yield the keys of all that must stay, in order, and whether each is needed."""
        loose = (self.kept | (self._mentioned - self.purged)) - self.needed
        for digest in sorted(self.needed | loose):
            yield blob_key(digest.hex()), digest in self.needed
        for key in sorted(self.data):
            yield key, True


def reachable(replica: Replica, head: int) -> Reach:
    """Return what the commits 1 to `head` name.

    Raises:
        IntegrityError: the log has a gap or its chain is broken, or a data file that names blobs
            is missing or damaged; nothing may be judged by such a log.
    """
    reach = Reach()
    for commit in _backwards(replica, head):
        reach.add(replica.store, commit)
    return reach


def digest_of(key: str) -> bytes | None:
    """Return the digest that a blob's or data file's key has; None for any other key."""
    name = key.rpartition("/")[2].removesuffix(_DATA_SUFFIX)
    try:
        digest = bytes.fromhex(name)
    except ValueError:
        return None
    is_blob = key == blob_key(digest.hex())
    is_data = key.startswith(DATA_PREFIX) and key.endswith(f"/{digest.hex()}{_DATA_SUFFIX}")
    return digest if is_blob or is_data else None


def _backwards(replica: Replica, head: int) -> Iterator[Commit]:
    expected, log = "", replica.log.over(FIRST_SEQ, head)
    for seq in range(head, FIRST_SEQ - 1, -1):
        commit, digest = log.read(seq)
        if expected not in {"", digest}:
            raise _broken(seq + 1)
        yield commit
        expected = commit.parent
    if head and expected != replica.registry_id:
        raise _broken(FIRST_SEQ)


def _broken(seq: int) -> IntegrityError:
    return IntegrityError(
        f"commit {seq} does not follow from what is before it", hint="regista verify"
    )
