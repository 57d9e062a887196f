"""Tampering with what follows from the log, or is named by it: data, tables, checkpoints, blobs."""

from collections.abc import Callable
from typing import Any

import pytest

from regista.model.canonical import sha256_hex
from regista.model.commit import log_key
from regista.model.tables import TABLES
from regista.read.duck import connect, parquet
from regista.read.recalling import what_is_known
from regista.storage.blobs import blob_key
from regista.storage.checkpoint import load_latest
from regista.storage.checkpointer import write_checkpoint
from regista.storage.log import Log
from regista.storage.tip import TIP_KEY, Tip
from regista.verify.problems import ProblemKind
from regista.write.parquet import sorted_copy
from support.registries import reopen
from support.tampering import Scene, flip, found, truncate

CHECKPOINT_AT = 64


@pytest.mark.parametrize(
    "damage",
    [flip, truncate, lambda _data: b"", None],
    ids=["flipped", "truncated", "emptied", "missing"],
)
def test_a_damaged_or_missing_data_file_is_found(
    scene: Scene, damage: Callable[[bytes], bytes] | None
) -> None:
    for key in scene.keys("data/"):
        if damage:
            scene.change(key, damage)
        else:
            scene.store.delete(key)
    result = scene.verify(deep=True)
    seqs = {seq for seq in range(1, scene.head + 1) if scene.commit(seq)["data"]}
    for seq in seqs:
        assert found(result, seq, ProblemKind.DATA)


def rows_in(scene: Scene, key: str) -> list[Any]:
    path = scene.store.local_path(key)
    assert path is not None
    with connect() as con:
        return con.execute(f"FROM {parquet(path)} ORDER BY ALL").fetchall()


TABLE_FILES = ["versions", "eval_scores", "eval_samples", "verdicts", "commits", "tags"]


@pytest.mark.parametrize("table", TABLE_FILES)
@pytest.mark.parametrize("damage", [flip, truncate, None], ids=["flip", "truncate", "remove"])
def test_a_damaged_or_missing_table_file_is_found(
    scene: Scene, table: str, damage: Callable[[bytes], bytes] | None
) -> None:
    [key] = [key for key in scene.keys(f"tables/{table}/") if "000000000001-" in key]
    before = rows_in(scene, key)
    if damage is None:
        scene.store.delete(key)
    else:
        scene.change(key, damage)
    result = scene.verify()
    if result.ok:
        # a flipped bit may lie in what no reader looks at
        assert damage is flip
        assert rows_in(scene, key) == before
        return
    assert any(
        item.kind == ProblemKind.TABLE and (table in item.detail or "is not tabled" in item.detail)
        for item in result.problems
    )


def test_a_damaged_table_file_does_not_hide_what_is_wrong_elsewhere_in_the_table(
    scene: Scene,
) -> None:
    files = [key for key in scene.keys("tables/tags/") if "schema" not in key]
    scene.change(files[0], truncate)
    scene.store.delete(files[-1])
    result = scene.verify()
    assert found(result, 1, ProblemKind.TABLE)
    assert found(result, scene.head, ProblemKind.TABLE)


def test_rows_that_were_changed_in_a_table_are_named_by_their_commit(scene: Scene) -> None:
    [key] = [key for key in scene.keys("tables/placements/") if "000000000001-" in key]
    for change, seq in (
        (
            "SELECT * REPLACE (CASE WHEN seq = 6 THEN 9 ELSE to_version END AS to_version) FROM {}",
            6,
        ),
        ("SELECT * FROM {} WHERE seq <> 7", 7),
        ("SELECT * FROM {0} UNION ALL SELECT * REPLACE (8 AS seq) FROM {0} WHERE seq = 6", 8),
        ("SELECT * FROM {0} UNION ALL SELECT * FROM {0} WHERE seq = 6", 6),
    ):
        path = scene.store.local_path(key)
        assert path is not None
        with connect() as con, scene.store.scratch() as folder:
            target = folder / "changed.parquet"
            query = change.format(parquet(path))
            sorted_copy(con, TABLES["placements"], query, target, rows=10)
            scene.store.put(key, target.read_bytes())
        result = scene.verify()
        assert [item.seq for item in result.problems] == [seq], change
        scene.put_back()


def test_rows_of_commits_beyond_the_logs_head_are_found(scene: Scene) -> None:
    key = f"tables/tags/{scene.head + 1:012d}-{scene.head + 1:012d}.parquet"
    scene.store.put(key, scene.files[scene.keys("tables/tags/")[0]])
    assert found(scene.verify(), scene.head + 1, ProblemKind.TABLE)


def test_a_commit_that_is_not_tabled_before_one_that_is_is_found(scene: Scene) -> None:
    scene.store.delete(f"tables/commits/{65:012d}-{65:012d}.parquet")
    assert found(scene.verify(), 65, ProblemKind.TABLE)


def test_commits_at_the_end_that_are_not_tabled_are_no_problem(scene: Scene) -> None:
    for seq in (65, 66):
        for key in scene.keys("tables/"):
            if f"{seq:012d}-{seq:012d}" in key and (seq == 65 or "commits" in key):
                scene.store.delete(key)
    assert scene.verify().ok


@pytest.mark.parametrize("damage", [truncate, None, "rows"], ids=["truncate", "remove", "rows"])
def test_a_damaged_or_missing_schema_file_is_found(scene: Scene, damage: Any) -> None:
    key = "tables/versions/schema.parquet"
    if damage is None:
        scene.store.delete(key)
    elif damage == "rows":
        scene.store.put(key, scene.files[f"tables/versions/{1:012d}-{64:012d}.parquet"])
    else:
        scene.change(key, damage)
    result = scene.verify()
    assert any(key in item.detail for item in result.problems)


@pytest.mark.parametrize("part", ["manifest.json", ".run"])
@pytest.mark.parametrize("damage", [flip, truncate, None], ids=["flip", "truncate", "remove"])
def test_a_damaged_checkpoint_is_found(
    scene: Scene, part: str, damage: Callable[[bytes], bytes] | None
) -> None:
    [key] = [key for key in scene.keys("checkpoints/") if key.endswith(part)]
    if damage is None:
        scene.store.delete(key)
        if part == "manifest.json":
            # without its manifest it is no checkpoint, which every writer may leave behind
            assert scene.verify().ok
            return
    else:
        scene.change(key, damage)
    assert found(scene.verify(), CHECKPOINT_AT, ProblemKind.CHECKPOINT)


def with_checkpoint(scene: Scene, change: Callable[[dict[str, Any]], None]) -> None:
    """Write the checkpoint anew with other heads, well-formed in itself."""
    old = load_latest(scene.store, Log(scene.store))
    assert old is not None
    heads = dict(old.items())
    change(heads)
    for key in scene.keys("checkpoints/"):
        scene.store.delete(key)
    write_checkpoint(scene.store, None, old.seq, old.head, heads)


HEAD_CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "an entry's slot": lambda heads: heads["n/m"]["slots"]["prod"].update(version=2),
    "a version's status": lambda heads: heads["v/e2-0/2"].update(status="deleted"),
    "a stack": lambda heads: heads["s/e2-0/prod"].update(stack=[2, 1]),
    "the policy": lambda heads: heads["g"].update(policy="0" * 64),
    "a name": lambda heads: heads.update({"n/ghost": heads["n/m"]}),
    "a name gone": lambda heads: heads.pop("n/m"),
    "a transaction": lambda heads: heads.pop(next(key for key in heads if key[:2] == "t/")),
}


@pytest.mark.parametrize("change", HEAD_CHANGES)
def test_altered_heads_in_a_checkpoint_are_found(scene: Scene, change: str) -> None:
    with_checkpoint(scene, lambda heads: HEAD_CHANGES[change](heads) and None)
    result = scene.verify()
    assert [(item.seq, item.kind) for item in result.problems] == [
        (CHECKPOINT_AT, ProblemKind.CHECKPOINT)
    ]


def test_a_checkpoint_of_another_history_is_found(scene: Scene) -> None:
    write_checkpoint(scene.store, None, 30, "0" * 64, {"g": {}})
    write_checkpoint(scene.store, None, scene.head + 3, "0" * 64, {"g": {}})
    result = scene.verify()
    assert found(result, 30, ProblemKind.CHECKPOINT)
    assert found(result, scene.head + 3, ProblemKind.CHECKPOINT)


def put_tip(scene: Scene, change: Callable[[dict[str, Any]], Any] = lambda _said: None) -> int:
    """Write a tip as a writer of a bucket would, but for a change; return its number."""
    replica = reopen(scene.store).replica
    seq = replica.refresh().seq
    known = what_is_known(replica)
    assert known
    assert known["heads"]
    change(known)
    scene.store.put(TIP_KEY, Tip(seq, known).to_bytes())
    return seq


def test_a_right_tip_is_no_problem(scene: Scene) -> None:
    put_tip(scene)
    assert scene.verify().problems == []


TIP_CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a head": lambda said: said["heads"].update({"n/m": None}),
    "a head more": lambda said: said["heads"].update({"n/ghost": said["heads"]["n/m"]}),
    "the policy": lambda said: said["heads"].update({"g": {"policy": "0" * 64}}),
    "the registry": lambda said: said.update(registry="0" * 32),
    "the commit": lambda said: said.update(digest="0" * 64),
    "the time": lambda said: said.update(time="2020-01-01T00:00:00.000000Z"),
    "the checkpoint": lambda said: said.update(manifest=said["manifest"].replace("1", "2")),
}


@pytest.mark.parametrize("change", TIP_CHANGES)
def test_an_altered_tip_is_found(scene: Scene, change: str) -> None:
    seq = put_tip(scene, TIP_CHANGES[change])
    [problem] = scene.verify().problems
    assert (problem.seq, problem.kind) == (seq, ProblemKind.CHECKPOINT)
    assert TIP_KEY in problem.detail


def test_a_damaged_tip_and_one_beyond_the_log_are_found(scene: Scene) -> None:
    put_tip(scene)
    scene.store.put(TIP_KEY, flip(scene.store.get(TIP_KEY) or b""))
    assert found(scene.verify(), 0, ProblemKind.CHECKPOINT)
    scene.store.put(TIP_KEY, Tip(scene.head + 1, {}).to_bytes())
    assert found(scene.verify(), scene.head + 1, ProblemKind.CHECKPOINT)
    reopen(scene.store).rebuild()
    assert scene.verify().problems == []


def test_an_older_checkpoint_with_altered_heads_is_found(scene: Scene) -> None:
    digest = sha256_hex(scene.files[log_key(20)])
    write_checkpoint(scene.store, None, 20, digest, {"g": {"policy": "x"}})
    assert found(scene.verify(), 20, ProblemKind.CHECKPOINT)


@pytest.mark.parametrize("damage", [flip, truncate, None], ids=["flip", "truncate", "remove"])
def test_every_damaged_or_missing_blob_is_found_by_a_deep_look(
    scene: Scene, damage: Callable[[bytes], bytes] | None
) -> None:
    purged = {row["sha256"] for row in scene.commit(29)["rows"] if row["table"] == "files"}
    blobs = [key for key in scene.keys("blobs/") if key.rpartition("/")[2] not in purged]
    for key in blobs:
        if damage:
            scene.change(key, damage)
        else:
            scene.store.delete(key)
    result = scene.verify(deep=True)
    named = {item.detail.split()[1] for item in result.problems if item.kind == ProblemKind.BLOB}
    expected = {key.rpartition("/")[2][:12] for key in blobs}
    purged_manifest = scene.commit(29)["ops"][0]["decision"]["digest"][:12]
    assert named == expected - {purged_manifest}


def test_without_a_deep_look_texts_are_hashed_and_artifacts_measured(scene: Scene) -> None:
    version = next(row for row in scene.commit(4)["rows"] if row["table"] == "versions")
    artifact = next(row for row in scene.commit(4)["rows"] if row["table"] == "files")
    for digest, seen in ((version["digest"], True), (artifact["sha256"], False)):
        scene.change(blob_key(digest), flip)
        assert scene.verify().ok is not seen
        assert not scene.verify(deep=True).ok
        scene.put_back()
    scene.change(blob_key(artifact["sha256"]), truncate)
    assert found(scene.verify(), 4, ProblemKind.BLOB)


def test_purged_blobs_are_no_problem(scene: Scene) -> None:
    removed = reopen(scene.store).gc()
    assert removed.blobs
    assert scene.verify(deep=True).ok
