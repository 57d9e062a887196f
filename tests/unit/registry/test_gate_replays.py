"""Every gate kind, judged live and again: by another view, with more threads, after maintenance."""

import random
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from regista.decide.gates.registry import KINDS
from regista.read import pairs
from regista.registry.core import Registry
from regista.registry.results import Decided
from regista.storage.local import LocalStore
from support.registries import (
    STAGES,
    Json,
    apply_policy,
    new_registry,
    register,
    register_request,
    reopen,
)

BASE: Json = {"suite": "holdout", "metric": "acc"}
TESTS: list[Json] = [
    {},
    {"test": "stderr", "max_regression": "0.1"},
    {"test": "mcnemar", "max_regression": "0.03"},
    {"test": "mcnemar", "superiority": True},
    {"test": "paired_t", "max_regression": "0.03"},
    {"test": "paired_bootstrap", "max_regression": "0.03"},
    {"test": "paired_bootstrap", "metric": "loss", "max_regression": "0.03"},
    {"test": "paired_bootstrap", "metric": "loss", "superiority": True, "confidence": "0.999"},
    {"test": "paired_t", "metric": "*", "max_regression": "0.1", "correction": "holm"},
]
QUERY = "SELECT count(*) >= 1 AS passed, count(*) AS observed, 1 AS required FROM eval_samples"
OTHERS: list[Json] = [
    {"threshold": {**BASE, "min": "0.5", "min_n": 10}},
    {"coverage": {"suite": "holdout", "metrics": ["acc"], "min_n": 10}},
    {"freshness": {"suite": "holdout", "max_age": "1h"}},
    {"approvals": {"count": 1}},
    {"evaluator": {"suite": "holdout", "not_author": True}},
    {"overuse": {"suite": "holdout", "max_evaluations": 5}},
    {"overuse": {"suite": "holdout", "max_evaluations": 1}},
    {"soak": {"stage": "staging", "min": "0s"}},
    {"drill": {"max_age": "1h"}},
    {"lineage": {"require": ["code"]}},
    {"integrity": {}},
    {"metadata": {"tags": ["owner"]}},
    {"sql": {"query": QUERY}},
]
GATES: list[Json] = [*({"baseline": {**BASE, **test}} for test in TESTS), *OTHERS]
POLICY: Json = {
    **STAGES,
    "ungated": "allow",
    "rules": [{"match": {}, "stage": "prod", "gates": GATES}],
}


def samples(seed: int, right: float, n: int = 600) -> list[Json]:
    """Return right-or-wrong results and losses on the same examples, the wrong ones shared."""
    difficulty, chance = random.Random(0), random.Random(seed)
    rows: list[Json] = []
    for k in range(n):
        known = difficulty.random() < 0.7
        acc = int(known or chance.random() < right)
        loss = difficulty.gauss(2, 1) - 0.05 * acc + chance.gauss(0, 0.1)
        rows += [
            {"sample_id": f"s{k}", "metric": "acc", "value": acc},
            {"sample_id": f"s{k}", "metric": "loss", "value": loss},
        ]
    return rows


def scores(rows: list[Json]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for metric, direction in (("acc", "higher"), ("loss", "lower")):
        values = [row["value"] for row in rows if row["metric"] == metric]
        mean = f"{sum(values) / len(values):.6f}"
        found.append({"metric": metric, "value": mean, "direction": direction,
                      "n": len(values), "stderr": "0.02"})  # fmt: skip
    return found


def log(registry: Registry, ref: str, rows: list[Json]) -> None:
    registry.log_eval(ref, "holdout", scores(rows), samples=rows, dataset="d")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Decided]:
    """Put one version in prod by hand and let another be judged by every gate."""
    folder = tmp_path_factory.mktemp("judged")
    registry = new_registry(folder=folder)
    register(registry, "m", "one")
    log(registry, "m@1", samples(1, 0.3))
    registry.promote("m@1", "prod")
    apply_policy(registry, POLICY)
    register(registry, "m", "two", code="abc", tags={"owner": "ann"})
    log(registry, "m@2", samples(2, 0.5))
    return folder, registry.promote("m@2", "prod")


@pytest.fixture
def decided(made: tuple[Path, Decided], tmp_path: Path) -> tuple[Registry, Decided]:
    """Return a copy of the registry of its own."""
    shutil.copytree(made[0], tmp_path, dirs_exist_ok=True)
    return reopen(LocalStore(tmp_path)), made[1]


def test_every_kind_is_among_the_gates() -> None:
    assert {kind for gate in GATES for kind in gate} == set(KINDS)


def test_each_gate_judges_as_it_should(decided: tuple[Registry, Decided]) -> None:
    baselines = [gate["status"] for gate in decided[1].gates if gate["kind"] == "baseline"]
    # the loss is a little less, but by no means surely so
    assert baselines == ["passed"] * 7 + ["undecidable"] + ["passed"]
    found = {gate["id"]: gate["status"] for gate in decided[1].gates}
    assert found["overuse:holdout"] == "passed"
    assert found["overuse:holdout#2"] == found["evaluator:holdout"] == "failed"


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_replay_answers_the_same_with_any_number_of_threads(
    decided: tuple[Registry, Decided], monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    registry = decided[0]
    threaded = partial(pairs.load_pairs, threads=threads)
    monkeypatch.setattr(pairs, "load_pairs", threaded)
    assert reopen(registry.replica.store).verify(deep=True).problems == []


def test_a_replay_answers_the_same_after_tables_and_checkpoints_were_made_anew(
    decided: tuple[Registry, Decided], tmp_path: Path
) -> None:
    registry, result = decided
    registry.compact()
    assert reopen(registry.replica.store).verify().problems == []
    for path in (tmp_path / "tables").rglob("*.parquet"):
        path.unlink()
    registry.rebuild()
    again = reopen(registry.replica.store)
    assert again.verify(deep=True).problems == []
    check = again.check("m@2", "prod").gates
    volatile = {"freshness", "soak", "drill"}
    kept = [[gate for gate in side if gate["kind"] not in volatile] for side in
            (check, result.gates)]  # fmt: skip
    assert kept[0] == kept[1]


def test_a_changed_sample_file_is_found(decided: tuple[Registry, Decided], tmp_path: Path) -> None:
    registry = decided[0]
    [first, *_] = sorted((tmp_path / "data" / "eval_samples").iterdir())
    first.write_bytes(first.read_bytes()[:-1] + b"x")
    assert reopen(registry.replica.store).verify().problems != []


def test_runs_of_the_same_transaction_are_paired_and_replayed(tmp_path: Path) -> None:
    gates = [{"baseline": {**BASE, "test": "mcnemar", "max_regression": "0.03"}}]
    policy = {**POLICY, "rules": [{"match": {}, "stage": "prod", "gates": gates}]}
    registry = new_registry(policy, folder=tmp_path)
    register(registry, "m", "one")
    log(registry, "m@1", samples(1, 0.3))
    registry.promote("m@1", "prod")
    rows = samples(2, 0.5)
    with registry.transaction() as tx:
        tx.submit(register_request(registry.replica.store, "m", "two"))
        tx.log_eval("m@2", "holdout", scores(rows), samples=rows, dataset="d")
        tx.promote("m@2", "prod")
    result = tx.results[2]
    assert isinstance(result, Decided)
    assert "gained and" in result.gates[0]["observed"]
    assert registry.verify().problems == []
    with registry.transaction() as tx:
        tx.log_eval("m@1", "holdout", scores(rows), samples=rows[:-2], dataset="d")
        tx.submit(register_request(registry.replica.store, "m", "three"))
        tx.log_eval("m@3", "holdout", scores(rows), samples=rows, dataset="d")
        tx.promote("m@3", "prod")
    assert reopen(registry.replica.store).verify().problems == []


def test_a_refused_transaction_with_samples_is_replayed_from_what_it_brought(
    tmp_path: Path,
) -> None:
    gates = [{"baseline": {**BASE, "test": "mcnemar", "superiority": True}}]
    policy = {**POLICY, "rules": [{"match": {}, "stage": "prod", "gates": gates}]}
    registry = new_registry(policy, folder=tmp_path)
    register(registry, "m", "one")
    log(registry, "m@1", samples(1, 0.5))
    registry.promote("m@1", "prod")
    rows = samples(2, 0.1)
    with registry.transaction() as tx:
        tx.submit(register_request(registry.replica.store, "m", "two"))
        tx.log_eval("m@2", "holdout", scores(rows), samples=rows, dataset="d")
        tx.promote("m@2", "prod")
    result = tx.results[2]
    assert isinstance(result, Decided)
    assert (result.gates[0]["status"], "lost" in result.gates[0]["observed"]) == ("failed", True)
    assert reopen(registry.replica.store).verify(deep=True).problems == []
