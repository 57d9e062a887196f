"""Looks into what another program wrote: the one type that is needed, or its absence."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.evalformats import foreign
from regista.evalformats.jsontext import Number
from regista.model.names import MAX_NAME


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Number("3"), 3), (Number("3.0"), 3), (Number("3e2"), 300), (Number("-1"), None),
        (Number("0.5"), None), (Number("1e300"), None), (Number("NaN"), None), ("3", None),
        (True, None), (None, None),
    ],
)  # fmt: skip
def test_a_count_is_a_whole_number_from_0(value: object, expected: int | None) -> None:
    assert foreign.count(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-03T09:30:00+01:00", "2026-03-03T08:30:00.000000Z"),
        ("2026-03-03T09:30:00", ""),
        ("2026-03-03", ""),
        ("yesterday", ""),
        (Number("5"), ""),
        (None, ""),
    ],
)
def test_a_moment_has_a_zone(value: object, expected: str) -> None:
    assert foreign.moment(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", "1970-01-01T00:00:00.000000Z"),
        ("1772530200123", "2026-03-03T09:30:00.123000Z"),
        ("9" * 30, ""),
        ("9" * 5000, ""),
        ("x", ""),
    ],
)
def test_milliseconds_are_a_moment_or_nothing(value: str, expected: str) -> None:
    assert foreign.unix_time(value) == expected


def test_a_quotient_has_the_digits_of_a_double() -> None:
    assert foreign.quotient(2, 3) == "0.66666666666666667"
    assert foreign.quotient("0.3", 3) == "0.1"


@given(st.floats(0.001, 1e6), st.integers(2, 10**6))
def test_the_standard_error_is_the_deviation_by_the_root_of_n(stddev: float, n: int) -> None:
    assert float(foreign.stderr_of_mean(repr(stddev), n)) == pytest.approx(
        stddev / n**0.5, rel=1e-15
    )


@given(st.text())
def test_any_text_becomes_an_id_that_a_registry_takes(text: str) -> None:
    found = foreign.id_of(text)
    assert foreign.is_name(found)
    assert foreign.id_of(found) == found
    if foreign.is_name(text):
        assert found == text


def test_what_is_equal_once_it_is_cut_stays_apart() -> None:
    one, other = (foreign.id_of("x" * MAX_NAME + end) for end in "ab")
    assert one != other
    assert len(one) <= MAX_NAME


def test_an_id_that_comes_again_is_another() -> None:
    ids = foreign.Repeats()
    assert [ids.id_of(text) for text in ("a", "a", "b", "a")] == ["a", "a #2", "b", "a #3"]


def test_labels_are_short_texts() -> None:
    value = {
        "a": "x",
        "b": Number("1"),
        "c": "long" * 100,
        "d": "two\nlines",
        "e": None,
        "f": ["x"],
    }
    assert foreign.labels(value) == {"a": "x", "b": "1"}


def test_a_choice_names_at_most_ten() -> None:
    with pytest.raises(InvalidInputError) as caught:
        foreign.choose({str(number): 0 for number in range(12)}, None, "'f'")
    assert caught.value.hint.endswith("'8', '9' and 2 more")


def test_a_reckoned_number_is_one_of_a_file() -> None:
    assert foreign.number(foreign.as_number(Decimal("0.50")), "it") == "0.5"
