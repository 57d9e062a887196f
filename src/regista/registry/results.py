"""What operations return: frozen values with the contract's field names.

`to_json()` gives the object that `--json` prints. Every write has `op`, `seq`, `commit` (sha256
of the log file), `name` and `version`; the rest depends on the operation.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from regista.write.committed import Committed


@dataclass(frozen=True, slots=True)
class Written:
    """A write that was done, or had been done before.

    Attributes:
        op: the operation.
        seq: number of the commit that says so.
        commit: sha256 of that commit's log file.
        name: the entry.
        version: the version, where the operation is about one.
        applied: false when the commit records a refusal, of this or of another operation in it,
            and so changes nothing.
        vetoes: pre-hooks that refused it, each with hook and reason.
    """

    op: str
    seq: int
    commit: str
    name: str
    version: int | None
    applied: bool = field(default=True, kw_only=True)
    vetoes: list[dict[str, str]] = field(default_factory=list, kw_only=True)

    @classmethod
    def of(cls, done: Committed) -> Self:
        """Make the result from a commit's recorded decision."""
        names = {item.name for item in fields(cls)}
        known = {name: value for name, value in done.decision.items() if name in names}
        base = {
            "op": done.op,
            "seq": done.seq,
            "commit": done.commit,
            "name": done.decision.get("name", ""),
            "version": done.decision.get("version"),
            "applied": done.applied,
        }
        return cls(**{**base, **known})

    def to_json(self) -> dict[str, Any]:
        """Return the result as the contract's JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Created(Written):
    """Result of `create`."""

    kind: str = ""
    created: bool = True


@dataclass(frozen=True, slots=True)
class Registered(Written):
    """Result of `register`.

    Attributes:
        kind: kind of the entry.
        digest: sha256 of the manifest.
        stage: the stage that the version holds, if any.
        created: false when the version existed already.
        ignored: metadata that was given and differs from what the existing version has.
    """

    kind: str = ""
    digest: str = ""
    stage: str | None = None
    created: bool = True
    ignored: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EvalLogged(Written):
    """Result of `eval log`; `scores` and `samples` are counts.

    Attributes:
        created: false when a file was imported before, as the run that this tells of.
    """

    run_id: str = ""
    suite: str = ""
    status: str = ""
    scores: int = 0
    samples: int = 0
    created: bool = True


@dataclass(frozen=True, slots=True)
class Decided(Written):
    """Result of `promote`, and of `check`, whose `seq` and `commit` are the state it looked at.

    Attributes:
        stage: the stage asked for.
        from_version: what it held.
        outcome: passed, refused or waived.
        ungated: true when no rule of the policy matched.
        gates: one object per gate: id, kind, status, observed, required, reason and more.
    """

    stage: str = ""
    from_version: int | None = None
    outcome: str = ""
    ungated: bool = False
    gates: list[dict[str, Any]] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether the stage was refused."""
        return self.outcome == "refused"


@dataclass(frozen=True, slots=True)
class Approved(Written):
    """Result of `approve`.

    Attributes:
        stage: the stage, or gated alias, that it is for.
        meaning: what the yes stands for.
        until: when it ends; None when it has no end of its own.
        version_digest: digest of the version that it is bound to.
        rules_digest: digest of the rules that it is bound to.
        evidence_digest: digest of the evidence that it is bound to.
    """

    stage: str = ""
    meaning: str = ""
    until: str | None = None
    version_digest: str = ""
    rules_digest: str = ""
    evidence_digest: str = ""


@dataclass(frozen=True, slots=True)
class Waived(Written):
    """Result of `waive`.

    Attributes:
        stage: the stage, or gated alias, that it is for.
        gate: id of the gate.
        kind: kind of the gate.
        reason: why.
        until: when it ends.
    """

    stage: str = ""
    gate: str = ""
    kind: str = ""
    reason: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Moved(Written):
    """Result of `demote` and `rollback`.

    Attributes:
        stage: the stage that changed.
        from_version: what it held.
        to_version: what it holds now; None when emptied.
        skipped: candidates that were passed over: version and reason.
    """

    stage: str = ""
    from_version: int | None = None
    to_version: int | None = None
    skipped: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Drilled(Moved):
    """Result of `drill`; nothing moved."""

    ok: bool = False
    duration_s: float = 0.0
    detail: str = ""

    @classmethod
    def of(cls, done: Committed) -> Self:
        """Make the result; the recorded duration is a decimal text."""
        result = super(Drilled, cls).of(done)
        object.__setattr__(result, "duration_s", float(result.duration_s))
        return result


@dataclass(frozen=True, slots=True)
class StatusChanged(Written):
    """Result of `deprecate`, `restore`, `archive` and `delete`."""

    status: str = ""
    from_status: str = ""


@dataclass(frozen=True, slots=True)
class Renamed(Written):
    """Result of `rename`; `name` is the new name."""

    from_name: str = ""


@dataclass(frozen=True, slots=True)
class Aliased(Written):
    """Result of `alias`; `version` is None when the alias was removed.

    Attributes:
        outcome: passed, refused or waived; refused only where the policy gates the alias.
        gates: the verdicts, as of `Decided`.
    """

    alias: str = ""
    from_version: int | None = None
    outcome: str = "passed"
    gates: list[dict[str, Any]] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether the alias was refused."""
        return self.outcome == "refused"


@dataclass(frozen=True, slots=True)
class Tagged(Written):
    """Result of `tag`: the tags after the change."""

    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyApplied(Written):
    """Result of `policy apply` and `init`.

    Attributes:
        policy: digest of the policy.
        from_policy: digest of the one before.
        outcome: passed or refused, by the `policy_change` gates of the one before.
        gates: their verdicts, as of `Decided`.
        loosens: what the change lets in that was not let in before, a line each.
    """

    policy: str = ""
    from_policy: str = ""
    outcome: str = "passed"
    gates: list[dict[str, Any]] = field(default_factory=list)
    loosens: list[str] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether the policy in force stays."""
        return self.outcome == "refused"


@dataclass(frozen=True, slots=True)
class PolicyApproved(Written):
    """Result of `policy approve`.

    Attributes:
        policy: digest of the approved policy.
        from_policy: digest of the policy in force, which it is to replace.
        meaning: what the yes stands for.
        until: when it ends; None when it has no end of its own.
    """

    policy: str = ""
    from_policy: str = ""
    meaning: str = ""
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Imported(Written):
    """Result of `import`: number of rows per table."""

    rows: dict[str, int] = field(default_factory=dict)


RESULT_TYPES: dict[str, type[Written]] = {
    "init": PolicyApplied,
    "policy apply": PolicyApplied,
    "policy approve": PolicyApproved,
    "create": Created,
    "register": Registered,
    "eval log": EvalLogged,
    "promote": Decided,
    "approve": Approved,
    "waive": Waived,
    "demote": Moved,
    "rollback": Moved,
    "drill": Drilled,
    "deprecate": StatusChanged,
    "restore": StatusChanged,
    "archive": StatusChanged,
    "delete": StatusChanged,
    "rename": Renamed,
    "alias": Aliased,
    "tag": Tagged,
    "describe": Written,
    "import": Imported,
}


def result_of(done: Committed) -> Written:
    """Return the typed result of a committed operation."""
    return RESULT_TYPES[done.op].of(done)
