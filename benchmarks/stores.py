"""A registry on S3 beside one in a folder: commits per second, and the speed of a large artifact.

    python benchmarks/stores.py [--gigabytes 1] [--rounds 3] [--commits 320] [--writers 1 8 32]

S3 is the emulator of the tests, on this machine, so what is measured is Regista and the emulator
together: compare with the floor, which is AWS's own client on the same emulator in the same run.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3
from measuring import REGISTA, heading, interleaved, row, seconds
from run import small_registry

import regista

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support import emulators


def write(root: str, writer: int, commits: int) -> int:
    """Commit so many times, each time over against the other writers."""
    reg = regista.open(root, actor=f"writer-{writer}", timeout_s=600)
    for number in range(commits):
        reg.tag("fraud/card", {f"writer-{writer}": str(number)})
    return commits


def rate(root: str, writers: int, commits: int) -> float:
    """Return commits per second of several processes at once."""
    with ProcessPoolExecutor(writers, mp_context=get_context("spawn")) as pool:
        list(pool.map(write, [root] * writers, range(writers), [1] * writers))
        each = max(1, commits // writers)
        started = time.perf_counter()
        total = sum(pool.map(write, [root] * writers, range(writers), [each] * writers))
        return total / (time.perf_counter() - started)


def commits(folder: Path, store: emulators.Emulator, count: int, writers: list[int]) -> None:
    """Commits per second on a folder and on S3."""
    heading("Commits per second: a folder and S3")
    puts = floor(store, count)
    row("S3 floor: PUT of 1 kB with If-None-Match, by boto3", f"{puts:.0f} /s", "1.00")
    for number in writers:
        name = f"{number} writer{'s' if number > 1 else ''}"
        local = rate(str(small_registry(Path(tempfile.mkdtemp(dir=folder)))), number, count)
        row(f"folder, {name}", f"{local:.0f} /s")
        uri = store.new_uri()
        small = small_registry(Path(tempfile.mkdtemp(dir=folder)))
        regista.mirror(str(small), uri)
        remote = rate(uri, number, count)
        row(f"S3, {name}", f"{remote:.1f} /s", f"{remote / puts:.2f} of the floor")


def client(store: emulators.Emulator) -> "boto3.client":
    """Return AWS's own client."""
    return boto3.client("s3", endpoint_url=store.url, region_name="us-east-1")


def floor(store: emulators.Emulator, count: int) -> float:
    """Return how many small conditional writes a second the store takes from one client."""
    s3 = client(store)
    started = time.perf_counter()
    for number in range(count):
        key = f"floor/{os.getpid()}/{number}"
        s3.put_object(Bucket=emulators.BUCKET, Key=key, Body=b"x" * 1000, IfNoneMatch="*")
    return count / (time.perf_counter() - started)


def empty(store: emulators.Emulator) -> None:
    """Remove everything, as the emulator may keep it in memory."""
    bucket = boto3.resource("s3", endpoint_url=store.url, region_name="us-east-1")
    bucket.Bucket(emulators.BUCKET).objects.all().delete()


def throughput(folder: Path, store: emulators.Emulator, gigabytes: float, rounds: int) -> None:
    """`register` and `get` of one large file against AWS's client."""
    heading(f"A {gigabytes:g} GB artifact on S3")
    source = folder / "weights.bin"
    with source.open("wb") as stream:
        for _ in range(int(gigabytes * 1024)):
            stream.write(os.urandom(1 << 20))
    s3, size = client(store), source.stat().st_size

    def timed(work: Callable[[], object]) -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    def upload() -> float:
        empty(store)
        return timed(lambda: s3.upload_file(str(source), emulators.BUCKET, key))

    def register() -> float:
        empty(store)
        # a registry of its own each time, or the file would be there already
        uri.append(store.new_uri())
        seconds([*REGISTA, "--registry", uri[-1], "init"])
        return seconds([*REGISTA, "--registry", uri[-1], "register", "big", str(source)])

    def get() -> float:
        with TemporaryDirectory(dir=folder) as cache, TemporaryDirectory(dir=folder) as place:
            os.environ["REGISTA_CACHE_DIR"] = cache
            return seconds([*REGISTA, "--registry", uri[-1], "get", "big@1", f"{place}/out"])

    uri: list[str] = []
    key, copy = f"floor/{os.getpid()}/weights", str(folder / "copy.bin")
    taken = interleaved(
        {
            "boto3 upload_file": upload,
            "boto3 download_file": lambda: timed(
                lambda: s3.download_file(emulators.BUCKET, key, copy)
            ),
            "regista register": register,
            "regista get": get,
        },
        rounds,
    )
    for ours, theirs in (
        ("regista register", "boto3 upload_file"),
        ("regista get", "boto3 download_file"),
    ):
        for name in (theirs, ours):
            speed = f"{taken[name]:.2f} s, {size / taken[name] / 1e6:.0f} MB/s"
            row(name, speed, f"{taken[name] / taken[theirs]:.2f}")


def main() -> None:
    """Run all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--commits", type=int, default=320)
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 8, 32])
    options = parser.parse_args()
    store = emulators.s3()
    os.environ.update(store.environ)
    with TemporaryDirectory(dir=Path.cwd(), prefix=".benchmark-") as name:
        folder = Path(name)
        os.environ["REGISTA_CACHE_DIR"] = str(folder / "cache")
        commits(folder, store, options.commits, options.writers)
        throughput(folder, store, options.gigabytes, options.rounds)


if __name__ == "__main__":
    main()
