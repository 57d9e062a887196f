"""`mirror`, `export --full` and `import` of a backup, as a user runs them."""

import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from support.cli import Cli
from support.everything import build_long

# a command that is killed when its backup is written and has no name yet
KILLED_EXPORT = """
import os, signal, sys
from regista.cli.main import run
from regista.storage import durable
durable.publish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
run(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "registry_data"
    build_long(folder=folder)
    return folder


@pytest.fixture
def cli(tmp_path: Path, made: Path) -> Cli:
    (tmp_path / "registry_data").symlink_to(made)
    return Cli(tmp_path)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_a_mirror_is_made_brought_forward_and_read(cli: Cli) -> None:
    done = cli.ok("mirror", "registry_data", "copy")
    assert (done["op"], done["seq"], done["commits"]) == ("mirror", 66, 66)
    assert cli.ok("mirror", "registry_data", "copy")["commits"] == 0
    assert cli.ok("--registry", "copy", "verify", "--deep")["head"] == done["commit"]
    assert cli.ok("--registry", "copy", "list") == cli.ok("list")
    assert cli.ok("--registry", "copy", "show", "m") == cli.ok("show", "m")
    text = cli("mirror", "registry_data", "copy")
    assert text.out.startswith("at commit 66: 0 commits and 0 files added")
    assert text.err == ""


def test_what_cannot_be_a_mirror_is_refused_with_its_exit_code(cli: Cli) -> None:
    cli.ok("mirror", "registry_data", "copy")
    cli.ok("--registry", "copy", "tag", "m", "written=here")
    diverged = cli("mirror", "registry_data", "copy", "--json")
    assert (diverged.code, diverged.error["code"]) == (6, "integrity")
    assert "its commit 67 is not in the source" in diverged.error["message"]
    cli.ok("--registry", "other", "init")
    assert cli("mirror", "registry_data", "other").code == 2
    assert cli("mirror", "nowhere", "copy").code == 4
    assert cli("mirror", "registry_data").code == 2
    (cli.folder / "file").write_text("")
    assert cli("mirror", "registry_data", "file").code == 2


def test_a_mirror_killed_at_any_moment_goes_on(cli: Cli) -> None:
    chance = Random(3)
    for _ in range(8):
        running = subprocess.Popen(
            cli.command("mirror", "registry_data", "copy"),
            cwd=cli.folder, env=cli.environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            running.wait(chance.uniform(0.2, 1.2))
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        if (cli.folder / "copy" / "log").exists():
            assert cli("--registry", "copy", "list").code == 0
    assert cli.ok("mirror", "registry_data", "copy")["seq"] == 66
    assert cli.ok("--registry", "copy", "verify", "--deep")["ok"]
    cli.ok("--registry", "copy", "gc", "--grace", "0s")
    assert cli.ok("--registry", "copy", "doctor")["ok"]


def test_a_backup_is_written_and_restored(cli: Cli) -> None:
    done = cli.ok("export", "--full", "backup.tar")
    assert (done["op"], done["seq"], done["path"]) == ("export", 66, "backup.tar")
    assert done["bytes"] == (cli.folder / "backup.tar").stat().st_size
    (cli.folder / "backups").mkdir()
    named = cli.ok("export", "--full", "backups")["path"]
    assert (cli.folder / named).read_bytes() == (cli.folder / "backup.tar").read_bytes()
    assert cli.ok("export", "--full", "backups")["path"] == named
    assert len(list((cli.folder / "backups").iterdir())) == 1

    brought = cli.ok("--registry", "restored", "import", "backup.tar")
    assert (brought["op"], brought["seq"], brought["commit"]) == ("import", 66, done["commit"])
    assert brought["registry"] == done["registry"]
    assert cli.ok("--registry", "restored", "verify", "--deep")["head"] == done["commit"]
    assert cli.ok("--registry", "restored", "import", "backup.tar")["commits"] == 0
    cli.ok("--registry", "restored", "tag", "m", "goes=on")
    again = cli("--registry", "restored", "import", "backup.tar")
    assert (again.code, "its commit 67 is not in the source" in again.err) == (6, True)


def test_a_backup_goes_through_pipes(cli: Cli) -> None:
    out = subprocess.run(
        cli.command("export", "--full", "-"),
        cwd=cli.folder, env=cli.environment(), capture_output=True, check=True,
    )  # fmt: skip
    assert out.stderr.startswith(b"exported up to commit 66: ")
    back = subprocess.run(
        cli.command("--registry", "restored", "import", "-"),
        cwd=cli.folder, env=cli.environment(), input=out.stdout, capture_output=True, check=True,
    )  # fmt: skip
    assert back.stdout.startswith(b"at commit 66: 66 commits and ")
    assert cli.ok("--registry", "restored", "verify", "--deep")["ok"]


def test_what_is_no_whole_backup_leaves_nothing_behind(cli: Cli) -> None:
    cli.ok("export", "--full", "backup.tar")
    whole = (cli.folder / "backup.tar").read_bytes()
    (cli.folder / "short.tar").write_bytes(whole[: len(whole) // 2])
    (cli.folder / "bent.tar").write_bytes(whole[:9000] + b"?" + whole[9001:])
    (cli.folder / "text.tar").write_text("hello")
    before = files(cli.folder)
    for name, code in (("short.tar", 6), ("bent.tar", 6), ("text.tar", 2), ("none.tar", 2)):
        ran = cli("--registry", "restored", "import", name)
        assert ran.code == code, ran
        assert name in ran.err
        assert len(ran.err.splitlines()) == 1
    assert files(cli.folder) == before


def test_export_and_import_say_what_they_take(cli: Cli) -> None:
    cli.ok("export", "--full", "backup.tar")
    before = files(cli.folder)
    for line, said in (
        (("export", "x.tar"), "add --full"),
        (("export", "--full", "backup.tar"), "backup.tar exists"),
        (("export", "--full", "nowhere/x.tar"), "there is no folder"),
        (("import", "registry_data"), "regista mirror copies a registry"),
        (("import", "backup.tar", "--source", "x"), "are for a folder of tables"),
        (("import", "backup.tar", "--txid", "x"), "are for a folder of tables"),
    ):
        ran = cli(*line)
        assert (ran.code, said in ran.err) == (2, True), ran
    assert files(cli.folder) == before


def test_what_a_killed_export_left_beside_its_target_goes_with_the_next(
    cli: Cli, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_EXPORT, "export", "--full", "backup.tar"],
        cwd=cli.folder, env=cli.environment(), check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob(".tmp-export-*/.tmp-*"))) == 1
    cli.ok("export", "--full", "backup.tar")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "registry_data"]


def test_an_export_that_fails_leaves_no_file(cli: Cli, tmp_path: Path) -> None:
    cli.ok("mirror", "registry_data", "copy")
    blob = next(path for path in (tmp_path / "copy" / "blobs").rglob("*") if path.is_file())
    blob.write_bytes(b"changed")
    before = files(cli.folder)
    ran = cli("--registry", "copy", "export", "--full", "backup.tar")
    assert (ran.code, "is not what its digest says" in ran.err) == (6, True)
    assert files(cli.folder) == before


def test_gc_says_what_and_why(cli: Cli) -> None:
    cli.ok("mirror", "registry_data", "copy")
    cli.ok("--registry", "copy", "gc", "--grace", "0s")
    (cli.folder / "copy/blobs/sha256/ab").mkdir(exist_ok=True)
    key = f"blobs/sha256/ab/{'ab' * 32}"
    (cli.folder / "copy" / key).write_text("left")
    line = ("--registry", "copy", "gc", "--dry-run", "--grace", "0s")
    dry = cli(*line, environ={"COLUMNS": "200"})
    assert (dry.code, "unnamed" in dry.out, key in dry.out) == (0, True, True)
    assert cli.ok("--registry", "copy", "gc")["files"] == []
    done = cli.ok("--registry", "copy", "gc", "--grace", "0s")
    assert {"key": key, "size": 4, "reason": "unnamed"} in done["files"]
    assert done["blobs"] == ["ab" * 32]
    assert cli("--registry", "copy", "gc", "--grace", "never").code == 2
