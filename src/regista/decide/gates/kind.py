"""The protocol that every gate kind follows: one value of `GateKind` per file and revision.

To add a kind, write one file with a `KIND` and name it in `registry.py`. To change what a kind
answers, raise its revision in a new value and keep the old one in the registry: a recorded
decision is replayed with the revision that made it. Two things must stay the same across
revisions: the meaning of the parameters, and the default id, which waivers and replays go by.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from regista.decide.evidence import Case
from regista.decide.gates.field_types import DURATION, Params, groups
from regista.decide.gates.fields import (
    CheckContext,
    Field,
    FieldType,
    Problems,
    Stricter,
    check_fields,
)
from regista.decide.gates.reading import Rows, all_on_record
from regista.decide.policy_problem import described, problem
from regista.decide.verdict import Finding

_MAX_ID = 100


def _no_problems(_params: Params, _context: CheckContext) -> Problems:
    return []


@dataclass(frozen=True, slots=True)
class GateKind:
    """One kind of gate.

    Attributes:
        kind: the name that policies use.
        revision: number of the rule that `evaluate` follows.
        summary: what it asks, in one sentence of Markdown.
        fields: its parameters.
        evaluate: judges a case. Pure; whatever it raises is a bug.
        evidence: the rows that `evaluate` reads of a case, clocks and signatures aside; see
            `reading.py`. What approvals are bound to.
        cross_check: what the fields cannot say alone, asked only when each of them is right.
        id_fields: the parameters that tell two gates of this kind apart.
        files: parameters that name a file, and the parameter that its text becomes.
        notes: what the reference says below the table.
    """

    kind: str
    revision: int
    summary: str
    fields: tuple[Field, ...]
    evaluate: Callable[[Params, Case], Finding]
    evidence: Callable[[Params, Case], Rows] = all_on_record
    cross_check: Callable[[Params, CheckContext], Problems] = _no_problems
    id_fields: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""

    @property
    def all_fields(self) -> tuple[Field, ...]:
        """Its parameters with those that every kind has."""
        return (*self.fields, WAIVABLE, ID)

    def check(self, params: object, context: CheckContext) -> Problems:
        """Check parameters as a policy gives them."""
        problems = check_fields(self.all_fields, params, context, f"the {self.kind} gate")
        if problems or not isinstance(params, dict):
            return problems
        return self.cross_check(params, context)

    def default_id(self, params: Params) -> str:
        """Return the id of a gate that has none of its own, such as `threshold:holdout/auc`."""
        parts = [_id_part(params[name]) for name in self.id_fields if name in params]
        return f"{self.kind}:{'/'.join(parts)}" if parts else self.kind


def _id_part(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)


def _id_problems(value: object, _context: CheckContext) -> Problems:
    hint = f"use 1 to {_MAX_ID} of A-Z a-z 0-9 . _ : / -"
    if not isinstance(value, str):
        return problem(f"an id is text, not {described(value)}", hint)
    plain = value.isascii() and all(char.isalnum() or char in "._:/-" for char in value)
    if not plain or not 1 <= len(value) <= _MAX_ID:
        return problem(f"{described(value)} is not an id", hint)
    return []


ID = Field(
    "id",
    FieldType("text", _id_problems),
    "name of the gate in verdicts",
    default="made from the kind and its main fields",
    stricter=Stricter.EQUAL,
)
WAIVER_FIELDS = (
    Field("by", groups("by"), "groups whose people may waive", required=True),
    Field("max", DURATION, "longest time that a waiver may last", required=True),
)


def _waivable_problems(value: object, context: CheckContext) -> Problems:
    if value is False:
        return []
    return check_fields(WAIVER_FIELDS, value, context, "waivable")


WAIVABLE = Field(
    "waivable",
    FieldType("`{by: [group], max: duration}`, or `false`", _waivable_problems),
    "who may waive the gate, and for how long at most",
    default="as the rule says, else nobody",
)


def as_params(params: Any) -> dict[str, Any]:  # noqa: ANN401 - a parsed YAML value
    """Return parameters as a mapping: a gate without any may be written with nothing."""
    return {} if params is None else dict(params)
