"""Decimals: exact as text, finite as doubles."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.model.numbers import MAX_DIGITS, decimal_text, double_text, parse_decimal

doubles = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=12).filter(
    lambda number: len(number.as_tuple().digits) <= MAX_DIGITS
)


@given(decimals)
def test_a_decimal_is_read_back_from_its_text(number: Decimal) -> None:
    assert parse_decimal(decimal_text(number), "value") == number


@given(decimals)
def test_equal_decimals_have_one_text(number: Decimal) -> None:
    other = parse_decimal(f"{number:.15e}" if not number else str(number) + "0", "value")
    if other == number:
        assert decimal_text(other) == decimal_text(number)


@given(doubles)
def test_a_double_is_read_back_from_its_text(number: float) -> None:
    text = double_text(number)
    assert float(text) == number
    assert decimal_text(parse_decimal(text, "value")) == text


@given(st.text(max_size=12) | doubles.map(repr) | st.integers().map(str))
def test_whatever_is_read_is_finite_and_has_a_stable_text(text: str) -> None:
    try:
        number = parse_decimal(text, "value")
    except InvalidInputError:
        return
    assert math.isfinite(float(number))
    written = decimal_text(number)
    assert parse_decimal(written, "value") == number
    assert decimal_text(parse_decimal(written, "value")) == written


@pytest.mark.parametrize(
    ("given_", "text"),
    [
        ("0.1", "0.1"),
        ("0.10", "0.1"),
        ("-0", "0"),
        ("-0.000", "0"),
        (" 1 ", "1"),
        ("+3", "3"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1E3", "1000"),
        ("1e-7", "0.0000001"),
        ("1e-8", "1e-8"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e21"),
        ("-1.50e300", "-1.5e300"),
        (0.1, "0.1"),
        (1, "1"),
        (Decimal("0.30"), "0.3"),
        ("0." + "1" * 39, "0." + "1" * 39),
    ],
)
def test_a_decimal_has_one_plain_or_scientific_text(
    given_: str | float | Decimal, text: str
) -> None:
    assert decimal_text(parse_decimal(given_, "value")) == text


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "sNaN",
        "nan1",
        "inf",
        "-Infinity",
        "1e999",
        "-1e999",
        "1e309",
        "1e999999999999999999",
        "1e-999999999999999999",
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("Infinity"),
        "",
        " ",
        "abc",
        "1,5",
        "1_000",
        "0x10",
        "1e",
        "١.٥",
        "1" * 200,
        "0." + "1" * (MAX_DIGITS + 1),
        "1\n2",
        None,
        True,
        False,
        [1],
        {"value": 1},
        b"1",
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_finite_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidInputError):
        parse_decimal(value, "value")


def test_the_message_shows_the_value_and_what_it_was_for() -> None:
    with pytest.raises(InvalidInputError, match=r"^metric 'auc' is '1e999', which is not a finite"):
        parse_decimal("1e999", "metric 'auc'")
