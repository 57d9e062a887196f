"""Object stores for tests: each kind is started once per test process, on a free port.

MiniStack is an S3, Azurite Azure's own emulator, `fake_gcs` our own Google; `rclone serve s3`
ignores conditions, and so is what `init` must refuse. They hold all in memory, or in a folder that
goes, and end with the process that started them. One that cannot be started is a failed test.
"""

import atexit
import base64
import ctypes
import hashlib
import hmac
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from unittest.mock import patch
from urllib.error import HTTPError

from regista.storage.remote.cache import FileCache
from regista.storage.remote.client import make_client
from regista.storage.remote.location import Location
from regista.storage.remote.store import RemoteStore
from support.fake_gcs import Server

BUCKET = "registries"
AZURITE = Path(__file__).parents[1] / "emulators/node_modules/azurite/dist/src/blob/main.js"
START_TIMEOUT_S = 60.0
# a name and key that the emulator's documents publish
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
_CACHE_BYTES = 1 << 30
_numbers = count()


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running object store.

    Attributes:
        scheme: of its URIs.
        url: where it listens.
        environ: what makes any process use it.
    """

    scheme: str
    url: str
    environ: Mapping[str, str]

    def store(self, cache: Path) -> RemoteStore:
        """Return a store at a prefix that nobody else has.

        Args:
            cache: folder for the copies that it keeps.
        """
        return self.store_at(self.new_uri(), cache)

    def store_at(self, uri: str, cache: Path) -> RemoteStore:
        """Return a store at a URI; see `store`."""
        scheme, _, rest = uri.partition("://")
        where = Location.parse(scheme, rest)
        with patch.dict(os.environ, self.environ):
            client = make_client(where)
        return RemoteStore(where, client=client, cache=FileCache(cache, _CACHE_BYTES))

    def new_uri(self) -> str:
        """Return the URI of a prefix that nobody else has."""
        return f"{self.scheme}://{BUCKET}/run-{os.getpid()}/{next(_numbers)}"


@cache
def s3() -> Emulator:
    """Return an S3."""
    port = free_port()
    services = {"SERVICES": "s3", "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1"}
    program = str(Path(sys.executable).with_name("ministack"))
    _start([program], {**services, "MINISTACK_HOST": "127.0.0.1"})
    url = _wait(f"http://127.0.0.1:{port}")
    _request(f"{url}/{BUCKET}", "PUT")
    return Emulator("s3", url, s3_environ(url))


@cache
def careless_s3() -> Emulator:
    """Return an S3 that overwrites whatever the condition says."""
    found = importlib.util.find_spec("rclone_api")
    assert found
    assert found.origin
    program, port = Path(found.origin).parent / "bin" / "rclone", free_port()
    folder = Path(mkdtemp(prefix="regista-rclone-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / BUCKET).mkdir()
    _start(
        [str(program), "serve", "s3", str(folder), "--addr", f"127.0.0.1:{port}",
         "--auth-key", "any,secret", "--vfs-cache-mode", "off"],
        {"RCLONE_CONFIG": os.devnull},
    )  # fmt: skip
    url = _wait(f"http://127.0.0.1:{port}")
    return Emulator("s3", url, s3_environ(url))


@cache
def gcs() -> Emulator:
    """Return a Google Cloud Storage, in this process."""
    server = Server()
    server.make_bucket(BUCKET)
    return Emulator("gs", server.url, gcs_environ(server.url))


@cache
def azure() -> Emulator:
    """Return an Azure Blob Storage."""
    port = free_port()
    _start(
        ["node", str(AZURITE), "--silent", "--inMemoryPersistence", "--skipApiVersionCheck",
         "--disableTelemetry", "--blobHost", "127.0.0.1", "--blobPort", str(port)],
        {},
    )  # fmt: skip
    url = f"{_wait(f'http://127.0.0.1:{port}')}/{AZURE_ACCOUNT}"
    _make_container(url, BUCKET)
    return Emulator("az", url, azure_environ(url))


@contextmanager
def silent_server() -> Iterator[str]:
    """Listen, and never answer; yield the URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def s3_environ(url: str) -> dict[str, str]:
    """Return the variables that make AWS's clients use an S3."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }


def gcs_environ(url: str) -> dict[str, str]:
    """Return the variables that make Google's clients use a server, without logging in."""
    account = {"gcs_base_url": url, "disable_oauth": True}
    nobody = {"client_email": "", "private_key": "", "private_key_id": ""}
    key = json.dumps({**account, **nobody})
    return {"GOOGLE_BASE_URL": url, "GOOGLE_SERVICE_ACCOUNT_KEY": key}


def azure_environ(url: str) -> dict[str, str]:
    """Return the variable that makes Azure's clients use a server."""
    parts = {"AccountName": AZURE_ACCOUNT, "AccountKey": AZURE_KEY, "BlobEndpoint": url}
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    return {"AZURE_STORAGE_CONNECTION_STRING": text}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _start(command: Sequence[str], environ: Mapping[str, str]) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        command,
        env={**own, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - nothing but a system call
    )
    atexit.register(_end, process)


def _die_with_parent() -> None:
    # a test run that is killed leaves nobody who would end its emulators
    pr_set_pdeathsig = 1
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _wait(url: str) -> str:
    """Return the URL when something answers there, whatever it says."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            _request(url, "GET")
        except HTTPError:
            # whatever it refuses, it is there
            return url
        except OSError:
            time.sleep(0.05)
        else:
            return url
    raise AssertionError(f"nothing answers at {url}")


def _request(url: str, method: str, headers: Mapping[str, str] | None = None) -> None:
    request = urllib.request.Request(url, method=method, headers=dict(headers or {}))  # noqa: S310
    with urllib.request.urlopen(request, timeout=START_TIMEOUT_S):  # noqa: S310
        pass


def _make_container(url: str, name: str) -> None:
    """Make an Azure container, with a request signed as its documents ask for.

    See https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-shared-key.
    """
    date, version = format_datetime(datetime.now(UTC), usegmt=True), "2021-12-02"
    canonical = f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{name}\nrestype:container"
    signed = f"PUT{chr(10) * 12}x-ms-date:{date}\nx-ms-version:{version}\n{canonical}"
    digest = hmac.new(base64.b64decode(AZURE_KEY), signed.encode(), hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    headers = {
        "x-ms-date": date,
        "x-ms-version": version,
        "Authorization": f"SharedKey {AZURE_ACCOUNT}:{signature}",
        "Content-Length": "0",
    }
    _request(f"{url}/{name}?restype=container", "PUT", headers)
