"""Members of a backup: a tar file of one exact form, so that nothing else can hide in it.

Every member is a plain file with rights 0644, owner 0 and time 0, its name a key of the registry,
in the GNU format (which any `tar` reads; sizes beyond 8 GiB are in base 256). A header that is
not byte for byte what `header` makes of its name and size is refused: links, devices, sparse
files, long names, absolute paths and extended headers cannot be told in this form.
"""

from regista.errors import IntegrityError
from regista.storage.store import is_key

BLOCK_BYTES = 512
END = bytes(2 * BLOCK_BYTES)
_NAME_BYTES = 100


def header(key: str, size: int) -> bytes:
    """Return the header of a member.

    Raises:
        ValueError: the key does not fit.
    """
    import tarfile

    info = tarfile.TarInfo(key)
    info.size, info.mode = size, 0o644
    block = info.tobuf(tarfile.GNU_FORMAT, "ascii", "strict")
    if len(block) != BLOCK_BYTES:
        raise ValueError(f"{key!r} is too long for a member's name")
    return block


def padding(size: int) -> bytes:
    """Return the zeros that fill a member's last block."""
    return bytes(-size % BLOCK_BYTES)


def parse_header(block: bytes) -> tuple[str, int]:
    """Return key and size of a member; the inverse of `header`.

    Raises:
        IntegrityError: it is not the header of a plain file as `header` makes it.
    """
    import tarfile

    name = block[:_NAME_BYTES].rstrip(b"\0").decode("ascii", "replace")
    try:
        size = tarfile.TarInfo.frombuf(block, "ascii", "strict").size
        known = is_key(name) and size >= 0 and header(name, size) == block
    except (tarfile.HeaderError, ValueError, OverflowError):
        known = False
    if not known:
        raise IntegrityError(
            f"it has a member that no export writes, {name[:80]!r}", hint="use another backup"
        )
    return name, size
