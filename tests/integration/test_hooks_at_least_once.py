"""At least once: kills, interrupts, two at once, and a log that was set back."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.cli import Cli
from support.hooking import SECRET, command, configure, create, receiving, states, webhook


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    cli = Cli(tmp_path, {"HOOK_SECRET": SECRET})
    assert cli.inside("init").code == 0
    return cli


KILLED_AFTER_DELIVERY = """
import os, signal, sys
from regista.hooks.cursors import Cursors
Cursors.advance = lambda *_args, **_more: os.kill(os.getpid(), signal.SIGKILL)
from regista.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def test_a_kill_between_delivery_and_cursor_tells_twice_and_loses_nothing(cli: Cli) -> None:
    with receiving() as receiver:
        configure(cli.folder, webhook("w", receiver.url))
        create(cli, "a", "--no-hooks")
        create(cli, "b", "--no-hooks")
        for _ in range(2):
            killed = subprocess.run(
                [sys.executable, "-c", KILLED_AFTER_DELIVERY, "hooks", "run"],
                cwd=cli.folder, env=cli.environment(), check=False, timeout=60,
            )  # fmt: skip
            assert killed.returncode == -signal.SIGKILL
        assert cli.inside("hooks", "run").code == 0
    assert receiver.seqs == [2, 2, 2, 3]
    ids = [item.headers["webhook-id"] for item in receiver.received]
    assert len(set(ids[:3])) == 1


def test_an_interrupt_ends_the_commands_too(cli: Cli) -> None:
    script = "touch started; cat > /dev/null; sleep 2; touch survived"
    configure(cli.folder, command("slow", script, "timeout = 100"))
    create(cli, "a", "--no-hooks")
    process = subprocess.Popen(
        cli.command("hooks", "run"), cwd=cli.folder, env=cli.environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    while not (cli.folder / "started").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130
    time.sleep(2.5)
    assert not (cli.folder / "survived").exists()
    assert states(cli)["slow"]["backlog"] == 1


def test_a_log_from_an_older_copy_is_noticed(cli: Cli) -> None:
    configure(cli.folder, command("file", "cat >> told"))
    for name in ("a", "b", "c"):
        create(cli, name)
    before = (cli.folder / "told").read_text()
    for seq in (3, 4):
        (cli.folder / f"registry_data/log/000000/{seq:012d}.json").unlink()
    shutil.rmtree(cli.folder / "registry_data/checkpoints", ignore_errors=True)
    shutil.rmtree(cli.folder / "registry_data/tables")
    ran = cli.inside("hooks", "run", "--json")
    assert ran.code == 7
    assert "its cursor is at commit 5, and the log ends with 2" in ran.json[0]["error"]
    assert "its cursor is at commit 5" in str(states(cli)["file"]["failing"])
    create(cli, "d")
    assert cli.inside("hooks", "run", "file", "--from", "3").code == 0
    assert (cli.folder / "told").read_text().removeprefix(before).count('"seq":3') == 1


def test_killed_at_random_it_loses_nothing(cli: Cli) -> None:
    configure(cli.folder, command("file", "cat >> told; echo >> told"))
    for number in range(12):
        create(cli, f"m{number}", "--no-hooks")
    for pause in (0.25, 0.3, 0.35, 0.4, 0.45):
        process = subprocess.Popen(
            cli.command("hooks", "run"), cwd=cli.folder, env=cli.environment(),
            start_new_session=True,
        )  # fmt: skip
        time.sleep(pause)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert cli.inside("hooks", "run").code == 0
    told = [json.loads(line)["data"]["seq"] for line in _whole_lines(cli.folder / "told")]
    assert sorted(set(told)) == list(range(2, 14))


def _whole_lines(path: Path) -> list[str]:
    """Return the lines that were written whole; a killed command may leave half of one."""
    lines = path.read_text().splitlines()
    return [line for line in lines if line.startswith("{") and line.endswith("}")]


def test_two_runs_at_once_lose_nothing(cli: Cli) -> None:
    with receiving() as receiver:
        configure(cli.folder, webhook("w", receiver.url))
        for number in range(8):
            create(cli, f"m{number}", "--no-hooks")
        with ThreadPoolExecutor(4) as pool:
            codes = list(pool.map(lambda _: cli("hooks", "run").code, range(4)))
    assert codes == [0] * 4
    # on a local disk the lock even keeps them from telling twice
    assert receiver.seqs == list(range(2, 10))


def test_writers_at_once_lose_nothing(cli: Cli) -> None:
    with receiving() as receiver:
        configure(cli.folder, webhook("w", receiver.url))
        names = [f"m{number}" for number in range(6)]
        with ThreadPoolExecutor(6) as pool:
            ran = list(pool.map(lambda name: cli("create", name, "--kind", "model"), names))
        assert {item.code for item in ran} == {0}
        assert cli("hooks", "run").code == 0
    assert sorted(set(receiver.seqs)) == list(range(2, 8))
