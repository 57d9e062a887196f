"""The benchmarks of one machine: reads, promotions, registration, commits per second.

    python benchmarks/run.py [--rounds 15] [--gigabytes 1]

Prints Markdown. Each figure stands beside its floor, measured in the same run.
"""

import argparse
import os
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from measuring import PYTHON, REGISTA, heading, interleaved, row, seconds

import regista

POLICY = """\
format: 1
stages: [dev, staging, prod]
on_register: dev
rules:
  - stage: staging
    gates:
      - threshold: {suite: holdout, metric: accuracy, min: 0.5}
      - baseline: {suite: holdout, metric: accuracy, max_regression: 0.5}
      - freshness: {suite: holdout, max_age: 30d}
"""


def small_registry(folder: Path) -> Path:
    """Make a registry with one entry of ten versions, some in stages."""
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    root = folder / "registry"
    reg = regista.init(str(root), policy=str(policy), actor="benchmark").registry
    for number in range(10):
        artifact = folder / "model.bin"
        artifact.write_bytes(os.urandom(1000))
        reg.register("fraud/card", artifact)
        reg.log_eval(f"fraud/card@{number + 1}", "holdout", {"accuracy": f"0.{90 + number}"})
    reg.promote("fraud/card@9", "staging")
    return root


def reads(root: Path, rounds: int) -> None:
    """Cold `resolve` against the import of click and against bare Python."""
    heading("Cold `resolve` (one process each)")
    resolve = [*REGISTA, "--registry", str(root), "resolve", "fraud/card@staging"]
    taken = interleaved(
        {
            "python -c pass": lambda: seconds([PYTHON, "-c", "pass"]),
            'python -c "import click"': lambda: seconds([PYTHON, "-c", "import click"]),
            "regista resolve": lambda: seconds(resolve),
        },
        rounds,
    )
    click = taken['python -c "import click"']
    for name, value in taken.items():
        goal = "at most 2.5 times click" if name == "regista resolve" else ""
        row(name, f"{value * 1000:.0f} ms", f"{value / click:.2f} x click", goal)


def promotions(root: Path, rounds: int) -> None:
    """`promote` with three gates against the import of duckdb."""
    heading("`promote` with three gates (one process each)")
    turn = iter(range(10_000))

    def promote() -> float:
        ref = f"fraud/card@{8 + next(turn) % 2}"
        command = [*REGISTA, "--registry", str(root), "promote", ref, "--to", "staging"]
        return seconds(command)

    taken = interleaved(
        {
            'python -c "import duckdb"': lambda: seconds([PYTHON, "-c", "import duckdb"]),
            "regista promote": promote,
        },
        rounds,
    )
    floor = taken['python -c "import duckdb"']
    for name, value in taken.items():
        goal = "at most 3 times duckdb" if name == "regista promote" else ""
        row(name, f"{value * 1000:.0f} ms", f"{value / floor:.2f} x duckdb", goal)


def registration(folder: Path, gigabytes: float) -> None:
    """`register` of one large file against sha256sum and cp of it."""
    heading(f"`register` of a {gigabytes:g} GB artifact")
    source = folder / "weights.bin"
    with source.open("wb") as stream:
        for _ in range(int(gigabytes * 1024)):
            stream.write(os.urandom(1 << 20))
    root = folder / "large"
    subprocess.run([*REGISTA, "--registry", str(root), "init"], check=True, capture_output=True)

    def floor() -> float:
        taken = seconds(["sha256sum", str(source)])
        copy = folder / "copy.bin"
        started = time.perf_counter()
        subprocess.run(["cp", "--reflink=never", str(source), str(copy)], check=True)
        with copy.open("rb") as stream:
            os.fsync(stream.fileno())
        taken += time.perf_counter() - started
        copy.unlink()
        return taken

    def register() -> float:
        for blob in (root / "blobs").rglob("*"):
            if blob.is_file() and blob.stat().st_size > 1 << 20:
                blob.unlink()
        command = [*REGISTA, "--registry", str(root), "register", "big", str(source), "--force-new"]
        return seconds(command)

    taken = interleaved({"sha256sum + cp + fsync": floor, "regista register": register}, 3)
    base = taken["sha256sum + cp + fsync"]
    for name, value in taken.items():
        goal = "at most 1.3 times" if name == "regista register" else ""
        row(name, f"{value:.2f} s", f"{value / base:.2f}", goal)
    source.unlink()


def _write(root: str, writer: int, commits: int) -> int:
    reg = regista.open(root, actor=f"writer-{writer}")
    for number in range(commits):
        reg.tag("fraud/card", {f"writer-{writer}": str(number)})
    return commits


def commit_rate(folder: Path, commits: int) -> None:
    """Commits per second with full fsync, tables included."""
    heading("Commits per second (full fsync, tables written)")
    floor_started = time.perf_counter()
    for number in range(commits):
        path = folder / f"floor-{number}"
        with path.open("wb") as stream:
            stream.write(b"x" * 1000)
            os.fsync(stream.fileno())
    floor = commits / (time.perf_counter() - floor_started)
    row("write + fsync of one 1 kB file", f"{floor:.0f} /s", "1.00")
    for writers in (1, 8):
        root = str(small_registry(Path(tempfile.mkdtemp(dir=folder))))
        with ProcessPoolExecutor(writers, mp_context=get_context("spawn")) as pool:
            list(pool.map(_write, [root] * writers, range(writers), [2] * writers))
            started = time.perf_counter()
            each = commits // writers
            total = sum(pool.map(_write, [root] * writers, range(writers), [each] * writers))
            rate = total / (time.perf_counter() - started)
        row(
            f"{writers} writer{'s' if writers > 1 else ''}", f"{rate:.0f} /s", f"{rate / floor:.2f}"
        )


def main() -> None:
    """Run all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--commits", type=int, default=400)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".benchmark-") as name:
        folder = Path(name)
        root = small_registry(folder)
        reads(root, options.rounds)
        promotions(root, options.rounds)
        commit_rate(folder, options.commits)
        registration(folder, options.gigabytes)


if __name__ == "__main__":
    main()
