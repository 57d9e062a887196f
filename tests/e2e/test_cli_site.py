"""`site build` and `site serve` through the real process."""

import os
import re
import signal
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from support.cli import Cli
from support.site_build import pages_of
from support.site_crawl import crawl, differing
from support.site_registries import demo

# a server that says nothing for so long is ended, and its test with it
LATE_S = 180


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    folder = tmp_path_factory.mktemp("site-cli")
    demo(folder / "registry_data")
    return Cli(folder)


@pytest.fixture(scope="module")
def site(cli: Cli) -> Path:
    told = cli.ok("site", "build", "--out", "site")
    out = cli.folder / "site"
    assert told["op"] == "site build"
    assert told["out"] == "site"
    assert told["seq"] == cli.ok("log", "--limit", "1")[0]["seq"]
    assert told["written"] == len(pages_of(out))
    assert (told["kept"], told["removed"], told["strangers"]) == (0, 0, [])
    assert told["bytes"] == sum(len(data) for data in pages_of(out).values())
    return out


def test_a_site_is_whole(site: Path) -> None:
    assert crawl(site) == []


def test_again_in_steps_writes_nothing(cli: Cli, site: Path) -> None:
    told = cli.ok("site", "build", "--out", "site", "--incremental")
    assert (told["written"], told["removed"], told["bytes"]) == (0, 0, 0)
    assert told["kept"] == len(pages_of(site))


def test_it_is_told_to_people(cli: Cli, site: Path) -> None:
    ran = cli("site", "build", "--out", "site", "--incremental")
    assert ran.code == 0
    assert "shows commit" in ran.out
    assert site.name in ran.out


def test_the_past_is_built(cli: Cli, site: Path) -> None:
    assert cli.ok("site", "build", "--out", "then", "--as-of", "7")["seq"] == 7
    assert "index.html" in differing(site, cli.folder / "then")
    for when in ("0", "99999", "yesterday", "1999-01-01"):
        ran = cli("site", "build", "--out", "never", "--as-of", when, "--json")
        assert ran.code != 0
        assert ran.error["message"]
        assert not (cli.folder / "never").exists()


def test_a_verified_registry_is_said_to_be(cli: Cli) -> None:
    cli.ok("site", "build", "--out", "verified", "--verify")
    said = "every file and every decision up to here was replayed and found right"
    assert said in (cli.folder / "verified" / "index.html").read_text("utf-8")


def test_an_address_is_in_feeds_and_the_site_map(cli: Cli) -> None:
    cli.ok("site", "build", "--out", "at", "--base-url", "https://example.org/m")
    for name in ("feed.xml", "sitemap.xml", "robots.txt"):
        assert "https://example.org/m/" in (cli.folder / "at" / name).read_text("utf-8")
    assert 'href="/m/css/regista.css"' in (cli.folder / "at" / "404.html").read_text("utf-8")


@pytest.mark.parametrize("url", ["example.org", "", "javascript:alert(1)", "https://e.org/?x"])
def test_what_is_no_address_is_refused(cli: Cli, url: str) -> None:
    ran = cli("site", "build", "--out", "never", "--base-url", url, "--json")
    assert ran.code == 2
    assert "--base-url" in ran.error["message"]
    assert not (cli.folder / "never").exists()


def test_a_bad_place_is_refused_and_left(cli: Cli) -> None:
    (cli.folder / "mine").mkdir()
    (cli.folder / "mine" / "precious.txt").write_text("x")
    (cli.folder / "a-file").write_text("x")
    for out in ("mine", "a-file", "a-file/below", "registry_data", "registry_data/site", ".", "/"):
        ran = cli("site", "build", "--out", out, "--json")
        assert ran.code != 0, out
        assert "Traceback" not in ran.err, out
        assert ran.error["message"], out
    assert (cli.folder / "mine" / "precious.txt").read_text() == "x"
    assert (cli.folder / "a-file").read_text() == "x"


@pytest.mark.parametrize(
    "text", ["[site]\ntitle = 1\n", "[site]\nnowhere = 1\n", "[site]\npublish = ['all']\n", "[site"]
)
def test_malformed_settings_are_told(tmp_path: Path, text: str) -> None:
    demo(tmp_path / "registry_data")
    (tmp_path / "regista.toml").write_text(text)
    ran = Cli(tmp_path)("site", "build", "--json")
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert not (tmp_path / "site").exists()


def test_no_registry_is_told(tmp_path: Path) -> None:
    for command in ("build", "serve"):
        ran = Cli(tmp_path)("site", command, "--json")
        assert ran.code != 0
        assert "there is no registry" in ran.error["message"]


def test_prose_of_the_owner_is_followed(tmp_path: Path) -> None:
    demo(tmp_path / "registry_data")
    (tmp_path / "docs" / "img").mkdir(parents=True)
    page = tmp_path / "docs" / "index.md"
    (tmp_path / "docs" / "img" / "mine.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "mkdocs.yml").write_text("site_name: Mine\ntheme: mkdocs\nplugins: []\n")
    (tmp_path / "regista.toml").write_text('[site]\nmkdocs = "mkdocs.yml"\n')
    cli = Cli(tmp_path)
    for text in ("First words", "Second words"):
        page.write_text(f"# Mine\n\n{text}\n\n![x](img/mine.svg)\n")
        cli.ok("site", "build", "--incremental")
        assert text in (tmp_path / "site" / "guide" / "index.html").read_text("utf-8")
    assert (tmp_path / "site" / "guide" / "img" / "mine.svg").is_file()
    assert cli.ok("site", "build", "--incremental")["written"] == 0
    (tmp_path / "mkdocs.yml").write_text("site_name: [\n")
    ran = cli("site", "build", "--json")
    assert ran.code == 2
    assert "Traceback" not in ran.err
    (tmp_path / "mkdocs.yml").write_text("site_name: Mine\ntheme: none-such\nplugins: []\n")
    assert "none-such" in cli("site", "build", "--json").error["message"]


def test_a_killed_build_leaves_the_old_site(cli: Cli, site: Path) -> None:
    before = pages_of(site)
    cli.ok("tag", "digits/classifier", "killed=yes")
    process = subprocess.Popen(
        cli.command("site", "build", "--out", "site"), cwd=cli.folder, env=cli.environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    # killed while it writes: its staging folder stands beside the site
    while process.poll() is None and not list(cli.folder.glob(".*site*/*/entries")):
        time.sleep(0.01)
    process.kill()
    process.wait(30)
    if process.returncode == -signal.SIGKILL:
        assert pages_of(site) == before
    cli.ok("site", "build", "--out", "site", "--incremental")
    cli.ok("site", "build", "--out", "fresh")
    assert differing(site, cli.folder / "fresh") == []
    assert [path.name for path in cli.folder.iterdir() if path.name.startswith(".")] == []


def told(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """Read what a server says until it says something."""
    assert process.stderr is not None
    seen = ""
    for line in process.stderr:
        seen += line
        if found := re.search(pattern, line):
            return found
    raise AssertionError(seen)


def test_a_site_is_served_followed_and_stopped(tmp_path: Path) -> None:
    demo(tmp_path / "registry_data")
    cli = Cli(tmp_path)
    environ = {**cli.environment(), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        cli.command("site", "serve", "--port", "0"), cwd=tmp_path, env=environ, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    late = threading.Timer(LATE_S, process.kill)
    late.start()
    try:
        address = told(process, r"(http://127\.0\.0\.1:[0-9]+/)")[1]
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - our own
            assert b"digits" in answer.read()
        cli.ok("tag", "digits/classifier", "seen=live")
        told(process, r"built: [0-9]+ files written")
        page = f"{address}entries/digits~-classifier/index.html"
        with urllib.request.urlopen(page, timeout=30) as answer:  # noqa: S310 - our own
            assert b"seen=live" in answer.read()
        os.kill(process.pid, signal.SIGINT)
        told(process, "stopped")
        assert process.wait(30) == 0
    finally:
        late.cancel()
        process.kill()
        process.communicate()
