"""The approvals gate: distinct people, who counts, and what makes a yes void."""

from typing import Any

import pytest

from fakes.case import NAME, NOW, FakeCase, evaluate
from regista.decide.evidence import Bound
from regista.decide.gates.registry import find_kind
from regista.decide.heads import ApprovalHead
from regista.decide.verdict import Finding, VerdictStatus

GROUPS = {"risk": ("ann", "Bob", "dora"), "leads": ("lea",)}
RUN = "run r3-0 of version 2"
BOUND = Bound(
    "v" * 64,
    "r" * 64,
    "e" * 64,
    ((3, RUN),),
    ((3, "auc", RUN), (3, "fresh", RUN)),
    ("metadata", "latency"),
    GROUPS,
)


def given(by: str, **fields: Any) -> ApprovalHead:
    values = {
        "stage": "prod", "seq": 9, "time": "2026-03-09T12:00:00.000000Z", "by": by, "meaning": "",
        "version_digest": BOUND.version, "rules_digest": BOUND.rules,
        "evidence_digest": BOUND.evidence, "until": "", **fields,
    }  # fmt: skip
    return ApprovalHead(**values)


def judged(params: dict[str, Any], *approvals: ApprovalHead, actor: str = "cam") -> Finding:
    case = FakeCase()
    case.actor, case.bound = actor, BOUND
    case.add(2, approvals=approvals, by="ana")
    return evaluate("approvals", params, case)


def test_one_yes_of_anybody_is_enough_unless_more_is_asked() -> None:
    found = judged({}, given("zoe"))
    assert found.status == VerdictStatus.PASSED
    assert (found.observed, found.required) == ("1 of 1: zoe", "1 approval")
    assert found.evidence == ("commit:9",)


def test_nobody_said_yes() -> None:
    found = judged({"count": 2, "from": ["risk"]})
    assert found.status == VerdictStatus.FAILED
    assert found.observed == "0 of 2"
    assert found.required == "2 approvals, by risk"
    assert found.reason == "nobody has approved version 2"
    assert found.remedy == f"2 more of ann, Bob, dora: regista approve {NAME}@2 --to prod"


def test_without_a_group_everybody_may() -> None:
    assert judged({}).remedy.startswith("1 more of those who may write: regista approve")


def test_a_person_counts_once_however_often_and_however_spelt() -> None:
    twice = (given("ann", meaning="read"), given("ANN", meaning="approved"))
    assert judged({"count": 2}, *twice).observed == "1 of 2: ANN"


@pytest.mark.parametrize(
    ("params", "approval", "actor", "reason"),
    [
        ({"from": ["risk"]}, given("lea"), "cam", "lea is not in risk"),
        ({"from": ["risk", "leads"]}, given("x"), "cam", "x is not in risk or leads"),
        ({"not_author": True}, given("ANA"), "cam", "ANA is the author and cannot approve"),
        ({"not_committer": True}, given("Ann"), "ann", "Ann asks for it and cannot approve it too"),
        ({}, given("ann", version_digest="x"), "cam", "is void, since the version changed"),
        ({}, given("ann", rules_digest="x"), "cam", "is void, since the rules changed"),
        (
            {},
            given("ann", evidence_digest="x"),
            "cam",
            "since the evidence of metadata or latency changed",
        ),
        (
            {},
            given("ann", evidence_digest="x", seq=2),
            "cam",
            "the evidence of auc, fresh (run r3-0 of version 2) changed",
        ),
        (
            {},
            given("ann", rules_digest="x", version_digest="x"),
            "cam",
            "since the version, the rules changed",
        ),
        ({}, given("ann", until="2026-03-10T11:59:59.999999Z"), "cam", "ended at 2026-03-10T11"),
        ({"max_age": "12h"}, given("ann"), "cam", "the approval by ann is 1d old"),
    ],
)
def test_what_does_not_count_is_told_with_its_reason(
    params: dict[str, Any], approval: ApprovalHead, actor: str, reason: str
) -> None:
    found = judged(params, approval, actor=actor)
    assert found.status == VerdictStatus.FAILED
    assert reason in found.reason


@pytest.mark.parametrize(
    ("params", "approval"),
    [
        ({"from": ["risk"]}, given("bob")),
        ({"not_author": True, "not_committer": True}, given("ann")),
        ({}, given("ann", until=NOW)),
        ({"max_age": "24h"}, given("ann")),
        ({"meaning": "risk accepted"}, given("ann", meaning="risk accepted")),
    ],
)
def test_what_counts(params: dict[str, Any], approval: ApprovalHead) -> None:
    assert judged(params, approval).status == VerdictStatus.PASSED


def test_another_meaning_or_stage_is_another_matter() -> None:
    others = (given("ann", meaning="read"), given("dora", stage="staging"))
    found = judged({"meaning": "risk accepted"}, *others)
    assert found.reason == "nobody has approved version 2"
    assert found.required == "1 approval, meaning risk accepted"
    assert found.remedy.endswith("--to prod --meaning 'risk accepted'")


def test_one_void_yes_does_not_hide_a_good_one_of_the_same_person() -> None:
    both = (given("ann", meaning="a", rules_digest="x"), given("ann", meaning="b"))
    found = judged({}, *both)
    assert found.status == VerdictStatus.PASSED
    assert found.reason == "ann approved version 2"


def test_who_approved_is_not_asked_again_and_who_may_not_is_not_asked() -> None:
    params = {"count": 2, "from": ["risk"], "not_author": True, "not_committer": True}
    assert judged(params, given("bob"), actor="x").remedy.startswith("1 more of ann, dora:")
    found = judged(params, given("bob"), actor="Dora")
    assert found.required == "2 approvals, by risk, not by the author or the committer"
    assert found.remedy.startswith("1 more of ann:")


def test_where_only_the_asker_is_left_somebody_else_must_ask() -> None:
    params = {"count": 1, "from": ["leads"], "not_committer": True}
    assert judged(params, actor="Lea").remedy.startswith("somebody but lea must ask for it; then")


def test_a_group_that_is_too_small_says_so() -> None:
    assert "leads has too few people" in judged({"count": 2, "from": ["leads"]}).remedy


@pytest.mark.parametrize(
    ("seq", "said"),
    [(9, "since the evidence changed"), (2, "since the evidence (run r3-0 of version 2) changed")],
)
def test_the_first_revision_named_no_gate(seq: int, said: str) -> None:
    case = FakeCase()
    case.actor, case.bound = "cam", BOUND
    case.add(2, approvals=(given("ann", evidence_digest="x", seq=seq),), by="ana")
    found = find_kind("approvals", 1).evaluate({}, case)
    assert found.reason == f"the approval by ann is void, {said}"
