from pathlib import Path

import pytest

from regista.errors import InvalidInputError
from regista.registry.locating import config_for, locate


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


@pytest.mark.parametrize(
    ("named", "uri", "same"),
    [
        ("", "anything", True),
        ('registry = "data"', "{folder}/data", True),
        ('registry = "./x/../data"', "{folder}/data/", True),
        ('registry = "link"', "{folder}/data", True),
        ('registry = "file://{folder}/data"', "{folder}/data", True),
        ('registry = "data"', "{folder}/other", False),
        ('registry = "s3://bucket/models/"', "s3://bucket/models", True),
        ('registry = "S3://bucket/models"', "s3://bucket/models", True),
        ('registry = "s3://bucket/models"', "s3://bucket/model", False),
        ('registry = "s3://bucket/models"', "gs://bucket/models", False),
        ('registry = "memory://a"', "memory://a", True),
        ('registry = "memory://a"', "memory://b", False),
    ],
)
def test_a_file_is_for_the_registry_that_it_names(
    tmp_path: Path, named: str, uri: str, *, same: bool
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to("data")
    config = tmp_path / "regista.toml"
    config.write_text(named.replace("{folder}", str(tmp_path)) + "\n[[hooks]]\nid = 'a'\n")
    found = config_for(config, "hooks", uri.replace("{folder}", str(tmp_path)))
    assert found.get("hooks") == ([{"id": "a"}] if same else None)


def test_a_file_without_the_key_says_nothing_whatever_it_names(tmp_path: Path) -> None:
    config = tmp_path / "regista.toml"
    config.write_text('registry = "odd://place"\n[site]\ntitle = "x"')
    assert config_for(config, "hooks", "data") == {}
