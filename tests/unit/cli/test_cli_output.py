import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.cli import output
from regista.errors import NotFoundError, OutcomeUnknownError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_json_reads_back_as_it_was_and_is_one_ascii_line(value: object) -> None:
    text = output.dumps(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert "\n" not in text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_json_has_no_number_that_json_does_not_have(value: object) -> None:
    assert "null" in output.dumps(value)


def test_values_that_only_sql_gives_have_a_json_form() -> None:
    east = timezone(timedelta(hours=2))
    assert output.dumps(Decimal("0.1")) == "0.1"
    assert output.dumps(datetime(2026, 3, 3, 9, 30)) == '"2026-03-03T09:30:00.000000Z"'
    assert output.dumps(datetime(2026, 3, 3, 9, 30, tzinfo=east)).startswith('"2026-03-03T07:30')
    assert output.dumps(datetime(2026, 3, 3, tzinfo=UTC).date()) == '"2026-03-03"'
    assert output.dumps(b"\x00\xff") == '"00ff"'


def test_an_error_is_one_line_whatever_it_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    output.report(NotFoundError("no\n\x1b[2J such", hint="look\nhere"), as_json=False)
    assert capsys.readouterr().err == "error: no \\u001b[2J such (hint: look here)\n"


def test_an_error_in_json_has_code_message_and_hint(capsys: pytest.CaptureFixture[str]) -> None:
    output.report(NotFoundError("gone", hint="look"), as_json=True)
    assert json.loads(capsys.readouterr().err) == {
        "error": {"code": "not_found", "message": "gone", "hint": "look"}
    }


def test_an_unknown_outcome_tells_the_txid(capsys: pytest.CaptureFixture[str]) -> None:
    output.report(OutcomeUnknownError("?", txid="t1"), as_json=True)
    assert json.loads(capsys.readouterr().err)["error"]["txid"] == "t1"
