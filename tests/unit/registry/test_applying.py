import inspect
import json
from pathlib import Path

import pytest

from regista.errors import InvalidInputError, NotFoundError
from regista.registry.applying import METHODS, apply_file, read_operations
from regista.registry.core import Registry
from regista.registry.opening import init_registry
from regista.registry.results import Decided
from regista.registry.writes import Writes

OPERATIONS = """
- op: register
  name: fraud/card
  paths: model.txt
  kind: model
  params: {lr: 0.1, depth: 3}
- op: eval log
  ref: fraud/card@latest
  suite: holdout
  scores:
    - {metric: auc, value: 0.9340, n: 100}
- op: promote
  ref: fraud/card@latest
  stage: staging
- {op: tag, subject: fraud/card, tags: {owner: risk}}
"""


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    (tmp_path / "model.txt").write_text("weights")
    return init_registry(str(tmp_path / "reg"), actor="ada").registry


def written(folder: Path, text: str, name: str = "ops.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_is_one_commit_and_each_operation_sees_those_before(
    registry: Registry, tmp_path: Path
) -> None:
    results = apply_file(registry, written(tmp_path, OPERATIONS))
    assert [(result.op, result.seq) for result in results] == [
        ("register", 2), ("eval log", 2), ("promote", 2), ("tag", 2),
    ]  # fmt: skip
    view = registry.show("fraud/card@staging")
    assert view["params"] == {"depth": "3", "lr": "0.1"}
    assert view["evals"]["holdout"]["main"][0]["value"] == "0.934"


def test_json_says_the_same_as_yaml(registry: Registry, tmp_path: Path) -> None:
    operations = [
        {"op": "register", "name": "m", "paths": ["model.txt"]},
        {"op": "eval log", "ref": "m@1", "suite": "s", "scores": {"auc": 0.1}},
    ]
    apply_file(registry, written(tmp_path, json.dumps(operations), "ops.json"))
    assert registry.show("m@1")["evals"]["s"]["main"][0]["value"] == "0.1"


def test_a_repeat_with_the_same_txid_gives_the_recorded_results(
    registry: Registry, tmp_path: Path
) -> None:
    file = written(tmp_path, OPERATIONS)
    first = apply_file(registry, file, txid="t1")
    assert apply_file(registry, file, txid="t1") == first
    assert registry.state().seq == 2


def test_a_refusal_applies_none(registry: Registry, tmp_path: Path) -> None:
    text = """
    - {op: register, name: m, paths: model.txt}
    - {op: promote, ref: m@1, stage: prod}
    - {op: tag, subject: m, tags: {a: b}}
    """
    results = apply_file(registry, written(tmp_path, text))
    assert isinstance(results[1], Decided)
    assert results[1].refused
    with pytest.raises(NotFoundError):
        registry.show("m")


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return init_registry(str(tmp_path_factory.mktemp("untouched") / "reg"), actor="ada").registry


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not a list"),
        ("op: tag", "not a list"),
        ("[]", "not a list"),
        ("- tag", "operation 1 does not say"),
        ("- op: [tag]", "operation 1 does not say"),
        ("- op: explode", "'explode' is not an operation"),
        ("- op: tag", r"operation 1 \(tag\) lacks subject"),
        ("- {op: tag, subject: m, colour: red}", "has no argument 'colour'"),
        ("- {op: tag, subject: m, txid: x}", "has no argument 'txid'"),
        ("- {op: tag, subject: m, tags: red}", "tags is not a mapping"),
        ("- {op: tag, subject: m, tags: {a: [1]}}", "tags is not a text"),
        ("- {op: rollback, name: m, stage: prod, to: x}", "to is not a number"),
        ("- {op: promote, ref: m@1, stage: prod, again: 1}", "again is not a flag"),
        ("- {op: promote, ref: {a: b}, stage: prod}", "ref is not a text"),
        ("- {op: promote, ref: m@1, stage: prod}\n- {op: create, name: ../x}", "operation 2"),
        ("- {op: register, name: m, paths: gone.txt}", r"operation 1 \(register\): no such file"),
        ("- {op: eval log, ref: m@1, suite: s, scores: {a: .nan}}", r"operation 1 \(eval log\)"),
        ("- &a {op: tag}\n- *a", "anchors are not allowed"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_nothing_is_written(
    untouched: Registry, tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(InvalidInputError, match=complaint):
        apply_file(untouched, written(tmp_path, text))
    assert untouched.state().seq == 1


@pytest.mark.parametrize("name", ["gone.yaml", "folder"])
def test_a_file_that_cannot_be_read_is_invalid_input(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidInputError, match="cannot read"):
        read_operations(tmp_path / name)


@pytest.mark.parametrize("data", [b"\xff\xfe", b'[{"op": NaN'])
def test_bytes_that_are_no_text_or_no_json_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "ops.json").write_bytes(data)
    with pytest.raises(InvalidInputError, match=r"ops\.json"):
        read_operations(tmp_path / "ops.json")


def test_every_writing_method_can_be_named() -> None:
    no_operations = {"submit", "newest_manifest", "not_looked_after", "log_evaluation"}
    public = {
        name
        for name, _ in inspect.getmembers(Writes, inspect.isfunction)
        if not name.startswith("_") and name not in no_operations
    }
    assert {method.__name__ for method in METHODS.values()} == public
