from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.faulty_store import Fault, FaultyStore
from regista.errors import IntegrityError, NewerFormatError, NotFoundError, StorageError
from regista.model.canonical import sha256_hex
from regista.model.commit import Commit, log_key
from regista.storage.creating import Creation
from regista.storage.local import LocalStore
from regista.storage.log import Log
from regista.storage.memory import MemoryStore
from regista.storage.store import Store

REGISTRY = "registry-1"
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def a_commit(seq: int, parent: str = REGISTRY, txid: str = "tx") -> Commit:
    return Commit(
        format=1,
        registry=REGISTRY,
        seq=seq,
        parent=parent,
        txid=txid,
        time="2026-03-03T09:30:00.000000Z",
        clock="2026-03-03T09:30:00.000000Z",
        actor="ann",
        ops=(),
        rows=({"table": "entries", "entry": "fraud"},),
        data=(),
        policy="",
        engine="test",
    )


def write_chain(store: Store, count: int) -> list[str]:
    digests, parent = [], REGISTRY
    for seq in range(1, count + 1):
        data = a_commit(seq, parent).to_bytes()
        store.put(log_key(seq), data)
        parent = sha256_hex(data)
        digests.append(parent)
    return digests


def quiet_log(store: Store) -> tuple[Log, list[float]]:
    slept: list[float] = []
    return Log(store, sleep=slept.append), slept


OURS = a_commit(1, txid="ours").to_bytes()
THEIRS = a_commit(1, txid="theirs").to_bytes()


def test_an_uncontested_append_wins_with_one_put_and_no_read() -> None:
    store = FaultyStore(MemoryStore("log"))
    log, slept = quiet_log(store)
    assert log.append(OURS, 1) is Creation.WON
    assert store.calls == [("put_if_absent", log_key(1))]
    assert slept == []
    assert store.get(log_key(1)) == OURS


def test_a_taken_number_is_lost_and_left_alone() -> None:
    store = MemoryStore("log")
    store.put(log_key(1), THEIRS)
    log, slept = quiet_log(store)
    assert log.append(OURS, 1) is Creation.LOST
    assert store.get(log_key(1)) == THEIRS
    assert slept == []


@pytest.mark.parametrize("fault", [Fault.RAISE_AFTER, Fault.UNKNOWN_AFTER, Fault.EXISTS_AFTER])
def test_a_lost_answer_to_an_applied_put_is_a_win(fault: Fault) -> None:
    store = FaultyStore(MemoryStore("log"))
    store.order("put_if_absent", fault)
    log, slept = quiet_log(store)
    assert log.append(OURS, 1) is Creation.WON
    assert store.count("put_if_absent") == 1
    assert slept == []


def test_a_commit_that_may_not_survive_a_power_cut_is_unknown_though_it_can_be_read() -> None:
    store = FaultyStore(MemoryStore("log"))
    store.order("put_if_absent", Fault.UNSETTLED)
    log, _ = quiet_log(store)
    assert log.append(OURS, 1) is Creation.UNKNOWN
    assert store.get(log_key(1)) == OURS


def test_our_own_bytes_that_cannot_be_settled_are_unknown() -> None:
    store = FaultyStore(MemoryStore("log"))
    store.order("put_if_absent", Fault.EXISTS_AFTER)
    store.order("settle", Fault.RAISE_BEFORE)
    log, _ = quiet_log(store)
    assert log.append(OURS, 1) is Creation.UNKNOWN


def test_the_first_commit_of_a_folder_settles_the_last_one_of_the_folder_before() -> None:
    store = FaultyStore(MemoryStore("log"))
    log, _ = quiet_log(store)
    for seq in (1, 999, 1000, 1001):
        log.append(OURS, seq)
    assert [key for name, key in store.calls if name == "settle"] == [log_key(999)]


@pytest.mark.parametrize("fault", [Fault.RAISE_BEFORE, Fault.UNKNOWN_BEFORE, Fault.EXISTS_BEFORE])
def test_a_put_that_was_not_applied_is_sent_again_unchanged(fault: Fault) -> None:
    store = FaultyStore(MemoryStore("log"))
    store.order("put_if_absent", fault, fault)
    log, slept = quiet_log(store)
    assert log.append(OURS, 1) is Creation.WON
    assert store.get(log_key(1)) == OURS
    assert store.count("put_if_absent") == 3
    assert len(slept) == 2
    assert 0 < slept[0] < slept[1] * 3


@pytest.mark.parametrize("fault", [Fault.RAISE_BEFORE, Fault.UNKNOWN_BEFORE, Fault.EXISTS_BEFORE])
def test_a_rival_that_wins_while_we_are_in_doubt_makes_it_lost(fault: Fault) -> None:
    inner = MemoryStore("log")
    store = FaultyStore(inner)
    store.order("put_if_absent", fault)
    store.before_put_if_absent = lambda: inner.put(log_key(1), THEIRS)
    log, _ = quiet_log(store)
    assert log.append(OURS, 1) is Creation.LOST
    assert inner.get(log_key(1)) == THEIRS


def test_a_delayed_put_that_lands_between_attempts_is_a_win() -> None:
    inner = MemoryStore("log")
    store = FaultyStore(inner)
    store.order("put_if_absent", Fault.UNKNOWN_BEFORE)
    log = Log(store, sleep=lambda _: inner.put(log_key(1), OURS))
    assert log.append(OURS, 1) is Creation.WON


def test_a_store_that_never_says_leaves_the_outcome_unknown_after_bounded_attempts() -> None:
    store = FaultyStore(MemoryStore("log"))
    store.order("put_if_absent", *[Fault.UNKNOWN_BEFORE] * 100)
    log, slept = quiet_log(store)
    assert log.append(OURS, 1) is Creation.UNKNOWN
    assert store.count("put_if_absent") < 10
    assert sum(slept) < 5


def test_a_put_applied_in_silence_is_unknown_while_nothing_can_be_read_back() -> None:
    store = FaultyStore(MemoryStore("log"))
    store.order("put_if_absent", *[Fault.RAISE_AFTER] * 100)
    store.order("get", *[Fault.RAISE_BEFORE] * 100)
    log, _ = quiet_log(store)
    assert log.append(OURS, 1) is Creation.UNKNOWN


def test_a_store_that_refuses_every_put_and_holds_nothing_is_a_storage_error() -> None:
    store = FaultyStore(MemoryStore("log"))
    store.order("put_if_absent", *[Fault.RAISE_BEFORE] * 100)
    log, _ = quiet_log(store)
    with pytest.raises(StorageError, match="refused"):
        log.append(OURS, 1)


def test_one_put_in_doubt_among_refusals_keeps_the_outcome_unknown() -> None:
    store = FaultyStore(MemoryStore("log"))
    store.order("put_if_absent", Fault.UNKNOWN_BEFORE, *[Fault.RAISE_BEFORE] * 100)
    log, _ = quiet_log(store)
    assert log.append(OURS, 1) is Creation.UNKNOWN


PUT_FAULTS = [fault for fault in Fault if fault is not Fault.ABSENT]
GET_FAULTS = [Fault.NONE, Fault.RAISE_BEFORE, Fault.ABSENT]


@relaxed
@given(
    puts=st.lists(st.sampled_from(PUT_FAULTS), max_size=8),
    gets=st.lists(st.sampled_from(GET_FAULTS), max_size=8),
    rival=st.booleans(),
)
def test_won_and_lost_are_always_true(puts: list[Fault], gets: list[Fault], *, rival: bool) -> None:
    inner = MemoryStore("log")
    if rival:
        inner.put(log_key(1), THEIRS)
    store = FaultyStore(inner)
    store.order("put_if_absent", *puts)
    store.order("get", *gets)
    log, _ = quiet_log(store)
    try:
        outcome = log.append(OURS, 1)
    except StorageError:
        outcome = Creation.UNKNOWN
    held = inner.get(log_key(1))
    assert (outcome is Creation.WON) <= (held == OURS)
    assert (outcome is Creation.LOST) <= (held == THEIRS)
    if not rival and store.count("put_if_absent") == 1 and Fault.UNSETTLED not in puts:
        assert outcome is Creation.WON


def test_read_returns_the_commit_and_the_digest_of_its_bytes() -> None:
    store = MemoryStore("log")
    digests = write_chain(store, 2)
    commit, digest = Log(store).read(2)
    assert commit == a_commit(2, digests[0])
    assert digest == digests[1] == Log(store).digest(2)


def test_a_number_beyond_the_head_is_not_found() -> None:
    store = MemoryStore("log")
    write_chain(store, 2)
    log = Log(store)
    assert log.digest(3) is None
    for seq in (3, 0, -1):
        with pytest.raises(NotFoundError, match=f"no commit {seq}"):
            log.read(seq)


def test_a_missing_file_below_the_head_is_an_integrity_error_that_names_it() -> None:
    store = MemoryStore("log")
    write_chain(store, 3)
    store.delete(log_key(2))
    with pytest.raises(IntegrityError, match="commit 2 is missing"):
        Log(store).read_bytes(2)


def test_a_file_under_another_number_is_refused() -> None:
    store = MemoryStore("log")
    write_chain(store, 1)
    store.put(log_key(2), OURS)
    with pytest.raises(IntegrityError, match="commit 2: the file holds commit 1"):
        Log(store).read(2)


def test_every_truncation_of_a_file_is_an_integrity_error_that_names_it() -> None:
    store = MemoryStore("log")
    for length in range(len(OURS)):
        store.put(log_key(1), OURS[:length])
        with pytest.raises(IntegrityError, match="commit 1: "):
            Log(store).read(1)


def test_a_newer_format_is_said_to_be_that() -> None:
    store = MemoryStore("log")
    store.put(log_key(1), replace(a_commit(1), format=99).to_bytes())
    with pytest.raises(NewerFormatError):
        Log(store).read(1)


def test_the_chain_is_iterated_in_order_with_digests() -> None:
    store = MemoryStore("log")
    digests = write_chain(store, 5)
    log = Log(store)
    found = [(commit.seq, digest) for commit, digest in log.iterate(1, 5)]
    assert found == list(zip(range(1, 6), digests, strict=True))
    assert [commit.seq for commit, _ in log.iterate(3, 4)] == [3, 4]
    assert [commit.seq for commit, _ in log.iterate(3, 4, parent=digests[1])] == [3, 4]
    assert list(log.iterate(6, 5)) == []


def test_a_broken_chain_stops_at_the_commit_that_does_not_follow() -> None:
    store = MemoryStore("log")
    write_chain(store, 4)
    store.put(log_key(2), a_commit(2, "0" * 64).to_bytes())
    commits = Log(store).iterate(1, 4)
    assert next(commits)[0].seq == 1
    with pytest.raises(IntegrityError, match="commit 2 does not follow"):
        next(commits)


@pytest.mark.parametrize("first", [1, 3])
def test_a_wrong_start_of_the_chain_is_found(first: int) -> None:
    store = MemoryStore("log")
    write_chain(store, 4)
    store.put(log_key(1), a_commit(1, "another registry").to_bytes())
    with pytest.raises(IntegrityError, match=f"commit {first} does not follow"):
        next(Log(store).iterate(first, 4, parent="" if first == 1 else "0" * 64))


@relaxed
@given(head=st.integers(0, 5000), hint=st.integers(0, 5000))
def test_the_head_is_found_from_any_hint(head: int, hint: int) -> None:
    store = MemoryStore("log")
    store.put("log/README", b"")
    for seq in range(1, head + 1):
        store.put(log_key(seq), b"")
    log = Log(store)
    assert log.head() == head
    assert log.head(min(hint, head)) == head


def test_the_head_lies_beyond_a_gap() -> None:
    store = MemoryStore("log")
    for seq in (*range(1, 700), *range(701, 1200)):
        store.put(log_key(seq), b"")
    assert Log(store).head() == 1199
    assert Log(store).head(699) == 1199
    store.delete(log_key(1))
    assert Log(store).head() == 1199


def test_a_hint_that_does_not_exist_is_not_believed() -> None:
    store = MemoryStore("log")
    write_chain(store, 3)
    assert Log(store).head(64) == 3


def test_the_head_is_found_with_few_requests_in_a_long_log() -> None:
    inner = MemoryStore("log")
    for seq in range(1, 20_001):
        inner.put(log_key(seq), b"")
    store = FaultyStore(inner)
    assert Log(store).head() == 20_000
    assert store.count("size") < 30
    assert store.count("list_after") == 1


def test_a_log_that_was_listed_is_then_only_looked_at() -> None:
    store = FaultyStore(MemoryStore("log"))
    write_chain(store, 3)
    log = Log(store)
    assert log.head(3) == log.head(3) == 3
    assert store.count("list_after") == 1
    store.put(log_key(4), b"")
    store.put(log_key(5), b"")
    assert log.head(3) == 5
    store.delete(log_key(5))
    assert log.head(5) == 4


def test_it_works_on_a_folder(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    log = Log(store)
    assert log.head() == 0
    parent = REGISTRY
    for seq in range(1, 4):
        data = a_commit(seq, parent).to_bytes()
        assert log.append(data, seq) is Creation.WON
        parent = sha256_hex(data)
    assert log.append(OURS, 3) is Creation.LOST
    assert log.head() == log.head(2) == log.head(3) == 3
    assert [digest for _, digest in log.iterate(3, 3)] == [parent]
