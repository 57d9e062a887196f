"""Names and texts from strangers: what is let in, and that everything else is named and refused."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.model import names

anything = st.text(max_size=40) | st.text(
    "aZ09 ._-/é٣한\u0301\u200f\u2028@:#\x00\ud800", max_size=12
)
DOORS: list[Callable[[str], str]] = [
    names.entry_name,
    names.kind,
    lambda text: names.slug(text, "an alias"),
    names.label,
    names.tag_key,
    names.tag_value,
    lambda text: names.identifier(text, "a suite"),
    names.reason,
    names.txid,
    lambda text: names.plain_text(text, "a card", 100),
]


@pytest.mark.parametrize("door", DOORS)
@given(anything)
def test_a_door_gives_valid_text_that_it_takes_again_or_refuses(
    door: Callable[[str], str], text: str
) -> None:
    try:
        taken = door(text)
    except InvalidInputError as error:
        assert "\n" not in error.message
        error.message.encode()
        return
    taken.encode()
    assert "\x00" not in taken
    assert door(taken) == taken


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("value", [None, 1, b"x", ["x"], {"x": 1}], ids=repr)
def test_what_is_no_text_is_refused(door: Callable[[str], str], value: object) -> None:
    with pytest.raises(InvalidInputError):
        door(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    [
        "fraud",
        "fraud/card",
        "a/b/c/d",
        "model 2",
        "v1.2_3-4",
        "12",
        "latest",
        "größe",
        "不正/検知",
        "قرض",
        "con",
        "NUL.txt",
        "...",
        ".hidden",
        "a" * 255,
        "é" * 255,
    ],
)
def test_an_entry_may_be_called(name: str) -> None:
    assert names.entry_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a" * 256,
        "a" * 10_000,
        ".",
        "..",
        "a/..",
        "../a",
        "a/./b",
        "/a",
        "a/",
        "a//b",
        " a",
        "a ",
        "a/ b",
        "a /b",
        "a@b",
        "a:b",
        "a#b",
        "a\\b",
        "a\x00b",
        "a\nb",
        "a\tb",
        "a\x1b[31mb",
        "a\x7fb",
        "a\x85b",
        "a\u202eb",
        "a\u200fb",
        "a\u2066b",
        "a\u200bb",
        "a\ufeffb",
        "a\u00a0b",
        "a\u3000b",
        "a\u2028b",
        "a\ud800b",
        "a\ue000b",
        "a😀b",
        "a*b",
        "a?b",
        "a<b>",
        "a'b",
        'a"b',
        "a$b",
        "a%2fb",
    ],
    ids=ascii,
)
def test_an_entry_may_not_be_called(name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        names.entry_name(name)
    assert len(caught.value.message) < 1000
    assert caught.value.message.isprintable()


def test_an_entry_name_is_put_into_nfc_before_it_is_measured() -> None:
    assert names.entry_name("e\u0301" * 255) == "é" * 255


def test_names_that_differ_in_case_are_different() -> None:
    assert names.entry_name("Fraud") != names.entry_name("fraud")


@pytest.mark.parametrize("text", ["champion", "a", "A_b-9", "x" * 255, "v1a", "1a", "-", "Latest"])
def test_an_alias_may_be_called(text: str) -> None:
    assert names.slug(text, "an alias") == text


@pytest.mark.parametrize(
    "text",
    ["", "latest", "12", "v1", "V27", "a.b", "a b", "a~1", "é", "x" * 256, "a\n", "\u0661", "a@b"],
    ids=ascii,
)
def test_an_alias_may_not_be_called(text: str) -> None:
    with pytest.raises(InvalidInputError):
        names.slug(text, "an alias")


@pytest.mark.parametrize("text", ["1.4.2", "v1", "2026-03-01", "a+b", "x_y", "1."])
def test_a_label_may_be(text: str) -> None:
    assert names.label(text) == text


@pytest.mark.parametrize("text", ["", "latest", "12", ".1", "-1", "a b", "a~1", "x" * 256, "1\n"])
def test_a_label_may_not_be(text: str) -> None:
    with pytest.raises(InvalidInputError):
        names.label(text)


def test_tags_have_the_documented_limits() -> None:
    assert names.tag_key("k" * 250) == "k" * 250
    assert names.tag_value("") == ""
    assert names.tag_value("é" * 100_000) == "é" * 100_000
    for key in ("", "k" * 251, "a\nb", "a\tb", "a\x00b", "a\u2028b", "a\u0085b"):
        with pytest.raises(InvalidInputError):
            names.tag_key(key)
    with pytest.raises(InvalidInputError, match="100,001 characters; at most 100,000"):
        names.tag_value("v" * 100_001)


@pytest.mark.parametrize("text", ["", " ", "a\nb", "a\u2028b", "a\u2029b", "a\x1bb", "x" * 256])
def test_an_identifier_is_one_line_that_says_something(text: str) -> None:
    with pytest.raises(InvalidInputError):
        names.identifier(text, "a suite")


def test_an_identifier_is_put_into_nfc() -> None:
    assert names.identifier("e\u0301 class=3", "a slice") == "é class=3"


def test_free_text_may_have_lines_and_tabs_and_no_other_control_character() -> None:
    assert names.reason("a\n\tb\r\n") == "a\n\tb\r\n"
    for char in ("\x00", "\x07", "\x1b", "\x7f", "\x9b"):
        with pytest.raises(InvalidInputError, match=f"U\\+{ord(char):04X}"):
            names.reason(f"a{char}b")


@pytest.mark.parametrize("text", ["t", "a.b_c:d-9", "x" * 128])
def test_a_transaction_id_may_be(text: str) -> None:
    assert names.txid(text) == text


@pytest.mark.parametrize("text", ["", "a/b", "a b", "a\n", "é", "x" * 129, "../x"])
def test_a_transaction_id_may_not_be(text: str) -> None:
    with pytest.raises(InvalidInputError):
        names.txid(text)


@given(st.text(max_size=300))
def test_shown_text_is_one_printable_line_of_bounded_length(text: str) -> None:
    shown = names.shown(text)
    assert "\n" not in shown
    assert all(char == " " or unicodedata.category(char)[0] not in "CZ" for char in shown)
    assert len(shown) <= 2 + 81 * 8
    shown.encode()
