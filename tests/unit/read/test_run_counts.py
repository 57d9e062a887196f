"""Counting eval runs: of one entry, up to a commit, with those of the commit in the making."""

from pathlib import Path

import pytest

from regista.decide.gates import overuse
from regista.decide.gates import registry as kinds
from regista.decide.operations.context import RunCount
from regista.read import sandbox
from regista.read.run_counts import count_runs
from regista.read.sql import log_tail
from regista.registry.core import Registry
from regista.registry.results import Decided
from support.registries import STAGES, Json, new_registry, register, reopen

GATE: Json = {"overuse": {"suite": "holdout", "max_evaluations": 2}}
POLICY: Json = {
    **STAGES,
    "ungated": "allow",
    "rules": [{"match": {}, "stage": "prod", "gates": [GATE]}],
}


def count(registry: Registry, seq: int, **wanted: str | int) -> int:
    entry = registry.state().entry("m").entry_id
    asked = RunCount(seq, None, entry, wanted)
    return count_runs(registry.replica.store, log_tail(registry.replica.log, seq), asked)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = new_registry(POLICY, folder=tmp_path)
    for name in ("m", "other"):
        register(made, name, name)
        made.log_eval(f"{name}@1", "holdout", {"acc": "1"}, dataset="d")
    made.log_eval("m@1", "smoke", {"acc": "1"}, dataset="d", status="failed")
    return made


def test_runs_of_the_entry_count_up_to_the_commit(registry: Registry) -> None:
    head = registry.state().seq
    assert count(registry, head, dataset="d") == 2
    assert count(registry, head - 1, dataset="d") == 1
    assert count(registry, head, dataset="d", version=2) == 0
    assert count(registry, head, dataset="d' OR true --") == 0


def test_after_a_rename_and_new_tables_they_are_the_same(registry: Registry) -> None:
    registry.rename("m", "n")
    registry.rename("n", "m")
    registry.rebuild()
    assert count(registry, registry.state().seq, dataset="d") == 2


def test_runs_of_the_same_commit_count_and_no_worker_is_started(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "run_gate_query", None)
    assert registry.check("m@1", "prod").gates[0]["observed"] == "2 runs"
    with registry.transaction() as tx:
        tx.log_eval("m@1", "holdout", {"acc": "1"}, dataset="d")
        tx.promote("m@1", "prod")
    result = tx.results[1]
    assert isinstance(result, Decided)
    assert (result.gates[0]["observed"], result.gates[0]["status"]) == ("3 runs", "failed")
    assert reopen(registry.replica.store).verify(deep=True).problems == []


def test_a_decision_of_the_first_revision_is_replayed_as_it_was_made(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.log_eval("m@1", "holdout", {"acc": "1"}, dataset="d")
    with monkeypatch.context() as patch:
        patch.setitem(kinds.KINDS, "overuse", overuse.KIND_1)
        [first] = registry.promote("m@1", "prod").gates
    [second] = registry.promote("m@1", "prod").gates
    assert [gate.pop("revision") for gate in (first, second)] == [1, 2]
    assert first == second
    assert first["status"] == "failed"
    assert registry.verify().problems == []
