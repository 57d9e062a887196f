"""Planning `rename`, `alias`, `tag` and `describe`: what things are called and said to be."""

from regista.decide.heads import EntryHead, VersionHead
from regista.decide.judge import judge
from regista.decide.operations.case import PinnedCase
from regista.decide.operations.context import (
    Context,
    Json,
    Payload,
    Planned,
    compact,
    of_entry,
    of_version,
)
from regista.decide.operations.placing import decision_rows
from regista.decide.policy import matching_rules, rules_digest
from regista.decide.verdict import Outcome
from regista.errors import InvalidInputError, NotFoundError, RefusedError
from regista.model.commit import Row
from regista.model.names import shown
from regista.model.selectors import VersionRef


def plan_rename(context: Context, args: Json, _payload: Payload) -> Planned:
    """Give an entry another name; everything stays with it."""
    entry = context.state.entry(args["name"])
    new = args["to"]
    decision = {"name": new, "from_name": entry.name, "version": None}
    if new == entry.name:
        return Planned(decision, existing=context.state.seq)
    if context.state.find_entry(new):
        raise RefusedError(f"there is an entry {shown(new)} already", hint="choose another name")
    for stage in [stage for stage, slot in entry.slots.items() if slot.version is not None]:
        before = rules_digest(matching_rules(context.policy, entry.kind, entry.name, stage))
        after = rules_digest(matching_rules(context.policy, entry.kind, new, stage))
        if before != after:
            raise RefusedError(
                f"as {shown(new)} it would hold {stage} under other rules than it passed",
                hint=f'regista demote "{entry.name}" --stage {stage} first, or change the policy',
            )
    row = compact("names", entry_id=entry.entry_id, entry=new, from_name=entry.name)
    return Planned(decision, [row])


def plan_alias(context: Context, args: Json, _payload: Payload) -> Planned:
    """Point an alias at a version, or remove it; one that the policy gates is judged first."""
    alias = args["alias"]
    if alias in context.policy.all_stages:
        raise InvalidInputError(f"{alias!r} is a stage and cannot be an alias")
    if args.get("remove"):
        return _remove_alias(context.state.entry(args["name"]), alias)
    entry, head = context.state.select(VersionRef.parse(args["ref"]))
    held = entry.aliases.get(alias)
    decision: Json = {
        "name": entry.name, "version": head.version, "alias": alias,
        "from_version": held.version if held else None, "outcome": str(Outcome.PASSED),
        "gates": [],
    }  # fmt: skip
    if held and held.version == head.version:
        return Planned(decision, existing=held.seq)
    rows: list[Row] = []
    if alias in context.policy.gated_aliases:
        case = PinnedCase(context, entry, head, alias)
        judgement = judge(context.policy, case, context.revisions)
        gates = [verdict.to_json() for verdict in judgement.verdicts]
        decision |= {"outcome": str(judgement.outcome), "gates": gates}
        rows = decision_rows(case, judgement, op="alias")
        if judgement.outcome == Outcome.REFUSED:
            return Planned(decision, rows, refused=True)
    rows.append(alias_row(entry, head.version, alias))
    return Planned(decision, rows)


def alias_row(entry: EntryHead, version: int, alias: str) -> Row:
    """Return the row that points an alias at a version."""
    held = entry.aliases.get(alias)
    return compact(
        "aliases",
        **of_entry(entry),
        alias=alias,
        from_version=held.version if held else None,
        version=version,
    )


def _remove_alias(entry: EntryHead, alias: str) -> Planned:
    held = entry.aliases.get(alias)
    if held is None:
        raise NotFoundError(
            f"{shown(entry.name)} has no alias {shown(alias)}", hint=f'regista show "{entry.name}"'
        )
    decision = {
        "name": entry.name, "version": None, "alias": alias, "from_version": held.version
    }  # fmt: skip
    row = compact("aliases", **of_entry(entry), alias=alias, from_version=held.version)
    return Planned(decision, [row])


def plan_tag(context: Context, args: Json, _payload: Payload) -> Planned:
    """Set and remove tags of an entry or of a version."""
    entry, version = _subject(context, args["ref"])
    common = of_version(entry, version.version) if version else of_entry(entry)
    tags = version.tags if version else entry.tags
    removed, changes = dict.fromkeys(args.get("remove", [])), args.get("set", {})
    rows = []
    for key in removed:
        if key not in tags:
            raise NotFoundError(
                f"{shown(args['ref'])} has no tag {shown(key)}",
                hint=f'regista show "{args["ref"]}"',
            )
        rows.append(compact("tags", **common, key=key))
    after = {key: value for key, value in tags.items() if key not in removed}
    for key, value in sorted(changes.items()):
        if after.get(key) != value:
            rows.append({**compact("tags", **common, key=key), "value": value})
    decision = {
        "name": entry.name,
        "version": version.version if version else None,
        "tags": {**after, **changes},
    }
    return Planned(decision, rows, existing=None if rows else context.state.seq)


def plan_describe(context: Context, args: Json, _payload: Payload) -> Planned:
    """Set the description of an entry or of a version."""
    entry, version = _subject(context, args["ref"])
    head = version or entry
    text, digest = args.get("description", ""), args.get("description_digest", "")
    decision = {"name": entry.name, "version": version.version if version else None}
    if (head.description, head.description_digest) == (text, digest):
        return Planned(decision, existing=context.state.seq)
    common = of_version(entry, version.version) if version else of_entry(entry)
    row = compact("descriptions", **common, description=text, description_digest=digest)
    return Planned(decision, [row])


def _subject(context: Context, ref: str) -> tuple[EntryHead, VersionHead | None]:
    if "@" not in ref:
        return context.state.entry(ref), None
    return context.state.select(VersionRef.parse(ref))
