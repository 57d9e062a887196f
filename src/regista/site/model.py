"""What pages are made of: the facts of an entry, its versions and the registry. Frozen values.

Times are RFC 3339 texts in UTC, as the log has them; scores are doubles as the tables have them.
`regista.site.facts` makes these from the published tables, pages only read them.
"""

from dataclasses import dataclass
from typing import NamedTuple

from regista.site import paths


class Ref(NamedTuple):
    """One end of a lineage link or of a use: text, and where it is shown, if it is one of ours.

    Attributes:
        relation: dataset, base, member, run, code or uri; `eval` for a use by an evaluation.
        text: what it is called, such as `digits@1`.
        page: path of its page; '' when it has none.
        url: address outside the site; '' when it has none that is safe.
        digest: digest of the target version; '' when not known.
    """

    relation: str
    text: str
    page: str = ""
    url: str = ""
    digest: str = ""


class FileRow(NamedTuple):
    """A file of a version."""

    path: str
    size: int
    sha256: str


class Score(NamedTuple):
    """One score of a run."""

    task: str
    metric: str
    slice: str
    value: float
    stderr: float | None
    n: int | None
    higher_is_better: bool | None


@dataclass(frozen=True, slots=True)
class Run:
    """An eval run.

    Attributes:
        latest: whether it is the one that counts for its suite.
        dataset: what it was evaluated on; None when not recorded.
    """

    run_id: str
    seq: int
    time: str
    by: str
    suite: str
    status: str
    dataset: Ref | None
    harness: str
    code: str
    samples: int
    note: str
    latest: bool
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one gate said."""

    gate: str
    kind: str
    status: str
    observed: str
    required: str
    reason: str
    remedy: str
    evidence: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdicts on one requested placement."""

    seq: int
    time: str
    by: str
    version: int
    stage: str
    op: str
    outcome: str
    ungated: bool
    policy: str
    verdicts: tuple[Verdict, ...]

    @property
    def failing(self) -> tuple[Verdict, ...]:
        """The verdicts that refused."""
        return tuple(v for v in self.verdicts if v.status in {"failed", "undecidable"})


@dataclass(frozen=True, slots=True)
class Hold:
    """A time that a stage held a version.

    Attributes:
        until: when it ended; None while it goes on.
        ended: how it ended: promote, rollback, demote, register; '' while it goes on.
    """

    stage: str
    version: int
    since: str
    until: str | None
    by: str
    action: str
    reason: str
    seq: int
    ended: str
    ended_seq: int | None


@dataclass(frozen=True, slots=True)
class Drill:
    """A rehearsed rollback. `due` is when the next one should be; '' when no rule says."""

    seq: int
    time: str
    by: str
    stage: str
    from_version: int | None
    to_version: int | None
    ok: bool
    duration_s: float
    smoke: str
    detail: str
    due: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A recorded exception to one gate; `until` is '' when it does not end."""

    seq: int
    time: str
    by: str
    version: int
    stage: str
    gate: str
    reason: str
    until: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's recorded yes; `until` is '' when it does not end."""

    seq: int
    time: str
    by: str
    version: int
    stage: str
    meaning: str
    until: str


class Event(NamedTuple):
    """One thing that happened. `entry` is '' for what concerns the registry."""

    seq: int
    time: str
    by: str
    entry: str
    event: str
    version: int | None
    detail: str


class Note(NamedTuple):
    """Something to know of a slot: level `bad`, `note` or `good`, and when it is due, if ever."""

    level: str
    text: str
    due: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """What one stage of an entry holds now.

    Attributes:
        version: None when empty.
        target: version that a rollback would restore; None when there is none.
        skipped: versions that a rollback would pass over, with the reason.
        gated: whether the stage has a stack, so that a rollback of it makes sense.
        rollback: the command that rolls back; '' when there is no target.
        rollback_url: address of the job that does it; '' for none.
    """

    stage: str
    version: int | None
    since: str
    by: str
    seq: int
    action: str
    reason: str
    target: int | None
    skipped: tuple[tuple[int, str], ...]
    gated: bool
    drill: Drill | None
    rollback: str
    rollback_url: str
    notes: tuple[Note, ...]

    @property
    def level(self) -> str:
        """The worst level of the notes; `good` when there is none worse."""
        levels = {note.level for note in self.notes}
        return next((level for level in ("bad", "note") if level in levels), "good")


@dataclass(frozen=True, slots=True)
class Version:
    """A version with all that is published of it.

    Attributes:
        incumbent: version that was in the last stage when this one was last judged, or last
            evaluated; where that is itself, the one whose place it took; None when there was none.
        previous: the version before it that was not deleted; None for the first.
    """

    entry: str
    kind: str
    number: int
    digest: str
    label: str
    status: str
    status_reason: str
    purged: bool
    time: str
    by: str
    seq: int
    files: int
    bytes: int
    uri: str
    run: str
    code: str
    params: dict[str, str]
    tags: dict[str, str]
    source: dict[str, str]
    card: str
    card_digest: str
    description: str
    description_digest: str
    stages: tuple[str, ...]
    aliases: tuple[str, ...]
    lineage: tuple[Ref, ...]
    used_by: tuple[Ref, ...]
    artifacts: tuple[FileRow, ...]
    runs: tuple[Run, ...]
    decisions: tuple[Decision, ...]
    holds: tuple[Hold, ...]
    approvals: tuple[Approval, ...]
    waivers: tuple[Waiver, ...]
    events: tuple[Event, ...]
    incumbent: int | None
    previous: int | None

    @property
    def page(self) -> str:
        """Path of its page."""
        return paths.version_page(self.entry, self.number)

    @property
    def ref(self) -> str:
        """What commands call it."""
        return f"{self.entry}@{self.number}"

    @property
    def last_decision(self) -> Decision | None:
        """The newest decision on it."""
        return self.decisions[0] if self.decisions else None

    @property
    def outcome(self) -> str:
        """How it was last judged: passed, refused, waived; '' when never."""
        return self.decisions[0].outcome if self.decisions else ""

    @property
    def latest_runs(self) -> tuple[Run, ...]:
        """The run that counts of each suite."""
        return tuple(run for run in self.runs if run.latest)


@dataclass(frozen=True, slots=True)
class GatedMetric:
    """A metric that a gate looks at, with the lines that thresholds draw."""

    suite: str
    task: str
    metric: str
    minimum: float | None = None
    maximum: float | None = None
    gates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry with all that is published of it; versions and events are the newest first."""

    entry_id: str
    name: str
    kind: str
    description: str
    tags: dict[str, str]
    time: str
    by: str
    seq: int
    aliases: tuple[tuple[str, int, str, str], ...]
    slots: tuple[Slot, ...]
    versions: tuple[Version, ...]
    holds: tuple[Hold, ...]
    drills: tuple[Drill, ...]
    events: tuple[Event, ...]
    metrics: tuple[GatedMetric, ...]
    former_names: tuple[tuple[str, str], ...]

    @property
    def page(self) -> str:
        """Path of its page."""
        return paths.entry_page(self.name)

    @property
    def updated(self) -> str:
        """Time of the last event."""
        return self.events[0].time if self.events else self.time

    @property
    def newest(self) -> Version | None:
        """The newest version that was not deleted."""
        return next((v for v in self.versions if v.status != "deleted"), None)

    def version(self, number: int | None) -> Version | None:
        """Return a version by its number."""
        if number is None:
            return None
        return next((v for v in self.versions if v.number == number), None)

    def slot(self, stage: str) -> Slot | None:
        """Return a stage's slot, which may be empty; None when it never held anything."""
        return next((slot for slot in self.slots if slot.stage == stage), None)
