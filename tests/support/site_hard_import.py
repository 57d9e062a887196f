"""What the hard registry starts with: rows for a bulk import.

Names that are hard, an entry with hundreds of versions, datasets, bundles, and many ordinary
entries, all with scores of which some are partial, failed, sliced, tiny or huge.
"""

import json
from random import Random
from typing import Any

from regista.storage.store import Store
from support.import_folders import Rows
from support.scripted import put_files
from support.site_names import BUNDLE, DATASET, DIFFICULT, MODEL

KINDS = ("model", "model", "prompt", "dataset", "bundle")
MANY = 460
ENTRIES = 184
Tables = dict[str, Rows]


def hard_tables(store: Store) -> Tables:
    """Return the rows, with the artifacts that they name put in the store."""
    tables: Tables = {
        name: []
        for name in (
            "entries", "versions", "files", "lineage", "tags", "aliases", "eval_runs",
            "eval_scores", "placements",
        )
    }  # fmt: skip
    _dataset(tables, store)
    _many_versions(tables, Random(1))
    _manifest, rows = put_files(store, {"model.bin": "weights of the old tracking server"})
    tables["files"] += [{"entry": MODEL, "version": MANY - 10, **row} for row in rows]
    _bundle(tables)
    for number, name in enumerate(DIFFICULT):
        _ordinary(tables, store, name, KINDS[number % len(KINDS)], Random(number))
    for number in range(ENTRIES - len(tables["entries"])):
        name = f"team-{number % 30:02d}/{('ranker', 'classifier', 'embedder')[number % 3]}-{number}"
        kind = KINDS[number % len(KINDS)]
        _ordinary(tables, store, name, kind, Random(1000 + number))
    return tables


def _dataset(tables: Tables, store: Store) -> None:
    tables["entries"].append(
        {"entry": DATASET, "kind": "dataset", "description": "Card payments, one row each."}
    )
    for version in (1, 2, 3):
        _version(tables, store, DATASET, version, {f"part-{k}.csv": f"{version},{k}\n" for k in
                                                   range(version * 40)})  # fmt: skip


def _many_versions(tables: Tables, chance: Random) -> None:
    tables["entries"].append(
        {"entry": MODEL, "kind": "model", "description": "Scores each payment from 0 to 1."}
    )
    for version in range(1, MANY + 1):
        accuracy = round(0.70 + 0.20 * version / MANY + chance.uniform(-0.03, 0.03), 4)
        tables["versions"].append(
            {
                "entry": MODEL,
                "version": version,
                "uri": f"s3://models/fraud/{version}",
                "bytes": 1_000_000 + version if version != MANY - 10 else None,
                "label": f"1.{version}.0" if version % 50 == 0 else None,
                "run": f"train-{version:04d}",
                "code": f"{version:040x}",
                "params": json.dumps({"depth": str(version % 9), "rate": f"0.0{version % 7 + 1}"}),
            }
        )
        target = f"{DATASET}@{1 + version // 200}"
        _lineage(tables, MODEL, version, "dataset", target)
        status = {7: "partial", 13: "failed"}.get(version % 40, "complete")
        run = _run(tables, MODEL, version, "holdout", status, target)
        if status != "failed":
            _score(tables, run, "accuracy", accuracy, stderr=0.004, n=5000)
            _score(tables, run, "auc", round(accuracy + 0.05, 4))
        load = _run(tables, MODEL, version, "load", "complete", "")
        _score(tables, load, "p95_ms", round(60 - version / 12, 2), higher=False)
    tables["placements"] += [
        {"entry": MODEL, "stage": "staging", "version": MANY - 2, "reason": "was there before"},
        {"entry": MODEL, "stage": "prod", "version": MANY - 10},
    ]
    tables["aliases"].append({"entry": MODEL, "alias": "challenger", "version": MANY - 1})


def _bundle(tables: Tables) -> None:
    tables["entries"].append({"entry": BUNDLE, "kind": "bundle"})
    tables["versions"].append({"entry": BUNDLE, "version": 1, "uri": "https://example.com/b/1"})
    _lineage(tables, BUNDLE, 1, "member", f"{MODEL}@{MANY - 10}")
    _lineage(tables, BUNDLE, 1, "member", f"{DATASET}@3")
    _lineage(tables, BUNDLE, 1, "member", "elsewhere/reranker@7")


def _ordinary(tables: Tables, store: Store, name: str, kind: str, chance: Random) -> None:
    tables["entries"].append({"entry": name, "kind": kind})
    last = chance.randint(1, 4)
    for version in range(1, last + 1):
        content = f"You are {name}. Question {version}: {{question}}\n"
        file = "prompt.txt" if kind == "prompt" else "model.bin"
        _version(tables, store, name, version, {file: content})
        if kind in {"model", "prompt"}:
            _scores_of_one(tables, name, version, chance)
        if kind == "model":
            _lineage(tables, name, version, "dataset", f"{DATASET}@1")
    if chance.random() < 0.7:
        tables["placements"].append(
            {"entry": name, "stage": "prod", "version": chance.randint(1, last)}
        )
    if chance.random() < 0.5:
        tables["placements"].append({"entry": name, "stage": "staging", "version": last})
    tables["tags"].append({"entry": name, "version": None, "key": "owner", "value": "platform"})


def _scores_of_one(tables: Tables, name: str, version: int, chance: Random) -> None:
    run = _run(tables, name, version, "holdout", "complete", f"{DATASET}@1")
    _score(tables, run, "accuracy", round(chance.uniform(0.5, 0.99), 4), n=1000)
    _score(tables, run, "loss", round(chance.uniform(0.01, 2), 6), higher=False)
    for slice_ in ("country=DE", "country=日本", "amount>1000"):
        _score(tables, run, "accuracy", round(chance.uniform(0.4, 0.99), 4), slice_=slice_)


def _version(
    tables: Tables, store: Store, name: str, version: int, contents: dict[str, str]
) -> None:
    _manifest, rows = put_files(store, contents)
    tables["versions"].append({"entry": name, "version": version})
    tables["files"] += [{"entry": name, "version": version, **row} for row in rows]


def _lineage(tables: Tables, name: str, version: int, relation: str, target: str) -> None:
    tables["lineage"].append(
        {"entry": name, "version": version, "relation": relation, "target": target}
    )


def _run(tables: Tables, name: str, version: int, suite: str, status: str, dataset: str) -> str:
    run = f"run-{len(tables['eval_runs'])}"
    tables["eval_runs"].append(
        {"run_id": run, "entry": name, "version": version, "suite": suite, "status": status,
         "dataset": dataset}
    )  # fmt: skip
    return run


def _score(
    tables: Tables,
    run: str,
    metric: str,
    value: float,
    *,
    higher: bool = True,
    slice_: str = "",
    **more: Any,
) -> None:
    row = {"run_id": run, "metric": metric, "value": value, "higher_is_better": higher, **more}
    tables["eval_scores"].append({**row, "slice": slice_} if slice_ else row)
