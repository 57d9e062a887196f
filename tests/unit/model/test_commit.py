"""The commit file: its bytes, its strictness, and the keys of files."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.errors import IntegrityError, NewerFormatError
from regista.model import canonical
from regista.model.commit import (
    FORMAT,
    Commit,
    DataRef,
    OpRecord,
    data_key,
    log_key,
    parse,
    seq_of_key,
)

TIME = "2026-03-03T09:30:00.000000Z"
texts = st.text(st.characters(codec="utf-8"), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-9, 9) | texts
objects = st.dictionaries(texts, scalars | st.lists(scalars, max_size=2), max_size=3)
rows = st.dictionaries(texts, scalars, max_size=3).map(lambda row: {**row, "table": "tags"})
digests = st.binary(max_size=2).map(canonical.sha256_hex)
counts = st.integers(0, 2**40)
refs = st.builds(DataRef, st.just("eval_scores"), digests, counts, counts, counts, objects)
ops = st.builds(OpRecord, texts, objects, objects, objects)
commits = st.builds(
    Commit,
    format=st.just(FORMAT),
    registry=texts,
    seq=st.integers(1, 10**12 - 1),
    parent=digests,
    txid=texts,
    time=st.just(TIME),
    clock=st.just(TIME),
    actor=texts,
    ops=st.lists(ops, max_size=2).map(tuple),
    rows=st.lists(rows, max_size=3).map(tuple),
    data=st.lists(refs, max_size=2).map(tuple),
    policy=texts,
    engine=texts,
)
SAMPLE = Commit(
    format=FORMAT,
    registry="r",
    seq=7,
    parent="0" * 64,
    txid="t",
    time=TIME,
    clock=TIME,
    actor="ann",
    ops=(OpRecord("tag", {"ref": "a"}, {}, {"name": "a"}),),
    rows=({"table": "tags", "key": "k", "value": "v"}, {"table": "names", "entry": "b"}),
    data=(DataRef("eval_scores", "ab" * 32, 10, 99, 2, {"suite": "s"}),),
    policy="p",
    engine="e",
)


def as_json(commit: Commit) -> dict[str, Any]:
    value = canonical.decode(commit.to_bytes())
    assert isinstance(value, dict)
    return value


def as_bytes(value: Any) -> bytes:
    return canonical.encode(value) + b"\n"


@given(commits)
def test_a_commit_is_read_back_from_its_bytes(commit: Commit) -> None:
    data = commit.to_bytes()
    assert parse(data) == commit
    assert data.endswith(b"\n")
    assert b"\n" not in data[:-1]
    assert canonical.is_canonical(data[:-1])


@given(commits)
def test_lines_after_the_first_may_follow_and_say_nothing(commit: Commit) -> None:
    assert parse(commit.to_bytes() + b"signature: x\n") == commit


@given(commits, st.data())
def test_no_file_that_is_cut_short_is_taken(commit: Commit, data: st.DataObject) -> None:
    whole = commit.to_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(IntegrityError):
        parse(whole[:cut])


@pytest.mark.parametrize("field", sorted(as_json(SAMPLE)))
def test_a_commit_without_a_field_or_with_one_mistyped_is_refused(field: str) -> None:
    value = as_json(SAMPLE)
    without = {name: item for name, item in value.items() if name != field}
    mistyped: list[Any] = [None, {}, True, [1]]
    for wrong in (without, *({**value, field: item} for item in mistyped)):
        with pytest.raises(IntegrityError):
            parse(as_bytes(wrong))


@pytest.mark.parametrize("field", ["op", "args", "reads", "decision"])
@pytest.mark.parametrize("wrong", [None, 1, "x", [], {}, "absent"], ids=repr)
def test_an_operation_that_is_malformed_is_refused(field: str, wrong: Any) -> None:
    value = as_json(SAMPLE)
    if type(wrong) is type(value["ops"][0][field]) and wrong != "absent":
        wrong = None
    if wrong == "absent":
        del value["ops"][0][field]
    else:
        value["ops"][0][field] = wrong
    with pytest.raises(IntegrityError):
        parse(as_bytes(value))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("table", None),
        ("table", 1),
        ("table", "../log"),
        ("table", ""),
        ("sha256", 1),
        ("sha256", "ab"),
        ("sha256", "../" * 20 + "etcd"),
        ("sha256", "AB" * 32),
        ("rows", -1),
        ("rows", "1"),
        ("rows", True),
        ("size", -1),
        ("size", None),
        ("i", -1),
        ("i", []),
        ("columns", None),
        ("columns", []),
        ("columns", "x"),
    ],
)
def test_a_reference_to_data_that_is_malformed_is_refused(
    field: str,
    wrong: Any,
) -> None:
    value = as_json(SAMPLE)
    value["data"][0][field] = wrong
    with pytest.raises(IntegrityError):
        parse(as_bytes(value))
    del value["data"][0][field]
    with pytest.raises(IntegrityError):
        parse(as_bytes(value))


@pytest.mark.parametrize("row", [None, 1, "x", [], {}, {"table": 1}, {"table": None}], ids=repr)
def test_a_row_that_is_no_object_with_a_table_is_refused(row: Any) -> None:
    with pytest.raises(IntegrityError):
        parse(as_bytes({**as_json(SAMPLE), "rows": [row]}))


@pytest.mark.parametrize("part", ["ops", "data"])
@pytest.mark.parametrize("item", [None, 1, "x", [], {"unknown": 1}], ids=repr)
def test_a_part_of_the_wrong_shape_is_refused(part: str, item: Any) -> None:
    with pytest.raises(IntegrityError):
        parse(as_bytes({**as_json(SAMPLE), part: [item]}))


@pytest.mark.parametrize("seq", [0, -1])
def test_a_number_below_one_is_refused(seq: int) -> None:
    with pytest.raises(IntegrityError):
        parse(as_bytes({**as_json(SAMPLE), "seq": seq}))


@pytest.mark.parametrize("time", ["", "now", "2026-03-03", "2026-03-03T09:30:00Z", TIME + " "])
@pytest.mark.parametrize("field", ["time", "clock"])
def test_a_time_in_any_other_form_than_the_registrys_is_refused(field: str, time: str) -> None:
    with pytest.raises(IntegrityError):
        parse(as_bytes({**as_json(SAMPLE), field: time}))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"[]\n",
        b"null\n",
        b"{}\n",
        b"\xff\n",
        SAMPLE.to_bytes().rstrip(b"\n"),
        SAMPLE.to_bytes().replace(b'"seq":7', b'"seq":7,"seq":7'),
        SAMPLE.to_bytes().replace(b'"seq":7', b'"seq":7.0'),
        SAMPLE.to_bytes().replace(b'"txid"', b'"extra":1,"txid"'),
    ],
    ids=lambda data: repr(data[:20]),
)
def test_bytes_that_are_no_commit_are_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        parse(data)
    assert caught.value.message.isprintable()


def test_a_newer_format_is_named_as_such_whatever_else_it_holds() -> None:
    with pytest.raises(NewerFormatError):
        parse(as_bytes({"format": FORMAT + 1, "unheard": "of"}))


@given(st.integers(1, 10**12 - 1))
def test_the_key_of_a_log_file_is_read_back(seq: int) -> None:
    assert seq_of_key(log_key(seq)) == seq


@pytest.mark.parametrize(
    "key",
    [
        "log/000000/43.json",
        "log/000001/000000000043.json",
        "log/000000/000000000043.json.bak",
        "log/000000/000000000043",
        "log/000000000043.json",
        "logs/000000/000000000043.json",
        "tables/versions/schema.parquet",
        "log/000000/٠٠٠٠٠٠٠٠٠٠٤٣.json",
        "",
    ],
)
def test_any_other_key_has_no_number(key: str) -> None:
    assert seq_of_key(key) is None


def test_folders_of_the_log_hold_a_thousand_files() -> None:
    assert log_key(999) == "log/000000/000000000999.json"
    assert log_key(1000) == "log/000001/000000001000.json"
    assert data_key("eval_scores", "ab") == "data/eval_scores/ab.parquet"


def test_row_counts_count_inline_rows_and_rows_by_digest() -> None:
    assert SAMPLE.row_counts() == {"tags": 1, "names": 1, "eval_scores": 10}
    assert list(SAMPLE.rows_of("names")) == [(1, {"table": "names", "entry": "b"})]


def test_shared_columns_of_a_reference_are_added_to() -> None:
    ref = SAMPLE.data[0].with_columns({"run_id": "r1"})
    assert ref == replace(SAMPLE.data[0], columns={"suite": "s", "run_id": "r1"})
    assert ref.key == f"data/eval_scores/{'ab' * 32}.parquet"
