import unicodedata
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.errors import IntegrityError, InvalidInputError, NewerFormatError
from regista.model import canonical, manifest
from regista.model.manifest import FileEntry, Manifest

A, B = "a" * 64, "b" * 64

names = (
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="/\\"))
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(lambda text: text not in {"", ".", ".."} and "/" not in text and "\\" not in text)
)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
digests = st.binary(max_size=8).map(lambda data: sha256(data).hexdigest())
entries = st.builds(FileEntry, paths, st.integers(0, canonical.MAX_INT), digests)
uris = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")))


def is_a_tree(files: list[FileEntry]) -> bool:
    return not any(
        one.path == other.path or one.path.startswith(other.path + "/")
        for one in files
        for other in files
        if one is not other
    )


trees = st.lists(entries, max_size=6).filter(is_a_tree)


@given(trees, uris)
def test_parse_gives_back_what_to_bytes_wrote(files: list[FileEntry], uri: str) -> None:
    written = Manifest(tuple(files), uri)
    assert manifest.parse(written.to_bytes()) == written


@given(trees, st.randoms())
def test_the_digest_does_not_depend_on_the_order_of_files(
    files: list[FileEntry], random: Random
) -> None:
    shuffled = list(files)
    random.shuffle(shuffled)
    assert Manifest(tuple(shuffled)).digest == Manifest(tuple(files)).digest


def test_the_bytes_are_fixed_for_ever() -> None:
    written = Manifest((FileEntry("model/w.bin", 3, A), FileEntry("card.md", 0, B)))
    assert written.to_bytes() == (
        b'{"files":[{"path":"card.md","sha256":"' + B.encode() + b'","size":0},'
        b'{"path":"model/w.bin","sha256":"' + A.encode() + b'","size":3}],"format":1}'
    )
    assert written.digest == sha256(written.to_bytes()).hexdigest()
    assert written.size == 3


def test_a_uri_is_written_only_when_there_is_one() -> None:
    assert Manifest((), "s3://bucket/x").to_bytes() == (
        b'{"files":[],"format":1,"uri":"s3://bucket/x"}'
    )
    assert Manifest(()).to_bytes() == b'{"files":[],"format":1}'


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../up", "a/../b", "a/..", ".", "./a", "a/.", "a//b", "a/", "a\\b", "a\0b",
     "a\nb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029", "a\udc80", "e\u0301", "x" * 4097],
)  # fmt: skip
def test_a_path_that_could_do_harm_is_refused(path: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        FileEntry(path, 1, A)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("path", ["a", "a.b/c d", "...", "..a", "é/日本語", "👩\u200d🚀.txt"])
def test_an_ordinary_path_is_accepted(path: str) -> None:
    assert FileEntry(path, 1, A).path == path


@pytest.mark.parametrize("sha256", ["", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n", "../" + A])
def test_what_is_no_digest_is_refused(sha256: str) -> None:
    with pytest.raises(InvalidInputError, match="SHA-256"):
        FileEntry("a", 1, sha256)


@pytest.mark.parametrize("size", [-1, 2**53])
def test_an_impossible_size_is_refused(size: int) -> None:
    with pytest.raises(InvalidInputError, match="size"):
        FileEntry("a", size, A)


def test_one_path_twice_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="two files would have the path 'a'"):
        Manifest((FileEntry("a", 1, A), FileEntry("b", 1, A), FileEntry("a", 1, B)))


def test_a_file_that_is_also_a_folder_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="'a' would be a file, and the folder of 'a/b/c'"):
        Manifest((FileEntry("a/b/c", 1, A), FileEntry("a-b", 1, A), FileEntry("a", 1, A)))


def test_a_uri_with_a_control_character_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="control character"):
        Manifest((), "s3://x\n")


FILE = {"path": "a", "sha256": A, "size": 1}


@pytest.mark.parametrize(
    "value",
    [
        [],
        "text",
        {},
        {"files": []},
        {"format": 1},
        {"files": [], "format": "1"},
        {"files": [], "format": True},
        {"files": [], "format": 0},
        {"files": {}, "format": 1},
        {"files": [], "format": 1, "uri": ""},
        {"files": [], "format": 1, "uri": 3},
        {"files": [], "format": 1, "more": 1},
        {"files": ["a"], "format": 1},
        {"files": [{**FILE, "size": True}], "format": 1},
        {"files": [{**FILE, "size": "1"}], "format": 1},
        {"files": [{**FILE, "mode": 1}], "format": 1},
        {"files": [{"path": "a", "size": 1}], "format": 1},
        {"files": [{**FILE, "path": "../a"}], "format": 1},
        {"files": [FILE, FILE], "format": 1},
        {"files": [{**FILE, "path": "b"}, FILE], "format": 1},
    ],
)
def test_what_is_not_exactly_a_manifest_is_an_integrity_error(value: object) -> None:
    with pytest.raises(IntegrityError, match="manifest"):
        manifest.parse(canonical.encode(value))


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"files":[],"format":1}\n', b'{"format":1,"files":[]}', b"\xff"]
)
def test_bytes_not_in_canonical_form_are_an_integrity_error(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="manifest"):
        manifest.parse(data)


def test_a_newer_format_is_said_to_be_newer() -> None:
    with pytest.raises(NewerFormatError, match="format 2"):
        manifest.parse(b'{"files":[],"format":2,"links":[]}')
