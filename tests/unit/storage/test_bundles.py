"""Bundles as files, and that nothing but the log's own bytes is ever read from one."""

import json
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.dear_store import DearStore
from regista.errors import IntegrityError, NotFoundError
from regista.model.canonical import sha256_hex
from regista.model.commit import log_key
from regista.storage.bundles import (
    LARGE,
    SMALL,
    BundleReader,
    bundle_bytes,
    bundle_key,
    list_bundles,
    load_sound,
    parse_bundle,
    span_of,
    span_of_key,
)
from regista.storage.bundling import make_bundles
from regista.storage.cover import Span
from regista.storage.log import Log
from regista.storage.memory import MemoryStore
from support.chains import REGISTRY_ID, chain, write_chain
from support.tampering import flip, truncate

HEAD = 2 * SMALL + 5
FILES = chain(HEAD)
FIRST, SECOND = Span(1, SMALL), Span(SMALL + 1, 2 * SMALL)


@pytest.fixture
def store() -> DearStore:
    inner = MemoryStore("bundles")
    write_chain(inner, FILES)
    made = DearStore(inner)
    make_bundles(made, HEAD)
    made.calls.clear()
    return made


def read_all(store: DearStore) -> list[bytes]:
    reader = BundleReader(store, HEAD)
    return [reader.get(log_key(seq)) or b"" for seq in range(1, HEAD + 1)]


@given(st.integers(1, 10**9), st.sampled_from([SMALL, LARGE]))
def test_keys_are_read_as_they_were_written(seq: int, commits: int) -> None:
    span = span_of(seq, commits)
    assert span.first <= seq <= span.last
    assert span.commits == commits
    assert span_of_key(bundle_key(span)) == span


@pytest.mark.parametrize(
    "key",
    [
        "checkpoints/log/000000000001-000000000032.jsonl",
        "checkpoints/log/000000000002-000000000065.jsonl",
        "checkpoints/log/000000000001-000000000064.json",
        "checkpoints/000000000001-000000000064.jsonl",
        "000000000001-000000000064",
        "checkpoints/log/1-64.jsonl",
        "checkpoints/log/000000000001-000000262144.jsonl",
    ],
)
def test_what_is_no_key_of_a_bundle_is_none(key: str) -> None:
    assert span_of_key(key) is None


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=SMALL, max_size=SMALL))
def test_any_bytes_of_files_come_back_as_they_were(files: list[bytes]) -> None:
    bundle = parse_bundle(SECOND, bundle_bytes(SECOND, files))
    assert [bundle.file(seq) for seq in range(SECOND.first, SECOND.last + 1)] == files


def test_a_bundle_is_a_line_of_sizes_and_the_files_themselves() -> None:
    line, _, rest = bundle_bytes(FIRST, FILES[:SMALL]).partition(b"\n")
    sizes = [len(data) for data in FILES[:SMALL]]
    assert json.loads(line) == {"first": 1, "last": SMALL, "format": 1, "sizes": sizes}
    assert rest == b"".join(FILES[:SMALL])


WHOLE = bundle_bytes(FIRST, FILES[:SMALL])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"[]\n",
        b"1\n",
        truncate(WHOLE),
        WHOLE[:-1],
        WHOLE + b"\n",
        WHOLE.replace(b'"format":1', b'"format":2', 1),
        WHOLE.replace(b'"first":1', b'"first": 1', 1),
        bundle_bytes(SECOND, FILES[:SMALL]),
        bundle_bytes(FIRST, FILES[: SMALL - 1]),
        bundle_bytes(FIRST, [*FILES[: SMALL - 1], b""]),
        WHOLE.replace(b'"sizes":[', b'"sizes":[true,', 1),
        WHOLE.replace(b'"sizes":[', b'"sizes":["1",', 1),
        WHOLE.replace(b'"sizes":[', b'"sizes":{},"x":[', 1),
    ],
)
def test_what_was_not_written_so_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        parse_bundle(FIRST, data)


def test_whoever_reads_all_asks_for_bundles_and_for_what_is_in_none(store: DearStore) -> None:
    assert read_all(store) == FILES
    assert store.asked("checkpoints/log/") == 2
    # the last file of each bundle, and those behind the last bundle
    assert store.asked("log/000000/") == 2 + 5


@pytest.mark.parametrize("order", ["backwards", "at random"])
def test_files_are_the_same_in_any_order(store: DearStore, order: str) -> None:
    seqs = list(range(HEAD, 0, -1))
    if order == "at random":
        Random(1).shuffle(seqs)
    reader = BundleReader(store, HEAD)
    assert all(reader.get(log_key(seq)) == FILES[seq - 1] for seq in seqs)


def flip_at(place: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def rechained(data: bytes) -> bytes:
    """Change a commit in a bundle, and the parents of all behind it, as a forger would."""
    bundle = parse_bundle(FIRST, data)
    files = [bundle.file(seq) for seq in range(1, SMALL + 1)]
    for i in range(30, SMALL):
        old, new = files[i], files[i].replace(b'"ann"', b'"eve"')
        for j in range(i + 1, min(i + 2, SMALL)):
            files[j] = files[j].replace(sha256_hex(old).encode(), sha256_hex(new).encode())
        files[i] = new
    return bundle_bytes(FIRST, files)


HEADER = WHOLE.index(b"\n") + 1
DAMAGE: dict[str, Callable[[bytes], bytes] | None] = {
    "missing": None,
    "empty": lambda _data: b"",
    "truncated": truncate,
    "a bit in the middle": flip,
    "a bit of the first line": flip_at(30),
    "a bit of the first file": flip_at(HEADER + 20),
    "a bit of the last file": flip_at(len(WHOLE) - 20),
    "another span's": lambda _data: bundle_bytes(SECOND, FILES[SMALL : 2 * SMALL]),
    "another span's under its numbers": lambda _data: bundle_bytes(FIRST, FILES[5 : SMALL + 5]),
    "two files swapped": lambda _data: bundle_bytes(
        FIRST, [*FILES[:7], FILES[8], FILES[7], *FILES[9:SMALL]]
    ),
    "another history": lambda _data: bundle_bytes(FIRST, chain(SMALL + 1)[1:]),
    "a history rewritten to its end": rechained,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_log_is_read_where_a_bundle_is_damaged_or_missing(
    store: DearStore, damage: str
) -> None:
    change = DAMAGE[damage]
    if change:
        before = store.get(bundle_key(FIRST)) or b""
        assert change(before) != before
        store.put(bundle_key(FIRST), change(before))
    else:
        store.delete(bundle_key(FIRST))
    assert load_sound(store, FIRST) is None
    assert read_all(store) == FILES
    found = Log(store).over(1, HEAD).iterate(1, HEAD)
    assert [digest for _commit, digest in found] == [sha256_hex(data) for data in FILES]


def test_a_bundle_that_goes_while_it_is_read_is_done_without(store: DearStore) -> None:
    reader = BundleReader(store, HEAD)
    assert reader.get(log_key(1)) == FILES[0]
    for span in list_bundles(store):
        store.delete(bundle_key(span))
    assert [reader.get(log_key(seq)) for seq in range(1, HEAD + 1)] == FILES


def test_a_parent_that_stands_elsewhere_in_a_commit_does_not_pass(store: DearStore) -> None:
    """A commit that quotes the digest of a forged one before it, as its texts may."""
    files = list(FILES[: SMALL - 1])
    forged = files[-1].replace(b'"ann"', b'"eve"')
    quote = b'"rows":[{"a":{"parent":"%s"},' % sha256_hex(forged).encode()
    last = FILES[SMALL - 1].replace(b'"rows":[{', quote)
    store.put(log_key(SMALL), last)
    store.put(bundle_key(FIRST), bundle_bytes(FIRST, [*files[:-1], forged, last]))
    assert load_sound(store, FIRST)
    with pytest.raises(IntegrityError, match=f"commit {SMALL} does not follow"):
        list(Log(store).over(1, SMALL).iterate(1, SMALL))


def test_a_gap_in_the_log_is_a_gap_where_no_bundle_holds_it(store: DearStore) -> None:
    store.delete(log_key(HEAD - 2))
    log = Log(store).over(1, HEAD)
    with pytest.raises(IntegrityError, match=f"commit {HEAD - 2} is missing"):
        log.read(HEAD - 2)
    with pytest.raises(NotFoundError):
        log.read(HEAD + 1)
    with pytest.raises(NotFoundError):
        log.read(0)


def test_a_commit_written_since_is_read_too(store: DearStore) -> None:
    log = Log(store).over(1, HEAD)
    assert log.read_bytes(HEAD) == FILES[-1]
    write_chain(store.inner, chain(HEAD + 1))
    assert log.head() == HEAD + 1
    assert log.read(HEAD + 1)[0].seq == HEAD + 1


def test_few_commits_and_cheap_stores_are_read_as_ever(store: DearStore) -> None:
    log = Log(store)
    assert log.over(HEAD - 5, HEAD) is log
    cheap = Log(store.inner)
    assert cheap.over(1, HEAD) is cheap


def test_a_long_walk_over_the_log_uses_bundles_by_itself(store: DearStore) -> None:
    commits = [commit for commit, _digest in Log(store).iterate(1, HEAD)]
    assert [commit.seq for commit in commits] == list(range(1, HEAD + 1))
    assert commits[0].parent == REGISTRY_ID
    assert store.asked("log/000000/") == 2 + 5
