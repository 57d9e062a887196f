"""Finding a file's format: by content, lazily, third parties' too, and never by guessing."""

import importlib.metadata
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.evalformats import finding
from regista.evalformats.finding import adapter_of, adapters, format_names, read_run, recognise
from regista.evalformats.protocol import GROUP, Choice, ImportedRun, Peek


class Tea:
    name = "tea"
    about = "files that begin with tea"

    def recognises(self, peek: Peek) -> bool:
        return peek.head.startswith(b"tea")

    def read(self, path: Path, choice: Choice) -> ImportedRun:
        del choice
        return ImportedRun([{"metric": "tea", "value": str(path.stat().st_size)}])


class Coffee(Tea):
    name = "coffee"


class Clumsy(Tea):
    name = "clumsy"

    def read(self, path: Path, choice: Choice) -> ImportedRun:
        del choice

        def rows() -> Iterator[dict[str, Any]]:
            yield {}
            raise KeyError(path.name)

        if path.name == "rows":
            return ImportedRun([], samples=rows())
        raise ValueError("no\nway")


class Nameless:
    def recognises(self, _peek: Peek) -> bool:
        return False


def offering(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    points = [importlib.metadata.EntryPoint(name, value, GROUP) for name, value in values.items()]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: points)


def here(name: str) -> str:
    module = f"evalformat_{name.lower()}"
    sys.modules[module] = sys.modules[__name__]
    return f"{module}:{name}"


def test_every_built_in_adapter_says_what_it_is() -> None:
    found = list(adapters())
    assert [adapter.name for adapter in found][-1] == "generic"
    assert {adapter.name for adapter in found} == set(finding.BUILT_IN)
    assert all(adapter.about for adapter in found)


def test_an_adapter_that_is_not_asked_for_is_not_imported() -> None:
    code = (
        "import sys; from regista.evalformats.finding import adapter_of; adapter_of('generic');"
        "print([m for m in sys.modules if m.endswith(('lm_eval', 'hugging_face')) or m == 'yaml'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_third_party_adds_a_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offering(monkeypatch, tea=here("Tea"), generic=here("Coffee"), auto=here("Coffee"))
    path = tmp_path / "x.json"
    path.write_text("tea time")
    assert format_names()[-1] == "tea"
    assert recognise(path).name == "tea"
    assert read_run(path, "tea").scores == [{"metric": "tea", "value": "8"}]
    assert adapter_of("generic").name == "generic"


def test_two_that_know_a_file_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offering(monkeypatch, tea=here("Tea"), coffee=here("Coffee"))
    path = tmp_path / "x"
    path.write_text("tea")
    with pytest.raises(InvalidInputError, match="'x' may be coffee and tea") as caught:
        recognise(path)
    assert caught.value.hint == "add --format coffee"


@pytest.mark.parametrize(
    ("value", "message"),
    [("no_such_module:x", "ModuleNotFoundError"), (here("Nameless"), "has no name")],
)
def test_a_third_party_that_is_broken_is_named(
    value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offering(monkeypatch, bad=value)
    with pytest.raises(InvalidInputError, match=message):
        adapter_of("bad")


def test_what_a_third_party_raises_is_an_error_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offering(monkeypatch, clumsy=here("Clumsy"))
    for name in ("x", "rows"):
        path = tmp_path / name
        path.write_text("tea")
        with pytest.raises(InvalidInputError, match="the eval format 'clumsy' failed") as caught:
            list(read_run(path).samples or ())
        assert "\n" not in caught.value.message


@pytest.mark.parametrize("content", [b"hello", b"\0\0,\0", b"\x89PNG\r\n", b"one,two\0\n"])
def test_what_nobody_knows_is_refused_with_the_list(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="of no known format") as caught:
        recognise(path)
    assert "lm_eval" in caught.value.hint


def test_results_of_single_examples_are_told_from_scores(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text('{"doc_id": 1, "doc": {}, "target": "", "resps": [], "acc": 1}\n')
    with pytest.raises(InvalidInputError, match="single examples and no scores") as caught:
        recognise(path)
    assert "--samples" in caught.value.hint


HEADS = [b"", b'{"' + rb"\"" * 30_000, b'{"' + rb"\\"[:1],
         b"{", b"[", b"[" * 50_000, b'{"a":' * 50_000, b'"' * 99, b"\xff\xfe{}",
         b"---", b"- ",
         b'{"results":', b'{"a": [1}', b"[{]}", b'{"a" "b": : :}', b"\0", b"---\n---", b",",
         b'{"schema_version": 1, "evaluation_id": 2, "evaluation_results": 3}']  # fmt: skip


@pytest.mark.parametrize("head", HEADS, ids=range(len(HEADS)))
def test_to_look_at_a_file_is_never_an_error(head: bytes) -> None:
    for size in (len(head), 1 << 40):
        peek = Peek(Path("/none"), head, size)
        for adapter in adapters():
            assert adapter.recognises(peek) in {True, False}


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nor_are_any_bytes(head: bytes) -> None:
    peek = Peek(Path("/none"), head, len(head))
    for adapter in adapters():
        assert adapter.recognises(peek) in {True, False}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text(" \n"), "is empty"),
        (lambda path: path.mkdir(), "of no known format"),
        (lambda path: path, "does not exist"),
    ],
)
def test_what_is_no_file_or_empty_is_refused(make: Any, message: str, tmp_path: Path) -> None:
    make(tmp_path / "x")
    with pytest.raises(InvalidInputError, match=message):
        read_run(tmp_path / "x")
