"""A registry in which every operation happened, small enough to be verified hundreds of times."""

from pathlib import Path
from typing import Any

from regista.decide.planning import PLANNERS
from regista.errors import NotFoundError
from regista.registry import requests
from regista.registry.core import Registry
from regista.storage.blobs import put_blob_bytes
from regista.storage.store import Store
from support.registries import (
    GATED,
    OPEN,
    Json,
    apply_policy,
    bundle_of,
    new_registry,
    register,
)

LONG = "A long text. " * 100
# it opens prod a little, and has an SQL gate among its rules
RELAXED: Json = {
    **GATED,
    "rules": [
        *GATED["rules"][:1],
        {
            "match": {},
            "stage": "prod",
            "gates": [
                {"integrity": {}},
                {
                    "sql": {
                        "id": "enough",
                        "query": "SELECT count(*) >= 1 AS passed, count(*) AS observed,"
                        " 1 AS required FROM eval_scores WHERE version = $version",
                    }
                },
            ],
        },
        *GATED["rules"][2:],
    ],
}


GUARDED: Json = {
    **OPEN,
    "gated_aliases": ["champion"],
    "groups": {"risk": ["Ann", "bob"]},
    "policy_change": [{"approvals": {"from": ["risk"]}}],
    "rules": [
        {
            "stage": "prod",
            "waivable": {"by": ["risk"], "max": "36500d"},
            "gates": [
                {
                    "threshold": {
                        "id": "better", "suite": "holdout", "metric": "acc", "min": "0.99",
                    }
                },
                {"approvals": {"from": ["risk"]}},
            ],
        }
    ],
}  # fmt: skip


def build(*, folder: Path | None = None, store: Store | None = None) -> Registry:
    """Make a registry with every operation but `import`, refusals and a refused transaction."""
    registry = new_registry(GATED, folder=folder, store=store)
    _register_and_promote(registry)
    _change_names_and_texts(registry)
    _roll_back(registry)
    _change_the_policy(registry)
    _run_transactions(registry)
    return registry


def build_long(*, folder: Path | None = None, store: Store | None = None) -> Registry:
    """Make the same with so many commits that tables were merged and a checkpoint written."""
    registry = build(folder=folder, store=store)
    for number in range(66 - registry.replica.refresh().seq):
        registry.tag("m", {"k": str(number)})
    return registry


def operations_in(registry: Registry) -> set[str]:
    """Return the names of the operations in a registry's log."""
    log = registry.replica.log
    return {op.op for seq in range(1, log.head() + 1) for op in log.read(seq)[0].ops}


EVERY_OPERATION = set(PLANNERS) - {"import"}


def _register_and_promote(registry: Registry) -> None:
    registry.create("m", description="what it is for")
    register(registry, "data", "digits", kind="dataset")
    register(
        registry, "m", "one", label="1.0", run="run-1", code="abc", dataset=["data@1"],
        params={"depth": "3"}, tags={"owner": "ann"}, card={"card": "short"},
        source={"git_branch": "main"},
    )  # fmt: skip
    _evaluate(registry, "m@1", "0.90", dataset="data@1")
    registry.promote("m@1", "staging", reason="first")
    registry.promote("m@1", "prod")
    register(registry, "m", "two", base=["m@1"])
    _evaluate(registry, "m@2", "0.80", dataset="data@1")
    registry.promote("m@2", "staging")
    registry.promote("m@2", "prod")
    scores: list[dict[str, Any]] = [
        {"metric": "acc", "value": f"0.{k + 100}", "slice": f"class={k}", "n": 10}
        for k in range(600)
    ]
    samples = [
        {"sample_id": f"s{k}", "metric": "acc", "value": k % 2, "passed": bool(k % 2)}
        for k in range(20)
    ]
    registry.log_eval(
        "m@2", "holdout", [{"metric": "acc", "value": "0.91", "stderr": "0.01"}, *scores],
        samples=samples, dataset="data@1", harness="h", harness_version="1", code="abc", note="n",
    )  # fmt: skip
    registry.promote("m@2", "prod")


def _evaluate(registry: Registry, ref: str, acc: str, **options: Any) -> None:
    scores: list[dict[str, Any]] = [
        {"metric": "acc", "value": acc, "n": 360, "direction": "higher"},
        {"metric": "acc", "value": "0.7", "slice": "class=3", "task": "t"},
    ]
    registry.log_eval(ref, "holdout", scores, **options)


def _change_names_and_texts(registry: Registry) -> None:
    registry.alias("m@1", "old")
    registry.alias("m@2", "old")
    registry.alias("m@2", "champion")
    registry.remove_alias("m", "old")
    registry.tag("m@2", {"risk": "low"})
    registry.tag("m@2", {}, remove=["risk"])
    registry.describe("m", LONG)
    registry.rename("data", "team/data")


def _roll_back(registry: Registry) -> None:
    registry.drill("m", "prod", smoke="test -f model.bin")
    registry.rollback("m", "prod", reason="worse in use")
    registry.promote("m@2", "prod")
    registry.promote("m@2", "prod", again=True, reason="fixed")
    registry.demote("m", "staging", reason="done")
    registry.rollback("m", "prod", to=1)


def _change_the_policy(registry: Registry) -> None:
    apply_policy(registry, RELAXED)
    register(registry, "m", "three", force_new=True)
    registry.log_eval("m@3", "holdout", {"acc": "0.95"})
    registry.promote("m@3", "prod")
    registry.demote("m", "prod")
    apply_policy(registry, {**RELAXED, "side_stages": ["shadow", "canary"]})
    apply_policy(registry, {**OPEN, "gated_aliases": ["champion"]})
    _answer_for_it(registry)
    apply_policy(registry, {**OPEN, "gated_aliases": ["champion"]})


def _answer_for_it(registry: Registry) -> None:
    """Approve and waive, under a policy that asks for it and that guards itself."""
    apply_policy(registry, GUARDED)
    registry.approve("m@1", "prod", meaning="reviewed", until="2099-01-01")
    registry.promote("m@1", "prod")
    registry.waive("better", "m@1", "prod", reason="urgent", until="2099-01-01")
    registry.promote("m@1", "prod")
    registry.demote("m", "prod")
    following = {**OPEN, "gated_aliases": ["champion"]}
    apply_policy(registry, following)
    digest = put_blob_bytes(registry.replica.store, bundle_of(following).data)
    registry.submit(requests.approve_policy(digest, meaning="fine", until=""))


def _run_transactions(registry: Registry) -> None:
    registry.deprecate("m@1", reason="superseded")
    registry.restore("m@1")
    registry.demote("m", "dev")
    registry.archive("m@3")
    registry.restore("m@3")
    registry.delete("m@3", reason="leaked", purge=True)
    with registry.transaction() as tx:
        tx.promote("m@1", "shadow")
        tx.create("other", "prompt")
        tx.describe("other", "about")
    apply_policy(registry, GATED)
    with registry.transaction() as tx:
        tx.log_eval("m@1", "holdout", {"acc": "0.1"})
        tx.promote("m@1", "staging")
        tx.tag("m", {"never": "set"})
    try:
        registry.show("m@9")
    except NotFoundError:
        registry.describe("m@1", "the first")
