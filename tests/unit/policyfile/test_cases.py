"""A policy's test file: what is wrong is told at its place, what is left out has its default."""

from pathlib import Path

import pytest

from regista.errors import InvalidInputError
from regista.policyfile.cases import CaseFile, read_cases

TEST = "tests:\n  - name: one\n    to: prod\n    expect: passed\n"


def read(folder: Path, text: str) -> CaseFile:
    path = folder / "policy.test.yaml"
    path.write_text(text, "utf-8")
    return read_cases(path)


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    [case] = read(tmp_path, TEST).cases
    assert (case.name, case.line, case.entry, case.kind) == ("one", 2, "example", "model")
    assert (case.target, case.by, case.expect, case.incumbents) == ("prod", "ci", "passed", ())
    assert (case.candidate.by, case.candidate.age, case.candidate.holds) == ("author", "90d", {})


def test_the_policy_lies_beside_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, TEST).policy is None
    assert read(tmp_path, f"policy: p.yaml\n{TEST}").policy == tmp_path / "p.yaml"


def test_scores_are_numbers_or_fields_with_slices(tmp_path: Path) -> None:
    text = TEST + (
        "    candidate:\n"
        "      evals:\n"
        "        plain: {auc: 0.9}\n"
        "        full:\n"
        "          - status: partial\n"
        "          - by: eva\n"
        "            scores:\n"
        "              auc:\n"
        "                {value: 0.90, n: 5, direction: lower, slices: {a: 0.8, b: {value: 1}}}\n"
        "            samples: {auc: [true, 0.5]}\n"
    )
    [case] = read(tmp_path, text).cases
    plain, partial, full = case.candidate.runs
    assert plain.scores == ({"metric": "auc", "slice": "", "value": "0.9"},)
    assert (partial.status, partial.scores) == ("partial", ())
    assert full.by == "eva"
    assert full.scores == (
        {"metric": "auc", "slice": "", "direction": "lower", "value": "0.90", "n": 5},
        {"metric": "auc", "slice": "a", "direction": "lower", "value": "0.8"},
        {"metric": "auc", "slice": "b", "direction": "lower", "value": 1},
    )
    assert full.samples == (
        {"sample_id": "1", "metric": "auc", "passed": True},
        {"sample_id": "2", "metric": "auc", "value": 0.5},
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1:1: a test file is a mapping, not nothing"),
        ("tests: []\n", "1:8: there is no test"),
        ("tests: 5\n", "1:8: tests is a list"),
        ("test: []\n", "1:1: a test file has no key 'test' (and 1 more)"),
        ("tests:\n  - name: x\n    to: prod\n", "2:5: a test needs expect"),
        (TEST + "    expects: passed\n", "5:5: a test has no key 'expects'"),
        (TEST + "    gates: {a: ok}\n", "5:16: must be one of passed, failed"),
        (TEST + "    candidate: {evals: {s: {auc: high}}}\n", "5:34: must be a number"),
        (TEST + "    candidate: {evals: {s: {scores: [1]}}}\n", "5:37: scores is a mapping"),
        (TEST + "    candidate: {age: 3}\n", "5:22: must be a duration"),
        (TEST + "    candidate: {holds: {staging: yes}}\n", "5:34: 'yes' is not a duration"),
        (TEST + "    candidate: {approvals: [{meaning: x}]}\n", "5:29: an approval needs by"),
        (TEST + "    candidate: {artifacts: lost}\n", "5:28: must be one of whole, missing"),
        (TEST + "    incumbent: [7]\n", "5:17: a version is a mapping"),
        (TEST + "    kind: thing\n", "5:11: must be one of model"),
        (TEST + TEST.removeprefix("tests:\n"), "5: another test has this name"),
        ("tests: [", "not YAML"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        read(tmp_path, text)
    assert told in raised.value.message
    assert raised.value.message.startswith(str(tmp_path / "policy.test.yaml"))


def test_a_missing_file_is_told_as_a_test_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot read") as raised:
        read_cases(tmp_path / "none.yaml")
    assert raised.value.hint == "give a test file"
