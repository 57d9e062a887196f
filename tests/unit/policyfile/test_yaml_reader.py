"""The YAML reader: JSON values with exact decimals and positions, and nothing that bites."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.policyfile.yaml_reader import MAX_BYTES, MAX_DEPTH, Position, YamlError, load_yaml


def read(text: str) -> Any:
    return load_yaml(text, "p.yaml")[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# only a comment\n", None),
        ("~", None),
        ("null", None),
        ("a:", {"a": None}),
        ("true", True),
        ("False", False),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("0", 0),
        ("-0", 0),
        ("+7", 7),
        ("9007199254740991", 2**53 - 1),
        ("9007199254740992", "9007199254740992"),
        ("9" * 5000, "9" * 5000),
        ("0.005", "0.005"),
        ("1e3", "1e3"),
        ("-.5", "-.5"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("0o7", "0o7"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-03-10", "2026-03-10"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("'~'", "~"),
        ("a: <<", {"a": "<<"}),
        ("'<<': 1", {"<<": 1}),
        ("=", "="),
        ("---\na: [1, {b: c}]\n...\n", {"a": [1, {"b": "c"}]}),
        ("\ufeffa: 1", {"a": 1}),
        ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ("é: ü", {"é": "ü"}),
        ('"\\u00e9"', "é"),
        ("[]", []),
        ("{}", {}),
    ],
)
def test_scalars_mean_what_yaml_1_2_says_and_decimals_stay_as_written(
    text: str, value: object
) -> None:
    found = read(text)
    assert found == value
    assert type(found) is type(value)


TAB = r"while scanning for the next token, found character '\t' that cannot start any token"


@pytest.mark.parametrize(
    ("text", "line", "column", "detail"),
    [
        ("a: &x 1\nb: *x\n", 1, 4, "anchors are not allowed"),
        ("a: *x\n", 1, 4, "aliases are not allowed"),
        ("a: !!python/object:os.system x", 1, 4, "tags are not allowed"),
        ("a: !x {}", 1, 4, "tags are not allowed"),
        ("! a", 1, 1, "tags are not allowed"),
        ("a: 1\n---\nb: 1\n", 2, 1, "a second document begins"),
        ("%YAML 1.2\n---\na: 1\n", 1, 1, "directives are not allowed"),
        ("<<: {a: 1}", 1, 1, "merge keys are not allowed"),
        ("a: 1\nb: 2\n'a': 3\n", 3, 1, "the key 'a' is here twice, first in line 1"),
        ("a:\n  b: {c: 1, c: 2}\n", 2, 13, "the key 'c' is here twice, first in line 2"),
        ("1: a", 1, 1, "the key 1 is not text"),
        ("? [a]\n: b", 1, 3, "a key must be text"),
        ("? {a: b}\n: b", 1, 3, "a key must be text"),
        ("null: b", 1, 1, "the key null is not text"),
        ('"\\ud800"', 1, 1, "an escape stands for half a character"),
        ('"\\UFFFFFFFF"', 1, 1, "not YAML: an escape or a version number is out of range"),
        ("a:\n\t- b\n", 2, 1, f"not YAML: {TAB}"),
        (
            "a: [1, 2\nb: 3\n",
            2,
            2,
            "not YAML: while parsing a flow sequence, expected ',' or ']', but got ':'",
        ),
        ("a: 1\nb: x\u0007y\n", 2, 5, "the character U+0007 is not allowed"),
        ("a\x00", 1, 2, "the character U+0000 is not allowed"),
    ],
)
def test_every_refusal_names_its_place(text: str, line: int, column: int, detail: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        load_yaml(text, "p.yaml")
    assert caught.value.message == f"p.yaml:{line}:{column}: {detail}"
    assert isinstance(caught.value, YamlError)
    assert caught.value.position == Position(line, column)


def test_an_alias_bomb_is_refused_at_its_first_anchor() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(InvalidInputError, match=r"^p\.yaml:1:4: anchors"):
        read(bomb)


@pytest.mark.parametrize("text", ["[" * 3000, "{a: " * 3000, "- " * 3000, "? " * 3000])
def test_deep_nesting_is_refused_and_overflows_nothing(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"nested deeper|a key must be text"):
        read(text)


def test_nesting_up_to_the_limit_is_read() -> None:
    value = read("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    for _level in range(MAX_DEPTH - 1):
        [value] = value
    assert value == []


def test_a_file_that_is_too_large_is_not_parsed_at_all() -> None:
    with pytest.raises(InvalidInputError, match=r"^p\.yaml:1:1: the file has 262,146 bytes"):
        read("é" * (MAX_BYTES // 2 + 1))
    assert load_yaml("a" * 11, "p.yaml", max_bytes=11)[0] == "a" * 11


TEXT = """\
format: 1
rules:
  - stage: prod   # the first
    gates:
      - threshold: {suite: x,
                    min: 0.5}
  - "é": [a, b]
"""


@pytest.mark.parametrize(
    ("path", "value_at", "key_at"),
    [
        ((), (1, 1), (1, 1)),
        (("format",), (1, 9), (1, 1)),
        (("rules",), (3, 3), (2, 1)),
        (("rules", 0), (3, 5), (3, 5)),
        (("rules", 0, "stage"), (3, 12), (3, 5)),
        (("rules", 0, "gates", 0, "threshold"), (5, 20), (5, 9)),
        (("rules", 0, "gates", 0, "threshold", "min"), (6, 26), (6, 21)),
        (("rules", 1, "é", 1), (7, 14), (7, 14)),
        (("rules", 0, "absent", "deeper"), (3, 5), (3, 5)),
    ],
)
def test_positions_are_those_of_the_text(
    path: tuple[Any, ...], value_at: tuple[int, int], key_at: tuple[int, int]
) -> None:
    positions = load_yaml(TEXT, "p.yaml")[1]
    assert positions.at(path) == Position(*value_at)
    assert positions.at(path, key=True) == Position(*key_at)


WILD = st.text("ab:-[]{}\"'&*!|>%#?@,\\ \n\t01.~<=\u2028\u00e9\ud800\x00", max_size=60)


@given(WILD | st.text(max_size=60))
def test_whatever_the_text_the_answer_is_a_value_or_a_refusal_with_a_place(text: str) -> None:
    refusals = []
    try:
        json.dumps(read(text), allow_nan=False)
    except InvalidInputError as error:
        refusals.append(error.message)
    assert all(message.startswith("p.yaml:") for message in refusals)
    assert not any("\n" in message for message in refusals)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcé 1", max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_json_without_decimals_reads_as_itself(value: object) -> None:
    assert read(json.dumps(value, ensure_ascii=False)) == value
