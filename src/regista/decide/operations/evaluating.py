"""Planning `eval log`: one evaluation of one version."""

from regista.decide import keys
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
    said = _said(context, args, payload)
    if not said["scores"] and args["status"] == "complete":
        raise InvalidInputError(
            "a complete run has at least one score",
            hint="give --metric NAME=VALUE or --from FILE, or log it with --status failed",
        )
    import_digest = _import_digest(said, args) if args.get("imported") else None
    if import_digest and not args.get("force_new"):
        key = keys.imported(entry.entry_id, version.version, import_digest)
        known = context.state.heads.get(key)
        if known:
            run_id, seq = known
            told = {**_told(entry, version, run_id, said), "created": False}
            return Planned(told, existing=seq)
    run_id = f"r{context.seq}-{context.first_i}"
    common = {**of_version(entry, version.version), "run_id": run_id, "suite": args["suite"]}
    digests = {"texts_digest": args.get("texts_digest"), "import_digest": import_digest}
    rows = [compact("eval_runs", **{**common, **said, **digests})]
    for table in ("eval_scores", "eval_samples"):
        rows += [{"table": table, **common, **row} for row in payload.rows.get(table, [])]
    data = [ref.with_columns(common) for ref in payload.data]
    return Planned(_told(entry, version, run_id, said), rows, data)


def _said(context: Context, args: Json, payload: Payload) -> Json:
    """Return what is said of a run, whichever version it is of."""
    return {
        "suite": args["suite"],
        "status": args["status"],
        **_dataset(context, args),
        **{field: args.get(field) for field in _FACTS},
        "scores": payload.count("eval_scores"),
        "samples": payload.count("eval_samples"),
        "source_digest": args["source_digest"],
    }


def _told(entry: EntryHead, version: VersionHead, run_id: str, said: Json) -> Json:
    run = {field: said[field] for field in ("suite", "status", "scores", "samples")}
    return {"name": entry.name, "version": version.version, "run_id": run_id, **run}


def _import_digest(said: Json, args: Json) -> str:
    """Return the digest of all that is said of an imported run."""
    # of the texts only whether there are any: their file's bytes depend on who wrote it
    return canonical.digest({**said, "texts": "texts_digest" in args})


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
