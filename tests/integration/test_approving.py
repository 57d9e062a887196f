"""Approvals and waivers in a registry: transactions, the past, folded anew, and tampered with."""

from dataclasses import replace

import pytest

from regista.decide import keys
from regista.decide.operations.context import Request
from regista.errors import RefusedError
from regista.model.commit import Commit, log_key
from regista.read.past import state_as_of
from regista.registry import requests
from regista.registry.core import Registry
from regista.storage.blobs import put_blob_bytes
from regista.verify.problems import ProblemKind
from regista.write.bulk_heads import rebuild_checkpoint
from support.everything import GUARDED
from support.registries import (
    OPEN,
    apply_policy,
    bundle_of,
    copy_of,
    new_registry,
    register,
    reopen,
)

UNTIL = "2099-01-01"


def as_actor(registry: Registry, actor: str) -> Registry:
    return reopen(registry.replica.store, actor=actor)


@pytest.fixture
def registry() -> Registry:
    registry = new_registry({**GUARDED, "policy_change": []}, actor="cam")
    register(registry, "m", "one")
    registry.log_eval("m@1", "holdout", {"acc": "0.9"})
    return registry


def test_one_commit_approves_waives_and_promotes(registry: Registry) -> None:
    ann = as_actor(registry, "ann")
    with ann.transaction(txid="all") as tx:
        approved = tx.approve("m@1", "prod", meaning="read")
        waived = tx.waive("better", "m@1", "prod", reason="urgent", until=UNTIL)
        decided = tx.promote("m@1", "prod")
    assert (approved.meaning, waived.gate, decided.outcome) == ("read", "better", "waived")
    assert ann.resolve("m@prod").version == 1
    assert ann.replica.refresh().seq == 4
    with as_actor(registry, "ann").transaction(txid="all") as tx:
        assert tx.approve("m@1", "prod", meaning="read").seq == 4
        tx.waive("better", "m@1", "prod", reason="urgent", until=UNTIL)
        assert tx.promote("m@1", "prod").outcome == "waived"
    assert ann.verify().ok


def test_a_run_in_the_same_commit_makes_an_approval_void(registry: Registry) -> None:
    ann = as_actor(registry, "ann")
    with ann.transaction() as tx:
        tx.approve("m@1", "prod")
        tx.log_eval("m@1", "holdout", {"acc": "0.999"})
        decided = tx.promote("m@1", "prod")
    assert decided.refused
    assert "is void, since the evidence changed" in decided.gates[-1]["reason"]
    with ann.transaction() as tx:
        tx.log_eval("m@1", "holdout", {"acc": "0.999"})
        tx.approve("m@1", "prod")
        assert tx.promote("m@1", "prod").outcome == "passed"
    assert ann.verify().ok


def test_a_transaction_id_gives_the_same_approval_back(registry: Registry) -> None:
    bob = as_actor(registry, "bob")
    first = bob.approve("m@1", "prod", txid="yes")
    bob.log_eval("m@1", "holdout", {"acc": "0.95"})
    assert bob.approve("m@1", "prod", txid="yes") == first
    assert bob.approve("m@1", "prod").seq > first.seq
    with pytest.raises(RefusedError):
        as_actor(registry, "eve").approve("m@1", "prod")


def test_the_past_and_a_fold_of_the_whole_log_know_them(registry: Registry) -> None:
    bob = as_actor(registry, "bob")
    bob.approve("m@1", "prod", meaning="read", until=UNTIL)
    bob.waive("better", "m@1", "prod", reason="urgent", until=UNTIL)
    apply_policy(bob, GUARDED)
    bob.submit(_approve_policy(bob))
    last = bob.replica.refresh()
    version = last.find_version("e2-0", 1)
    assert version is not None
    assert (len(version.approvals), len(version.waivers)) == (1, 1)
    bob.rename("m", "n")
    for key in ("v/e2-0/1", "g"):
        assert state_as_of(bob.replica, last.seq).heads.get(key) == last.heads.get(key)
    assert state_as_of(bob.replica, 3).heads.get("v/e2-0/1").approvals == ()
    rebuild_checkpoint(bob.replica)
    fresh = as_actor(registry, "x").replica.refresh().heads
    assert fresh.get("v/e2-0/1") == version
    assert fresh.get("g") == last.heads.get(keys.REGISTRY)
    assert bob.verify().ok
    assert bob.sql("SELECT count(*) FROM approvals").fetchall() == [(2,)]
    events = [row["event"] for row in bob.history()]
    assert events[:5] == ["renamed", "approved", "policy applied", "waived", "approved"]


def _approve_policy(registry: Registry) -> Request:
    digest = put_blob_bytes(registry.replica.store, bundle_of(OPEN).data)
    return requests.approve_policy(digest, meaning="", until="")


def edited_row(commit: Commit, table: str, **values: str) -> Commit:
    rows = tuple({**row, **values} if row["table"] == table else row for row in commit.rows)
    return replace(commit, rows=rows)


@pytest.mark.parametrize(
    ("seq", "table", "values"),
    [
        (4, "approvals", {"evidence_digest": "0" * 64}),
        (4, "approvals", {"rules_digest": "0" * 64}),
        (4, "approvals", {"version_digest": "0" * 64}),
        (4, "approvals", {"meaning": "everything is fine"}),
        (4, "approvals", {"until": "2199-01-01T00:00:00.000000Z"}),
        (4, "approvals", {"stage": "staging"}),
        (5, "waivers", {"until": "2199-01-01T00:00:00.000000Z"}),
        (5, "waivers", {"gate": "approvals:risk"}),
        (5, "waivers", {"reason": "no reason"}),
    ],
)
def test_an_edited_row_is_found(
    registry: Registry, seq: int, table: str, values: dict[str, str]
) -> None:
    bob = as_actor(registry, "bob")
    bob.approve("m@1", "prod", meaning="read", until=UNTIL)
    bob.waive("better", "m@1", "prod", reason="urgent", until=UNTIL)
    store = copy_of(bob.replica.store)
    commit, _digest = bob.replica.log.read(seq)
    store.put(log_key(seq), edited_row(commit, table, **values).to_bytes())
    kinds = {problem.kind for problem in reopen(store).verify().problems}
    assert ProblemKind.DECISION in kinds


def test_another_actor_of_an_approval_is_found(registry: Registry) -> None:
    bob = as_actor(registry, "bob")
    bob.approve("m@1", "prod")
    store = copy_of(bob.replica.store)
    commit, _digest = bob.replica.log.read(4)
    store.put(log_key(4), replace(commit, actor="eve").to_bytes())
    problems = [problem for problem in reopen(store).verify().problems if problem.seq == 4]
    assert any("eve is not in risk" in problem.detail for problem in problems)
