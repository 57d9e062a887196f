"""What well-known tools write as plain JSON or CSV, and CSV and maps of one's own."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.evalformats.finding import read_run, recognise
from regista.evalformats.protocol import Choice


def written(folder: Path, text: str) -> Path:
    path = folder / "any"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def values(path: Path, **choice: Any) -> dict[str, str]:
    return {row["metric"]: row["value"] for row in read_run(path, choice=Choice(**choice)).scores}


def test_a_report_of_scikit_learn_itself(tmp_path: Path) -> None:
    from sklearn.metrics import classification_report, f1_score

    truth, guesses = [0, 0, 1, 1, 1, 2], [0, 1, 1, 1, 0, 2]
    report = classification_report(truth, guesses, output_dict=True)
    run = read_run(written(tmp_path, json.dumps(report)))
    found = {(row["metric"], row.get("slice", "")): row for row in run.scores}
    assert run.harness == "scikit-learn"
    assert float(found["accuracy", ""]["value"]) == pytest.approx(4 / 6)
    assert float(found["f1_macro", ""]["value"]) == f1_score(truth, guesses, average="macro")
    assert float(found["f1_weighted", ""]["value"]) == f1_score(truth, guesses, average="weighted")
    assert float(found["recall", "class=1"]["value"]) == pytest.approx(2 / 3)
    assert [found[key]["n"] for key in (("accuracy", ""), ("recall", "class=1"))] == ["6", "3"]
    assert {row["direction"] for row in run.scores} == {"higher"}
    assert len(run.scores) == 1 + 5 * 3


def test_metrics_of_dvclive_are_nested(tmp_path: Path) -> None:
    path = written(tmp_path, '{"step": 9, "train": {"acc": 0.10, "loss": 2}, "auc": 1e-3}')
    assert values(path) == {"train/acc": "0.10", "train/loss": "2", "auc": "1e-3"}
    assert values(written(tmp_path, '{"step": 9, "a": 1}')) == {"step": "9", "a": "1"}


def test_a_summary_of_wandb(tmp_path: Path) -> None:
    text = """{"val": {"acc": 0.5}, "loss": 1.0000000000000001e-07, "_step": 18, "model": "x",
        "_timestamp": 1.75e9, "_wandb": {"runtime": 5}, "img": {"_type": "image-file"}}"""
    run = read_run(written(tmp_path, text))
    assert {row["metric"]: row["value"] for row in run.scores} == {
        "val/acc": "0.5", "loss": "1.0000000000000001e-07",
    }  # fmt: skip
    assert (run.harness, run.time) == ("wandb", "2025-06-15T15:06:40.000000Z")
    with pytest.raises(InvalidInputError, match="'loss' is 'NaN', which is not a finite"):
        read_run(written(tmp_path, '{"_wandb": {}, "loss": "NaN"}'))


def test_results_of_evaluate(tmp_path: Path) -> None:
    text = """{"accuracy": 0.75, "f1": [0.5, 0.25], "_timestamp": "2026-03-03T09:30:00",
        "_git_commit_hash": "abc", "_evaluate_version": "0.4.3", "mse": {"score": 2.0,
        "standard_error": 0.5, "confidence_interval": [1, 3]}, "note": null}"""
    run = read_run(written(tmp_path, text))
    assert run.scores == [
        {"metric": "accuracy", "value": "0.75"},
        {"metric": "f1", "value": "0.5", "slice": "class=0"},
        {"metric": "f1", "value": "0.25", "slice": "class=1"},
        {"metric": "mse", "value": "2.0", "stderr": "0.5"},
    ]
    assert (run.harness, run.harness_version, run.code) == ("evaluate", "0.4.3", "abc")


RAGAS = [
    ("q1", "['c, d']", "a1\nlong", "0.5", "1.0"),
    ("q2", "[]", 'a "2"', "", "0.25"),
    ("q3", "[]", "a3", "0.1", "nan"),
]
RAGAS_COLUMNS = ("user_input", "retrieved_contexts", "response", "faithfulness", "answer_relevancy")


@pytest.mark.parametrize("as_json", [False, True])
def test_results_of_ragas_are_examples_and_their_means(tmp_path: Path, *, as_json: bool) -> None:
    path = tmp_path / "any"
    if as_json:
        rows = [
            {**dict(zip(RAGAS_COLUMNS[:3], row[:3], strict=True)),
             "faithfulness": float(row[3]) if row[3] else None,
             "answer_relevancy": float(row[4])}
            for row in RAGAS
        ]  # fmt: skip
        path.write_text(json.dumps(rows))
    else:
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([RAGAS_COLUMNS, *RAGAS])
    run = read_run(path, choice=Choice(keep_texts=True))
    assert run.scores == [
        {"metric": "faithfulness", "value": "0.3", "n": "2"},
        {"metric": "answer_relevancy", "value": "0.625", "n": "2"},
    ]
    samples = list(run.samples or ())
    assert [(row["sample_id"], row["metric"], row["value"]) for row in samples] == [
        ("0", "faithfulness", "0.5"), ("0", "answer_relevancy", "1.0"),
        ("1", "answer_relevancy", "0.25"), ("2", "faithfulness", "0.1"),
    ]  # fmt: skip
    assert (samples[0]["input"], samples[0]["output"]) == ("q1", "a1\nlong")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_of_scores(separator: str, tmp_path: Path) -> None:
    text = '\ufeffmetric,value,n,slice\r\nacc,0.10,7,"a b"\r\nf1,1e-3,,\r\n'.replace(",", separator)
    run = read_run(written(tmp_path, text))
    assert run.scores == [
        {"metric": "acc", "value": "0.10", "n": "7", "slice": "a b"},
        {"metric": "f1", "value": "1e-3"},
    ]


def test_one_row_of_metrics_is_a_csv_too(tmp_path: Path) -> None:
    assert values(written(tmp_path, "acc,f1\n0.1,0.2\n")) == {"acc": "0.1", "f1": "0.2"}


def test_a_map_names_the_fields_and_leaves_out_the_rest(tmp_path: Path) -> None:
    mapping = {"metric": "name", "value": "result"}
    for text in (
        "name,result,comment\nacc,0.10,good\n",
        '[{"name": "acc", "result": 0.10, "comment": 1}]',
        '{"name": "acc", "result": 0.10, "comment": 1}\n',
        '{"scores": [{"name": "acc", "result": 0.10}], "suite": "s"}',
    ):
        assert values(written(tmp_path, text), mapping=mapping) == {"acc": "0.10"}
    with pytest.raises(InvalidInputError, match="no field 'x' to map"):
        values(written(tmp_path, "a,b\n1,2\n"), mapping={"x": "a"})
    with pytest.raises(InvalidInputError, match="value of 'acc' is not a number"):
        values(written(tmp_path, "name,b\nacc,2\n"), mapping=mapping)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metric,value\nacc\n", "line 2: it has 1 cells, and the header 2"),
        ("metric,value\nacc,NaN\n", "line 2: value of 'acc' is 'NaN'"),
        ("metric,metric\na,b\n", "line 1: a column has no name, or that of another"),
        ("metric,value,foo\nacc,1,2\n", "line 2: a score has no field 'foo'"),
        ("acc,f1\n1,2\n3,4\n", "has no column metric"),
        ('metric,value\n"acc,1\n', "it is not CSV"),
        ("metric,value\n" + "a" * (2 << 20) + ",1\n", "it is not CSV"),
        ('[{"user_input": "q", "x": 1}, 5]', "a score"),
        ('{"accuracy": 1, "0": {"precision": 1, "recall": 1, "f1-score": true, "support": 2}}',
         "'f1' is not a number"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_run(written(tmp_path, text), "generic")
    assert message in caught.value.message


decimals = st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-9, max_value=9)
words = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)
rows_of = st.lists(
    st.fixed_dictionaries(
        {"metric": words, "value": decimals.map(str)},
        optional={"stderr": decimals.map(lambda value: str(abs(value))), "slice": words,
                  "n": st.integers(0, 10**9).map(str), "direction": st.sampled_from(["lower"])},
    ),
    min_size=2,
    max_size=6,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(rows_of)
def test_scores_come_back_as_written_from_json_lines_and_csv(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    columns = ("metric", "value", "stderr", "slice", "n", "direction")
    as_csv = folder / "csv"
    with as_csv.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    as_lines = written(folder, "".join(f"{json.dumps(row)}\n" for row in rows))
    for path in (as_csv, as_lines):
        assert recognise(path).name == "generic"
        assert read_run(path).scores == rows
    document = {"scores": rows, "suite": "s", "dataset": "d", "status": "partial"}
    run = read_run(written(folder, json.dumps(document)))
    assert (run.scores, run.suite, run.dataset, run.status) == (rows, "s", "d", "partial")
