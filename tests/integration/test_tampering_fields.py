"""Tampering with fields: an edit is found alone, and with all later parents rewritten to fit it.

Then no parent is wrong any more, and the replay or the tables must tell. Set REGISTA_CAMPAIGN=1
to try every field of every commit against a whole verification.
"""

import copy
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from regista.decide.replay import UnrecordedFactError, differences, replay
from regista.decide.state import State
from regista.errors import RegistaError
from regista.model import canonical
from regista.model.canonical import sha256_hex
from regista.model.commit import Commit, log_key, parse
from regista.read.replica import fold_commit
from regista.read.world import World
from regista.verify.problems import MALFORMED, ProblemKind
from support.registries import REGISTRY_ID, reopen
from support.tampering import Json, Scene, as_file, found, seq_of, truncate

Path = tuple[str | int, ...]

CAMPAIGN = bool(os.environ.get("REGISTA_CAMPAIGN"))
# in CI every so many of the fields are tried against a whole verification
EVERY_NTH_FIELD = 1 if CAMPAIGN else 193


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


@pytest.mark.parametrize("column", ["files", "bytes"])
def test_a_count_of_a_version_that_its_files_do_not_make_up_is_found(
    scene: Scene, column: str
) -> None:
    seq = seq_of(scene, "register", created=True)
    commit = scene.commit(seq)
    [row] = [row for row in commit["rows"] if row["table"] == "versions"]
    [op] = [op for op in commit["ops"] if op["op"] == "register"]
    row[column] = op["args"][column] = row[column] + 1
    scene.rechain(seq, commit)
    assert found(scene.verify(), seq, ProblemKind.MANIFEST)
