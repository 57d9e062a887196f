"""What `docs/json-api.md` says holds: its example runs, and it tells of every document."""

import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from regista.site.api import addresses
from regista.site.paths import encode
from support.site_files import Files, documents

PAGE = Path(__file__).parents[3] / "docs" / "json-api.md"


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and prints nothing."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def served(tmp_path: Path, demo_site: Files) -> Iterator[str]:
    """The address, on a sub-path, of the JSON API of the committed registry."""
    for path, data in demo_site.items():
        if path.startswith(addresses.API):
            target = tmp_path / "models" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    handler = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/models/"
        server.shutdown()


def test_the_python_example_reads_what_is_in_prod(served: str) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102 - our own page
    names["SITE"] = served
    assert names["in_stage"]("digits/classifier", "prod")["version"] == 2


def test_the_page_tells_how_a_name_is_encoded() -> None:
    assert "`fraud/card` is `fraud~-card`" in " ".join(PAGE.read_text("utf-8").split())
    assert encode("fraud/card") == "fraud~-card"
    assert encode("My Model+") == "~my~_~model~02b~"


def test_the_page_tells_of_every_document_of_a_site(demo_site: Files) -> None:
    page = PAGE.read_text("utf-8")
    for path in documents(demo_site):
        general = re.sub(r"^entries/[^/]+", "entries/{entry}", path)
        for folder in ("version", "stage", "alias"):
            plural = "aliases" if folder == "alias" else f"{folder}s"
            general = re.sub(rf"\b{plural}/[^/]+\.json", f"{plural}/{{{folder}}}.json", general)
        assert f"`{general}`" in page, path
