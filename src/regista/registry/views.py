"""What `resolve` and `show` answer, made from a pinned state. Pure but for texts and file lists."""

from collections.abc import Sequence
from typing import Any

from regista.decide.heads import EntryHead, LineageHead, Pointer, RunHead
from regista.decide.state import State, names_stage, rollback_candidates, unrestorable
from regista.model.selectors import VersionRef
from regista.registry.answers import Resolved
from regista.storage.store import Store


def resolved(state: State, ref: VersionRef) -> Resolved:
    """Return what a reference names."""
    entry, version = state.select(ref)
    selector = ref.selector
    pointer, stage = Pointer(version.version, version.seq, version.time, version.by, ""), None
    if names_stage(entry, selector) and not selector.back:
        pointer, stage = entry.slots[selector.value], selector.value
    elif selector.how in {"any", "alias"} and selector.value in entry.aliases:
        pointer = entry.aliases[selector.value]
    return Resolved(
        name=entry.name,
        kind=entry.kind,
        version=version.version,
        digest=version.digest,
        stage=stage,
        stages=entry.stages_of(version.version),
        status=version.status,
        since=pointer.time,
        by=pointer.by,
        seq=pointer.seq,
    )


def entry_view(state: State, name: str, order: Sequence[str] = ()) -> dict[str, Any]:
    """Return all that is known of an entry, its stages in the policy's order."""
    entry = state.entry(name)
    places = {stage: place for place, stage in enumerate(order)}
    stages = sorted(entry.slots, key=lambda stage: (places.get(stage, len(places)), stage))
    return {
        "name": entry.name,
        "kind": entry.kind,
        "entry_id": entry.entry_id,
        "description": entry.description,
        "description_digest": entry.description_digest,
        "tags": dict(sorted(entry.tags.items())),
        "created": entry.time,
        "by": entry.by,
        "versions": entry.last_version,
        "stages": {stage: _slot_view(state, entry, stage) for stage in stages},
        "aliases": {
            alias: {"version": item.version, "since": item.time, "by": item.by, "seq": item.seq}
            for alias, item in sorted(entry.aliases.items())
        },
        "seq": state.seq,
    }


def _slot_view(state: State, entry: EntryHead, stage: str) -> dict[str, Any]:
    pointer, slot = entry.slots[stage], state.slot(entry.entry_id, stage)
    way_back = [
        number
        for number in rollback_candidates(entry, stage, slot)
        if not unrestorable(state.version(entry, number))
    ][:1]
    drill = slot.drill
    return {
        "version": pointer.version,
        "since": pointer.time,
        "by": pointer.by,
        "seq": pointer.seq,
        "action": pointer.action,
        "rollback_target": way_back[0] if way_back else None,
        "last_drill": None
        if drill is None
        else {
            "ok": drill.ok,
            "time": drill.time,
            "to_version": drill.to_version,
        },
    }


def version_view(state: State, ref: VersionRef) -> dict[str, Any]:
    """Return all that is known of a version."""
    entry, version = state.select(ref, deleted=True)
    return {
        "name": entry.name,
        "kind": entry.kind,
        "version": version.version,
        "digest": version.digest,
        "label": version.label or None,
        "status": version.status,
        "status_reason": version.status_reason,
        "purged": version.purged,
        "stages": entry.stages_of(version.version),
        "aliases": sorted(
            name for name, item in entry.aliases.items() if item.version == version.version
        ),
        "created": version.time,
        "by": version.by,
        "seq": version.seq,
        "files": version.files,
        "bytes": version.bytes,
        "uri": version.uri or None,
        "run": version.run or None,
        "code": version.code or None,
        "params": version.params,
        "tags": dict(sorted(version.tags.items())),
        "source": version.source,
        "card": version.card,
        "card_digest": version.card_digest,
        "description": version.description,
        "description_digest": version.description_digest,
        "lineage": [_lineage_view(item) for item in version.lineage],
        "approvals": [
            {**item._asdict(), "until": item.until or None} for item in version.approvals
        ],
        "waivers": [item._asdict() for item in version.waivers],
        "evals": {suite: _run_view(run) for suite, run in sorted(version.runs.items())},
    }


def _lineage_view(item: LineageHead) -> dict[str, Any]:
    return {"relation": item.relation, "target": item.target, "digest": item.target_digest or None}


def _run_view(run: RunHead) -> dict[str, Any]:
    names = ("task", "metric", "value", "stderr", "n", "higher_is_better")
    return {
        "run_id": run.run_id,
        "time": run.time,
        "by": run.by,
        "seq": run.seq,
        "status": run.status,
        "dataset": run.dataset or None,
        "scores": run.scores,
        "samples": run.samples,
        "main": [dict(zip(names, score, strict=True)) for score in run.main],
    }


def with_texts(store: Store, view: dict[str, Any]) -> dict[str, Any]:
    """Add the long texts of an entry or a version, None where they were purged."""
    texts = {
        field: _text(store, view[f"{field}_digest"])
        for field in ("card", "description")
        if view.get(f"{field}_digest")
    }
    return {**view, **texts}


def with_artifacts(store: Store, view: dict[str, Any]) -> dict[str, Any]:
    """Add the list of a version's files; it is empty where they were purged."""
    from regista.model.manifest import parse
    from regista.storage.blobs import get_blob

    manifest = get_blob(store, view["digest"]) if view["files"] else None
    files = (
        []
        if manifest is None
        else [
            {"path": item.path, "size": item.size, "sha256": item.sha256}
            for item in parse(manifest).files
        ]
    )
    return {**view, "artifacts": files}


def _text(store: Store, digest: str) -> str | None:
    from regista.storage.blobs import get_blob

    data = get_blob(store, digest)
    return None if data is None else data.decode()
