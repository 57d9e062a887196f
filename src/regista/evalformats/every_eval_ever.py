"""Every Eval Ever: the shared schema for evaluation results, aggregates and instances.

One JSON document holds the results of one evaluation of one model; `detailed_evaluation_results`
names a file of JSON lines with the instances, which is taken when it lies beside the document and
has the digest that it should have. An instance's metric is that of the result that it belongs to.

Source of the format: `eval.schema.json` and `instance_level_eval.schema.json`, versions 0.2 and
0.3, of github.com/evaleval/every_eval_ever.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from regista.errors import InvalidInputError
from regista.evalformats.jsontext import (
    Number,
    is_number,
    json_lines,
    load_json,
    object_of,
    outline,
    text_of,
)
from regista.evalformats.protocol import Choice, ImportedRun, Peek
from regista.model.names import shown
from regista.model.numbers import decimal_text, parse_decimal
from regista.model.times import format_time

DOCUMENT_SIGNS = frozenset({"schema_version", "evaluation_id", "evaluation_results"})
INSTANCE_SIGNS = frozenset({"schema_version", "evaluation_id", "sample_id", "evaluation"})
UNNAMED_METRIC = "score"
UNKNOWN = "unknown"
HASHES = ("sha256", "md5")


class EveryEvalEver:
    """Adapter for Every Eval Ever."""

    name = "every_eval_ever"
    about = "Every Eval Ever, schema 0.2 and 0.3, with the instances beside it"

    def recognises(self, peek: Peek) -> bool:
        """Say whether the file has the schema's fields."""
        seen = outline(peek)
        signs = {"schema_version", "evaluation_id"} if peek.size > len(peek.head) else set()
        return seen.kind == "object" and not seen.lines and seen.keys >= (signs or DOCUMENT_SIGNS)

    def recognises_samples(self, peek: Peek) -> bool:
        """Say whether the file has the schema's instances."""
        first = outline(peek).first
        return first is not None and first.keys() >= INSTANCE_SIGNS

    def read(self, path: Path, choice: Choice) -> ImportedRun:
        """Read the results, with the instances that lie beside them."""
        name = shown(path.name, 200)
        document = load_json(path)
        results = document.get("evaluation_results") if isinstance(document, dict) else None
        if not isinstance(results, list) or not results:
            raise InvalidInputError(f"{name} has no evaluation_results")
        scores = [
            _score(result, f"{name}, result {number}") for number, result in enumerate(results, 1)
        ]
        library = object_of(document.get("eval_library"))
        instances = _instances_beside(path, document)
        return ImportedRun(
            scores,
            samples=_samples(instances, results, keep_texts=choice.keep_texts)
            if instances
            else None,
            suite=text_of(document.get("evaluation_id")).partition("/")[0],
            dataset=_dataset(results),
            harness=_known(library.get("name")),
            harness_version=_known(library.get("version")),
            time=_time(document.get("evaluation_timestamp")),
            note=_note(document),
        )

    def read_samples(self, path: Path, choice: Choice) -> Iterator[dict[str, Any]]:
        """Yield the instances of a file, whose metric the file itself does not name."""
        return _samples(path, (), keep_texts=choice.keep_texts)


def _score(result: object, where: str) -> dict[str, Any]:
    values = object_of(result)
    config, details = object_of(values.get("metric_config")), object_of(values.get("score_details"))
    value = details.get("score")
    if not isinstance(value, Number):
        raise InvalidInputError(f"{where}: its score is not a number")
    parse_decimal(value, f"{where}: its score")
    uncertainty = object_of(details.get("uncertainty"))
    stderr = object_of(uncertainty.get("standard_error")).get("value")
    n = uncertainty.get("num_samples")
    lower = config.get("lower_is_better")
    return {
        "task": text_of(values.get("evaluation_name")),
        "metric": _metric(config),
        "value": str(value),
        **({"stderr": str(stderr)} if is_number(stderr) else {}),
        **({"n": str(n)} if is_number(n) else {}),
        **({"direction": "lower" if lower else "higher"} if isinstance(lower, bool) else {}),
    }


def _metric(config: Mapping[str, Any]) -> str:
    # an id is what results are joined by; a name is for people; 0.2 has neither
    named = (text_of(config.get(field)) for field in ("metric_id", "metric_name", "metric_kind"))
    return next(filter(None, named), UNNAMED_METRIC)


def _known(value: object) -> str:
    text = text_of(value)
    return "" if text == UNKNOWN else text


def _dataset(results: Sequence[object]) -> str:
    """Return the dataset of all results; '' where they have several."""
    found = set()
    for result in results:
        source = object_of(object_of(result).get("source_data"))
        found.add(text_of(source.get("hf_repo")) or text_of(source.get("dataset_name")))
    return found.pop() if len(found) == 1 else ""


def _time(value: object) -> str:
    """Return a Unix time as text; '' when it is none. ISO 8601 is kept as it is."""
    text = str(value) if isinstance(value, str) else ""
    try:
        return format_time(datetime.fromtimestamp(float(text), UTC))
    except (ValueError, OverflowError, OSError):
        return text if "T" in text else ""


def _note(document: Mapping[str, Any]) -> str:
    source, model = (object_of(document.get(key)) for key in ("source_metadata", "model_info"))
    parts = (
        ("model", text_of(model.get("id"))),
        ("source", text_of(source.get("source_name"))),
        ("evaluator", text_of(source.get("evaluator_relationship"))),
    )
    return "; ".join(f"{what} {text}" for what, text in parts if text)


def _instances_beside(path: Path, document: Mapping[str, Any]) -> Path | None:
    """Return the file with the instances, when it is there and is what it was.

    Raises:
        InvalidInputError: it has another digest than the document says.
    """
    details = object_of(document.get("detailed_evaluation_results"))
    named = PurePosixPath(text_of(details.get("file_path"))).name
    file = path.with_name(named) if named else None
    if file is None or file == path or not file.is_file():
        return None
    algorithm, wanted = text_of(details.get("hash_algorithm")), text_of(details.get("checksum"))
    if algorithm in HASHES and wanted:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, algorithm).hexdigest()
        if found != wanted.lower():
            said = shown(path.name, 200)
            raise InvalidInputError(
                f"{shown(file.name, 200)} has not the {algorithm} that {said} says",
                hint="fetch both files again, or give the right one with --samples",
            )
    return file


def _samples(
    path: Path, results: Sequence[object], *, keep_texts: bool
) -> Iterator[dict[str, Any]]:
    by_id, by_name = _metrics(results, "evaluation_result_id"), _metrics(results, "evaluation_name")
    for where, line in json_lines(path):
        values = object_of(line)
        evaluation = object_of(values.get("evaluation"))
        sample_id, score = text_of(values.get("sample_id")), evaluation.get("score")
        if not sample_id or not isinstance(score, Number):
            raise InvalidInputError(f"{where}: an instance has a sample_id and a score")
        task = text_of(values.get("evaluation_name"))
        metric = by_id.get(text_of(values.get("evaluation_result_id"))) or by_name.get(task)
        passed = evaluation.get("is_correct")
        yield {
            "task": task,
            "sample_id": sample_id,
            "metric": metric or UNNAMED_METRIC,
            "value": str(score),
            **({"passed": passed} if isinstance(passed, bool) else {}),
            **_measured(values),
            **(_texts(values) if keep_texts else {}),
        }


def _metrics(results: Sequence[object], field: str) -> dict[str, str]:
    """Return the metric of each result by its id or name, where only one has that."""
    found: dict[str, set[str]] = {}
    for result in map(object_of, results):
        metric = _metric(object_of(result.get("metric_config")))
        found.setdefault(text_of(result.get(field)), set()).add(metric)
    return {name: metrics.pop() for name, metrics in found.items() if name and len(metrics) == 1}


def _measured(values: Mapping[str, Any]) -> dict[str, Any]:
    usage, speed = object_of(values.get("token_usage")), object_of(values.get("performance"))
    slices = {
        name: str(text)
        for name, text in object_of(values.get("metadata")).items()
        if isinstance(text, (str, bool))
    }
    found = {"tokens_in": usage.get("input_tokens"), "tokens_out": usage.get("output_tokens")}
    measured: dict[str, Any] = {
        name: str(number) for name, number in found.items() if is_number(number)
    }
    latency = speed.get("latency_ms")
    if is_number(latency):
        measured["latency_s"] = decimal_text(parse_decimal(latency, "latency_ms") / 1000)
    return {**measured, **({"slices": slices} if slices else {})}


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    asked = text_of(object_of(values.get("input")).get("raw"))
    said = object_of(values.get("output")).get("raw")
    answer = "\n".join(item for item in said if isinstance(item, str)) if said else ""
    return {name: text for name, text in (("input", asked), ("output", answer)) if text}


FORMAT = EveryEvalEver()
