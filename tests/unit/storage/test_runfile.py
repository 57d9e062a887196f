import hashlib
import itertools
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regista.errors import IntegrityError
from regista.model import canonical
from regista.storage.runfile import RunInfo, RunReader, key_hash, write_run
from regista.storage.runsort import sort_records

KEYS = st.text(st.characters(exclude_characters="\t\n", codec="utf-8"), min_size=1, max_size=12)
VALUES = st.sampled_from(
    [None, True, 0, -7, "", "\u2028\r", "\t\n", [], [[1, "a"]], {"a": {"b": None}}]
)
MODELS = st.dictionaries(KEYS, VALUES.map(canonical.encode), max_size=60)

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def build(
    model: dict[str, bytes], count_hint: int | None = None, *, filtered: bool = True
) -> tuple[bytes, RunInfo]:
    records = sort_records((key.encode(), value) for key, value in model.items())
    with TemporaryDirectory() as folder:
        path = Path(folder, "run")
        count = len(records) if count_hint is None else count_hint
        info = write_run(path, records, count, filtered=filtered)
        return path.read_bytes(), info


def read_from(data: bytes) -> Callable[[int, int], bytes]:
    return lambda start, length: data[start : start + length]


def reader(data: bytes, info: RunInfo) -> RunReader:
    return RunReader(read_from(data), info, "x.run")


def find(run: RunReader, key: str) -> bytes | None:
    return run.find(key.encode(), key_hash(key.encode()))


def numbered(count: int, width: int = 1) -> dict[str, bytes]:
    return {f"v/e{i}-0/{i % 7}": b'"' + b"x" * width + b'"' for i in range(count)}


@relaxed
@given(model=MODELS, hint=st.integers(0, 5000))
def test_a_run_answers_as_the_dict_that_it_was_made_of(model: dict[str, bytes], hint: int) -> None:
    data, info = build(model, hint)
    run = reader(data, info)
    for key, value in model.items():
        assert find(run, key) == value
        assert find(run, key + "x") == model.get(key + "x")
        assert find(run, key[1:]) == model.get(key[1:])
    assert {key.decode(): value for _, key, value in run.iterate()} == model
    assert info.records == len(model)
    assert info.size == len(data)
    assert info.sha256 == hashlib.sha256(data).hexdigest()


@relaxed
@given(model=MODELS, prefix=st.text(max_size=2))
def test_a_prefix_selects_the_keys_that_start_with_it(model: dict[str, bytes], prefix: str) -> None:
    data, info = build(model)
    found = {key.decode() for _, key, _ in reader(data, info).iterate(prefix.encode())}
    assert found == {key for key in model if key.startswith(prefix)}


@relaxed
@given(model=MODELS, hints=st.tuples(st.integers(0, 5000), st.integers(0, 5000)))
def test_the_order_does_not_depend_on_the_number_of_buckets(
    model: dict[str, bytes], hints: tuple[int, int]
) -> None:
    first, second = (list(reader(*build(model, hint)).iterate()) for hint in hints)
    assert first == second == sorted(first)


@relaxed
@given(st.data())
def test_a_changed_byte_anywhere_is_found(data: st.DataObject) -> None:
    model = data.draw(MODELS)
    raw, info = build(model, 100)
    position = data.draw(st.integers(0, len(raw) - 1))
    flipped = raw[position] ^ data.draw(st.integers(1, 255))
    run = reader(raw[:position] + bytes([flipped]) + raw[position + 1 :], info)
    with pytest.raises(IntegrityError, match="damaged") as caught:
        list(run.iterate())
    assert caught.value.hint == "regista rebuild"
    for key, value in model.items():
        try:
            assert find(run, key) == value
        except IntegrityError:
            continue


@relaxed
@given(model=MODELS, cut=st.integers(1, 200))
def test_a_truncated_run_is_found(model: dict[str, bytes], cut: int) -> None:
    data, info = build(model)
    with pytest.raises(IntegrityError, match="damaged"):
        list(reader(data[: max(0, len(data) - cut)], info).iterate())


def test_a_wrong_count_in_the_manifest_is_found() -> None:
    data, info = build(numbered(10))
    with pytest.raises(IntegrityError, match="it holds 10 records, not 11"):
        list(reader(data, replace(info, records=11)).iterate())


def test_a_run_of_many_megabytes_streams_and_answers() -> None:
    model = numbered(6000, 700)
    data, info = build(model, 600_000)
    # as many buckets as a run has at most
    assert len(info.index) == 4096 * 8
    run = reader(data, info)
    assert {key.decode(): value for _, key, value in run.iterate()} == model
    assert all(find(run, key) == value for key, value in model.items())


def test_a_value_larger_than_a_read_streams() -> None:
    model = {"a": b'"' + b"x" * 3_000_000 + b'"', "b": b"1", "c": b"null"}
    data, info = build(model, 10_000)
    assert {key.decode(): value for _, key, value in reader(data, info).iterate()} == model


def count_reads(data: bytes, info: RunInfo) -> tuple[RunReader, list[int]]:
    reads: list[int] = []

    def read(start: int, length: int) -> bytes:
        reads.append(length)
        return data[start : start + length]

    return RunReader(read, info, "x.run"), reads


def test_a_look_up_reads_one_small_bucket() -> None:
    run, reads = count_reads(*build(numbered(20_000, 300), filtered=False))
    assert find(run, "v/e5-0/5") is not None
    assert find(run, "absent") is None
    assert len(reads) == 2
    assert max(reads) < 40_000


def test_a_filter_saves_looking_for_what_is_not_there() -> None:
    model = numbered(20_000, 300)
    run, reads = count_reads(*build(model))
    assert not any(find(run, f"absent/{i}") for i in range(1000))
    assert len(reads) < 50
    assert all(find(run, key) == value for key, value in itertools.islice(model.items(), 100))


def test_the_oldest_run_and_a_very_large_one_have_no_filter() -> None:
    assert build(numbered(10), filtered=False)[1].filter == b""
    assert build(numbered(10), count_hint=2_000_000)[1].filter == b""
    assert len(build(numbered(10))[1].filter) == 10


def test_a_small_run_is_read_once_for_all_look_ups() -> None:
    data, info = build(numbered(50))
    run, reads = count_reads(data, info)
    assert all(find(run, key) for key in numbered(50))
    assert reads == [len(data)]


def test_an_empty_run_holds_nothing() -> None:
    data, info = build({})
    assert find(reader(data, info), "a") is None
    assert list(reader(data, info).iterate()) == []


@pytest.mark.parametrize(("key", "value"), [(b"a\tb", b"1"), (b"a\nb", b"1"), (b"a", b"[1,\n2]")])
def test_what_does_not_fit_on_a_line_is_a_bug(tmp_path: Path, key: bytes, value: bytes) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        write_run(tmp_path / "run", [(key_hash(key), key, value)], 1)


def test_unsorted_or_repeated_records_are_a_bug(tmp_path: Path) -> None:
    records = sort_records((str(i).encode(), b"1") for i in range(3))
    with pytest.raises(ValueError, match="not sorted"):
        write_run(tmp_path / "run", reversed(records), 3)
    with pytest.raises(ValueError, match="not sorted"):
        write_run(tmp_path / "run", [records[0], records[0]], 2)


def test_the_bytes_of_a_run_are_a_contract() -> None:
    data, info = build(
        {"e/e1-0": b'"fraud"', "n/fraud": b'{"name":"fraud"}', "l/e1-0/1.0": b"null"}
    )
    assert data.startswith(b"regista run 2\n")
    assert b'n/fraud\t{"name":"fraud"}\n' in data
    assert data.endswith(b"\n")
    assert info.sha256 == "edd7525b1a87f7d8f8744cdd4e1540d24d636cd09d072e0cb104446f7e3eed52"
    assert info.records == 3
    assert info.index == struct.pack("<II", len(data) - 14, zlib.crc32(data[14:]))
    assert info.filter.hex() == "ea5b90"
