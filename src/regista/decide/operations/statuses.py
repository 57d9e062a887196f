"""Planning `deprecate`, `restore`, `archive` and `delete`: the status of a version."""

from regista.decide.heads import EntryHead, Status, VersionHead
from regista.decide.operations.context import (
    Context,
    Json,
    Payload,
    Planned,
    compact,
    of_entry,
    of_version,
)
from regista.errors import RefusedError
from regista.model.commit import Row
from regista.model.names import shown
from regista.model.selectors import VersionRef


def plan_deprecate(context: Context, args: Json, _payload: Payload) -> Planned:
    """Warn off a version: it resolves still, but is no promotion candidate."""
    return _change(context, args, Status.DEPRECATED)


def plan_restore(context: Context, args: Json, _payload: Payload) -> Planned:
    """Make a deprecated or archived version active again."""
    return _change(context, args, Status.ACTIVE)


def plan_archive(context: Context, args: Json, _payload: Payload) -> Planned:
    """Take a version out of use; it may hold no stage."""
    return _change(context, args, Status.ARCHIVED)


def plan_delete(context: Context, args: Json, _payload: Payload) -> Planned:
    """Leave a tombstone, and with `purge` let the blobs go; it may hold no stage."""
    return _change(context, args, Status.DELETED)


def _change(context: Context, args: Json, status: Status) -> Planned:
    ref = VersionRef.parse(args["ref"])
    entry, version = context.state.select(ref, deleted=True)
    purge = bool(args.get("purge"))
    decision = {
        "name": entry.name,
        "version": version.version,
        "status": str(status),
        "from_status": str(version.status),
    }
    if version.status == status and (version.purged or not purge):
        return Planned(decision, existing=context.state.seq)
    _may_change(entry, version, status)
    rows = [
        compact(
            "statuses",
            **of_version(entry, version.version),
            from_status=str(version.status),
            status=str(status),
            reason=args.get("reason"),
            purge=purge or None,
        )
    ]
    if status == Status.DELETED:
        rows += _dropped_aliases(entry, version)
    return Planned(decision, rows)


def _may_change(entry: EntryHead, version: VersionHead, status: Status) -> None:
    if version.status == Status.DELETED and status != Status.DELETED:
        raise RefusedError(
            f"{shown(entry.name)} version {version.version} was deleted for good",
            hint="register the artifacts again",
        )
    stages = entry.stages_of(version.version)
    if stages and status in {Status.ARCHIVED, Status.DELETED}:
        raise RefusedError(
            f"{shown(entry.name)} version {version.version} holds {', '.join(stages)}",
            hint=f'regista demote "{entry.name}" --stage {stages[0]}, or roll back first',
        )


def _dropped_aliases(entry: EntryHead, version: VersionHead) -> list[Row]:
    return [
        compact("aliases", **of_entry(entry), alias=alias, from_version=version.version)
        for alias, pointer in sorted(entry.aliases.items())
        if pointer.version == version.version
    ]
