"""Logs of Inspect AI (UK AI Security Institute): `.json`, and `.eval`, a zip file.

The format: inspect_ai 0.3.285, `log/_log.py` (EvalLog and what is in it) and
`log/_recorders/eval.py` (members `header.json`, `reductions.json`, `samples/ID_epoch_N.json`, and
`_journal/start.json` of a run that never ended). What of it becomes what:

- A score has the metric's key and value. `stderr` is the standard error of the mean, so it goes
  to `accuracy` and `mean` of the same scorer (`scorer/_metrics/std.py`); without either it stays
  a metric. `task` is empty when one scorer scored, else the scorer's name, with `/REDUCER` where
  there is more than one reducer.
- `n` is `scored_samples`; older logs lack it, and `completed_samples` counts samples times
  epochs, so it is divided by the epochs.
- Status: `success` is complete, but partial when samples were not completed or never run, or when
  `limit` or `sample_id` chose some of them;
  `cancelled` and `started` (it crashed, or still runs) are partial when there are scores, else
  failed; `error` is failed.
- A sample's value becomes a number as in `scorer/_metric.py` (value_to_float): C is passed, I and
  N are not, P is 0.5; yes, no, true, false and digits are what they say; an object gives one row
  per key; NaN is Inspect's "unscored" and is left out, as Inspect leaves it out of its metrics.
- A value that no score is the mean of is under the name of its scorer and its key or position.
- With several epochs an example stands once under the metric, with its reduced value, since
  epochs of one example are not independent; each epoch's value is under `METRIC@epochN`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError
from regista.evalformats import foreign
from regista.evalformats.jsontext import (
    Number,
    load_json,
    object_of,
    outline,
    parse_document,
    text_of,
)
from regista.evalformats.protocol import Choice, ImportedRun, Peek
from regista.evalformats.zipmembers import Archive, first_member
from regista.model.names import shown

_HEADER, _START, _REDUCTIONS = "header.json", "_journal/start.json", "reductions.json"
_MEMBERS = ("_journal/", "samples/", _HEADER, "summaries.json", _REDUCTIONS)
_MEANS = ("accuracy", "mean")
_STDERR = "stderr"
_TITLE = ("name", "scorer", "reducer")
_PASSED = {"C": True, "I": False, "N": False, "yes": True, "true": True, "no": False,
           "false": False}  # fmt: skip
_PARTIAL = {"P": "0.5"}


class InspectAI:
    """Adapter for logs of Inspect AI."""

    name = "inspect"
    about = "logs of Inspect AI, .json and .eval"

    def recognises(self, peek: Peek) -> bool:
        """Say whether a file is a log of Inspect AI."""
        if member := first_member(peek.head):
            return member.startswith(_MEMBERS)
        seen = outline(peek)
        return {"status", "eval"} <= seen.keys and {"task", "model"} <= seen.inner

    def read(self, path: Path, choice: Choice) -> ImportedRun:
        """Read a log; `.eval` samples are read one at a time.

        Raises:
            InvalidInputError: it is no log of Inspect AI, or is damaged; the message says where.
        """
        if _is_zip(path):
            return _read_archive(path, choice)
        where = shown(path.name, 200)
        log = object_of(load_json(path))
        samples = foreign.sequence(log.get("samples"))
        reductions = foreign.sequence(log.get("reductions"))
        return _Log(log, where, reductions, choice).run(iter(samples) if samples else None)


FORMAT = InspectAI()


def _is_zip(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        # whoever reads it as text says what is wrong
        return False


def _read_archive(path: Path, choice: Choice) -> ImportedRun:
    with Archive(path) as archive:
        names = set(archive.names())
        if not names & {_HEADER, _START}:
            foreign.not_of_format(archive.name, "a log of Inspect AI: it has no header.json")
        log = object_of(_member(archive, _HEADER if _HEADER in names else _START))
        if _HEADER not in names:
            log = {**log, "status": "started"}
        reductions = _member(archive, _REDUCTIONS) if _REDUCTIONS in names else []
        has_samples = any(name.startswith("samples/") for name in names)
    samples = _samples_of(path) if has_samples else None
    return _Log(log, archive.name, foreign.sequence(reductions), choice).run(samples)


def _samples_of(path: Path) -> Iterator[Any]:
    with Archive(path) as archive:
        # a sample that was tried again may stand twice; the directory's last one counts
        for name in dict.fromkeys(archive.names()):
            if name.startswith("samples/") and name.endswith(".json"):
                yield _member(archive, name)


def _member(archive: Archive, name: str) -> Any:  # noqa: ANN401 - any JSON value
    where = f"{archive.name}: {shown(name, 200)}"
    try:
        text = archive.read(name).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{where} is not UTF-8 at byte {error.start}") from error
    return parse_document(text, where)


@dataclass(frozen=True, slots=True)
class _Log:
    """A log without its samples: the header, and the scores reduced over epochs."""

    log: dict[str, Any]
    where: str
    reductions: list[Any]
    choice: Choice

    def run(self, samples: Iterator[Any] | None) -> ImportedRun:
        spec = object_of(self.log.get("eval"))
        if "status" not in self.log or not text_of(spec.get("task")):
            foreign.not_of_format(self.where, "a log of Inspect AI: it has no status or no task")
        dataset, revision = object_of(spec.get("dataset")), object_of(spec.get("revision"))
        scores = list(self._scores())
        return ImportedRun(
            scores,
            samples=self._rows(samples) if samples is not None else None,
            suite=text_of(spec.get("task")),
            status=self._status(bool(scores)),
            dataset=text_of(dataset.get("name")) or text_of(dataset.get("location")),
            harness="inspect_ai",
            harness_version=text_of(object_of(spec.get("packages")).get("inspect_ai")),
            code=text_of(revision.get("commit")),
            time=foreign.moment(object_of(self.log.get("stats")).get("started_at"))
            or foreign.moment(spec.get("created")),
            note="; ".join(self._notes(spec, dataset, revision)),
        )

    @property
    def _results(self) -> dict[str, Any]:
        return object_of(self.log.get("results"))

    def _entries(self) -> list[dict[str, Any]]:
        return [object_of(item) for item in foreign.sequence(self._results.get("scores"))]

    def _epochs(self) -> int:
        config = object_of(object_of(self.log.get("eval")).get("config"))
        return foreign.count(config.get("epochs")) or 1

    def _task(self, entry: dict[str, Any], reducer: str) -> str:
        """Return the task of a score, as short as it can be without a mix-up."""
        entries = [tuple(text_of(e.get(of)) for of in _TITLE) for e in self._entries()]
        if len(set(entries)) <= 1:
            return ""
        name, scorer = text_of(entry.get("name")), text_of(entry.get("scorer"))
        alone = {of for called, of, _ in entries if called == name} == {scorer}
        reducers = {of for called, by, of in entries if (called, by) == (name, scorer)}
        title = name if alone else f"{scorer}.{name}"
        return foreign.id_of(f"{title}/{reducer}" if reducer and len(reducers) > 1 else title)

    def _grain(self, scorer: str, part: str, reducer: str = "") -> dict[str, str]:
        """Return task and metric of a sample's value: those of the score that is its mean."""
        called = [e for e in self._entries() if text_of(e.get("name")) == (part or scorer)]
        exact = [e for e in called if text_of(e.get("scorer")) == scorer]
        for entry in exact or called:
            means = [metric for metric in _MEANS if metric in object_of(entry.get("metrics"))]
            task = foreign.filled({"task": self._task(entry, reducer)})
            return {**task, "metric": means[0] if means else "score"}
        return {"metric": foreign.id_of(".".join(filter(None, (scorer, part))))}

    def _scores(self) -> Iterator[dict[str, Any]]:
        for entry in self._entries():
            name = text_of(entry.get("name"))
            metrics = object_of(entry.get("metrics"))
            values = {
                metric: foreign.required(object_of(item).get("value"), self._place(name, metric))
                for metric, item in metrics.items()
                if metric != _STDERR
            }
            error = foreign.present(object_of(metrics.get(_STDERR)).get("value"))
            if error is not None and not values.keys() & set(_MEANS):
                values[_STDERR] = error
            for metric, value in values.items():
                yield foreign.filled(
                    {
                        "metric": foreign.id_of(metric),
                        "value": value,
                        "stderr": error if metric in _MEANS else None,
                        "n": self._count(entry),
                        "task": self._task(entry, text_of(entry.get("reducer"))),
                    }
                )

    def _place(self, name: str, metric: str) -> str:
        return f"{self.where}: {shown(metric)} of scorer {shown(name)}"

    def _count(self, entry: dict[str, Any]) -> int | None:
        if (scored := foreign.count(entry.get("scored_samples"))) is not None:
            return scored
        completed = foreign.count(self._results.get("completed_samples"))
        whole = completed is not None and completed % self._epochs() == 0
        return completed // self._epochs() if completed is not None and whole else None

    def _status(self, scored: bool) -> str:  # noqa: FBT001 - the one thing it hangs on
        status = text_of(self.log.get("status"))
        if status == "success":
            return "partial" if self._left_out() or self._chosen() else "complete"
        return "partial" if scored and status != "error" else "failed"

    def _chosen(self) -> bool:
        """Say whether the run was asked for some of the samples alone."""
        config = object_of(object_of(self.log.get("eval")).get("config"))
        return any(config.get(name) is not None for name in ("limit", "sample_id"))

    def _left_out(self) -> int:
        """Return how many samples were planned and not completed."""
        planned = foreign.count(self._results.get("total_samples")) or 0
        done = [foreign.count(self._results.get(of)) for of in ("completed_samples",
                                                                "logged_samples")]  # fmt: skip
        return max([0, *(planned - count for count in done if count is not None)])

    def _notes(
        self, spec: dict[str, Any], dataset: dict[str, Any], revision: dict[str, Any]
    ) -> Iterator[str]:
        version = spec.get("task_version")
        if isinstance(version, str) and version != "0":
            yield f"task version {version}"
        if model := text_of(spec.get("model")):
            yield f"model {model}"
        limit = object_of(spec.get("config")).get("limit")
        if isinstance(limit, Number):
            yield f"at most {limit} of {foreign.name_of(dataset.get('samples'))} examples"
        if self._epochs() > 1:
            yield f"{self._epochs()} epochs"
        if left := self._left_out():
            yield f"{left} of {self._results.get('total_samples')} samples were not completed"
        if message := text_of(object_of(self.log.get("error")).get("message")):
            yield f"error: {message.splitlines()[0][:200]}"
        if revision.get("dirty") is True:
            yield "the working tree had changes"
        yield from self._params()

    def _params(self) -> Iterator[str]:
        for entry in self._entries():
            for metric, item in object_of(entry.get("metrics")).items():
                if params := object_of(object_of(item).get("params")):
                    given = ", ".join(f"{key}={value}" for key, value in params.items())
                    yield f"{metric} with {given[:200]}"

    def _rows(self, samples: Iterator[Any]) -> Iterator[dict[str, Any]]:
        for reduction in map(object_of, self.reductions if self._epochs() > 1 else []):
            yield from self._reduced(reduction)
        for item in samples:
            yield from self._sample(object_of(item))

    def _reduced(self, reduction: dict[str, Any]) -> Iterator[dict[str, Any]]:
        scorer, reducer = text_of(reduction.get("scorer")), text_of(reduction.get("reducer"))
        for item in map(object_of, foreign.sequence(reduction.get("samples"))):
            for part, value in _parts(item.get("value")):
                if result := _result(value):
                    yield {
                        "sample_id": foreign.id_of(foreign.name_of(item.get("sample_id"))),
                        **self._grain(scorer, part, reducer),
                        **result,
                    }

    def _sample(self, sample: dict[str, Any]) -> Iterator[dict[str, Any]]:
        facts = _facts(sample, keep_texts=self.choice.keep_texts)
        epoch = f"@epoch{foreign.name_of(sample.get('epoch'))}" if self._epochs() > 1 else ""
        for scorer, score in object_of(sample.get("scores")).items():
            for part, value in _parts(object_of(score).get("value")):
                if result := _result(value):
                    grain = self._grain(scorer, part)
                    yield {
                        "sample_id": foreign.id_of(foreign.name_of(sample.get("id"))),
                        **grain,
                        "metric": grain["metric"] + epoch,
                        **result,
                        **facts,
                    }


def _parts(value: object) -> Iterator[tuple[str, object]]:
    """Yield a sample's values: one without a name, or those of an object or an array."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(index), item) for index, item in enumerate(value))
    else:
        yield "", value


def _result(value: object) -> dict[str, Any]:
    """Return a sample's value as fields of a row; none where it is no number, or NaN."""
    if isinstance(value, bool):
        return {"passed": value}
    if isinstance(value, Number):
        return foreign.filled({"value": foreign.present(value)})
    text = text_of(value)
    if text in _PARTIAL:
        return {"value": _PARTIAL[text]}
    passed = _PASSED.get(text, _PASSED.get(text.lower()) if len(text) > 1 else None)
    if passed is not None:
        return {"passed": passed}
    return foreign.filled({"value": foreign.present(Number(text)) if text else None})


def _facts(sample: dict[str, Any], *, keep_texts: bool) -> dict[str, Any]:
    usage = [object_of(item) for item in object_of(sample.get("model_usage")).values()]
    return foreign.filled(
        {
            "slices": foreign.labels(sample.get("metadata")),
            "latency_s": foreign.present(sample.get("total_time")),
            "tokens_in": _total(usage, "input_tokens"),
            "tokens_out": _total(usage, "output_tokens"),
            "cost_usd": _total(usage, "total_cost"),
            "input": text_of(sample.get("input")) if keep_texts else "",
            "output": _completion(sample) if keep_texts else "",
        }
    )


def _completion(sample: dict[str, Any]) -> str:
    output = object_of(sample.get("output"))
    if text := text_of(output.get("completion")):
        return text
    # older logs have it in the first choice alone
    choices = [object_of(choice) for choice in foreign.sequence(output.get("choices"))]
    return text_of(object_of(choices[0].get("message")).get("content")) if choices else ""


def _total(usage: list[dict[str, Any]], field: str) -> str | None:
    found = [Decimal(text) for item in usage if (text := foreign.present(item.get(field)))]
    return str(sum(found)) if found else None
