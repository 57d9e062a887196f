"""The backtest: every past decision judged again by another policy.

One walk over the log from its first commit, so that each decision is judged on the state that it
was made on, at its recorded time. What happened stays as it happened: a version that the policy
would have kept out is still the incumbent of the next decision.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from regista.decide.hindsight import PROMOTE, Judged, judge_again, refusing, target_of
from regista.decide.planning import Planning
from regista.decide.policy_bundle import PolicyBundle
from regista.decide.replay import UnrecordedFactError, recorded
from regista.decide.verdict import Outcome
from regista.errors import IntegrityError, RegistaError
from regista.model.commit import Commit, OpRecord
from regista.read.replica import MALFORMED, Replica
from regista.read.world import World
from regista.verify.walking import Walk

SAME = "same"
WOULD_REFUSE, WOULD_PASS, NOT_JUDGED = "would_refuse", "would_pass", "not_judged"
DEFAULT_LIMIT = 1_000
UNKNOWN = "unknown"
_REASON = {"gate": "id", "status": "status", "reason": "reason"}

Json = dict[str, Any]
_Key = tuple[str, str, int]


@dataclass(slots=True)
class PastDecision:
    """A past decision on which the other policy disagrees, or says nothing certain.

    Attributes:
        kind: `would_refuse`, `would_pass` or `not_judged`.
        seq: number of its commit; `time` and `actor` are that commit's.
        name: the entry.
        version: the version.
        stage: the stage, or gated alias, asked for.
        outcome: what was decided then: passed, refused or waived.
        reasons: `gate`, `status` and `reason` of the gates that make the difference: those of the
            other policy that refuse, or those of then that refused; of a decision that is not
            judged, those that hang on what is not known, as `unknown`.
        unknown: what would have to be known to judge it.
        rolled_back: commit that rolled the version back from the stage later; None when none did.
    """

    kind: str
    seq: int
    time: str
    actor: str
    name: str
    version: int
    stage: str
    outcome: str
    reasons: list[Json]
    unknown: list[str]
    rolled_back: int | None = None


@dataclass(slots=True)
class Backtest:
    """What another policy would have said of all past decisions.

    Attributes:
        policy: digest of the policy.
        seq: the commit that the walk went to.
        decisions: decisions that were judged again.
        same: those that would have come to the same: passed, by a waiver or not, or refused.
        would_refuse: let through then, and refused by the policy.
        would_pass: refused then, and let through by the policy.
        not_judged: those whose outcome hangs on what is not on record.
        rolled_back: versions that a rollback took off a stage: `all`, and of them those whose
            promotion the policy would have refused, and could not be judged.
        omitted: findings beyond the limit, which are counted and not listed.
        findings: the decisions that are not the same, in order.
    """

    policy: str
    seq: int = 0
    decisions: int = 0
    same: int = 0
    would_refuse: int = 0
    would_pass: int = 0
    not_judged: int = 0
    rolled_back: dict[str, int] = field(
        default_factory=lambda: {"all": 0, WOULD_REFUSE: 0, NOT_JUDGED: 0}
    )
    omitted: int = 0
    findings: list[PastDecision] = field(default_factory=list)

    def to_json(self) -> Json:
        """Return the result as a JSON object."""
        return asdict(self)


def backtest(
    replica: Replica,
    bundle: PolicyBundle,
    *,
    limit: int = DEFAULT_LIMIT,
    progress: Any = None,  # noqa: ANN401 - see storage.artifacts.Progress
) -> Backtest:
    """Judge every past decision by another policy. Nothing is written.

    Args:
        replica: the registry.
        bundle: the other policy.
        limit: how many findings are listed; all are counted.
        progress: told of commits walked over.

    Raises:
        IntegrityError: the log cannot be followed to its head.
    """
    last = replica.log.head()
    with replica.store.scratch() as scratch:
        run = _Run(Walk(replica, scratch), World(replica), bundle, limit)
        if progress:
            progress.start(last)
        for commit, digest in replica.log.iterate(1, last):
            run.add(commit, digest)
            if progress:
                progress.advance(1)
    run.found.seq = last
    return run.found


class _Run:
    """A backtest on its way."""

    def __init__(self, walk: Walk, world: World, bundle: PolicyBundle, limit: int) -> None:
        self.walk = walk
        self.world = world
        self.policy = bundle.policy
        self.limit = limit
        self.found = Backtest(bundle.digest)
        # by placement that the policy would not certainly have let through: which kind of finding,
        # and the finding where it is listed
        self.doubtful: dict[_Key, tuple[str, PastDecision | None]] = {}

    def add(self, commit: Commit, digest: str) -> None:
        if any(target_of(op, self.policy) for op in commit.ops):
            self._judge(commit)
        rolled_back = list(_rollbacks(commit))
        before = [self._stack(*slot) for slot in rolled_back]
        try:
            self.walk.advance(commit, digest)
        except MALFORMED as error:
            what = f"{type(error).__name__}: {error}"
            raise IntegrityError(
                f"commit {commit.seq} has rows that cannot be applied ({what})",
                hint="regista verify",
            ) from error
        for slot, stack in zip(rolled_back, before, strict=True):
            for version in sorted(stack - self._stack(*slot)):
                self._taken_off((*slot, version), commit.seq)

    def _judge(self, commit: Commit) -> None:
        """Judge each decision of a commit on top of the operations before it."""
        requests, outside = recorded(commit, self.world)
        state = self.walk.state
        planning = Planning(state, outside, actor=commit.actor, clock=commit.clock)
        for place, (request, op) in enumerate(zip(requests, commit.ops, strict=True)):
            target = target_of(op, self.policy)
            if target:
                context = planning.context(request, dict(op.reads))
                judged = judge_again(context, request, target, self.policy, op.reads)
                self._note(commit, op, target, judged)
            if place + 1 < len(requests):
                try:
                    planning.add(request)
                except (RegistaError, UnrecordedFactError) as error:
                    raise IntegrityError(
                        f"commit {commit.seq} cannot be replayed: {error}", hint="regista verify"
                    ) from error

    def _note(self, commit: Commit, op: OpRecord, target: str, judged: Judged) -> None:
        found, decision = self.found, op.decision
        found.decisions += 1
        kind = _kind(decision["outcome"], judged)
        setattr(found, kind, getattr(found, kind) + 1)
        past = None
        if kind != SAME and len(found.findings) < self.limit:
            past = PastDecision(
                kind,
                commit.seq,
                commit.time,
                commit.actor,
                decision["name"],
                decision["version"],
                target,
                decision["outcome"],
                _reasons(kind, decision, judged),
                list(judged.unknown),
            )
            found.findings.append(past)
        found.omitted += kind != SAME and past is None
        for row in commit.rows:
            if row["table"] == "placements" and (
                row["entry"], row["stage"], row.get("to_version"), row["action"]
            ) == (decision["name"], target, decision["version"], PROMOTE):  # fmt: skip
                key = (row["entry_id"], target, decision["version"])
                self.doubtful.pop(key, None)
                if kind != SAME:
                    self.doubtful[key] = (kind, past)

    def _taken_off(self, key: _Key, seq: int) -> None:
        counts = self.found.rolled_back
        counts["all"] += 1
        kind, past = self.doubtful.pop(key, (SAME, None))
        if kind != SAME:
            counts[kind] += 1
        if past:
            past.rolled_back = seq

    def _stack(self, entry_id: str, stage: str) -> set[int]:
        return set(self.walk.state.slot(entry_id, stage).stack)


def _rollbacks(commit: Commit) -> Iterator[tuple[str, str]]:
    for row in commit.rows:
        if row["table"] == "placements" and row.get("action") == "rollback":
            yield row["entry_id"], row["stage"]


def _kind(then: str, judged: Judged) -> str:
    if judged.outcome is None:
        return NOT_JUDGED
    refused = judged.outcome is Outcome.REFUSED
    if refused == (then == Outcome.REFUSED):
        return SAME
    return WOULD_REFUSE if refused else WOULD_PASS


def _reasons(kind: str, decision: Json, judged: Judged) -> list[Json]:
    """Return the verdicts that make the difference."""
    gates = refusing(decision) if kind == WOULD_PASS else judged.refusing
    if kind == NOT_JUDGED:
        hangs = "; ".join(judged.unknown)
        return [{"gate": gate["id"], "status": UNKNOWN, "reason": hangs} for gate in gates]
    return [{name: gate[key] for name, key in _REASON.items()} for gate in gates]
