"""Tampering with log files as files: whatever is changed, `verify` finds, names, and goes on."""

import re
from collections.abc import Callable

import pytest

from regista.model.canonical import sha256_hex
from regista.model.commit import log_key
from regista.read.opening import REGISTRY_KEY
from regista.read.replica import Replica
from regista.storage.blobs import blob_key
from regista.verify.problems import ProblemKind
from regista.verify.run import verify
from support.registries import REGISTRY_ID
from support.tampering import Scene, as_file, flip, found, seq_of, truncate

BAD_FILES: dict[str, Callable[[bytes], bytes]] = {
    "flipped": flip,
    "truncated": truncate,
    "without its newline": lambda data: data[:-1],
    "emptied": lambda _data: b"",
    "a key twice": lambda data: data.replace(b'"seq":', b'"seq":1,"seq":', 1),
    "spaced out": lambda data: data.replace(b'"seq":', b'"seq": ', 1),
    "another escape": lambda data: data.replace(b'"txid"', b'"t\\u0078id"', 1),
    "half a character": lambda data: data.replace(b'"txid":"', b'"txid":"\\ud800', 1),
    "a float": lambda data: re.sub(rb'"seq":(\d+)', rb'"seq":\1.0', data, count=1),
    "not UTF-8": lambda data: data.replace(b'"txid":"', b'"txid":"\xff', 1),
    "a newer format": lambda data: data.replace(b'"format":1', b'"format":2', 1),
    "a line more": lambda data: data + b"signature\n",
    "a list": lambda data: b"[" + data[:-1] + b"]\n",
    "nested": lambda _data: b"[" * 100_000 + b"\n",
}


@pytest.mark.parametrize("damage", BAD_FILES)
@pytest.mark.parametrize("which", [12, -1], ids=["middle", "last"])
def test_a_damaged_log_file_is_found_and_so_is_a_missing_text_of_another_commit(
    scene: Scene, damage: str, which: int
) -> None:
    seq = which if which > 0 else scene.head
    scene.change(log_key(seq), BAD_FILES[damage])
    described = seq_of(scene, "describe", name="m")
    scene.store.delete(blob_key(scene.commit(described)["rows"][0]["description_digest"]))
    result = scene.verify()
    file_kinds = {ProblemKind.COMMIT, ProblemKind.CANONICAL, ProblemKind.PARENT, ProblemKind.TABLE}
    assert found(result, seq, *file_kinds) or found(result, seq + 1, ProblemKind.PARENT)
    assert found(result, described, ProblemKind.BLOB)


@pytest.mark.parametrize("damage", ["truncated", "emptied"])
def test_a_damaged_first_commit_is_found(scene: Scene, damage: str) -> None:
    scene.change(log_key(1), BAD_FILES[damage])
    result = scene.verify()
    assert found(result, 1, ProblemKind.COMMIT)
    assert found(result, 2, ProblemKind.REPLAY)


@pytest.mark.parametrize("which", [1, 20, 40, -1])
def test_a_dropped_commit_is_found(scene: Scene, which: int) -> None:
    seq = which if which > 0 else scene.head
    scene.store.delete(log_key(seq))
    result = scene.verify()
    kind = ProblemKind.GAP if which > 0 else ProblemKind.TABLE
    assert found(result, seq, kind)


def test_several_dropped_commits_are_found_each(scene: Scene) -> None:
    for seq in (5, 6, 30):
        scene.store.delete(log_key(seq))
    result = scene.verify()
    gaps = [(item.seq, item.detail) for item in result.problems if item.kind == ProblemKind.GAP]
    assert gaps == [
        (5, "missing from the log: commit 5 to 6"),
        (30, "missing from the log: commit 30"),
    ]


def test_an_emptied_log_is_found(scene: Scene) -> None:
    for key in scene.keys("log/"):
        scene.store.delete(key)
    result = scene.verify()
    assert (result.ok, result.commits) == (False, 0)


@pytest.mark.parametrize(("one", "other"), [(4, 5), (10, 30), (1, 2)])
def test_two_swapped_commits_are_found_both(scene: Scene, one: int, other: int) -> None:
    files = scene.files
    scene.store.put(log_key(one), files[log_key(other)])
    scene.store.put(log_key(other), files[log_key(one)])
    result = scene.verify()
    for seq in (one, other):
        assert found(result, seq, ProblemKind.COMMIT)


def test_a_commit_put_twice_is_found(scene: Scene) -> None:
    scene.store.put(log_key(scene.head + 1), scene.files[log_key(scene.head)])
    assert found(scene.verify(), scene.head + 1, ProblemKind.COMMIT)


def test_a_commit_beyond_a_gap_is_found(scene: Scene) -> None:
    value = {**scene.commit(scene.head), "seq": scene.head + 5}
    scene.store.put(log_key(scene.head + 5), as_file(value))
    assert found(scene.verify(), scene.head + 1, ProblemKind.GAP)


def test_a_forged_commit_at_the_end_is_found(scene: Scene) -> None:
    head, log = scene.head, scene.files
    forged = next(
        value
        for seq in range(head, 0, -1)
        if (value := scene.commit(seq))["ops"][0]["op"] == "promote"
    )
    forged = {**forged, "seq": head + 1, "parent": sha256_hex(log[log_key(head)])}
    forged["time"] = forged["clock"] = scene.commit(head)["time"]
    scene.store.put(log_key(head + 1), as_file(forged))
    assert found(scene.verify(), head + 1, ProblemKind.DECISION)


@pytest.mark.parametrize(
    "key",
    [
        "log/000000/000000000005.json.bak",
        "log/000001/000000000005.json",
        "log/5.json",
        "tables/versions/extra.parquet",
        "tables/versions/000000000002-000000000003.parquet",
        "tables/unheard_of/000000000001-000000000001.parquet",
    ],
)
def test_a_file_that_has_no_place_is_found(scene: Scene, key: str) -> None:
    scene.store.put(key, scene.files[log_key(5)])
    result = scene.verify()
    assert [(item.kind, key in item.detail) for item in result.problems] == [
        (ProblemKind.STRAY, True)
    ]


def test_a_file_of_an_older_folder_of_the_log_is_no_commit_of_a_newer_one(scene: Scene) -> None:
    scene.store.put("log/000001/000000001000.json", scene.files[log_key(5)])
    assert found(scene.verify(), scene.head + 1, ProblemKind.GAP)


def test_another_registrys_id_is_found_in_every_commit(scene: Scene) -> None:
    scene.change(REGISTRY_KEY, lambda data: data.replace(REGISTRY_ID.encode(), b"f" * 32))
    result = verify(Replica(scene.store, "f" * 32))
    named = {item.seq for item in result.problems if item.kind == ProblemKind.REGISTRY}
    assert named == set(range(1, scene.head + 1))
