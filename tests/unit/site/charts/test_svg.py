"""Text, links and frames of figures."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.site.charts.svg import escape, figure, fitted, identifier, link, text_width

Read = Callable[[str], object]
anything = st.text(st.characters())


@given(anything)
def test_an_escaped_text_has_nothing_that_ends_it(text: str) -> None:
    escaped = escape(text)
    assert not set(escaped) & set("<>\"'\x00\x1b\u202e\u2066\ud800")
    escaped.encode()


def test_marks_that_turn_the_direction_of_text_are_replaced_and_letters_are_not() -> None:
    assert escape("a\u202eb\u2067c\x00") == "a\ufffdb\ufffdc\ufffd"
    assert escape("دقة 精度 😀 é") == "دقة 精度 😀 é"


@pytest.mark.parametrize(
    "href",
    [
        "",
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "https://example.org/",
        "//example.org/",
        "/\\example.org",
        "\\\\example.org",
        "\t//example.org",
        "/root.html",
    ],
)
def test_an_address_that_is_not_relative_is_no_link(href: str) -> None:
    assert link(href, "words", "<rect/>") == "<g><title>words</title><rect/></g>"


@pytest.mark.parametrize("href", ["v/3.html", "../a/b.html?x=1:2#c", "#v3", "?v=3", "a%3Ab.html"])
def test_a_relative_address_is_a_link(href: str) -> None:
    assert link(href, "", "").startswith(f'<a href="{href}" tabindex="-1">')


def test_an_address_cannot_leave_its_attribute() -> None:
    assert 'href="&quot;&gt;&lt;script&gt;"' in link('"><script>', "", "")


@given(anything, st.floats(0, 300))
def test_a_fitted_text_is_a_start_of_the_text_and_fits(text: str, width: float) -> None:
    short = fitted(text, width)
    assert short == text or text.startswith(short.removesuffix("…"))
    assert text_width(short) <= width or not short


def test_wide_characters_take_more_room_and_marks_above_take_none() -> None:
    assert text_width("精度") > text_width("ab")
    assert text_width("e\u0301") == text_width("e")
    assert text_width("W") > text_width("i")


@given(anything)
def test_an_identifier_is_one_word(text: str) -> None:
    assert not set(identifier(text)) & set(" \t\n\"'<>&")


def test_different_texts_have_different_identifiers() -> None:
    assert len({identifier(text) for text in ("a b", "a-b", "a.20b", "a  b", "ab")}) == 5


def test_links_lie_over_the_image_and_not_in_it(read: Read) -> None:
    svg = figure(
        ["<g/>"], id_="x", kind="k", size=(4, 2), title="t", links=[link("a.html", "w", "<g/>")]
    )
    read(svg)
    assert 'aria-hidden="true"' in svg
    assert 'viewBox="0 0 4 2"' in svg
