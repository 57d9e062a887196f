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


def peak_of_all_mb(command: Sequence[str]) -> tuple[float, float]:
    """Return wall time in seconds and peak memory in MB of a command and its processes together.

    Memory that they share counts once (Linux's `Pss`, read 20 times a second).
    """
    peak, started = 0, time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(_shared_kb, _with_children(process.pid))))
            time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {process.returncode}")
    return time.perf_counter() - started, peak / 1024


def _with_children(pid: int) -> list[int]:
    try:
        texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [
        pid,
        *(i for text in texts for child in text.split() for i in _with_children(int(child))),
    ]


def _shared_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def cpu_seconds(command: Sequence[str]) -> float:
    """Return the processor time of one run of a command and of the processes that it started."""
    child = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "REGISTA_ACTOR": "benchmark"},
    )
    _pid, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {child.returncode}")
    return usage.ru_utime + usage.ru_stime


def row(name: str, value: str, ratio: str = "", goal: str = "") -> None:
    """Print one row of a Markdown table."""
    print(f"| {name} | {value} | {ratio} | {goal} |", flush=True)


def heading(title: str) -> None:
    """Print a section with the head of its table."""
    print(f"\n### {title}\n\n| what | measured | ratio | goal |\n|---|---|---|---|", flush=True)
