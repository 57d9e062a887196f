"""SQL gates of a transaction: they see what came before them in it, and every replay agrees."""

from pathlib import Path
from typing import Any

import pytest

from regista.decide.gates import registry as kinds
from regista.decide.gates import sql
from regista.read import sandbox
from regista.registry import requests
from regista.registry.core import Registry
from regista.registry.results import Decided
from support.registries import STAGES, Json, new_registry, register, register_request, reopen

QUERY = """
SELECT max(value) >= 0.9 AS passed, max(value) AS observed, 0.9 AS required
FROM latest_scores WHERE entry = $entry AND version = $version AND suite = 'load'
"""
POLICY: Json = {
    **STAGES,
    "ungated": "allow",
    "rules": [{"match": {}, "stage": "staging", "gates": [{"sql": {"query": QUERY}}]}],
}


def eval_and_promote(registry: Registry, value: str, scores: int = 1) -> Decided:
    """Register, log scores of slices, rename, and ask for a stage: all in one commit."""
    with registry.transaction() as tx:
        tx.submit(register_request(registry.replica.store, "old", value))
        rows = [{"metric": "m", "value": value, "slice": f"s{k}"} for k in range(scores)]
        tx.log_eval("old@latest", "load", rows)
        tx.rename("old", "new")
        tx.submit(requests.promote("new@latest", "staging", reason="", again=False))
        tx.rename("new", "old")
    result = tx.results[3]
    assert isinstance(result, Decided)
    return result


@pytest.mark.parametrize("scores", [1, 600], ids=["inline", "by digest"])
@pytest.mark.parametrize(("value", "status"), [("0.95", "passed"), ("0.5", "failed")])
def test_a_gate_sees_the_operations_before_it_and_not_those_after(
    tmp_path: Path, value: str, status: str, scores: int
) -> None:
    registry = new_registry(POLICY, folder=tmp_path)
    result = eval_and_promote(registry, value, scores)
    [gate] = result.gates
    assert (gate["observed"], gate["status"]) == (value, status)
    registry.create("something")
    assert registry.verify().problems == []
    assert reopen(registry.replica.store).verify(deep=True).problems == []


def test_a_decision_of_revision_1_is_replayed_as_it_was_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = new_registry(POLICY)
    register(registry, "old", "first")
    registry.log_eval("old@1", "load", {"m": "0.99"})
    with monkeypatch.context() as patch:
        patch.setitem(kinds.KINDS, "sql", sql.KIND_1)
        [gate] = eval_and_promote(registry, "0.95").gates
    assert (gate["revision"], gate["status"]) == (1, "undecidable")
    [gate] = eval_and_promote(registry, "0.95").gates
    assert (gate["revision"], gate["status"]) == (2, "passed")
    assert registry.verify().problems == []


def test_an_answer_that_approvals_are_bound_to_is_asked_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gates: list[Json] = [{"sql": {"query": QUERY}}, {"approvals": {}}]
    registry = new_registry({**POLICY, "rules": [{"match": {}, "stage": "prod", "gates": gates}]})
    register(registry, "m", "first")
    registry.log_eval("m@1", "load", {"m": "0.99"})
    asked: list[object] = []

    def counting(*arguments: Any) -> Any:
        asked.append(arguments)
        return original(*arguments)

    original = sandbox.run_gate_query
    monkeypatch.setattr(sandbox, "run_gate_query", counting)
    registry.approve("m@1", "prod")
    assert len(asked) == 1
    assert registry.promote("m@1", "prod").outcome == "passed"
    assert len(asked) == 2
    # the one in the approval, and the one in the promotion
    assert registry.verify().problems == []
    assert len(asked) == 4


def test_another_operation_of_a_transaction_asks_anew(tmp_path: Path) -> None:
    registry = new_registry(POLICY, folder=tmp_path)
    register(registry, "m", "first")
    with registry.transaction() as tx:
        tx.log_eval("m@1", "load", {"m": "0.95"})
        tx.promote("m@1", "staging")
        tx.submit(register_request(registry.replica.store, "m", "second"))
        tx.log_eval("m@2", "load", {"m": "0.97"})
        tx.promote("m@2", "staging")
    seen = [result.gates[0]["observed"] for result in tx.results if isinstance(result, Decided)]
    assert seen == ["0.95", "0.97"]
