"""What well-known tools write as plain JSON or CSV, known by its own fields.

- scikit-learn, `classification_report(output_dict=True)`: averages become `f1_macro` and so on,
  as its scorers are called; a class becomes the slice `class=LABEL`, its support the n.
- Hugging Face `evaluate.save`: what begins with `_` is where and when; a list is one value a class.
- W&B `wandb-summary.json`: numbers, also nested ones; what begins with `_` is W&B's own.
- DVC and DVCLive `metrics.json`: nested numbers; names are joined by `/`; `step` is no metric.
- Ragas results, as CSV or as JSON records: a row is an example, and a score is the mean over those
  that have a number, as Ragas itself reports it.

What nobody knows is None, and `regista.evalformats.generic` goes on.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any

from regista.errors import InvalidInputError
from regista.evalformats.jsontext import Number, is_number, text_of
from regista.evalformats.protocol import Choice, ImportedRun
from regista.model.names import shown
from regista.model.numbers import decimal_text, parse_decimal
from regista.model.times import format_time

REPORT = frozenset({"precision", "recall", "f1-score", "support"})
REPORT_METRICS = {"precision": "precision", "recall": "recall", "f1-score": "f1"}
AVERAGES = {"macro avg": "macro", "micro avg": "micro", "weighted avg": "weighted",
            "samples avg": "samples"}  # fmt: skip
RAGAS_INPUT = ("user_input", "question")
RAGAS_OUTPUT = ("response", "answer")
# columns of Ragas that are never metrics, whatever they hold
RAGAS_TEXTS = frozenset({
    *RAGAS_INPUT, *RAGAS_OUTPUT, "retrieved_contexts", "contexts", "reference", "ground_truth",
    "ground_truths", "reference_contexts", "rubrics", "multi_responses", "reference_tool_calls",
    "retrieved_context_ids", "reference_context_ids", "synthesizer_name", "persona_name", "",
})  # fmt: skip
MAX_DEPTH = 16
NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
NO_NUMBER = frozenset({"", "nan", "none", "null"})
Placed = Sequence[tuple[str, Mapping[str, Any]]]

_MEAN = Context(prec=17)


def of_document(
    document: Any,  # noqa: ANN401 - any JSON value
    name: str,
    choice: Choice | None = None,
) -> ImportedRun | None:
    """Return the run of a JSON document that a tool wrote; None when no tool is known by it."""
    choice = choice or Choice()
    if isinstance(document, list) and document and all(isinstance(row, dict) for row in document):
        placed = [(f"{name}, row {number}", row) for number, row in enumerate(document, 1)]
        return of_rows(placed, choice)
    if not isinstance(document, dict):
        return None
    if any(isinstance(value, dict) and value.keys() >= REPORT for value in document.values()):
        return _report(document, name)
    if "_evaluate_version" in document:
        return _evaluate(document, name)
    if "_wandb" in document or {"_step", "_timestamp"} <= document.keys():
        return _wandb(document, name)
    return None


def of_rows(rows: Placed, choice: Choice) -> ImportedRun | None:
    """Return the run of rows, one an example, that Ragas wrote; None when it did not."""
    columns = rows[0][1].keys() if rows else frozenset()
    if not any(field in columns for field in RAGAS_INPUT) or "metric" in columns:
        return None
    metrics = [column for column in columns if column not in RAGAS_TEXTS and _all(rows, column)]
    if not metrics:
        return None
    return ImportedRun(
        [score for metric in metrics for score in _mean(rows, metric)],
        samples=_examples(rows, metrics, keep_texts=choice.keep_texts),
        harness="ragas",
    )


def flattened(document: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested objects, names joined by `/`; `step` is none where it is nested.

    Raises:
        InvalidInputError: nested too deep.
    """
    nested = any(isinstance(value, dict) for value in document.values())
    for metric, value in _leaves(document, "", name):
        if not (metric == "step" and nested):
            yield metric, value


def _leaves(
    document: Mapping[str, Any], prefix: str, name: str, depth: int = 0
) -> Iterator[tuple[str, Any]]:
    if depth > MAX_DEPTH:
        raise InvalidInputError(f"{name}: its metrics are nested too deep")
    for key, value in document.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}/", name, depth + 1)
        else:
            yield f"{prefix}{key}", value


def _report(document: Mapping[str, Any], name: str) -> ImportedRun:
    scores = []
    for label, values in document.items():
        if isinstance(values, dict) and values.keys() >= REPORT:
            average = AVERAGES.get(label)
            n = _count(values["support"], f"{name}: support of {shown(label)}")
            for theirs, metric in REPORT_METRICS.items():
                score = _higher(
                    f"{metric}_{average}" if average else metric, values[theirs], name, n
                )
                scores.append(score if average else {**score, "slice": f"class={label}"})
        elif label == "accuracy":
            n = ""
            if isinstance(document.get("weighted avg"), dict):
                n = _count(document["weighted avg"].get("support"), f"{name}: support")
            scores.append(_higher("accuracy", values, name, n))
        else:
            raise InvalidInputError(f"{name}: {shown(label)} is no part of a classification report")
    return ImportedRun(scores, harness="scikit-learn")


def _higher(metric: str, value: object, name: str, n: str) -> dict[str, Any]:
    return {
        "metric": metric,
        "value": _number(value, f"{name}: {shown(metric)}"),
        **({"n": n} if n else {}),
        "direction": "higher",
    }


def _count(value: object, what: str) -> str:
    return decimal_text(parse_decimal(value, what)) if value is not None else ""


def _evaluate(document: Mapping[str, Any], name: str) -> ImportedRun:
    scores: list[dict[str, Any]] = []
    for metric, value in document.items():
        if metric.startswith("_") or isinstance(value, bool) or value is None:
            continue
        if isinstance(value, dict) and "score" in value:
            what = f"{name}: {shown(metric)}"
            stderr = value.get("standard_error")
            scores.append(
                {"metric": metric, "value": _number(value["score"], what)}
                | ({"stderr": str(stderr)} if is_number(stderr) else {})
            )
        elif isinstance(value, list) and value and all(map(is_number, value)):
            scores += [
                {"metric": metric, "value": str(item), "slice": f"class={place}"}
                for place, item in enumerate(value)
            ]
        elif isinstance(value, Number):
            scores.append({"metric": metric, "value": _number(value, f"{name}: {shown(metric)}")})
    return ImportedRun(
        scores,
        harness="evaluate",
        harness_version=text_of(document.get("_evaluate_version")),
        code=text_of(document.get("_git_commit_hash")),
    )


def _wandb(document: Mapping[str, Any], name: str) -> ImportedRun:
    ours = {key: value for key, value in document.items() if not key.startswith("_")}
    scores = []
    for metric, value in _leaves(ours, "", name):
        # W&B writes what is not finite as text
        if isinstance(value, Number) or (isinstance(value, str) and value in NOT_FINITE):
            scores.append({"metric": metric, "value": _number(value, f"{name}: {shown(metric)}")})
    return ImportedRun(scores, harness="wandb", time=_unix_time(document.get("_timestamp")))


def _unix_time(value: object) -> str:
    try:
        return format_time(datetime.fromtimestamp(float(str(value)), UTC))
    except (ValueError, OverflowError, OSError):
        return ""


def _number(value: object, what: str) -> str:
    parse_decimal(value, what)
    return str(value)


def _all(rows: Placed, column: str) -> bool:
    """Say whether a column has numbers, and nothing but numbers where it is filled."""
    found = False
    for _where, row in rows:
        decimal = _decimal(row.get(column))
        if decimal is None and not _is_empty(row.get(column)):
            return False
        found = found or decimal is not None
    return found


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in NO_NUMBER)


def _decimal(value: object) -> Decimal | None:
    if not isinstance(value, str) or _is_empty(value):
        return None
    try:
        return parse_decimal(value, "a value")
    except InvalidInputError:
        return None


def _mean(rows: Placed, metric: str) -> Iterator[dict[str, Any]]:
    found = [value for _where, row in rows if (value := _decimal(row.get(metric))) is not None]
    mean = _MEAN.divide(sum(found, Decimal(0)), Decimal(len(found)))
    yield {"metric": metric, "value": decimal_text(mean), "n": str(len(found))}


def _examples(
    rows: Placed, metrics: Sequence[str], *, keep_texts: bool
) -> Iterator[dict[str, Any]]:
    for number, (_where, row) in enumerate(rows):
        texts = {}
        if keep_texts:
            found = {"input": _first(row, RAGAS_INPUT), "output": _first(row, RAGAS_OUTPUT)}
            texts = {field: text for field, text in found.items() if text}
        for metric in metrics:
            if not _is_empty(row.get(metric)):
                value = str(row[metric])
                yield {"sample_id": str(number), "metric": metric, "value": value, **texts}


def _first(row: Mapping[str, Any], fields: Sequence[str]) -> str:
    return next((text for field in fields if (text := text_of(row.get(field)))), "")
