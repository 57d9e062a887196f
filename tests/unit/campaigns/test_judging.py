"""The judge's own look at a log."""

import hashlib
import json
from pathlib import Path

import pytest

from campaigns.judging import read_log


def write(root: Path, seq: int, parent: str, name: int | None = None, end: str = "\n") -> str:
    path = root / "log" / "000000" / f"{name or seq:012d}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    commit = {"seq": seq, "parent": parent, "txid": f"t{seq}", "rows": []}
    path.write_text(json.dumps(commit) + end)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "registry.json").write_text('{"id": "id"}')
    return tmp_path


def test_one_chain_is_sound(root: Path) -> None:
    write(root, 2, write(root, 1, "id"))
    raw = read_log(root)
    assert raw.problems == []
    assert raw.with_txid("t2") == [2]


def test_a_torn_file_a_gap_and_a_foreign_parent_are_found(root: Path) -> None:
    write(root, 2, write(root, 1, "id"), end="")
    assert read_log(root).problems == ["000000000002.json is not a whole commit"]
    write(root, 2, "somebody else's")
    assert len(read_log(root).problems) == 1
    write(root, 1, "id", name=3)
    assert len(read_log(root).problems) == 2


def test_an_unfinished_file_is_no_commit(root: Path) -> None:
    write(root, 1, "id")
    (root / "log" / "000000" / ".tmp-1").write_text("half")
    assert len(read_log(root).commits) == 1
