"""Planning `import`: many entries and versions at once, from elsewhere.

Imported entries are new, so their numbers and their past are taken as given; placements that
come along are `action: imported` and pass no gate, which is why they are allowed only where the
entry has none.
"""

from regista.decide import keys
from regista.decide.operations.context import Context, Json, Payload, Planned
from regista.decide.operations.placing import known_stage
from regista.errors import InvalidInputError, RefusedError
from regista.model.names import shown

IMPORTABLE = (
    "entries",
    "versions",
    "files",
    "lineage",
    "tags",
    "descriptions",
    "aliases",
    "eval_runs",
    "eval_scores",
    "eval_samples",
    "placements",
    "statuses",
)


def plan_import(context: Context, args: Json, payload: Payload) -> Planned:
    """Add entries with all that belongs to them; none of them may exist."""
    entries = payload.rows.get("entries", [])
    for stage in args.get("stages", []):
        known_stage(context, stage)
    for alias in args.get("aliases", []):
        if alias in context.policy.all_stages:
            raise InvalidInputError(f"{alias!r} is a stage and cannot be an alias")
    for row in entries:
        if context.state.heads.get(keys.entry(row["entry_id"])):
            raise RefusedError(f"the same was imported before, {shown(row['entry'])} among it")
        if context.state.find_entry(row["entry"]):
            raise RefusedError(
                f"there is an entry {shown(row['entry'])} already; an import brings new ones",
                hint="rename it, or leave it out of the import",
            )
    rows = [{"table": "entries", **row} for row in entries]
    rows += [
        {"table": table, **row}
        for table in IMPORTABLE
        if table != "entries"
        for row in payload.rows.get(table, [])
    ]
    counts = {table: payload.count(table) for table in IMPORTABLE if payload.count(table)}
    decision = {"name": args.get("source", ""), "version": None, "rows": counts}
    return Planned(decision, rows, list(payload.data))
