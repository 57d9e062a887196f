"""`[site]` of regista.toml: what it takes, and that every malformed value is named."""

from pathlib import Path
from typing import Any

import pytest

from regista.errors import InvalidInputError
from regista.site.options import NOT_BY_DEFAULT, PUBLISHABLE, SiteOptions, options_of, read_options


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "regista.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("text", ["", 'registry = "x"\n', "[site]\n", "[other]\nsite = 1\n"])
def test_what_is_not_said_stays_as_usual(tmp_path: Path, text: str) -> None:
    assert read_options(written(tmp_path, text)) == SiteOptions()


def test_no_file_is_no_choice() -> None:
    assert read_options(None) == SiteOptions()


def test_samples_and_addresses_are_not_published_unless_asked_for() -> None:
    assert SiteOptions().publish == set(PUBLISHABLE) - NOT_BY_DEFAULT
    assert {"samples", "emails"} == NOT_BY_DEFAULT


def test_every_setting_is_taken(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "mkdocs.yml").write_text("site_name: x\n")
    path = written(tmp_path, """
        [site]
        title = "Our models"
        base_url = "https://example.org/models/"
        rollback_url = "https://ci.example.org/run?e={entry}&s={stage}#v{version}"
        templates = "theirs"
        mkdocs = "mkdocs.yml"
        publish = ["cards", "samples"]
    """)  # fmt: skip
    assert read_options(path) == SiteOptions(
        title="Our models",
        base_url="https://example.org/models/",
        rollback_url="https://ci.example.org/run?e={entry}&s={stage}#v{version}",
        publish=frozenset({"cards", "samples"}),
        templates=tmp_path / "theirs",
        mkdocs=tmp_path / "mkdocs.yml",
    )


@pytest.mark.parametrize("name", ["base_url", "rollback_url", "templates", "mkdocs"])
def test_an_empty_text_is_none(tmp_path: Path, name: str) -> None:
    assert options_of({name: ""}, tmp_path, "site") == SiteOptions()


def test_nothing_may_be_published(tmp_path: Path) -> None:
    assert options_of({"publish": []}, tmp_path, "site").publish == frozenset()


NO_ADDRESSES = (
    "example.org", "//example.org/", "ftp://example.org/", "javascript:alert(1)", "https://",
    "https:///models", "http://[::1", "https://example.org/a b", "https://example.org/\u0000",
    'https://example.org/"', "https://example.org/'", "https://example.org/<x>", "https:\\\\e.org",
    "https://example.org/`", "https://example.org/\n", "https://example.org:port/",
    "https://example.org:99999/", "https://example.org/\u202e", "https://example.org/\u2028",
)  # fmt: skip
MALFORMED: list[tuple[str, Any]] = [
    *((name, value) for name in ("base_url", "rollback_url") for value in NO_ADDRESSES),
    *((name, value) for name in ("title", "base_url", "rollback_url", "templates", "mkdocs")
      for value in (1, True, 1.5, ["x"], {"a": 1})),
    ("title", ""),
    ("title", " \n"),
    ("base_url", "https://example.org/?a=b"),
    ("base_url", "https://example.org/#top"),
    ("publish", "cards"),
    ("publish", True),
    ("publish", {"cards": True}),
    ("publish", ["cards", "secrets"]),
    ("publish", ["Cards"]),
    ("publish", [1]),
    ("publish", [["cards"]]),
    ("publish", [{}]),
    ("templates", "nowhere"),
    ("templates", "a-file"),
    ("templates", "\u0000"),
    ("mkdocs", "nowhere.yml"),
    ("mkdocs", "a-folder"),
    ("publishes", ["cards"]),
    ("Title", "x"),
    ("", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_a_malformed_value_is_named(tmp_path: Path, name: str, value: Any) -> None:
    (tmp_path / "a-file").write_text("x")
    (tmp_path / "a-folder").mkdir()
    with pytest.raises(InvalidInputError) as caught:
        options_of({name: value}, tmp_path, "site")
    assert name in caught.value.message
    assert "site" in caught.value.message
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("value", ["site = 1", "site = []", 'site = "x"', "[[site]]\ntitle='x'"])
def test_a_site_that_is_no_table_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(InvalidInputError, match="site is not a table"):
        read_options(written(tmp_path, value))


@pytest.mark.parametrize("text", ["[site", "[site]\ntitle = x\n", b"\xff\xfe", "[site]\n[site]\n"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(InvalidInputError, match=r"regista\.toml.* is not TOML"):
        read_options(written(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "regista.toml").mkdir()
    with pytest.raises(InvalidInputError, match=r"cannot read .*regista\.toml"):
        read_options(tmp_path / "regista.toml")


@pytest.mark.parametrize("url", [*NO_ADDRESSES, "", "https://e.org/#x", "https://e.org?x"])
def test_another_address_has_to_be_one(url: str) -> None:
    with pytest.raises(InvalidInputError, match="--base-url"):
        SiteOptions().with_base_url(url)


def test_another_address_is_the_only_change() -> None:
    options = SiteOptions(title="x").with_base_url("http://localhost:8000")
    assert options == SiteOptions(title="x", base_url="http://localhost:8000")
