"""Hindsight: what another policy would have said of a past decision, on the evidence of then.

Pure. The operation's own planner judges again, under the other policy, with the current rules of
each gate kind. Two things may not be known: facts from outside the log that nobody recorded, as
no gate of then asked for them, and whether people who approved under the rules of then would have
approved under others. Where these could matter it is judged twice, with all of them for the
candidate and with all of them against it; if the outcome hangs on them, there is none. Nothing is
guessed, and nobody is asked again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from regista.decide import keys
from regista.decide.binding import asks_for_approvals, bind
from regista.decide.evidence import Bound
from regista.decide.heads import VersionHead, changed
from regista.decide.operations.case import PinnedCase
from regista.decide.operations.context import Context, Json, Payload, Planned, Request
from regista.decide.places import rules_of
from regista.decide.planning import PLANNERS
from regista.decide.policy import Policy
from regista.decide.prehooks import Answer
from regista.decide.verdict import Outcome
from regista.decide.vetoes import READS, with_answers
from regista.decide.waivers import REFUSING
from regista.errors import RegistaError
from regista.model import canonical
from regista.model.commit import OpRecord
from regista.model.selectors import VersionRef

PROMOTE, ALIAS = "promote", "alias"
UNRECORDED = "not recorded"


@dataclass(frozen=True, slots=True)
class Judged:
    """What the other policy says.

    Attributes:
        outcome: the outcome; None where it cannot be told.
        refusing: verdicts that refuse whatever is not known; where there is no outcome, those
            that hang on it.
        unknown: what is not known and matters, in words; empty where there is an outcome.
    """

    outcome: Outcome | None
    refusing: tuple[Json, ...] = ()
    unknown: tuple[str, ...] = ()


def target_of(op: OpRecord, policy: Policy) -> str:
    """Return the stage or alias that an operation decided on; '' when it decided on none.

    An alias that was free then counts where the other policy gates it.
    """
    decision = op.decision
    if "outcome" not in decision or decision.get("from_version") == decision.get("version"):
        return ""
    if op.op == PROMOTE:
        return str(decision["stage"])
    if op.op == ALIAS and (decision.get("gates") or decision["alias"] in policy.gated_aliases):
        return str(decision["alias"])
    return ""


def judge_again(
    context: Context, request: Request, target: str, policy: Policy, reads: Mapping[str, Any]
) -> Judged:
    """Judge a past decision by another policy.

    Args:
        context: the pinned world of then, under the policy of then.
        request: what was asked for.
        target: the stage or alias.
        policy: the other policy.
        reads: the facts from outside the log that were recorded then.
    """
    world = _World(context, request, target, policy, reads)
    try:
        best = world.plan(doubt=True)
        # what is refused with the benefit of the doubt is refused without it
        worst = world.plan(doubt=False) if world.unknown and not best.refused else best
    except RegistaError as error:
        return Judged(None, (), (error.message,))
    if worst.refused != best.refused:
        return Judged(None, refusing(worst.decision), tuple(sorted(world.unknown)))
    return Judged(Outcome(best.decision["outcome"]), refusing(best.decision))


def refusing(decision: Json) -> tuple[Json, ...]:
    """Return the verdicts of a decision that refuse."""
    return tuple(gate for gate in decision["gates"] if gate["status"] in REFUSING)


@dataclass(slots=True)
class _World:
    """The world of then under another policy; `unknown` is what is not known of it, in words."""

    context: Context
    request: Request
    target: str
    policy: Policy
    reads: Mapping[str, Any]
    unknown: set[str] = field(default_factory=set)
    _answers: dict[str, Any] = field(default_factory=dict)

    def plan(self, *, doubt: bool) -> Planned:
        """Plan the operation; `doubt` says whether the candidate has the benefit of it."""
        other = replace(
            self.context,
            load_policy=lambda _digest: self.policy,
            observe=self._observer(doubt=doubt),
            query=self._query,
            revisions={},
        )
        planner = PLANNERS[self.request.op]
        plan = planner(self._with_approvals(other, doubt=doubt), self.request.args, Payload())
        # what pre-hooks answered is a fact, and no policy changes it
        answers = [] if plan.refused else map(Answer.from_json, self.reads.get(READS, ()))
        return with_answers(self.request.op, plan, list(answers))

    def _query(
        self,
        entry_id: str,
        names: Json,
        sql: str,
        limits: dict[str, int],
        pending: bool,  # noqa: FBT001 - part of the context's protocol
    ) -> Any:  # noqa: ANN401
        """Run a query once, however often it is judged: it is what takes the time."""
        key = canonical.digest([entry_id, names, sql, limits, pending])
        if key not in self._answers:
            self._answers[key] = self.context.query(entry_id, names, sql, limits, pending)
        return self._answers[key]

    def _observer(self, *, doubt: bool) -> Callable[[str, str], Any]:
        def observe(kind: str, subject: str) -> Any:  # noqa: ANN401 - a recorded JSON fact
            key = f"{kind}:{subject}"
            if key in self.reads:
                return self.reads[key]
            self.unknown.add(f"whether the artifacts were whole is not on record ({subject[:12]})")
            return {"ok": doubt, "missing": [] if doubt else [UNRECORDED], "corrupt": []}

        return observe

    def _with_approvals(self, other: Context, *, doubt: bool) -> Context:
        """Return the world with approvals as given under the other rules, if in doubt they were.

        Only those that stood then: what was void under the rules of then is void under others.
        """
        entry, version = other.state.select(VersionRef.parse(self.request.args["ref"]))
        rules = rules_of(self.policy, entry.kind, entry.name, self.target)
        about = [item for item in version.approvals if item.stage == self.target]
        if not about or not asks_for_approvals(rules):
            return other
        then = self.context.policy
        asked = rules_of(then, entry.kind, entry.name, self.target)
        before = bind(
            asked,
            PinnedCase(self.context, entry, version, self.target),
            then.groups,
            self.context.revisions,
        )
        after = bind(rules, PinnedCase(other, entry, version, self.target), self.policy.groups)
        carried = _carried(version, self.target, before, after)
        if carried == version:
            return other
        self.unknown.add("its approvals were given under other rules")
        if not doubt:
            return other
        state = other.state.fork()
        state.heads.put(keys.version(entry.entry_id, version.version), carried)
        return replace(other, state=state)


def _carried(version: VersionHead, target: str, before: Bound, after: Bound) -> VersionHead:
    approvals = tuple(
        item._replace(rules_digest=after.rules, evidence_digest=after.evidence)
        if (item.stage, item.version_digest, item.rules_digest, item.evidence_digest)
        == (target, before.version, before.rules, before.evidence)
        else item
        for item in version.approvals
    )
    return changed(version, approvals=approvals)
