"""The backtest: past decisions judged by another policy, on the evidence of then; no guesses."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from regista.errors import IntegrityError
from regista.model.commit import log_key
from regista.registry.backtesting import Backtest, PastDecision, backtest
from regista.registry.core import Registry
from regista.write import transaction
from support import everything
from support.registries import OPEN, STAGES, Json, apply_policy, bundle_of, new_registry, register
from support.scripted import Clock

ACC: Json = {"suite": "holdout", "metric": "acc"}


def policy(*gates: Any, stage: str = "prod", **fields: Any) -> Json:
    return {**STAGES, "rules": [{"stage": stage, "gates": list(gates)}], **fields}


def floor(least: str) -> Json:
    return {"threshold": {**ACC, "min": least}}


def version(registry: Registry, acc: str, **options: Any) -> str:
    """Register and evaluate a version; return its reference."""
    number = register(registry, "m", f"content {acc}", force_new=True, **options).version
    registry.log_eval(f"m@{number}", "holdout", {"acc": acc})
    return f"m@{number}"


def run(registry: Registry, other: Json, **options: Any) -> Backtest:
    return backtest(registry.replica, bundle_of(other), **options)


def finding(registry: Registry, other: Json) -> PastDecision:
    [found] = run(registry, other).findings
    return found


def counts(found: Backtest) -> tuple[int, ...]:
    return (found.same, found.would_refuse, found.would_pass, found.not_judged)


def test_a_policy_agrees_with_what_it_decided_itself() -> None:
    gated = policy(floor("0.8"), {"baseline": {**ACC}})
    registry = new_registry(gated)
    for acc in ("0.7", "0.85", "0.84", "0.9", "0.9"):
        registry.promote(version(registry, acc), "prod")
    registry.rollback("m", "prod")
    found = run(registry, gated)
    assert counts(found) == (5, 0, 0, 0)
    assert found.decisions == 5
    assert found.findings == []


def test_a_stricter_policy_would_have_refused_and_says_what_was_rolled_back() -> None:
    registry = new_registry()
    for acc in ("0.9", "0.7", "0.8"):
        registry.promote(version(registry, acc), "prod")
    seq = registry.rollback("m", "prod", to=1).seq
    found = run(registry, policy(floor("0.75")))
    assert counts(found) == (2, 1, 0, 0)
    [past] = found.findings
    assert (past.kind, past.name, past.version, past.stage) == ("would_refuse", "m", 2, "prod")
    assert (past.outcome, past.rolled_back) == ("passed", seq)
    [reason] = past.reasons
    assert (reason["gate"], reason["status"]) == ("threshold:holdout/acc", "failed")
    assert "0.7" in reason["reason"]
    assert found.rolled_back == {"all": 2, "would_refuse": 1, "not_judged": 0}


def test_a_looser_policy_would_have_let_through_what_was_refused() -> None:
    registry = new_registry(policy(floor("0.8")))
    registry.promote(version(registry, "0.7"), "prod")
    past = finding(registry, policy(floor("0.6")))
    assert (past.kind, past.outcome) == ("would_pass", "refused")
    assert [(item["gate"], item["status"]) for item in past.reasons] == [
        ("threshold:holdout/acc", "failed")
    ]


def test_what_came_later_is_no_evidence() -> None:
    registry = new_registry()
    ref = version(registry, "0.7")
    registry.promote(ref, "prod")
    registry.log_eval(ref, "holdout", {"acc": "0.99"})
    assert finding(registry, policy(floor("0.8"))).kind == "would_refuse"


def test_what_was_in_a_stage_then_is_the_incumbent() -> None:
    registry = new_registry()
    for acc in ("0.9", "0.8", "0.85"):
        registry.promote(version(registry, acc), "prod")
    # 2 would have been refused, and was there all the same when 3 came
    found = run(registry, policy({"baseline": {**ACC}}))
    assert [past.version for past in found.findings] == [2]


def test_time_is_the_recorded_time() -> None:
    clock = Clock()
    with patch.object(transaction, "datetime", clock):
        registry = new_registry()
        ref = version(registry, "0.9")
        clock.moment += timedelta(days=1)
        registry.promote(ref, "staging")
        clock.moment += timedelta(days=3)
        registry.promote(ref, "prod")
    fresh = {"freshness": {"suite": "holdout", "max_age": "2d"}}
    rules = [{"stage": stage, "gates": [fresh]} for stage in ("staging", "prod")]
    found = run(registry, {**STAGES, "rules": rules})
    assert [(past.stage, past.kind) for past in found.findings] == [("prod", "would_refuse")]


def test_artifacts_that_nobody_looked_at_then_are_not_looked_at_now() -> None:
    registry = new_registry()
    registry.promote(version(registry, "0.9"), "prod")
    past = finding(registry, policy("integrity"))
    assert (past.kind, past.outcome) == ("not_judged", "passed")
    assert [(item["gate"], item["status"]) for item in past.reasons] == [("integrity", "unknown")]
    assert "not on record" in past.unknown[0]


def test_a_recorded_look_at_the_artifacts_is_used() -> None:
    registry = new_registry(policy("integrity"))
    registry.promote(version(registry, "0.9"), "prod")
    assert counts(run(registry, policy({"integrity": {"id": "another"}}))) == (1, 0, 0, 0)


def test_what_is_not_known_does_not_matter_where_another_gate_refuses() -> None:
    registry = new_registry()
    registry.promote(version(registry, "0.7"), "prod")
    past = finding(registry, policy("integrity", floor("0.8")))
    assert past.kind == "would_refuse"
    assert [item["gate"] for item in past.reasons] == ["threshold:holdout/acc"]


def test_approvals_count_where_the_rules_are_the_same() -> None:
    asking = policy({"approvals": {"count": 1}})
    registry = new_registry(asking)
    ref = version(registry, "0.9")
    registry.approve(ref, "prod")
    registry.promote(ref, "prod")
    assert counts(run(registry, {**asking, "side_stages": ["other"]})) == (1, 0, 0, 0)


def test_approvals_under_other_rules_are_neither_a_yes_nor_a_no() -> None:
    registry = new_registry(policy({"approvals": {"count": 1}}))
    ref = version(registry, "0.9")
    registry.approve(ref, "prod")
    registry.promote(ref, "prod")
    past = finding(registry, policy({"approvals": {"count": 1}}, floor("0.5")))
    assert (past.kind, past.unknown) == (
        "not_judged", ["its approvals were given under other rules"]
    )  # fmt: skip
    assert [item["gate"] for item in past.reasons] == ["approvals"]
    # one yes is not two, under whatever rules
    assert finding(registry, policy({"approvals": {"count": 2}})).kind == "would_refuse"
    # and the floor refuses, whoever approved
    past = finding(registry, policy({"approvals": {"count": 1}}, floor("0.95")))
    assert past.kind == "would_refuse"


def test_an_approval_that_was_void_then_is_void() -> None:
    registry = new_registry(policy({"approvals": {"count": 1}}, floor("0.5")))
    ref = version(registry, "0.9")
    registry.approve(ref, "prod")
    registry.log_eval(ref, "holdout", {"acc": "0.6"})
    registry.promote(ref, "prod")
    # it was refused, and would be: nobody approved of the newer run
    assert counts(run(registry, policy({"approvals": {"count": 1}}, floor("0.4")))) == (1, 0, 0, 0)


def test_nobody_approved_where_nobody_was_asked() -> None:
    registry = new_registry()
    registry.promote(version(registry, "0.9"), "prod")
    assert finding(registry, policy({"approvals": {"count": 1}})).kind == "would_refuse"


def test_a_stage_that_the_policy_does_not_have_is_not_judged() -> None:
    registry = new_registry()
    registry.promote(version(registry, "0.9"), "prod")
    other = {"format": 1, "stages": ["dev", "live"], "rules": []}
    past = finding(registry, other)
    assert (past.kind, past.reasons) == ("not_judged", [])
    assert past.unknown == ["there is no stage 'prod'"]


def test_an_alias_is_judged_where_either_policy_gates_it() -> None:
    registry = new_registry()
    ref = version(registry, "0.7")
    registry.alias(ref, "champion")
    assert run(registry, OPEN).decisions == 0
    gated = policy(floor("0.8"), stage="champion", gated_aliases=["champion"])
    past = finding(registry, gated)
    assert (past.kind, past.stage) == ("would_refuse", "champion")


def test_operations_of_one_commit_see_the_ones_before() -> None:
    registry = new_registry()
    register(registry, "m", "first")
    with registry.transaction() as tx:
        tx.log_eval("m@1", "holdout", {"acc": "0.9"})
        tx.promote("m@1", "staging")
        tx.promote("m@1", "prod")
    good = run(registry, policy(floor("0.8"), stage="prod"))
    assert counts(good) == (2, 0, 0, 0)
    bad = {**STAGES, "rules": [{"stage": "prod", "from": "shadow", "gates": [floor("0.95")]}]}
    assert [past.stage for past in run(registry, bad).findings] == ["prod"]


def test_a_refused_commit_is_judged_as_far_as_it_was_decided() -> None:
    registry = new_registry(policy(floor("0.8")))
    register(registry, "m", "first")
    with registry.transaction() as tx:
        tx.log_eval("m@1", "holdout", {"acc": "0.7"})
        tx.promote("m@1", "prod")
        tx.promote("m@1", "staging")
    found = run(registry, policy(floor("0.6")))
    assert found.decisions == 1
    assert [past.kind for past in found.findings] == ["would_pass"]


def test_a_rollback_is_told_of_the_promotion_that_it_took_back() -> None:
    registry = new_registry()
    good, poor = version(registry, "0.9"), version(registry, "0.7")
    registry.promote(good, "prod")
    first = registry.promote(poor, "prod").seq
    registry.demote("m", "prod")
    registry.promote(good, "prod")
    second = registry.promote(poor, "prod").seq
    back = registry.rollback("m", "prod").seq
    found = run(registry, policy(floor("0.8")))
    assert [(past.seq, past.rolled_back) for past in found.findings] == [
        (first, None), (second, back)
    ]  # fmt: skip
    assert found.rolled_back["would_refuse"] == 1


def test_all_are_counted_and_only_so_many_listed() -> None:
    registry = new_registry()
    for acc in ("0.9", "0.7", "0.71", "0.72"):
        registry.promote(version(registry, acc), "prod")
    registry.rollback("m", "prod", to=1)
    found = run(registry, policy(floor("0.8")), limit=1)
    assert (found.would_refuse, len(found.findings), found.omitted) == (3, 1, 2)
    assert found.rolled_back == {"all": 3, "would_refuse": 3, "not_judged": 0}


def test_examples_that_are_gone_leave_a_decision_unjudged(tmp_path: Path) -> None:
    registry = new_registry(folder=tmp_path / "r")
    for number in (1, 2):
        register(registry, "m", f"content {number}")
        samples = [{"sample_id": str(i), "metric": "acc", "value": 1} for i in range(30)]
        registry.log_eval(f"m@{number}", "holdout", {"acc": "1"}, samples=samples)
        registry.promote(f"m@{number}", "prod")
    gate = {"baseline": {**ACC, "test": "paired_t", "max_regression": "0.1"}}
    assert counts(run(registry, policy(gate))) == (2, 0, 0, 0)
    for file in (tmp_path / "r" / "data" / "eval_samples").iterdir():
        file.unlink()
    found = run(registry, policy(gate))
    assert counts(found) == (1, 0, 0, 1)
    assert "is missing" in found.findings[0].unknown[0]


def test_a_log_that_cannot_be_followed_is_an_error(tmp_path: Path) -> None:
    registry = new_registry(folder=tmp_path / "r")
    version(registry, "0.9")
    (tmp_path / "r" / log_key(2)).unlink()
    with pytest.raises(IntegrityError, match="commit 2"):
        run(registry, OPEN)


def test_every_operation_there_is_can_be_walked_over_and_nothing_is_written() -> None:
    registry = everything.build()
    before = list(registry.replica.store.list_after(""))
    found = run(registry, policy(floor("0.8"), {"approvals": {"count": 1}}))
    assert found.decisions == sum(counts(found)) > 5
    assert found.seq == registry.replica.refresh().seq
    assert list(registry.replica.store.list_after("")) == before


def test_the_policy_in_force_agrees_since_it_is_in_force() -> None:
    registry = new_registry()
    registry.promote(version(registry, "0.7"), "prod")
    strict = policy(floor("0.8"))
    since = apply_policy(registry, strict).seq
    registry.promote(version(registry, "0.75"), "prod")
    registry.promote(version(registry, "0.9"), "prod")
    assert all(past.seq < since for past in run(registry, strict).findings)
