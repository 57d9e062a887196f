"""`Registry.transaction`: several operations as one commit, and the same one again."""

import pytest

from regista.errors import TxidReusedError
from regista.registry.core import Registry
from support.registries import new_registry


def _promoted(registry: Registry, *, txid: str) -> list[int]:
    with registry.transaction(txid=txid) as transaction:
        version = transaction.register("m", uri="file:///model").version
        transaction.log_eval(f"m@{version}", "holdout", {"accuracy": "0.9"})
        transaction.demote("m", "dev")
    return [result.seq for result in transaction.results]


def test_a_transaction_made_again_gives_what_was_recorded() -> None:
    registry = new_registry()
    first = _promoted(registry, txid="once")
    assert _promoted(registry, txid="once") == first
    assert registry.replica.refresh().seq == first[0]


def test_a_transaction_id_for_other_operations_is_refused() -> None:
    registry = new_registry()
    _promoted(registry, txid="once")
    with pytest.raises(TxidReusedError), registry.transaction(txid="once") as transaction:
        transaction.create("other")
