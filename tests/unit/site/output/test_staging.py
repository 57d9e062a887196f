import errno
import fcntl
import os
from pathlib import Path

import pytest

from fakes.failing_system import failing
from regista.errors import ConflictError, InvalidInputError, StorageError
from regista.site.output.staging import INSIDE, checked_place, staged
from support.publications import assert_whole, generation, publish


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    return tmp_path / ".site.building"


def test_a_missing_or_empty_folder_or_one_with_hidden_files_is_a_place(out: Path) -> None:
    assert checked_place(out, []) == out
    out.mkdir()
    assert checked_place(out, []) == out
    (out / ".git").mkdir()
    assert checked_place(out / ".." / "site", []) == out


def test_links_above_the_folder_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert checked_place(tmp_path / "link" / "site", []) == tmp_path / "real" / "site"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("file", "is a file"), ("file/site", "is a file"), ("link", "is a symbolic link"),
        ("foreign", "no site of Regista, such as thesis.tex"),
        ("registry", "must lie apart"), ("registry/site", "must lie apart"), (".", "lie apart"),
        ("odd", "is not the manifest of a site"), ("garbage", "is not the manifest of a site"),
    ],
)  # fmt: skip
def test_no_other_place_is_touched(tmp_path: Path, place: str, message: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("foreign")
    for name, content in (("foreign", None), ("odd", '{"site":"other"}'), ("garbage", "\0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "thesis.tex").touch()
        if content:
            (tmp_path / name / ".regista-site.json").write_text(content)
    (tmp_path / "registry").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidInputError, match=message) as caught:
        checked_place(tmp_path / place, [tmp_path / "registry"])
    assert caught.value.hint
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_cannot_be_listed_is_an_error(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "iterdir", failing(errno.EACCES))
    with pytest.raises(StorageError, match=r"cannot list .*permission denied"):
        checked_place(out, [])


def test_the_staging_folder_is_there_only_meanwhile(out: Path, beside: Path) -> None:
    with staged(out) as staging:
        assert (staging.folder, staging.inside) == (beside, False)
        assert beside.is_dir()
    assert not beside.exists()


@pytest.mark.parametrize("why", ["mount", "parent"])
def test_where_the_site_cannot_be_renamed_it_is_inside(
    out: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    out.mkdir()
    if why == "mount":
        monkeypatch.setattr(Path, "is_mount", lambda _: True)
    else:
        monkeypatch.setattr(os, "access", lambda path, _: path != out.parent)
    with staged(out) as staging:
        assert (staging.folder, staging.inside) == (out / INSIDE, True)
    assert list(out.iterdir()) == []


def test_what_a_killed_build_left_is_swept(out: Path, beside: Path) -> None:
    (beside / "tree" / "deep").mkdir(parents=True)
    (beside / "tree" / "deep" / "page.html").touch()
    with staged(out) as staging:
        assert list(staging.folder.iterdir()) == []
    assert not beside.exists()


def test_a_site_that_was_killed_between_two_renames_is_put_back(out: Path, beside: Path) -> None:
    publish(out, generation(1))
    beside.mkdir()
    out.rename(beside / "old")
    with staged(out):
        assert assert_whole(out) == 1


def test_what_cannot_be_swept_is_an_error(
    out: Path, beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (beside / "tree" / "page.html").mkdir(parents=True)
    monkeypatch.setattr("regista.site.output.staging.remove_tree", lambda _: None)
    with pytest.raises(StorageError, match="cannot clear"), staged(out):
        pytest.fail("went on")


def test_a_file_of_that_name_is_an_error(out: Path, beside: Path) -> None:
    beside.touch()
    with pytest.raises(StorageError, match="cannot make a folder in"), staged(out):
        pytest.fail("went on")
    assert beside.exists()


def test_somebody_elses_lock_is_a_conflict(out: Path, beside: Path) -> None:
    beside.mkdir()
    (beside / "theirs").touch()
    handle = os.open(beside, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(ConflictError, match="another process is building"), staged(out):
        pytest.fail("went on")
    assert (beside / "theirs").exists()
    os.close(handle)
    with staged(out):
        assert not (beside / "theirs").exists()


def test_where_there_are_no_locks_the_folder_is_the_lock(
    out: Path, beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOLCK))
    with staged(out):
        with pytest.raises(ConflictError, match="runs, or was killed") as caught, staged(out):
            pytest.fail("went on")
        assert str(beside) in caught.value.hint
    assert not beside.exists()


def test_a_lock_on_a_folder_that_its_last_holder_removed_is_none(
    out: Path, beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside.mkdir()
    opened = os.open
    removed: list[Path] = []

    def remove_after_opening(path: Path, flags: int) -> int:
        handle = opened(path, flags)
        if path == beside and len(removed) < 2:
            beside.rmdir()
            removed.append(beside)
            if len(removed) == 2:
                beside.mkdir()
        return handle

    monkeypatch.setattr(os, "open", remove_after_opening)
    with staged(out) as staging:
        assert staging.folder.is_dir()
        with pytest.raises(ConflictError), staged(out):
            pytest.fail("went on")


def test_a_folder_that_is_removed_before_it_is_opened_is_made_again(
    out: Path, beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open
    tries: list[Path] = []

    def remove_before_opening(path: Path, flags: int) -> int:
        if path == beside and not tries:
            tries.append(path)
            beside.rmdir()
        return opened(path, flags)

    monkeypatch.setattr(os, "open", remove_before_opening)
    with staged(out) as staging:
        assert staging.folder.is_dir()


def test_a_folder_that_others_remove_again_and_again_is_a_conflict(
    out: Path, beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def remove_before_opening(path: Path, flags: int) -> int:
        if path == beside:
            beside.rmdir()
        return opened(path, flags)

    monkeypatch.setattr(os, "open", remove_before_opening)
    with pytest.raises(ConflictError), staged(out):
        pytest.fail("went on")
