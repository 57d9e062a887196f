from hypothesis import given
from hypothesis import strategies as st

from regista.storage.keyfilter import make_filter, may_hold
from regista.storage.runfile import key_hash


@given(st.sets(st.binary(min_size=8, max_size=8), max_size=50))
def test_whatever_is_in_the_set_may_be(hashes: set[bytes]) -> None:
    filter_ = make_filter(hashes, len(hashes))
    assert all(may_hold(filter_, hash_) for hash_ in hashes)


def test_few_that_are_not_in_the_set_pass() -> None:
    there = [key_hash(b"v/e1-0/%d" % i) for i in range(5_000)]
    filter_ = make_filter(there, len(there))
    assert len(filter_) == len(there)
    passed = sum(may_hold(filter_, key_hash(b"v/e2-0/%d" % i)) for i in range(5_000))
    assert 0 < passed < 0.04 * 5_000


def test_an_empty_filter_holds_nothing() -> None:
    assert make_filter([], 0) == b""
    assert not may_hold(b"", key_hash(b"a"))


def test_the_bits_of_a_filter_are_a_contract() -> None:
    keys = [b"n/fraud", b"e/e1-0", b"l/e1-0/1.0"]
    assert make_filter(map(key_hash, keys), 3).hex() == "ea5b90"
