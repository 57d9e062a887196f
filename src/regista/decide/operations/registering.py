"""Planning `create` and `register`: new entries and new versions."""

import json

from regista.decide import keys
from regista.decide.heads import EntryHead, VersionHead
from regista.decide.operations.context import (
    Context,
    Json,
    Payload,
    Planned,
    compact,
    of_entry,
    of_version,
)
from regista.errors import InvalidInputError
from regista.model.commit import Row
from regista.model.names import shown
from regista.model.selectors import VersionRef

DEFAULT_KIND = "model"
ENTRY_RELATIONS = ("dataset", "base", "member")


def plan_create(context: Context, args: Json, _payload: Payload) -> Planned:
    """Make an entry without versions; an entry of that name and kind is left as it is."""
    existing = context.state.find_entry(args["name"])
    if existing:
        _same_kind(existing, args["kind"])
        decision = {"name": existing.name, "kind": existing.kind, "created": False}
        return Planned(decision, existing=existing.seq)
    entry, row = _new_entry(context, args["name"], args["kind"])
    rows = [row]
    if args.get("description") or args.get("description_digest"):
        rows.append(
            compact(
                "descriptions",
                **of_entry(entry),
                description=args.get("description"),
                description_digest=args.get("description_digest"),
            )
        )
    return Planned({"name": entry.name, "kind": entry.kind, "created": True}, rows)


def plan_register(context: Context, args: Json, payload: Payload) -> Planned:
    """Add a version, and its entry when it is the first.

    A non-empty manifest that an undeleted version of the entry has already is that version,
    unless `force_new` asks for another.
    """
    rows: list[Row] = []
    entry = context.state.find_entry(args["name"])
    if entry:
        _same_kind(entry, args.get("kind"))
        twin = None if args.get("force_new") else _twin(context, entry, args)
        if twin:
            return _existing(context, entry, twin, args)
    else:
        entry, row = _new_entry(context, args["name"], args.get("kind") or DEFAULT_KIND)
        rows.append(row)
    version = entry.last_version + 1
    _free_label(context, entry, args.get("label"))
    rows.append(_version_row(entry, version, args))
    rows += _lineage_rows(context, entry, version, args)
    rows += [
        compact("tags", **of_version(entry, version), key=key) | {"value": value}
        for key, value in sorted(args.get("tags", {}).items())
    ]
    stage = context.policy.on_register
    if stage:
        rows.append(
            compact(
                "placements",
                **of_entry(entry),
                stage=stage,
                from_version=entry.holder(stage),
                to_version=version,
                action="register",
            )
        )
    common = of_version(entry, version)
    rows += [{"table": "files", **common, **row} for row in payload.rows.get("files", [])]
    data = [ref.with_columns(common) for ref in payload.data]
    decision = {
        "name": entry.name,
        "entry_id": entry.entry_id,
        "kind": entry.kind,
        "version": version,
        "digest": args["manifest"],
        "stage": stage or None,
        "created": True,
    }
    return Planned(decision, rows, data)


def _new_entry(context: Context, name: str, kind: str) -> tuple[EntryHead, Row]:
    entry_id = f"e{context.seq}-{context.first_i}"
    row = compact("entries", entry_id=entry_id, entry=name, kind=kind)
    return EntryHead(entry_id, name, kind, context.seq, context.time, context.actor), row


def _same_kind(entry: EntryHead, kind: str | None) -> None:
    if kind and kind != entry.kind:
        raise InvalidInputError(
            f"{shown(entry.name)} is a {entry.kind}, not a {kind}",
            hint="leave --kind out, or choose another name",
        )


def _twin(context: Context, entry: EntryHead, args: Json) -> VersionHead | None:
    return context.state.newest_equal(entry, args["manifest"]) if args["files"] else None


def _existing(context: Context, entry: EntryHead, version: VersionHead, args: Json) -> Planned:
    stages = entry.stages_of(version.version)
    decision = {
        "name": entry.name,
        "kind": entry.kind,
        "version": version.version,
        "digest": version.digest,
        "stage": stages[0] if stages else None,
        "created": False,
        "ignored": _ignored(context, version, args),
    }
    return Planned(decision, existing=version.seq)


def _ignored(context: Context, version: VersionHead, args: Json) -> list[str]:
    """Name the metadata that was given now and differs from what the version has."""
    had = {
        "label": version.label,
        "uri": version.uri,
        "run": version.run,
        "code": version.code,
        "params": version.params,
    }
    names = [name for name, value in had.items() if args.get(name) and args[name] != value]
    card = args.get("card", ""), args.get("card_digest", "")
    if any(card) and card != (version.card, version.card_digest):
        names.append("card")
    given = {
        key: value for key, value in args.get("tags", {}).items() if version.tags.get(key) != value
    }
    if given:
        names.append("tags")
    for relation in ENTRY_RELATIONS:
        given_now = _pinned(context, args.get(relation, []))
        targets = {
            (item.target_entry_id, item.target_version)
            for item in version.lineage
            if item.relation == relation
        }
        if {(of.entry_id, head.version) for of, head in given_now} - targets:
            names.append(relation)
    return names


def _free_label(context: Context, entry: EntryHead, label: str | None) -> None:
    if label in context.policy.all_stages:
        # NAME@prod must never mean a version that only calls itself so
        raise InvalidInputError(
            f"{shown(label or '')} is a stage and cannot be a label",
            hint="choose another --label",
        )
    taken = context.state.heads.get(keys.label(entry.entry_id, label)) if label else None
    if taken is not None:
        raise InvalidInputError(
            f"label {shown(label or '')} is version {taken} of {shown(entry.name)} already",
            hint="choose another --label",
        )


def _version_row(entry: EntryHead, version: int, args: Json) -> Row:
    params, source = args.get("params"), args.get("source")
    return compact(
        "versions",
        **of_entry(entry),
        kind=entry.kind,
        version=version,
        digest=args["manifest"],
        label=args.get("label"),
        files=args["files"],
        bytes=args["bytes"],
        uri=args.get("uri"),
        run=args.get("run"),
        code=args.get("code"),
        params=_json_text(params),
        card=args.get("card"),
        card_digest=args.get("card_digest"),
        source=_json_text(source),
    )


def _json_text(value: Json | None) -> str | None:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else None


def _pinned(context: Context, refs: list[str]) -> list[tuple[EntryHead, VersionHead]]:
    """Return what references name, each version once."""
    found = [context.state.select(VersionRef.parse(ref)) for ref in refs]
    return list({(entry.entry_id, head.version): (entry, head) for entry, head in found}.values())


def _lineage_rows(context: Context, entry: EntryHead, version: int, args: Json) -> list[Row]:
    rows = []
    for relation in ENTRY_RELATIONS:
        for target_entry, head in _pinned(context, args.get(relation, [])):
            pinned = f"{target_entry.name}@{head.version}"
            rows.append(
                compact(
                    "lineage",
                    **of_version(entry, version),
                    relation=relation,
                    target=pinned,
                    target_entry_id=target_entry.entry_id,
                    target_version=head.version,
                    target_digest=head.digest,
                )
            )
    for relation in ("run", "code", "uri"):
        if args.get(relation):
            row = {"relation": relation, "target": args[relation]}
            rows.append(compact("lineage", **of_version(entry, version), **row))
    return rows
