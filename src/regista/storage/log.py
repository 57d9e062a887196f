"""The log on a Store: numbered commit files, created once and never changed.

Invariants: a commit counts as written only when the store said CREATED, or when our own bytes
were read back (`regista.storage.creating`). Numbers have no gaps, and each file names its parent
by digest. What a commit means is decided in
`regista.decide`; making one anew after a lost race is `regista.write`'s business, and whether
the whole history is sound is `regista.verify`'s.
"""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from regista.errors import IntegrityError, NotFoundError
from regista.model.canonical import sha256_hex
from regista.model.commit import FIRST_SEQ, Commit, log_key, parse, seq_of_key
from regista.storage.store import Store

if TYPE_CHECKING:
    from regista.storage.creating import Creation

LOG_PREFIX = "log/"
_VERIFY = "regista verify"
# a listing brings about this many keys for the price of one look-up on an object store
_LISTED_AT_ONCE = 512
# whoever reads more does so once, and would only fill the disk with small files; as many as a
# replica asks for several at a time
_KEPT_AT_ONCE = 128
# fewer are not worth looking for bundles
_MANY = 16


class Log:
    """The commits of one registry.

    Args:
        store: where the log files lie.
        sleep: waits that many seconds between attempts to write.
        get: reads a log file, where that is not the store's own business.
    """

    def __init__(
        self,
        store: Store,
        *,
        sleep: Callable[[float], None] = time.sleep,
        get: Callable[[str], bytes | None] | None = None,
    ) -> None:
        self._store = store
        self._sleep = sleep
        self._get_file = get or store.get
        self._get_once: Callable[[str], bytes | None] = store.get
        self._looked_at: tuple[int, bytes | None] = 0, None
        self._listed = False

    def read_bytes(self, seq: int, *, keep: bool = True) -> bytes:
        """Return the exact bytes of a log file.

        Args:
            seq: number of the commit.
            keep: whether it is worth remembering, where files are.

        Raises:
            NotFoundError: there is no such commit, nor a later one.
            IntegrityError: the file is gone, though later ones are there.
        """
        data = self._get(seq, keep=keep) if seq >= FIRST_SEQ else None
        if data is not None:
            return data
        later = self._store.list_after(LOG_PREFIX, log_key(seq))
        if seq >= FIRST_SEQ and any(seq_of_key(key) for key in later):
            raise IntegrityError(
                f"commit {seq} is missing from the log, though later ones are there", hint=_VERIFY
            )
        raise NotFoundError(f"there is no commit {seq}", hint="regista log")

    def get(self, key: str) -> bytes | None:
        """Return a log file, as `Store.get`; from this machine where it keeps them."""
        return self._get_file(key)

    def read(self, seq: int, *, keep: bool = True) -> tuple[Commit, str]:
        """Return a commit and the SHA-256 of its file's exact bytes.

        Args:
            seq: number of the commit.
            keep: whether it is worth remembering, where files are.

        Raises:
            NotFoundError: there is no such commit, nor a later one.
            IntegrityError: the file is gone, is not a whole commit, or holds another's number.
            NewerFormatError: a newer Regista wrote it.
        """
        data = self.read_bytes(seq, keep=keep)
        try:
            commit = parse(data)
        except IntegrityError as error:
            raise IntegrityError(f"commit {seq}: {error.message}", hint=_VERIFY) from error
        if commit.seq != seq:
            raise IntegrityError(f"commit {seq}: the file holds commit {commit.seq}", hint=_VERIFY)
        return commit, sha256_hex(data)

    def digest(self, seq: int) -> str | None:
        """Return the SHA-256 of a log file's exact bytes; None when there is no such file."""
        data = self._get(seq)
        self._looked_at = seq, data
        return None if data is None else sha256_hex(data)

    def head(self, after: int = 0) -> int:
        """Return the largest number that a log file has; 0 when there is none.

        The files after `after`, a number known to exist, are listed rather than looked up one
        by one, so that a gap is not taken for the end. Where a listing costs more than a look,
        once is enough: none appears while others write.
        """
        if after and self._listed and self._is_last(after):
            return after
        start = after or self._near_head()
        last = 0
        # with `start` itself, so that one listing also tells whether that is still there
        for key in self._store.list_after(LOG_PREFIX, log_key(max(start - 1, 0))):
            last = max(last, seq_of_key(key) or 0)
        self._listed = True
        return self.head() if after and last < after else last

    def append(self, commit_bytes: bytes, seq: int) -> "Creation":
        """Try to write a commit under this number, durably; see `regista.storage.creating`.

        Raises:
            StorageError: the store refused every attempt, and the file is not there.
        """
        from regista.storage.creating import create

        before, key = log_key(seq - 1), log_key(seq)
        if seq > FIRST_SEQ and _folder(before) != _folder(key):
            # syncing our folder would not keep the commit that this one stands on
            self._store.settle(before)
        return create(self._store, key, commit_bytes, self._sleep)

    def settle(self, seq: int) -> None:
        """Make a commit that is there survive a power cut, whoever wrote it.

        Raises:
            StorageError: it may not.
        """
        self._store.settle(log_key(seq))

    def iterate(self, first: int, last: int, *, parent: str = "") -> Iterator[tuple[Commit, str]]:
        """Yield commits `first` to `last` with their digests, checking the chain of parents.

        Args:
            first: number of the first commit to yield.
            last: number of the last one, included.
            parent: digest of the commit before `first`, where the caller knows it; else its
                file is read.

        Raises:
            NotFoundError, IntegrityError, NewerFormatError: as `read`, for the commit that the
                message names; also when a commit does not follow the one before it.
        """
        if first > FIRST_SEQ and not parent and first <= last:
            parent = sha256_hex(self.read_bytes(first - 1))
        few = last - first < _KEPT_AT_ONCE
        log = self if few else self.over(first, last)
        for seq in range(first, last + 1):
            commit, digest = log.read(seq, keep=few)
            expected = commit.registry if seq == FIRST_SEQ else parent
            if commit.parent != expected:
                raise IntegrityError(
                    f"commit {seq} does not follow the commit before it: its parent is"
                    f" {commit.parent[:12]}, not {expected[:12]}",
                    hint=_VERIFY,
                )
            yield commit, digest
            parent = digest

    def over(self, first: int, last: int) -> "Log":
        """Return this log for reading some commits once each, in any order.

        Where they are many and questions to the store take time, it asks fewer of them, with one
        bundle of log files in memory. A commit may then come from a bundle, and be checked by
        its neighbours as any other.

        Args:
            first: number of the first commit to read.
            last: number of the last one, which is there.
        """
        from regista.storage.several import is_dear

        if last - first < _MANY or not is_dear(self._store):
            return self
        from regista.storage.bundles import BundleReader

        log = Log(self._store, sleep=self._sleep, get=BundleReader(self._store, last).get)
        log._get_once = log._get_file
        return log

    def _get(self, seq: int, *, keep: bool = True) -> bytes | None:
        # a file whose digest was just asked for is often read next
        looked_at, self._looked_at = self._looked_at, (0, None)
        if looked_at[0] == seq:
            return looked_at[1]
        return (self._get_file if keep else self._get_once)(log_key(seq))

    def _is_last(self, seq: int) -> bool:
        """Say whether a look at two files, where it is cheap, shows that this is the last one."""
        from regista.storage.several import is_dear

        return not is_dear(self._store) and self._exists(seq) and not self._exists(seq + 1)

    def _exists(self, seq: int) -> bool:
        return self._store.size(log_key(seq)) is not None

    def _near_head(self) -> int:
        """Return an existing number shortly before the head by doubling, then halving."""
        if not self._exists(FIRST_SEQ):
            return 0
        low, high = FIRST_SEQ, 2 * FIRST_SEQ
        while self._exists(high):
            low, high = high, 2 * high
        while high - low > _LISTED_AT_ONCE:
            middle = (low + high) // 2
            if self._exists(middle):
                low = middle
            else:
                high = middle
        return low


def _folder(key: str) -> str:
    return key.rpartition("/")[0]
