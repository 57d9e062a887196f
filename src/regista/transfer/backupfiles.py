"""Where backups lie: a file of the user's, a folder for many, or standard input and output."""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from regista.errors import InvalidInputError
from regista.read.replica import Replica
from regista.storage import durable
from regista.storage.oserrors import one_line, storage_error
from regista.storage.parallel import Progress
from regista.storage.temporary import claimed_folder
from regista.transfer.archive import Archive
from regista.transfer.exporting import Exported, export

STANDARD = "-"


def write_backup(replica: Replica, path: str, progress: Progress | None = None) -> Exported:
    """Write a backup where the user says; see `regista.transfer.exporting`.

    A file appears at once and whole. In a folder it is called `regista-ID-SEQ.tar`.

    Args:
        replica: the registry.
        path: a new file, a folder that exists, or `-` for standard output.
        progress: told of members.

    Raises:
        InvalidInputError: the file exists, or its folder does not.
        StorageError: it cannot be written.
    """
    if path == STANDARD:
        done = export(replica, sys.stdout.buffer.write, progress=progress)
        sys.stdout.buffer.flush()
        return done
    head = replica.log.head()
    target = Path(path)
    if target.is_dir():
        # its name says what is in it, so one that is there is only made again
        target /= f"regista-{replica.registry_id[:12]}-{head}.tar"
    elif os.path.lexists(target):
        raise InvalidInputError(f"{one_line(path)} exists", hint="name a new file, or a folder")
    folder = target.absolute().parent
    if not folder.is_dir():
        raise InvalidInputError(f"there is no folder {one_line(folder)}", hint="make it first")
    try:
        with claimed_folder(folder, "export") as own, durable.new_file(own) as (handle, temporary):
            with os.fdopen(os.dup(handle), "wb") as file:
                done = export(replica, file.write, progress=progress, seq=head)
                file.flush()
            os.fsync(handle)
            durable.publish(temporary, target.absolute())
    except OSError as error:
        raise storage_error(error, "write", target) from error
    return replace(done, path=str(target))


@contextmanager
def open_backup(path: str, progress: Progress | None = None) -> Iterator[Archive]:
    """Open a backup and check all of it; what comes through a pipe is put on the disk first.

    Args:
        path: a file, or `-` for standard input.
        progress: told of bytes checked.

    Raises:
        InvalidInputError: there is no such file, or it is no backup.
        IntegrityError: it is damaged.
    """
    name = "standard input" if path == STANDARD else one_line(path)
    try:
        handle = os.dup(0) if path == STANDARD else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise InvalidInputError(f"cannot read {name}: {error.strerror}") from error
    with os.fdopen(handle, "rb") as file, tempfile.TemporaryFile() as copy:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            source = file.fileno()
        else:
            try:
                shutil.copyfileobj(file, copy)
                copy.flush()
            except OSError as error:
                raise storage_error(error, "keep what comes from", name) from error
            source = copy.fileno()
        with Archive(source, name, progress) as archive:
            yield archive
