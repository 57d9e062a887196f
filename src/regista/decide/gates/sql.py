"""`sql`: one read-only query over the pinned views answers.

The query runs in a sandbox behind `Case.query`; here its answer is read. Whatever is not exactly
one row that says true or false leaves the gate undecided.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from regista.decide.evidence import Case
from regista.decide.gates.field_types import FILE, SQL, Params, duration_of, short_duration, whole
from regista.decide.gates.fields import (
    CheckContext,
    Field,
    Problems,
    Stricter,
    exclusive,
    one_needed,
)
from regista.decide.gates.findings import clip, failed, passed, undecidable
from regista.decide.gates.kind import GateKind
from regista.decide.gates.reading import Rows
from regista.decide.verdict import Finding
from regista.model.canonical import sha256_hex

MAX_TIMEOUT = timedelta(seconds=60)
DEFAULT_TIMEOUT = "10s"
DEFAULT_MEMORY_MB = 256
COLUMNS = ("passed", "observed", "required")


def evaluate(params: Params, case: Case) -> Finding:
    """Run the query and judge the one row that it returns."""
    return _evaluate(params, case, pending=True)


def evaluate_1(params: Params, case: Case) -> Finding:
    """Judge as revision 1 did: operations before in the same transaction were not seen."""
    return _evaluate(params, case, pending=False)


def _evaluate(params: Params, case: Case, *, pending: bool) -> Finding:
    query = params["query"]
    used = (f"query:{sha256_hex(query.encode())}",)
    answer = case.query(query, _limits(params), pending=pending)
    row = _one_row(answer)
    if isinstance(row, str):
        remedy = f"log what the query reads, or mend it in {params.get('file', 'the policy')}"
        return undecidable("no answer", "one row that passed", row, remedy, used)
    observed, required = _text(row["observed"]), _text(row["required"])
    says = f"the query says {'passed' if row['passed'] else 'not passed'}"
    reason = _text(row["reason"]) if row.get("reason") else says
    if row["passed"]:
        return passed(observed, required, reason, used)
    remedy = f"register a version that meets it: {required}"
    return failed(observed, required, reason, remedy, used)


def evidence(params: Params, case: Case) -> Rows:
    """Return the query's answer: which rows it read, nobody can tell from outside."""
    return _answer(params, case, pending=True)


def evidence_1(params: Params, case: Case) -> Rows:
    """Return the answer as revision 1 saw it."""
    return _answer(params, case, pending=False)


def _answer(params: Params, case: Case, *, pending: bool) -> Rows:
    query = params["query"]
    answer = case.query(query, _limits(params), pending=pending)
    digest = sha256_hex(query.encode())
    if "error" in answer:
        # what an error says differs between versions of the database
        return [{"query": digest, "error": True}]
    return [{"query": digest, "columns": answer["columns"], "rows": answer["rows"]}]


def _limits(params: Params) -> dict[str, int]:
    return {
        "timeout_s": int(duration_of(params, "timeout", DEFAULT_TIMEOUT).total_seconds()),
        "memory_mb": params.get("memory_mb", DEFAULT_MEMORY_MB),
    }


def _one_row(answer: Any) -> Mapping[str, Any] | str:  # noqa: ANN401 - JSON from the sandbox
    """Return the row by column, or why there is none."""
    if "error" in answer:
        return f"the query failed: {clip(str(answer['error']))}"
    columns = [str(name).lower() for name in answer["columns"]]
    absent = [name for name in COLUMNS if name not in columns]
    if absent:
        return f"the query returns no column {' and no '.join(absent)}"
    if len(answer["rows"]) != 1:
        return f"the query returns {'several rows' if answer['rows'] else 'no row'} instead of one"
    row = dict(zip(columns, answer["rows"][0], strict=True))
    if not isinstance(row["passed"], bool):
        return f"the query's passed is {_text(row['passed'])}, neither true nor false"
    return row


def _text(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    return clip(str(value))


def _cross_check(params: Params, _context: CheckContext) -> Problems:
    return one_needed(params, "file", "query") + exclusive(params, "file", "query")


KIND = GateKind(
    kind="sql",
    revision=2,
    summary="A query of yours over the registry's views says so.",
    fields=(
        Field(
            "file", FILE, "file with the query, below the policy's folder", stricter=Stricter.EQUAL
        ),
        Field("query", SQL, "the query itself"),
        Field(
            "timeout",
            short_duration(MAX_TIMEOUT),
            "time that it may take",
            default=DEFAULT_TIMEOUT,
            stricter=Stricter.EQUAL,
        ),
        Field(
            "memory_mb",
            whole(16, 4096),
            "memory that it may use, in MB",
            default=str(DEFAULT_MEMORY_MB),
            stricter=Stricter.EQUAL,
        ),
    ),
    evaluate=evaluate,
    evidence=evidence,
    cross_check=_cross_check,
    id_fields=("file",),
    files={"file": "query"},
    notes="""\
One `SELECT` that returns one row with the columns `passed` (boolean), `observed` and `required`,
and `reason` if you like. An error, no row, several rows or a `passed` that is null leave it
undecided. `policy apply` stores the file's text with the policy, and a replay runs that text.
Operations before the promotion in the same transaction are seen; revision 1 did not see them.""",
)
KIND_1 = replace(KIND, revision=1, evaluate=evaluate_1, evidence=evidence_1)
