from datetime import UTC, datetime, timedelta

import pytest

from fakes.faulty_store import FaultyStore
from regista.errors import StorageError
from regista.storage.memory import MemoryStore
from support.registries import OPEN, new_registry, register


class Elsewhere(FaultyStore):
    """A store with a clock of its own.

    Attributes:
        behind: how far it is behind this machine's.
    """

    behind = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) - self.behind


@pytest.mark.parametrize("minutes", [3, 60, 60 * 24 * 365])
def test_a_clock_far_ahead_of_the_store_s_commits_nothing(minutes: int) -> None:
    store = Elsewhere(MemoryStore("ahead"))
    registry = new_registry(store=store)
    before = list(store.list_after(""))
    store.behind = timedelta(minutes=minutes)
    with pytest.raises(
        StorageError, match=f"clock is {minutes} minutes ahead .* committed"
    ) as caught:
        registry.create("m", "model")
    assert "set the clock" in caught.value.hint
    assert list(store.list_after("")) == before


def test_the_way_back_is_open_and_takes_the_store_s_time() -> None:
    store = Elsewhere(MemoryStore("back"))
    registry = new_registry(OPEN, store=store)
    for content in ("one", "two"):
        register(registry, "m", content)
        registry.promote("m@latest", "prod")
    store.behind = timedelta(days=1)
    before = registry.replica.refresh().time
    assert registry.rollback("m", "prod").to_version == 1
    assert registry.demote("m", "prod").to_version is None
    first, second = registry.writer.warnings
    assert first == second
    assert "clock is 1440 minutes ahead" in first
    last = registry.replica.log.read(registry.replica.refresh().seq)[0]
    # the store's time is before that of the commit before, so that counts
    assert last.time == before
    assert last.clock < before
    assert registry.verify().problems == []
    with pytest.raises(StorageError, match="ahead"):
        registry.promote("m@2", "prod", again=True, reason="x")


@pytest.mark.parametrize("behind", [timedelta(seconds=100), timedelta(), timedelta(hours=-5)])
def test_a_clock_that_is_right_or_behind_is_fine(behind: timedelta) -> None:
    store = Elsewhere(MemoryStore("fine"))
    registry = new_registry(store=store)
    store.behind = behind
    assert registry.create("m", "model").created


def test_the_doctor_tells_of_it() -> None:
    store = Elsewhere(MemoryStore("ill"))
    registry = new_registry(store=store)
    assert registry.doctor().ok
    store.behind = timedelta(minutes=10)
    (found,) = (finding for finding in registry.doctor().findings if not finding.ok)
    assert found.check == "clock"
    assert found.detail.startswith("this machine's clock is 10 minutes ahead")
    assert found.fix == "set the clock, for example by NTP"
