from pathlib import Path

import pytest

from regista.errors import InvalidInputError
from regista.registry.locating import locate


def test_the_option_comes_before_the_environment_and_the_file(tmp_path: Path) -> None:
    (tmp_path / "regista.toml").write_text('registry = "c"')
    assert locate("a", {"REGISTA_REGISTRY": "b"}, tmp_path) == "a"
    assert locate(None, {"REGISTA_REGISTRY": "b"}, tmp_path) == "b"
    assert locate(None, {"REGISTA_REGISTRY": ""}, tmp_path) == str(tmp_path / "c")


def test_the_nearest_file_upwards_counts_and_paths_are_relative_to_it(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "regista.toml").write_text('registry = "data/models"')
    assert locate(None, {}, inner) == str(tmp_path / "data/models")
    (inner / "regista.toml").write_text('registry = "memory://near"')
    assert locate(None, {}, inner) == "memory://near"


def test_without_anything_it_is_registry_data_here(tmp_path: Path) -> None:
    (tmp_path / "regista.toml").write_text('[site]\ntitle = "x"')
    assert locate(None, {}, tmp_path) == "registry_data"


@pytest.mark.parametrize("text", ["registry = 1", 'registry = ""', "registry = ", "\xff"])
def test_a_malformed_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "regista.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(InvalidInputError, match=r"regista\.toml"):
        locate(None, {}, tmp_path)
