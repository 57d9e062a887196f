import pickle
import threading
from collections import deque
from functools import partial
from multiprocessing import Pipe
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from regista.errors import InvalidInputError, StorageError
from regista.read.opening import open_replica
from regista.registry.reads import Reads
from regista.site import building, workers
from regista.site.options import SiteOptions
from regista.site.output.sinks import FolderSink
from regista.site.planning import plan
from regista.site.workers import Workers
from support import site_registries


class Patient(Workers):
    """Has all entries rendered by workers, from the first."""

    def take_part(self, rendered: int, left: int, versions: int) -> bool:
        super().take_part(max(rendered, workers.FIRST), max(left, workers.WORTH), versions)
        while not any(worker.ready for worker in self._workers):
            self._receive()
        return True


class Killing(Patient):
    def give(self, index: int, group: str, versions: int, rows: bytes) -> None:
        for worker in self._workers:
            worker.process.kill()
        super().give(index, group, versions, rows)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site_registries.demo(tmp_path_factory.mktemp("registry"))


def built(
    registry: Path, out: Path, monkeypatch: pytest.MonkeyPatch, made_by: Any, **options: Any
) -> dict[str, bytes]:
    """Return the files of a site whose entries are made so."""
    monkeypatch.setattr(building, "Workers", made_by)
    out.mkdir()
    sink = FolderSink(out)
    building.build(plan(Reads(open_replica(str(registry))), SiteOptions(**options)), sink)
    return {path: (out / path).read_bytes() for path in sink.paths}


def test_workers_make_the_files_that_one_process_makes(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = built(registry, tmp_path / "alone", monkeypatch, partial(Workers, most=0))
    assert built(registry, tmp_path / "two", monkeypatch, partial(Patient, most=2)) == alone
    assert any(path.startswith("entries/") for path in alone)


def test_a_worker_that_is_killed_ends_the_build(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StorageError, match="ended with signal 9"):
        built(registry, tmp_path / "out", monkeypatch, partial(Killing, most=2))


def test_an_error_of_a_worker_is_the_error_of_the_build(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = tmp_path / "templates" / "registry" / "version.html"
    template.parent.mkdir(parents=True)
    template.write_text("one\n{% if %}")
    made_by = partial(Patient, most=2)
    with pytest.raises(InvalidInputError, match=r"version\.html line 2") as caught:
        built(registry, tmp_path / "out", monkeypatch, made_by, templates=tmp_path / "templates")
    assert "in a process that renders pages" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("most", "rendered", "left"),
    [
        (0, workers.FIRST, workers.WORTH),
        (1, workers.FIRST - 1, workers.WORTH),
        (1, workers.FIRST, workers.WORTH - 1),
    ],
)
def test_workers_start_only_where_they_pay(most: int, rendered: int, left: int) -> None:
    class Brief:
        store = "somewhere"

    brief: Any = Brief()
    with Workers(brief, FolderSink(Path()), most) as made:
        assert not made.take_part(rendered, left, 1)
        assert made.told == {}


class Standing:
    """A worker that has so many versions to make, and never does."""

    def __init__(self, versions: int, *, ready: bool = True) -> None:
        self.versions, self.ready, self.orders = versions, ready, deque[Any]()
        self.process = Mock()
        self.come, self.theirs = Pipe(duplex=False)
        self.orders_come, self.to = Pipe(duplex=False)


class Staffed(Workers):
    """Has workers that stand there."""

    def __init__(self, *workers: Standing) -> None:
        brief: Any = Mock(store="somewhere")
        super().__init__(brief, FolderSink(Path()), most=len(workers))
        self._workers = list(workers)  # type: ignore[arg-type]


@pytest.mark.parametrize(("pending", "takes_part"), [(0, True), (19, True), (20, False)])
def test_the_parent_renders_while_all_workers_have_enough_to_do(
    pending: int, *, takes_part: bool
) -> None:
    with Staffed(Standing(pending), Standing(50), Standing(0, ready=False)) as made:
        assert made.take_part(0, 0, versions=10) is takes_part
        assert not made.are_starting
    with Staffed(Standing(0, ready=False)) as made:
        assert not made.take_part(0, 0, versions=10)
        assert made.are_starting


def test_an_entry_is_given_to_the_worker_with_the_least_to_do() -> None:
    less, more = Standing(5), Standing(9)
    with Staffed(more, less, Standing(0, ready=False)) as made:
        made.give(7, "entry/e", 6, b"rows")
        assert less.orders_come.recv_bytes() == b"rows"
        assert (less.versions, more.versions) == (11, 9)
        made.give(8, "entry/f", 6, b"more")
        assert more.orders_come.recv_bytes() == b"more"


def served(monkeypatch: pytest.MonkeyPatch, maker: Any) -> list[Any]:
    """Return what a worker answers that has this instead of its maker of entries."""
    monkeypatch.setattr(workers, "EntryMaker", maker)
    ours, orders = Pipe()
    answers, theirs = Pipe()
    thread = threading.Thread(target=workers.serve, args=(orders, theirs))
    thread.start()
    ours.send_bytes(pickle.dumps(("brief", "hand")))
    ours.close()
    thread.join()
    theirs.close()
    found = []
    while answers.poll():
        try:
            found.append(answers.recv())
        except EOFError:
            break
    return found


def test_an_error_that_cannot_be_sent_is_told_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    class LocalError(Exception):
        pass

    def maker(_brief: object) -> None:
        raise LocalError("it was so")

    _ready, (kind, error) = served(monkeypatch, maker)
    assert kind == "failed"
    assert type(error) is RuntimeError
    assert "LocalError: it was so" in str(error)


def test_a_worker_ends_with_its_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    assert served(monkeypatch, lambda _brief: None) == [("ready", None)]
