"""`get` and `register` killed in the middle of a large file, with the bytes counted afterwards.

The command line runs as a process of its own against a real S3 server, behind a proxy that lets
some parts through and holds the others, so that the process is killed while it waits for them.
"""

import hashlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from regista.storage.remote.receiving import PART_BYTES
from support import emulators
from support.cli import Cli
from support.fault_proxy import HANG_S, Fault, FaultProxy, faulty

SIZE = 7 * PART_BYTES + 11
# more than is ever asked for
ALL = 1000


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with faulty(emulators.s3().url) as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path, proxy: FaultProxy) -> Cli:
    place = {
        "REGISTA_REGISTRY": emulators.s3().new_uri(), "REGISTA_CACHE_DIR": str(tmp_path / "cache"),
    }  # fmt: skip
    made = Cli(tmp_path, {**emulators.s3_environ(proxy.url), **place})
    made.ok("init")
    return made


def a_file(cli: Cli, name: str = "model.bin", size: int = SIZE) -> tuple[Path, str]:
    """Make a file; return it and its digest."""
    path = cli.folder / name
    path.write_bytes(os.urandom(size))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def start(cli: Cli, *line: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        cli.command(*line), cwd=cli.folder, env=cli.environment(), stderr=subprocess.PIPE
    )


def kill_when(process: "subprocess.Popen[bytes]", condition: Callable[[], bool]) -> None:
    """Kill a process as soon as something is so, without a chance to clean up."""
    deadline = time.monotonic() + 60
    try:
        while not condition():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.kill()
        process.communicate()


def unfinished_uploads() -> list[str]:
    """Return the keys of the uploads that the store keeps parts of."""
    with urlopen(f"{emulators.s3().url}/{emulators.BUCKET}?uploads", timeout=60) as answer:  # noqa: S310
        return re.findall("<Key>([^<]+)</Key>", answer.read().decode())


def test_a_get_that_was_killed_fetches_only_the_rest(cli: Cli, proxy: FaultProxy) -> None:
    file, sha256 = a_file(cli)
    cli.ok("register", "m", str(file))
    partial = cli.folder / "cache" / f".tmp-{sha256}"
    proxy.obey()
    proxy.order(Fault.HANG, "GET", sha256, times=ALL, spare=4)
    process = start(cli, "get", "m@1", "out")

    def half_done() -> bool:
        answered = proxy.received(sha256) == 4 * PART_BYTES and proxy.count_met(Fault.HANG) > 0
        return answered and partial.stat().st_size >= PART_BYTES

    kill_when(process, half_done)
    assert not (cli.folder / "out").exists()
    there = partial.stat().st_size
    assert PART_BYTES <= there < SIZE
    proxy.obey()
    cli.ok("get", "m@1", "out")
    assert proxy.received(sha256) == SIZE - there
    assert (cli.folder / "out/model.bin").read_bytes() == file.read_bytes()
    assert not partial.exists()
    assert list(cli.folder.glob(".tmp-*")) == []


@pytest.mark.parametrize("files", [1, 3])
def test_ctrl_c_ends_a_get_while_the_store_says_nothing(
    cli: Cli, proxy: FaultProxy, files: int
) -> None:
    (cli.folder / "model").mkdir()
    for number in range(files):
        a_file(cli, f"model/{number}", 2 * PART_BYTES)
    cli.ok("register", "m", "model")
    proxy.obey()
    # the manifest passes
    proxy.order(Fault.HANG, "GET", "blobs/sha256/", times=ALL, spare=1)
    process = start(cli, "get", "m@1", "out")
    while proxy.count_met(Fault.HANG) < files:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    # long before the answers that hang are given up
    _, err = process.communicate(timeout=HANG_S / 2)
    assert (process.returncode, err) == (130, b"")


def test_a_killed_get_whose_start_was_damaged_is_mended(cli: Cli, proxy: FaultProxy) -> None:
    file, sha256 = a_file(cli)
    cli.ok("register", "m", str(file))
    (cli.folder / "cache" / f".tmp-{sha256}").write_bytes(b"damage")
    proxy.obey()
    cli.ok("get", "m@1", "out")
    assert (cli.folder / "out/model.bin").read_bytes() == file.read_bytes()
    assert proxy.received(sha256) == 2 * SIZE - len(b"damage")


def test_processes_that_get_the_same_at_once_all_get_it(cli: Cli, proxy: FaultProxy) -> None:
    file, sha256 = a_file(cli)
    cli.ok("register", "m", str(file))
    proxy.delay_s = 0.05
    ones = [start(cli, "get", "m@1", f"out-{number}") for number in range(3)]
    assert [one.communicate(timeout=60)[1] for one in ones] == [b""] * 3
    for number in range(3):
        assert (cli.folder / f"out-{number}/model.bin").read_bytes() == file.read_bytes()
    cached = cli.folder / "cache/sha256" / sha256[:2] / sha256
    assert cached.read_bytes() == file.read_bytes()
    assert list((cli.folder / "cache").glob(".tmp-*")) == []


def test_a_killed_register_leaves_no_half_object_and_sends_no_finished_file_again(
    cli: Cli, proxy: FaultProxy
) -> None:
    (cli.folder / "model").mkdir()
    small, small_digest = a_file(cli, "model/small.bin", 2 * PART_BYTES)
    large, large_digest = a_file(cli, "model/large.bin")
    proxy.order(Fault.HANG, "PUT", f"{large_digest}?partNumber", times=ALL, spare=3)
    process = start(cli, "register", "m", "model")
    finished = f"/{small_digest}?uploadId"

    def half_done() -> bool:
        whole = any(one.method == "POST" and finished in one.target for one in proxy.passed)
        return whole and proxy.count_met(Fault.HANG) > 0

    kill_when(process, half_done)
    assert any(large_digest in key for key in unfinished_uploads())
    assert cli("resolve", "m@latest").code == 4
    assert cli.ok("verify", "--deep")["ok"]
    proxy.obey()
    cli.ok("register", "m", "model")
    assert proxy.sent(small_digest) == 0
    assert proxy.sent(large_digest) >= SIZE
    cli.ok("get", "m@1", "out")
    assert (cli.folder / "out/large.bin").read_bytes() == large.read_bytes()
    assert (cli.folder / "out/small.bin").read_bytes() == small.read_bytes()
    assert cli.ok("verify", "--deep")["ok"]


def test_an_upload_that_fails_takes_back_what_it_sent(cli: Cli, proxy: FaultProxy) -> None:
    file, sha256 = a_file(cli)
    proxy.order(Fault.ERROR, "PUT", f"{sha256}?partNumber", times=ALL, spare=2, status=403)
    ran = cli("register", "m", str(file), "--json")
    assert ran.code == 7
    assert not [key for key in unfinished_uploads() if sha256 in key]
    assert cli("resolve", "m@latest").code == 4
