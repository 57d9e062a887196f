import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from regista.errors import InvalidInputError, StorageError
from regista.site.output.exchange import Way
from regista.site.output.publication import Published
from regista.site.serving import serve, watch
from regista.site.web import FolderServer
from support.publications import generation, publish

BUILT = Published(2, 1, 0, 9, ("a", "b"), (), Way.AT_ONCE)
TYPES = {
    "a.html": "text/html; charset=utf-8",
    "a.css": "text/css; charset=utf-8",
    "a.js": "text/javascript; charset=utf-8",
    "a.json": "application/json",
    "a.parquet": "application/vnd.apache.parquet",
    "a.wasm": "application/wasm",
    "a.svg": "image/svg+xml",
    "a.xml": "application/xml",
    "a.TXT": "text/plain; charset=utf-8",
    "a.unknown": "application/octet-stream",
    "a": "application/octet-stream",
}


class Answer:
    def __init__(self, response: HTTPResponse) -> None:
        self.status, self.headers = response.status, response.headers
        self.body = response.read()


class Client:
    def __init__(self, server: FolderServer) -> None:
        self._address = (server.host, server.server_port)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = HTTPConnection(*self._address, timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=named)
            return Answer(connection.getresponse())
        finally:
            connection.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    out = tmp_path / "site"
    publish(out, generation(1) | dict.fromkeys((f"types/{name}" for name in TYPES), b"1\n"))
    return out


@pytest.fixture
def client(out: Path) -> Iterator[Client]:
    with FolderServer(out, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield Client(server)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", TYPES)
def test_files_have_their_types(client: Client, name: str) -> None:
    answer = client.ask(f"/types/{name}")
    assert (answer.status, answer.body) == (200, b"1\n")
    assert answer.headers["Content-Type"] == TYPES[name]
    assert answer.headers["Content-Length"] == "2"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Python" not in answer.headers["Server"]


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/?q=1", "/entries/m/", "/entries/m/?a/b", "/%65ntries/m/v/1.html"]
)
def test_pages_are_found(client: Client, path: str) -> None:
    answer = client.ask(path)
    assert (answer.status, answer.body) == (200, b"1\n")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/entries/m", "/entries/m/"),
        ("//entries/m", "/entries/m/"),
        ("/entries/m?a=b", "/entries/m/?a=b"),
        ("*", "/"),
    ],
)
def test_a_folder_without_its_slash_is_redirected(client: Client, path: str, target: str) -> None:
    answer = client.ask(path)
    assert (answer.status, answer.headers["Location"], answer.body) == (301, target, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/none", "/entries/", "/entries", "/index.html/", "/index.html/x", "/../secret.html",
        "/%2e%2e/secret.html", "/entries/../index.html", "/..%2fsecret.html", "/a\\b",
        "/..%5csecret.html", "/%00", "/index.html%00", "/.regista-site.json", "/.git/config",
        "//evil.example/", "/link.html", "/linked/secret.html", "/pipe",
        "/%ff%fe", "http://127.0.0.1/index.html", "/" + "x" * 5000, "/a/" * 500,
    ],
)  # fmt: skip
def test_nothing_else_is_served(client: Client, out: Path, path: str) -> None:
    (out.parent / "secret.html").write_text("secret")
    (out / "link.html").symlink_to("../secret.html")
    (out / "linked").symlink_to("..")
    os.mkfifo(out / "pipe")
    (out / "404.html").write_text("our own page")
    answer = client.ask(path)
    assert (answer.status, answer.body) == (404, b"our own page")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_without_a_page_for_it_a_missing_page_is_still_404(client: Client) -> None:
    assert client.ask("/none").status == 404


def test_what_lies_in_the_working_folder_is_not_served(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.html").write_text("secret")
    monkeypatch.chdir(tmp_path)
    assert client.ask("/none/secret.html").status == 404


def test_head_sends_no_body(client: Client) -> None:
    answer = client.ask("/", "HEAD")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "2")
    assert client.ask("/none", "HEAD").body == b""


def test_other_methods_are_not_there(client: Client) -> None:
    assert client.ask("/", "POST").status == 501


def test_what_the_browser_has_is_not_sent_again(client: Client) -> None:
    first = client.ask("/")
    tag, date = first.headers["ETag"], first.headers["Last-Modified"]
    for headers in (
        {"If_None_Match": tag}, {"If_None_Match": f'"x", W/{tag}'}, {"If_None_Match": "*"},
        {"If_Modified_Since": date},
    ):  # fmt: skip
        answer = client.ask("/", **headers)
        assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", tag)
    for headers in (
        {"If_None_Match": '"x"', "If_Modified_Since": date}, {"If_Modified_Since": "yesterday"},
        {"If_Modified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    ):  # fmt: skip
        assert client.ask("/", **headers).status == 200


def test_a_site_that_takes_the_place_is_served_at_once(client: Client, out: Path) -> None:
    tag = client.ask("/").headers["ETag"]
    publish(out, generation(2))
    answer = client.ask("/", If_None_Match=tag)
    assert (answer.status, answer.body) == (200, b"2\n")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "["])
def test_other_sites_cannot_use_our_address(client: Client, host: str) -> None:
    assert client.ask("/", Host=host).status == 421


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_every_name_of_this_computer_is_answered(client: Client, host: str) -> None:
    assert client.ask("/", Host=host).status == 200


def test_who_listens_to_all_answers_to_any_name(out: Path) -> None:
    with FolderServer(out, "0.0.0.0", 0) as server:  # noqa: S104 - what is tested
        assert server.answers_to("anything.example")


def test_a_client_that_hangs_up_is_not_talked_of(
    client: Client, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (out / "large.bin").write_bytes(bytes(20_000_000))
    with socket.create_connection(client._address) as connection:  # noqa: SLF001
        connection.sendall(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.recv(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert client.ask("/").status == 200
    assert capfd.readouterr().err == ""


def test_a_bug_is_not_hidden(out: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with FolderServer(out, "127.0.0.1", 0) as server:
        try:
            int("x")
        except ValueError:
            server.handle_error(None, ("127.0.0.1", 1))
    assert "ValueError" in capfd.readouterr().err


@pytest.mark.parametrize("port", [-1, 65536])
def test_what_is_no_port_is_an_error(tmp_path: Path, port: int) -> None:
    with pytest.raises(InvalidInputError, match="is no port"):
        FolderServer(tmp_path, "127.0.0.1", port)


def test_a_port_in_use_is_an_error_that_names_the_option(tmp_path: Path) -> None:
    with (
        FolderServer(tmp_path, "127.0.0.1", 0) as server,
        pytest.raises(InvalidInputError, match="Address already in use") as caught,
    ):
        FolderServer(tmp_path, "127.0.0.1", server.server_port)
    assert "--port" in caught.value.hint


@pytest.mark.parametrize("host", ["", "x" * 70 + ".example"])
def test_a_host_is_one_or_an_error(tmp_path: Path, host: str) -> None:
    if host:
        with pytest.raises(InvalidInputError, match="cannot listen on"):
            FolderServer(tmp_path, host, 0)


def test_an_ipv6_address_has_brackets(tmp_path: Path) -> None:
    if not socket.has_dualstack_ipv6():
        with pytest.raises(InvalidInputError):
            FolderServer(tmp_path, "::1", 0)
        return
    with FolderServer(tmp_path, "::1", 0) as server:
        assert server.url == f"http://[::1]:{server.server_port}/"


class _OverError(BaseException):
    pass


def watched(states: list[object], builds: list[Exception | None]) -> list[str]:
    """Watch through the given fingerprints; an error among them is raised."""
    events: list[str] = []
    left = iter(states)
    outcomes = iter(builds)

    def fingerprint() -> object:
        try:
            state = next(left)
        except StopIteration:
            raise _OverError from None
        if isinstance(state, Exception):
            raise state
        return state

    def build() -> Published:
        events.append("build")
        outcome = next(outcomes)
        if outcome:
            raise outcome
        return BUILT

    with pytest.raises(_OverError):
        watch(build, fingerprint, 0, events.append, lambda: None)
    return events


TOLD = "built: 2 files written, 1 kept, 0 removed"
FULL = StorageError("cannot write a: the disk is full", hint="free some space")
FAILED = "cannot build, so the last site stays: cannot write a: the disk is full; free some space"


def test_only_a_change_is_built() -> None:
    assert watched([0, 0, 1, 1, 2], [None, None]) == ["build", TOLD, "build", TOLD]


def test_a_failing_build_is_told_and_tried_again_at_the_next_change() -> None:
    events = watched([1, 1, 1, 2, 3], [FULL, FULL, None])
    assert events == ["build", FAILED, "build", FAILED, "build", TOLD]


def test_a_fingerprint_that_keeps_failing_is_told_once() -> None:
    assert watched([FULL, FULL, 0, FULL, 1], [None]) == [FAILED, FAILED, "build", TOLD]


def test_any_failure_of_a_template_is_told() -> None:
    events = watched([1], [TypeError("no such filter")])
    assert events[1] == "cannot build, so the last site stays: TypeError: no such filter"


def test_the_first_failure_ends_serving(tmp_path: Path) -> None:
    def build() -> Published:
        raise FULL

    with pytest.raises(StorageError):
        serve(build, tmp_path, 0, fingerprint=lambda: 0, on_event=lambda _: None)


def test_serving_rebuilds_until_ctrl_c(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from regista.site.serving import serve
        from support.publications import generation, publish

        source, out = Path(sys.argv[1]), Path(sys.argv[2])

        def build():
            return publish(out, generation(int(source.read_text())))

        serve(build, out, 0, fingerprint=source.read_text, on_event=lambda e: print(e, flush=True))
    """
    source, half = tmp_path / "source", tmp_path / "half"
    source.write_text("1")
    command = [sys.executable, "-c", textwrap.dedent(code), str(source), str(tmp_path / "site")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith("built: 6 files written")
            address = process.stdout.readline().split()[1]
            port = int(address.rstrip("/").rpartition(":")[2])
            for number in (2, 3):
                half.write_text(str(number))
                half.replace(source)
                assert process.stdout.readline().startswith("built: 6 files written")
                connection = HTTPConnection("127.0.0.1", port, timeout=20)
                connection.request("GET", "/")
                assert connection.getresponse().read() == b"%d\n" % number
                connection.close()
            process.send_signal(signal.SIGINT)
            assert process.stdout.read() == "stopped\n"
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_ctrl_c_ends_serving_and_frees_the_port(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    events: list[str] = []
    serve(lambda: BUILT, out, 0, fingerprint=lambda: 0, on_event=events.append)
    assert [event.split()[0] for event in events] == ["built:", "serving", "stopped"]
    port = int(events[1].split(":")[2].partition("/")[0])
    with FolderServer(out, "127.0.0.1", port) as server:
        assert server.server_port == port
