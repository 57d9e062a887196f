"""Whole registries on the move: `mirror`, backups in one file, and restoring them."""

import os
from os import PathLike
from typing import TYPE_CHECKING

from regista.read.opening import open_replica, replica_of
from regista.storage.opening import open_store

if TYPE_CHECKING:
    from regista.storage.parallel import Progress
    from regista.transfer.exporting import Exported
    from regista.transfer.mirroring import Mirrored


def mirror(source: str, destination: str, *, progress: "Progress | None" = None) -> "Mirrored":
    """Copy to an empty place, or an earlier mirror, what it has not yet of a registry.

    Every commit and file is checked on the way. Others may write to the source meanwhile; the
    destination is a readable registry at every moment, and a mirror that was killed goes on.

    Args:
        source: URI of the registry.
        destination: URI of the mirror.
        progress: told of commits.

    Raises:
        NotFoundError: there is no registry, or it is empty.
        InvalidInputError: the destination is another registry.
        IntegrityError: the destination has commits that the source has not, or a file of the
            source is damaged or missing.
    """
    from regista.transfer.mirroring import mirror as run

    # what is brought is what lies there, and nothing that this machine remembers of it
    return run(replica_of(open_store(source)), open_store(destination), progress)


def export_full(
    source: str, path: str | PathLike[str], *, progress: "Progress | None" = None
) -> "Exported":
    """Write a whole registry to one tar file, the same bytes for the same commits.

    Args:
        source: URI of the registry.
        path: a new file, a folder that exists, or `-` for standard output.
        progress: told of files.

    Raises:
        NotFoundError: there is no registry, or it is empty.
        InvalidInputError: the file exists, or its folder does not.
        IntegrityError: a file of the registry is missing or damaged; nothing was written then.
    """
    from regista.transfer.backupfiles import write_backup

    return write_backup(open_replica(source), os.fspath(path), progress)


def import_full(
    path: str | PathLike[str],
    destination: str,
    *,
    checking: "Progress | None" = None,
    progress: "Progress | None" = None,
) -> "Mirrored":
    """Make a registry from a backup: the same id, the same commits.

    The backup is checked from end to end before anything is written. A restore that was killed
    goes on, and a registry that is at an earlier commit of the same log is brought forward.

    Args:
        path: a file that `export_full` wrote, or `-` for standard input.
        destination: URI of an empty place.
        checking: told of bytes checked.
        progress: told of commits.

    Raises:
        InvalidInputError: it is no backup, or the destination is another registry.
        IntegrityError: it is damaged, or the destination has commits that it has not.
    """
    from regista.transfer.backupfiles import open_backup
    from regista.transfer.mirroring import mirror as run

    with open_backup(os.fspath(path), checking) as archive:
        return run(replica_of(archive), open_store(destination), progress)
