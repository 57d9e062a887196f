"""Content-addressed bytes over any Store, and whether a version's are all there.

Invariants: a blob's key is its SHA-256; a file with its right size is never written again, and
one with a wrong size is replaced by the right bytes. What is read whole is checked against its
digest. Files come and go through `regista.storage.artifacts` and `regista.storage.fetching`.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from regista.errors import IntegrityError
from regista.model import manifest as manifests
from regista.model.canonical import sha256_hex
from regista.model.manifest import Manifest
from regista.storage.several import is_dear
from regista.storage.store import Store, digest_key

BLOB_PREFIX = "blobs/sha256/"
_VERIFY_DEEP = "regista verify --deep"
_RANGE_BYTES = 4 << 20


class BlobState(Enum):
    """What a look at a blob found."""

    PRESENT = "present"
    MISSING = "missing"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True)
class BlobCheck:
    """What a look at all blobs of one version found.

    Attributes:
        missing: paths whose blob is not there; `sha256:DIGEST` for the manifest itself.
        corrupt: paths whose blob has another size or content; the manifest as above.
        files: number of files that the manifest names; 0 when it cannot be read.
        bytes: their size in all.
    """

    missing: tuple[str, ...]
    corrupt: tuple[str, ...]
    files: int
    bytes: int

    @property
    def ok(self) -> bool:
        """Whether nothing is missing and nothing corrupt."""
        return not self.missing and not self.corrupt


def blob_key(sha256: str) -> str:
    """Return the key of the blob with this digest."""
    return digest_key(BLOB_PREFIX, sha256)


def put_blob_bytes(store: Store, data: bytes) -> str:
    """Store bytes durably; return their digest.

    Where questions take time they are written without asking whether they are there. That costs
    no more, and makes the blob young: where there are no locks, `gc` may be about to remove it.
    """
    digest = sha256_hex(data)
    key = blob_key(digest)
    if not is_dear(store) and store.size(key) == len(data):
        store.settle(key)
    else:
        store.put(key, data)
    return digest


def put_blob_file(store: Store, path: Path) -> str:
    """Store a file's bytes once, durably; return their digest."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    key = blob_key(digest)
    if store.size(key) == path.stat().st_size:
        store.settle(key)
    else:
        store.put(key, path)
    return digest


def get_blob(store: Store, digest: str) -> bytes | None:
    """Return a blob's bytes, or None when it is not there.

    Raises:
        IntegrityError: the bytes are not what the digest says.
    """
    data = store.get(blob_key(digest))
    if data is not None and sha256_hex(data) != digest:
        raise IntegrityError(f"blob {digest} is corrupt", hint=_VERIFY_DEEP)
    return data


def kept_blob(store: Store, digest: str) -> bytes | None:
    """Return a blob's bytes as `get_blob`, from the copy on this machine where there is one.

    For what is asked for again and again and never changes, such as the policy in force.

    Raises:
        IntegrityError: the bytes are not what the digest says.
    """
    for fresh in (False, True):
        path = store.local_path(blob_key(digest), fresh=fresh)
        data = path.read_bytes() if path else None
        if data is None or sha256_hex(data) == digest:
            return data
    raise IntegrityError(f"blob {digest} is corrupt", hint=_VERIFY_DEEP)


def get_manifest(store: Store, digest: str) -> Manifest:
    """Return the manifest of the version with this digest.

    Raises:
        IntegrityError: it is not there, or is corrupt.
        NewerFormatError: a newer Regista wrote it.
    """
    data = get_blob(store, digest)
    if data is None:
        raise IntegrityError(f"manifest {digest} is missing", hint=_VERIFY_DEEP)
    return manifests.parse(data)


def check(store: Store, manifest_digest: str, *, deep: bool) -> BlobCheck:
    """Look whether a version's manifest and files are there.

    Args:
        store: where the blobs are.
        manifest_digest: the version's digest.
        deep: read every file again and compare its digest, instead of its size only.

    Raises:
        NewerFormatError: a newer Regista wrote the manifest.
    """
    itself = (f"sha256:{manifest_digest}",)
    try:
        data = get_blob(store, manifest_digest)
        if data is None:
            return BlobCheck(missing=itself, corrupt=(), files=0, bytes=0)
        manifest = manifests.parse(data)
    except IntegrityError:
        return BlobCheck(missing=(), corrupt=itself, files=0, bytes=0)
    states = blob_states(store, {file.sha256: file.size for file in manifest.files}, deep=deep)

    def paths(state: BlobState) -> tuple[str, ...]:
        return tuple(file.path for file in manifest.files if states[file.sha256] is state)

    return BlobCheck(
        missing=paths(BlobState.MISSING),
        corrupt=paths(BlobState.CORRUPT),
        files=len(manifest.files),
        bytes=manifest.size,
    )


def blob_states(store: Store, sizes: Mapping[str, int], *, deep: bool) -> dict[str, BlobState]:
    """Look at many blobs, each once.

    Args:
        store: where the blobs are.
        sizes: the size in bytes that each digest must have.
        deep: also read them again, several at a time.
    """
    states = {digest: _state_by_size(store, digest, size) for digest, size in sizes.items()}
    if deep:
        # the largest first, so that no thread is left with it at the end
        present = sorted(
            (digest for digest in sizes if states[digest] is BlobState.PRESENT),
            key=lambda digest: -sizes[digest],
        )
        states.update(_states_by_content(store, present))
    return states


def stored_digest(
    store: Store, key: str, advance: Callable[[int], None] | None = None
) -> str | None:
    """Return the SHA-256 of the bytes that the store itself holds, whatever is cached.

    None when the key does not exist. `advance` is told of each number of bytes read.
    """
    hasher, start = hashlib.sha256(), 0
    while part := store.get_range(key, start, _RANGE_BYTES):
        hasher.update(part)
        start += len(part)
        if advance:
            advance(len(part))
    return None if part is None else hasher.hexdigest()


def _state_by_size(store: Store, digest: str, size: int) -> BlobState:
    found = store.size(blob_key(digest))
    if found is None:
        return BlobState.MISSING
    return BlobState.PRESENT if found == size else BlobState.CORRUPT


def _states_by_content(store: Store, digests: list[str]) -> dict[str, BlobState]:
    from regista.storage.parallel import Meter, run_all

    meter = Meter(None, 0)

    def look(digest: str) -> BlobState:
        found = stored_digest(store, blob_key(digest), meter.advance)
        if found is None:
            return BlobState.MISSING
        return BlobState.PRESENT if found == digest else BlobState.CORRUPT

    return dict(zip(digests, run_all(look, digests, meter), strict=True))
