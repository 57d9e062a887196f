"""From published rows to the facts of one entry. Pure but for long texts, which are looked up.

State is folded from the rows as everywhere (`regista.decide.fold`), so the site cannot disagree
with `resolve`. What a slot needs to be told is `regista.site.slots`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlsplit

from regista.decide import fold
from regista.decide.heads import EntryHead, VersionHead
from regista.decide.policy import Policy
from regista.decide.state import State
from regista.read.past import as_log_row, stored_time
from regista.site import model, paths
from regista.site.gated import gated_metrics
from regista.site.options import SiteOptions
from regista.site.published import Row, Rows
from regista.site.records import (
    approval_of,
    decisions_of,
    event_of,
    waiver_of,
)
from regista.site.slots import SlotContext, drills_of, slots_of
from regista.site.texts import Texts

_STATE_TABLES = (
    "entries", "versions", "lineage", "placements", "aliases", "tags", "statuses", "names",
    "descriptions", "eval_runs", "drills", "approvals", "waivers",
)  # fmt: skip
_SAFE_STARTS = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What making the facts of any entry needs.

    Attributes:
        texts: where long texts are looked up.
        names: name of each entry by its id.
        policy: the policy in force at the pinned commit.
        final_stage: the last of its stages, such as `prod`.
    """

    texts: Texts
    names: Mapping[str, str]
    policy: Policy
    final_stage: str
    options: SiteOptions


def entry_facts(know: Knowledge, rows: Rows, state: State) -> model.Entry:
    """Return the facts of the entry that some rows are of, and that they fold to."""
    row = rows["entries"][0]
    head = state.entry_by_id(row.entry_id)
    holds = _holds(rows["placements"])
    decisions = decisions_of(rows, head.name)
    drills = drills_of(know.policy, head, rows["drills"])
    events = tuple(event_of(event) for event in rows["events"])
    versions = _versions(know, state, head, rows, _Parts(holds, decisions, events))
    return model.Entry(
        entry_id=head.entry_id,
        name=head.name,
        kind=head.kind,
        description=head.description or know.texts.text(head.description_digest) or "",
        tags=dict(sorted(head.tags.items())),
        time=head.time,
        by=head.by,
        seq=head.seq,
        aliases=tuple(
            (alias, pointer.version, pointer.time, pointer.by)
            for alias, pointer in sorted(head.aliases.items())
            if pointer.version is not None
        ),
        slots=slots_of(
            SlotContext(know.policy, know.options, state, head, decisions, holds, drills)
        ),
        versions=versions,
        holds=holds,
        drills=drills,
        events=events,
        metrics=gated_metrics(know.policy, head, versions),
        former_names=tuple((name.from_name, stored_time(name.time)) for name in rows["names"]),
    )


def folded(rows: Rows) -> State:
    """Return the state that the rows of an entry fold to; scores are left out."""
    state = State("", 0, "", "", lambda _key: None)
    placed = [(row.seq, row.i, table, row) for table in _STATE_TABLES for row in rows[table]]
    placed.sort(key=lambda item: item[:2])
    for _seq, _i, table, row in placed:
        stamp, logged = as_log_row(table, row._asdict())
        fold.apply_row(state.heads, stamp, logged)
    return state


@dataclass(frozen=True, slots=True)
class _Parts:
    """What concerns several versions, made once."""

    holds: tuple[model.Hold, ...]
    decisions: tuple[model.Decision, ...]
    events: tuple[model.Event, ...]


def _scores_by_run(rows: Rows) -> dict[str, tuple[model.Score, ...]]:
    ordered = sorted(
        rows["eval_scores"],
        key=lambda row: (row.run_id, row.task, row.metric, row.slice or ""),
    )
    return {
        run_id: tuple(_score(row) for row in group)
        for run_id, group in groupby(ordered, key=lambda row: row.run_id)
    }


def _versions(
    know: Knowledge, state: State, head: EntryHead, rows: Rows, parts: _Parts
) -> tuple[model.Version, ...]:
    by_version = {
        name: _grouped(rows[name])
        for name in ("files", "lineage", "eval_runs", "approvals", "waivers", "uses")
    }
    scores = _scores_by_run(rows)
    events = _grouped(parts.events)
    decisions = _grouped(parts.decisions)
    holds = _grouped(parts.holds)
    made: list[model.Version] = []
    previous: int | None = None
    for row in rows["versions"]:
        number = row.version
        version = state.version(head, number)
        runs = _runs(know, by_version["eval_runs"][number], scores, version)
        made.append(
            _version(
                know,
                head,
                version,
                previous=previous,
                artifacts=tuple(
                    model.FileRow(file.path, file.size, file.sha256)
                    for file in by_version["files"][number]
                ),
                lineage=tuple(_lineage(know, item) for item in by_version["lineage"][number]),
                used_by=tuple(_use(use) for use in by_version["uses"][number]),
                runs=runs,
                decisions=tuple(decisions[number]),
                holds=tuple(holds[number]),
                approvals=tuple(approval_of(item) for item in by_version["approvals"][number]),
                waivers=tuple(waiver_of(item) for item in by_version["waivers"][number]),
                events=tuple(events[number]),
                incumbent=_incumbent(
                    know.final_stage, parts.holds, number, decisions[number], runs
                ),
            )
        )
        if version.status != "deleted":
            previous = number
    return tuple(reversed(made))


def _version(
    know: Knowledge, head: EntryHead, version: VersionHead, **parts: object
) -> model.Version:
    shown = version.status != "deleted"
    return model.Version(
        entry=head.name,
        kind=head.kind,
        number=version.version,
        digest=version.digest,
        label=version.label,
        status=version.status,
        status_reason=version.status_reason,
        purged=version.purged,
        time=version.time,
        by=version.by,
        seq=version.seq,
        files=version.files,
        bytes=version.bytes,
        uri=version.uri,
        run=version.run,
        code=version.code,
        params=dict(sorted(version.params.items())),
        tags=dict(sorted(version.tags.items())),
        source=dict(sorted(version.source.items())),
        card=version.card or ((shown and know.texts.text(version.card_digest)) or ""),
        card_digest=version.card_digest,
        description=version.description
        or ((shown and know.texts.text(version.description_digest)) or ""),
        description_digest=version.description_digest,
        stages=tuple(
            stage for stage in know.policy.all_stages if head.holder(stage) == version.version
        ),
        aliases=tuple(
            sorted(
                name for name, pointer in head.aliases.items() if pointer.version == version.version
            )
        ),
        **parts,  # type: ignore[arg-type]
    )


def _grouped(rows: Iterable[Row]) -> defaultdict[int | None, list[Row]]:
    groups: defaultdict[int | None, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.version].append(row)
    return groups


def _score(row: Row) -> model.Score:
    return model.Score(
        row.task or "",
        row.metric,
        row.slice or "",
        row.value,
        row.stderr,
        row.n,
        row.higher_is_better,
    )


def _runs(
    know: Knowledge,
    rows: Sequence[Row],
    scores: Mapping[str, tuple[model.Score, ...]],
    head: VersionHead,
) -> tuple[model.Run, ...]:
    latest = {run.run_id for run in head.runs.values()}
    return tuple(
        model.Run(
            run_id=row.run_id,
            seq=row.seq,
            time=stored_time(row.time),
            by=row.actor,
            suite=row.suite,
            status=row.status,
            dataset=_dataset(know, row),
            harness=" ".join(filter(None, (row.harness, row.harness_version))),
            code=row.code or "",
            samples=row.samples,
            note=row.note or "",
            latest=row.run_id in latest,
            scores=scores.get(row.run_id, ()),
        )
        for row in sorted(rows, key=lambda row: (row.seq, row.i), reverse=True)
    )


def _dataset(know: Knowledge, row: Row) -> model.Ref | None:
    if not row.dataset:
        return None
    return _target("dataset", row.dataset, know.names.get(row.dataset_entry_id or ""),
                   row.dataset_version, row.dataset_digest or "")  # fmt: skip


def _lineage(know: Knowledge, row: Row) -> model.Ref:
    name = know.names.get(row.target_entry_id or "")
    return _target(row.relation, row.target, name, row.target_version, row.target_digest or "")


def _target(
    relation: str, text: str, name: str | None, version: int | None, digest: str
) -> model.Ref:
    if name is None or version is None:
        return model.Ref(relation, text, url=safe_url(text), digest=digest)
    return model.Ref(relation, f"{name}@{version}", paths.version_page(name, version), "", digest)


def safe_url(text: str) -> str:
    """Return an address that may be linked to: http and https only; else ''."""
    if not text[:8].lower().startswith(_SAFE_STARTS):
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.hostname else ""


def _use(row: Row) -> model.Ref:
    text = f"{row.user}@{row.user_version}"
    if row.suite:
        text = f"{text}, suite {row.suite}"
    return model.Ref(row.relation, text, paths.version_page(row.user, row.user_version))


def _incumbent(
    stage: str,
    holds: Sequence[model.Hold],
    number: int,
    decisions: Sequence[model.Decision],
    runs: Sequence[model.Run],
) -> int | None:
    """Return what a stage held when a version was last judged or evaluated.

    Where that is the version itself, what it took the place of; None where that is nothing.
    """
    moment = max([*(item.seq for item in decisions), *(run.seq for run in runs)], default=0)
    before = [hold for hold in holds if hold.stage == stage and hold.seq < moment]
    while before:
        held = before.pop()
        if held.ended_seq is not None and held.ended_seq < moment:
            break
        if held.version != number:
            return held.version
        moment = held.seq
    return None


def _holds(rows: Sequence[Row]) -> tuple[model.Hold, ...]:
    """Return every time that a stage held a version, in the order of their beginnings."""
    holds: list[model.Hold] = []
    by_stage: dict[str, list[Row]] = {}
    for row in rows:
        by_stage.setdefault(row.stage, []).append(row)
    for placed in by_stage.values():
        for row, after in zip(placed, [*placed[1:], None], strict=True):
            if row.to_version is None:
                continue
            holds.append(
                model.Hold(
                    stage=row.stage,
                    version=row.to_version,
                    since=stored_time(row.time),
                    until=stored_time(after.time) if after else None,
                    by=row.actor,
                    action=row.action,
                    reason=row.reason or "",
                    seq=row.seq,
                    ended=after.action if after else "",
                    ended_seq=after.seq if after else None,
                )
            )
    return tuple(sorted(holds, key=lambda hold: (hold.seq, hold.stage)))
