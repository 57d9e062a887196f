import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.cli.text import clip, one_line, pad, safe, safe_lines, width, wrap

# what a made-safe text may hold, wide and combining letters included
SAFE = st.text(st.characters(exclude_categories=["C", "Z"])).map(safe)


@pytest.mark.parametrize(
    ("hostile", "visible"),
    [
        ("\x1b[2J", "\\u001b[2J"),
        ("a\nb", "a\\u000ab"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u200bb", "a\\u200bb"),
        ("\u2028", "\\u2028"),
        ("\x9b31m", "\\u009b31m"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
        ("\u00a0", "\\u00a0"),
    ],
)
def test_what_could_move_a_cursor_or_hide_or_reorder_text_becomes_visible(
    hostile: str, visible: str
) -> None:
    assert safe(hostile) == visible


@given(st.text())
def test_safe_text_has_neither_control_nor_format_characters(text: str) -> None:
    assert all(char == " " or unicodedata.category(char)[0] not in "CZ" for char in safe(text))


@given(st.text())
def test_one_line_is_one_line_and_safe(text: str) -> None:
    line = one_line(text)
    assert line == safe(line)
    assert "\n" not in line


def test_letters_and_emoji_stay_as_they_are() -> None:
    assert safe("Überprüfung 模型 🚀 naïve") == "Überprüfung 模型 🚀 naïve"


def test_tabs_and_line_ends_of_a_longer_text_are_kept_as_layout() -> None:
    assert safe_lines("a\tb\r\nc\x07") == ["a   b", "c\\u0007"]


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("模型", 4), ("e\u0301", 1), ("🚀", 2), ("", 0)]
)
def test_width_is_in_terminal_columns(text: str, columns: int) -> None:
    assert width(text) == columns


@given(SAFE, st.integers(0, 40))
def test_clipped_text_fits(text: str, columns: int) -> None:
    clipped = clip(text, columns)
    assert width(clipped) <= columns
    assert clipped == text or clipped.endswith("…") or not columns


@given(SAFE, st.integers(2, 40))
def test_wrapped_lines_fit_and_lose_nothing(text: str, columns: int) -> None:
    lines = wrap(text, columns)
    assert all(width(line) <= columns for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_an_accent_stays_with_its_letter_where_a_text_is_cut() -> None:
    assert clip("e\u0301e\u0301e\u0301", 2) == "e\u0301…"


def test_padding_reckons_with_wide_letters() -> None:
    assert pad("模", 4) == "模  "
    assert pad("模", 4, right=True) == "  模"
