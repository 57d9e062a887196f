"""Commits through a bad network to a real S3 server, by the real client.

Whatever happens to the one request that makes a commit, nothing is reported that is not so: who
was told that it was done finds it in the log, who was told that it was not does not, and who was
told neither learns it by asking again with the same transaction id.
"""

import os
from collections.abc import Callable, Iterator
from itertools import count
from unittest.mock import patch

import pytest

import regista
from regista.errors import OutcomeUnknownError, RegistaError, StorageError
from regista.registry.core import Registry
from regista.registry.opening import init_registry
from support import emulators
from support.fault_proxy import Fault, FaultProxy, faulty

numbers = count()
LOG = "/log/"
# faults in which the store does what it was asked for
APPLIED = (Fault.ANSWER_LOST, Fault.ANSWER_HANGS, Fault.ERROR_AFTER)
NOT_APPLIED = (Fault.LOST, Fault.CUT, Fault.HANG, Fault.ERROR)
STATUSES = (409, 412, 500, 503)

Case = tuple[Fault, int]
CASES: list[Case] = [
    (fault, status)
    for fault in (*APPLIED, *NOT_APPLIED)
    for status in (STATUSES if fault in {Fault.ERROR, Fault.ERROR_AFTER} else (0,))
]


def named(case: Case) -> str:
    return f"{case[0].name} {case[1] or ''}".strip().lower()


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultProxy]:
    with faulty(emulators.s3().url) as running:
        yield running


@pytest.fixture(scope="module")
def uri(proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Make one registry behind the proxy for all tests."""
    more = {
        "REGISTA_CACHE_DIR": str(tmp_path_factory.mktemp("cache")),
        "REGISTA_STORE_TIMEOUT": "1",
        "REGISTA_STORE_RETRIES": "1",
    }
    with patch.dict(os.environ, {**emulators.s3_environ(proxy.url), **more}):
        made = emulators.s3().new_uri()
        init_registry(made, actor="ann")
        yield made


@pytest.fixture
def opened(proxy: FaultProxy, uri: str) -> Callable[[], Registry]:
    """Return a function that opens the registry anew."""
    proxy.obey()
    return lambda: regista.open(uri, actor="ann")


@pytest.fixture
def name() -> str:
    """Return a name that is nobody else's, for an entry and its transaction."""
    return f"m{next(numbers)}"


def txids(registry: Registry) -> list[str]:
    """Return the transaction ids of the log, from the files themselves."""
    log = registry.replica.log
    return [commit.txid for commit, _ in log.iterate(1, log.head())]


@pytest.mark.parametrize("case", CASES, ids=named)
def test_one_bad_answer_to_a_commit_does_no_harm(
    proxy: FaultProxy, opened: Callable[[], Registry], name: str, case: Case
) -> None:
    fault, status = case
    proxy.order(fault, "PUT", LOG, status=status)
    done = opened().create(name, "model", txid=name)
    assert [one.fault for one in proxy.asked].count(fault) == 1
    found = txids(opened())
    assert found.count(name) == 1
    assert done.seq == found.index(name) + 1


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_network_that_stays_bad_never_makes_us_say_what_is_not_so(
    proxy: FaultProxy, opened: Callable[[], Registry], name: str, case: Case
) -> None:
    fault, status = case
    proxy.order(fault, "PUT", LOG, status=status, times=1000)
    try:
        opened().create(name, "model", txid=name)
        said = "done"
    except OutcomeUnknownError as error:
        assert error.txid == name
        said = "unknown"
    except StorageError:
        said = "refused"
    proxy.obey()
    before = txids(opened())
    assert before.count(name) == (1 if fault in APPLIED else 0)
    assert said in ({"done"} if name in before else {"unknown", "refused"})
    again = opened().create(name, "model", txid=name)
    after = txids(opened())
    assert after.count(name) == 1
    assert again.seq == after.index(name) + 1


@pytest.mark.parametrize("fault", APPLIED, ids=lambda fault: fault.name.lower())
def test_with_reading_back_impossible_too_the_outcome_is_unknown(
    proxy: FaultProxy, opened: Callable[[], Registry], name: str, fault: Fault
) -> None:
    registry = opened()
    seq = registry.replica.refresh().seq + 1
    proxy.order(fault, "PUT", LOG, status=500, times=1000)
    # the state was read before; what is asked of this commit's file is the read-back
    proxy.order(Fault.ERROR, "GET", f"{seq:012d}", status=503, times=1000)
    with pytest.raises(OutcomeUnknownError) as caught:
        registry.create(name, "model", txid=name)
    assert caught.value.txid == name
    proxy.obey()
    assert opened().create(name, "model", txid=name).seq == seq
    assert txids(opened()).count(name) == 1


def test_a_rival_that_wins_behind_a_lost_answer_is_seen(
    proxy: FaultProxy, opened: Callable[[], Registry], name: str
) -> None:
    ours, theirs = opened(), opened()
    ours.replica.refresh()
    theirs.create(f"{name}-theirs", "model", txid=f"{name}-theirs")
    proxy.order(Fault.ANSWER_LOST, "PUT", LOG)
    ours.create(name, "model", txid=name)
    assert txids(opened())[-2:] == [f"{name}-theirs", name]


def test_a_commit_that_arrives_late_is_not_lost_and_not_doubled(
    proxy: FaultProxy, opened: Callable[[], Registry], name: str
) -> None:
    proxy.order(Fault.LATE, "PUT", LOG)
    opened().create(name, "model", txid=name)
    assert txids(opened()).count(name) == 1


@pytest.mark.parametrize("fault", [Fault.PARTIAL, Fault.LOST, Fault.ERROR])
def test_one_bad_answer_to_a_question_is_asked_again(
    proxy: FaultProxy, opened: Callable[[], Registry], name: str, fault: Fault
) -> None:
    opened().create(name, "model")
    proxy.order(fault, "GET", "", status=503)
    assert opened().show(name)["name"] == name
    assert proxy.orders[0].times == 0


def test_a_stale_listing_costs_another_try_and_nothing_else(
    proxy: FaultProxy, opened: Callable[[], Registry], name: str
) -> None:
    opened().create(f"{name}-first", "model", txid=f"{name}-first")
    proxy.order(Fault.STALE_LIST, "GET", "prefix=")
    opened().create(name, "model", txid=name)
    assert proxy.orders[0].times == 0
    assert txids(opened())[-2:] == [f"{name}-first", name]


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.PARTIAL, Fault.ERROR, Fault.HANG])
def test_every_error_that_gets_out_is_our_own(
    proxy: FaultProxy, opened: Callable[[], Registry], name: str, fault: Fault
) -> None:
    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        proxy.order(fault, method, "", times=1000, status=500, after_bytes=10)
    with pytest.raises(RegistaError) as caught:
        opened().create(name, "model")
    assert caught.value.message.isprintable()


def test_after_all_that_the_registry_is_sound(opened: Callable[[], Registry]) -> None:
    assert opened().rebuild()
    found = opened().verify()
    assert found.ok, found.problems
