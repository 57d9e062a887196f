"""What lists say of entries: a summary of each, and what needs attention. Pure."""

from datetime import datetime, timedelta

from regista.model.times import format_time
from regista.site.listing import Attention, EntrySummary
from regista.site.model import Entry

# a waiver that ends within this time of the newest commit is worth a look
_SOON = timedelta(days=14)
_MAX_SEARCH = 1000
# a list shows the beginning of a description
_DESCRIPTION = 160
_MAX_TAG = 60


def summary_of(entry: Entry, final_stage: str, now: str) -> EntrySummary:
    """Return what lists say of an entry.

    Args:
        entry: the entry.
        final_stage: the last of the policy's stages.
        now: time of the pinned commit.
    """
    newest = entry.newest
    return EntrySummary(
        name=entry.name,
        kind=entry.kind,
        page=entry.page,
        versions=sum(version.status != "deleted" for version in entry.versions),
        newest=newest.number if newest else None,
        newest_outcome=newest.outcome if newest else "",
        slots=entry.slots,
        updated=entry.updated,
        updated_seq=entry.events[0].seq if entry.events else entry.seq,
        attention=tuple(_attention(entry, final_stage, now)),
        search=tuple(_search_words(entry))[:_MAX_SEARCH],
        description=entry.description[:_DESCRIPTION],
    )


def _attention(entry: Entry, final_stage: str, now: str) -> list[Attention]:
    items = []
    for slot in entry.slots:
        for note in slot.notes:
            if note.level in {"bad", "note"}:
                text = f"{slot.stage}: {note.text}"
                items.append(Attention(note.level, entry.name, entry.page, text, note.due))
            elif note.due and note.due <= now:
                text = f"{slot.stage}: the drill was due on"
                items.append(Attention("bad", entry.name, entry.page, text, note.due))
    newest = entry.newest
    if newest and newest.last_decision and newest.outcome == "refused":
        decision = newest.last_decision
        gates = ", ".join(f"{v.gate} {v.status}" for v in decision.failing)
        text = f"the newest version, {newest.number}, was refused for {decision.stage}: {gates}"
        items.append(Attention("note", entry.name, newest.page, text))
    items += _waivers(entry, now)
    held = entry.slot(final_stage)
    bad_first = sorted(items, key=lambda item: item.level != "bad")
    return bad_first if held or newest else []


def _waivers(entry: Entry, now: str) -> list[Attention]:
    if not any(version.waivers for version in entry.versions):
        return []
    soon = format_time(datetime.fromisoformat(now) + _SOON)
    return [
        Attention(
            "note",
            entry.name,
            version.page,
            f"the waiver of {waiver.gate} for version {version.number} ends",
            waiver.until,
            ends=True,
        )
        for version in entry.versions
        if version.stages
        for waiver in version.waivers
        if waiver.until and now <= waiver.until <= soon
    ]


def _search_words(entry: Entry) -> list[str]:
    words = [alias for alias, *_rest in entry.aliases]
    words += [f"{key}={value}" for key, value in entry.tags.items() if len(value) <= _MAX_TAG]
    words += [version.label for version in entry.versions if version.label]
    words += [name for name, _time in entry.former_names]
    words += [version.digest[:12] for version in entry.versions]
    return words
