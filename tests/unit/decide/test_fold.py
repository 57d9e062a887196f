"""The fold: heads are what the rows say, whoever applies them and in however many steps."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.decide import fold, keys
from regista.decide.heads import (
    MAX_MAIN_SCORES,
    DrillHead,
    EntryHead,
    LineageHead,
    Pointer,
    RunHead,
    SlotHead,
    VersionHead,
)
from regista.decide.planning import Planning
from regista.decide.state import Overlay
from regista.model import canonical
from regista.model.times import format_time
from regista.read.replica import fold_commit
from support.chance import run_at_random
from support.history import History, demote, history_with, log_rows, promote, register, rollback
from support.registries import GATED, OPEN

texts = st.text(st.characters(codec="utf-8"), max_size=5)
numbers = st.integers(0, 2**40)
tags = st.dictionaries(texts, texts, max_size=2)
pointers = st.builds(Pointer, st.none() | numbers, numbers, texts, texts, texts)
scores = st.tuples(texts, texts, texts, st.none() | texts, st.none() | numbers, st.none()).map(list)
runs = st.builds(
    RunHead,
    texts,
    numbers,
    texts,
    texts,
    texts,
    texts,
    texts,
    numbers,
    numbers,
    st.lists(scores, max_size=2).map(tuple),
)
lineage = st.builds(LineageHead, texts, texts, texts, st.none() | numbers, texts)
drills = st.builds(
    DrillHead, numbers, texts, texts, st.booleans(), st.none() | numbers, st.none() | numbers, texts
)
entries = st.builds(
    EntryHead,
    texts,
    texts,
    texts,
    numbers,
    texts,
    texts,
    numbers,
    texts,
    texts,
    st.dictionaries(texts, pointers, max_size=2),
    st.dictionaries(texts, pointers, max_size=2),
    tags,
)
versions = st.builds(
    VersionHead,
    texts,
    numbers,
    texts,
    numbers,
    texts,
    texts,
    params=tags,
    source=tags,
    tags=tags,
    lineage=st.lists(lineage, max_size=2),
    runs=st.dictionaries(texts, runs, max_size=2),
    purged=st.booleans(),
)
slots = st.builds(
    SlotHead, st.lists(numbers, max_size=3), st.lists(numbers, max_size=3), st.none() | drills
)


@given(
    entries.map(lambda head: ("n/m", head))
    | texts.map(lambda name: ("e/e1-0", name))
    | versions.map(lambda head: ("v/e1-0/3", head))
    | slots.map(lambda head: ("s/e1-0/prod", head))
    | numbers.map(lambda head: ("l/e1-0/1.4", head))
)
def test_a_head_is_read_back_from_its_json(item: tuple[str, Any]) -> None:
    key, head = item
    data = canonical.encode(keys.encode_head(head))
    assert keys.decode_head(key, canonical.decode(data)) == head


def folded(history: History) -> dict[str, Any]:
    """Return all heads of a history's commits, folded from nothing."""
    heads = Overlay(lambda _key: None)
    for commit in history.commits:
        fold_commit(heads, commit, ())
    return heads.changed


@pytest.mark.parametrize("seed", range(8))
def test_planning_leaves_the_heads_that_the_commit_folds_to(seed: int) -> None:
    history = History(OPEN)

    def submit(asked: list[Any]) -> None:
        planning = Planning(history.state, history, actor="ann", clock=format_time(history.now))
        for request in asked:
            planning.add(request)
        if not planning.refused:
            before = planning.state.heads.changed
            history.do(*asked, seconds=0)
            after = history.state.heads.changed
            assert {key: after.get(key) for key in before} == before

    run_at_random(submit, register, seed=seed, commits=60)
    assert len(history.commits) > 15


@pytest.mark.parametrize("seed", range(8))
def test_counts_of_holders_and_of_aliases_are_what_is_counted(seed: int) -> None:
    history = History(GATED if seed % 2 else OPEN)
    run_at_random(lambda asked: history.do(*asked), register, seed=seed, commits=80)
    heads = folded(history)
    entries_now = [head for key, head in heads.items() if key.startswith("n/") and head]
    held = Counter(
        f"h/{stage}"
        for entry in entries_now
        for stage, slot in entry.slots.items()
        if slot.version is not None
    )
    aliased = Counter(f"a/{alias}" for entry in entries_now for alias in entry.aliases)
    counted = {key: value for key, value in heads.items() if key[:2] in {"h/", "a/"}}
    assert {key: value for key, value in counted.items() if value} == dict(held | aliased)
    assert heads["g"]["entries"] == len(entries_now)
    assert {key: name for key, name in heads.items() if key.startswith("e/")} == {
        f"e/{entry.entry_id}": entry.name for entry in entries_now
    }
    assert all(heads[f"n/{entry.name}"] is entry for entry in entries_now)


@pytest.mark.parametrize("seed", range(8))
def test_a_stack_holds_a_version_once_and_the_holder_on_top(seed: int) -> None:
    history = History(OPEN)

    def check() -> None:
        for key, slot in history.state.heads.changed.items():
            if not key.startswith("s/"):
                continue
            _, entry_id, stage = key.split("/")
            if stage == "dev":
                # filled by register, so it has no stack
                assert slot.stack == []
                continue
            holder = history.state.entry_by_id(entry_id).holder(stage)
            assert len(set(slot.stack)) == len(slot.stack)
            assert not set(slot.stack) & set(slot.barred)
            assert holder is None or slot.stack[-1] == holder

    def submit(asked: list[Any]) -> None:
        history.do(*asked)
        check()

    run_at_random(submit, register, seed=seed, commits=80)


def test_rows_of_tables_that_carry_no_state_change_nothing() -> None:
    heads = Overlay(lambda _key: None)
    for table in ("files", "eval_samples", "decisions", "verdicts", "commits"):
        assert table not in fold.STATE_TABLES
        fold.apply_row(heads, fold.Stamp(1, "t", "a"), {"table": table})
    assert heads.changed == {}


def test_a_version_shows_scores_over_all_data_of_the_latest_run_up_to_a_limit() -> None:
    history = history_with(1)
    many = [
        {"task": "", "metric": f"m{k:03}", "slice": slice_, "value": "0.5"}
        for k in range(MAX_MAIN_SCORES + 5)
        for slice_ in ("", "class=1")
    ]
    history.do(log_rows("m@1", many))
    run = history.version(1).runs["holdout"]
    assert (run.scores, len(run.main)) == (len(many), MAX_MAIN_SCORES)
    assert run.main[0] == ["", "m000", "0.5", None, None, None]
    history.do(log_rows("m@1", [{"task": "t", "metric": "m", "slice": "", "value": "1", "n": 4}]))
    assert [list(score) for score in history.version(1).runs["holdout"].main] == [
        ["t", "m", "1", None, 4, None]
    ]


def test_versions_that_come_in_any_order_leave_the_highest_number_as_the_last() -> None:
    heads = Overlay(lambda _key: None)
    stamp = fold.Stamp(1, "t", "ann")
    common = {"entry_id": "e1-0", "entry": "m"}
    fold.apply_row(heads, stamp, {"table": "entries", **common, "kind": "model"})
    for number in (2, 3, 1):
        row = {"version": number, "digest": "ab" * 32, "files": 1, "bytes": 1}
        fold.apply_row(heads, stamp, {"table": "versions", **common, **row})
    assert heads.get("n/m").last_version == 3


def test_a_transaction_is_remembered_with_what_it_asked_for() -> None:
    history = history_with(1)
    seq, digest = history.state.heads.get("t/tx2")
    assert seq == 2
    assert digest == fold.arguments_digest(history.commits[1].ops)
    assert digest != fold.arguments_digest(history.commits[0].ops)


def test_since_and_by_tell_of_the_commit_that_moved_the_slot() -> None:
    history = history_with(2)
    history.do(promote("m@1"), actor="bob")
    slot = history.entry().slots["prod"]
    assert (slot.version, slot.by, slot.action, slot.seq) == (1, "bob", "promote", 4)
    history.do(promote("m@2"))
    history.do(rollback())
    assert history.entry().slots["prod"].action == "rollback"
    history.do(demote())
    emptied = history.entry().slots["prod"]
    assert (emptied.version, emptied.action, emptied.seq) == (None, "demote", 7)
