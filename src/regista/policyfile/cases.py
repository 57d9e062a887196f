"""Reading a policy's test file: what is given in each test, and what is expected.

What a test gives is facts, not commits; `regista.registry.rehearsing` makes a history of them.
All ages are counted back from the decision.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from regista.decide.gates.fields import CheckContext, check_fields
from regista.errors import InvalidInputError
from regista.policyfile.case_fields import FILE_FIELDS, WHOLE
from regista.policyfile.loading import read_text, refusal
from regista.policyfile.yaml_reader import load_yaml

DEFAULT_FILE = "policy.test.yaml"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One evaluation of a version.

    Attributes:
        scores: objects as `log_eval` takes them.
        samples: objects as `log_eval` takes them; None without per-example results.
    """

    suite: str
    scores: tuple[Json, ...]
    samples: tuple[Json, ...] | None
    status: str
    dataset: str
    age: str
    by: str

    @classmethod
    def from_json(cls, suite: str, value: Json) -> Self:
        """Read a checked run: its fields, or scores by metric alone."""
        said: Json = value if {"scores", "status"} & value.keys() else {"scores": value}
        samples = said.get("samples")
        return cls(
            suite,
            tuple(row for item in said.get("scores", {}).items() for row in _score_rows(*item)),
            None if samples is None else tuple(_sample_rows(samples)),
            said.get("status", "complete"),
            said.get("dataset", ""),
            said.get("age", "1h"),
            said.get("by", "evaluator"),
        )


@dataclass(frozen=True, slots=True)
class ApprovalFacts:
    """A person's yes to the candidate."""

    by: str
    age: str
    meaning: str

    @classmethod
    def from_json(cls, value: Json | str) -> Self:
        """Read a checked approval: its fields, or the actor alone."""
        said = {"by": value} if isinstance(value, str) else value
        return cls(said["by"], said.get("age", "10m"), said.get("meaning", ""))


@dataclass(frozen=True, slots=True)
class WaiverFacts:
    """An exception for the candidate; `lasts` counts from when it was given."""

    gate: str
    by: str
    age: str
    lasts: str

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read a checked waiver."""
        return cls(value["gate"], value["by"], value.get("age", "5m"), value.get("lasts", "1h"))


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """A version, as far as a test says of it.

    Attributes:
        holds: stages that it holds, with the age of the placement.
        record: what it was registered with, as `register` takes it.
        description: its description.
        artifacts: what a look at its files finds.
    """

    by: str
    age: str
    holds: Mapping[str, str]
    record: Json
    description: str
    artifacts: str
    runs: tuple[RunFacts, ...]
    approvals: tuple[ApprovalFacts, ...]
    waivers: tuple[WaiverFacts, ...]

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read a checked version."""
        recorded = (
            "tags", "params", "card", "label", "run", "code", "dataset", "base", "member",
        )  # fmt: skip
        runs = [
            RunFacts.from_json(suite, run)
            for suite, said in (value.get("evals") or {}).items()
            for run in (said if isinstance(said, list) else [said])
        ]
        return cls(
            value.get("by", "author"),
            value.get("age", "90d"),
            _held(value.get("holds", {})),
            {name: value[name] for name in recorded if name in value},
            value.get("description", ""),
            value.get("artifacts", WHOLE),
            tuple(runs),
            tuple(map(ApprovalFacts.from_json, value.get("approvals", ()))),
            tuple(map(WaiverFacts.from_json, value.get("waivers", ()))),
        )


@dataclass(frozen=True, slots=True)
class DrillFacts:
    """A rehearsed rollback; stage '' for the one that is asked for."""

    stage: str
    age: str
    ok: bool

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read a checked drill."""
        return cls(value.get("stage", ""), value.get("age", "1d"), value.get("ok", True))


@dataclass(frozen=True, slots=True)
class PolicyCase:
    """One test of a policy.

    Attributes:
        name: what it shows.
        line: where it begins in its file, from 1.
        entry: name of the entry; `kind` is its kind.
        target: stage or gated alias that is asked for.
        by: who asks.
        candidate: the version that asks.
        incumbents: what the target holds and held, the oldest first.
        drill: a rehearsed rollback, if any.
        expect: the outcome.
        gates: expected verdicts by gate.
    """

    name: str
    line: int
    entry: str
    kind: str
    target: str
    by: str
    candidate: VersionFacts
    incumbents: tuple[VersionFacts, ...]
    drill: DrillFacts | None
    expect: str
    gates: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Json, line: int) -> Self:
        """Read a checked test."""
        held = value.get("incumbent", [])
        drill = value.get("drill")
        return cls(
            value["name"],
            line,
            value.get("entry", "example"),
            value.get("kind", "model"),
            value["to"],
            value.get("by", "ci"),
            VersionFacts.from_json(value.get("candidate", {})),
            tuple(VersionFacts.from_json(item) for item in (held if _is_list(held) else [held])),
            None if drill is None else DrillFacts.from_json(drill),
            value["expect"],
            value.get("gates", {}),
        )


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A test file: the policy that it names, if any, and its tests."""

    file: str
    policy: Path | None
    cases: tuple[PolicyCase, ...]


def read_cases(path: Path) -> CaseFile:
    """Read a test file.

    Raises:
        InvalidInputError: it is missing, no YAML, or says something that no test has; the message
            names the place.
    """
    file = str(path)
    value, positions = load_yaml(read_text(path, "test file"), file)
    problems = check_fields(FILE_FIELDS, value, CheckContext(()), "a test file")
    if problems:
        raise refusal(file, problems, positions)
    cases = [
        PolicyCase.from_json(test, positions.at(("tests", index)).line)
        for index, test in enumerate(value["tests"])
    ]
    seen: set[str] = set()
    for case in cases:
        if case.name in seen:
            raise InvalidInputError(
                f"{file}:{case.line}: another test has this name", hint="give each its own name"
            )
        seen.add(case.name)
    named = value.get("policy")
    return CaseFile(file, path.parent / named if named else None, tuple(cases))


def _held(value: Any) -> Mapping[str, str]:  # noqa: ANN401 - as checked
    if isinstance(value, dict):
        return value
    return dict.fromkeys([value] if isinstance(value, str) else value, "1d")


def _score_rows(metric: str, value: Any) -> list[Json]:  # noqa: ANN401 - as checked
    """Return a score over all of the data and those on its slices."""
    said = value if isinstance(value, dict) else {"value": value}
    common = {name: said[name] for name in ("task", "direction") if name in said}
    parts = {"": {name: said[name] for name in ("value", "stderr", "n") if name in said}}
    for name, part in said.get("slices", {}).items():
        parts[name] = part if isinstance(part, dict) else {"value": part}
    return [{"metric": metric, "slice": name, **common, **part} for name, part in parts.items()]


def _sample_rows(value: Mapping[str, list[Any]]) -> list[Json]:
    return [
        {"sample_id": str(place), "metric": metric, **_sample(result)}
        for metric, results in value.items()
        for place, result in enumerate(results, 1)
    ]


def _sample(result: Any) -> Json:  # noqa: ANN401 - as checked
    return {"passed": result} if isinstance(result, bool) else {"value": float(result)}


def _is_list(value: object) -> bool:
    return isinstance(value, list)
