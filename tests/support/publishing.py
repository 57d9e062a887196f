"""Builds of a site in processes of their own, killed at random or at every step, or racing.

Run as a process without threads, since it forks: `python -m support.publishing JOB OUT …`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import pytest

from regista.errors import ConflictError
from regista.site.output import exchange, publication, staging
from regista.site.output.exchange import Way
from regista.site.output.site_manifest import read_header
from support.publications import assert_whole, generation, publish

TESTS = Path(__file__).parents[1]
FILES = 150
STEPS = ("os.", "open", "shutil.")


def start(job: str, out: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start one of the jobs below."""
    command = [sys.executable, "-m", "support.publishing", job, str(out), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def kill_at_random(out: Path, kills: str, seed: str) -> None:
    """Kill builds after a random while; print how many had not, and had, published."""
    chance = Random(int(seed))
    _force(Way.AT_ONCE)
    publish(out, generation(0, files=FILES), "0")
    started = time.monotonic()
    publish(out, generation(1, files=FILES), "1")
    longest_s = 1.2 * (time.monotonic() - started)
    last, outcomes = 1, [0, 0]
    for number in range(2, int(kills) + 2):
        pid = _fork(partial(_build_large, out, number))
        time.sleep(chance.uniform(0, longest_s))
        os.kill(pid, signal.SIGKILL)
        done = _end_of(pid)
        found = assert_whole(out)
        assert found in ({number} if done else {last, number})
        outcomes[found == number] += 1
        last = found
    _tell(*outcomes)


def kill_at_each_step(out: Path, way: str) -> None:
    """Kill builds before their first, second, … step that the interpreter tells of."""
    publish(out, generation(0), "0")
    _force(Way(way))
    last, number, step, done = 0, 0, 0, False
    while not done:
        number, step = number + 1, step + 1

        def build(number: int = number, step: int = step) -> None:
            _kill_before(step)
            publish(out, generation(number), str(number), incremental=True)

        done = _end_of(_fork(build))
        if way == Way.FILE_BY_FILE:
            # what is there may be old and new; the next build must not trust any of it
            publish(out, generation(last), str(last), incremental=True)
        elif way == Way.TWO_RENAMES and not out.exists():
            with staging.staged(out):
                pass
        found = assert_whole(out)
        assert found in {last, number}
        assert {path.name for path in out.parent.iterdir()} <= {out.name, f".{out.name}.building"}
        last = found
    _tell(step)


def race(out: Path, builders: str, builds: str) -> None:
    """Let processes build one site at a time as often as they can; print how many could."""
    wanted = range(1, int(builders) + 1)
    pids = [_fork(partial(_build_often, out, who, int(builds))) for who in wanted]
    assert {_end_of(pid) for pid in pids} == {True}
    assert assert_whole(out)
    _tell(*sorted(path.name for path in out.parent.iterdir()))


def _tell(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")


def _build_large(out: Path, number: int) -> None:
    publish(out, generation(number, files=FILES), str(number))


def _build_often(out: Path, who: int, builds: int) -> None:
    done = 0
    while done < builds:
        number = who * 1000 + done
        try:
            publish(out, generation(number), str(number), incremental=True)
        except ConflictError:
            time.sleep(0.001)
        else:
            done += 1
            assert read_header(out) is not None


def _fork(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def _end_of(pid: int) -> bool:
    """Wait for a process; say whether it ended well, or else by a kill."""
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, -signal.SIGKILL}, code
    return code == 0


def _kill_before(step: int) -> None:
    left = step

    def count(event: str, _: object) -> None:
        nonlocal left
        if event.startswith(STEPS):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def _force(way: Way) -> None:
    patch = pytest.MonkeyPatch()
    # syncing has no step of ours, and each takes as long as the whole machine has to write
    patch.setattr(publication, "_sync_all", lambda _: None)
    if way is Way.TWO_RENAMES:
        patch.setattr(exchange, "_system_call", lambda: None)
    elif way is Way.FILE_BY_FILE:
        patch.setattr(publication, "replace_folder", lambda *_: way)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["kill_at_random", out, kills, seed]:
            kill_at_random(Path(out), kills, seed)
        case ["kill_at_each_step", out, way]:
            kill_at_each_step(Path(out), way)
        case ["race", out, builders, builds]:
            race(Path(out), builders, builds)
