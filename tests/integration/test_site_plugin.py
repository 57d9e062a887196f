"""The MkDocs plugin in somebody else's project, with MkDocs' own theme."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort, PluginError

from support.registries import new_registry, register
from support.site_crawl import link_problem, read_pages
from support.site_registries import DEMO

INDEX = "# Ours\n\nSee [the models](registry/models.html), [one](registry/entries/{}/index.html).\n"
ENTRY = "digits~-classifier"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logger, silence = logging.getLogger("mkdocs"), logging.NullHandler()
    before = logger.propagate
    # not by its level, for a strict build counts the warnings that come through
    logger.propagate = False
    logger.addHandler(silence)
    yield
    logger.propagate = before
    logger.removeHandler(silence)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(INDEX.format(ENTRY))
    shutil.copytree(DEMO, tmp_path / "models")
    return tmp_path


def made(project: Path, plugin: dict[str, Any] | None = None, **settings: Any) -> Path:
    """Build a project strictly, as `mkdocs build --strict` does."""
    given = {"registry": "models", **(plugin or {})}
    config = {"site_name": "Theirs", "strict": True, "plugins": [{"regista": given}], **settings}
    (project / "mkdocs.yml").write_text(yaml.safe_dump(config))
    loaded = load_config(str(project / "mkdocs.yml"))
    loaded.plugins.on_startup(command="build", dirty=False)
    try:
        build(loaded)
    finally:
        loaded.plugins.on_shutdown()
    return project / "site"


def refusal(project: Path, plugin: dict[str, Any] | None = None) -> str:
    """Return what a build fails with; MkDocs logs it and raises an error of its own."""
    with pytest.raises((Abort, PluginError)) as caught:
        made(project, plugin)
    error: BaseException | None = caught.value
    while error is not None and not isinstance(error, PluginError):
        error = error.__cause__ or error.__context__
    return str(error)


def test_prose_may_link_to_pages_of_the_registry(project: Path) -> None:
    site = made(project)
    assert 'href="registry/models.html"' in (site / "index.html").read_text()
    page = (site / "registry" / "entries" / ENTRY / "index.html").read_text()
    assert "digits" in page
    assert "Theirs" in page
    assert (site / "registry" / "data" / "versions.parquet").is_file()
    assert (site / "registry" / "css" / "regista.css").is_file()


def test_pages_of_the_registry_lead_only_to_what_is_there(project: Path) -> None:
    site = made(project)
    pages = read_pages(site)
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    problems = [
        (name, link.url, problem)
        for name, page in pages.items()
        if name.startswith("registry/")
        for link in page.links
        if (problem := link_problem(name, link.url, pages, files, resource=link.is_resource))
    ]
    assert problems == []
    up = [link.url for link in pages["registry/index.html"].links]
    assert "../index.html" in up


def test_a_link_to_a_page_that_is_not_there_fails_a_strict_build(project: Path) -> None:
    (project / "docs" / "index.md").write_text("[x](registry/entries/none/index.html)")
    with pytest.raises(Abort):
        made(project)


@pytest.mark.parametrize("urls", [True, False])
@pytest.mark.parametrize("path", ["", "registry", "/a/b/"])
def test_it_lies_where_it_is_told_to(project: Path, path: str, urls: bool) -> None:  # noqa: FBT001
    (project / "docs" / "index.md").rename(project / "docs" / "welcome.md")
    (project / "docs" / "welcome.md").write_text("# Welcome")
    site = made(project, {"path": path}, use_directory_urls=urls)
    assert "digits" in (site / path.strip("/") / "index.html").read_text()
    assert (site / path.strip("/") / "entries" / ENTRY / "v" / "1.html").is_file()


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("registry", "registry/index.md"),
        ("registry", "registry.md"),
        ("registry", "registry/models.html"),
        ("", "index.md"),
        ("registry", "registry/css/regista.css"),
    ],
)
def test_a_page_of_theirs_is_never_replaced(project: Path, path: str, page: str) -> None:
    (project / "docs" / "index.md").write_text("# Ours")
    (project / "docs" / page).parent.mkdir(parents=True, exist_ok=True)
    (project / "docs" / page).write_text("mine")
    assert "is there already; choose another path" in refusal(project, {"path": path})


def test_no_registry_is_a_plain_error(project: Path) -> None:
    said = refusal(project, {"registry": "nowhere"})
    assert said.startswith("regista: there is no registry at ")
    assert "nowhere" in said


def test_an_empty_folder_is_a_plain_error(project: Path) -> None:
    (project / "empty").mkdir()
    assert refusal(project, {"registry": "empty"}).startswith("regista: there is no registry")


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        ({"publish": ["secrets"]}, "plugins.regista.publish"),
        ({"rollback_url": "nowhere"}, "plugins.regista.rollback_url"),
        ({"templates": "nowhere"}, "plugins.regista.templates"),
        ({"as_of": "yesterday"}, "yesterday"),
        ({"as_of": "999999"}, "999999"),
        ({"title": " "}, "plugins.regista.title"),
    ],
)
def test_a_malformed_setting_is_named(project: Path, plugin: dict[str, Any], said: str) -> None:
    assert said in refusal(project, plugin)


@pytest.mark.parametrize(
    "plugin", [{"title": 1}, {"path": 1}, {"publish": "cards"}, {"nowhere": 1}]
)
def test_a_setting_of_another_type_stops_mkdocs(project: Path, plugin: dict[str, Any]) -> None:
    with pytest.raises(Abort):
        made(project, plugin)


@pytest.mark.parametrize("when", [3, "3"])
def test_it_can_be_pinned(project: Path, when: int | str) -> None:
    (project / "docs" / "index.md").write_text("# Ours")
    site = made(project, {"as_of": when})
    assert '"seq":3,' in (site / "registry" / "api" / "v1" / "index.json").read_text().replace(
        " ", ""
    )


def test_what_the_toml_says_counts_unless_said_again(project: Path) -> None:
    (project / "regista.toml").write_text('[site]\ntitle = "From TOML"\npublish = ["params"]\n')
    site = made(project, {"publish": ["data"]})
    assert "From TOML" in (site / "registry" / "index.html").read_text()
    assert (site / "registry" / "sql.html").is_file()


def test_addresses_follow_from_the_address_of_their_site(project: Path) -> None:
    site = made(project, site_url="https://example.org/docs/")
    feed = (site / "registry" / "feed.xml").read_text()
    assert "https://example.org/docs/registry/feed.xml" in feed


def test_a_mistake_in_a_template_is_a_plain_error(project: Path) -> None:
    (project / "theirs" / "registry").mkdir(parents=True)
    (project / "theirs" / "registry" / "home.html").write_text("{{ nowhere }}")
    said = refusal(project, {"templates": "theirs"})
    assert said.startswith("regista: template registry/home.html line 1: 'nowhere' is undefined")


def test_building_again_builds_what_is_there_now(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Ours")
    registry = new_registry(folder=tmp_path / "models")
    register(registry, "one", "1")
    made(tmp_path)
    register(registry, "two", "2")
    site = made(tmp_path)
    assert (site / "registry" / "entries" / "two" / "index.html").is_file()
