"""Heads: what is true now of each entry, version and slot, as frozen values.

A head is what a fold over the log's rows leaves (`regista.decide.fold`), and what fast reads get
from a checkpoint. Every head has a `to_json` and a `from_json` that round-trip. Nothing here
knows where heads are kept.

These classes are on the path of the fastest commands. That is why the small ones are named
tuples and none has slots: making a dataclass costs a millisecond at every start of the program.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Self, TypeVar

Head = TypeVar("Head", "EntryHead", "VersionHead", "SlotHead")


class Status(StrEnum):
    """Status of a version."""

    ACTIVE = "active"
    DEPRECATED = "deprecated"
    ARCHIVED = "archived"
    DELETED = "deleted"


class Pointer(NamedTuple):
    """Something that names a version: a stage's slot or an alias.

    Attributes:
        version: the version named; None when empty.
        seq: commit that made it so.
        time: recorded time of that commit.
        by: actor of that commit.
        action: what kind of change it was.
    """

    version: int | None
    seq: int
    time: str
    by: str
    action: str


@dataclass(frozen=True)
class EntryHead:
    """An entry: identity, name, kind, and what its stages and aliases point at now."""

    entry_id: str
    name: str
    kind: str
    seq: int
    time: str
    by: str
    last_version: int = 0
    description: str = ""
    description_digest: str = ""
    slots: dict[str, Pointer] = field(default_factory=dict)
    aliases: dict[str, Pointer] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the head as a JSON object."""
        slots = {name: item._asdict() for name, item in self.slots.items()}
        aliases = {name: item._asdict() for name, item in self.aliases.items()}
        return {**vars(self), "slots": slots, "aliases": aliases}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        slots = {name: Pointer(**item) for name, item in value["slots"].items()}
        aliases = {name: Pointer(**item) for name, item in value["aliases"].items()}
        return cls(**{**value, "slots": slots, "aliases": aliases})

    def holder(self, stage: str) -> int | None:
        """Return the version that a stage holds."""
        slot = self.slots.get(stage)
        return slot.version if slot else None

    def stages_of(self, version: int) -> list[str]:
        """Return the stages that hold the version."""
        return [stage for stage, slot in self.slots.items() if slot.version == version]


class LineageHead(NamedTuple):
    """One thing that a version came from."""

    relation: str
    target: str
    target_entry_id: str = ""
    target_version: int | None = None
    target_digest: str = ""


class ApprovalHead(NamedTuple):
    """A person's yes to one placement of a version, or to a policy.

    Attributes:
        stage: stage or gated alias that it is for; '' for a policy.
        seq: commit that gave it.
        time: recorded time of that commit.
        by: who gave it.
        meaning: what the yes stands for.
        version_digest: what it is bound to: digest of the version, or of the policy.
        rules_digest: digest of the rules that guarded it.
        evidence_digest: digest of the evidence that the other gates read.
        until: end of validity; '' when it has none of its own.
    """

    stage: str
    seq: int
    time: str
    by: str
    meaning: str
    version_digest: str
    rules_digest: str
    evidence_digest: str
    until: str = ""


class WaiverHead(NamedTuple):
    """An exception to one gate: `stage` and `gate` say which, `until` when it ends."""

    stage: str
    gate: str
    seq: int
    time: str
    by: str
    reason: str
    until: str


class RunHead(NamedTuple):
    """The latest eval run of one suite for a version.

    Attributes:
        run_id: identity of the run.
        seq: commit that holds its rows.
        time: recorded time of that commit.
        status: complete, partial or failed.
        dataset: dataset as given; '' when not recorded.
        dataset_digest: digest of the dataset version; '' when not one of ours.
        scores: number of scores.
        samples: number of per-example results.
        main: up to `MAX_MAIN_SCORES` scores over all of the data, as
            [task, metric, value, stderr, n, higher_is_better].
    """

    run_id: str
    seq: int
    time: str
    by: str
    status: str
    dataset: str
    dataset_digest: str
    scores: int
    samples: int
    main: tuple[list[Any], ...] = ()


_RARE: dict[str, Any] = {"approvals": ApprovalHead, "waivers": WaiverHead}


@dataclass(frozen=True)
class VersionHead:
    """A version: what it is made of, where it came from, how it was evaluated."""

    entry_id: str
    version: int
    digest: str
    seq: int
    time: str
    by: str
    status: str = Status.ACTIVE
    status_reason: str = ""
    purged: bool = False
    label: str = ""
    files: int = 0
    bytes: int = 0
    uri: str = ""
    run: str = ""
    code: str = ""
    params: dict[str, str] = field(default_factory=dict)
    card: str = ""
    card_digest: str = ""
    source: dict[str, str] = field(default_factory=dict)
    description: str = ""
    description_digest: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    lineage: list[LineageHead] = field(default_factory=list)
    runs: dict[str, RunHead] = field(default_factory=dict)
    approvals: tuple[ApprovalHead, ...] = ()
    waivers: tuple[WaiverHead, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the head as a JSON object."""
        lineage = [item._asdict() for item in self.lineage]
        runs = {suite: item._asdict() for suite, item in self.runs.items()}
        value = {**vars(self), "lineage": lineage, "runs": runs}
        for name in _RARE:
            # checkpoints from before there were any have no such fields
            if items := value.pop(name):
                value[name] = [item._asdict() for item in items]
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        lineage = [LineageHead(**item) for item in value["lineage"]]
        runs = {
            suite: RunHead(**{**item, "main": tuple(item["main"])})
            for suite, item in value["runs"].items()
        }
        rare = {
            name: tuple(kind(**item) for item in value[name])
            for name, kind in _RARE.items()
            if name in value
        }
        return cls(**{**value, "lineage": lineage, "runs": runs, **rare})


class DrillHead(NamedTuple):
    """The latest drill of a stage."""

    seq: int
    time: str
    by: str
    ok: bool
    from_version: int | None
    to_version: int | None
    detail: str = ""


@dataclass(frozen=True)
class SlotHead:
    """What a rollback needs to know of one (entry, stage).

    Attributes:
        stack: versions that were promoted here, the last on top; a version is on it once.
        barred: versions that a rollback took off; they come back only on purpose.
        drill: the latest drill.
    """

    stack: list[int] = field(default_factory=list)
    barred: list[int] = field(default_factory=list)
    drill: DrillHead | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the head as a JSON object."""
        drill = self.drill._asdict() if self.drill else None
        return {**vars(self), "drill": drill}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        drill = DrillHead(**value["drill"]) if value["drill"] else None
        return cls(value["stack"], value["barred"], drill)


MAX_MAIN_SCORES = 24
MAX_SIGNED = 64
"""Approvals, and waivers, that a head keeps: the newest ones; each is one of a person or gate."""


def changed(head: Head, **fields: Any) -> Head:  # noqa: ANN401 - as the fields are typed
    """Return a head with some fields changed.

    What `dataclasses.replace` does, ten times faster: heads check nothing when they are made,
    and folding a large log is mostly this.
    """
    other = object.__new__(type(head))
    vars(other).update(vars(head))
    vars(other).update(fields)
    return other
