"""The documents of one entry: itself, its versions, its stages and its aliases.

Their fields are those of `show --json` and `resolve --json`, made by the same code from the
published rows, and a few more. What is not published is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from regista.model.selectors import Selector, VersionRef
from regista.registry.views import entry_view, version_view
from regista.site import paths
from regista.site.api import addresses
from regista.site.api.encoding import Document, document
from regista.site.api.records import Record, pointed
from regista.site.listing import Site
from regista.site.model import Decision, FileRow, Run, Score, Slot, Verdict, Version

MAX_VALUES = 1_000
MAX_DECISIONS = 100
Json = dict[str, Any]

# fields that are there only where a kind of content is published
_FIELDS_OF = {
    "cards": ("card", "card_digest", "description", "description_digest"),
    "params": ("params",),
    "tags": ("tags",),
    "source": ("source",),
    "files": ("artifacts",),
}


@dataclass(frozen=True, slots=True)
class EntryDocuments:
    """Makes the documents of entries."""

    site: Site
    _hidden: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        hidden = (
            name
            for what, names in _FIELDS_OF.items()
            if what not in self.site.publish
            for name in names
        )
        object.__setattr__(self, "_hidden", tuple(hidden))

    def documents(self, record: Record) -> Iterator[Document]:
        """Yield the documents of an entry."""
        yield self._entry(record)
        for slot in record.entry.slots:
            yield self._stage(record, slot)
        for alias, *_pointer in record.entry.aliases:
            if value := pointed(record, "alias", alias):
                path = addresses.alias_of(record.entry.name, alias)
                yield self._pointer(record, path, value, {})
        main = record.main_scores()
        for version in record.entry.versions:
            yield self._version(record, version, main)

    def _entry(self, record: Record) -> Document:
        entry = record.entry
        path = addresses.entry(entry.name)
        root, folder = paths.root_of(path), addresses.folder_of(entry.name)
        view = entry_view(record.state, entry.name, self.site.stages)
        # the registry's newest commit, which would change every document with each commit
        del view["seq"]
        view["description"] = _text(entry.description, view["description_digest"])
        for stage, slot in view["stages"].items():
            slot["url"] = addresses.stage_of(entry.name, stage).removeprefix(f"{folder}/")
            slot["badge"] = root + paths.badge(entry.name, stage)
        for alias, pointer in view["aliases"].items():
            pointer["url"] = addresses.alias_of(entry.name, alias).removeprefix(f"{folder}/")
        links = {
            "page": root + entry.page,
            "feed": root + paths.feed(entry.name),
            "version": "versions/{version}.json",
        }
        return document(path, "entry", self._shown({**view, "links": links}))

    def _version(
        self, record: Record, version: Version, main: Mapping[str, list[Json]]
    ) -> Document:
        path = addresses.version(version.entry, version.number)
        ref = VersionRef(version.entry, Selector("number", str(version.number)))
        view = version_view(record.state, ref)
        view["card"] = _text(version.card, version.card_digest)
        view["description"] = _text(version.description, version.description_digest)
        runs = {run.suite: run for run in version.latest_runs}
        for suite, run in view["evals"].items():
            run["main"] = main.get(run["run_id"], [])
            run["values"] = _values(runs[suite])
        view["artifacts"] = [] if version.purged else _files(version.artifacts)
        view["decisions"] = [_decision(item) for item in version.decisions[:MAX_DECISIONS]]
        view["decisions_total"] = len(version.decisions)
        view["links"] = {
            "page": paths.root_of(path) + version.page,
            "entry": "../index.json",
            "previous": f"{version.previous}.json" if version.previous else None,
        }
        return document(path, "version", self._shown(view))

    def _stage(self, record: Record, slot: Slot) -> Document:
        path = addresses.stage_of(record.entry.name, slot.stage)
        value = pointed(record, "stage", slot.stage) or _empty(record, slot)
        badge = paths.root_of(path) + paths.badge(record.entry.name, slot.stage)
        return self._pointer(record, path, value, {"badge": badge})

    def _pointer(self, record: Record, path: str, value: Json, links: Json) -> Document:
        version = record.entry.version(value["version"])
        page = version.page if version else record.entry.page
        more = {
            "uri": (version.uri or None) if version else None,
            "files": _files(version.artifacts) if version and not version.purged else [],
            "links": {
                "page": paths.root_of(path) + page,
                "entry": "../index.json",
                "version": f"../versions/{version.number}.json" if version else None,
                **links,
            },
        }
        if "files" not in self.site.publish:
            del more["files"]
        return document(path, "pointer", {**value, **more})

    def _shown(self, view: Json) -> Json:
        for name in self._hidden:
            view.pop(name, None)
        return view


def _empty(record: Record, slot: Slot) -> Json:
    """Return the fields of `resolve --json` for a stage that holds nothing any more."""
    return {
        "name": record.entry.name,
        "kind": record.entry.kind,
        "version": None,
        "digest": None,
        "stage": slot.stage,
        "stages": [],
        "status": None,
        "since": slot.since,
        "by": slot.by,
        "seq": slot.seq,
    }


def _text(text: str, digest: str) -> str | None:
    """Return a text as `show` does: None where it is gone and only its digest is left."""
    return text or (None if digest else "")


def _files(files: Sequence[FileRow]) -> list[Json]:
    return [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in files]


def _values(run: Run) -> list[Json]:
    """Return the scores of a run, those over all of the data first."""
    ordered = sorted(run.scores, key=_is_sliced)
    return [score._asdict() for score in ordered[:MAX_VALUES]]


def _is_sliced(score: Score) -> bool:
    return bool(score.slice)


def _decision(item: Decision) -> Json:
    return {
        "seq": item.seq,
        "time": item.time,
        "by": item.by,
        "op": item.op,
        "stage": item.stage,
        "outcome": item.outcome,
        "ungated": item.ungated,
        "policy": item.policy,
        "gates": [_gate(verdict) for verdict in item.verdicts],
    }


def _gate(verdict: Verdict) -> Json:
    """Return a verdict with the names that `promote --json` has."""
    return {
        "id": verdict.gate,
        "kind": verdict.kind,
        "status": verdict.status,
        "observed": verdict.observed,
        "required": verdict.required,
        "reason": verdict.reason,
        "remedy": verdict.remedy,
        "evidence": [ref.text for ref in verdict.evidence],
    }
