"""Waivers in a judgement: when they hold, what they turn, and what they never turn."""

from typing import Any

import pytest

from fakes.case import FakeCase, score
from regista.decide.heads import WaiverHead
from regista.decide.judge import judge
from regista.decide.policy import Policy
from regista.decide.verdict import Outcome, Verdict, VerdictStatus

THRESHOLD = {"suite": "holdout", "metric": "auc", "min": "0.9"}
LEADS = {"by": ["leads"], "max": "14d"}
GATE = "threshold:holdout/auc"


def policy(gate: dict[str, Any], **rule: Any) -> Policy:
    return Policy.from_json(
        {
            "format": 1,
            "stages": ["dev", "prod"],
            "groups": {"leads": ["lea"]},
            "rules": [{"stage": "prod", "gates": [{"threshold": gate}], **rule}],
        }
    )


def waiver(**fields: Any) -> WaiverHead:
    values = {
        "stage": "prod", "gate": GATE, "seq": 8, "time": "2026-03-05T12:00:00.000000Z",
        "by": "LEA", "reason": "the incident", "until": "2026-03-12T12:00:00.000000Z", **fields,
    }  # fmt: skip
    return WaiverHead(**values)


def verdict(given: Policy, *waivers: WaiverHead, auc: str = "0.5") -> tuple[Verdict, Outcome]:
    case = FakeCase()
    case.add(2, waivers=waivers)
    case.log(2, "holdout", score("auc", auc))
    judgement = judge(given, case)
    return judgement.verdicts[-1], judgement.outcome


def test_a_gate_that_refuses_is_waived_and_says_by_whom_until_when_and_what_it_saw() -> None:
    found, outcome = verdict(policy({**THRESHOLD, "waivable": LEADS}), waiver())
    assert (found.status, outcome) == (VerdictStatus.WAIVED, Outcome.WAIVED)
    assert found.finding.reason.startswith(
        "waived by LEA until 2026-03-12T12:00:00.000000Z: the incident; it is failed: holdout/auc"
    )
    assert found.finding.evidence[-1] == "commit:8"
    assert found.finding.observed == "0.5"


def test_what_is_undecidable_is_waived_too() -> None:
    gate = {**THRESHOLD, "suite": "other", "id": "other", "waivable": LEADS}
    found, _outcome = verdict(policy(gate), waiver(gate="other"))
    assert found.status == VerdictStatus.WAIVED
    assert "it is undecidable" in found.finding.reason


def test_a_gate_that_passes_needs_no_waiver() -> None:
    found, outcome = verdict(policy({**THRESHOLD, "waivable": LEADS}), waiver(), auc="0.95")
    assert (found.status, outcome) == (VerdictStatus.PASSED, Outcome.PASSED)


def test_a_rule_speaks_for_its_gates_unless_they_speak_themselves() -> None:
    assert verdict(policy(THRESHOLD, waivable=LEADS), waiver())[1] == Outcome.WAIVED
    own = {**THRESHOLD, "waivable": False}
    assert verdict(policy(own, waivable=LEADS), waiver())[1] == Outcome.REFUSED


@pytest.mark.parametrize(
    ("gate", "given", "why"),
    [
        (THRESHOLD, waiver(), "void: the policy lets nobody waive this gate"),
        ({**THRESHOLD, "waivable": LEADS}, waiver(by="bob"), "void: bob is not in leads"),
        (
            {**THRESHOLD, "waivable": LEADS},
            waiver(until="2026-03-10T11:00:00.000000Z"),
            "ended at 2026-03-10T11",
        ),
        (
            {**THRESHOLD, "waivable": {**LEADS, "max": "1d"}},
            waiver(),
            "void: it lasts longer than 1d",
        ),
    ],
)
def test_a_waiver_holds_only_while_the_policy_would_let_it_be_given(
    gate: dict[str, Any], given: WaiverHead, why: str
) -> None:
    found, outcome = verdict(policy(gate), given)
    assert (found.status, outcome) == (VerdictStatus.FAILED, Outcome.REFUSED)
    assert why in found.finding.reason


def test_a_waiver_is_of_one_gate_and_one_stage() -> None:
    given = policy({**THRESHOLD, "waivable": LEADS})
    assert verdict(given, waiver(stage="dev"), waiver(gate="x"))[1] == Outcome.REFUSED


def test_a_gate_that_refuses_names_the_command_that_waives_it() -> None:
    found, _outcome = verdict(policy({**THRESHOLD, "waivable": LEADS}))
    assert found.finding.remedy.endswith(
        "; or, by one of leads: regista waive threshold:holdout/auc fraud/card@2 --to prod"
        " --reason WHY --until 2026-03-24T12:00:00Z"
    )


def test_the_way_a_version_must_come_is_never_waived() -> None:
    given = policy(THRESHOLD, waivable=LEADS, **{"from": "dev"})
    case = FakeCase()
    case.add(2, waivers=(waiver(gate="from:dev"), waiver()))
    case.log(2, "holdout", score("auc", "0.5"))
    judgement = judge(given, case)
    assert [found.status for found in judgement.verdicts] == ["failed", "waived"]
    assert judgement.outcome == Outcome.REFUSED


def test_the_second_gate_of_an_id_is_waived_by_its_own() -> None:
    gates = [{"threshold": THRESHOLD}, {"threshold": {**THRESHOLD, "min": "0.7"}}]
    given = policy(THRESHOLD, waivable=LEADS, gates=gates)
    case = FakeCase()
    case.add(2, waivers=(waiver(gate=f"{GATE}#2"),))
    case.log(2, "holdout", score("auc", "0.5"))
    assert [found.status for found in judge(given, case).verdicts] == ["failed", "waived"]
