"""Every command on a registry of a million versions and ten million scores.

    python benchmarks/scale.py [--versions 1000000] [--entries 10000] [--folder DIR] [--commits 200]

The registry is made through the public bulk import (`generate.py`) unless DIR holds one already.
Prints Markdown; an empty registry and bare imports are measured in the same run as floors.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import PYTHON, REGISTA, heading, interleaved, peak_mb, row, seconds

import regista

HERE = Path(__file__).parent
LEADERBOARD = (
    "SELECT entry, version, value FROM eval_scores"
    " WHERE entry_id = (SELECT entry_id FROM entries WHERE entry = '{name}')"
    " AND suite = '{suite}' AND slice = '' ORDER BY value DESC LIMIT 10"
)


def generate(options: argparse.Namespace, root: Path) -> None:
    """Make the large registry."""
    heading("Making it, through the bulk import")
    command = [
        PYTHON, str(HERE / "generate.py"), str(root), "--versions", str(options.versions),
        "--entries", str(options.entries), "--scores", str(options.scores),
    ]  # fmt: skip
    taken, peak = peak_mb(command)
    row(
        f"{options.versions:,} versions, {options.versions * options.scores:,} scores",
        f"{taken:.0f} s, {peak:.0f} MB",
        goal="minutes",
    )


def empty_registry(folder: Path) -> tuple[Path, str]:
    """Make a registry with one entry of one version, as the floor."""
    root = folder / "empty"
    reg = regista.init(str(root), actor="benchmark").registry
    reg.register("m", uri="file:///nowhere")
    reg.log_eval("m@1", "holdout", {"accuracy": "0.9"})
    return root, "m"


def commands(large: Path, name: str, small: Path, rounds: int) -> None:
    """Cold commands on the large registry against the same on an empty one."""
    heading("Cold commands (one process each), large against empty")
    suite = json.loads(
        subprocess.run(
            [*REGISTA, "--registry", str(large), "--json", "show", f"{name}@latest"],
            check=True,
            capture_output=True,
        ).stdout
    )["evals"]
    first_suite = next(iter(suite), "")
    questions = {
        "resolve": lambda n: ["resolve", f"{n}@latest"],
        "show NAME": lambda n: ["show", n],
        "show NAME@V": lambda n: ["show", f"{n}@latest"],
        "history": lambda n: ["history", n],
        "list": lambda _n: ["list", "--limit", "10"],
        "log": lambda _n: ["log"],
        "doctor": lambda _n: ["doctor"],
        "leaderboard query": lambda n: ["sql", LEADERBOARD.format(name=n, suite=first_suite)],
        "eval leaderboard": lambda _n: ["eval", "leaderboard", "--metric", "accuracy"],
    }
    floors = {
        "python -c pass": lambda: seconds([PYTHON, "-c", "pass"]),
        'python -c "import click"': lambda: seconds([PYTHON, "-c", "import click"]),
        'python -c "import duckdb"': lambda: seconds([PYTHON, "-c", "import duckdb"]),
    }
    for floor, value in interleaved(floors, rounds).items():
        row(floor, f"{value * 1000:.0f} ms")
    for what, arguments in questions.items():
        taken = interleaved(
            {
                "large": lambda a=arguments: seconds(
                    [*REGISTA, "--registry", str(large), *a(name)]
                ),
                "empty": lambda a=arguments: seconds([*REGISTA, "--registry", str(small), *a("m")]),
            },
            rounds,
        )
        row(
            what,
            f"{taken['large'] * 1000:.0f} ms (empty: {taken['empty'] * 1000:.0f} ms)",
            f"{taken['large'] / taken['empty']:.2f}",
        )
    _check(large, name, small, rounds)


def _check(large: Path, name: str, small: Path, rounds: int) -> None:
    def check(root: Path, entry: str) -> float:
        command = [*REGISTA, "--registry", str(root), "check", f"{entry}@latest", "--to", "staging"]
        started = time.perf_counter()
        done = subprocess.run(command, check=False, capture_output=True)
        if done.returncode not in {0, 3}:
            sys.exit(done.stderr.decode())
        return time.perf_counter() - started

    taken = interleaved(
        {"large": lambda: check(large, name), "empty": lambda: check(small, "m")}, rounds
    )
    row(
        "check",
        f"{taken['large'] * 1000:.0f} ms (empty: {taken['empty'] * 1000:.0f} ms)",
        f"{taken['large'] / taken['empty']:.2f}",
    )


def commits(large: Path, name: str, small: Path, count: int) -> None:
    """One more commit, many times, in one process on each."""
    heading(f"One more commit, {count} times (in one process)")
    medians = {}
    for what, root, entry in (("empty", small, "m"), ("large", large, name)):
        reg = regista.open(str(root), actor="benchmark")
        reg.tag(entry, {"warm": "up"})
        taken = []
        for number in range(count):
            started = time.perf_counter()
            reg.tag(entry, {"benchmark": str(number)})
            taken.append(time.perf_counter() - started)
        medians[what] = statistics.median(taken)
        row(
            what,
            f"median {medians[what] * 1000:.1f} ms, worst {max(taken) * 1000:.0f} ms",
            f"{medians[what] / medians['empty']:.2f}",
            "median within 1.5 times empty" if what == "large" else "",
        )


def whole(large: Path) -> None:
    """`verify` of everything."""
    heading("The whole registry")
    taken, peak = peak_mb([*REGISTA, "--registry", str(large), "verify"])
    row("verify", f"{taken:.0f} s, {peak:.0f} MB")


def main() -> None:
    """Run all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=1_000_000)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--scores", type=int, default=10)
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--no-verify", action="store_true", help="it reads everything")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".benchmark-") as scratch:
        large = options.folder or Path(scratch) / "large"
        if not (large / "registry.json").exists():
            generate(options, large)
        small, _ = empty_registry(Path(scratch))
        name = regista.open(str(large)).sql("SELECT entry FROM entries LIMIT 1").fetchall()[0][0]
        commands(large, name, small, options.rounds)
        commits(large, name, small, options.commits)
        if not options.no_verify:
            whole(large)


if __name__ == "__main__":
    main()
