"""The registries that sites are built from: they are sound, the same each time, and hold it all."""

from collections.abc import Callable
from pathlib import Path

import pytest

import regista
from support import site_registries


def files_of(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("make", [site_registries.hostile, site_registries.empty])
def test_a_script_gives_the_same_registry_each_time(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    assert files_of(make(tmp_path / "one")) == files_of(make(tmp_path / "two"))


@pytest.mark.parametrize("make", [site_registries.empty, site_registries.hostile])
def test_the_registries_are_sound(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    result = regista.open(str(make(tmp_path / "registry"))).verify(deep=True)
    assert result.problems == []


def ask(root: Path, query: str) -> set[str]:
    return {str(row[0]) for row in regista.open(str(root)).sql(query).fetchall()}


def test_the_hard_registry_has_every_kind_of_fact(tmp_path: Path) -> None:
    root = site_registries.hard(tmp_path / "registry")
    assert regista.open(str(root)).verify().problems == []
    assert ask(root, "SELECT count(*) FROM entries") == {"200"}
    assert ask(root, "SELECT kind FROM entries") == {"model", "prompt", "dataset", "bundle"}
    assert ask(root, "SELECT outcome FROM decisions") == {"passed", "refused"}
    assert ask(root, "SELECT status FROM verdicts") == {"passed", "failed", "undecidable"}
    assert ask(root, "SELECT status FROM eval_runs") == {"complete", "partial", "failed"}
    assert ask(root, "SELECT action FROM placements") >= {"imported", "rollback", "demote"}
    assert ask(root, "SELECT status FROM statuses") == {
        "deprecated", "archived", "deleted", "active",
    }  # fmt: skip
    assert ask(root, "SELECT ok FROM drills") == {"True", "False"}
    assert ask(root, "SELECT count(*) FROM policies") == {"4"}
    assert ask(root, "SELECT max(length(entry)) FROM entries") == {"255"}
    assert ask(root, "SELECT max(version) >= 500 FROM versions") == {"True"}


def test_the_waived_registry_has_a_waiver_that_let_a_version_in(tmp_path: Path) -> None:
    root = site_registries.waived(tmp_path / "registry")
    assert ask(root, "SELECT outcome FROM decisions WHERE stage = 'prod'") == {"waived"}
    assert ask(root, "SELECT status FROM verdicts WHERE stage = 'prod'") == {"passed", "waived"}
    assert ask(root, "SELECT count(*) FROM waivers") == {"2"}
    assert ask(root, "SELECT count(*) FROM approvals") == {"2"}
    assert ask(root, "SELECT version FROM current_stages WHERE stage = 'prod'") == {"1"}
