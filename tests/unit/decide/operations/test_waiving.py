"""Planning `waive`: what it records, and whom and what it refuses."""

import pytest

from regista.decide.operations.context import Request
from regista.errors import InvalidInputError, NotFoundError, RefusedError
from regista.registry import requests
from support.history import History, history_with, promote
from support.registries import STAGES, Json

UNTIL = "2026-03-10T00:00:00Z"
POLICY: Json = {
    **STAGES,
    "ungated": "refuse",
    "groups": {"leads": ["lea"]},
    "gated_aliases": ["champion"],
    "rules": [
        {"stage": "staging"},
        {
            "stage": "prod",
            "from": "staging",
            "waivable": {"by": ["leads"], "max": "14d"},
            "gates": [
                {"threshold": {"id": "good", "suite": "holdout", "metric": "acc", "min": "0.99"}},
                {"integrity": {"waivable": False}},
            ],
        },
        {
            "stage": "champion",
            "waivable": {"by": ["leads"], "max": "1d"},
            "gates": [{"lineage": {"require": ["run"]}}],
        },
    ],
}


def waive(gate: str = "good", **options: str) -> Request:
    given = {"ref": "m@1", "stage": "prod", "reason": "the incident", "until": UNTIL, **options}
    return requests.waive(
        gate, given["ref"], given["stage"], reason=given["reason"], until=given["until"]
    )


def ready() -> History:
    history = history_with(1, POLICY)
    history.do(promote("m@1", "staging"))
    return history


def test_a_waiver_lets_in_loudly_and_both_replay() -> None:
    history = ready()
    assert history.do(promote("m@1")).refused
    decision = history.do(waive(), actor="Lea").ops[0].decision
    assert decision == {
        "name": "m", "version": 1, "stage": "prod", "gate": "good", "kind": "threshold",
        "reason": "the incident", "until": "2026-03-10T00:00:00.000000Z",
    }  # fmt: skip
    decision = history.decision(promote("m@1"))
    assert decision["outcome"] == "waived"
    assert [gate["status"] for gate in decision["gates"]] == ["passed", "waived", "passed"]
    rows = history.commits[-1].rows
    assert [row["status"] for row in rows if row["table"] == "verdicts"] == [
        "passed", "waived", "passed",
    ]  # fmt: skip
    assert next(row for row in rows if row["table"] == "decisions")["outcome"] == "waived"


def test_a_gated_alias_is_waived_as_a_stage_is() -> None:
    history = ready()
    assert history.do(requests.alias("m@1", "champion")).refused
    history.do(waive("lineage", stage="champion", until="2026-03-04T00:00:00Z"), actor="lea")
    assert history.decision(requests.alias("m@1", "champion"))["outcome"] == "waived"


@pytest.mark.parametrize(
    ("actor", "gate", "options", "error", "message"),
    [
        ("bob", "good", {}, RefusedError, "does not let 'bob' waive 'good'"),
        ("lea", "integrity", {}, RefusedError, "the policy lets nobody waive 'integrity'"),
        ("lea", "from:staging", {}, RefusedError, "a rule of state, which nobody can waive"),
        ("lea", "status", {}, RefusedError, "a rule of state"),
        ("lea", "rolled-back", {}, RefusedError, "a rule of state"),
        ("lea", "ungated", {}, RefusedError, "a rule of state"),
        ("lea", "gud", {}, NotFoundError, "no gate 'gud' guards 'm''s way to prod"),
        ("lea", "zzzzzz", {}, NotFoundError, "no gate 'zzzzzz'"),
        ("lea", "good", {"ref": "m@3"}, NotFoundError, "no version 3"),
        ("lea", "good", {"stage": "qa"}, InvalidInputError, "no stage 'qa'"),
        ("lea", "good", {"stage": "dev"}, RefusedError, "takes no promotion"),
        ("lea", "good", {"until": "2026-03-01"}, InvalidInputError, "has passed already"),
        ("lea", "good", {"until": "2026-04-01"}, RefusedError, "may last 14d at most"),
    ],
)
def test_what_the_policy_does_not_let_is_refused(
    actor: str, gate: str, options: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ready().do(waive(gate, **options), actor=actor)


def test_waiving_again_replaces_the_waiver_and_the_same_again_changes_nothing() -> None:
    history = ready()
    history.do(waive(), actor="lea")
    assert history.do(waive(), actor="LEA").planned[0].existing == history.state.seq
    history.do(waive(until="2026-03-03T09:31:00Z"), actor="lea")
    [held] = history.version(1).waivers
    assert held.until == "2026-03-03T09:31:00.000000Z"
    history.do(requests.tag("m", {"x": "y"}, []), seconds=3600)
    assert history.do(promote("m@1")).refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reason": " "}, "a waiver needs a reason"),
        ({"reason": "x" * 1001}, "at most 1,000"),
        ({"until": "tomorrow"}, "is not a time"),
        ({"until": "2026-03-10T00:00:00"}, "has no time zone"),
    ],
)
def test_a_waiver_has_a_reason_and_an_end(options: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        waive(**options)
