"""A history without a store: requests are planned on a pure state, folded, and replayed at once.

Every commit that `do` makes is planned a second time from its recorded form, and must come out
the same: so each test of a planner is also a test that its decisions can be verified.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from regista.decide.evidence import Score
from regista.decide.heads import EntryHead, RunHead, SlotHead, VersionHead
from regista.decide.operations.context import (
    Grain,
    Payload,
    Query,
    Request,
    RunCount,
    SampleSource,
)
from regista.decide.planning import CommitPlan, inline_scores, plan_commit
from regista.decide.policy import Policy
from regista.decide.prehooks import Answer, Question
from regista.decide.replay import differences, replay
from regista.decide.state import State
from regista.decide.statistics.pairs import Pairs
from regista.model.canonical import sha256_hex
from regista.model.commit import FORMAT, Commit, DataRef, Row, parse
from regista.model.manifest import FileEntry, Manifest
from regista.model.times import format_time
from regista.read.replica import fold_commit
from regista.registry import requests
from support.registries import OPEN, REGISTRY_ID, Json, bundle_of

START = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
WHOLE: Json = {"ok": True, "missing": [], "corrupt": []}


class History:
    """Commits on a pure state. Implements `decide.operations.context.Outside`.

    Attributes:
        state: the heads now.
        commits: what was committed, the first first.
        facts: facts from outside the log by kind and subject; blobs are whole unless said.
        looked_up: facts that were asked for live, in order.
        now: the writer's clock.
        pairs: what two runs say of the same examples, by run ids and grain.
        hooks: what pre-hooks answer; there are none unless said.
    """

    def __init__(self, policy: Json = OPEN) -> None:
        self.state = State(REGISTRY_ID, 0, REGISTRY_ID, "", lambda _key: None)
        self.commits: list[Commit] = []
        self.facts: dict[tuple[str, str], Any] = {}
        self.looked_up: list[tuple[str, str]] = []
        self._look: Callable[[str, str], None] = self._note
        self.now = START
        self.queries: list[Query] = []
        self.pairs: dict[tuple[str, str, Grain], Pairs] = {}
        self.answer: Any = {"columns": [], "rows": []}
        self.hooks: Callable[[Question], Sequence[Answer]] = lambda _question: ()
        self.run_count = 0
        self._policies: dict[str, Policy] = {}
        self._data: dict[str, list[Row]] = {}
        self.do(Request("init", {"policy": self.store_policy(policy)}))

    def store_policy(self, policy: Json) -> str:
        """Make a policy known; return its digest."""
        bundle = bundle_of(policy)
        self._policies[bundle.digest] = bundle.policy
        return bundle.digest

    def store_data(self, table: str, rows: list[Row]) -> DataRef:
        """Make rows known by digest, as a data file would."""
        digest = sha256_hex(repr(rows).encode())
        self._data[digest] = rows
        return DataRef(table, digest, len(rows), 100)

    def plan(self, *asked: Request, actor: str = "ann") -> CommitPlan:
        """Plan a commit without making it."""
        clock = format_time(self.now)
        return plan_commit(self.state, asked, self, actor=actor, clock=clock)

    def do(self, *asked: Request, actor: str = "ann", seconds: int = 1) -> CommitPlan:
        """Plan a commit and make it, unless it changes nothing; check that it replays."""
        self.now += timedelta(seconds=seconds)
        plan = self.plan(*asked, actor=actor)
        if plan.changes_nothing:
            return plan
        commit = self._commit(plan, actor)
        assert differences(self.again(commit), commit) == []
        fold_commit(self.state.heads, commit, self._data_rows(commit))
        self.state.seq, self.state.time = commit.seq, commit.time
        self.state.digest = sha256_hex(commit.to_bytes())
        self.commits.append(commit)
        return plan

    def decision(self, *asked: Request) -> Json:
        """Make a commit and return the decision of its last operation."""
        return self.do(*asked).ops[-1].decision

    def again(self, commit: Commit) -> CommitPlan:
        """Plan the next commit again from its recorded form; nothing may be looked up live."""
        with self._closed():
            return replay(self.state, parse(commit.to_bytes()), self)

    def entry(self, name: str = "m") -> EntryHead:
        """Return an entry's head."""
        return self.state.entry(name)

    def version(self, number: int, name: str = "m") -> VersionHead:
        """Return a version's head."""
        return self.state.version(self.entry(name), number)

    def slot(self, stage: str = "prod", name: str = "m") -> SlotHead:
        """Return a slot's stack."""
        return self.state.slot(self.entry(name).entry_id, stage)

    def holder(self, stage: str = "prod", name: str = "m") -> int | None:
        """Return what a stage holds."""
        return self.entry(name).holder(stage)

    def observe(self, _request: Request, kind: str, subject: str) -> Any:
        """Return a fact from outside the log."""
        self._look(kind, subject)
        return self.facts.get((kind, subject), WHOLE)

    def revisions(self, _request: Request) -> dict[str, int]:
        """Return no revisions: decisions are new."""
        return {}

    def hook_answers(self, _request: Request, question: Question) -> Sequence[Answer]:
        """Return what pre-hooks answer."""
        return self.hooks(question)

    def load_policy(self, digest: str) -> Policy:
        """Return a policy made known before."""
        return self._policies[digest]

    def load_scores(self, _version: VersionHead, run: RunHead) -> tuple[Score, ...]:
        """Return the scores of an earlier run."""
        commit = self.commits[run.seq - 1]
        found = inline_scores(commit.rows, run.run_id)
        for ref in commit.data:
            found += self.load_data_scores(ref, run.run_id)
        return found

    def load_data_scores(self, ref: DataRef, run_id: str) -> tuple[Score, ...]:
        """Return the scores of a run that a data file holds."""
        if ref.columns.get("run_id", run_id) != run_id or ref.table != "eval_scores":
            return ()
        rows = [{**row, **ref.columns, "table": ref.table} for row in self._data[ref.sha256]]
        return inline_scores(rows, run_id)

    def find_samples(self, run: RunHead) -> SampleSource:
        """Return where the per-example results of an earlier run lie."""
        commit = self.commits[run.seq - 1]
        return SampleSource.of(run.run_id, commit.rows, commit.data)

    def load_pairs(
        self, candidate: SampleSource, baseline: SampleSource, grain: Grain
    ) -> Pairs | None:
        """Return the pairs made known before."""
        return self.pairs.get((candidate.run_id, baseline.run_id, grain))

    def query(self, asked: Query) -> Any:
        """Return the canned answer, and note what was asked."""
        self.queries.append(asked)
        return self.answer

    def count_runs(self, asked: RunCount) -> int:
        """Return the canned number."""
        assert asked.wanted
        return self.run_count

    def _note(self, kind: str, subject: str) -> None:
        self.looked_up.append((kind, subject))

    @contextmanager
    def _closed(self) -> Any:
        def refuse(kind: str, subject: str) -> None:
            raise AssertionError(f"a replay looked up {kind}:{subject}")

        self._look = refuse
        try:
            yield
        finally:
            self._look = self._note

    def _data_rows(self, commit: Commit) -> Iterable[Row]:
        for ref in commit.data:
            for row in self._data[ref.sha256]:
                yield {"table": ref.table, **ref.columns, **row}

    def _commit(self, plan: CommitPlan, actor: str) -> Commit:
        seq = self.state.seq + 1
        return Commit(
            format=FORMAT,
            registry=REGISTRY_ID,
            seq=seq,
            parent=self.state.digest,
            txid=f"tx{seq}",
            time=plan.time,
            clock=format_time(self.now),
            actor=actor,
            ops=plan.ops,
            rows=plan.rows,
            data=plan.data,
            policy=plan.policy,
            engine="test 1",
        )


def manifest_of(content: str) -> Manifest:
    """Return the manifest of a version whose only file holds a text; '' for no file."""
    files = (FileEntry("m.bin", len(content), sha256_hex(content.encode())),) if content else ()
    return Manifest(files, uri="" if content else "s3://elsewhere")


def register(content: str, name: str = "m", *, force_new: bool = False, **options: Any) -> Request:
    """Request a version whose only file holds a text."""
    manifest = manifest_of(content)
    given: Json = {"kind": None, "label": None, "run": None, "code": None, **options}
    relations = {key: given.pop(key, ()) for key in ("dataset", "base", "member")}
    rows = [
        {"path": item.path, "size": item.size, "sha256": item.sha256} for item in manifest.files
    ]
    return requests.register(
        name,
        manifest,
        relations=relations,
        params=given.pop("params", {}),
        tags=given.pop("tags", {}),
        card=given.pop("card", {}),
        source=given.pop("source", {}),
        force_new=force_new,
        payload=Payload({"files": rows}),
        **given,
    )


def log(ref: str, acc: str = "0.9", *, suite: str = "holdout", **options: Any) -> Request:
    """Request an eval run with one score."""
    score = {"task": "", "metric": "acc", "slice": "", "value": acc}
    return log_rows(ref, [score], suite=suite, **options)


def log_rows(ref: str, rows: list[Row], *, suite: str = "holdout", **options: Any) -> Request:
    """Request an eval run with these scores."""
    return requests.eval_log(
        ref,
        suite,
        status=options.pop("status", "complete"),
        dataset=options.pop("dataset", ""),
        facts=options,
        source_digest="d" * 64,
        payload=Payload({"eval_scores": rows}),
    )


def promote(ref: str, stage: str = "prod", *, again: bool = False, reason: str = "") -> Request:
    """Request a stage."""
    return requests.promote(ref, stage, again=again, reason=reason)


def demote(stage: str = "prod", name: str = "m") -> Request:
    """Request that a slot be emptied."""
    return requests.demote(name, stage, reason="")


def rollback(stage: str = "prod", name: str = "m", to: int | None = None) -> Request:
    """Request the way back."""
    return requests.rollback(name, stage, to=to, reason="")


def history_with(count: int, policy: Json = OPEN) -> History:
    """Return a history of an entry `m` with so many versions, each evaluated, none promoted."""
    history = History(policy)
    for number in range(1, count + 1):
        history.do(register(f"content {number}"), log(f"m@{number}"))
    return history
