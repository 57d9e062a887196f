import errno
import os
import stat
from pathlib import Path

import pytest

from fakes.failing_system import failing, files_below
from regista.errors import ConflictError, InvalidInputError, StorageError
from regista.site.output import publication as module
from regista.site.output.exchange import Way
from regista.site.output.publication import Publication
from regista.site.output.site_manifest import MANIFEST
from regista.site.output.staging import INSIDE
from regista.site.output.trees import holds, list_tree
from support.publications import PAGES, assert_whole, content, generation, publish


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "site"


def leftovers(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.iterdir() if path != out)


def test_a_first_build_makes_exactly_its_files(out: Path) -> None:
    done = publish(out, generation(1))
    assert content(out) == generation(1)
    assert (done.written, done.kept, done.removed) == (len(PAGES) + 1, 0, 0)
    assert done.paths == tuple(sorted(generation(1)))
    assert done.bytes == 2 * len(done.paths)
    assert done.way is Way.AT_ONCE
    assert leftovers(out) == []


def test_missing_parents_are_made(tmp_path: Path) -> None:
    publish(tmp_path / "a" / "b" / "site", generation(1))
    assert_whole(tmp_path / "a" / "b" / "site")


def test_another_build_of_the_same_touches_nothing(out: Path) -> None:
    publish(out, generation(1))
    before = {path: path.stat() for path in [out, *out.rglob("*")]}
    done = publish(out, generation(1))
    assert (done.written, done.removed, done.way) == (0, 0, Way.UNTOUCHED)
    assert {path: path.stat() for path in [out, *out.rglob("*")]} == before


def test_two_sites_of_the_same_have_the_same_bytes(tmp_path: Path) -> None:
    pages = generation(1)
    publish(tmp_path / "a", pages)
    publish(tmp_path / "b", generation(2))
    publish(tmp_path / "b", dict(reversed(pages.items())), incremental=True)
    assert (tmp_path / "a" / MANIFEST).read_bytes() == (tmp_path / "b" / MANIFEST).read_bytes()
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_a_new_generation_replaces_the_old_one(out: Path) -> None:
    publish(out, generation(1))
    done = publish(out, generation(2), "2")
    assert assert_whole(out) == 2
    assert (done.written, done.removed, done.strangers) == (len(PAGES) + 1, 1, ())
    assert leftovers(out) == []


def test_files_that_stay_are_the_same_files(out: Path) -> None:
    publish(out, {"a.html": b"a", "b.html": b"b"})
    before = (out / "a.html").stat()
    done = publish(out, {"a.html": b"a", "b.html": b"c"}, "2")
    after = (out / "a.html").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (done.paths, done.kept) == (("b.html",), 1)


def test_when_only_the_inputs_differ_only_the_manifest_is_written(out: Path) -> None:
    publish(out, generation(1))
    inode = out.stat().st_ino
    assert publish(out, generation(1), "2").written == 0
    assert out.stat().st_ino == inode
    with Publication.open(out, incremental=True) as publication:
        assert publication.unchanged({"head": "2"})
        assert not publication.unchanged({"head": "1"})


def test_a_kept_group_is_not_rendered(out: Path) -> None:
    publish(out, {"a.html": b"a", "b.html": b"b"})
    with Publication.open(out, incremental=True) as publication:
        assert publication.previous is not None
        fingerprint = publication.previous.groups["a.html"].fingerprint
        assert publication.keep("a.html", fingerprint)
        assert not publication.keep("b.html", "new")
        publication.write("b.html", "c.html", b"c")
        done = publication.finish({"head": "2"})
    assert (done.paths, done.kept, done.removed) == (("c.html",), 1, 1)
    assert content(out) == {"a.html": b"a", "c.html": b"c"}


@pytest.mark.parametrize("incremental", [False, True])
def test_a_group_whose_files_are_not_as_they_were_is_rendered(
    out: Path, *, incremental: bool
) -> None:
    publish(out, {"a.html": b"a", "b.html": b"b", "c.html": b"c", "d.html": b"d"})
    (out / "a.html").unlink()
    (out / "b.html").write_bytes(b"")
    (out / "c.html").unlink()
    (out / "c.html").symlink_to(out / "d.html")
    publish(out, {"a.html": b"a", "b.html": b"b", "c.html": b"c"}, "1", incremental=incremental)
    assert content(out) == {"a.html": b"a", "b.html": b"b", "c.html": b"c"}
    assert not (out / "c.html").is_symlink()


def test_a_full_build_mends_what_names_and_sizes_do_not_show(out: Path) -> None:
    publish(out, {"a.html": b"a"})
    (out / "a.html").write_bytes(b"X")
    assert publish(out, {"a.html": b"a"}, incremental=True).written == 0
    assert publish(out, {"a.html": b"a"}).written == 1
    assert content(out) == {"a.html": b"a"}


@pytest.mark.parametrize("how", ["other inputs", "full build", "file gone", "stranger", "no site"])
def test_a_site_is_unchanged_only_if_all_is(out: Path, how: str) -> None:
    if how != "no site":
        publish(out, generation(1))
    if how == "file gone":
        (out / "css/a.css").unlink()
    if how == "stranger":
        (out / "css/b.css").touch()
    with Publication.open(out, incremental=how != "full build") as publication:
        assert not publication.unchanged({"head": "2" if how == "other inputs" else "1"})


def test_an_unchanged_site_is_left_as_it_is(out: Path) -> None:
    publish(out, generation(1))
    with Publication.open(out, incremental=True) as publication:
        assert publication.unchanged({"head": "1"})
        done = publication.untouched()
    assert (done.written, done.kept, done.way) == (0, len(PAGES) + 1, Way.UNTOUCHED)


def test_large_files_are_copied_and_equal_ones_kept(out: Path, tmp_path: Path) -> None:
    source = tmp_path / "t.parquet"
    for data, written in ((b"x" * 3_000_000, 1), (b"x" * 3_000_000, 0), (b"y" * 3_000_000, 1)):
        source.write_bytes(data)
        with Publication.open(out) as publication:
            publication.keep("data", "f")
            publication.write("data", "data/t.parquet", source)
            done = publication.finish({})
        assert done.written == written
        assert (out / "data/t.parquet").read_bytes() == data
    assert source.exists()


def test_a_file_to_add_that_is_not_there_is_an_error(out: Path, tmp_path: Path) -> None:
    with Publication.open(out) as publication:
        publication.keep("data", "f")
        with pytest.raises(StorageError, match=r"cannot read .*t\.parquet"):
            publication.write("data", "t.parquet", tmp_path / "t.parquet")


def test_a_build_that_raises_changes_nothing(out: Path) -> None:
    publish(out, generation(1))
    with pytest.raises(KeyboardInterrupt), Publication.open(out) as publication:
        publication.keep("g", "f")
        publication.write("g", "index.html", b"2\n")
        raise KeyboardInterrupt
    assert assert_whole(out) == 1
    assert leftovers(out) == []


def test_a_build_that_never_finishes_changes_nothing(out: Path) -> None:
    with Publication.open(out) as publication:
        publication.keep("g", "f")
        publication.write("g", "index.html", b"2\n")
    assert not out.exists()


def test_strangers_go_and_are_named(out: Path) -> None:
    publish(out, generation(1))
    (out / "mine").mkdir()
    (out / "mine" / "notes.txt").touch()
    (out / "link").symlink_to("/nowhere")
    assert publish(out, generation(1), incremental=True).strangers == ("link", "mine/notes.txt")
    assert content(out) == generation(1)
    assert not (out / "mine").exists()


def test_hidden_names_at_the_top_stay(out: Path) -> None:
    (out / ".git" / "objects").mkdir(parents=True)
    (out / ".git" / "objects" / "ab").write_bytes(b"object")
    (out / ".git" / "HEAD").symlink_to("objects/ab")
    (out / ".nojekyll").touch()
    (out / ".link").symlink_to("/nowhere")
    for number in (1, 2):
        assert publish(out, generation(number), str(number)).strangers == ()
        assert (out / ".git" / "objects" / "ab").read_bytes() == b"object"
        assert (out / ".git" / "HEAD").readlink() == Path("objects/ab")
        assert (out / ".link").is_symlink()
        assert (out / ".nojekyll").exists()


def test_the_folder_keeps_its_rights(out: Path) -> None:
    publish(out, generation(1))
    out.chmod(0o2750)
    publish(out, generation(2))
    assert stat.S_IMODE(out.stat().st_mode) == 0o2750


def test_without_links_files_are_copied(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(out, {"a.html": b"1\n", "b.html": b"1\n"})
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    publish(out, {"a.html": b"1\n", "b.html": b"2\n"}, "2")
    assert content(out) == {"a.html": b"1\n", "b.html": b"2\n"}


@pytest.mark.parametrize("call", ["mkdir", "open", "write", "link", "rename"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_failing_system_call_leaves_the_old_site(
    out: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    publish(out, {"a.html": b"1\n", "b.html": b"1\n"})
    if call == "rename":
        monkeypatch.setattr(module, "replace_folder", failing(code))
    with Publication.open(out) as publication, pytest.raises(StorageError) as caught:
        publication.keep("g", "f")
        publication.write("g", "a.html", b"1\n")
        with monkeypatch.context() as patched:
            if call in {"mkdir", "open", "write"}:
                patched.setattr(os, call, failing(code))
            publication.write("g", "x/b.html", b"2\n")
        assert call in {"link", "rename"}
        if call == "link":
            monkeypatch.setattr(os, "link", failing(code))
            monkeypatch.setattr("regista.site.output.trees.copy_file", failing(code))
        publication.finish({"head": "2"})
    assert str(out) in caught.value.message
    assert assert_whole(out) == 1
    assert leftovers(out) == []


class TestFileByFile:
    @pytest.fixture(params=["known before", "found out late"])
    def immovable(
        self, request: pytest.FixtureRequest, out: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Path:
        if request.param == "known before":
            out.mkdir()
            monkeypatch.setattr(Path, "is_mount", lambda _: True)
        else:
            publish(out, {})
            monkeypatch.setattr(module, "replace_folder", lambda *_: Way.FILE_BY_FILE)
        return out

    def test_files_are_replaced_and_the_folder_stays(self, immovable: Path) -> None:
        inode = immovable.stat().st_ino
        (immovable / ".nojekyll").touch()
        for number in (1, 2):
            done = publish(immovable, generation(number), str(number), incremental=True)
            assert done.way is Way.FILE_BY_FILE
            (immovable / ".nojekyll").unlink()
            assert assert_whole(immovable) == number
            (immovable / ".nojekyll").touch()
            (immovable / "stranger").touch()
        assert immovable.stat().st_ino == inode
        assert not (immovable / INSIDE).exists()
        assert leftovers(immovable) == []

    def test_no_page_links_to_what_is_not_there(
        self, immovable: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moved: list[str] = []
        replace = Path.replace

        def note(path: Path, target: Path) -> Path:
            if path.is_relative_to(immovable / INSIDE) or "building" in str(path):
                moved.append(str(target.relative_to(immovable)))
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", note)
        pages = ["index.html", "models.html", "entries/m/index.html", "entries/m/v/1.html", "a.css"]
        publish(immovable, dict.fromkeys(pages, b"1\n"))
        moved = [path for path in moved if path != MANIFEST]
        assert moved == ["a.css", "entries/m/v/1.html", "entries/m/index.html", "models.html",
                         "index.html"]  # fmt: skip

    def test_a_file_can_become_a_folder_and_the_other_way_round(self, immovable: Path) -> None:
        publish(immovable, {"a": b"1\n", "b/c/d": b"1\n"})
        publish(immovable, {"a/x/y": b"2\n", "b": b"2\n"}, "2")
        assert assert_whole(immovable) == 2
        assert files_below(immovable) == [MANIFEST, "a/x/y", "b"]

    def test_files_cross_to_another_mount_by_copying(
        self, immovable: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        replace = Path.replace

        def refuse(path: Path, target: Path) -> Path:
            if path.parent != target.parent:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", refuse)
        publish(immovable, generation(1))
        assert assert_whole(immovable) == 1

    def test_an_interrupted_replacement_is_said_and_trusted_by_nobody(
        self, immovable: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish(immovable, generation(1))
        calls = 0
        replace = Path.replace

        def fail_later(path: Path, target: Path) -> Path:
            nonlocal calls
            calls += 1
            if calls > 4:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return replace(path, target)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", fail_later)
            with pytest.raises(StorageError, match="cannot replace all files") as caught:
                publish(immovable, generation(2), "2")
        assert "build again" in caught.value.hint
        with Publication.open(immovable, incremental=True) as publication:
            assert not publication.unchanged({"head": "1"})
            assert publication.previous is not None
            assert not any(group.fingerprint for group in publication.previous.groups.values())
        done = publish(immovable, generation(1), incremental=True)
        assert done.strangers == ()
        assert assert_whole(immovable) == 1


def test_one_build_at_a_time(out: Path) -> None:
    with Publication.open(out):
        with pytest.raises(ConflictError, match="another process is building"):
            publish(out, generation(1))
        publish(out.with_name("other"), generation(1))
    publish(out, generation(2))


def test_a_damaged_list_of_groups_is_not_trusted(out: Path) -> None:
    publish(out, generation(1))
    with (out / MANIFEST).open("ab") as stream:
        stream.write(b" ")
    done = publish(out, generation(1), incremental=True)
    assert (done.written, done.kept) == (0, len(PAGES) + 1)
    assert assert_whole(out) == 1


def test_what_no_site_is_stays(out: Path) -> None:
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    with pytest.raises(InvalidInputError, match=r"thesis\.tex") as caught:
        publish(out, generation(1))
    assert "--out" in caught.value.hint
    assert files_below(out.parent) == ["site/thesis.tex"]


def test_a_site_that_cannot_be_listed_is_an_error(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(out, generation(1))
    monkeypatch.setattr(os, "scandir", failing(errno.EIO))
    with Publication.open(out, incremental=True) as publication:
        with pytest.raises(StorageError, match="cannot list"):
            publication.unchanged({"head": "1"})
        # removing the staging folder lists it, too
        monkeypatch.undo()


def test_a_file_that_goes_while_it_is_looked_at_is_written(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(out, {"a.html": b"a", "b.html": b"b"})

    def list_then_remove(top: Path) -> dict[str, os.DirEntry[str]]:
        found = list_tree(top)
        (out / "a.html").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(module, "list_tree", list_then_remove)
    publish(out, {"a.html": b"a", "b.html": b"b"}, incremental=True)
    assert content(out) == {"a.html": b"a", "b.html": b"b"}


def test_where_one_file_system_cannot_be_synced_all_are(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    monkeypatch.setattr(os, "sync", lambda: synced.append("all"))
    publish(out, generation(1))
    assert synced == ["all"]


def test_what_cannot_be_synced_is_not_published(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        @staticmethod
        def syncfs(_: int) -> int:
            return -1

    publish(out, generation(1))
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: Library())
    monkeypatch.setattr("ctypes.get_errno", lambda: errno.EIO)
    with pytest.raises(StorageError, match="input/output error"):
        publish(out, generation(2), "2")
    assert assert_whole(out) == 1


def test_files_of_other_sizes_or_that_end_early_are_not_equal(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.write_bytes(b"abc")
    for data, equal in ((b"abc", True), (b"abd", False), (b"abcd", False), (b"ab", False)):
        theirs.write_bytes(data)
        assert holds(theirs, ours) is equal
        assert holds(theirs, b"abc") is equal
    assert not holds(tmp_path / "none", b"")
