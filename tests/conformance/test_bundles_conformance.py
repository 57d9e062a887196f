"""Bundles over every kind of store: made where questions are dear, and read as the log is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.test_store_conformance import STORES
from regista.model.canonical import sha256_hex
from regista.storage.bundles import SMALL, bundle_key, list_bundles, load_sound
from regista.storage.bundling import bundle_recent, make_bundles, rebuild_bundles
from regista.storage.cover import Span
from regista.storage.log import Log
from regista.storage.several import get_ahead, is_dear
from regista.storage.store import Store
from support.chains import chain, write_chain
from support.tampering import flip

HEAD = 2 * SMALL + 3
FILES = chain(HEAD)
SPANS = {Span(1, SMALL), Span(SMALL + 1, 2 * SMALL)}


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    make: Callable[[Path], Store] = STORES[request.param]
    made = make(tmp_path_factory.mktemp("bundles"))
    write_chain(made, FILES)
    return made


def digests(store: Store) -> list[str]:
    return [digest for _commit, digest in Log(store).over(1, HEAD).iterate(1, HEAD)]


def test_the_log_reads_the_same_with_sound_damaged_and_missing_bundles(store: Store) -> None:
    expected = [sha256_hex(data) for data in FILES]
    assert digests(store) == expected
    bundle_recent(store, SMALL, spare_s=0)
    make_bundles(store, HEAD)
    assert list_bundles(store) == (SPANS if is_dear(store) else set())
    assert all(load_sound(store, span) for span in list_bundles(store))
    assert digests(store) == expected
    for span in list_bundles(store):
        store.put(bundle_key(span), flip(store.get(bundle_key(span)) or b""))
    assert digests(store) == expected
    assert rebuild_bundles(store) == HEAD
    assert list_bundles(store) == (SPANS if is_dear(store) else set())
    assert all(load_sound(store, span) for span in list_bundles(store))


def test_the_files_of_the_log_come_in_order(store: Store) -> None:
    found = list(get_ahead(store, store.list_after("log/")))
    assert [data for _key, data in found] == FILES
