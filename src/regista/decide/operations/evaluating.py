"""Planning `eval log`: one evaluation of one version."""

from regista.decide.operations.context import (
    Context,
    Json,
    Payload,
    Planned,
    compact,
    of_version,
)
from regista.errors import InvalidInputError
from regista.model.commit import Row
from regista.model.selectors import VersionRef

RUN_STATUSES = ("complete", "partial", "failed")


def plan_eval_log(context: Context, args: Json, payload: Payload) -> Planned:
    """Add an eval run with its scores and per-example results."""
    entry, version = context.state.select(VersionRef.parse(args["ref"]))
    scores, samples = payload.count("eval_scores"), payload.count("eval_samples")
    if not scores and args["status"] == "complete":
        raise InvalidInputError(
            "a complete run has at least one score",
            hint="give --metric NAME=VALUE or --from FILE, or log it with --status failed",
        )
    run_id = f"r{context.seq}-{context.first_i}"
    common = {**of_version(entry, version.version), "run_id": run_id, "suite": args["suite"]}
    rows = [
        compact(
            "eval_runs",
            **common,
            status=args["status"],
            **_dataset(context, args),
            harness=args.get("harness"),
            harness_version=args.get("harness_version"),
            code=args.get("code"),
            scores=scores,
            samples=samples,
            source_digest=args["source_digest"],
            note=args.get("note"),
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
