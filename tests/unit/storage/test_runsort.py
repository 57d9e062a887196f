from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regista.storage import runsort
from regista.storage.runsort import external_sort, merge, sort_records

KEYS = st.binary(min_size=1, max_size=3).filter(lambda key: not {9, 10} & set(key))
VALUES = st.sampled_from([b"null", b"0", b"1", b'"x"', b"[]"])
LAYERS = st.lists(st.dictionaries(KEYS, VALUES, max_size=30), max_size=5)
PAIRS = st.lists(st.tuples(KEYS, VALUES), max_size=80)
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(layers=LAYERS, drop=st.booleans())
def test_merging_is_a_chain_of_dicts_with_the_newest_first(
    layers: list[dict[bytes, bytes]], *, drop: bool
) -> None:
    expected: dict[bytes, bytes] = {}
    for layer in reversed(layers):
        expected.update(layer)
    if drop:
        expected = {key: value for key, value in expected.items() if value != b"null"}
    merged = list(merge([sort_records(layer.items()) for layer in layers], drop_tombstones=drop))
    assert merged == sort_records(expected.items())


@pytest.mark.parametrize("buffer", [0, 500, 1 << 20])
@relaxed
@given(pairs=PAIRS)
def test_external_sort_is_a_sort_where_the_last_of_equal_keys_counts(
    buffer: int, pairs: list[tuple[bytes, bytes]]
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(runsort, "_BUFFER_BYTES", buffer)
        count, records = external_sort(iter(pairs), Path(folder))
        assert list(records) == sort_records(pairs)
        assert count == len(pairs)
        assert list(Path(folder).iterdir()) == []
