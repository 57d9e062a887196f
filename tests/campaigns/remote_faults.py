"""Commands on a registry in an S3 bucket, through a network that loses, breaks and invents answers.

The real client talks to a real server (an emulator) through a proxy. A child runs both the proxy
and the command, so that the parent stays free of threads. What is left in the bucket is fetched
into a folder, past the proxy, and judged there like any other registry.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from unittest.mock import patch

from campaigns import forking
from campaigns.cases import DATA, Case, case_named
from campaigns.judging import HALF, KNOWN, LOST, UNSOUND, Verdict
from campaigns.racing import DAY_S, Race, check, race
from campaigns.sweeps import Bench, Result
from regista.errors import StorageError
from regista.storage.blobs import BLOB_PREFIX
from regista.storage.local import LocalStore
from regista.storage.opening import open_store
from regista.storage.remote.sending import part_size
from regista.storage.store import digest_key
from support import emulators
from support.cli import Cli, Ran
from support.fault_proxy import Asked, Fault, FaultProxy, faulty
from support.registries import OPEN, new_registry

COMMANDS = ("approve", "promote", "rollback", "eval log", "register", "gc")
# a fault, and the status that it answers
ONCE = (
    (Fault.ANSWER_LOST, 0),
    (Fault.ERROR_AFTER, 500),
    (Fault.ERROR, 500),
    (Fault.ERROR, 503),
    (Fault.ERROR, 409),
    (Fault.ANSWER_HANGS, 0),
)
READS = ((Fault.PARTIAL, 0), (Fault.ERROR, 503))
LISTS = (*READS, (Fault.STALE_LIST, 0))
FOR_EVER = 10_000
PAIRS, SEED = 10, 1
CUT_EVERY = 64 << 10
LARGE = 9 << 20
WRITERS, COMMITS = 16, 500


@dataclass(frozen=True, slots=True)
class Trouble:
    """What one request meets: the number `at` of its method, once or from then on."""

    fault: Fault
    status: int
    method: str
    at: int
    target: str
    lasts: bool = False

    def order(self, proxy: FaultProxy) -> None:
        """Tell a proxy of it."""
        times = FOR_EVER if self.lasts else 1
        proxy.order(
            self.fault, self.method, "", status=self.status, times=times, spare=self.at
        )  # fmt: skip

    def __str__(self) -> str:
        name = self.fault.name.lower().replace("_", " ")
        status = f" {self.status}" if self.status else ""
        lasts = " and so on" if self.lasts else ""
        return f"{name}{status}{lasts}"


def remote_part(name: str, folder: Path) -> Iterator[Result]:
    """Let every request of a command meet every fault that it can, and random pairs of them."""
    bench, chance, case = Bench(folder), Random(SEED), case_named(name)
    environ = dict(emulators.s3().environ)
    asked = _asked(bench, case, environ)
    troubles = [trouble for at in range(len(asked)) for trouble in _troubles(asked, at)]
    writing = [trouble for trouble in troubles if trouble.method not in {"GET", "HEAD"}]
    pairs = [chance.sample(troubles, 2) for _ in range(PAIRS)]
    reading = [trouble for trouble in troubles if trouble.method in {"GET", "HEAD"}]
    # what decides comes first
    for some in (*([one] for one in writing), *pairs, *([one] for one in reading)):
        yield try_troubles(bench, case, environ, some)


def try_troubles(
    bench: Bench, case: Case, environ: Mapping[str, str], troubles: Sequence[Trouble]
) -> Result:
    """Run a command through a troubled network, and judge what is in the bucket."""
    started = time.monotonic()
    with bench.copy(case) as folder:
        uri = emulators.s3().new_uri()
        forking.value(lambda: _send(folder, uri, environ))
        ended = forking.run(lambda: _troubled(folder, case, uri, environ, troubles))
        ran = ended.value[0] if ended.value else None
        forking.value(lambda: _receive(uri, folder / DATA, environ))
        verdict = bench.judged(folder, case, ran)
    if ended.value is None:
        verdict.violations.append((KNOWN, ended.error[-400:] or "it never ended"))
    pair = len(troubles) > 1
    return Result(
        case.name,
        "two troubles at random" if pair else str(troubles[0]),
        "; ".join(f"{one.method} {one.target}{f' ({one})' if pair else ''}" for one in troubles),
        ran.code if ran else None,
        verdict.committed,
        verdict.violations,
        round(time.monotonic() - started, 3),
    )


def multipart_part(folder: Path) -> Iterator[Result]:
    """Break the connection at every 64 KiB of an artifact's upload in parts."""
    folder.mkdir(exist_ok=True)
    environ, file = dict(emulators.s3().environ), folder / "large.bin"
    file.write_bytes(Random(SEED).randbytes(LARGE))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    for number, size in enumerate(_sizes(file)):
        for at in range(CUT_EVERY, size, CUT_EVERY):
            yield _cut(file, digest, environ, number, at)


def bucket_race_part(
    folder: Path, *, writers: int = WRITERS, commits: int = COMMITS
) -> Iterator[Race]:
    """Let writers race on a registry in a bucket."""
    shutil.rmtree(folder, ignore_errors=True)
    notes, root = folder / "notes", folder / DATA
    notes.mkdir(parents=True)
    environ, uri = dict(emulators.s3().environ), emulators.s3().new_uri()
    started = time.monotonic()
    with patch.dict(os.environ, {**environ, "REGISTA_CACHE_DIR": str(folder / "cache")}):
        forking.value(lambda: str(new_registry(OPEN, store=open_store(uri))))
        # a clock that is ahead of the store's is refused there, so that none is
        wrong = race(uri, notes, writers=writers, commits=commits, clocks=(-DAY_S, 0))
    forking.value(lambda: _receive(uri, root, environ))
    what = f"{writers} writers × {commits} commits in a bucket"
    done = check(root, notes, kills=0, what=what, seconds=time.monotonic() - started)
    done.violations.extend((UNSOUND, f"a writer failed: {error[-300:]}") for error in wrong)
    if done.commits != writers * commits + 1:
        done.violations.append((LOST, f"{done.commits} commits"))
    yield done


def _asked(bench: Bench, case: Case, environ: Mapping[str, str]) -> list[Asked]:
    """Return the requests that a command makes when nothing fails."""
    bench.recorded(case)
    with bench.copy(case) as folder:
        uri = emulators.s3().new_uri()
        forking.value(lambda: _send(folder, uri, environ))
        ran, asked = forking.value(lambda: _troubled(folder, case, uri, environ, ()))
    if ran.code:
        raise RuntimeError(f"{case.name} fails without any trouble: {ran}")
    return asked


def _troubles(asked: Sequence[Asked], at: int) -> Iterator[Trouble]:
    one = asked[at]
    nth = sum(1 for before in asked[:at] if before.method == one.method)
    target = one.target.partition("/registries/")[2].partition("?")[0].partition("/")[2][-60:]
    if one.method not in {"GET", "HEAD"}:
        faults: Sequence[tuple[Fault, int]] = ONCE
    elif "list-type" in one.target:
        faults = LISTS
    else:
        faults = READS if one.method == "GET" else READS[1:]
    for fault, status in faults:
        yield Trouble(fault, status, one.method, nth, target)
    if "/log/" in one.target and one.method == "PUT":
        for fault, status in (*ONCE, (Fault.LOST, 0), (Fault.HANG, 0)):
            yield Trouble(fault, status, one.method, nth, target, lasts=True)


def _troubled(
    folder: Path, case: Case, uri: str, environ: Mapping[str, str], troubles: Sequence[Trouble]
) -> tuple[Ran, list[Asked]]:
    with faulty(environ["AWS_ENDPOINT_URL"]) as proxy:
        for trouble in troubles:
            trouble.order(proxy)
        more = {
            "AWS_ENDPOINT_URL": proxy.url,
            "REGISTA_CACHE_DIR": str(folder / "cache"),
            # short, so that what hangs costs little; long, where nothing is to fail
            "REGISTA_STORE_TIMEOUT": "2" if troubles else "30",
            "REGISTA_STORE_RETRIES": "1",
        }
        cli = Cli(folder, {**environ, **more})
        ran = cli.inside("--registry", uri, *case.command())
        return ran, list(proxy.asked)


def _send(folder: Path, uri: str, environ: Mapping[str, str]) -> None:
    with patch.dict(os.environ, environ):
        store, local = open_store(uri), LocalStore(folder / DATA)
        for key in local.list_after(""):
            store.put(key, local.get(key) or b"")


def _receive(uri: str, root: Path, environ: Mapping[str, str]) -> None:
    shutil.rmtree(root, ignore_errors=True)
    with patch.dict(os.environ, environ):
        store = open_store(uri)
        for key in store.list_after(""):
            (root / key).parent.mkdir(parents=True, exist_ok=True)
            (root / key).write_bytes(store.get(key) or b"")


def _sizes(file: Path) -> list[int]:
    """Return the sizes of the parts in which a file is sent."""
    whole = file.stat().st_size
    return [min(part_size(whole), whole - at) for at in range(0, whole, part_size(whole))]


def _cut(file: Path, digest: str, environ: Mapping[str, str], number: int, at: int) -> Result:
    started = time.monotonic()
    uri = emulators.s3().new_uri()
    said = forking.value(lambda: _upload(file, uri, environ, number, at))
    found = forking.value(lambda: _fetched(uri, digest, environ))
    verdict = Verdict(committed=found is not None)
    verdict.expect(found in {None, digest}, HALF, f"the blob is {found}")
    verdict.expect(said != digest or found == digest, LOST, "it was told to be stored")
    return Result(
        "upload", f"connection cut in part {number + 1}", f"byte {at}",
        0 if said == digest else 7, verdict.committed, verdict.violations,
        round(time.monotonic() - started, 3),
    )  # fmt: skip


def _upload(file: Path, uri: str, environ: Mapping[str, str], number: int, at: int) -> str:
    with faulty(environ["AWS_ENDPOINT_URL"]) as proxy:
        proxy.order(Fault.CUT, "PUT", "partNumber", spare=number, after_bytes=at)
        with patch.dict(os.environ, {**environ, "AWS_ENDPOINT_URL": proxy.url}):
            try:
                return open_store(uri).put_by_digest(file, BLOB_PREFIX, lambda _: None)[0]
            except StorageError as error:
                return error.message


def _fetched(uri: str, digest: str, environ: Mapping[str, str]) -> str | None:
    with patch.dict(os.environ, environ):
        data = open_store(uri).get(digest_key(BLOB_PREFIX, digest))
    return None if data is None else hashlib.sha256(data).hexdigest()
