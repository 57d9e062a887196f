"""lm-evaluation-harness: what the tool reported is what is imported."""

import json
from pathlib import Path
from typing import Any

import pytest

from regista.errors import InvalidInputError
from regista.evalformats.finding import read_run, read_samples, recognise
from regista.evalformats.protocol import Choice

FIXTURES = Path(__file__).parents[2] / "data" / "evals" / "lm_eval"
RESULTS = next(FIXTURES.glob("results_*07.*.json"))
LIMITED = next(path for path in FIXTURES.glob("results_*.json") if path != RESULTS)


def written(tmp_path: Path, document: object) -> Path:
    path = tmp_path / "any.txt"
    path.write_text(json.dumps(document))
    return path


def test_the_scores_are_those_that_the_tool_printed() -> None:
    run = read_run(RESULTS)
    table = [
        (row["task"], row["metric"], row["value"], row["stderr"][:6], row["n"], row["direction"])
        for row in run.scores
    ]
    assert sorted(table) == [
        ("arith", "acc", "0.25", "0.1636", "8", "higher"),
        ("sums", "acc", "0.25", "0.1636", "8", "higher"),
        ("sums", "acc_norm", "0.25", "0.1636", "8", "higher"),
        ("words", "exact_match,loose", "0.0", "0.0", "8", "higher"),
        ("words", "exact_match,strict", "0.0", "0.0", "8", "higher"),
    ]
    assert (run.suite, run.status, run.harness) == ("arith", "complete", "lm-evaluation-harness")
    assert (run.harness_version, run.dataset, run.code) == ("0.4.13", "json", "")
    assert run.time.startswith("2026-11-25T14:27:06.6094")
    assert run.note == "model dummy; task versions: arith 1.0, sums 1.2, words 0.0"


def test_the_samples_beside_it_have_the_same_means() -> None:
    run = read_run(RESULTS, choice=Choice(keep_texts=True))
    assert run.samples is not None
    values: dict[tuple[str, str], list[float]] = {}
    for sample in run.samples:
        values.setdefault((sample["task"], sample["metric"]), []).append(float(sample["value"]))
        assert sample["input"].endswith("=")
        assert sample.get("output", "lol") in {"lol", "[invalid]"} or sample["task"] == "sums"
    assert {key: (len(found), sum(found) / len(found)) for key, found in values.items()} == {
        (row["task"], row["metric"]): (8, float(row["value"]))
        for row in run.scores
        if row["task"] != "arith"
    }


def test_a_run_with_a_limit_is_partial() -> None:
    run = read_run(LIMITED)
    assert (run.status, run.suite, run.samples) == ("partial", "sums", None)
    assert "limit 4" in run.note
    assert {row["n"] for row in run.scores} == {"4"}


def test_the_keys_of_version_0_3_and_a_stderr_that_is_a_word(tmp_path: Path) -> None:
    document: dict[str, Any] = {
        "results": {
            "boolq": {"acc": 0.10, "acc_stderr": 0.01},
            "wiki": {"word_perplexity": 12.5, "word_perplexity_stderr": "N/A", "alias": "w"},
        },
        "versions": {"boolq": 1, "wiki": 0},
        "config": {"model": "gpt2", "model_args": "pretrained=x", "limit": None},
    }
    run = read_run(written(tmp_path, document))
    assert run.scores == [
        {"task": "boolq", "metric": "acc", "value": "0.1", "stderr": "0.01"},
        {"task": "wiki", "metric": "word_perplexity", "value": "12.5"},
    ]
    assert (run.suite, run.time, run.samples) == ("", "", None)
    assert run.note == "model gpt2 pretrained=x; task versions: boolq 1, wiki 0"


def test_direction_is_kept_only_where_the_file_says_one(tmp_path: Path) -> None:
    document = {
        "results": {"t": {"ppl,none": 3.0, "acc,none": 1, "odd,none": 2}},
        "versions": {},
        "higher_is_better": {"t": {"ppl": False, "acc": True, "odd": None}},
    }
    scores = read_run(written(tmp_path, document)).scores
    assert [row.get("direction") for row in scores] == ["lower", "higher", None]


def test_samples_alone_are_known_by_their_content(tmp_path: Path) -> None:
    source = next(FIXTURES.glob("samples_sums_*.jsonl"))
    path = tmp_path / "renamed.dat"
    path.write_bytes(source.read_bytes())
    rows = list(read_samples(path, Choice()) or ())
    assert [rows[0][key] for key in ("task", "sample_id", "metric", "value")] == [
        "", "0", "acc", "0.0",
    ]  # fmt: skip
    assert len(rows) == 16
    assert "input" not in rows[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "no results"),
        ("[]", "no results"),
        ('{"results": {}}', "no results"),
        ('{"results": {"t": 5}}', "results of 't' are no object"),
        ('{"results": {"t": {"acc": NaN}}}', "'acc' of 't' is 'NaN', which is not a finite"),
        ('{"results": {"t": {"acc": 1e999}}}', "not a finite number"),
        ('{"results": {"t": {"acc": 1, "acc": 2}}}', "the key 'acc' twice"),
        ('{"results": {"t": {"acc": 1', "it is not JSON"),
        ('{"results": ' * 5000, "nested too deep"),
        ("", "is empty"),
    ],
)
def test_what_is_broken_is_refused_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(InvalidInputError) as caught:
        read_run(path, "lm_eval")
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_words_among_results_are_no_scores_and_wrong_types_no_error(tmp_path: Path) -> None:
    document = {
        "results": {"t": {"acc": "much", "f1": None, "em": True, "x": [1], "alias": "t"}},
        "configs": 5, "versions": [], "n-samples": {"t": 3}, "higher_is_better": "no",
        "group_subtasks": {"g": 7}, "date": "soon", "config": [],
    }  # fmt: skip
    run = read_run(written(tmp_path, document), "lm_eval")
    assert (run.scores, run.time, run.note) == ([], "", "")


@pytest.mark.parametrize("line", ["[1]", "{}", '{"doc_id": 1', '{"doc_id": 1, "doc_id": 2}'])
def test_a_broken_line_of_samples_is_named(line: str, tmp_path: Path) -> None:
    first = next(FIXTURES.glob("samples_sums_*.jsonl")).read_text().splitlines()[0]
    path = tmp_path / "s.jsonl"
    path.write_text(f"{first}\n{line}\n")
    rows = read_samples(path, Choice())
    assert rows is not None
    with pytest.raises(InvalidInputError, match=r"'s.jsonl', line 2: "):
        list(rows)


def test_every_cut_of_the_file_is_refused_or_not_recognised(tmp_path: Path) -> None:
    data = RESULTS.read_bytes().rstrip()
    path = tmp_path / "cut.json"
    for size in range(0, len(data) - 1, 211):
        path.write_bytes(data[:size])
        with pytest.raises(InvalidInputError):
            read_run(path)


def test_it_is_recognised_when_results_fill_all_that_is_looked_at(tmp_path: Path) -> None:
    results = {f"task{k}": {"acc,none": 0.5, "acc_stderr,none": 0.1} for k in range(3000)}
    path = written(tmp_path, {"results": results, "versions": {}})
    assert recognise(path).name == "lm_eval"
    assert len(read_run(path).scores) == 3000
