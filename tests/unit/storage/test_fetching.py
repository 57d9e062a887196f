import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.failing_system import failing
from fakes.progress_bar import Bar
from regista.errors import IntegrityError, InvalidInputError, StorageError
from regista.model.manifest import FileEntry, Manifest
from regista.storage import fetching, pipeline
from regista.storage.artifacts import collect, store_files
from regista.storage.blobs import blob_key, put_blob_bytes
from regista.storage.fetching import fetch
from regista.storage.local import LocalStore
from regista.storage.memory import MemoryStore
from regista.storage.store import Store

CONTENTS = {"a.txt": b"alpha", "sub/b.txt": b"beta", "sub/deep/c.bin": bytes(3_000_000), "e": b""}


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore("fetching") if request.param == "memory" else LocalStore(tmp_path / "store")


@pytest.fixture
def manifest(store: Store) -> Manifest:
    return a_version(store, CONTENTS)


def a_version(store: Store, contents: dict[str, bytes]) -> Manifest:
    return Manifest(
        tuple(
            FileEntry(path, len(data), put_blob_bytes(store, data))
            for path, data in contents.items()
        )
    )


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder, by path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_new_folder_gets_the_tree_and_nothing_else(
    store: Store, manifest: Manifest, tmp_path: Path
) -> None:
    fetch(store, manifest, tmp_path / "not" / "yet" / "there")
    assert tree(tmp_path / "not") == {f"yet/there/{path}": CONTENTS[path] for path in CONTENTS}


def test_what_was_collected_comes_back_as_it_was(store: Store, tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "sub" / "日本語.txt").write_bytes(b"x")
    (tmp_path / "in" / "f").write_bytes(b"y")
    fetch(store, store_files(store, collect([tmp_path / "in"])), tmp_path / "out")
    assert tree(tmp_path / "out") == tree(tmp_path / "in")


def test_an_existing_folder_keeps_what_is_in_it(
    store: Store, manifest: Manifest, tmp_path: Path
) -> None:
    dest = tmp_path / "dest"
    (dest / "sub").mkdir(parents=True)
    (dest / "sub" / "mine.txt").write_bytes(b"mine")
    fetch(store, manifest, dest)
    assert tree(dest) == {**CONTENTS, "sub/mine.txt": b"mine"}


def test_fetching_again_changes_nothing_and_copies_nothing(
    store: Store, manifest: Manifest, tmp_path: Path
) -> None:
    fetch(store, manifest, tmp_path / "dest")
    before = {path: (tmp_path / "dest" / path).stat().st_ino for path in CONTENTS}
    bar = Bar()
    fetch(store, manifest, tmp_path / "dest", bar)
    assert {path: (tmp_path / "dest" / path).stat().st_ino for path in CONTENTS} == before
    assert bar.total == -1


def test_a_file_lost_since_is_laid_again(store: Store, manifest: Manifest, tmp_path: Path) -> None:
    fetch(store, manifest, tmp_path / "dest")
    (tmp_path / "dest" / "sub" / "b.txt").unlink()
    bar = Bar()
    fetch(store, manifest, tmp_path / "dest", bar)
    assert tree(tmp_path / "dest") == CONTENTS
    assert bar.done == bar.total == 4


def test_progress_reaches_its_total(store: Store, manifest: Manifest, tmp_path: Path) -> None:
    bar = Bar()
    fetch(store, manifest, tmp_path / "dest", bar)
    assert bar.done == bar.total == manifest.size


def test_files_are_never_hard_links_of_the_store(
    store: Store, manifest: Manifest, tmp_path: Path
) -> None:
    fetch(store, manifest, tmp_path / "dest")
    for path in CONTENTS:
        assert (tmp_path / "dest" / path).stat().st_nlink == 1
    (tmp_path / "dest" / "a.txt").write_bytes(b"edited")
    fetch(store, manifest, tmp_path / "again")
    assert tree(tmp_path / "again") == CONTENTS


def other_content(dest: Path) -> None:
    (dest / "sub").mkdir()
    (dest / "sub" / "b.txt").write_bytes(b"BETA")


def other_size(dest: Path) -> None:
    (dest / "a.txt").write_bytes(b"alphabet")


def folder_for_file(dest: Path) -> None:
    (dest / "a.txt").mkdir()


def file_for_folder(dest: Path) -> None:
    (dest / "sub").write_bytes(b"x")


def linked_file(dest: Path) -> None:
    (dest.parent / "outside" / "a.txt").write_bytes(b"alpha")
    (dest / "a.txt").symlink_to(dest.parent / "outside" / "a.txt")


def dangling_link(dest: Path) -> None:
    (dest / "a.txt").symlink_to(dest.parent / "outside" / "new")


def linked_folder(dest: Path) -> None:
    (dest / "sub").symlink_to(dest.parent / "outside")


def pipe(dest: Path) -> None:
    os.mkfifo(dest / "a.txt")


@pytest.mark.parametrize(
    "obstacle",
    [other_content, other_size, folder_for_file, file_for_folder, linked_file, dangling_link,
     linked_folder, pipe],
)  # fmt: skip
def test_whatever_else_is_in_a_files_place_is_refused_and_nothing_written(
    store: Store, manifest: Manifest, tmp_path: Path, obstacle: Callable[[Path], None]
) -> None:
    dest, outside = tmp_path / "dest", tmp_path / "outside"
    dest.mkdir()
    outside.mkdir()
    obstacle(dest)
    before = sorted(dest.rglob("*")), sorted(outside.rglob("*"))
    with pytest.raises(InvalidInputError, match="exists") as caught:
        fetch(store, manifest, dest)
    assert caught.value.hint
    assert (sorted(dest.rglob("*")), sorted(outside.rglob("*"))) == before


def test_a_link_that_appears_while_fetching_is_not_followed(
    store: Store, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dest, outside = tmp_path / "dest", tmp_path / "outside"
    dest.mkdir()
    outside.mkdir()
    real = fetching._download  # noqa: SLF001 - the moment between looking and moving

    def then_linked(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        (dest / "sub").symlink_to(outside)

    monkeypatch.setattr(fetching, "_download", then_linked)
    with pytest.raises(StorageError, match=r"sub/b\.txt"):
        fetch(store, manifest, dest)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "dangling link", "link to a file"])
def test_a_destination_that_is_no_folder_is_refused(
    store: Store, manifest: Manifest, tmp_path: Path, kind: str
) -> None:
    dest = tmp_path / "dest"
    (tmp_path / "file").write_bytes(b"mine")
    if kind == "file":
        dest.write_bytes(b"mine")
    else:
        dest.symlink_to(tmp_path / ("none" if kind == "dangling link" else "file"))
    with pytest.raises(InvalidInputError, match="dest exists and is not a folder"):
        fetch(store, manifest, dest)
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_a_destination_that_is_a_link_to_a_folder_is_used(
    store: Store, manifest: Manifest, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "dest").symlink_to(tmp_path / "real")
    fetch(store, manifest, tmp_path / "dest")
    assert tree(tmp_path / "real") == CONTENTS


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("damage", ["missing", "flipped", "cut"])
def test_a_damaged_blob_is_found_and_nothing_laid(
    store: Store, manifest: Manifest, tmp_path: Path, damage: str, *, existing: bool
) -> None:
    dest = tmp_path / "dest"
    if existing:
        dest.mkdir()
    key = blob_key(manifest.files[2].sha256)
    data = store.get(key)
    assert data is not None
    if damage == "missing":
        store.delete(key)
    else:
        store.put(key, data[:-1] if damage == "cut" else b"X" + data[1:])
    with pytest.raises(IntegrityError, match=r"sub/b\.txt"):
        fetch(store, manifest, dest)
    assert dest.exists() == existing
    left = [path for path in tmp_path.rglob("*") if path.name.startswith(".tmp-")]
    assert (tree(dest) if existing else {}, left) == ({}, [])


def test_a_path_that_leads_out_is_refused_whatever_made_the_manifest(
    store: Store, tmp_path: Path
) -> None:
    hostile = Manifest((FileEntry("file", 1, put_blob_bytes(store, b"x")),))
    object.__setattr__(hostile.files[0], "path", "../escaped")
    with pytest.raises(InvalidInputError, match="escaped"):
        fetch(store, hostile, tmp_path / "dest")
    assert not (tmp_path / "escaped").exists()
    assert not (tmp_path / "dest").exists()


def test_a_destination_below_a_file_is_refused(
    store: Store, manifest: Manifest, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    for dest in (tmp_path / "file" / "dest", tmp_path / "file" / "a" / "dest"):
        with pytest.raises(InvalidInputError, match="is not a folder"):
            fetch(store, manifest, dest)


def test_an_artifact_elsewhere_cannot_be_fetched(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="s3://bucket/x"):
        fetch(store, Manifest((), "s3://bucket/x"), tmp_path / "dest")


def test_an_artifact_without_files_makes_an_empty_folder(store: Store, tmp_path: Path) -> None:
    fetch(store, Manifest(()), tmp_path / "dest")
    assert list((tmp_path / "dest").iterdir()) == []


def test_names_that_a_disk_does_not_tell_apart_are_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = a_version(store, {"README": b"one", "readme": b"two"})
    real = os.open

    def caseless(path: Path, flags: int, mode: int = 0o777, **options: int) -> int:
        if Path(path).name == "README":
            path = path.with_name("readme")
        return real(path, flags, mode, **options)

    monkeypatch.setattr(os, "open", caseless)
    with pytest.raises(InvalidInputError, match="there twice"):
        fetch(store, version, tmp_path / "dest")
    assert not (tmp_path / "dest").exists()


@pytest.mark.parametrize("call", ["write", "mkdir", "rename", "replace", "readv", "dup"])
def test_a_disk_that_fails_under_the_copy_is_a_storage_error_and_leaves_nothing(
    store: Store, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    dest = tmp_path / "dest"
    if call in {"replace", "dup"}:
        dest.mkdir()
    for file in manifest.files:
        # from now on only the copy itself touches the disk
        store.local_path(blob_key(file.sha256))
    monkeypatch.setattr(os, call, failing(errno.ENOSPC))
    with pytest.raises(StorageError, match="the disk is full"):
        fetch(store, manifest, dest)
    monkeypatch.undo()
    assert not dest.exists() or tree(dest) == {}
    assert [path for path in tmp_path.rglob("*") if path.name.startswith(".tmp-")] == []


@pytest.mark.parametrize("existing", [False, True])
def test_a_destination_that_may_not_be_read_or_written_is_a_storage_error(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, existing: bool
) -> None:
    version = a_version(store, {"a.txt": b"alpha"})
    dest = tmp_path / "dest"
    if existing:
        fetch(store, version, dest)
    store.local_path(blob_key(version.files[0].sha256))
    real = os.open

    def denied(path: Path, flags: int, mode: int = 0o777, **options: int) -> int:
        if Path(path).name == ("dest" if existing else "a.txt"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, flags, mode, **options)

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(StorageError, match="permission denied"):
        fetch(store, version, dest)
    assert dest.exists() == existing


def test_a_file_in_the_destination_that_cannot_be_compared_is_a_storage_error(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = a_version(store, {"a.txt": b"alpha"})
    fetch(store, version, tmp_path / "dest")
    monkeypatch.setattr(os, "readv", failing(errno.EIO))
    with pytest.raises(StorageError, match=r"a\.txt: the disk reports"):
        fetch(store, version, tmp_path / "dest")


def test_a_reflink_is_verified_too(
    store: Store, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reflink(source: int, sink: int) -> bool:
        os.write(sink, os.pread(source, os.fstat(source).st_size, 0))
        os.lseek(sink, 0, os.SEEK_SET)
        return True

    monkeypatch.setattr(pipeline, "reflink", reflink)
    fetch(store, manifest, tmp_path / "dest")
    assert tree(tmp_path / "dest") == CONTENTS
    store.put(blob_key(manifest.files[0].sha256), b"ALPHA")
    with pytest.raises(IntegrityError, match=r"a\.txt"):
        fetch(store, manifest, tmp_path / "other")
