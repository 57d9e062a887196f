"""The registry: what `regista.open` returns."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from regista.decide.operations.context import Request
from regista.decide.state import State
from regista.errors import (
    ConflictError,
    IntegrityError,
    InvalidInputError,
    RegistaError,
    TxidReusedError,
)
from regista.model.times import format_time
from regista.read.replica import Replica
from regista.registry.hooking import Hooking
from regista.registry.importing import Imports
from regista.registry.maintenance import Maintenance
from regista.registry.policy_tools import PolicyTools
from regista.registry.preparing import Preparing
from regista.registry.results import Decided, Written, result_of
from regista.registry.writes import Writes
from regista.storage.checkpoint import CheckpointGoneError
from regista.storage.store import Store
from regista.write.committed import DEFAULT_TIMEOUT_S, Committed

if TYPE_CHECKING:
    from regista.decide.planning import Planning
    from regista.hooks.lifecycle import Lifecycle
    from regista.model.manifest import Manifest
    from regista.write.transaction import Writer


class Registry(PolicyTools, Writes, Imports, Maintenance):
    """One registry: every operation of the contract as a method.

    Attributes:
        replica: this process's view of the state.
        hooking: its lifecycle hooks.
    """

    def __init__(
        self,
        replica: Replica,
        *,
        actor: str,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        hooking: Hooking | None = None,
    ) -> None:
        super().__init__(replica)
        self.preparing = Preparing(replica.store)
        self.hooking = hooking or Hooking(None)
        self._actor = actor
        self._timeout_s = timeout_s

    @cached_property
    def writer(self) -> "Writer":
        """Runs transactions; its `warnings` tell what went wrong after a commit that stands."""
        from regista.write.transaction import Writer

        return Writer(self.replica, self._actor or _current_actor(), self._timeout_s)

    @property
    def id(self) -> str:
        """The registry's id."""
        return self.replica.registry_id

    @property
    def uri(self) -> str:
        """Where the registry lies."""
        return self.replica.store.uri

    @property
    def hooks(self) -> "Lifecycle":
        """The lifecycle hooks: show, run, test and skip them.

        Raises:
            InvalidInputError: the configuration is malformed.
        """
        return self.hooking.lifecycle(self.replica)

    def hooked(self, ops: Iterable[str]) -> AbstractContextManager[None]:
        """Do a write in the block: pre-hooks have a say in it, post-hooks hear of it after it."""
        return self.hooking.around(self.writer, ops)

    def not_looked_after(self, error: RegistaError) -> None:
        """Warn: the commit stands, so it must not look failed."""
        self.writer.warnings.append(
            "the version stands, but whether its artifacts are all stored was not found out:"
            f" {error.message}; regista verify tells"
        )

    def newest_manifest(self, name: str) -> "Manifest | None":
        """Return the manifest of an entry's newest version; None where there is none."""
        return _newest_manifest(self.replica.store, self.replica.refresh(), name)

    def submit(self, request: Request, txid: str | None = None) -> Written:
        """Run one request as a transaction of its own."""
        return self.submit_all([request], txid)[0]

    def submit_all(self, requests: Sequence[Request], txid: str | None = None) -> list[Written]:
        """Run several requests as one commit: all are applied, or none."""
        with self.hooked(request.op for request in requests):
            return [result_of(done) for done in self.writer.run(requests, txid=txid)]

    def check(self, ref: str, stage: str) -> Decided:
        """Judge a promotion without asking for it; writes nothing."""
        from regista.registry import requests

        request = requests.promote(ref, stage, reason="", again=False)

        def judge(state: State) -> Committed:
            record = self._planning(state).add(request)
            return Committed(
                "check", record.decision, state.seq, state.digest, created=False, applied=False
            )

        return Decided.of(self._ask(None, judge))

    @contextmanager
    def transaction(self, *, txid: str | None = None) -> Iterator["Transaction"]:
        """Make several operations one commit, written when the block ends without an error.

        Results inside the block tell what the commit will say (`seq` and `commit` are of the
        state that it stands on); `Transaction.results` has the final ones afterwards.

        Raises:
            ConflictError: another writer took a version number that was told already.
        """
        planning = self._planning(self.replica.refresh())
        recorded = self.writer.recorded(txid) if txid else None
        transaction = Transaction(self.preparing, planning, recorded)
        yield transaction
        if transaction.requests:
            asked, promised = transaction.requests, transaction.promised
            with self.hooked(request.op for request in asked):
                done = self.writer.run(asked, txid=txid, promised=promised)
                transaction.results = [result_of(item) for item in done]

    def _planning(self, state: State) -> "Planning":
        from regista.decide.planning import Planning
        from regista.read.world import World

        clock = format_time(datetime.now(UTC))
        return Planning(state, World(self.replica), actor=self.writer.actor, clock=clock)


def _current_actor() -> str:
    from regista.registry.environment import current_actor

    return current_actor()


def _newest_manifest(store: Store, state: State, name: str) -> "Manifest | None":
    from regista.model.manifest import parse
    from regista.storage.blobs import get_blob

    entry = state.find_entry(name)
    version = state.find_version(entry.entry_id, entry.last_version) if entry else None
    try:
        data = get_blob(store, version.digest) if version and version.files else None
        return parse(data) if data else None
    except IntegrityError:
        # it only saves work; damage is for verify to report
        return None


@dataclass
class Transaction(Writes):
    """Operations that will be one commit; see `Registry.transaction`."""

    preparing: Preparing
    planning: "Planning"
    recorded: list[Committed] | None = None
    requests: list[Request] = field(default_factory=list)
    promised: list[int | None] = field(default_factory=list)
    results: list[Written] = field(default_factory=list)

    def _repeat(self, request: Request, recorded: list[Committed]) -> Written:
        """Return what was recorded when the same transaction was made before."""
        place = len(self.requests)
        self.requests.append(request)
        if place >= len(recorded) or recorded[place].op != request.op:
            raise TxidReusedError(
                "the transaction id was used for other operations", hint="choose a new one"
            )
        return result_of(recorded[place])

    def newest_manifest(self, name: str) -> "Manifest | None":
        """Return the manifest of an entry's newest version; None where there is none."""
        return _newest_manifest(self.preparing.store, self.planning.state, name)

    def submit(self, request: Request, txid: str | None = None) -> Written:
        """Plan one more operation on top of those before.

        Raises:
            InvalidInputError: a transaction id is given, which is the whole transaction's.
            ConflictError: others wrote so much meanwhile that this view of the registry is gone.
        """
        if txid is not None:
            raise InvalidInputError(
                "one operation of a transaction has no transaction id",
                hint="give it to transaction(txid=…)",
            )
        if self.recorded is not None:
            return self._repeat(request, self.recorded)
        try:
            record = self.planning.add(request)
        except CheckpointGoneError as error:
            raise ConflictError(
                "other writers moved the registry on during this transaction",
                hint="run the transaction again",
            ) from error
        self.requests.append(request)
        self.promised.append(record.decision.get("version"))
        state = self.planning.parent
        return result_of(
            Committed(
                request.op,
                record.decision,
                state.seq,
                state.digest,
                created=False,
                applied=not self.planning.refused,
            )
        )
