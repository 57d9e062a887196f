"""Requests and time per command on S3, cold and warm, with a round trip added to each request.

    python benchmarks/requests.py [--versions 20000] [--scores 10] [--commits 70] [--delay-ms 50]

S3 is the emulator of the tests, behind a proxy that waits and counts. Cold is a machine that knows
nothing of the registry, warm is one that ran the command before. Each is a process of its own.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from measuring import PYTHON, REGISTA, heading, row

import regista
from regista.storage.store import is_key

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support import emulators
from support.fault_proxy import FaultProxy, faulty

HERE = Path(__file__).parent
POLICY = """
format: 1
stages: [dev, staging, prod]
on_register: dev
rules:
  - stage: staging
    gates: [coverage: {suites: any}]
  - stage: prod
    from: staging
    gates: [threshold: {suite: s, metric: auc, min: 0.5}]
"""
BUDGET = {"resolve": (6, 2), "promote to staging": (None, 12), "promote to prod": (None, 12)}


@dataclass
class Place:
    """A registry in a bucket behind the proxy, and a cache of its own."""

    proxy: FaultProxy
    uri: str
    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """What a command needs to come there by the proxy."""
        return {
            **os.environ, **emulators.s3_environ(self.proxy.url), "REGISTA_REGISTRY": self.uri,
            "REGISTA_CACHE_DIR": str(self.folder / "cache"), "REGISTA_ACTOR": "benchmark",
        }  # fmt: skip

    def forget(self) -> None:
        """Make this machine one that knows nothing."""
        shutil.rmtree(self.folder / "cache", ignore_errors=True)

    def run(self, *line: str) -> tuple[int, float]:
        """Return requests and seconds of a command."""
        self.proxy.obey()
        started = time.perf_counter()
        done = subprocess.run(
            [*REGISTA, *line], env=self.environ, cwd=self.folder, check=False, capture_output=True
        )
        taken = time.perf_counter() - started
        if done.returncode not in {0, 3}:
            sys.exit(done.stderr.decode())
        return self.proxy.count(), taken


def import_into(place: Place, versions: int, scores: int) -> None:
    """Fill the bucket through a bulk import."""
    command = [
        PYTHON, str(HERE / "generate.py"), place.uri, "--versions", str(versions),
        "--scores", str(scores), "--entries", str(max(100, versions // 100)),
    ]  # fmt: skip
    started = time.perf_counter()
    environ = {**place.environ, **emulators.s3().environ}
    done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    row("import", f"{time.perf_counter() - started:.0f} s; {done.stdout.splitlines()[-1]}")


def put_files(place: Place, source: Path) -> None:
    """Fill the bucket with the files of a registry in a folder."""
    bucket = emulators.s3().store_at(place.uri, place.folder / "own")
    files = [path for path in source.rglob("*") if path.is_file()]
    for path in files:
        if is_key(key := path.relative_to(source).as_posix()):
            bucket.put(key, path)
    row("files put", f"{len(files)} of {sum(path.stat().st_size for path in files) / 1e9:.1f} GB")


def make(place: Place, commits: int) -> str:
    """Write some commits into the bucket; return the name of an entry."""
    environ = {**place.environ, **emulators.s3().environ}
    policy = place.folder / "policy.yaml"
    policy.write_text(POLICY)
    with patch.dict(os.environ, environ, clear=True):
        registry = regista.open(place.uri, actor="benchmark")
        registry.apply_policy(policy)
        names = [name for (name,) in registry.sql("SELECT entry FROM entries").fetchall()]
        for number in range(commits):
            registry.tag(names[number % 50], {"commit": str(number)})
    return str(names[-1])


def measure(place: Place, name: str) -> None:
    """Print a line for each command."""
    commands = {
        "resolve": ["resolve", f"{name}@latest"],
        "show": ["show", name],
        "check": ["check", f"{name}@latest", "--to", "staging"],
        "list": ["list", "--limit", "10"],
        "history": ["history", name],
        "sql": ["sql", "SELECT count(*) FROM current_stages"],
        "register": ["register", name, "model.bin"],
        "eval log": ["eval", "log", f"{name}@latest", "--suite", "s", "--metric", "auc=0.9"],
        "promote to staging": ["promote", f"{name}@latest", "--to", "staging"],
        "promote to prod": ["promote", f"{name}@latest", "--to", "prod"],
        "rollback": ["rollback", name, "--stage", "prod"],
    }
    told: dict[str, list[tuple[int, float]]] = {what: [] for what in commands}
    # a version before, that a rollback can restore
    for what in ("register", "eval log", "promote to staging", "promote to prod"):
        (place.folder / "model.bin").write_text("weights before")
        place.run(*commands[what])
    for turn in ("cold", "warm"):
        for what, line in commands.items():
            if turn == "cold":
                place.forget()
            (place.folder / "model.bin").write_text(f"weights {turn} {what}")
            told[what].append(place.run(*line))
    for what, (cold, warm) in told.items():
        most = BUDGET.get(what, (None, None))
        goal = ", ".join(
            f"{kind} at most {number}"
            for kind, number in zip(("cold", "warm"), most, strict=True)
            if number
        )
        row(
            what,
            f"cold {cold[0]} requests, {cold[1]:.2f} s; warm {warm[0]}, {warm[1]:.2f} s",
            goal=goal,
        )


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=20_000)
    parser.add_argument("--scores", type=int, default=10, help="scores of each version")
    parser.add_argument("--commits", type=int, default=70)
    parser.add_argument("--delay-ms", type=int, default=50)
    parser.add_argument("--folder", type=Path, help="a registry to put there, of that size")
    options = parser.parse_args()
    store = emulators.s3()
    with faulty(store.url) as proxy, tempfile.TemporaryDirectory() as folder:
        place = Place(proxy, store.new_uri(), Path(folder))
        heading(
            f"{options.versions:,} versions, {options.versions * options.scores:,} scores;"
            f" {options.delay_ms} ms added to each request"
        )
        if options.folder:
            put_files(place, options.folder)
        else:
            import_into(place, options.versions, options.scores)
        name = make(place, options.commits)
        proxy.delay_s = options.delay_ms / 1000
        measure(place, name)


if __name__ == "__main__":
    main()
