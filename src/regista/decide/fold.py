"""The fold: what a row of the log does to the heads.

State is nothing but this function applied to every row in order, so a checkpoint, a replay and a
look into the past all agree by construction. Heads live in a map from keys to head objects
(`regista.decide.keys`).
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

from regista.decide import equals, keys, signed
from regista.decide.heads import (
    MAX_MAIN_SCORES,
    DrillHead,
    EntryHead,
    Head,
    LineageHead,
    Pointer,
    RunHead,
    SlotHead,
    Status,
    VersionHead,
    changed,
)
from regista.decide.keys import Heads
from regista.model import canonical
from regista.model.commit import Row


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every row of a commit shares."""

    seq: int
    time: str
    actor: str


def apply_row(heads: Heads, stamp: Stamp, row: Row) -> None:
    """Apply one row. Rows of tables that carry no state change nothing."""
    rule = _RULES.get(row["table"])
    if rule:
        rule(heads, stamp, row)


def apply_rows(heads: Heads, stamp: Stamp, rows: Iterable[Row]) -> None:
    """Apply rows of one commit in order.

    The same as `apply_row` for each; scores of a run that follow each other are applied at once,
    since a head is made anew for every change.
    """
    for run, group in groupby(rows, _run_of_score):
        if run:
            _scores_added(heads, list(group))
        else:
            for row in group:
                apply_row(heads, stamp, row)


class Asked(Protocol):
    """An operation that is or was asked for."""

    @property
    def op(self) -> str: ...  # noqa: D102 - the operation's name
    @property
    def args(self) -> dict[str, Any]: ...  # noqa: D102 - its arguments


def arguments_digest(ops: Sequence[Asked]) -> str:
    """Return the digest of what a transaction asks for, to tell a repeat from a reuse.

    `source` is left out: its facts are found and not asked for, and a CI job that is run again
    finds others, such as its URL.
    """
    return canonical.digest(
        [
            [op.op, {name: value for name, value in op.args.items() if name != "source"}]
            for op in ops
        ]
    )


def apply_transaction(heads: Heads, stamp: Stamp, txid: str, ops: Sequence[Asked]) -> None:
    """Remember a transaction id with what it asked for."""
    heads.put(keys.transaction(txid), [stamp.seq, arguments_digest(ops)])


def entry_of(heads: Heads, entry_id: str) -> EntryHead:
    """Return the head of an entry, which exists."""
    head: EntryHead = heads.get(keys.name(heads.get(keys.entry(entry_id))))
    return head


def put_entry(heads: Heads, head: EntryHead) -> None:
    """Set the head of an entry that keeps its name."""
    heads.put(keys.name(head.name), head)


def _entry_added(heads: Heads, stamp: Stamp, row: Row) -> None:
    entry_id, name = row["entry_id"], row["entry"]
    head = EntryHead(entry_id, name, row["kind"], stamp.seq, stamp.time, stamp.actor)
    heads.put(keys.entry(entry_id), name)
    put_entry(heads, head)
    registry = heads.get(keys.REGISTRY) or {}
    heads.put(keys.REGISTRY, {**registry, "entries": registry.get("entries", 0) + 1})


def _version_added(heads: Heads, stamp: Stamp, row: Row) -> None:
    entry_id, version = row["entry_id"], row["version"]
    head = VersionHead(
        entry_id,
        version,
        row["digest"],
        stamp.seq,
        stamp.time,
        stamp.actor,
        label=row.get("label", ""),
        files=row["files"],
        bytes=row["bytes"],
        uri=row.get("uri", ""),
        run=row.get("run", ""),
        code=row.get("code", ""),
        params=json.loads(row.get("params", "{}")),
        card=row.get("card", ""),
        card_digest=row.get("card_digest", ""),
        source=json.loads(row.get("source", "{}")),
    )
    heads.put(keys.version(entry_id, version), head)
    if head.label:
        heads.put(keys.label(entry_id, head.label), version)
    equals.add(heads, entry_id, head.digest, version, _deleted_in(heads, entry_id))
    entry = entry_of(heads, entry_id)
    put_entry(heads, changed(entry, last_version=max(entry.last_version, version)))


def _deleted_in(heads: Heads, entry_id: str) -> equals.IsDeleted:
    def is_deleted(version: int) -> bool:
        return bool(heads.get(keys.version(entry_id, version)).status == Status.DELETED)

    return is_deleted


def _change_version(heads: Heads, row: Row, change: Callable[[VersionHead], VersionHead]) -> None:
    key = keys.version(row["entry_id"], row["version"])
    heads.put(key, change(heads.get(key)))


def _lineage_added(heads: Heads, _stamp: Stamp, row: Row) -> None:
    item = LineageHead(
        row["relation"],
        row["target"],
        row.get("target_entry_id", ""),
        row.get("target_version"),
        row.get("target_digest", ""),
    )
    _change_version(heads, row, lambda head: changed(head, lineage=[*head.lineage, item]))


def _count(heads: Heads, key: str, step: int) -> None:
    heads.put(key, ((heads.get(key) or 0) + step) or None)


def _placed(heads: Heads, stamp: Stamp, row: Row) -> None:
    entry_id, stage, to = row["entry_id"], row["stage"], row.get("to_version")
    entry = entry_of(heads, entry_id)
    pointer = Pointer(to, stamp.seq, stamp.time, stamp.actor, row["action"])
    before = entry.holder(stage)
    if (before is None) != (to is None):
        _count(heads, keys.holders(stage), 1 if before is None else -1)
    put_entry(heads, changed(entry, slots={**entry.slots, stage: pointer}))
    if row["action"] != "register":
        slot = heads.get(keys.slot(entry_id, stage)) or SlotHead()
        heads.put(keys.slot(entry_id, stage), restack(slot, row["action"], before, to))


def restack(slot: SlotHead, action: str, holder: int | None, to: int | None) -> SlotHead:
    """Return the slot's stack after a placement; pure, and the whole rule of the stack."""
    match action:
        case "promote" | "imported":
            stack = [version for version in slot.stack if version != to]
            barred = [version for version in slot.barred if version != to]
            return changed(slot, stack=[*stack, _present(to)], barred=barred)
        case "rollback":
            keep = slot.stack.index(_present(to)) + 1
            popped = slot.stack[keep:]
            barred = [version for version in slot.barred if version not in popped]
            return changed(slot, stack=slot.stack[:keep], barred=[*barred, *popped])
        case _:
            stack = [version for version in slot.stack if version != holder]
            return changed(slot, stack=stack)


def _present(version: int | None) -> int:
    if version is None:
        raise ValueError("a promotion or rollback to nothing")
    return version


def _aliased(heads: Heads, stamp: Stamp, row: Row) -> None:
    entry, alias, version = entry_of(heads, row["entry_id"]), row["alias"], row.get("version")
    aliases = {name: item for name, item in entry.aliases.items() if name != alias}
    if (alias in entry.aliases) != (version is not None):
        _count(heads, keys.alias_users(alias), 1 if version is not None else -1)
    if version is not None:
        aliases[alias] = Pointer(version, stamp.seq, stamp.time, stamp.actor, "alias")
    put_entry(heads, changed(entry, aliases=aliases))


def _retag(tags: dict[str, str], row: Row) -> dict[str, str]:
    others = {key: value for key, value in tags.items() if key != row["key"]}
    return {**others, row["key"]: row["value"]} if "value" in row else others


def _tagged(heads: Heads, _stamp: Stamp, row: Row) -> None:
    if "version" in row:
        _change_version(heads, row, lambda head: changed(head, tags=_retag(head.tags, row)))
    else:
        entry = entry_of(heads, row["entry_id"])
        put_entry(heads, changed(entry, tags=_retag(entry.tags, row)))


def _status_changed(heads: Heads, _stamp: Stamp, row: Row) -> None:
    entry_id, version = row["entry_id"], row["version"]
    before = heads.get(keys.version(entry_id, version))
    after = changed(
        before,
        status=row["status"],
        status_reason=row.get("reason", ""),
        purged=before.purged or row.get("purge", False),
    )
    heads.put(keys.version(entry_id, version), after)
    if after.status == Status.DELETED != before.status:
        equals.delete(heads, entry_id, after.digest, version, _deleted_in(heads, entry_id))


def _renamed(heads: Heads, _stamp: Stamp, row: Row) -> None:
    entry = entry_of(heads, row["entry_id"])
    heads.put(keys.name(entry.name), None)
    heads.put(keys.entry(entry.entry_id), row["entry"])
    put_entry(heads, changed(entry, name=row["entry"]))


def _described(heads: Heads, _stamp: Stamp, row: Row) -> None:
    text, digest = row.get("description", ""), row.get("description_digest", "")

    def described(head: Head) -> Head:
        return changed(head, description=text, description_digest=digest)

    if "version" in row:
        _change_version(heads, row, described)
    else:
        put_entry(heads, described(entry_of(heads, row["entry_id"])))


def _run_added(heads: Heads, stamp: Stamp, row: Row) -> None:
    run = RunHead(
        row["run_id"],
        stamp.seq,
        stamp.time,
        stamp.actor,
        row["status"],
        row.get("dataset", ""),
        row.get("dataset_digest", ""),
        row["scores"],
        row["samples"],
    )
    suite = row["suite"]
    heads.put(keys.run(row["run_id"]), [row["entry_id"], row["version"], stamp.seq, suite])
    if digest := row.get("import_digest"):
        key = keys.imported(row["entry_id"], row["version"], digest)
        heads.put(key, [run.run_id, stamp.seq])
    _change_version(heads, row, lambda head: changed(head, runs={**head.runs, suite: run}))


def _run_of_score(row: Row) -> tuple[str, int, str, str] | None:
    if row["table"] != "eval_scores":
        return None
    return row["entry_id"], row["version"], row["suite"], row["run_id"]


def _score_added(heads: Heads, _stamp: Stamp, row: Row) -> None:
    _scores_added(heads, [row])


def _scores_added(heads: Heads, rows: Sequence[Row]) -> None:
    """Add scores of one run; those of slices, and all beyond the first few, are left out."""
    first = rows[0]
    key = keys.version(first["entry_id"], first["version"])
    head = heads.get(key)
    run = head.runs.get(first["suite"])
    if run is None or run.run_id != first["run_id"]:
        return
    scores = [
        [
            row.get("task", ""), row["metric"], row["value"], row.get("stderr"), row.get("n"),
            row.get("higher_is_better"),
        ]
        for row in rows
        if not row.get("slice")
    ]  # fmt: skip
    main = (*run.main, *scores)[:MAX_MAIN_SCORES]
    if len(main) > len(run.main):
        runs = {**head.runs, first["suite"]: run._replace(main=main)}
        heads.put(key, changed(head, runs=runs))


def _drilled(heads: Heads, stamp: Stamp, row: Row) -> None:
    key = keys.slot(row["entry_id"], row["stage"])
    drill = DrillHead(
        stamp.seq,
        stamp.time,
        stamp.actor,
        row["ok"],
        row.get("from_version"),
        row.get("to_version"),
        row.get("detail", ""),
    )
    heads.put(key, changed(heads.get(key) or SlotHead(), drill=drill))


def _policy_applied(heads: Heads, stamp: Stamp, row: Row) -> None:
    registry = signed.without_policy_approvals(heads.get(keys.REGISTRY) or {})
    heads.put(keys.REGISTRY, {**registry, "policy": row["digest"], "policy_seq": stamp.seq})


def _approved(heads: Heads, stamp: Stamp, row: Row) -> None:
    given = signed.approval_of(stamp.seq, stamp.time, stamp.actor, row)
    if "version" in row:
        _change_version(
            heads,
            row,
            lambda head: changed(head, approvals=signed.with_approval(head.approvals, given)),
        )
    else:
        heads.put(keys.REGISTRY, signed.with_policy_approval(heads.get(keys.REGISTRY) or {}, given))


def _waived(heads: Heads, stamp: Stamp, row: Row) -> None:
    given = signed.waiver_of(stamp.seq, stamp.time, stamp.actor, row)
    _change_version(
        heads, row, lambda head: changed(head, waivers=signed.with_waiver(head.waivers, given))
    )


_RULES: dict[str, Callable[[Heads, Stamp, Row], None]] = {
    "entries": _entry_added,
    "versions": _version_added,
    "lineage": _lineage_added,
    "placements": _placed,
    "aliases": _aliased,
    "tags": _tagged,
    "statuses": _status_changed,
    "names": _renamed,
    "descriptions": _described,
    "eval_runs": _run_added,
    "eval_scores": _score_added,
    "drills": _drilled,
    "policies": _policy_applied,
    "approvals": _approved,
    "waivers": _waived,
}
STATE_TABLES = frozenset(_RULES)
