"""Backups: the same bytes for the same commits, the same registry from them, and hostile ones."""

import hashlib
import io
import os
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regista.errors import (
    IntegrityError,
    InvalidInputError,
    NewerFormatError,
    NotFoundError,
    StorageError,
)
from regista.model import canonical
from regista.model.commit import log_key
from regista.read.opening import REGISTRY_KEY, replica_of
from regista.registry.core import Registry
from regista.storage.log import Log
from regista.storage.memory import MemoryStore
from regista.storage.store import Store
from regista.transfer import archive as archives
from regista.transfer.archive import Archive
from regista.transfer.exporting import HEADER_KEY, SUMS_KEY, backup_header, export
from regista.transfer.members import END, header, padding, parse_header
from regista.transfer.mirroring import mirror
from support.everything import build
from support.import_folders import WORLD, write_folder
from support.registries import artifact, copy_of, new_registry, register, reopen

Members = list[tuple[str, bytes]]
FIRST = 2


@pytest.fixture(scope="module")
def built() -> Store:
    registry = build()
    artifact(registry.replica.store, "named by no commit")
    return registry.replica.store


@pytest.fixture(scope="module")
def backup(built: Store) -> bytes:
    return exported(built)


def exported(store: Store, **options: Any) -> bytes:
    written = io.BytesIO()
    done = export(replica_of(store), written.write, **options)
    assert done.bytes == len(written.getvalue())
    return written.getvalue()


def opened(data: bytes, folder: Path) -> Archive:
    path = folder / "backup.tar"
    path.write_bytes(data)
    handle = os.open(path, os.O_RDONLY)
    return Archive(handle, "backup.tar")


def restored(data: bytes, folder: Path) -> Registry:
    target = MemoryStore("restored")
    with opened(data, folder) as archive:
        mirror(replica_of(archive), target)
    return Registry(replica_of(target), actor="reader")


def members(data: bytes) -> Members:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return [(info.name, (tar.extractfile(info) or io.BytesIO()).read()) for info in tar]


def sealed(content: Members) -> bytes:
    """Return an archive of members with right sums, whatever they say."""
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {key}\n" for key, data in content)
    return b"".join(map(member, [*content, (SUMS_KEY, sums.encode())])) + END


def member(item: tuple[str, bytes]) -> bytes:
    key, data = item
    return header(key, len(data)) + data + padding(len(data))


def test_a_backup_makes_the_same_registry(built: Store, backup: bytes, tmp_path: Path) -> None:
    registry = restored(backup, tmp_path)
    found = registry.verify(deep=True)
    assert found.problems == []
    assert (registry.id, found.commits) == (replica_of(built).registry_id, Log(built).head())
    assert found.head == Log(built).digest(found.commits)
    assert exported(registry.replica.store) == backup


def test_the_same_commits_give_the_same_bytes_whatever_else_lies_there(
    built: Store, backup: bytes
) -> None:
    store = copy_of(built)
    registry = reopen(store)
    registry.compact()
    at = registry.replica.log.head()
    artifact(store, "left by a killed register")
    registry.create("later")
    assert exported(store, seq=at) == backup
    assert exported(store) != backup


def test_any_tar_reads_it_and_the_sums_hold(backup: bytes) -> None:
    content = members(backup)
    assert [key for key, _data in content[:FIRST]] == [HEADER_KEY, REGISTRY_KEY]
    assert content[-1][0] == SUMS_KEY
    lines = content[-1][1].decode().splitlines()
    assert lines == [f"{hashlib.sha256(data).hexdigest()}  {key}" for key, data in content[:-1]]
    assert sealed(content[:-1]) == backup


def test_what_was_purged_and_what_no_commit_names_is_left_out(backup: bytes) -> None:
    texts = [data for _key, data in members(backup)]
    assert not any(b"named by no commit" in text for text in texts)
    assert b"three" not in texts
    assert b"two" in texts


def test_an_import_with_its_data_comes_back(tmp_path: Path) -> None:
    source = new_registry()
    source.import_bulk(write_folder(tmp_path / "tables", WORLD))
    registry = restored(exported(source.replica.store), tmp_path)
    assert registry.verify(deep=True).problems == []
    assert registry.resolve("fraud/card@prod").version == 1


def test_large_files_are_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_PART_BYTES", 100)
    monkeypatch.setattr("regista.transfer.exporting._PART_BYTES", 70)
    source = new_registry()
    register(source, "m", "x" * 1234)
    assert restored(exported(source.replica.store), tmp_path).verify(deep=True).ok


def test_an_empty_registry_has_no_backup() -> None:
    store = MemoryStore("empty")
    store.put(REGISTRY_KEY, b'{"format":1,"id":"ffffffffffffffffffffffffffffffff"}\n')
    with pytest.raises(NotFoundError, match="empty"):
        exported(store)


@pytest.mark.parametrize("damage", ["missing", "malformed", "another's"])
def test_a_registry_that_lost_its_id_is_not_backed_up(built: Store, damage: str) -> None:
    replica = reopen(copy_of(built)).replica
    # whoever knows the id already, as a warm machine does, does not ask for it again
    replica.store.delete(REGISTRY_KEY)
    if damage == "malformed":
        replica.store.put(REGISTRY_KEY, b"{")
    elif damage == "another's":
        replica.store.put(REGISTRY_KEY, b'{"format":1,"id":"ffffffffffffffffffffffffffffffff"}\n')
    with pytest.raises((IntegrityError, StorageError), match=r"registry\.json"):
        export(replica, io.BytesIO().write)


@pytest.mark.parametrize("damage", ["missing", "changed", "longer"])
@pytest.mark.parametrize("kind", ["blobs/", "data/"])
def test_a_damaged_registry_is_not_backed_up(built: Store, kind: str, damage: str) -> None:
    store = copy_of(built)
    reopen(store).gc(grace="0s")
    key = next(iter(store.list_after(kind)))
    data = store.get(key) or b""
    if damage == "missing":
        store.delete(key)
    else:
        store.put(key, data + b"." if damage == "longer" else data[:-1] + b"?")
    with pytest.raises(IntegrityError):
        exported(store)


def test_every_flipped_byte_is_found(backup: bytes, tmp_path: Path) -> None:
    chance = random.Random(5)
    places = {*range(0, 1024, 5), *(chance.randrange(len(backup)) for _ in range(300))}
    for place in sorted(places):
        changed = bytearray(backup)
        changed[place] ^= 1 << chance.randrange(8)
        with pytest.raises((IntegrityError, InvalidInputError)):
            opened(bytes(changed), tmp_path)


def test_every_truncation_is_found(backup: bytes, tmp_path: Path) -> None:
    chance = random.Random(6)
    lengths = {0, 1, 511, 512, 513, len(backup) - 1, len(backup) - 512, len(backup) - 1024}
    for length in sorted(lengths | {chance.randrange(len(backup)) for _ in range(60)}):
        with pytest.raises((IntegrityError, InvalidInputError)):
            opened(backup[:length], tmp_path)
    with pytest.raises(IntegrityError, match="behind its end"):
        opened(backup + b"\0", tmp_path)


def test_members_may_not_be_left_out_doubled_swapped_or_added(
    backup: bytes, tmp_path: Path
) -> None:
    content = members(backup)[:-1]
    chance = random.Random(7)
    for place in range(len(content)):
        with pytest.raises((IntegrityError, InvalidInputError)):
            opened(sealed(content[:place] + content[place + 1 :]), tmp_path)
        with pytest.raises((IntegrityError, InvalidInputError)):
            opened(sealed([*content[: place + 1], content[place], *content[place + 1 :]]), tmp_path)
        other = chance.choice([n for n in range(len(content)) if n != place])
        swapped = list(content)
        swapped[place], swapped[other] = swapped[other], swapped[place]
        with pytest.raises((IntegrityError, InvalidInputError)):
            opened(sealed(swapped), tmp_path)
    for key in ("evil", "tables/x", "log/000000/000000000000.json", "zzz", "blobs/sha256/aa/bb"):
        for place in (FIRST, len(content)):
            with pytest.raises(IntegrityError):
                opened(sealed([*content[:place], (key, b"x"), *content[place:]]), tmp_path)


def test_other_bytes_under_a_name_are_found_though_the_sums_are_right(
    backup: bytes, tmp_path: Path
) -> None:
    content = members(backup)[:-1]
    for kind in ("blobs/", "data/", "log/"):
        place = next(n for n, (key, _data) in enumerate(content) if key.startswith(kind))
        key, data = content[place]
        changed = [*content[:place], (key, data[:-2] + b"?" + data[-1:]), *content[place + 1 :]]
        with pytest.raises(IntegrityError, match=r"backup\.tar is damaged"):
            opened(sealed(changed), tmp_path)


def with_header(change: Callable[[tarfile.TarInfo], None]) -> bytes:
    """Return the header of a member that an export never writes."""
    info = tarfile.TarInfo("blobs/x")
    info.mode, info.size = 0o644, 0
    change(info)
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")[:512]


def set_(**values: Any) -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        for key, value in values.items():
            setattr(info, key, value)

    return change


HOSTILE: dict[str, Callable[[tarfile.TarInfo], None]] = {
    "symlink": set_(type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "hard link": set_(type=tarfile.LNKTYPE, linkname="registry.json"),
    "folder": set_(type=tarfile.DIRTYPE),
    "device": set_(type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    "pipe": set_(type=tarfile.FIFOTYPE),
    "sparse": set_(type=tarfile.GNUTYPE_SPARSE),
    "pax": set_(type=tarfile.XHDTYPE),
    "long name": set_(type=tarfile.GNUTYPE_LONGNAME),
    "parent": set_(name="blobs/../../etc/passwd"),
    "absolute": set_(name="/etc/passwd"),
    "temporary": set_(name="blobs/.tmp-x"),
    "executable": set_(mode=0o755),
    "owner": set_(uid=1000),
    "owner's name": set_(uname="root"),
    "time": set_(mtime=1),
    "unprintable": set_(name="blobs/\x1b[2J"),
    "not ascii": set_(name="blobs/\xe9"),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_member_that_no_export_writes_is_refused(
    backup: bytes, tmp_path: Path, change: Callable[[tarfile.TarInfo], None]
) -> None:
    content = members(backup)
    before = b"".join(map(member, content[:FIRST]))
    after = b"".join(map(member, content[FIRST:])) + END
    with pytest.raises(IntegrityError, match="member that no export writes"):
        opened(before + with_header(change) + after, tmp_path)


def test_sizes_that_cannot_be_are_refused_before_anything_is_read(
    backup: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = b"".join(map(member, members(backup)[:FIRST]))
    for size in (1 << 40, (1 << 63) - 1):
        with pytest.raises(IntegrityError, match="truncated"):
            opened(before + header(f"blobs/sha256/ab/{'ab' * 32}", size), tmp_path)
    monkeypatch.setattr(archives, "MAX_COMMIT_BYTES", 100)
    with pytest.raises(IntegrityError, match="larger than 100 bytes"):
        opened(backup, tmp_path)


@pytest.mark.parametrize("size", [0, 1, 511, 8**11 - 1, 8**11, 1 << 50])
def test_headers_are_read_as_they_were_written(size: int) -> None:
    assert parse_header(header("log/a.json", size)) == ("log/a.json", size)


def test_a_name_that_does_not_fit_is_no_member() -> None:
    with pytest.raises(ValueError, match="too long"):
        header("a" * 101, 1)


def test_headers_of_other_registries_and_formats_are_told(backup: bytes, tmp_path: Path) -> None:
    content = members(backup)[:-1]
    told = canonical.decode(content[0][1])
    args = told["registry"], told["seq"], told["head"]

    def begun(first: bytes, second: bytes = content[1][1]) -> bytes:
        return sealed([(HEADER_KEY, first), (REGISTRY_KEY, second), *content[FIRST:]])

    with pytest.raises(NewerFormatError, match="has format 2"):
        opened(begun(backup_header(*args).replace(b'"format":1', b'"format":2')), tmp_path)
    for first in (
        b"", b"[]", b"{}", b"null", b'{"format":1}', b'{"format":"x"}\n',
        backup_header(*args) + b" ", backup_header("f" * 32, *args[1:]),
        backup_header(args[0], args[1] + 1, args[2]), backup_header(args[0], args[1], "0" * 64),
    ):  # fmt: skip
        with pytest.raises(IntegrityError):
            opened(begun(first), tmp_path)
    for second in (b"", b"{}", b'{"format":1,"id":"ffffffffffffffffffffffffffffffff"}\n'):
        with pytest.raises(IntegrityError):
            opened(begun(content[0][1], second), tmp_path)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x1f\x8b" + bytes(600), bytes(10240)])
def test_what_is_no_backup_is_called_that(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"backup\.tar is no backup of a registry"):
        opened(data, tmp_path)


def test_a_commit_that_needs_what_is_not_there_is_found_before_anything_is_written(
    backup: bytes, tmp_path: Path
) -> None:
    content = members(backup)[:-1]
    blob = next(key for key, data in content if data == b"two")
    with pytest.raises(IntegrityError, match=f"{blob} is needed and missing"):
        opened(sealed([item for item in content if item[0] != blob]), tmp_path)


def test_an_archive_is_read_and_never_written(backup: bytes, tmp_path: Path) -> None:
    with opened(backup, tmp_path) as archive:
        key = log_key(1)
        data = archive.get(key) or b""
        assert archive.size(key) == len(data)
        assert archive.get_range(key, 3, 4) == data[3:7]
        assert archive.get_range(key, len(data) + 5, 4) == b""
        assert archive.age_s(key) == 0.0
        for nothing in (archive.get, archive.size, archive.local_path, archive.age_s):
            assert nothing("log/none") is None
        assert archive.get_range("log/none", 0, 1) is None
        path = archive.local_path(key)
        assert path is not None
        assert path.read_bytes() == data
        with archive.lock("log", timeout_s=1) as held:
            assert not held
        for write in (
            lambda: archive.put_if_absent("log/x", b""),
            lambda: archive.put("log/x", b""),
            lambda: archive.put_by_digest(path, "blobs/", lambda _: None),
            lambda: archive.delete("log/x"),
        ):
            with pytest.raises(StorageError, match="never written to"):
                write()
    assert not path.exists()
