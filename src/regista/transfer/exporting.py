"""Writing a whole registry as one file, in one pass, the same bytes for the same commits.

The file begins with `regista-backup.json` and `registry.json`; then come blobs, data files and
commits in the order of their keys, and last `SHA256SUMS` with a line for each member before it,
as `sha256sum` writes them. Tables, checkpoints and bundles are left out: they follow from the log.
Members are described in `regista.transfer.members`, reading in `regista.transfer.archive`.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from regista.errors import IntegrityError, NotFoundError
from regista.model import canonical
from regista.model.canonical import sha256_hex
from regista.model.commit import log_key
from regista.model.names import shown
from regista.read.opening import REGISTRY_KEY, require_own_id
from regista.read.replica import Replica
from regista.storage.parallel import Progress
from regista.transfer.members import END, header, padding
from regista.write.reaching import digest_of, reachable

HEADER_KEY = "regista-backup.json"
SUMS_KEY = "SHA256SUMS"
FORMAT = 1
_PART_BYTES = 4 << 20
_SUMS_IN_MEMORY = 8 << 20

Write = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Exported:
    """Result of `export --full`.

    Attributes:
        registry: id of the registry.
        seq: number of the last commit in it.
        commit: sha256 of that commit's log file.
        files: members, the two headers and the sums among them.
        bytes: size of the backup.
        path: where it was written to; `-` for standard output.
    """

    registry: str
    seq: int
    commit: str
    files: int
    bytes: int
    path: str = "-"

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return asdict(self)


def export(
    replica: Replica, write: Write, *, progress: Progress | None = None, seq: int | None = None
) -> Exported:
    """Write a backup.

    Args:
        replica: the registry; others may write to it meanwhile.
        write: takes the bytes, in order.
        progress: told of members.
        seq: the last commit to take; the newest by default.

    Raises:
        NotFoundError: the registry is empty.
        IntegrityError, StorageError: a file is missing or damaged. What was written is no backup
            then.
    """
    head = replica.log.head() if seq is None else seq
    if not head:
        raise NotFoundError(f"the registry at {shown(replica.store.uri, 200)} is empty")
    reach = reachable(replica, head)
    files = list(reach.files())
    if progress:
        progress.start(len(files) + head)
    digest = sha256_hex(replica.log.read_bytes(head))
    with tempfile.SpooledTemporaryFile(_SUMS_IN_MEMORY) as sums:
        out = _Members(write, sums.write)
        out.add(HEADER_KEY, backup_header(replica.registry_id, head, digest))
        require_own_id(replica)
        out.add(REGISTRY_KEY, replica.store.get(REGISTRY_KEY) or b"")
        for key, needed in files:
            _add_file(out, replica, key, needed=needed)
            if progress:
                progress.advance(1)
        log = replica.log.over(1, head)
        for number in range(1, head + 1):
            out.add(log_key(number), log.read_bytes(number))
            if progress:
                progress.advance(1)
        size = sums.tell()
        sums.seek(0)
        out.stream(SUMS_KEY, size, iter(lambda: sums.read(_PART_BYTES), b""))
    write(END)
    return Exported(replica.registry_id, head, digest, out.count, out.bytes + len(END))


def backup_header(registry: str, seq: int, head: str) -> bytes:
    """Return the content of the first member."""
    value = {"format": FORMAT, "registry": registry, "seq": seq, "head": head}
    return canonical.encode(value) + b"\n"


class _Members:
    """Writes members, and a line of sums for each."""

    def __init__(self, write: Write, note: Write) -> None:
        self._write = write
        self._note = note
        self.count = 0
        self.bytes = 0

    def add(self, key: str, data: bytes) -> None:
        """Write a small member."""
        self.stream(key, len(data), iter([data]))

    def stream(self, key: str, size: int, parts: Iterator[bytes]) -> str:
        """Write a member in parts; return its digest.

        Raises:
            IntegrityError: the parts are not as long as announced.
        """
        hasher, done = hashlib.sha256(), 0
        self._put(header(key, size))
        for part in parts:
            hasher.update(part)
            done += len(part)
            self._put(part)
        if done != size:
            raise IntegrityError(f"{key} changed while it was read", hint="regista verify --deep")
        self._put(padding(size))
        self._note(f"{hasher.hexdigest()}  {key}\n".encode())
        self.count += 1
        return hasher.hexdigest()

    def _put(self, data: bytes) -> None:
        self._write(data)
        self.bytes += len(data)


def _add_file(out: _Members, replica: Replica, key: str, *, needed: bool) -> None:
    size = replica.store.size(key)
    if size is None and needed:
        raise IntegrityError(
            f"{key} is missing",
            hint="regista verify; if it was purged just now, run this again",
        )
    if size is None:
        return
    wanted = digest_of(key) or b""
    if out.stream(key, size, _parts(replica, key)) != wanted.hex():
        raise IntegrityError(f"{key} is not what its digest says", hint="regista verify --deep")


def _parts(replica: Replica, key: str) -> Iterator[bytes]:
    start = 0
    while part := replica.store.get_range(key, start, _PART_BYTES):
        yield part
        start += len(part)
