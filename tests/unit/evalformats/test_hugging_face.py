"""Hugging Face: results in a model card's front matter, and in YAML files of their own."""

from pathlib import Path

import pytest

from regista.errors import InvalidInputError
from regista.evalformats.finding import read_run, recognise
from regista.evalformats.protocol import Choice

CARD = """---
license: apache-2.0
tags: [no, 1.0]
model-index:
- name: org/one
  results:
  - task: {type: text-generation, name: Text Generation}
    dataset:
      name: AI2 Reasoning Challenge
      type: ai2_arc
      config: ARC-Challenge
      split: test
      revision: abc
    metrics:
    - type: acc_norm
      value: 61.10
      name: normalized accuracy
    - type: f1
      value: '0.10'
    source: {name: Board, url: https://example.invalid}
---
# A card

model-index: is told above
"""
VALUES = """# results
- dataset:
    id: cais/hle
    task_id: default
    revision: r1
  value: 20.90
  date: "2025-01-15"
  notes: "no-tools"
- dataset: {id: Idavidrein/gpqa, task_id: gpqa_diamond}
  value: 0.412
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "any"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", [CARD, CARD.replace("\n", "\r\n"), "\ufeff" + CARD])
def test_a_model_card(text: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    assert recognise(path).name == "hugging_face"
    run = read_run(path)
    task = "AI2 Reasoning Challenge/ARC-Challenge/test"
    assert run.scores == [
        {"task": task, "metric": "acc_norm", "value": "61.10"},
        {"task": task, "metric": "f1", "value": "0.10"},
    ]
    assert (run.dataset, run.note) == ("ai2_arc at abc", "model org/one; source Board")


def test_one_of_several_models_is_chosen_by_name(tmp_path: Path) -> None:
    front = CARD.partition("- name")[0]
    body = CARD.partition("model-index:\n")[2].partition("---")[0]
    two = written(tmp_path, f"{front}{body}{body.replace('org/one', 'org/two')}---\n")
    with pytest.raises(InvalidInputError, match="has 2 models; name one with --run") as caught:
        read_run(two)
    assert caught.value.hint == "it has 'org/one', 'org/two'"
    assert "org/two" in read_run(two, choice=Choice(run="org/two")).note
    with pytest.raises(InvalidInputError, match="no model 'x'"):
        read_run(two, choice=Choice(run="x"))


def test_eval_results(tmp_path: Path) -> None:
    path = written(tmp_path, VALUES)
    assert recognise(path).name == "hugging_face"
    run = read_run(path)
    assert run.scores == [
        {"task": "cais/hle/default", "metric": "score", "value": "20.90",
         "slice": "notes=no-tools"},
        {"task": "Idavidrein/gpqa/gpqa_diamond", "metric": "score", "value": "0.412"},
    ]  # fmt: skip
    assert (run.dataset, run.harness) == ("", "")
    only = read_run(written(tmp_path, VALUES.partition("- dataset: {")[0]))
    assert (only.dataset, only.time) == ("cais/hle at r1", "2025-01-15")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("---\nmodel-index:\n", "front matter does not end"),
        ("---\nmodel-index: 5\n---\n", "no model-index"),
        ("---\nmodel-index: []\n---\n", "has 0 models"),
        ("---\nmodel-index:\n- name: x\n---\n", "the model has no results"),
        ("---\nmodel-index:\n- name: x\n  results: [{}]\n---\n", "result 1: it has no metrics"),
        ("- {dataset: {}, value: 1}", "result 1: it has no dataset with an id"),
        ("- {dataset: {id: a}}", "result 1: its value is not a number"),
        ("- {dataset: {id: a}, value: much}", "which is not a number"),
        ("- {dataset: {id: a}, value: .nan}", "which is not a number"),
        ("- {dataset: {id: a}, value: [1]}", "its value is not a number"),
        ("- &a {dataset: {id: a}, value: 1}\n- *a", "anchors and aliases"),
        ("- {value: 1, value: 2}", "line 1: the key 'value' is there twice"),
        ("- " + "[" * 50, "nested too deep"),
        ("- {a: b", "it is not YAML"),
        ("- \x01", "it is not YAML"),
        ("? [a]\n: 1", "a key is not text"),
        ("a: 1", "no model-index and is no list"),
        ("[]", "has no results"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_run(written(tmp_path, text), "hugging_face")
    assert message in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("text", ["---\ntitle: x\n---\nmodel-index: no\n", "- a\n- b\n", "hello"])
def test_other_yaml_is_not_taken_for_it(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no known format"):
        recognise(written(tmp_path, text))
