"""Timing commands against a floor in the same run: machines are noisy, ratios are less so."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PYTHON = sys.executable
REGISTA = [PYTHON, "-m", "regista"]


def seconds(command: Sequence[str], cwd: Path | None = None) -> float:
    """Return the wall time of one run of a command, which must succeed."""
    started = time.perf_counter()
    subprocess.run(
        command,
        cwd=cwd,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "REGISTA_ACTOR": "benchmark"},
    )
    return time.perf_counter() - started


def interleaved(commands: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return the median of each measurement, taken in turn so that noise hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for measure in commands.values():
        measure()
    for _ in range(rounds):
        for name, measure in commands.items():
            taken[name].append(measure())
    return {name: statistics.median(values) for name, values in taken.items()}


def peak_mb(command: Sequence[str], cwd: Path | None = None) -> tuple[float, float]:
    """Return wall time in seconds and peak memory in MB of one run of a command."""
    started = time.perf_counter()
    child = subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "REGISTA_ACTOR": "benchmark"},
    )
    _pid, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {child.returncode}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def row(name: str, value: str, ratio: str = "", goal: str = "") -> None:
    """Print one row of a Markdown table."""
    print(f"| {name} | {value} | {ratio} | {goal} |", flush=True)


def heading(title: str) -> None:
    """Print a section with the head of its table."""
    print(f"\n### {title}\n\n| what | measured | ratio | goal |\n|---|---|---|---|", flush=True)
