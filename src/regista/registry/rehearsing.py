"""The rehearsal: a registry in memory, in which a policy is tried on facts that are only told.

Facts become a history, which the planners of real operations write and judge: what comes out is
what a registry with this history would say. Two things are not asked for but given. That a
version holds a stage is written as the row that its promotion would have left, since the gates of
other placements are not what is tried. And what a look at the world would find is told.
"""

from typing import Any

from regista.decide.operations.context import Payload, Request
from regista.decide.operations.naming import alias_row
from regista.decide.operations.placing import promotion_row
from regista.decide.planning import plan_commit
from regista.decide.policy_bundle import PolicyBundle
from regista.model.canonical import sha256_hex
from regista.model.commit import FORMAT, Commit, Row
from regista.model.manifest import FileEntry, Manifest
from regista.model.times import format_time, parse_duration, parse_time
from regista.read.replica import Replica
from regista.read.world import World
from regista.registry import requests
from regista.registry.preparing import Preparing
from regista.registry.results import Drilled, Written, result_of
from regista.registry.writes import Writes
from regista.storage.blobs import put_blob_bytes
from regista.storage.memory import MemoryStore
from regista.version import engine
from regista.write.committed import Committed
from regista.write.transaction import planned_commit

# the moment of every decision; any would do, as only ages count
DECIDED_AT = "2026-01-01T12:00:00.000000Z"
_REGISTRY_ID = "0" * 32
_DRILLED = {"duration_s": "0", "files": 1, "bytes": 1, "detail": ""}


class Told(World):
    """A world in which a look finds what was told.

    Attributes:
        blobs: what a look at artifacts finds, by the version's digest.
        drill: how a drill goes.
    """

    def __init__(self, replica: Replica) -> None:
        super().__init__(replica)
        self.blobs: dict[str, dict[str, Any]] = {}
        self.drill: dict[str, Any] = {}

    def observe(self, request: Request, kind: str, subject: str) -> Any:  # noqa: ANN401, ARG002
        """Return the fact that was told."""
        return self.drill if kind == "drill" else self.blobs[subject]


class Rehearsal(Writes):
    """A registry in memory with one policy in force from its beginning.

    Args:
        bundle: the policy.
    """

    def __init__(self, bundle: PolicyBundle) -> None:
        store = MemoryStore("rehearsal")
        put_blob_bytes(store, bundle.data)
        self.preparing = Preparing(store)
        self.replica = Replica(store, _REGISTRY_ID)
        self.world = Told(self.replica)
        self._time = ""
        self._actor = ""
        self.at("36525d", "policy")
        self.submit(Request("init", {"policy": bundle.digest}))

    def at(self, age: str, actor: str) -> None:
        """Let the next operations be so long before the decision, and somebody's."""
        moment = parse_time(DECIDED_AT) - parse_duration(age)
        self._time, self._actor = format_time(moment), actor

    def until(self, lasts: str) -> str:
        """Return the time that lies so long after the operation at hand."""
        return format_time(parse_time(self._time) + parse_duration(lasts))

    def submit(self, request: Request, txid: str | None = None) -> Written:  # noqa: ARG002
        """Run a request as a commit of its own."""
        state = self.replica.refresh()
        plan = plan_commit(state, [request], self.world, actor=self._actor, clock=self._time)
        [decision] = [op.decision for op in plan.ops]
        if not plan.changes_nothing:
            self._append(planned_commit(state, plan, str(state.seq), self._time, self._actor))
        state = self.replica.refresh()
        done = Committed(request.op, decision, state.seq, state.digest, created=True)
        return result_of(done)

    def newest_manifest(self, name: str) -> Manifest | None:  # noqa: ARG002 - it saves work only
        """Return None: no files are stored here."""
        return None

    def register_told(
        self, name: str, kind: str, record: dict[str, Any], *, damage: dict[str, Any], uri: str = ""
    ) -> int:
        """Register a version whose files are only told of; return its number.

        Args:
            name: the entry.
            kind: its kind.
            record: tags, params, card, label, run, code, dataset, base and member, as `register`
                takes them.
            damage: `missing` and `corrupt`, as a look at its files finds them.
            uri: where its artifacts lie, when they are kept elsewhere.
        """
        seq = self.replica.refresh().seq
        told = FileEntry("artifact", 1, sha256_hex(str(seq).encode()))
        manifest = Manifest(() if uri else (told,), uri)
        found = {"missing": [], "corrupt": [], **damage}
        self.world.blobs[manifest.digest] = {"ok": not damage, **found}
        row = {"path": told.path, "size": told.size, "sha256": told.sha256}
        request = requests.register(
            name,
            manifest,
            kind=kind,
            label=record.get("label"),
            run=record.get("run"),
            code=record.get("code"),
            relations={what: record.get(what, ()) for what in ("dataset", "base", "member")},
            params=record.get("params", {}),
            tags=record.get("tags", {}),
            card=self.preparing.text("card", record.get("card", "")),
            source={},
            force_new=True,
            payload=Payload() if uri else Payload({"files": [row]}),
            # nothing that is told is kept
            allow_secrets=True,
        )
        return self.submit(request).version or 0

    def place(self, name: str, version: int, target: str) -> None:
        """Let a version hold a stage or an alias, whatever the policy says of it."""
        state = self.replica.refresh()
        entry = state.entry(name)
        policy = self.world.load_policy(state.policy_digest)
        if target in policy.gated_aliases:
            self._add_rows([alias_row(entry, version, target)])
        elif entry.holder(target) != version:
            self._add_rows([promotion_row(entry, version, target)])

    def drill_told(self, name: str, stage: str, *, ok: bool) -> Drilled:
        """Rehearse a rollback that goes as told."""
        self.world.drill = {**_DRILLED, "ok": ok}
        return self.drill(name, stage)

    def _add_rows(self, rows: list[Row]) -> None:
        state = self.replica.refresh()
        self._append(
            Commit(
                format=FORMAT,
                registry=state.registry,
                seq=state.seq + 1,
                parent=state.digest,
                txid=str(state.seq),
                time=max(self._time, state.time),
                clock=self._time,
                actor=self._actor,
                ops=(),
                rows=tuple(rows),
                data=(),
                policy=state.policy_digest,
                engine=engine(),
            )
        )

    def _append(self, commit: Commit) -> None:
        self.replica.log.append(commit.to_bytes(), commit.seq)
