import errno
from pathlib import Path

import pytest

from fakes.failing_system import failing, files_below
from regista.errors import StorageError
from regista.site.output.sinks import FolderSink, Groups, PathClaims, check_plain


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/a", "//a", "a/", "a//b", ".", "..", "./a", "../a", "a/../b", "a/.", "a/..",
        ".hidden", ".git/config", "a\\b", "a/\0", "a\nb", "a/\u202eb", "x" * 256, "ä" * 128,
    ],
)  # fmt: skip
def test_a_path_that_is_not_plain_is_a_bug(path: str, tmp_path: Path) -> None:
    check_plain("a.html")
    with pytest.raises(ValueError, match=r"path|hidden"):
        check_plain(path)
    with pytest.raises(ValueError, match=r"path|hidden"):
        FolderSink(tmp_path).hand.put(path, b"x")
    assert files_below(tmp_path) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a", "a"), ("a/b.html", "a/B.html"), ("a/b", "A/c"), ("a", "a/b"), ("a/b", "a"),
        ("x/y/z", "x/Y"), ("x/Y", "x/y/z"), ("straße", "STRASSE"), ("\u00e9", "e\u0301"),
        ("a/b/c", "a/B/d"),
    ],
)  # fmt: skip
def test_two_paths_that_some_file_system_takes_for_one_are_a_bug(first: str, second: str) -> None:
    claims = PathClaims()
    claims.claim(first)
    with pytest.raises(ValueError, match="taken"):
        claims.claim(second)


def test_other_paths_are_fine() -> None:
    claims = PathClaims()
    for path in ("a/b", "a/c", "a/b.html", "b/a", "x" * 255, "a/.b", "a b/ü", "d/e/f", "d/e/g"):
        check_plain(path)
        claims.claim(path)


def test_a_group_is_announced_once_and_takes_files_unless_kept() -> None:
    groups = Groups()
    groups.announce("new", kept=False)
    groups.announce("kept", kept=True)
    groups.check("new")
    for name in ("kept", "unknown"):
        with pytest.raises(ValueError, match="takes no files"):
            groups.check(name)
    with pytest.raises(ValueError, match="twice"):
        groups.announce("new", kept=False)


def test_a_folder_sink_writes_beside_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("theirs")
    (tmp_path / "guide.html").write_text("theirs")
    source = tmp_path / "source"
    source.write_bytes(b"parquet")
    sink = FolderSink(tmp_path)
    assert not sink.keep("g", "f")
    sink.write("g", "entries/m/index.html", b"ours")
    sink.write("g", "index.html", b"ours")
    sink.write("g", "data/t.parquet", source)
    assert sink.paths == ["entries/m/index.html", "index.html", "data/t.parquet"]
    assert sink.replaced == ["index.html"]
    assert files_below(tmp_path) == [
        "data/t.parquet", "entries/m/index.html", "guide.html", "index.html", "source",
    ]  # fmt: skip
    assert (tmp_path / "index.html").read_bytes() == b"ours"
    assert (tmp_path / "data/t.parquet").read_bytes() == b"parquet"


def test_a_folder_sink_does_not_write_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("theirs")
    (tmp_path / "index.html").symlink_to("victim")
    sink = FolderSink(tmp_path)
    sink.keep("g", "f")
    sink.write("g", "index.html", b"ours")
    assert (tmp_path / "victim").read_text() == "theirs"
    assert (tmp_path / "index.html").read_bytes() == b"ours"


def test_a_folder_sink_that_cannot_write_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = FolderSink(tmp_path)
    sink.keep("g", "f")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(StorageError, match=r"folder\.html"):
        sink.write("g", "folder.html", b"ours")
    monkeypatch.setattr("os.write", failing(errno.ENOSPC))
    with pytest.raises(StorageError, match=r"cannot write .*a\.html: the disk is full"):
        sink.write("g", "a.html", b"ours")
    assert files_below(tmp_path) == []
