"""Eval files: numbers stay as written, formats are told by content, errors say where."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.evalformats import jsontext
from regista.evalformats.finding import read_run

ROWS = [{"metric": "a", "value": "0.10"}, {"metric": "b", "value": "1e-3", "n": "7"}]


def read(tmp_path: Path, text: str) -> list[dict[str, Any]]:
    path = tmp_path / "scores.any"
    path.write_text(text, encoding="utf-8")
    return read_run(path, "generic").scores


@pytest.mark.parametrize(
    "text",
    [
        '[{"metric": "a", "value": 0.10}, {"metric": "b", "value": 1e-3, "n": 7}]',
        '{"metric": "a", "value": 0.10}\n\n{"metric": "b", "value": 1e-3, "n": 7}\n',
        '{"scores": [{"metric": "a", "value": 0.10}, {"metric": "b", "value": 1e-3, "n": 7}]}',
        '\ufeff[\n{"metric": "a", "value": "0.10"},\n{"metric": "b", "value": "1e-3", "n": 7}]',
    ],
)
def test_rows_are_read_from_any_json_with_numbers_as_written(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text) == ROWS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"acc": 0.10, "f1": 1}', [("acc", "0.10"), ("f1", "1")]),
        ('{"scores": {"acc": 0.5}}', [("acc", "0.5")]),
        ('{"scores": 0.5}', [("scores", "0.5")]),
        ('{"metric": 0.5}', [("metric", "0.5")]),
        ('{"metric": "m", "value": 0.5}', [("m", "0.5")]),
        ("{}", []),
        ("[]", []),
    ],
)
def test_an_object_of_metrics_is_told_from_a_row(
    text: str, expected: list[tuple[str, str]], tmp_path: Path
) -> None:
    assert [(row["metric"], row["value"]) for row in read(tmp_path, text)] == expected


def test_every_field_comes_along(tmp_path: Path) -> None:
    row = {"metric": "m", "value": "0.5", "stderr": "0.1", "n": "9", "slice": "s\u2028t",
           "task": "t", "direction": "lower", "higher_is_better": None}  # fmt: skip
    assert read(tmp_path, json.dumps(row, ensure_ascii=False)) == [row]
    assert read(tmp_path, json.dumps(row, ensure_ascii=False) + "\n" + json.dumps(row)) == [row] * 2


decimals = st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-1, max_value=1)


@settings(max_examples=30, deadline=None)
@given(decimals)
def test_a_number_is_never_rounded(tmp_path_factory: pytest.TempPathFactory, number: Any) -> None:
    folder = tmp_path_factory.mktemp("scores")
    assert read(folder, f'{{"m": {number:f}}}') == [{"metric": "m", "value": f"{number:f}"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("{", "line 1: it is not JSON"),
        ("hello\nworld", "line 1: it is not JSON"),
        ('{"a":\n 1,\n}', "line 3: it is not JSON"),
        ('[{"metric": "a", "value": NaN}]', "line 1: NaN is not a finite number"),
        ('{"x": "NaN",\n\n"a": -Infinity}', "line 3: -Infinity is not a finite number"),
        ('{"a": 1e999}', "'1e999', which is not a finite number"),
        ('{"metric":"a","value":1}\n{"metric":"b","value":NaN}', "line 2: NaN"),
        ('{"metric":"a","value":1}\n{"metric":"b"', "line 2: it is not JSON"),
        ('{"metric":"a","value":1}\n\n{"metric":"b","value":null}', "line 3: value of 'b'"),
        ('{"metric":"a","value":1}\n[1]', "line 2: a score is an object"),
        ('{"a": 1, "a": 2}', "the key 'a' twice"),
        ('{"metric":"a","value":1}\n{"metric":"b","value":1,"value":2}', "line 2: an object has"),
        ('{"metric": "a", "value": 1, "foo": 2}', "a score has no field 'foo'"),
        ('[{"metric":"a","value":1},{"value":1}]', "score 2: a score has no metric"),
        ('[{"metric":5,"value":1}]', "score 1: a score has no metric"),
        ('[{"metric":"a","value":1,"n":"x"}]', "score 1: n of 'a'"),
        ('[{"metric":"a","value":1,"stderr":true}]', "score 1: stderr of 'a'"),
        ('{"a": {"b": true}}', "value of 'a/b' is not a number"),
        ('{"a": {"b": null}, "c": 1}', "value of 'a/b' is not a number"),
        ('{"a":' * 20 + "1" + "}" * 20, "nested too deep"),
        ('{"a": true}', "value of 'a' is not a number"),
        ('{"scores": [], "suit": "x"}', "beside scores there is a field 'suit'"),
        ("[1]", "score 1: a score is an object"),
        ("5", "neither an object nor an array"),
        ("[" * 100_000, "nested too deep"),
        ('{"a": ' + "9" * 5000 + "}", "too many digits"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_its_place(
    text: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read(tmp_path, text)
    assert message in caught.value.message
    assert caught.value.message.startswith("'scores.any'")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", ["missing.json", "folder", "x" * 300])
def test_what_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidInputError):
        read_run(tmp_path / name)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    path.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(InvalidInputError, match="not UTF-8 at byte 7"):
        read_run(path)


def test_a_file_beyond_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsontext, "MAX_DOCUMENT", 1 << 20)
    path = tmp_path / "scores.json"
    path.write_text('{"a": 1}' + " " * (1 << 20))
    with pytest.raises(InvalidInputError, match="larger than 1 MB"):
        read_run(path)


def test_a_format_is_known_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    path.write_text('{"a": 1}')
    assert read_run(path, "auto") == read_run(path, "generic")
    with pytest.raises(InvalidInputError, match="'tea' is not a format") as caught:
        read_run(path, "tea")
    assert caught.value.hint.startswith("use auto, lm_eval, ")
