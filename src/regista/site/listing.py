"""What pages of the whole registry are made of: summaries, and what every page may know. Frozen."""

from dataclasses import dataclass
from typing import NamedTuple

from regista.site.model import Slot


class Attention(NamedTuple):
    """Something that somebody should look at.

    Attributes:
        level: `bad` or `note`.
        due: when it is due, or ends; '' for now.
        ends: whether `due` is an end.
    """

    level: str
    entry: str
    page: str
    text: str
    due: str = ""
    ends: bool = False


@dataclass(frozen=True, slots=True)
class EntrySummary:
    """What lists say of an entry; kept for all entries, so it is small."""

    name: str
    kind: str
    page: str
    versions: int
    newest: int | None
    newest_outcome: str
    slots: tuple[Slot, ...]
    updated: str
    updated_seq: int
    attention: tuple[Attention, ...]
    search: tuple[str, ...]
    description: str

    def slot(self, stage: str) -> Slot | None:
        """Return a stage's slot; None when it never held anything."""
        return next((slot for slot in self.slots if slot.stage == stage), None)


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A policy that was applied."""

    seq: int
    time: str
    by: str
    digest: str
    reason: str
    yaml: str


@dataclass(frozen=True, slots=True)
class Site:
    """What every page may know: the registry at its pinned commit, and the owner's choices.

    Pages of entries and versions may not show `seq`, `head` and `time`, or one commit would
    change them all.
    """

    title: str
    base_url: str
    registry: str
    seq: int
    head: str
    time: str
    stages: tuple[str, ...]
    on_register: str | None
    final_stage: str
    verified: bool
    publish: frozenset[str]
