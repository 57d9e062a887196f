"""Canonical JSON: RFC 8785, restricted to what has one spelling."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.model import canonical
from regista.model.canonical import MAX_INT, decode, digest, encode, is_canonical, sha256_hex

texts = st.text(st.characters(codec="utf-8"), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-MAX_INT, MAX_INT) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_encoded_decodes_to_the_same_value(value: Any) -> None:
    assert decode(encode(value)) == value


@given(values)
def test_an_encoding_is_canonical_and_stays_so(value: Any) -> None:
    data = encode(value)
    assert is_canonical(data)
    assert encode(decode(data)) == data


@given(values)
def test_any_other_spelling_of_a_value_is_not_canonical(value: Any) -> None:
    data = encode(value)
    for other in (data + b" ", b" " + data, json.dumps([value], indent=1).encode()):
        assert not is_canonical(other)


@given(st.dictionaries(texts, st.integers(0, 9), max_size=6))
def test_keys_are_ordered_by_their_utf_16_units(value: dict[str, int]) -> None:
    keys = list(decode(encode(value)))
    assert keys == sorted(value, key=lambda key: key.encode("utf-16-be"))


@given(st.dictionaries(texts, st.integers(0, 9), max_size=6))
def test_the_order_in_which_keys_were_put_makes_no_difference(value: dict[str, int]) -> None:
    assert encode(dict(reversed(value.items()))) == encode(value)


def test_the_key_order_example_of_rfc_8785() -> None:
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    assert list(decode(encode(value)).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_keys_inside_a_nested_object_are_ordered_like_those_outside() -> None:
    inner = {"\ufb33": 1, "\U0001f600": 2}
    assert encode([{"a": inner}]) == encode([{"a": dict(reversed(inner.items()))}])
    assert encode(inner).decode() == '{"\U0001f600":2,"\ufb33":1}'


def test_the_string_example_of_rfc_8785() -> None:
    value = {
        "literals": [None, True, False],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
    }
    expected = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert encode(value).decode() == expected


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("\b\t\n\f\r", '"\\b\\t\\n\\f\\r"'),
        ("\x00\x1f", '"\\u0000\\u001f"'),
        ("\x7f\u2028\u2029", '"\x7f\u2028\u2029"'),
        ("</script>", '"</script>"'),
        ("e\u0301", '"e\u0301"'),
    ],
)
def test_strings_are_escaped_only_where_json_asks_for_it(text: str, spelled: str) -> None:
    assert encode(text).decode() == spelled


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        float("inf"),
        2**53,
        -(2**53),
        "\ud800",
        {"\udfff": 1},
        {1: "a"},
        {None: 1},
        b"bytes",
        {1, 2},
        pytest.param([object()], id="an object"),
    ],
    ids=repr,
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInputError):
        encode(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1,]",
        "1.0",
        "1e3",
        "1e999",
        "-0.0",
        "NaN",
        "Infinity",
        "-Infinity",
        '{"a":1,"a":1}',
        '[{"a":{"b":1,"b":2}}]',
        "nul",
        "'a'",
        "1 2",
        '"\x01"',
        "9" * 5000,
        "[" * 100_000,
    ],
    ids=lambda text: text[:20],
)
def test_what_is_not_strict_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        decode(text)
    assert not is_canonical(text.encode())


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    for data in (b'"\xff"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf1"):
        with pytest.raises(InvalidInputError):
            decode(data)
        assert not is_canonical(data)


@pytest.mark.parametrize(
    "data",
    [
        b"-0",
        b"01",
        b"1.0",
        b'{"b":1,"a":2}',
        b'"\\u0041"',
        b'"\\/"',
        b'"\\ud83d\\ude00"',
        b"[1, 2]",
    ],
)
def test_valid_json_in_another_spelling_is_not_canonical(data: bytes) -> None:
    assert not is_canonical(data)


def test_an_escaped_lone_surrogate_is_refused_and_an_escaped_pair_is_not() -> None:
    for text in ('"\\ud800"', '{"a":["\\uDFFFx"]}', '{"\\ud83d":1}'):
        with pytest.raises(InvalidInputError):
            decode(text)
    assert decode('"\\ud83d\\ude00 \\u0001"') == "\U0001f600 \x01"


@pytest.mark.parametrize("depth", [500, 5_000, 50_000])
def test_deep_nesting_is_refused_or_taken_but_never_crashes(depth: int) -> None:
    nested: Any = []
    for _ in range(depth):
        nested = [nested]
    try:
        data = encode(nested)
    except InvalidInputError:
        data = b"[" * (depth + 1) + b"]" * (depth + 1)
    assert is_canonical(data) in {True, False}


def test_the_digest_is_that_of_the_canonical_bytes() -> None:
    assert digest({"b": 1, "a": 2}) == sha256_hex(b'{"a":2,"b":1}')
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_tuples_are_arrays() -> None:
    assert canonical.encode((1, (2,))) == b"[1,[2]]"
