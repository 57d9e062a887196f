"""Planning `eval log`: one evaluation of one version."""

from typing import Any

from regista.decide.fold import import_key
from regista.decide.heads import EntryHead, VersionHead
from regista.decide.operations.context import (
    Context,
    Json,
    Payload,
    Planned,
    compact,
    of_version,
)
from regista.errors import InvalidInputError
from regista.model import canonical
from regista.model.commit import Row
from regista.model.selectors import VersionRef

RUN_STATUSES = ("complete", "partial", "failed")
_FACTS = ("harness", "harness_version", "code", "note", "evaluated_at")


def plan_eval_log(context: Context, args: Json, payload: Payload) -> Planned:
    """Add an eval run with its scores and per-example results.

    One that is imported from a file, and equal to an earlier import in all that is said of it, is
    that run, unless `force_new` asks for another.
    """
    entry, version = context.state.select(VersionRef.parse(args["ref"]))
    scores, samples = payload.count("eval_scores"), payload.count("eval_samples")
    if not scores and args["status"] == "complete":
        raise InvalidInputError(
            "a complete run has at least one score",
            hint="give --metric NAME=VALUE or --from FILE, or log it with --status failed",
        )
    said = {
        "suite": args["suite"],
        "status": args["status"],
        **_dataset(context, args),
        **{field: args.get(field) for field in _FACTS},
        "scores": scores,
        "samples": samples,
        "source_digest": args["source_digest"],
    }
    import_digest = _import_digest(said, args) if args.get("imported") else None
    if import_digest and not args.get("force_new"):
        known = context.state.heads.get(import_key(entry.entry_id, version.version, import_digest))
        if known:
            return _existing(entry, version, args, known)
    run_id = f"r{context.seq}-{context.first_i}"
    common = {**of_version(entry, version.version), "run_id": run_id, "suite": args["suite"]}
    rows = [
        compact(
            "eval_runs",
            **{**common, **said},
            texts_digest=args.get("texts_digest"),
            import_digest=import_digest,
        )
    ]
    for table in ("eval_scores", "eval_samples"):
        rows += [{"table": table, **common, **row} for row in payload.rows.get(table, [])]
    data = [ref.with_columns(common) for ref in payload.data]
    decision = {
        "name": entry.name,
        "version": version.version,
        "run_id": run_id,
        "suite": args["suite"],
        "status": args["status"],
        "scores": scores,
        "samples": samples,
    }
    return Planned(decision, rows, data)


def _import_digest(said: Json, args: Json) -> str:
    """Return the digest of all that is said of an imported run."""
    # of the texts only whether there are any: their file's bytes depend on who wrote it
    return canonical.digest({**said, "texts": "texts_digest" in args})


def _existing(entry: EntryHead, version: VersionHead, args: Json, known: list[Any]) -> Planned:
    run_id, seq, scores, samples = known
    decision = {
        "name": entry.name,
        "version": version.version,
        "run_id": run_id,
        "suite": args["suite"],
        "status": args["status"],
        "scores": scores,
        "samples": samples,
        "created": False,
    }
    return Planned(decision, existing=seq)


def _dataset(context: Context, args: Json) -> Row:
    """Pin the dataset when it names a version of ours; else keep the text as it is."""
    text = args.get("dataset") or ""
    if "@" not in text:
        return {"dataset": text}
    entry, version = context.state.select(VersionRef.parse(text))
    return {
        "dataset": f"{entry.name}@{version.version}",
        "dataset_entry_id": entry.entry_id,
        "dataset_version": version.version,
        "dataset_digest": version.digest,
    }
