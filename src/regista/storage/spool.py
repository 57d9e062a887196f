"""A folder of this process's own for files that it lends, removed when the process ends."""

import os
import threading
from pathlib import Path

from regista.storage.temporary import remove_tree

_guard = threading.Lock()
_folder: Path | None = None
_owner = 0


def spool_folder() -> Path:
    """Return the folder, made on first use among the system's temporary files."""
    global _folder, _owner
    with _guard:
        if _folder is None or _owner != os.getpid():
            import atexit
            import tempfile

            _folder, _owner = Path(tempfile.mkdtemp(prefix="regista-")), os.getpid()
            atexit.register(_remove_if_owner, _folder, _owner)
        return _folder


def _remove_if_owner(folder: Path, process: int) -> None:
    # a forked child inherits the exit handler, but the folder is its parent's
    if os.getpid() == process:
        remove_tree(folder)
