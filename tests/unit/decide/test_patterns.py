"""Name patterns: `*` and `?` only, and never slow."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.decide.patterns import matches


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("*", "fraud/card/v2", True),
        ("*", "", True),
        ("fraud/*", "fraud/card/eu", True),
        ("fraud/*", "fraud", False),
        ("fraud/?ard", "fraud/card", True),
        ("fraud/?", "fraud/", False),
        ("a*b*c", "axxbyyc", True),
        ("a*b*c", "axxbyy", False),
        ("Fraud", "fraud", False),
        ("[ab].+", "a", False),
        ("[ab].+", "[ab].+", True),
        ("?*", "", False),
    ],
)
def test_star_is_any_text_and_question_mark_one_character(
    pattern: str, name: str, *, covered: bool
) -> None:
    assert matches(pattern, name) is covered


@given(st.text("ab*?/", max_size=8), st.text("ab/", max_size=8))
def test_it_agrees_with_the_regular_expression_of_the_same_meaning(pattern: str, name: str) -> None:
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    assert matches(pattern, name) == bool(re.fullmatch(expression, name, re.DOTALL))


def test_a_pattern_made_to_backtrack_takes_no_more_steps_than_the_product_of_the_lengths() -> None:
    steps = 0

    class Counted(str):
        __slots__ = ()

        def __getitem__(self, key: object) -> str:
            nonlocal steps
            steps += 1
            return super().__getitem__(key)  # type: ignore[index]

    pattern, name = "a*" * 100 + "b", "a" * 255
    assert not matches(Counted(pattern), name)
    assert steps <= 3 * len(pattern) * len(name)
