"""The sql gate: exactly one row that says true or false, or no decision."""

from typing import Any

import pytest

from fakes.case import FakeCase
from regista.decide.gates import KINDS
from regista.decide.verdict import Finding, VerdictStatus

COLUMNS = ["passed", "observed", "required"]
QUERY = "SELECT true AS passed"


def answered(answer: object, **params: object) -> Finding:
    case = FakeCase()
    case.answer = answer
    return KINDS["sql"].evaluate({"query": QUERY, **params}, case)


def row(values: list[object], columns: list[str] | None = None) -> dict[str, Any]:
    return {"columns": columns or COLUMNS, "rows": [values]}


def test_a_row_that_passed_passes() -> None:
    finding = answered(row([True, "12", "<= 20"]))
    assert finding.status == VerdictStatus.PASSED
    assert (finding.observed, finding.required) == ("12", "<= 20")
    assert finding.reason == "the query says passed"


def test_a_row_that_did_not_pass_fails_with_its_reason() -> None:
    columns = [*COLUMNS, "reason"]
    finding = answered(row([False, "25", "<= 20", "p95 is too slow"], columns))
    assert (finding.status, finding.reason) == (VerdictStatus.FAILED, "p95 is too slow")
    assert finding.remedy == "register a version that meets it: <= 20"


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "Parser Error:\nsyntax error"},
        {"columns": COLUMNS, "rows": []},
        {"columns": COLUMNS, "rows": [[True, "1", "2"], [True, "1", "2"]]},
        row([None, "1", "2"]),
        row([1, "1", "2"]),
        row(["true", "1", "2"]),
        row([True, "1"], ["passed", "observed"]),
    ],
)
def test_anything_else_is_undecidable_on_one_line(answer: object) -> None:
    finding = answered(answer, file="gates/x.sql")
    assert finding.status == VerdictStatus.UNDECIDABLE
    assert "\n" not in finding.reason
    assert finding.remedy == "log what the query reads, or mend it in gates/x.sql"


def test_columns_are_found_whatever_their_case_and_order() -> None:
    answer = row(["<= 20", True, "12"], ["Required", "PASSED", "observed"])
    assert answered(answer).required == "<= 20"


def test_null_and_booleans_are_shown_as_sql_writes_them() -> None:
    finding = answered(row([True, None, False]))
    assert (finding.observed, finding.required) == ("NULL", "false")


def test_limits_reach_the_sandbox_in_seconds_and_megabytes() -> None:
    case = FakeCase()
    case.answer = row([True, "1", "2"])
    KINDS["sql"].evaluate({"query": QUERY, "timeout": "1m", "memory_mb": 64}, case)
    KINDS["sql"].evaluate({"query": QUERY}, case)
    assert [limits for _query, limits in case.queries] == [
        {"timeout_s": 60, "memory_mb": 64},
        {"timeout_s": 10, "memory_mb": 256},
    ]


def test_the_evidence_is_the_querys_own_digest() -> None:
    [named] = answered(row([True, "1", "2"])).evidence
    assert named.startswith("query:")
    assert len(named) == len("query:") + 64
