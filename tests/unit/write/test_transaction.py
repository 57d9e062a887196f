"""The transaction: a plan holds on the state that it is committed on, or is made anew."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import duckdb
import pytest

from fakes.faulty_store import Fault, FaultyStore
from regista.decide.prehooks import Answer, Question
from regista.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    OutcomeUnknownError,
    StorageError,
    TxidReusedError,
)
from regista.model.commit import log_key
from regista.registry import requests
from regista.registry.core import Registry
from regista.storage.log import Log
from regista.storage.memory import MemoryStore
from regista.verify.problems import Verification
from regista.write import tabling
from regista.write.following import Follower
from support.registries import (
    GATED,
    OPEN,
    Json,
    new_registry,
    register,
    register_request,
    reopen,
)

ATTEMPTS = 5


class Contested(FaultyStore):
    """A store without locks, on which somebody else is quicker as often as a test says."""

    def __init__(self) -> None:
        super().__init__(MemoryStore("test"))
        self._others: list[Callable[[], object]] = []
        self.before_put_if_absent = self._let_others_win

    def overtake(self, *others: Callable[[], object]) -> None:
        """Let each of these commit something just before one attempt of the next writer."""
        self._others.extend(others)

    def _let_others_win(self) -> None:
        if self._others:
            self._others.pop(0)()

    def lock(
        self,
        name: str,  # noqa: ARG002 - the protocol's names
        *,
        timeout_s: float,  # noqa: ARG002
        shared: bool = False,  # noqa: ARG002
    ) -> AbstractContextManager[bool]:
        return nullcontext(False)  # noqa: FBT003 - not held


class Race:
    """Two writers of one registry: ours, whose store is contested, and the other, who is quick."""

    def __init__(self, policy: Json = OPEN) -> None:
        self.store = Contested()
        new_registry(policy, store=self.store.inner)
        self.ours = reopen(self.store, actor="ann")
        self.ours.replica.log = Log(self.store, sleep=lambda _seconds: None)
        self.other = reopen(self.store.inner, actor="bob")

    @property
    def head(self) -> int:
        return self.other.replica.log.head()

    def ops(self) -> list[tuple[str, str]]:
        commits = [self.other.replica.log.read(seq)[0] for seq in range(2, self.head + 1)]
        return [(commit.actor, "+".join(op.op for op in commit.ops)) for commit in commits]

    def verified(self) -> Verification:
        return reopen(self.store.inner).verify(deep=True)


@pytest.fixture
def race() -> Race:
    return Race()


@pytest.mark.parametrize("losses", [1, 2, 4])
def test_a_number_that_another_writer_took_is_planned_anew(race: Race, losses: int) -> None:
    race.store.overtake(
        *(lambda k=k: register(race.other, "m", f"other {k}") for k in range(losses))
    )
    result = register(race.ours, "m", "ours")
    assert (result.version, result.seq) == (losses + 1, losses + 2)
    assert race.ops() == [("bob", "register")] * losses + [("ann", "register")]
    assert race.verified().ok


def test_gates_are_judged_anew_on_the_state_that_won() -> None:
    race = Race(GATED)
    for number, acc in enumerate(("0.90", "0.91", "0.95"), 1):
        register(race.other, "m", f"content {number}")
        race.other.log_eval(f"m@{number}", "holdout", {"acc": acc})
    for ref, stage in (("m@1", "staging"), ("m@1", "prod"), ("m@2", "staging")):
        assert not race.other.promote(ref, stage).refused
    assert race.ours.check("m@2", "prod").to_json()["outcome"] == "passed"

    def put_a_better_one_first() -> None:
        for ref, stage in (("m@3", "staging"), ("m@3", "prod"), ("m@2", "staging")):
            assert not race.other.promote(ref, stage).refused

    race.store.overtake(put_a_better_one_first)
    result = race.ours.promote("m@2", "prod")
    assert result.refused
    [_from, baseline] = result.gates
    assert baseline["reason"].startswith("against version 3 in prod")
    assert race.other.resolve("m@prod").version == 3
    assert race.verified().ok


def test_what_became_impossible_meanwhile_is_an_error_and_writes_nothing(race: Race) -> None:
    register(race.other, "m", "one")
    register(race.other, "m", "two")
    race.store.overtake(lambda: race.other.delete("m@1"))
    with pytest.raises(NotFoundError, match="was deleted"):
        race.ours.promote("m@1", "prod")
    assert race.ops()[-1] == ("bob", "delete")


def test_what_another_writer_did_meanwhile_is_not_done_twice(race: Race) -> None:
    race.store.overtake(lambda: register(race.other, "m", "same"))
    result = register(race.ours, "m", "same")
    assert (result.version, result.created) == (1, False)
    assert race.ops() == [("bob", "register")]


def test_a_writer_who_never_wins_gives_up_at_the_timeout_and_wrote_nothing(race: Race) -> None:
    race.ours = Registry(race.ours.replica, actor="ann", timeout_s=0.05)

    def overtake() -> None:
        register(race.other, "m", f"other {race.head}")

    race.store.before_put_if_absent = overtake
    with pytest.raises(ConflictError) as caught:
        register(race.ours, "m", "ours", txid="t1")
    assert "--txid t1" in caught.value.hint
    assert {actor for actor, _ops in race.ops()} == {"bob"}


@pytest.mark.parametrize("applied", [True, False])
def test_an_unknown_outcome_is_called_that_and_can_be_asked_for_again(
    race: Race, *, applied: bool
) -> None:
    fault = Fault.UNKNOWN_AFTER if applied else Fault.UNKNOWN_BEFORE
    race.store.order("put_if_absent", fault, *[Fault.UNKNOWN_BEFORE] * (ATTEMPTS - 1))
    race.ours.replica.refresh()
    blind = Blind(race.store)
    race.ours.replica.log = Log(blind, sleep=lambda _seconds: None)
    with pytest.raises(OutcomeUnknownError) as caught:
        register(race.ours, "m", "ours", txid="t1")
    assert caught.value.txid == "t1"
    assert "--txid t1" in caught.value.hint
    assert race.head == (2 if applied else 1)
    blind.seeing = True
    again = register(race.ours, "m", "ours", txid="t1")
    assert (again.version, again.seq, again.created) == (1, 2, True)
    assert race.head == 2
    assert race.verified().ok


def test_what_was_done_before_is_settled_before_it_is_told_again(race: Race) -> None:
    register(race.other, "m", "ours", txid="t1")
    done = register(race.ours, "m", "ours", txid="t1")
    assert ("settle", log_key(done.seq)) in race.store.calls


def test_a_no_op_settles_the_commit_that_it_names(race: Race) -> None:
    made = register(race.other, "m", "ours")
    assert not register(race.ours, "m", "ours").created
    assert ("settle", log_key(made.seq)) in race.store.calls


def test_what_was_done_but_cannot_be_settled_is_an_unknown_outcome(race: Race) -> None:
    register(race.other, "m", "ours", txid="t1")
    request = register_request(race.store.inner, "m", "ours")
    race.store.order("settle", Fault.RAISE_BEFORE)
    with pytest.raises(OutcomeUnknownError) as caught:
        race.ours.submit(request, "t1")
    assert caught.value.txid == "t1"


class Blind(FaultyStore):
    """A store on which nothing that was just written can be read back yet."""

    def __init__(self, inner: FaultyStore) -> None:
        super().__init__(inner)
        self.seeing = False

    def get(self, key: str) -> bytes | None:
        return super().get(key) if self.seeing or key == log_key(1) else None


@pytest.mark.parametrize(
    "faults",
    [
        [Fault.RAISE_AFTER],
        [Fault.UNKNOWN_AFTER],
        [Fault.EXISTS_AFTER],
        [Fault.RAISE_BEFORE, Fault.UNKNOWN_BEFORE, Fault.EXISTS_BEFORE, Fault.NONE],
    ],
    ids=str,
)
def test_a_lost_answer_is_looked_into_and_the_commit_made_once(
    race: Race, faults: list[Fault]
) -> None:
    race.store.order("put_if_absent", *faults)
    assert register(race.ours, "m", "ours").version == 1
    assert race.ops() == [("ann", "register")]
    assert race.verified().ok


def test_a_store_that_refuses_every_attempt_is_a_storage_error(race: Race) -> None:
    race.store.order("put_if_absent", *[Fault.RAISE_BEFORE] * ATTEMPTS)
    with pytest.raises(StorageError):
        register(race.ours, "m", "ours")
    assert race.head == 1
    assert register(race.ours, "m", "ours").version == 1


def test_a_repeated_transaction_returns_what_was_recorded(race: Race) -> None:
    first = register(race.ours, "m", "one", txid="t1")
    register(race.ours, "m", "two")
    for registry in (race.ours, race.other):
        again = register(registry, "m", "one", txid="t1")
        assert again == first
    assert race.head == 3


def test_a_repeated_refusal_returns_what_was_recorded() -> None:
    race = Race(GATED)
    register(race.ours, "m", "one")
    race.ours.log_eval("m@1", "holdout", {"acc": "0.5"})
    refused = race.ours.promote("m@1", "staging", txid="t1")
    race.ours.log_eval("m@1", "holdout", {"acc": "0.9"})
    again = race.ours.promote("m@1", "staging", txid="t1")
    assert again == refused
    assert again.refused
    assert not race.ours.promote("m@1", "staging").refused


def test_what_finds_nothing_to_do_takes_effect_once_at_most_under_its_transaction_id(
    race: Race,
) -> None:
    register(race.ours, "m", "one")
    first = race.ours.alias("m@1", "best")
    for _ in range(2):
        assert race.ours.alias("m@1", "best", txid="t1").seq == first.seq
    assert race.head == first.seq
    race.other.remove_alias("m", "best")
    done = race.ours.alias("m@1", "best", txid="t1")
    race.other.remove_alias("m", "best")
    assert race.ours.alias("m@1", "best", txid="t1").seq == done.seq == first.seq + 2
    assert race.head == first.seq + 3


def test_a_transaction_id_stands_for_one_request(race: Race) -> None:
    register(race.ours, "m", "one", txid="t1")
    head = race.head
    for attempt in (
        lambda: register(race.ours, "m", "two", txid="t1"),
        lambda: register(race.ours, "n", "one", txid="t1"),
        lambda: race.ours.tag("m", {"a": "b"}, txid="t1"),
        lambda: race.ours.submit_all(
            [register_request(race.store, "m", "one"), requests.tag("m", {"a": "b"}, [])], "t1"
        ),
    ):
        with pytest.raises(TxidReusedError, match="commit 2"):
            attempt()
    assert race.head == head


def test_a_repeat_that_loses_a_race_against_itself_finds_its_own_commit(race: Race) -> None:
    race.store.overtake(lambda: register(race.other, "m", "ours", txid="t1"))
    result = register(race.ours, "m", "ours", txid="t1")
    assert (result.version, result.created) == (1, True)
    assert race.head == 2


@pytest.mark.parametrize("txid", ["a b", "x" * 129, "../x", "a\n"])
def test_a_malformed_transaction_id_is_refused(race: Race, txid: str) -> None:
    with pytest.raises(InvalidInputError):
        register(race.ours, "m", "one", txid=txid)
    assert race.head == 1


def test_tables_that_cannot_be_written_are_a_warning_and_the_commit_stands(race: Race) -> None:
    register(race.ours, "m", "one")
    race.store.order("put", *[Fault.NONE] * 2, *[Fault.RAISE_BEFORE] * 3)
    result = register(race.ours, "m", "two")
    assert result.version == 2
    [warning] = race.ours.writer.warnings
    assert warning.startswith("commit 3 stands, but what follows it was not written")
    assert race.verified().ok
    race.store._faults.clear()  # noqa: SLF001 - the store is well again
    assert register(race.ours, "m", "three").version == 3
    assert len(race.ours.writer.warnings) == 1
    assert [row["version"] for row in race.ours.history("m") if row["event"] == "registered"] == [
        3,
        2,
        1,
    ]
    assert race.verified().ok


def test_a_disk_that_is_full_after_the_commit_is_one_short_line(
    race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = "/data/reg istry"
    said = (
        "Async write failed for range [offset=0, size=344]: "
        '{"exception_type":"IO","exception_message":"Could not write file '
        f'\\"{place}/.tmp-9c27e825ccb308c3bf60/tags.parquet\\": No space left on device",'
        '"errno":"28"}'
    )

    def fail(*_arguments: Any, **_options: Any) -> None:
        raise duckdb.IOException(f"IO Error: {said}")

    monkeypatch.setattr(tabling, "sorted_copy", fail)
    assert register(race.ours, "m", "one").version == 1
    [warning] = race.ours.writer.warnings
    assert warning == (
        "commit 2 stands, but what follows it was not written: cannot table commits 2 to 2: the"
        f" disk of {place} is full; once that is mended, run regista rebuild (regista doctor tells"
        " more)"
    )


@pytest.mark.parametrize("error", [KeyError("x"), OSError(28, "full"), RuntimeError("engine")])
def test_whatever_goes_wrong_after_the_commit_is_a_warning(
    race: Race, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_arguments: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Follower, "follow", fail)
        assert register(race.ours, "m", "one").version == 1
    assert len(race.ours.writer.warnings) == 1
    assert register(race.ours, "m", "two").version == 2
    assert race.verified().ok


def test_version_numbers_that_a_transaction_was_told_hold_or_nothing_is_written(
    race: Race,
) -> None:
    with pytest.raises(ConflictError, match="version numbers"), race.ours.transaction() as tx:
        told = tx.submit(register_request(race.store, "m", "ours"))
        assert told.version == 1
        register(race.other, "m", "other")
    assert race.ops() == [("bob", "register")]


def test_a_transaction_that_others_overtook_without_touching_its_numbers_is_made(
    race: Race,
) -> None:
    with race.ours.transaction() as tx:
        tx.submit(register_request(race.store, "m", "ours"))
        tx.log_eval("m@1", "holdout", {"acc": "0.9"})
        tx.promote("m@1", "prod")
        register(race.other, "n", "other")
    assert [result.seq for result in tx.results] == [3, 3, 3]
    assert tx.results[1].to_json()["run_id"].startswith("r3-")
    assert race.verified().ok


def test_one_refusal_in_a_transaction_applies_none() -> None:
    race = Race(GATED)
    with race.ours.transaction() as tx:
        tx.submit(register_request(race.store, "m", "ours"))
        tx.log_eval("m@1", "holdout", {"acc": "0.5"})
        assert tx.promote("m@1", "staging").refused
        tx.tag("m@1", {"a": "b"})
    assert [result.applied for result in tx.results] == [False] * 4
    with pytest.raises(NotFoundError):
        race.ours.show("m")
    assert race.head == 2
    assert race.verified().ok


def test_a_transaction_left_by_an_error_or_empty_writes_nothing(race: Race) -> None:
    with pytest.raises(NotFoundError), race.ours.transaction() as tx:
        tx.submit(register_request(race.store, "m", "ours"))
        tx.promote("m@9", "prod")
    with race.ours.transaction():
        pass
    assert race.head == 1


def test_an_operation_inside_a_transaction_has_no_transaction_id(race: Race) -> None:
    with pytest.raises(InvalidInputError, match="transaction id"), race.ours.transaction() as tx:
        tx.create("m", txid="t1")
    with race.ours.transaction(txid="t1") as tx:
        tx.create("m")
    assert race.other.replica.log.read(2)[0].txid == "t1"


def test_a_writer_whose_checkpoint_was_pruned_reads_the_newer_one(race: Race) -> None:
    register(race.other, "m", "one")
    race.other.compact()
    race.ours.replica.refresh()
    for number in range(5):
        race.other.tag("m", {"k": str(number)})
        race.other.compact()
    assert race.ours.replica.checkpoint is not None
    assert register(race.ours, "m", "two").version == 2
    assert race.verified().ok


def test_a_check_writes_nothing_and_says_what_a_promotion_would() -> None:
    race = Race(GATED)
    register(race.ours, "m", "one")
    race.ours.log_eval("m@1", "holdout", {"acc": "0.9"})
    head = race.head
    check = race.ours.check("m@1", "staging").to_json()
    assert (race.head, check["seq"]) == (head, head)
    promotion = race.ours.promote("m@1", "staging").to_json()
    for field in ("outcome", "gates", "from_version", "stage", "version", "name"):
        assert check[field] == promotion[field]


class NeverDone:
    """Pre-hooks for whom every plan is a new question."""

    open = True
    asked = 0

    def answers(self, _question: Question) -> list[Answer]:
        return []

    def ask(self) -> bool:
        self.asked += 1
        return True


def test_a_plan_that_hooks_are_asked_about_for_ever_is_a_conflict() -> None:
    registry = new_registry()
    hooks = NeverDone()
    registry.writer.start_asking = lambda: hooks
    with pytest.raises(ConflictError, match="came to something else each of the 10 times"):
        registry.writer.run([requests.create("m", "model", {})])
    assert hooks.asked == 10
    assert registry.replica.refresh().find_entry("m") is None
