"""Evaluation results of Hugging Face model repositories: `model-index`, and `.eval_results/*.yaml`.

A model card (README.md) has them in its front matter, under `model-index`: a list of models, each
with results of a task on a dataset. Newer ones stand in YAML files of their own, as a list of
values, each of one task of a benchmark dataset; such a value has no metric, and is called `score`.
Nothing in either says which direction is better, or how many examples there were.

Sources of the formats: `modelcard.md` and `docs/hub/eval-results.md` of huggingface/hub-docs.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError
from regista.evalformats.jsontext import object_of, read_text, text_of
from regista.evalformats.protocol import Choice, ImportedRun, Peek
from regista.evalformats.yamltext import parse_yaml
from regista.model.names import shown
from regista.model.numbers import parse_decimal

FENCE = "---"
VALUE_METRIC = "score"
SHOWN_MODELS = 5


class HuggingFace:
    """Adapter for results in Hugging Face model repositories."""

    name = "hugging_face"
    about = "Hugging Face: model-index of a model card, and .eval_results YAML"

    def recognises(self, peek: Peek) -> bool:
        """Say whether the file has a model index, or begins as a list of results."""
        text = peek.head.decode("utf-8", "replace").lstrip("\ufeff")
        lines = text.splitlines()
        if lines and lines[0].strip() == FENCE:
            front = takewhile(lambda line: line.strip() != FENCE, lines[1:])
            return any(line.startswith("model-index:") for line in front)
        filled = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
        return (
            bool(filled)
            and filled[0].startswith("- ")
            and any(line.lstrip("- ").startswith("dataset:") for line in filled)
            and any(line.lstrip("- ").startswith("task_id:") for line in filled)
        )

    def read(self, path: Path, choice: Choice) -> ImportedRun:
        """Read the results of the one model, or of that which `choice.run` names."""
        name = shown(path.name, 200)
        text = read_text(path).replace("\r\n", "\n")
        if not text.strip():
            raise InvalidInputError(f"{name} is empty")
        front = _front_matter(text, name)
        document = parse_yaml(text if front is None else front, name)
        if isinstance(document, list):
            return _of_values(document, name)
        models = document.get("model-index") if isinstance(document, dict) else None
        if not isinstance(models, list):
            raise InvalidInputError(f"{name} has no model-index and is no list of results")
        return _of_model(_chosen(models, choice.run, name), name)


def _front_matter(text: str, name: str) -> str | None:
    """Return the YAML between the first two fences of a model card; None when it has none."""
    first, _, rest = text.partition("\n")
    if first.strip() != FENCE:
        return None
    body, fence, _ = f"\n{rest}".partition(f"\n{FENCE}\n")
    if not fence and not rest.endswith(f"\n{FENCE}"):
        raise InvalidInputError(f"{name}: its front matter does not end with {FENCE}")
    return body.removesuffix(f"\n{FENCE}")


def _chosen(models: Sequence[object], run: str | None, name: str) -> Mapping[str, Any]:
    found = {text_of(object_of(model).get("name")): object_of(model) for model in models}
    if run is not None:
        if run not in found:
            raise InvalidInputError(f"{name} has no model {shown(run)}", hint=_names(found))
        return found[run]
    if len(models) != 1:
        raise InvalidInputError(
            f"{name} has {len(models)} models; name one with --run", hint=_names(found)
        )
    return object_of(models[0])


def _names(models: Mapping[str, Any]) -> str:
    return "it has " + (", ".join(map(shown, list(models)[:SHOWN_MODELS])) or "none")


def _of_model(model: Mapping[str, Any], name: str) -> ImportedRun:
    results = model.get("results")
    if not isinstance(results, list) or not results:
        raise InvalidInputError(f"{name}: the model has no results")
    scores: list[dict[str, Any]] = []
    datasets, sources = set(), set()
    for number, result in enumerate(map(object_of, results), 1):
        dataset = object_of(result.get("dataset"))
        datasets.add(_dataset(dataset, "type"))
        sources.add(text_of(object_of(result.get("source")).get("name")))
        scores += _metric_scores(result, dataset, f"{name}, result {number}")
    note = f"model {text_of(model.get('name'))}" if text_of(model.get("name")) else ""
    found = sorted(filter(None, sources))
    return ImportedRun(
        scores,
        dataset=datasets.pop() if len(datasets) == 1 else "",
        note="; ".join(filter(None, (note, f"source {', '.join(found)}" if found else ""))),
    )


def _metric_scores(
    result: Mapping[str, Any], dataset: Mapping[str, Any], where: str
) -> Iterator[dict[str, Any]]:
    parts = [text_of(dataset.get("name")) or text_of(dataset.get("type"))]
    parts += [text_of(dataset.get(field)) for field in ("config", "split")]
    metrics = result.get("metrics")
    if not isinstance(metrics, list) or not metrics:
        raise InvalidInputError(f"{where}: it has no metrics")
    for metric in map(object_of, metrics):
        name = text_of(metric.get("type")) or text_of(metric.get("name"))
        if not name:
            raise InvalidInputError(f"{where}: a metric has no type")
        task = "/".join(filter(None, parts))
        yield {"task": task, "metric": name, "value": _value(metric, f"{where}: {shown(name)}")}


def _of_values(items: Sequence[object], name: str) -> ImportedRun:
    scores, datasets, harnesses, times = [], set(), set(), set()
    for number, item in enumerate(map(object_of, items), 1):
        where = f"{name}, result {number}"
        dataset = object_of(item.get("dataset"))
        identity, task = text_of(dataset.get("id")), text_of(dataset.get("task_id"))
        if not identity:
            raise InvalidInputError(f"{where}: it has no dataset with an id")
        full = "/".join(filter(None, (identity, task)))
        notes = text_of(item.get("notes"))
        score = {"task": full, "metric": VALUE_METRIC, "value": _value(item, where)}
        scores.append({**score, **({"slice": f"notes={notes}"} if notes else {})})
        datasets.add(_dataset(dataset, "id"))
        harnesses.add(text_of(item.get("evaluation_framework")))
        times.add(text_of(item.get("date")))
    if not scores:
        raise InvalidInputError(f"{name} has no results")
    return ImportedRun(
        scores,
        dataset=datasets.pop() if len(datasets) == 1 else "",
        harness=harnesses.pop() if len(harnesses) == 1 else "",
        time=times.pop() if len(times) == 1 else "",
    )


def _dataset(dataset: Mapping[str, Any], field: str) -> str:
    identity, revision = text_of(dataset.get(field)), text_of(dataset.get("revision"))
    return f"{identity} at {revision}" if identity and revision else identity


def _value(item: Mapping[str, Any], where: str) -> str:
    value = item.get("value")
    if not isinstance(value, str) or not value.strip():
        raise InvalidInputError(f"{where}: its value is not a number")
    parse_decimal(value, f"{where}: its value")
    return value.strip()


FORMAT = HuggingFace()
