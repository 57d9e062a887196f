import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.failing_system import failing
from regista.errors import InvalidInputError, StorageError
from regista.model import canonical
from regista.site.output.site_manifest import (
    MANIFEST,
    Group,
    Header,
    Manifest,
    listing_digest,
    manifest_bytes,
    read_groups,
    read_header,
    recorded_size,
)

MANIFEST_OF_ONE = Manifest({"head": "h"}, {"g": Group("f", {"a/b.html": "3 abc"})})
text = st.text(max_size=8).filter(lambda s: s.isprintable())


def written(folder: Path, content: bytes) -> Path:
    (folder / MANIFEST).write_bytes(content)
    return folder


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written(tmp_path, manifest_bytes(MANIFEST_OF_ONE))
    header = read_header(tmp_path)
    assert header is not None
    assert header.inputs == MANIFEST_OF_ONE.inputs
    assert header.listing == listing_digest(["a/b.html"])
    assert read_groups(tmp_path, header) == MANIFEST_OF_ONE.groups


def test_the_bytes_are_two_lines_of_canonical_json() -> None:
    header, groups, end = manifest_bytes(MANIFEST_OF_ONE).split(b"\n")
    assert canonical.is_canonical(header)
    assert json.loads(header)["groups"] == canonical.sha256_hex(groups)
    assert groups == b'{"g":{"files":{"a/b.html":"3 abc"},"fingerprint":"f"}}'
    assert end == b""


@given(st.dictionaries(text, st.builds(Group, text, st.dictionaries(text, text)), max_size=5))
def test_the_order_of_groups_and_files_does_not_matter(groups: dict[str, Group]) -> None:
    turned = {
        name: Group(group.fingerprint, dict(reversed(list(group.files.items()))))
        for name, group in reversed(groups.items())
    }
    assert manifest_bytes(Manifest({}, groups)) == manifest_bytes(Manifest({}, turned))


def test_a_listing_tells_which_names_there_are() -> None:
    assert listing_digest(["a", "b"]) == listing_digest(["b", "a"])
    assert listing_digest(["ab"]) != listing_digest(["a", "b"])
    assert listing_digest(["\udcff"]) != listing_digest(["x"])


def test_no_manifest_is_none(tmp_path: Path) -> None:
    assert read_header(tmp_path) is None
    (tmp_path / "file").touch()
    assert read_header(tmp_path / "file") is None


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"{", b"[]", b"1", b"{}", b'{"site":"other"}', b'{"site":"regista"}',
                b'{"site":"regista","format":1,"inputs":1,"groups":"","listing":""}'],
)  # fmt: skip
def test_what_is_no_manifest_is_an_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="is not the manifest of a site"):
        read_header(written(tmp_path, content))


def test_a_manifest_that_is_a_link_or_cannot_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / MANIFEST).symlink_to("/etc/passwd")
    with pytest.raises(StorageError):
        read_header(tmp_path)
    with pytest.raises(StorageError):
        read_groups(tmp_path / "gone", Header({}, "", ""))
    monkeypatch.setattr(os, "open", failing(errno.EACCES))
    with pytest.raises(StorageError, match="permission denied"):
        read_header(tmp_path)


def test_another_format_is_ours_but_not_trusted(tmp_path: Path) -> None:
    header = read_header(written(tmp_path, b'{"site":"regista","format":2}\nwhatever\n'))
    assert header == Header({}, "", "")
    assert read_groups(tmp_path, header) is None


def test_other_groups_than_the_header_names_are_none(tmp_path: Path) -> None:
    written(tmp_path, manifest_bytes(MANIFEST_OF_ONE).replace(b"abc", b"abd"))
    header = read_header(tmp_path)
    assert header is not None
    assert read_groups(tmp_path, header) is None


@pytest.mark.parametrize(("record", "size"), [("12 ab", 12), ("", -1), ("x ab", -1), ("-1 a", -1)])
def test_a_record_has_a_size(record: str, size: int) -> None:
    assert recorded_size(record) == size
