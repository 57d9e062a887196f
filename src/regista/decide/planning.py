"""Planning a commit: what a list of requested operations comes to on a pinned state.

Each operation sees the ones before it. One refusal applies none: the commit then records the
decisions alone, and what stood behind the refusal is marked as skipped. The same function plans
live and in a replay; only what it is handed differs, and that is what makes decisions verifiable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from regista.decide.evidence import Score
from regista.decide.fold import Stamp
from regista.decide.heads import RunHead, VersionHead
from regista.decide.operations import (
    approving,
    evaluating,
    importing,
    naming,
    placing,
    policy_change,
    registering,
    rolling_back,
    statuses,
    waiving,
)
from regista.decide.operations.context import (
    Context,
    Grain,
    Outside,
    Payload,
    Planned,
    Planner,
    Query,
    Request,
    RunCount,
    RunOf,
    SampleSource,
)
from regista.decide.prehooks import Question
from regista.decide.state import State
from regista.decide.statistics.pairs import Pairs
from regista.decide.vetoes import READS, RECORDED_ON_REFUSAL, subject_of, with_answers
from regista.errors import InvalidInputError
from regista.model import canonical
from regista.model.commit import FORMAT, Commit, DataRef, OpRecord, Row
from regista.model.numbers import parse_decimal

PLANNERS: dict[str, Planner] = {
    "init": policy_change.plan_init,
    "policy apply": policy_change.plan_policy_apply,
    "policy approve": approving.plan_policy_approve,
    "create": registering.plan_create,
    "register": registering.plan_register,
    "eval log": evaluating.plan_eval_log,
    "promote": placing.plan_promote,
    "approve": approving.plan_approve,
    "waive": waiving.plan_waive,
    "demote": placing.plan_demote,
    "rollback": rolling_back.plan_rollback,
    "drill": rolling_back.plan_drill,
    "deprecate": statuses.plan_deprecate,
    "restore": statuses.plan_restore,
    "archive": statuses.plan_archive,
    "delete": statuses.plan_delete,
    "rename": naming.plan_rename,
    "alias": naming.plan_alias,
    "tag": naming.plan_tag,
    "describe": naming.plan_describe,
    "import": importing.plan_import,
}
# what an operation of a refused commit brought, among its reads
PAYLOAD = "payload"
# their replay takes the rows of the whole commit, so they share none
ALONE = frozenset({"init", "import"})
SKIPPED = Planned({"skipped": True})


@dataclass(frozen=True, slots=True)
class CommitPlan:
    """What a commit will say.

    Attributes:
        time: recorded time.
        ops: the operations with their decisions.
        rows: rows to add, in order.
        data: rows to add by digest.
        policy: digest of the policy in force before the commit.
        planned: each operation's plan, in order.
    """

    time: str
    ops: tuple[OpRecord, ...]
    rows: tuple[Row, ...]
    data: tuple[DataRef, ...]
    policy: str
    planned: tuple[Planned, ...]

    @property
    def changes_nothing(self) -> bool:
        """Whether every operation was done already."""
        return all(plan.existing is not None for plan in self.planned)

    @property
    def refused(self) -> bool:
        """Whether an operation was refused."""
        return any(plan.refused for plan in self.planned)


def plan_commit(
    state: State, requests: Sequence[Request], outside: Outside, *, actor: str, clock: str
) -> CommitPlan:
    """Plan the next commit on a state.

    Args:
        state: the pinned state; it is not changed.
        requests: the operations, in order.
        outside: answers about the world.
        actor: who asks.
        clock: the writer's clock, RFC 3339, UTC.

    Raises:
        RegistaError: an operation cannot be done; nothing is to be written then.
    """
    planning = Planning(state, outside, actor=actor, clock=clock)
    for request in requests:
        planning.add(request)
    return planning.finish()


class Planning:
    """A commit in the making: the operations so far, and the state with them applied."""

    def __init__(self, state: State, outside: Outside, *, actor: str, clock: str) -> None:
        self.parent = state
        self.state = state.fork()
        self.outside = outside
        self.stamp = Stamp(state.seq + 1, max(clock, state.time), actor)
        self.ops: list[OpRecord] = []
        self.payloads: list[Payload] = []
        self.planned: list[Planned] = []
        self.rows: list[Row] = []
        self.data: list[DataRef] = []

    @property
    def refused(self) -> bool:
        """Whether an operation so far was refused."""
        return any(plan.refused for plan in self.planned)

    def add(self, request: Request) -> OpRecord:
        """Plan one more operation on top of those before.

        Raises:
            RegistaError: it cannot be done.
        """
        if self.ops and not ALONE.isdisjoint({request.op, self.ops[0].op}):
            raise InvalidInputError(
                f"{request.op!r} and {self.ops[0].op!r} cannot be in one commit",
                hint="run them one after the other",
            )
        reads: dict[str, Any] = {}
        plan = SKIPPED if self.refused else self._plan(request, reads)
        record = OpRecord(request.op, request.args, reads, plan.decision)
        self.ops.append(record)
        self.payloads.append(request.payload)
        self.planned.append(plan)
        return record

    def finish(self) -> CommitPlan:
        """Return what the commit will say."""
        ops, rows, data = tuple(self.ops), tuple(self.rows), self._placed_data()
        if self.refused:
            ops = self._with_payloads()
            rows = tuple(row for row in rows if row["table"] in RECORDED_ON_REFUSAL)
            data = ()
        return CommitPlan(
            self.stamp.time,
            ops,
            rows,
            data,
            self.parent.policy_digest,
            tuple(self.planned),
        )

    def _with_payloads(self) -> tuple[OpRecord, ...]:
        """Return the operations with the bulk rows that they brought among their reads.

        The rows of a refused commit are not added, but gates may have read them, and a replay
        must be able to.
        """
        carried = [
            {} if plan is SKIPPED else payload.to_json()
            for plan, payload in zip(self.planned, self.payloads, strict=True)
        ]
        return tuple(
            replace(op, reads={**op.reads, PAYLOAD: value}) if value else op
            for op, value in zip(self.ops, carried, strict=True)
        )

    def _plan(self, request: Request, reads: dict[str, Any]) -> Planned:
        planner = PLANNERS.get(request.op)
        if planner is None:
            raise InvalidInputError(f"{request.op!r} is not an operation")
        plan = planner(self.context(request, reads), request.args, request.payload)
        if plan.existing is None and not plan.refused:
            plan = self._ask_hooks(request, plan, reads)
        for row in plan.rows:
            self.state.apply(self.stamp, row)
        self.rows += plan.rows
        self.data += plan.data
        return plan

    def _ask_hooks(self, request: Request, plan: Planned, reads: dict[str, Any]) -> Planned:
        """Let pre-hooks have a say in what nothing else refuses."""
        answers = self.outside.hook_answers(
            request,
            Question(
                request.op,
                request.args,
                self.stamp.actor,
                plan.decision,
                subject_of(self.state, request.args, plan.decision),
                self.stamp.time,
                self.parent.seq,
            ),
        )
        if answers:
            reads[READS] = [answer.to_json() for answer in answers]
        return with_answers(request.op, plan, answers)

    def context(self, request: Request, reads: dict[str, Any]) -> Context:
        """Return the pinned world of the next operation; facts that it observes go to `reads`."""
        answers: dict[str, Any] = {}

        def observe(kind: str, subject: str) -> Any:  # noqa: ANN401 - a recorded JSON fact
            key = f"{kind}:{subject}"
            if key not in reads:
                reads[key] = self.outside.observe(request, kind, subject)
            return reads[key]

        def query(
            entry_id: str,
            names: dict[str, Any],
            sql: str,
            limits: dict[str, int],
            pending: bool,  # noqa: FBT001 - part of the context's protocol
        ) -> Any:  # noqa: ANN401
            # approvals are bound to the answer that the gate judges by, so both ask for it
            key = canonical.digest([entry_id, names, sql, limits, pending])
            if key not in answers:
                so_far = self._so_far() if pending else None
                asked = Query(self.parent.seq, so_far, entry_id, names, sql, limits)
                answers[key] = self.outside.query(asked)
            return answers[key]

        def count_runs(entry_id: str, wanted: dict[str, Any]) -> int:
            asked = RunCount(self.parent.seq, self._so_far(), entry_id, wanted)
            return self.outside.count_runs(asked)

        return Context(
            state=self.state,
            seq=self.stamp.seq,
            first_i=len(self.rows),
            time=self.stamp.time,
            actor=self.stamp.actor,
            observe=observe,
            load_policy=self.outside.load_policy,
            load_scores=self._load_scores,
            load_pairs=self._load_pairs,
            query=query,
            count_runs=count_runs,
            revisions=self.outside.revisions(request),
        )

    def _load_scores(self, version: VersionHead, run: RunHead) -> tuple[Score, ...]:
        if run.seq != self.stamp.seq:
            return self.outside.load_scores(version, run)
        pending = inline_scores(self.rows, run.run_id)
        for ref in self.data:
            if ref.table == "eval_scores" and ref.columns.get("run_id") == run.run_id:
                pending += self.outside.load_data_scores(ref, run.run_id)
        return pending

    def _load_pairs(self, candidate: RunOf, baseline: RunOf, grain: Grain) -> Pairs | None:
        sources = [
            self.outside.find_samples(run)
            if run.seq != self.stamp.seq
            else SampleSource.of(run.run_id, self.rows, self.data)
            for _version, run in (candidate, baseline)
        ]
        return self.outside.load_pairs(sources[0], sources[1], grain)

    def _so_far(self) -> Commit | None:
        """Return the commit as far as it is planned; None while it has no rows."""
        if not self.rows and not self.data:
            return None
        return Commit(
            format=FORMAT,
            registry=self.parent.registry,
            seq=self.stamp.seq,
            parent=self.parent.digest,
            txid="",
            time=self.stamp.time,
            clock=self.stamp.time,
            actor=self.stamp.actor,
            ops=(),
            rows=tuple(self.rows),
            data=self._placed_data(),
            policy=self.parent.policy_digest,
            engine="",
        )

    def _placed_data(self) -> tuple[DataRef, ...]:
        placed, first = [], len(self.rows)
        for ref in self.data:
            placed.append(replace(ref, i=first))
            first += ref.rows
        return tuple(placed)


def inline_scores(rows: Sequence[Row], run_id: str) -> tuple[Score, ...]:
    """Return the scores of a run among a commit's inline rows."""
    return tuple(
        score_of(row) for row in rows if row["table"] == "eval_scores" and row["run_id"] == run_id
    )


def score_of(row: Row) -> Score:
    """Return an `eval_scores` row as evidence, exact."""
    stderr = row.get("stderr")
    return Score(
        row.get("task", ""),
        row["metric"],
        row.get("slice", ""),
        parse_decimal(row["value"], "value"),
        None if stderr is None else parse_decimal(stderr, "stderr"),
        row.get("n"),
        row.get("higher_is_better"),
    )
