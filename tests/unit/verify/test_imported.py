"""Bulk versions: what an import brought is checked as what was registered is."""

from pathlib import Path
from typing import Any

import pytest

from regista.model.canonical import sha256_hex
from regista.registry.core import Registry
from regista.storage.blobs import blob_key
from regista.verify.problems import ProblemKind
from regista.write import import_artifacts
from support.import_folders import Rows, write_folder
from support.registries import artifact, new_registry

CARD = "# Card\n" + "x" * 2000
VERSIONS: Rows = [
    {"entry": "m", "version": 1},
    {"entry": "m", "version": 2, "uri": "s3://bucket/m/2", "bytes": 7, "card": CARD},
    {"entry": "m", "version": 3, "digest": "ab" * 32},
]


def imported(folder: Path) -> Registry:
    registry = new_registry()
    artifact(registry.replica.store, "content")
    data = b"content"
    files = [
        {"entry": "m", "version": 1, "path": f"{name}.bin", "size": 7, "sha256": sha256_hex(data)}
        for name in "ab"
    ]
    entries: Rows = [{"entry": "m", "kind": "model", "description": "long " * 300}]
    given = {"entries": entries, "versions": VERSIONS, "files": files}
    registry.import_bulk(write_folder(folder, given))
    return registry


def problems(registry: Registry) -> list[tuple[int, str, str]]:
    found = registry.verify().problems
    return [(problem.seq, problem.kind, problem.detail) for problem in found]


def test_what_an_import_brought_is_right(tmp_path: Path) -> None:
    assert problems(imported(tmp_path)) == []


@pytest.mark.parametrize(
    ("lie", "detail"),
    [
        ("files = 3", "m@1: it says that it has 3 files, and has 2"),
        ("files = 0", "m@1: it says that it has 0 files, and has 2"),
        ("bytes = 13", "m@1: it says that it has 13 bytes, and has 14"),
        (f"manifest = '{'cd' * 32}'", "m@1: its files do not make up its digest"),
    ],
)
def test_a_version_that_is_not_what_its_files_are_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: str, detail: str
) -> None:
    settle = import_artifacts.settle_manifests

    def lying(store: Any, con: Any, folder: Path) -> None:
        settle(store, con, folder)
        con.execute(f"UPDATE manifests SET {lie}")

    monkeypatch.setattr(import_artifacts, "settle_manifests", lying)
    assert (2, ProblemKind.MANIFEST, detail) in problems(imported(tmp_path))


def test_files_that_a_version_says_it_has_and_has_not_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = import_artifacts.settle_manifests

    def lying(store: Any, con: Any, folder: Path) -> None:
        settle(store, con, folder)
        con.execute(f"INSERT INTO manifests VALUES ('m', 2, '{'cd' * 32}', 1, 7)")

    monkeypatch.setattr(import_artifacts, "settle_manifests", lying)
    what = "m@2: it says that it has 1 files, and has 0"
    assert (2, ProblemKind.MANIFEST, what) in problems(imported(tmp_path))


def blobs_of(registry: Registry) -> dict[str, str]:
    state = registry.replica.refresh()
    entry = state.entry("m")
    return {
        "manifest": state.version(entry, 1).digest,
        "card": state.version(entry, 2).card_digest,
        "description": entry.description_digest,
    }


@pytest.mark.parametrize("what", ["manifest", "card", "description"])
@pytest.mark.parametrize("damage", ["is missing", "was changed"])
def test_a_damaged_manifest_or_text_of_an_import_is_found(
    tmp_path: Path, what: str, damage: str
) -> None:
    registry = imported(tmp_path)
    digest, store = blobs_of(registry)[what], registry.replica.store
    data = store.get(blob_key(digest)) or b""
    if damage == "is missing":
        store.delete(blob_key(digest))
    else:
        store.put(blob_key(digest), data[:-1] + b"?")
    assert problems(registry) == [(2, ProblemKind.BLOB, f"blob {digest[:12]} {damage}")]


def test_a_purged_version_of_an_import_needs_no_blobs(tmp_path: Path) -> None:
    registry = imported(tmp_path)
    digest = blobs_of(registry)["manifest"]
    registry.delete("m@1", purge=True)
    registry.gc()
    assert registry.replica.store.get(blob_key(digest)) is None
    assert problems(registry) == []
