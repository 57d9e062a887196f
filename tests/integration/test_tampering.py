"""Tampering: whatever is changed in a registry's files, `verify` finds, names, and goes on.

The registry is made once, with every operation in it. Each test changes bytes, verifies, and puts
the bytes back. A log file that is rewritten together with all that follow it (`rechained`) has no
wrong parent any more: then the replay or the tables must tell.
"""

import copy
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from regista.decide.replay import UnrecordedFactError, differences, replay
from regista.decide.state import State
from regista.errors import RegistaError
from regista.model import canonical
from regista.model.canonical import sha256_hex
from regista.model.commit import Commit, log_key, parse
from regista.model.tables import TABLES
from regista.read.duck import connect, parquet
from regista.read.opening import REGISTRY_KEY
from regista.read.replica import Replica, fold_commit
from regista.read.world import World
from regista.storage.blobs import blob_key
from regista.storage.checkpoint import load_latest
from regista.storage.checkpointer import write_checkpoint
from regista.storage.log import Log
from regista.storage.memory import MemoryStore
from regista.verify.problems import MALFORMED, ProblemKind, Verification
from regista.verify.run import verify
from regista.write.parquet import sorted_copy
from support.everything import EVERY_OPERATION, build_long, operations_in
from support.registries import REGISTRY_ID, reopen

Json = dict[str, Any]
Path = tuple[str | int, ...]

CAMPAIGN = bool(os.environ.get("REGISTA_CAMPAIGN"))
# in CI every so many of the fields are tried against a whole verification
EVERY_NTH_FIELD = 1 if CAMPAIGN else 193
CHECKPOINT_AT = 64


@dataclass
class Scene:
    """A registry, and the bytes that it was made with."""

    store: MemoryStore
    files: dict[str, bytes]

    @property
    def head(self) -> int:
        return len(self.keys("log/"))

    def keys(self, prefix: str) -> list[str]:
        return [key for key in self.files if key.startswith(prefix)]

    def put_back(self) -> None:
        for key in list(self.store.list_after("")):
            if key not in self.files:
                self.store.delete(key)
        for key, data in self.files.items():
            if self.store.get(key) is not data:
                self.store.put(key, data)

    def verify(self, **options: Any) -> Verification:
        return reopen(self.store).verify(**options)

    def commit(self, seq: int) -> Json:
        value = canonical.decode(self.files[log_key(seq)])
        assert isinstance(value, dict)
        return value

    def change(self, key: str, change: Callable[[bytes], bytes]) -> None:
        before = self.files[key]
        after = change(before)
        assert after != before
        self.store.put(key, after)

    def rechain(self, seq: int, value: Json) -> None:
        """Rewrite one commit, and the parents of all that follow it."""
        data = as_file(value)
        self.store.put(log_key(seq), data)
        for later in range(seq + 1, self.head + 1):
            found = canonical.decode(self.store.get(log_key(later)) or b"")
            data = as_file({**found, "parent": sha256_hex(data)})
            self.store.put(log_key(later), data)


@pytest.fixture(scope="module")
def made() -> Scene:
    store = MemoryStore("test")
    registry = build_long(store=store)
    assert operations_in(registry) == EVERY_OPERATION
    assert registry.verify(deep=True).problems == []
    files = {key: store.get(key) or b"" for key in store.list_after("")}
    return Scene(store, files)


@pytest.fixture
def scene(made: Scene) -> Iterator[Scene]:
    yield made
    made.put_back()


def as_file(value: Json) -> bytes:
    return canonical.encode(value) + b"\n"


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


def seq_of(scene: Scene, op: str, **decision: Any) -> int:
    """Return the first commit with an operation that was decided so."""
    return next(
        seq
        for seq in range(1, scene.head + 1)
        for done in scene.commit(seq)["ops"]
        if done["op"] == op and decision.items() <= done["decision"].items()
    )


def found(result: Verification, seq: int, *kinds: ProblemKind) -> bool:
    assert not result.ok
    return any(problem.seq == seq and problem.kind in kinds for problem in result.problems)


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


# ---- data files, tables, checkpoints, blobs


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


TABLE_FILES = [
    "versions",
    "placements",
    "eval_scores",
    "eval_samples",
    "decisions",
    "verdicts",
    "commits",
    "statuses",
    "tags",
    "policies",
]


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
    "an entry's slot": lambda heads: heads["e/e2-0"]["slots"]["prod"].update(version=2),
    "a version's status": lambda heads: heads["v/e2-0/2"].update(status="deleted"),
    "a stack": lambda heads: heads["s/e2-0/prod"].update(stack=[2, 1]),
    "the policy": lambda heads: heads["g"].update(policy="0" * 64),
    "a name": lambda heads: heads.update({"n/ghost": "e2-0"}),
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


# ---- fields


def paths_of(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every value within a JSON value; of long lists the first few."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value[:3])
    for key, item in items:
        yield (*path, key)
        yield from paths_of(item, (*path, key))


def other(value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return value[:-1] or [1]
    if isinstance(value, dict):
        return {**value, "added": "x"}
    if isinstance(value, str) and re.fullmatch("[0-9a-f]{32,64}", value):
        return ("1" if value[0] == "0" else "0") + value[1:]
    if isinstance(value, str) and re.fullmatch(r"\d{4}-.*\.\d{6}Z", value):
        return value[:-2] + ("1" if value[-2] == "0" else "0") + "Z"
    return f"{value}x"


def edited(value: Json, path: Path, *, removed: bool) -> Json:
    result = copy.deepcopy(value)
    place: Any = result
    for step in path[:-1]:
        place = place[step]
    if removed:
        del place[path[-1]]
    else:
        place[path[-1]] = other(place[path[-1]])
    return result


def shape(path: Path) -> Path:
    """Return a path without positions and digests."""
    return tuple("#" if isinstance(step, int) else str(step).partition(":")[0] for step in path)


# What a replay of one commit need not find: it decides nothing. The parents hold it fast, and
# where these were rewritten too, the digest of the file that the table `commits` has.
HELD_BY_PARENTS_ALONE: tuple[tuple[str, ...], ...] = (
    ("actor",),
    ("engine",),
    ("parent",),
    ("registry",),
    ("seq",),
    ("txid",),
    ("clock",),
    ("ops", "#", "args"),
    ("ops", "#", "args", "force_new"),
    ("ops", "#", "args", "source_digest"),
    ("ops", "#", "args", "to"),
    ("ops", "#", "reads", "blobs"),
    ("ops", "#", "reads", "blobs", "missing"),
    ("ops", "#", "reads", "blobs", "corrupt"),
    ("ops", "#", "reads", "drill"),
)
# The rows of these are carried, not decided: manifests, data files and tables hold them.
CARRIED = ({"files", "eval_scores", "eval_samples"},)


def replayed(state: State, value: Json, world: World) -> bool:
    """Say whether a replay finds something wrong with a commit."""
    try:
        commit = parse(as_file(value))
        return bool(differences(replay(state, commit, world), commit))
    except (RegistaError, UnrecordedFactError, *MALFORMED):
        return True


def is_carried(value: Json, path: Path) -> bool:
    """Say whether a path leads into rows that an operation carries, or to the list of them."""
    if path[0] == "data":
        return True
    if "payload" in path or path == ("rows",):
        return True
    if path[0] == "rows" and len(path) > 1:
        return value["rows"][path[1]]["table"] in CARRIED[0]
    return False


def states(scene: Scene) -> Iterator[tuple[State, Commit, Json]]:
    """Yield the state before each commit, the commit, and its JSON."""
    replica = reopen(scene.store).replica
    state = State(REGISTRY_ID, 0, REGISTRY_ID, "", lambda _key: None)
    for seq in range(1, scene.head + 1):
        commit, digest = replica.log.read(seq)
        yield state, commit, scene.commit(seq)
        fold_commit(state.heads, commit, replica.data_rows(commit))
        state.seq, state.digest, state.time = seq, digest, commit.time


def test_every_field_of_every_commit_is_found_by_its_replay_or_held_by_the_parents(
    scene: Scene,
) -> None:
    world = World(reopen(scene.store).replica)
    tried: set[tuple[str, Path, bool]] = set()
    unfound = []
    for state, commit, value in states(scene):
        refused = any(op.decision.get("skipped") for op in commit.ops)
        for path in paths_of(value):
            for removed in (False, True):
                name = (commit.ops[0].op, shape(path), removed)
                if name in tried and not CAMPAIGN:
                    continue
                tried.add(name)
                if replayed(state, edited(value, path, removed=removed), world):
                    continue
                held = shape(path) in HELD_BY_PARENTS_ALONE or is_carried(value, path)
                if not held and not refused:
                    unfound.append((commit.seq, path, removed))
    assert len(tried) > 700
    assert unfound == []


def fields_to_try(scene: Scene) -> list[tuple[int, Path]]:
    fields = [
        (seq, path) for seq in range(1, scene.head + 1) for path in paths_of(scene.commit(seq))
    ]
    return fields[::EVERY_NTH_FIELD]


def test_a_field_that_was_edited_is_found_and_named_even_with_all_later_parents_rewritten(
    scene: Scene,
) -> None:
    for seq, path in fields_to_try(scene):
        scene.rechain(seq, edited(scene.commit(seq), path, removed=False))
        result = scene.verify()
        assert found(result, seq, *ProblemKind), (seq, path, result.problems)
        scene.put_back()


def test_a_field_that_was_edited_alone_is_found_by_the_parent_of_the_next_commit(
    scene: Scene,
) -> None:
    for seq, path in fields_to_try(scene)[:: 1 if CAMPAIGN else 4]:
        if seq == scene.head:
            continue
        scene.store.put(log_key(seq), as_file(edited(scene.commit(seq), path, removed=False)))
        result = scene.verify()
        wrong = {ProblemKind.PARENT, ProblemKind.COMMIT}
        assert found(result, seq + 1, ProblemKind.PARENT) or found(result, seq, *wrong)
        scene.put_back()


def test_a_refusal_rewritten_as_a_pass_is_found_with_the_gate_that_refused(scene: Scene) -> None:
    seq = seq_of(scene, "promote", outcome="refused")
    value = scene.commit(seq)
    decision = value["ops"][0]["decision"]
    decision["outcome"] = "passed"
    for gate in decision["gates"]:
        gate["status"] = "passed"
    for row in value["rows"]:
        row.update(
            {"decisions": {"outcome": "passed"}, "verdicts": {"status": "passed"}}.get(
                row["table"], {}
            )
        )
    entry = {name: value["rows"][0][name] for name in ("entry_id", "entry", "stage")}
    value["rows"].append(
        {
            "table": "placements",
            **entry,
            "from_version": decision["from_version"],
            "to_version": decision["version"],
            "action": "promote",
        }
    )
    scene.rechain(seq, value)
    result = scene.verify()
    details = [item.detail for item in result.problems if item.seq == seq]
    assert any(
        "gate baseline:holdout/acc: status was recorded as 'passed'" in detail for detail in details
    )


def test_two_edits_far_apart_are_found_both(scene: Scene) -> None:
    early = seq_of(scene, "tag")
    late = seq_of(scene, "archive")
    for seq, path in ((early, ("rows", 0, "value")), (late, ("rows", 0, "reason"))):
        value = canonical.decode(scene.store.get(log_key(seq)) or b"")
        scene.rechain(
            seq,
            edited({**value, "rows": [{**value["rows"][0], "reason": "x"}]}, path, removed=False),
        )
    result = scene.verify()
    for seq in (early, late):
        assert found(result, seq, ProblemKind.DECISION)


def test_scores_that_were_made_better_are_found_in_the_tables_and_the_decisions(
    scene: Scene,
) -> None:
    seq = seq_of(scene, "eval log", version=2)
    value = scene.commit(seq)
    for row in value["rows"]:
        if row["table"] == "eval_scores":
            row["value"] = "0.99"
    scene.rechain(seq, value)
    result = scene.verify()
    assert found(result, seq, ProblemKind.TABLE)
    decided = seq_of(scene, "promote", version=2, stage="staging")
    assert found(result, decided, ProblemKind.DECISION)


def test_after_a_commit_that_cannot_be_read_the_end_of_the_replay_is_said_once(
    scene: Scene,
) -> None:
    scene.change(log_key(10), truncate)
    scene.change(log_key(40), truncate)
    result = scene.verify()
    ends = [item.seq for item in result.problems if "cannot be replayed" in item.detail]
    assert ends == [11]
    assert found(result, 40, ProblemKind.COMMIT)


def test_a_rewrite_that_is_consistent_in_itself_is_found_against_an_anchor_only(
    scene: Scene,
) -> None:
    head = scene.head
    noted = {seq: sha256_hex(scene.files[log_key(seq)]) for seq in (1, head - 1, head)}
    value = scene.commit(head - 1)
    value["actor"] = "eve"
    scene.rechain(head - 1, value)
    assert found(scene.verify(), head - 1, ProblemKind.TABLE)
    reopen(scene.store).rebuild()
    assert scene.verify(deep=True).ok
    assert scene.verify(anchors={1: noted[1]}).ok
    result = scene.verify(anchors=noted)
    assert [(item.seq, item.kind) for item in result.problems] == [
        (head - 1, ProblemKind.ANCHOR),
        (head, ProblemKind.ANCHOR),
    ]


def test_an_anchor_beyond_the_log_is_found(scene: Scene) -> None:
    result = scene.verify(anchors={scene.head + 1: "0" * 64})
    assert found(result, scene.head + 1, ProblemKind.ANCHOR)
