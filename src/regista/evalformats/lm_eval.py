"""Results of the LM Evaluation Harness: `results_*.json`, and `samples_*.jsonl` beside it.

Keys of a task's results are `acc` and `acc_stderr` up to version 0.3, `acc,none` and
`acc_stderr,none` from 0.4 on, where what follows the comma is the filter that answers went
through; a metric of another filter keeps its name, such as `exact_match,strict-match`. A standard
error may be the text `N/A`. `alias`, `sample_len`, `samples` and names of filters are no metrics.
Groups stand among the results with the means of their tasks. A run with a limit is partial: the
harness itself says that such scores are for testing only.

Source of the format: the harness's `lm_eval/evaluator.py` and `loggers/evaluation_tracker.py`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
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
from regista.model.numbers import parse_decimal
from regista.model.times import format_time

HARNESS = "lm-evaluation-harness"
NO_FILTER = "none"
NO_METRIC = frozenset({"alias", "name", "sample_len", "sample_count", "samples"})
RESULTS_SIGNS = frozenset({"results", "versions", "config"})
SAMPLES_SIGNS = frozenset({"doc_id", "doc", "target", "resps"})
MAX_NOTE = 2000

_RESULTS_NAME = re.compile(r"results_(.+)\.json")
_STDERR = "_stderr"


class LmEval:
    """Adapter for the LM Evaluation Harness."""

    name = "lm_eval"
    about = "LM Evaluation Harness: results of 0.3 and 0.4 and newer, samples_*.jsonl beside"

    def recognises(self, peek: Peek) -> bool:
        """Say whether the file has a harness's results."""
        seen = outline(peek)
        if seen.kind != "object" or "results" not in seen.keys or seen.lines:
            return False
        # what comes after the results of many tasks may lie beyond what is looked at
        others = seen.keys - {"results"}
        return bool(others & {"group_subtasks", "configs", "versions"}) or (
            not others and peek.size > len(peek.head) and b"_stderr" in peek.head
        )

    def recognises_samples(self, peek: Peek) -> bool:
        """Say whether the file has the harness's per-example results."""
        first = outline(peek).first
        return first is not None and first.keys() >= SAMPLES_SIGNS

    def read(self, path: Path, choice: Choice) -> ImportedRun:
        """Read the run, with the samples that lie beside it under the harness's own names."""
        document = load_json(path)
        results = document.get("results") if isinstance(document, dict) else None
        if not isinstance(results, dict) or not results:
            raise InvalidInputError(f"{shown(path.name, 200)} has no results of lm-eval")
        groups = object_of(document.get("groups"))
        merged = {**groups, **results}
        scores = [
            score
            for task, values in merged.items()
            for score in _task_scores(task, values, document, path.name)
        ]
        files = _samples_beside(path, merged)
        tops = _top_tasks(document, merged)
        config = object_of(document.get("config"))
        return ImportedRun(
            scores,
            samples=chain.from_iterable(self.read_samples(file, choice) for file in files)
            if files
            else None,
            suite=tops[0] if len(tops) == 1 else "",
            status="partial" if config.get("limit") is not None else "complete",
            dataset=_dataset(document),
            harness=HARNESS,
            harness_version=text_of(document.get("lm_eval_version")),
            code=text_of(document.get("git_hash")),
            time=_time(document.get("date")),
            note=_note(document, config),
        )

    def read_samples(self, path: Path, choice: Choice) -> Iterator[dict[str, Any]]:
        """Yield per-example results of a `samples_*.jsonl`, one for each metric of a line.

        The task is the one that the file's name says; a file under another name has none.
        """
        task = _task_of_samples(path)
        for where, line in json_lines(path, finite=False):
            if not isinstance(line, dict) or "doc_id" not in line:
                raise InvalidInputError(f"{where}: it has no doc_id, so it is no sample of lm-eval")
            yield from _line_samples(line, task, keep_texts=choice.keep_texts)


def _task_scores(
    task: str, values: object, document: Mapping[str, Any], name: str
) -> Iterator[dict[str, Any]]:
    if not isinstance(values, dict):
        raise InvalidInputError(f"{shown(name, 200)}: results of {shown(task)} are no object")
    directions = object_of(object_of(document.get("higher_is_better")).get(task))
    for key, value in values.items():
        metric, comma, filter_ = key.partition(",")
        # what is no number is words, such as an alias, or what a metric of one's own returns
        if metric in NO_METRIC or metric.endswith(_STDERR) or not isinstance(value, Number):
            continue
        parse_decimal(value, f"{shown(name, 200)}: {shown(key)} of {shown(task)}")
        stderr = values.get(f"{metric}{_STDERR}{comma}{filter_}")
        n = _count(task, key, values, document)
        better = directions.get(metric)
        yield {
            "task": task,
            "metric": _metric(metric, filter_),
            "value": str(value),
            **({"stderr": str(stderr)} if is_number(stderr) else {}),
            **({"n": n} if n else {}),
            **({"direction": "higher" if better else "lower"} if better in (True, False) else {}),
        }


def _metric(metric: str, filter_: str) -> str:
    return metric if filter_ in {"", NO_FILTER} else f"{metric},{filter_}"


def _count(task: str, key: str, values: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    # not all tasks of a group need have the metric, so its own count comes first
    counts = (
        object_of(values.get("sample_count")).get(key),
        object_of(object_of(document.get("n-samples")).get(task)).get("effective"),
        values.get("sample_len"),
    )
    return next((str(count) for count in counts if is_number(count)), "")


def _top_tasks(document: Mapping[str, Any], results: Mapping[str, Any]) -> list[str]:
    """Return the tasks and groups that belong to no other group."""
    below = {
        name
        for members in object_of(document.get("group_subtasks")).values()
        if isinstance(members, list)
        for name in members
        if isinstance(name, str)
    }
    return [task for task in results if task not in below]


def _dataset(document: Mapping[str, Any]) -> str:
    """Return the dataset of all tasks, `path/config@revision`; '' where they have several."""
    found = set()
    for config in object_of(document.get("configs")).values():
        values = object_of(config)
        path, name = text_of(values.get("dataset_path")), text_of(values.get("dataset_name"))
        revision = text_of(object_of(values.get("dataset_kwargs")).get("revision"))
        found.add("/".join(filter(None, (path, name))) + (f" at {revision}" if revision else ""))
    return found.pop() if len(found) == 1 else ""


def _time(date: object) -> str:
    if not is_number(date):
        return ""
    try:
        return format_time(datetime.fromtimestamp(float(str(date)), UTC))
    except (ValueError, OverflowError, OSError):
        return ""


def _note(document: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    parts = []
    args = config.get("model_args")
    if isinstance(args, dict):
        args = ",".join(f"{key}={value}" for key, value in args.items())
    model = " ".join(filter(None, (text_of(config.get("model")), text_of(args))))
    if model:
        parts.append(f"model {model}")
    if is_number(config.get("limit")):
        parts.append(f"limit {config['limit']}")
    versions = object_of(document.get("versions"))
    said = [f"{task} {version}" for task, version in versions.items() if isinstance(version, str)]
    if said:
        parts.append(f"task versions: {', '.join(said)}")
    text = "; ".join(parts)
    return text if len(text) <= MAX_NOTE else text[:MAX_NOTE] + "…"


def _samples_beside(path: Path, results: Mapping[str, Any]) -> list[Path]:
    """Return the samples of the same date, in the order of the tasks."""
    match = _RESULTS_NAME.fullmatch(path.name)
    if match is None:
        return []
    files = (path.with_name(f"samples_{task}_{match[1]}.jsonl") for task in results)
    return [file for file in files if "/" not in file.name and file.is_file()]


def _task_of_samples(path: Path) -> str:
    match = re.fullmatch(r"samples_(.+)_\d{4}-\d\d-\d\dT[\d.:-]+\.jsonl", path.name)
    return match[1] if match else ""


def _line_samples(
    line: Mapping[str, Any], task: str, *, keep_texts: bool
) -> Iterator[dict[str, Any]]:
    named = line.get("metrics")
    # 0.4.0 names no metrics: they are what is a number beside the fields of every line
    metrics = named if isinstance(named, list) else [key for key in line if key != "doc_id"]
    texts = _texts(line) if keep_texts else {}
    filter_ = text_of(line.get("filter"))
    for metric in metrics:
        value = line.get(metric) if isinstance(metric, str) else None
        if isinstance(value, bool):
            value = Number(int(value))
        # a metric of the whole corpus, such as bleu, has a pair of texts here
        if isinstance(value, Number):
            yield {
                "task": task,
                "sample_id": str(line["doc_id"]),
                "metric": _metric(metric, filter_),
                "value": str(value),
                **texts,
            }


def _texts(line: Mapping[str, Any]) -> dict[str, Any]:
    arguments = object_of(line.get("arguments"))
    first = object_of(next(iter(arguments.values()), None)).get("arg_0")
    responses = line.get("filtered_resps")
    found = {
        "input": text_of(first),
        "output": _first_text(responses),
    }
    return {name: text for name, text in found.items() if text}


def _first_text(value: object) -> str:
    while isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, str) else ""


FORMAT = LmEval()
