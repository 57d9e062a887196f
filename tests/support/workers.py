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
from dataclasses import dataclass
from pathlib import Path

import regista
from regista.errors import RegistaError

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a worker was told: commit, its digest, and the version it registered, if any."""

    seq: int
    commit: str
    version: int | None


def work(root: str, told: str, rounds: int, seed: int) -> None:
    """Register and promote versions of one entry, telling of each commit."""
    chance = random.Random(seed)
    registry = regista.open(root, actor=f"worker-{seed}")
    with Path(told).open("a", encoding="utf-8") as stream:

        def tell(kind: str, seq: int, commit: str, version: int | None) -> None:
            stream.write(f"{kind} {seq} {commit} {version}\n")
            stream.flush()
            os.fsync(stream.fileno())

        for number in range(rounds):
            uri = f"file:///{seed}/{number}/{chance.random()}"
            made = registry.register("m", uri=uri)
            tell("register", made.seq, made.commit, made.version)
            value = str(chance.randint(50, 99) / 100)
            logged = registry.log_eval(f"m@{made.version}", "holdout", {"acc": value})
            tell("eval", logged.seq, logged.commit, None)
            asked = registry.promote(f"m@{made.version}", "staging")
            tell("promote", asked.seq, asked.commit, None)
            if chance.random() < 0.2:
                try:
                    back = registry.rollback("m", "staging")
                except RegistaError:
                    continue
                tell("rollback", back.seq, back.commit, None)


def start(root: Path, told: Path, rounds: int, seed: int) -> subprocess.Popen[bytes]:
    """Start a worker as a process."""
    call = "work(*sys.argv[1:3], *map(int, sys.argv[3:]))"
    code = f"import sys; from support.workers import work; {call}"
    command = [sys.executable, "-c", code, str(root), str(told), str(rounds), str(seed)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


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
    for path in sorted(folder.glob("told-*")):
        for line in path.read_text("utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                _kind, seq, commit, version = line.split()
                number = None if version == "None" else int(version)
                found.append(Acknowledged(int(seq), commit, number))
    return found
