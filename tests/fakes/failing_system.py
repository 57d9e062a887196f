"""System calls that fail on order, and what is left on the disk afterwards."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn


def failing(code: int) -> Callable[..., NoReturn]:
    """Return a stand-in for any system call, which fails with this error number."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    return fail


def files_below(root: Path) -> list[str]:
    """Return the paths of all files below a folder, unfinished ones too."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
