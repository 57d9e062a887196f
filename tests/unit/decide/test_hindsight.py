"""Hindsight: which operations were decisions, and what another policy says of them."""

from typing import Any
from unittest.mock import patch

import pytest

from regista.decide.hindsight import target_of
from regista.decide.policy import Policy
from regista.model.commit import OpRecord
from regista.read.world import World
from regista.registry.backtesting import backtest
from support.registries import STAGES, bundle_of, new_registry, register

GATING = Policy.from_json({**STAGES, "gated_aliases": ["champion"]})
PROMOTED = {"name": "m", "version": 2, "from_version": 1, "stage": "prod", "outcome": "passed",
            "gates": []}  # fmt: skip
ALIASED = {"name": "m", "version": 2, "from_version": 1, "alias": "champion", "outcome": "passed",
           "gates": []}  # fmt: skip


@pytest.mark.parametrize(
    ("op", "decision", "target"),
    [
        ("promote", PROMOTED, "prod"),
        ("promote", {**PROMOTED, "outcome": "refused"}, "prod"),
        ("promote", {**PROMOTED, "from_version": 2}, ""),
        ("promote", {"skipped": True}, ""),
        ("alias", ALIASED, "champion"),
        ("alias", {**ALIASED, "alias": "free"}, ""),
        ("alias", {**ALIASED, "alias": "free", "gates": [{"id": "g"}]}, "free"),
        ("alias", {"name": "m", "version": None, "alias": "champion", "from_version": 2}, ""),
        ("policy apply", {"outcome": "passed", "gates": [], "policy": "p"}, ""),
        ("rollback", {"name": "m", "version": 1, "stage": "prod"}, ""),
    ],
)
def test_what_was_decided_on_is_told_by_the_operation(
    op: str, decision: dict[str, Any], target: str
) -> None:
    assert target_of(OpRecord(op, {}, {}, decision), GATING) == target


def test_a_query_is_run_once_for_both_ways_of_judging() -> None:
    registry = new_registry()
    register(registry, "m", "first")
    registry.promote("m@1", "prod")
    query = {"query": "SELECT true AS passed, 1 AS observed, 1 AS required"}
    policy = {**STAGES, "rules": [{"stage": "prod", "gates": [{"sql": query}, "integrity"]}]}
    asked = World.query
    with patch.object(World, "query", autospec=True, side_effect=asked) as counted:
        found = backtest(registry.replica, bundle_of(policy))
    assert found.not_judged == 1
    assert counted.call_count == 1
