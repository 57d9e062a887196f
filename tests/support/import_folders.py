"""Folders for bulk import, made from rows."""

import json
from pathlib import Path
from typing import Any

import duckdb

from regista.read.duck import quoted
from regista.write.import_tables import IMPORT_TABLES

Rows = list[dict[str, Any]]

URI = "s3://bucket/m/1"
WORLD: dict[str, Rows] = {
    "entries": [
        {"entry": "fraud/card", "kind": "model", "description": "about m"},
        {"entry": "digits", "kind": "dataset"},
    ],
    "versions": [
        {
            "entry": "fraud/card",
            "version": 1,
            "uri": URI,
            "bytes": 7,
            "label": "1.0",
            "run": "run-1",
            "code": "abc",
            "params": '{"depth": "3"}',
        },
        {"entry": "fraud/card", "version": 2, "digest": "ab" * 32, "description": "second"},
        {"entry": "digits", "version": 1, "uri": "s3://bucket/digits", "source": '{"by": "me"}'},
    ],
    "lineage": [
        {"entry": "fraud/card", "version": 1, "relation": "dataset", "target": "digits@1"},
        {"entry": "fraud/card", "version": 2, "relation": "base", "target": "elsewhere@9"},
    ],
    "tags": [
        {"entry": "fraud/card", "version": None, "key": "owner", "value": "ann"},
        {"entry": "fraud/card", "version": 2, "key": "risk", "value": ""},
    ],
    "aliases": [{"entry": "fraud/card", "alias": "best", "version": 2}],
    "placements": [
        {"entry": "fraud/card", "stage": "staging", "version": 2, "reason": "was there"},
        {"entry": "fraud/card", "stage": "prod", "version": 1},
    ],
    "eval_runs": [
        {
            "run_id": "b",
            "entry": "fraud/card",
            "version": 1,
            "suite": "holdout",
            "dataset": "digits@1",
        },
        {"run_id": "a", "entry": "fraud/card", "version": 1, "suite": "holdout"},
        {
            "run_id": "c",
            "entry": "fraud/card",
            "version": 2,
            "suite": "holdout",
            "status": "failed",
        },
    ],
    "eval_scores": [
        {"run_id": "a", "metric": "f1", "value": 0.1},
        {"run_id": "a", "metric": "acc", "value": 0.25, "stderr": 1e-7, "n": 10},
        {"run_id": "a", "metric": "acc", "value": 0.5, "slice": "class=3"},
        {"run_id": "b", "metric": "acc", "value": 0.75, "higher_is_better": True, "task": "t"},
    ],
    "eval_samples": [{"run_id": "a", "sample_id": "s1", "metric": "acc", "value": 1.0}],
}


def write_folder(folder: Path, tables: dict[str, Rows]) -> Path:
    """Write rows as the files of an import; a column is there when a row has it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        types = {field.name: field.type for field in IMPORT_TABLES[name].fields}
        used = {column: types[column] for row in rows for column in row}
        write_parquet(folder / f"{name}.parquet", rows, used)
    return folder


def write_parquet(path: Path, rows: Rows, types: dict[str, str]) -> Path:
    """Write rows as a Parquet file with the columns and DuckDB types given."""
    lines = path.with_suffix(".jsonl")
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    fields = ", ".join(f'"{name}": {quoted(type_)}' for name, type_ in types.items())
    source = f"read_json({quoted(str(lines))}, format = 'nd', columns = {{{fields}}})"
    with duckdb.connect() as con:
        con.execute(f"COPY (FROM {source}) TO {quoted(str(path))} (FORMAT parquet)")
    lines.unlink()
    return path
