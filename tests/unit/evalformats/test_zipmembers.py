"""Members of a stranger's zip file: each compression, and everything that may be wrong with it."""

import struct
import zipfile
import zlib
from pathlib import Path

import pyarrow as pa
import pytest

from regista.errors import InvalidInputError
from regista.evalformats.zipmembers import ZSTANDARD, Archive, first_member
from support.evalfiles import FIXTURES

EVAL = FIXTURES / "inspect_ai" / "one.eval"


def with_zstandard(path: Path, name: str, data: bytes, *, claimed: bytes | None = None) -> Path:
    """Write a zip file with one member as method 93, which Python 3.11 cannot write."""
    packed = data if claimed is not None else pa.compress(data, "zstd", asbytes=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, packed)
    info = zipfile.ZipFile(path).infolist()[0]
    raw = bytearray(path.read_bytes())
    crc, size = zlib.crc32(data), len(data)
    for place, offset in ((info.header_offset, 8), (raw.rindex(b"PK\x01\x02"), 10)):
        struct.pack_into("<H", raw, place + offset, ZSTANDARD)
        struct.pack_into("<I", raw, place + offset + 6, crc)
        struct.pack_into("<I", raw, place + offset + 14, size)
    path.write_bytes(raw)
    return path


def read(path: Path, name: str = "a.json", *, limit: int = 1 << 20) -> bytes:
    with Archive(path, limit=limit) as archive:
        return archive.read(name)


def refused(path: Path, name: str = "a.json", *, limit: int = 1 << 20) -> str:
    with pytest.raises(InvalidInputError) as caught:
        read(path, name, limit=limit)
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_what_python_reads_is_read(method: int, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.json", b"12345" * 1000)
    assert read(path) == b"12345" * 1000


def test_zstandard_is_read(tmp_path: Path) -> None:
    assert read(with_zstandard(tmp_path / "a", "a.json", b"12345" * 1000)) == b"12345" * 1000


def test_a_member_that_unpacks_to_too_much_is_given_up(tmp_path: Path) -> None:
    bomb = b"\0" * (3 << 20)
    message = "'a': 'a.json' unpacks to more than 1 MB"
    assert refused(with_zstandard(tmp_path / "a", "a.json", bomb)) == message
    with zipfile.ZipFile(tmp_path / "a", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", bomb)
    assert refused(tmp_path / "a") == message


def test_a_member_with_another_checksum_is_damaged(tmp_path: Path) -> None:
    path = with_zstandard(tmp_path / "a", "a.json", b"12345" * 1000)
    raw = bytearray(path.read_bytes())
    struct.pack_into("<I", raw, raw.rindex(b"PK\x01\x02") + 16, 1)
    path.write_bytes(raw)
    assert refused(path) == "'a': 'a.json' is damaged: its checksum is another"


def test_bytes_that_are_no_zstandard_are_damaged(tmp_path: Path) -> None:
    path = with_zstandard(tmp_path / "a", "a.json", b"x" * 100, claimed=b"")
    assert "'a.json' is damaged: ZSTD decompress failed" in refused(path)


@pytest.mark.parametrize("kept", [0, 10, 1000, -1, -30])
def test_a_truncated_file_is_refused(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(EVAL.read_bytes()[:kept])
    assert "is no zip file, or is truncated" in refused(path)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.json", b"1")
    raw = bytearray(path.read_bytes())
    raw[raw.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    assert refused(path) == "'a': 'a.json' is encrypted"


def test_a_directory_that_points_astray_is_damaged(tmp_path: Path) -> None:
    path = with_zstandard(tmp_path / "a", "a.json", b"1")
    raw = bytearray(path.read_bytes())
    struct.pack_into("<I", raw, raw.rindex(b"PK\x01\x02") + 42, 7)
    path.write_bytes(raw)
    assert "is damaged" in refused(path)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert "has no member 'a.json'" in refused(EVAL)
    assert "cannot read 'no': No such file" in refused(tmp_path / "no")


@pytest.mark.parametrize("position", range(0, 7000, 293))
def test_a_flipped_byte_is_an_error_or_harmless(position: int, tmp_path: Path) -> None:
    path = tmp_path / "a"
    raw = bytearray(EVAL.read_bytes())
    raw[position] ^= 0x55
    path.write_bytes(raw)
    try:
        with Archive(path) as archive:
            for name in archive.names():
                archive.read(name)
    except InvalidInputError as error:
        assert "\n" not in error.message


def test_the_first_member_is_known_from_the_first_bytes() -> None:
    assert first_member(EVAL.read_bytes()[:100]) == "_journal/start.json"
    assert first_member(b"PK\x03\x04") == ""
    assert first_member(b"") == ""
