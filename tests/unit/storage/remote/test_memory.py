"""What a machine remembers of a registry in a bucket, and when it does not believe it."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import regista
from regista.errors import NotFoundError
from regista.model.commit import log_key
from regista.registry.core import Registry
from regista.registry.opening import init_registry
from regista.storage.log import LOG_PREFIX
from regista.storage.opening import open_store
from regista.storage.store import Store
from regista.storage.tip import TIP_KEY, Tip
from support import emulators
from support.fault_proxy import Fault, FaultProxy, faulty

SERVERS = {"s3": emulators.s3, "gcs": emulators.gcs, "azure": emulators.azure}
URL_OF = {
    "s3": emulators.s3_environ, "gcs": emulators.gcs_environ, "azure": emulators.azure_environ,
}  # fmt: skip


class Place:
    """A registry behind a proxy that counts."""

    def __init__(self, proxy: FaultProxy, uri: str, cache: Path) -> None:
        self.proxy = proxy
        self.uri = uri
        self.cache = cache

    def opened(self) -> Registry:
        self.proxy.obey()
        return regista.open(self.uri, actor="ann")

    def hints(self) -> list[Path]:
        return sorted((self.cache / "heads").glob("*.json"))


@contextmanager
def a_place(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    server = SERVERS[kind]()
    with faulty(server.url) as proxy:
        environ = URL_OF[kind](proxy.url)
        for name, value in {**environ, "REGISTA_CACHE_DIR": str(folder / "cache")}.items():
            monkeypatch.setenv(name, value)
        place = Place(proxy, server.new_uri(), folder / "cache")
        init_registry(place.uri, actor="ann")
        place.opened().create("m", "model")
        yield place


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with a_place("s3", tmp_path, monkeypatch) as made:
        yield made


@pytest.mark.parametrize("kind", SERVERS)
def test_what_is_known_costs_a_look_at_the_log_s_end_alone(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_place(kind, tmp_path, monkeypatch) as place:
        place.opened().create("n", "prompt")
        assert place.opened().show("m")["kind"] == "model"
        assert place.opened().show("n")["kind"] == "prompt"
        # Azure cannot list from the middle, and needs one more
        assert place.proxy.count() == (2 if kind == "azure" else 1)


def test_what_others_wrote_meanwhile_is_read(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = place.opened()
    ours.show("m")
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("REGISTA_CACHE_DIR", str(tmp_path / "another"))
        for name in ("a", "b"):
            place.opened().create(name, "model")
    assert place.opened().show("b")["name"] == "b"
    assert place.opened().show("a")["name"] == "a"
    assert place.proxy.count() == 1


def test_a_registry_made_anew_in_the_same_place_is_not_taken_for_the_old_one(place: Place) -> None:
    place.opened().create("old", "model")
    assert place.opened().show("old")
    store = open_store(place.uri)
    for key in list(store.list_after("")):
        store.delete(key)
    with pytest.raises(NotFoundError, match="no registry"):
        place.opened()
    init_registry(place.uri, actor="ann")
    for name in ("new-1", "new-2"):
        place.opened().create(name, "model")
    with pytest.raises(NotFoundError):
        place.opened().show("old")
    assert place.opened().show("new-2")


def test_a_last_commit_that_is_another_file_now_is_not_believed(place: Place) -> None:
    registry = place.opened()
    seq = registry.replica.refresh().seq
    data = open_store(place.uri).get(log_key(seq))
    assert data
    # the same size, and one letter of a name changed
    open_store(place.uri).put(log_key(seq), data.replace(b'"m"', b'"k"'))
    with pytest.raises(NotFoundError):
        place.opened().show("m")


def test_what_came_since_is_asked_for_several_at_a_time(place: Place) -> None:
    writer = place.opened()
    for number in range(20):
        writer.create(f"n{number}", "model")
    shutil.rmtree(place.cache)
    # as from before there were tips, or whose writers could not write any
    open_store(place.uri).delete(TIP_KEY)
    place.proxy.obey()
    place.proxy.delay_s = 0.1
    began = time.monotonic()
    assert place.opened().show("n19")["name"] == "n19"
    place.proxy.delay_s = 0.0
    assert time.monotonic() - began < 0.1 * place.proxy.count() * 0.8
    assert place.proxy.count("GET", "/log/000000/") == 22


def forget(place: Place) -> Store:
    """Make this machine know nothing; return the store."""
    shutil.rmtree(place.cache)
    return open_store(place.uri)


def test_a_machine_that_knows_nothing_asks_for_the_tip_alone(place: Place) -> None:
    place.opened().create("n", "prompt")
    forget(place)
    assert place.opened().show("n")["kind"] == "prompt"
    # the tip, the log's end, the commit that the tip tells of; the heads are in a small registry's
    # tip. And the policy, for its stages
    assert place.proxy.count("GET", TIP_KEY) == 1
    assert place.proxy.count("GET", "/log/000000/") == 1
    assert place.proxy.count("GET", "/blobs/") == 1
    assert place.proxy.count() == 4
    # and knows it then
    assert place.opened().show("n")["kind"] == "prompt"
    assert place.proxy.count() == 1


def test_commits_after_the_tip_are_read_from_the_log(place: Place) -> None:
    tip = open_store(place.uri).get(TIP_KEY)
    assert tip
    for name in ("a", "b"):
        place.opened().create(name, "model")
    # as a writer leaves it that was late
    forget(place).put(TIP_KEY, tip)
    assert place.opened().show("b")["name"] == "b"
    assert place.proxy.count("GET", "/log/000000/") == 3


def test_a_tip_of_another_history_is_not_believed(place: Place) -> None:
    place.opened().create("n", "model")
    store = open_store(place.uri)
    last = max(store.list_after(LOG_PREFIX))
    data = store.get(last)
    assert data
    forget(place).put(last, data.replace(b'"n"', b'"k"'))
    assert place.opened().show("k")["name"] == "k"
    store.delete(last)
    with pytest.raises(NotFoundError):
        place.opened().show("n")


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"{", Tip(2, {}).to_bytes(), Tip(2, {"digest": "x", "heads": 1}).to_bytes(),
        Tip(99, {"digest": "x"}).to_bytes(),
    ],
)  # fmt: skip
def test_a_damaged_tip_is_no_tip(place: Place, damage: bytes) -> None:
    forget(place).put(TIP_KEY, damage)
    assert place.opened().show("m")["name"] == "m"


def test_a_tip_that_stands_on_a_checkpoint_that_is_gone_is_left(place: Place) -> None:
    place.opened().compact()
    place.opened().create("n", "model")
    store = forget(place)
    tip = store.get(TIP_KEY)
    assert tip
    place.opened().rebuild()
    for key in list(store.list_after("checkpoints/")):
        if key.endswith(".run"):
            store.delete(key)
    forget(place).put(TIP_KEY, tip)
    assert place.opened().show("m")["name"] == "m"


def test_a_tip_that_cannot_be_written_is_a_warning(place: Place) -> None:
    registry = place.opened()
    place.proxy.order(Fault.ERROR, "PUT", TIP_KEY, status=403, times=9)
    assert registry.create("n", "model").created
    [warning] = registry.writer.warnings
    assert "stands" in warning
    assert place.opened().show("n")["name"] == "n"


def test_verify_believes_the_store_alone(place: Place) -> None:
    registry = place.opened()
    assert registry.verify().ok
    store = open_store(place.uri)
    data = store.get(log_key(1))
    assert data
    store.put(log_key(1), data.replace(b"ann", b"eve"))
    assert not place.opened().verify().ok


@pytest.mark.parametrize("damage", ["", "{", '{"seq": 1}', '{"seq": 2, "mark": "x", "said": {}}'])
def test_a_damaged_memory_is_no_memory(place: Place, damage: str) -> None:
    place.opened().show("m")
    (hint,) = place.hints()
    hint.chmod(0o644)
    hint.write_text(damage)
    assert place.opened().show("m")["name"] == "m"


def test_a_memory_that_means_nothing_is_no_memory(place: Place) -> None:
    place.opened().show("m")
    (hint,) = place.hints()
    kept = json.loads(hint.read_text())
    kept["said"] = {"registry": kept["said"]["registry"], "heads": {"e/x": [1]}, "checkpoint": ""}
    hint.chmod(0o644)
    hint.write_text(json.dumps(kept))
    assert place.opened().show("m")["name"] == "m"


def test_damage_on_this_disk_does_not_look_like_damage_in_the_store(place: Place) -> None:
    place.opened().compact()
    place.opened().create("n", "model")
    place.opened().show("m")
    for piece in (place.cache / "pieces").rglob("*"):
        if piece.is_file():
            piece.chmod(0o644)
            piece.write_bytes(b"\0" * piece.stat().st_size)
    for hint in place.hints():
        hint.unlink()
    assert place.opened().show("m")["name"] == "m"
    assert place.opened().show("n")["name"] == "n"


def test_a_checkpoint_that_is_gone_meanwhile_is_looked_for_again(place: Place) -> None:
    registry = place.opened()
    registry.compact()
    for number in range(3):
        registry.create(f"n{number}", "model")
    assert place.opened().show("n0")
    store = open_store(place.uri)
    before = set(store.list_after("checkpoints/"))
    registry.rebuild()
    for key in before & set(store.list_after("checkpoints/")):
        store.delete(key)
    for piece in (place.cache / "pieces").rglob("*"):
        if piece.is_file():
            piece.unlink()
    assert place.opened().show("m")["name"] == "m"


def test_a_gap_before_the_remembered_end_is_found_by_verify(place: Place) -> None:
    place.opened().show("m")
    open_store(place.uri).delete(log_key(1))
    assert not place.opened().verify().ok
