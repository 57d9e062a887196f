"""Per-example results of a version's latest runs, with the texts that were kept of them."""

import json
from typing import Any

from regista.read.sample_texts import load_texts
from regista.read.sql import log_tail, named_query
from regista.read.sqlfiles import load
from regista.registry.reads import AsOf, Reads

COLUMNS = (*load("run_samples").columns, "input", "output")


def version_samples(
    reads: Reads,
    ref: str,
    *,
    suite: str | None = None,
    metric: str | None = None,
    failed: bool = False,
    limit: int = 20,
    as_of: AsOf = None,
) -> dict[str, Any]:
    """Return results on single examples.

    Args:
        reads: the registry.
        ref: the version, `NAME@SELECTOR`.
        suite: only this suite.
        metric: only this metric.
        failed: only what did not pass; where that is not said, what has the value 0.
        limit: at most so many of each suite.
        as_of: commit number or time.

    Returns:
        `name`, `version`, `samples` (one object per result, with `COLUMNS`; `input` and `output`
        are null where no text was kept) and `notes`.

    Raises:
        NotFoundError: there is no such version.
        IntegrityError: a file is missing or damaged.
    """
    view = reads.show(ref, as_of=as_of)
    of = {"entry": view["name"], "version": view["version"]}
    samples: list[dict[str, Any]] = []
    notes: list[str] = []
    for name, run in view["evals"].items():
        if suite not in (None, name) or not run["samples"]:
            continue
        asked = {**of, "run_id": run["run_id"]}
        wanted = {**asked, "metric": metric, "failed": failed, "limit": limit}
        rows = _rows(reads, "run_samples", as_of, wanted)
        (texts,) = _rows(reads, "run_texts", as_of, asked)
        notes += _add_texts(reads, rows, texts["texts_digest"], purged=view["purged"])
        samples += rows
    return {"name": view["name"], "version": view["version"], "samples": samples, "notes": notes}


def _add_texts(
    reads: Reads, rows: list[dict[str, Any]], digest: str | None, *, purged: bool
) -> list[str]:
    """Put the texts into the rows; return what is to be said of those that are not there."""
    found = {}
    notes = []
    if digest:
        wanted = sorted({(row["task"] or "", row["sample_id"]) for row in rows})
        # what is marked for a purge is not shown any more, though its blob may still lie there
        loaded = None if purged else load_texts(reads.replica.store, digest, wanted)
        if loaded is None and rows:
            notes = [f"suite {rows[0]['suite']}: the texts of its examples were removed"]
        found = loaded or {}
    for row in rows:
        row["slices"] = json.loads(row["slices"]) if row["slices"] else None
        row["input"], row["output"] = found.get((row["task"] or "", row["sample_id"]), (None, None))
    return notes


def _rows(
    reads: Reads, query: str, as_of: AsOf, parameters: dict[str, Any]
) -> list[dict[str, Any]]:
    replica, seq = reads.replica, reads.state(as_of).seq
    pinned = None if as_of is None else seq
    return named_query(replica.store, log_tail(replica.log, seq), query, parameters, as_of=pinned)
