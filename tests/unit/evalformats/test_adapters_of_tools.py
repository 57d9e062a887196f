"""What holds for every adapter of a tool's files: it knows its own, and fears nobody else's."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regista.evalformats import (
    deepeval,
    helm,
    inspect_ai,
    junit,
    mlflow_runs,
    promptfoo,
    pytest_benchmark,
)
from regista.evalformats.protocol import MAX_DOCUMENT, Choice, EvalFormat, Peek
from regista.model.numbers import parse_decimal
from support.evalfiles import FIXTURES, peek_at, refusal, written

FORMATS: list[EvalFormat] = [
    module.FORMAT
    for module in (deepeval, helm, inspect_ai, junit, mlflow_runs, promptfoo, pytest_benchmark)
]
OF_FOLDER = {"inspect_ai": "inspect", "pytest_benchmark": "pytest_benchmark"}
FOLDERS = ("deepeval", "helm", "inspect_ai", "junit", "mlflow", "promptfoo", "pytest_benchmark")
FILES = sorted(
    path
    for folder in (
        "deepeval",
        "helm",
        "inspect_ai",
        "junit",
        "mlflow",
        "promptfoo",
        "pytest_benchmark",
    )
    for path in (FIXTURES / folder).iterdir()
    if path.name != "README.md"
)
RUNS = {"mlflow": "good", "output.json": "plain", "output.jsonl": "plain",
        "version2.json": "{{capital}}"}  # fmt: skip
HOSTILE = [b"", b"\0" * 100, b"{", b"[" * 50_000, b'{"a":' * 50_000, b'"' * 50_000,
           b'{"a":1,"a":2}', b"\xff\xfe{}", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18,
           b"SQLite format 3\0", b"<" * 50_000, b"<!--" * 20_000, b"null", b"1", b'"x"',
           b"[[]]", b"[1]", b'{"results": []}', b'{"results": {"prompts": [1]}, "version": 1}',
           b'{"eval": {"task": 1}, "status": "success"}', b'{"testCases": [1]}']  # fmt: skip


def own(path: Path) -> str:
    folder = path.relative_to(FIXTURES).parts[0]
    return OF_FOLDER.get(folder, folder)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_is_known_to_one_adapter(path: Path) -> None:
    assert [adapter.name for adapter in FORMATS if adapter.recognises(peek_at(path))] == [own(path)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_score_and_sample_is_one_that_a_registry_takes(path: Path) -> None:
    adapter = next(adapter for adapter in FORMATS if adapter.name == own(path))
    chosen = RUNS.get(path.name, RUNS.get(own(path)))
    run = adapter.read(path, Choice(run=chosen))
    for score in run.scores:
        assert {*score} <= {"metric", "value", "stderr", "n", "slice", "task", "direction"}
        for field in ("value", "stderr"):
            if field in score:
                assert isinstance(score[field], str)
                parse_decimal(score[field], field)
        assert score.get("direction", "higher") in {"higher", "lower"}
    for sample in run.samples or ():
        assert sample["sample_id"]
        assert sample["metric"]
        assert "value" in sample or "passed" in sample
        # they are written as JSON lines
        json.dumps(sample)


@pytest.mark.parametrize("adapter", FORMATS, ids=lambda adapter: adapter.name)
@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_bytes_are_refused_in_one_line(
    adapter: EvalFormat, data: bytes, tmp_path: Path
) -> None:
    path = written(tmp_path / "f", data)
    adapter.recognises(peek_at(path))
    refusal(adapter, path)


@pytest.mark.parametrize("path", [p for p in FILES if p.is_file()], ids=lambda path: path.name)
@pytest.mark.parametrize("part", [1, 3, 7])
def test_a_truncated_file_is_refused_in_one_line(path: Path, part: int, tmp_path: Path) -> None:
    adapter = next(adapter for adapter in FORMATS if adapter.name == own(path))
    data = path.read_bytes()
    cut = written(tmp_path / path.name, data[: len(data) * part // 8])
    chosen = RUNS.get(path.name, RUNS.get(own(path)))
    refusal(adapter, cut, Choice(run=chosen))


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(FORMATS), st.binary(max_size=300))
def test_to_look_at_a_file_is_never_an_error(adapter: EvalFormat, head: bytes) -> None:
    assert adapter.recognises(Peek(Path("/none"), head, len(head))) in {True, False}


@pytest.mark.parametrize("adapter", FORMATS, ids=lambda adapter: adapter.name)
def test_a_document_above_the_limit_is_refused_before_it_is_read(
    adapter: EvalFormat, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    with path.open("wb") as file:
        # a hole: nothing of it is on the disk
        file.truncate(MAX_DOCUMENT + 1)
    refusal(adapter, path)


def test_to_look_at_a_file_is_quick() -> None:
    cut_off = b'{"a": "' + b'\\"x' * 21_000
    started = time.process_time()
    for adapter in FORMATS:
        adapter.recognises(Peek(Path("/none"), cut_off, len(cut_off)))
    assert time.process_time() - started < 2


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for adapter in FORMATS:
        refusal(adapter, tmp_path / "none")
