"""A site in memory: every file that a build makes, by its path."""

import json
from pathlib import Path
from typing import Any

from regista.model.canonical import sha256_hex
from regista.read.opening import open_replica
from regista.registry.reads import Reads
from regista.site.building import build
from regista.site.options import SiteOptions
from regista.site.output.sinks import Put, Sink
from regista.site.planning import plan

API = "api/v1/"
Files = dict[str, bytes]


class MemoryHand:
    """Keeps files in a dictionary."""

    def __init__(self) -> None:
        self.files: Files = {}

    def put(self, path: str, content: bytes | Path) -> Put:
        data = content if isinstance(content, bytes) else content.read_bytes()
        self.files[path] = data
        return Put(path, len(data), sha256_hex(data), is_new=True)


class MemorySink(Sink):
    """Keeps the files of a build; no file may be written twice, whatever its case."""

    def __init__(self) -> None:
        self.hand: MemoryHand = MemoryHand()
        self._folded: set[str] = set()

    def keep(self, group: str, fingerprint: str) -> bool:  # noqa: ARG002 - the protocol's
        return False

    def took(self, group: str, put: Put) -> None:  # noqa: ARG002 - the protocol's
        assert put.path.casefold() not in self._folded, put.path
        self._folded.add(put.path.casefold())


def site_of(uri: str, options: SiteOptions | None = None) -> Files:
    """Build the site of a registry."""
    sink = MemorySink()
    build(plan(Reads(open_replica(uri)), options or SiteOptions()), sink)
    return sink.hand.files


def target_of(path: str, address: str) -> str:
    """Return the path of the file that a relative address in another file means."""
    parts = path.split("/")[:-1]
    for part in address.partition("#")[0].split("/"):
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def documents(files: Files) -> dict[str, Any]:
    """Return the documents of the JSON API, without its schemas, by path within the API."""
    return {
        path.removeprefix(API): json.loads(data)
        for path, data in files.items()
        if path.startswith(API) and not path.startswith(f"{API}schemas/")
    }


def schemas(files: Files) -> dict[str, Any]:
    """Return the schemas of the JSON API by path within the API."""
    return {
        path.removeprefix(API): json.loads(data)
        for path, data in files.items()
        if path.startswith(f"{API}schemas/")
    }
