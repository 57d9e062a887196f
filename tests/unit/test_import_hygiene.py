"""What a fast command may not import, looked at in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.cli import Cli
from support.hooking import command, configure

HEAVY = {
    "duckdb", "pyarrow", "yaml", "jinja2", "mkdocs", "concurrent", "subprocess", "asyncio",
    "tempfile", "numpy", "pandas", "tomllib", "obstore", "configparser",
}  # fmt: skip
WRITING = {"regista.write.transaction", "regista.decide.planning", "regista.registry.writes"}
PROBE = """
import sys
from regista.cli.main import run
code = run(sys.argv[1:])
sys.stderr.write(chr(10) + " ".join(sys.modules))
sys.exit(code)
"""


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    cli = Cli(tmp_path_factory.mktemp("hygiene"))
    (cli.folder / "m.txt").write_text("m")
    for line in (
        ["init"], ["register", "m", "m.txt", "--tag", "a=b"],
        ["eval", "log", "m@1", "--suite", "s", "--metric", "auc=0.9"],
        ["promote", "m@1", "--to", "staging"], ["promote", "m@1", "--to", "prod"],
    ):  # fmt: skip
        assert cli.inside(*line).code == 0
    return cli


def modules_of(cli: Cli, *line: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *line], cwd=cli.folder, env=cli.environment(),
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "line",
    [
        ["resolve", "m@prod"], ["resolve", "m@prod", "--json"], ["show", "m"], ["show", "m@prod"],
        ["--help"], ["promote", "--help"], ["--version"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_fast_command_imports_nothing_heavy(cli: Cli, line: list[str]) -> None:
    modules = modules_of(cli, *line)
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()


def test_asking_does_not_import_what_only_writers_need(cli: Cli) -> None:
    assert modules_of(cli, "resolve", "m@prod") & WRITING == set()
    assert modules_of(cli, "show", "m@prod") & WRITING == set()


def test_resolve_does_not_import_what_draws_pages(cli: Cli) -> None:
    assert "regista.cli.render" not in modules_of(cli, "resolve", "m@prod")


def test_a_folder_needs_nothing_of_object_stores(cli: Cli) -> None:
    far = {"regista.storage.remembering", "regista.storage.creating", "regista.read.recalling"}
    modules = modules_of(cli, "resolve", "m@prod")
    assert modules & far == set()
    assert not {name for name in modules if name.startswith("regista.storage.remote")}


def test_get_needs_no_engine(cli: Cli, tmp_path: Path) -> None:
    modules = modules_of(cli, "get", "m@prod", str(tmp_path / "out"))
    assert {"duckdb", "pyarrow", "yaml"} & modules == set()


def test_a_write_without_hooks_loads_none_of_them(cli: Cli) -> None:
    modules = modules_of(cli, "tag", "m", "without=hooks")
    assert not {name for name in modules if name.startswith("regista.hooks")}


def test_a_write_with_commands_alone_loads_nothing_of_webhooks(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    assert cli.inside("init").code == 0
    configure(tmp_path, command("c", "cat > told"), command("p", "true", 'when = "pre"'))
    modules = modules_of(cli, "create", "m", "--kind", "model")
    assert (tmp_path / "told").exists()
    assert {"http.client", "ssl", "regista.hooks.sending"} & modules == set()


def test_asking_reads_no_hooks_even_where_there_are_some(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    for line in (["init"], ["create", "m", "--kind", "model"]):
        assert cli.inside(*line).code == 0
    configure(tmp_path, command("c", "cat > told"))
    assert not {name for name in modules_of(cli, "show", "m") if name.startswith("regista.hooks")}


def test_help_imports_no_command(cli: Cli) -> None:
    modules = modules_of(cli, "--help")
    assert not {name for name in modules if name.startswith("regista.cli.verbs.")}
    assert "regista.registry.core" not in modules


def test_importing_the_package_imports_none_of_it() -> None:
    code = "import sys, regista; print([m for m in sys.modules if m.startswith('regista')])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "['regista.version', 'regista']"
