"""The drill's hands: fetch a version's artifacts, check them, run the smoke command, time it."""

import os
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from regista.errors import IntegrityError, InvalidInputError, StorageError
from regista.model.manifest import Manifest, parse
from regista.storage.blobs import get_blob
from regista.storage.fetching import fetch
from regista.storage.store import Store

SMOKE_TIMEOUT_S = 600
OUTPUT_KEPT = 400


def drill(store: Store, digest: str, smoke: str) -> dict[str, Any]:
    """Rehearse the restoring of a version; return what is recorded of it.

    Args:
        store: where the artifacts lie.
        digest: the version's manifest digest.
        smoke: shell command to run in the folder with the artifacts; '' for none.

    Returns:
        {"ok", "duration_s" (decimal text), "files", "bytes", "detail"}.
    """
    started = time.monotonic()
    files, size, detail = 0, 0, ""
    try:
        data = get_blob(store, digest)
        if data is None:
            detail = "it has no artifacts in the registry" if not smoke else "nothing to fetch"
        else:
            manifest = parse(data)
            files, size = len(manifest.files), sum(item.size for item in manifest.files)
            detail = _rehearse(store, manifest, smoke)
    except (IntegrityError, StorageError, InvalidInputError) as error:
        detail = error.message
    duration = time.monotonic() - started
    return {
        "ok": not detail,
        "duration_s": f"{duration:.3f}",
        "files": files,
        "bytes": size,
        "detail": detail,
    }


def _rehearse(store: Store, manifest: Manifest, smoke: str) -> str:
    with TemporaryDirectory(prefix="regista-drill-") as folder:
        target = Path(folder) / "artifacts"
        fetch(store, manifest, target)
        return _smoke(smoke, target) if smoke else ""


def _smoke(command: str, folder: Path) -> str:
    """Run the smoke command; return what went wrong, '' if nothing."""
    environment = {**os.environ, "REGISTA_ARTIFACTS": str(folder)}
    try:
        done = subprocess.run(  # noqa: S602 - the user's own command line, as in a Makefile
            command,
            shell=True,
            cwd=folder,
            env=environment,
            timeout=SMOKE_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the smoke command ran longer than {SMOKE_TIMEOUT_S} s"
    if done.returncode == 0:
        return ""
    output = done.stdout.decode("utf-8", "replace")[-OUTPUT_KEPT:]
    printable = "".join(char if char.isprintable() or char in "\n\t" else "?" for char in output)
    return f"the smoke command exited with {done.returncode}: {printable.strip()}"
