"""The transaction: plan on the head, put if absent, and on a lost race plan again.

A plan is never resubmitted stale: version numbers, gates and everything else are decided anew on
the state that won. What follows a commit (tables, merges, checkpoints) can fail without undoing
it; such failures are warnings.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from regista.decide import keys
from regista.decide.fold import arguments_digest
from regista.decide.operations.context import Request
from regista.decide.planning import CommitPlan, plan_commit
from regista.decide.prehooks import WAY_BACK, PreHooks
from regista.decide.state import State
from regista.decide.verdict import Outcome
from regista.errors import (
    ConflictError,
    OutcomeUnknownError,
    RegistaError,
    StorageError,
    TxidReusedError,
)
from regista.model.canonical import sha256_hex
from regista.model.commit import FORMAT, Commit, OpRecord
from regista.model.names import txid as valid_txid
from regista.model.times import format_time
from regista.read.replica import Replica
from regista.read.world import World
from regista.storage.checkpoint import CheckpointGoneError
from regista.storage.creating import Creation
from regista.version import engine
from regista.write import clocks
from regista.write.committed import DEFAULT_TIMEOUT_S, Committed
from regista.write.following import Follower
from regista.write.tipping import write_tip

LOCK_WAIT_S = 5.0
# what a judged decision is about
SUBJECT = ("name", "version", "stage", "alias")
LONGEST_PAUSE_S = 0.5
# a plan that comes to something else each time that hooks were asked about it
ROUNDS_OF_ASKING = 10


class Asking(PreHooks, Protocol):
    """The pre-hooks of one transaction."""

    def ask(self) -> bool:
        """Put the open questions, which may take long; say whether there were any."""
        ...


@dataclass(frozen=True, slots=True)
class _Won:
    """A commit of ours that was written, with the sha256 of its file."""

    commit: Commit
    digest: str


@dataclass(frozen=True, slots=True)
class _Open:
    """A plan that pre-hooks have to be asked about first; `tried_s` is how long it took."""

    tried_s: float


@dataclass(slots=True)
class Writer:
    """Runs transactions on one registry.

    Attributes:
        replica: the state that plans stand on.
        actor: who writes.
        timeout_s: how long to go on against other writers.
        warnings: what went wrong after commits that stand.
        start_asking: makes what asks the pre-hooks of one transaction; None where there are none.
    """

    replica: Replica
    actor: str
    timeout_s: float = DEFAULT_TIMEOUT_S
    warnings: list[str] = field(default_factory=list)
    start_asking: Callable[[], Asking | None] | None = None
    _follower: Follower | None = None
    _invented: str = ""
    _ahead: timedelta = timedelta()

    def run(
        self,
        requests: Sequence[Request],
        *,
        txid: str | None = None,
        promised: Sequence[int | None] | None = None,
    ) -> list[Committed]:
        """Commit the operations as one, or find that they were done before.

        Args:
            requests: the operations, in order.
            txid: makes the call idempotent.
            promised: version numbers that the caller was told already, one per operation;
                a plan that comes to others is a conflict.

        Raises:
            ConflictError: other writers won until the timeout.
            OutcomeUnknownError: the store never said whether the commit was written.
            StorageError: the store failed, or this machine's clock is minutes ahead of its.
            TxidReusedError: the transaction id stands for other arguments.
            RegistaError: an operation cannot be done; nothing was written.
        """
        name = valid_txid(txid) if txid else os.urandom(16).hex()
        self._invented = "" if txid else name
        self._ahead = self._check_clock(requests)
        done = self._between_questions(requests, name, promised)
        if isinstance(done, _Won):
            self._follow(done.commit, done.digest)
            return _results(done.commit.ops, done.commit.seq, done.digest, created=True)
        return done

    def _check_clock(self, requests: Sequence[Request]) -> timedelta:
        """Return by how much to set back a clock that is minutes ahead of the store's.

        Such a writer is stopped; but the way back is open at any time, and takes the store's.
        """
        ahead = clocks.how_far_ahead(self.replica.store)
        if not WAY_BACK.issuperset(request.op for request in requests):
            clocks.refuse(ahead)
        if ahead:
            told = f"{clocks.in_words(ahead)}, which was used instead; {clocks.SET_IT}"
            self.warnings.append(told)
        return ahead

    def _between_questions(
        self, requests: Sequence[Request], txid: str, promised: Sequence[int | None] | None
    ) -> "list[Committed] | _Won":
        """Go on until the plan stands and every pre-hook that it concerns has answered.

        Hooks are asked without the lock, and their time does not count against the timeout:
        others may write meanwhile. An answer holds while the plan comes to the same; if it comes
        to something else, they are asked again.
        """
        asking = self.start_asking() if self.start_asking else None
        world = World(self.replica, asking)
        left_s = self.timeout_s
        for _ in range(ROUNDS_OF_ASKING):
            # the lock saves wasted work between local writers; correctness never rests on it
            with self.replica.store.lock("log", timeout_s=LOCK_WAIT_S):
                done = self._until_done(requests, world, txid, promised, left_s)
            if not isinstance(done, _Open):
                return done
            left_s -= done.tried_s
            if asking is None or not asking.ask():
                raise AssertionError("a plan waits for hooks that nobody asks")
        raise ConflictError(
            f"the plan came to something else each of the {ROUNDS_OF_ASKING} times that"
            " pre-hooks were asked about it",
            hint=f"run it again with --txid {txid} when others write less",
        )

    def _until_done(
        self,
        requests: Sequence[Request],
        world: World,
        txid: str,
        promised: Sequence[int | None] | None,
        left_s: float,
    ) -> "list[Committed] | _Won | _Open":
        started = time.monotonic()
        for attempt in range(1_000_000):
            try:
                done = self._attempt(requests, world, txid, promised)
            except CheckpointGoneError:
                # a writer pruned the checkpoint that we were reading; there is a newer one
                self.replica.reload()
                done = None
            if isinstance(done, _Open):
                return _Open(time.monotonic() - started)
            if done is not None:
                return done
            if time.monotonic() - started >= left_s:
                break
            time.sleep(_pause(attempt))
        raise ConflictError(
            f"other writers won every attempt for {self.timeout_s:g} s",
            hint=f"run it again with --txid {txid}, or with a longer --timeout",
        )

    def _attempt(
        self,
        requests: Sequence[Request],
        world: World,
        txid: str,
        promised: Sequence[int | None] | None,
    ) -> "list[Committed] | _Won | _Open | None":
        state = self.replica.refresh()
        recorded = self._recorded(state, txid, requests)
        if recorded is not None:
            return recorded
        clock = format_time(datetime.now(UTC) - self._ahead)
        plan = plan_commit(state, requests, world, actor=self.actor, clock=clock)
        if world.pre_hooks and world.pre_hooks.open:
            return _Open(0)
        _keep_promise(plan, promised)
        if plan.changes_nothing:
            return self._existing(plan, requests)
        commit = planned_commit(state, plan, txid, clock, self.actor)
        data = commit.to_bytes()
        match self.replica.log.append(data, commit.seq):
            case Creation.LOST:
                return None
            case Creation.UNKNOWN:
                raise _unknown(commit.seq, txid)
            case Creation.WON:
                return _Won(commit, sha256_hex(data))

    def _recorded(
        self, state: State, txid: str, requests: Sequence[Request]
    ) -> list[Committed] | None:
        # nobody has used an id that was made up just now
        found = None if txid == self._invented else state.heads.get(keys.transaction(txid))
        if found is None:
            return None
        seq, arguments = found
        if arguments != arguments_digest(requests):
            raise TxidReusedError(
                f"transaction id {txid} was used in commit {seq} for something else",
                hint="choose a new --txid",
            )
        return self._results_at(seq, txid)

    def recorded(self, txid: str) -> list[Committed] | None:
        """Return what a transaction id has done already; None when it is new.

        Raises:
            OutcomeUnknownError: the commit is there, but may not survive a power cut.
        """
        found = self.replica.refresh().heads.get(keys.transaction(valid_txid(txid)))
        return self._results_at(found[0], txid) if found else None

    def _results_at(self, seq: int, txid: str) -> list[Committed]:
        try:
            # whoever wrote it may have died before it was durable
            self.replica.log.settle(seq)
        except StorageError as error:
            raise _unknown(seq, txid) from error
        commit, digest = self.replica.log.read(seq)
        return _results(commit.ops, seq, digest, created=False)

    def _existing(self, plan: CommitPlan, requests: Sequence[Request]) -> list[Committed]:
        results = []
        for request, planned in zip(requests, plan.planned, strict=True):
            self.replica.log.settle(planned.existing or 1)
            commit, digest = self.replica.log.read(planned.existing or 1)
            decision = _recorded_gates(planned.decision, commit)
            results.append(Committed(request.op, decision, commit.seq, digest, created=False))
        return results

    def _follow(self, commit: Commit, digest: str) -> None:
        try:
            self.replica.advance(commit, digest)
            self.replica.remember(commit.to_bytes())
            if self._follower is None:
                self._follower = Follower(self.replica)
            self._follower.follow(commit, digest)
            write_tip(self.replica)
        except Exception as error:  # noqa: BLE001 - the commit stands, so it must not look failed
            # whatever follows a commit can be made again from the log, by a fresh follower
            self._follower = None
            what = error.message if isinstance(error, RegistaError) else repr(error)
            self.warnings.append(
                f"commit {commit.seq} stands, but what follows it was not written: {what};"
                " once that is mended, run regista rebuild (regista doctor tells more)"
            )


def _unknown(seq: int, txid: str) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"the store did not say whether commit {seq} was written for good",
        txid=txid,
        hint=f"run the same command again with --txid {txid}",
    )


def _keep_promise(plan: CommitPlan, promised: Sequence[int | None] | None) -> None:
    if promised is None or any("vetoes" in op.decision for op in plan.ops):
        # what a pre-hook vetoed promises nothing: none of it is applied
        return
    numbers = [op.decision.get("version") for op in plan.ops]
    if numbers != list(promised):
        raise ConflictError(
            "another writer changed the registry during this transaction, so version numbers"
            " that it was told no longer hold",
            hint="run the transaction again",
        )


def planned_commit(state: State, plan: CommitPlan, txid: str, clock: str, actor: str) -> Commit:
    """Return the commit that a plan on a state comes to."""
    return Commit(
        format=FORMAT,
        registry=state.registry,
        seq=state.seq + 1,
        parent=state.digest,
        txid=txid,
        time=plan.time,
        clock=clock,
        actor=actor,
        ops=plan.ops,
        rows=plan.rows,
        data=plan.data,
        policy=plan.policy,
        engine=engine(),
    )


def _results(ops: Sequence[OpRecord], seq: int, digest: str, *, created: bool) -> list[Committed]:
    applied = all(op.decision.get("outcome") != Outcome.REFUSED for op in ops)
    return [Committed(op.op, op.decision, seq, digest, created, applied) for op in ops]


def _recorded_gates(decision: dict[str, Any], commit: Commit) -> dict[str, Any]:
    """Fill a repeated promotion's gates with those that let it through at the time."""
    if "gates" not in decision:
        return decision
    for op in commit.ops:
        same = all(op.decision.get(key) == decision.get(key) for key in SUBJECT)
        if same and "gates" in op.decision:
            return {**decision, "gates": op.decision["gates"]}
    return decision


def _pause(attempt: int) -> float:
    import random

    return random.uniform(0, min(LONGEST_PAUSE_S, 0.002 * 2 ** min(attempt, 10)))  # noqa: S311
