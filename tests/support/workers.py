"""Writers in processes of their own, for races and kills.

Each worker appends a line to a file, and syncs it, for every commit that it was told of before it
goes on. So whatever is in these files was acknowledged, also when the worker was killed.
"""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import regista
from regista.errors import NotFoundError
from regista.registry.results import Written

TESTS = Path(__file__).parents[1]
RACERS = 2
LONGEST_WORK_S = 3600


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a worker was told: commit, its digest, and the version it registered, if any."""

    seq: int
    commit: str
    version: int | None


def tell(told: str, result: Written) -> None:
    """Write down one acknowledged commit, durably, before the worker goes on."""
    number = result.version if result.op == "register" else None
    with Path(told).open("a", encoding="utf-8") as stream:
        stream.write(f"{result.op.split()[0]} {result.seq} {result.commit} {number}\n")
        stream.flush()
        os.fsync(stream.fileno())


def work(root: str, told: str, rounds: str, seed: str) -> None:
    """Register and promote versions of one entry, telling of each commit."""
    chance = random.Random(int(seed))
    registry = regista.open(root, actor=f"worker-{seed}")
    folder = Path(f"{told}.artifacts")
    folder.mkdir(exist_ok=True)
    for number in range(int(rounds)):
        (folder / "model.bin").write_text(f"{seed} {number} {chance.random()}")
        made = registry.register("m", folder)
        tell(told, made)
        value = str(chance.randint(50, 99) / 100)
        tell(told, registry.log_eval(f"m@{made.version}", "holdout", {"acc": value}))
        tell(told, registry.promote(f"m@{made.version}", "staging"))
        if chance.random() < 0.2:
            # while others promote there may be nothing to go back to
            with suppress(NotFoundError):
                tell(told, registry.rollback("m", "staging"))


def promote_each(root: str, told: str, rounds: str, version: str) -> None:
    """Promote one version of many entries, as soon as the others are there to do the same."""
    registry = regista.open(root, actor=f"promoter-{version}")
    registry.resolve("race0@1")
    Path(f"{told}.ready").touch()
    while len(list(Path(told).parent.glob("*.ready"))) < RACERS:
        time.sleep(0.001)
    for number in range(int(rounds)):
        tell(told, registry.promote(f"race{number}@{version}", "prod"))


def start(job: str, root: Path, told: Path, *arguments: object) -> subprocess.Popen[bytes]:
    """Start one of the functions above as a process."""
    code = f"import sys; from support.workers import {job}; {job}(*sys.argv[1:])"
    command = [sys.executable, "-c", code, str(root), str(told), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def finish(worker: subprocess.Popen[bytes]) -> None:
    """Wait for a worker to end well."""
    _out, errors = worker.communicate(timeout=LONGEST_WORK_S)
    assert worker.returncode == 0, errors.decode()


def kill_at_random(
    worker: subprocess.Popen[bytes], chance: random.Random, longest_s: float
) -> None:
    """Let a worker run for a random while, then end it without warning."""
    time.sleep(chance.uniform(0.05, longest_s))
    worker.send_signal(signal.SIGKILL)
    worker.communicate()


def acknowledged(folder: Path) -> list[Acknowledged]:
    """Return all that workers were told; a last line that was cut by a kill is no telling."""
    found = []
    for path in sorted(item for item in folder.glob("told-*") if not item.suffix):
        for line in path.read_text("utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                _kind, seq, commit, version = line.split()
                number = None if version == "None" else int(version)
                found.append(Acknowledged(int(seq), commit, number))
    return found
