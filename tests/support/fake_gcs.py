"""A small Google Cloud Storage: what its XML API does with objects, in memory.

Only what a client of objects needs: put (also with `x-goog-if-generation-match: 0`), get with
ranges and `If-Match`, head, delete, list in pages, multipart upload. Public emulators speak the
JSON API only. Names and answers are those of https://cloud.google.com/storage/docs/xml-api.
"""

import hashlib
import threading
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Held:
    """An object: its bytes, when it was written, and its number among all writes."""

    data: bytes
    written: datetime
    generation: int

    @property
    def e_tag(self) -> str:
        return f'"{hashlib.md5(self.data).hexdigest()}-{self.generation}"'  # noqa: S324 - no secret


@dataclass(slots=True)
class Buckets:
    """All that the server holds; the guard makes check and write one step."""

    objects: dict[str, dict[str, Held]] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)
    generation: int = 0

    def put(self, bucket: str, name: str, data: bytes, *, new: bool) -> Held | None:
        """Write an object; None when it must be new and is not."""
        with self.guard:
            if new and name in self.objects[bucket]:
                return None
            self.generation += 1
            held = Held(data, datetime.now(UTC), self.generation)
            self.objects[bucket][name] = held
            return held


class Server(ThreadingHTTPServer):
    """The server, on a free port of this machine."""

    daemon_threads = True
    # sixteen clients may come at once
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.buckets = Buckets()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.server_port}"

    def make_bucket(self, name: str) -> None:
        """Make an empty bucket."""
        self.buckets.objects[name] = {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        if self._found_bucket():
            if self.name:
                self._get(body=True)
            else:
                self._list()

    def do_HEAD(self) -> None:
        if self._found_bucket():
            self._get(body=False)

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self._found_bucket():
            return
        if "uploadId" in self.query:
            self.server.buckets.uploads[self.query["uploadId"]][int(self.query["partNumber"])] = (
                data
            )
            self._answer(200, headers={"ETag": f'"{hashlib.sha256(data).hexdigest()}"'})
            return
        new = self.headers.get("x-goog-if-generation-match") == "0"
        held = self.server.buckets.put(self.bucket, self.name, data, new=new)
        if held is None:
            self._fail(412, "PreconditionFailed")
        else:
            self._answer(200, headers={"ETag": held.e_tag})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self._found_bucket():
            return
        uploads = self.server.buckets.uploads
        if "uploads" in self.query:
            with self.server.buckets.guard:
                name = f"upload-{len(uploads)}"
                uploads[name] = {}
            self._answer(200, _xml("InitiateMultipartUploadResult", UploadId=name))
        else:
            parts = uploads.get(self.query["uploadId"])
            if parts is None:
                self._fail(404, "NoSuchUpload")
                return
            data = b"".join(parts[number] for number in sorted(parts))
            held = self.server.buckets.put(self.bucket, self.name, data, new=False)
            assert held
            self._answer(200, _xml("CompleteMultipartUploadResult", ETag=held.e_tag))

    def do_DELETE(self) -> None:
        if not self._found_bucket():
            return
        if "uploadId" in self.query:
            self.server.buckets.uploads.pop(self.query["uploadId"], None)
            self._answer(204)
        elif self.server.buckets.objects[self.bucket].pop(self.name, None) is None:
            self._fail(404, "NoSuchKey")
        else:
            self._answer(204)

    def _found_bucket(self) -> bool:
        parts = urlsplit(self.path)
        self.bucket, _, self.name = unquote(parts.path).lstrip("/").partition("/")
        self.query = {
            name: values[0]
            for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        }
        if self.bucket in self.server.buckets.objects:
            return True
        self._fail(404, "NoSuchBucket")
        return False

    def _get(self, *, body: bool) -> None:
        held = self.server.buckets.objects[self.bucket].get(self.name)
        if held is None:
            self._fail(404, "NoSuchKey")
            return
        if self.headers.get("If-Match") not in {None, held.e_tag}:
            self._fail(412, "PreconditionFailed")
            return
        headers = {
            "ETag": held.e_tag,
            "Last-Modified": format_datetime(held.written, usegmt=True),
            "x-goog-generation": str(held.generation),
        }
        data, status = held.data, 200
        if wanted := self.headers.get("Range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or len(data)), len(data) - 1)
            if start >= len(data):
                self._fail(416, "InvalidRange")
                return
            headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
            data, status = data[start : end + 1], 206
        self._answer(status, data, headers=headers, body=body)

    def _list(self) -> None:
        """List objects and common prefixes by name, in pages."""
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter", "")
        after = self.query.get("continuation-token") or self.query.get("start-after", "")
        with self.server.buckets.guard:
            held = dict(self.server.buckets.objects[self.bucket])
        names = sorted(held)
        lines, common = [], set()
        rest = iter(names[bisect_right(names, after) :])
        for name in rest:
            if not name.startswith(prefix):
                continue
            folder, found, _ = name.removeprefix(prefix).partition(delimiter or "\0")
            if found:
                common.add(f"{prefix}{folder}{delimiter}")
                continue
            lines.append(_line(name, held[name]))
            if len(lines) == PAGE:
                break
        last = next(rest, None) and name
        body = "".join(lines)
        body += "".join(_xml("CommonPrefixes", Prefix=one).decode() for one in sorted(common))
        body += f"<IsTruncated>{'true' if last else 'false'}</IsTruncated>"
        body += f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if last else ""
        self._answer(200, f"<ListBucketResult>{body}</ListBucketResult>".encode())

    def _fail(self, status: int, code: str) -> None:
        body = self.command != "HEAD"
        self._answer(status, _xml("Error", Code=code, Message=code), body=body)

    def _answer(
        self,
        status: int,
        data: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
        body: bool = True,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


def _xml(root: str, **fields: str) -> bytes:
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return f"<{root}>{inner}</{root}>".encode()


def _line(name: str, held: Held) -> str:
    return _xml(
        "Contents",
        Key=name,
        Size=str(len(held.data)),
        ETag=held.e_tag,
        LastModified=held.written.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    ).decode()
