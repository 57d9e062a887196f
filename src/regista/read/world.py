"""The world as a live plan sees it: blobs, policies, scores, SQL evidence.

Implements `decide.operations.context.Outside`. Facts are looked up once per instance, so a plan
made again after a lost race does not fetch a gigabyte twice. One instance serves one transaction.
"""

from collections.abc import Sequence
from typing import Any

from regista.decide.evidence import Score
from regista.decide.heads import RunHead, VersionHead
from regista.decide.operations.context import Grain, Query, Request, RunCount, SampleSource
from regista.decide.planning import inline_scores
from regista.decide.policy import Policy
from regista.decide.policy_bundle import PolicyBundle
from regista.decide.prehooks import Answer, PreHooks, Question
from regista.decide.statistics.pairs import Pairs
from regista.errors import IntegrityError, NotFoundError
from regista.model.commit import DataRef
from regista.read.replica import Replica
from regista.storage.blobs import check, kept_blob
from regista.storage.store import Store

RUNS_KEPT = 32
PAIRS_KEPT = 1024


class World:
    """Live answers for one transaction.

    Args:
        replica: the state that plans stand on.
        pre_hooks: knows what pre-hooks answered; None where none are asked, as in a replay.
    """

    def __init__(self, replica: Replica, pre_hooks: PreHooks | None = None) -> None:
        self.replica = replica
        self.pre_hooks = pre_hooks
        self._scores: dict[str, tuple[Score, ...]] = {}
        self._pairs: dict[tuple[str, str, Grain], Pairs | None] = {}
        self._facts: dict[tuple[str, str, str], Any] = {}
        self._policies: dict[str, Policy] = {}

    def observe(self, request: Request, kind: str, subject: str) -> Any:  # noqa: ANN401
        """Return a fact from outside the log, looked up once."""
        # two drills of one version may run different commands
        key = (kind, subject, request.args.get("smoke", ""))
        if key not in self._facts:
            self._facts[key] = self._look(request, kind, subject)
        return self._facts[key]

    def _look(self, request: Request, kind: str, subject: str) -> Any:  # noqa: ANN401
        match kind:
            case "blobs":
                return blobs_fact(self.replica, subject)
            case "drill":
                from regista.read.drilling import drill

                return drill(self.replica.store, subject, request.args.get("smoke") or "")
            case _:
                raise AssertionError(kind)

    def revisions(self, request: Request) -> dict[str, int]:  # noqa: ARG002 - a live plan has none
        """Return no revisions: a new decision is judged by the current ones."""
        return {}

    def hook_answers(self, request: Request, question: Question) -> Sequence[Answer]:  # noqa: ARG002
        """Return what pre-hooks have answered; see `PreHooks`."""
        return self.pre_hooks.answers(question) if self.pre_hooks else ()

    def load_policy(self, digest: str) -> Policy:
        """Return the policy of a digest.

        Raises:
            IntegrityError: its blob is gone or damaged.
        """
        if digest not in self._policies:
            self._policies[digest] = load_bundle(self.replica.store, digest).policy
        return self._policies[digest]

    def load_scores(self, version: VersionHead, run: RunHead) -> tuple[Score, ...]:
        """Return the scores of a run: inline ones from its commit, bulk ones from its data."""
        if run.run_id not in self._scores:
            if len(self._scores) >= RUNS_KEPT:
                # a verification asks for the runs of every decision ever made
                self._scores.clear()
            self._scores[run.run_id] = self._look_up_scores(version, run)
        return self._scores[run.run_id]

    def _look_up_scores(self, version: VersionHead, run: RunHead) -> tuple[Score, ...]:
        commit, _digest = self.replica.log.read(run.seq)
        scores = inline_scores(commit.rows, run.run_id)
        for ref in commit.data:
            if ref.table == "eval_scores" and ref.columns.get("run_id", run.run_id) == run.run_id:
                scores += self._data_scores(ref, run.run_id, version)
        return scores

    def load_data_scores(self, ref: DataRef, run_id: str) -> tuple[Score, ...]:
        """Return the scores of a run that a data file holds, through DuckDB."""
        return self._data_scores(ref, run_id, None)

    def _data_scores(
        self, ref: DataRef, run_id: str, version: VersionHead | None
    ) -> tuple[Score, ...]:
        from regista.read.data_rows import run_scores

        return run_scores(self.replica.store, ref, run_id, version)

    def find_samples(self, run: RunHead) -> SampleSource:
        """Return where the per-example results of a run lie: its commit says so."""
        commit, _digest = self.replica.log.read(run.seq)
        return SampleSource.of(run.run_id, commit.rows, commit.data)

    def load_pairs(
        self, candidate: SampleSource, baseline: SampleSource, grain: Grain
    ) -> Pairs | None:
        """Return what two runs say of the same examples, through DuckDB."""
        from regista.read.pairs import load_pairs

        # a run that was planned in vain may have had the id that another's run got
        key = (candidate.identity, baseline.identity, grain)
        if key not in self._pairs:
            if len(self._pairs) >= PAIRS_KEPT:
                self._pairs.clear()
            self._pairs[key] = load_pairs(self.replica.store, candidate, baseline, grain)
        return self._pairs[key]

    def query(self, asked: Query) -> Any:  # noqa: ANN401
        """Run one sandboxed SELECT over an entry's views as of a commit."""
        from regista.read.sandbox import run_gate_query
        from regista.read.sql import log_tail

        return run_gate_query(self.replica.store, log_tail(self.replica.log, asked.seq), asked)

    def count_runs(self, asked: RunCount) -> int:
        """Count eval runs of an entry, through DuckDB."""
        from regista.read.run_counts import count_runs
        from regista.read.sql import log_tail

        return count_runs(self.replica.store, log_tail(self.replica.log, asked.seq), asked)


def blobs_fact(replica: Replica, digest: str) -> dict[str, Any]:
    """Return whether a version's artifacts are all there and unchanged, as a recordable fact."""
    seen = check(replica.store, digest, deep=True)
    return {"ok": seen.ok, "missing": list(seen.missing), "corrupt": list(seen.corrupt)}


def load_bundle(store: Store, digest: str) -> PolicyBundle:
    """Return a stored policy with its source text and files.

    Raises:
        NotFoundError: there is no policy yet.
        IntegrityError: its blob is gone or damaged.
    """
    if not digest:
        raise NotFoundError("the registry has no policy yet", hint="regista init")
    data = kept_blob(store, digest)
    if data is None:
        raise IntegrityError(
            f"the policy {digest[:12]} is missing from the blobs", hint="regista verify"
        )
    return PolicyBundle.read(data)
