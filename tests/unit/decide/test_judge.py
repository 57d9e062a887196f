"""Judging: all matching rules, in order, with ids that are unique."""

import pytest

from fakes.case import FakeCase, score
from regista.decide.judge import judge
from regista.decide.policy import Policy
from regista.decide.verdict import Outcome, VerdictStatus
from regista.errors import NewerFormatError

THRESHOLD = {"threshold": {"suite": "holdout", "metric": "auc", "min": "0.9"}}


def policy(*rules: object, **fields: object) -> Policy:
    return Policy.from_json(
        {
            "format": 1,
            "stages": ["dev", "staging", "prod"],
            "on_register": "dev",
            "rules": list(rules),
            **fields,
        }
    )


def ready() -> FakeCase:
    case = FakeCase()
    case.hold("staging", 2)
    case.log(2, "holdout", score("auc", "0.95"))
    return case


def test_every_gate_of_every_matching_rule_is_judged_in_order() -> None:
    value = policy(
        {"stage": "prod", "from": "staging", "gates": [THRESHOLD]},
        {"stage": "staging", "gates": ["integrity"]},
        {"stage": "prod", "match": {"kind": "prompt"}, "gates": ["integrity"]},
        {"stage": "prod", "gates": [{"coverage": {"suites": "any"}}]},
    )
    judgement = judge(value, ready())
    assert [(v.id, v.kind, v.rule, v.revision) for v in judgement.verdicts] == [
        ("from:staging", "from", 0, 1),
        ("threshold:holdout/auc", "threshold", 0, 2),
        ("coverage:any", "coverage", 3, 2),
    ]
    assert (judgement.outcome, judgement.ungated) == (Outcome.PASSED, False)


def test_one_refusal_refuses_and_the_others_are_still_told() -> None:
    value = policy({"stage": "prod", "from": "staging", "gates": [THRESHOLD, THRESHOLD]})
    case = FakeCase()
    judgement = judge(value, case)
    assert [verdict.status for verdict in judgement.verdicts] == [
        VerdictStatus.FAILED,
        VerdictStatus.UNDECIDABLE,
        VerdictStatus.UNDECIDABLE,
    ]
    assert judgement.outcome == Outcome.REFUSED


def test_ids_that_come_again_are_numbered() -> None:
    one = {"stage": "prod", "from": "staging", "gates": [THRESHOLD, THRESHOLD]}
    ids = [verdict.id for verdict in judge(policy(one, one), ready()).verdicts]
    assert ids == [
        "from:staging",
        "threshold:holdout/auc",
        "threshold:holdout/auc#2",
        "from:staging#2",
        "threshold:holdout/auc#3",
        "threshold:holdout/auc#4",
    ]


@pytest.mark.parametrize(
    ("holder", "observed", "reason"),
    [
        (None, "holds dev", "version 2 does not hold staging: staging is empty"),
        (1, "holds dev", "version 2 does not hold staging: version 1 does"),
    ],
)
def test_from_means_holds_that_stage_now(holder: int | None, observed: str, reason: str) -> None:
    case = FakeCase()
    case.hold("dev", 2)
    case.hold("staging", holder)
    [verdict] = judge(policy({"stage": "prod", "from": "staging"}), case).verdicts
    finding = verdict.finding
    assert (finding.status, finding.observed, finding.reason) == (
        VerdictStatus.FAILED,
        observed,
        reason,
    )
    assert finding.remedy == "regista promote fraud/card@2 --to staging"


def test_from_the_stage_that_register_fills_asks_for_a_new_registration() -> None:
    [verdict] = judge(policy({"stage": "prod", "from": "dev"}), FakeCase()).verdicts
    assert verdict.finding.observed == "holds no stage"
    assert verdict.finding.remedy.startswith("register it again")


def test_without_a_rule_a_placement_passes_and_is_marked() -> None:
    judgement = judge(policy(), FakeCase())
    assert (judgement.outcome, judgement.ungated, judgement.verdicts) == (Outcome.PASSED, True, ())


def test_without_a_rule_a_placement_is_refused_where_the_policy_says_so() -> None:
    judgement = judge(policy(ungated="refuse"), FakeCase())
    [verdict] = judgement.verdicts
    assert (verdict.id, verdict.kind, verdict.status) == (
        "ungated",
        "ungated",
        VerdictStatus.FAILED,
    )
    assert (judgement.outcome, judgement.ungated) == (Outcome.REFUSED, False)


def test_a_rule_that_asks_for_nothing_leaves_the_placement_marked_as_ungated() -> None:
    judgement = judge(policy({"stage": "prod"}, ungated="refuse"), FakeCase())
    assert (judgement.outcome, judgement.ungated) == (Outcome.PASSED, True)


def test_the_stage_that_register_fills_needs_no_rule() -> None:
    judgement = judge(policy(ungated="refuse"), FakeCase(stage="dev"))
    assert (judgement.outcome, judgement.ungated) == (Outcome.PASSED, True)


def test_a_gated_alias_is_judged_by_its_rules() -> None:
    value = policy({"stage": "champion", "gates": [THRESHOLD]}, gated_aliases=["champion"])
    assert judge(value, FakeCase(stage="champion")).outcome == Outcome.REFUSED


def test_a_replay_asks_for_the_revisions_that_were_recorded() -> None:
    value = policy({"stage": "prod", "gates": [THRESHOLD]})
    old, new = judge(value, ready(), {"threshold": 1}), judge(value, ready())
    assert [verdict.revision for verdict in (*old.verdicts, *new.verdicts)] == [1, 2]
    assert [verdict.finding for verdict in old.verdicts] == [v.finding for v in new.verdicts]
    with pytest.raises(NewerFormatError, match="revision 7"):
        judge(value, ready(), {"threshold": 7})


def test_a_gate_that_breaks_is_a_bug_and_not_a_verdict() -> None:
    case = ready()
    case.runs.clear()
    del case.version.runs["holdout"]
    value = policy({"stage": "prod", "gates": ["integrity"]})
    with pytest.raises(KeyError):
        judge(value, case)
