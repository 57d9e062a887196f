"""Results of promptfoo: `output.json` of every layout, and its JSON lines.

The format: promptfoo 0.121.20, `src/types/index.ts` (EvaluateSummaryV2 and V3, EvaluateTable,
EvaluateResult, PromptMetrics), `src/util/namedMetrics.ts` and `src/evaluator.ts` (how the numbers
come about). Layouts: `results.prompts` with `results.results` (version 3), `results.table`
(versions 1 and 2), the same without the outer object (what `evaluate()` of the Node package
returns), a table alone, and one result a line (`--output x.jsonl`). promptfoo exits with 100 when
a test failed: a CI job must import the file all the same.

- A run is one column: a prompt with a provider. Of several, one must be chosen, by its label, its
  provider, or both.
- `score` and `namedScores` of a column are *sums*. The first is divided by the number of tests,
  a named one by `namedScoreWeights`, else `namedScoresCount`, as promptfoo's own view does. A name
  without either is a derived metric, which is no sum and stays as it is; where a file is too old to
  have counts at all, the mean over the results is taken.
- `pass_rate` is of all tests, errors too. A run with errors is partial.
- A sample's id is the position of its test in the suite.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from regista.evalformats import foreign
from regista.evalformats.jsontext import object_of, outline, text_of
from regista.evalformats.promptfoo_layouts import (
    OF_A_RESULT,
    Column,
    Output,
    Result,
    added_up,
    read_output,
)
from regista.evalformats.protocol import Choice, ImportedRun, Peek
from regista.model.names import shown

_PARTS = {"prompts", "results", "table", "stats"}
_TESTS = ("testPassCount", "testFailCount", "testErrorCount")
_ASSERTIONS = ("assertPassCount", "assertFailCount")


class Promptfoo:
    """Adapter for results of promptfoo."""

    name = "promptfoo"
    about = "output.json and .jsonl of promptfoo"

    def recognises(self, peek: Peek) -> bool:
        """Say whether a file is of promptfoo."""
        seen = outline(peek)
        if seen.kind != "object":
            return False
        nested = "results" in seen.keys and "version" in seen.inner and bool(_PARTS & seen.inner)
        flat = {"version", "timestamp"} <= seen.keys and bool(_PARTS & seen.keys)
        table = "table" in seen.keys and bool({"head", "body"} & seen.inner)
        return nested or flat or table or seen.keys >= OF_A_RESULT

    def read(self, path: Path, choice: Choice) -> ImportedRun:
        """Read one column.

        Raises:
            InvalidInputError: it is not of promptfoo, is broken, or has several columns and none
                is chosen; the message says where.
        """
        where = shown(path.name, 200)
        output = read_output(path)
        if not output.columns:
            foreign.not_of_format(where, "a result of promptfoo: it has no prompts")
        column = output.columns[foreign.choose(output.columns, choice.run, where)]
        metrics = _metrics(column, output)
        if not _whole(metrics, *_TESTS):
            foreign.not_of_format(where, "a result of promptfoo: no test ran in this column")
        config, meta = (object_of(output.around.get(of)) for of in ("config", "metadata"))
        times = (meta.get("evaluationCreatedAt"), output.summary.get("timestamp"),
                 output.around.get("createdAt"))  # fmt: skip
        return ImportedRun(
            list(_scores(metrics, where)),
            samples=_samples(column, output, keep_texts=choice.keep_texts),
            suite=text_of(config.get("description")),
            status="partial" if _whole(metrics, "testErrorCount") else "complete",
            dataset=text_of(config.get("tests")),
            harness="promptfoo",
            harness_version=text_of(meta.get("promptfooVersion")),
            time=next(filter(None, map(foreign.moment, times)), ""),
            note="; ".join(_notes(column, output, metrics)),
        )


FORMAT = Promptfoo()


def _metrics(column: Column, output: Output) -> dict[str, Any]:
    """Return what is added up for a column; counts that an old file lacks come from its results."""
    if column.metrics and "namedScoresCount" in column.metrics:
        return column.metrics
    counted = added_up(result for result in output.results() if result.column == column.index)
    if not column.metrics:
        return counted
    tests = (
        {name: counted[name] for name in _TESTS} if "testPassCount" not in column.metrics else {}
    )
    return {**column.metrics, **tests, "namedScoresCount": counted["namedScoresCount"]}


def _whole(metrics: dict[str, Any], *names: str) -> int:
    return sum(foreign.count(metrics.get(name)) or 0 for name in names)


def _scores(metrics: dict[str, Any], where: str) -> Iterator[dict[str, Any]]:
    total, asserted = _whole(metrics, *_TESTS), _whole(metrics, *_ASSERTIONS)
    if total:
        passed = _whole(metrics, "testPassCount")
        yield _mean("pass_rate", passed, total, total, "higher")
        score = foreign.number(metrics.get("score"), f"{where}: score")
        if score is not None:
            yield _mean("score", score, total, total, "higher")
    if asserted:
        passed = _whole(metrics, "assertPassCount")
        yield _mean("assert_pass_rate", passed, asserted, asserted, "higher")
    yield from _named_scores(metrics, where)
    latency = foreign.present(metrics.get("totalLatencyMs"))
    if total and latency is not None:
        yield _mean("latency_ms", latency, total, total, "lower")
    if (cost := foreign.present(metrics.get("cost"))) is not None:
        yield {"metric": "cost_usd", "value": cost, "direction": "lower"}
    tokens = foreign.present(object_of(metrics.get("tokenUsage")).get("total"))
    if tokens is not None:
        yield {"metric": "tokens", "value": tokens, "direction": "lower"}
    for name, metric in zip(_TESTS, ("tests_passed", "tests_failed", "tests_errored"), strict=True):
        yield {"metric": metric, "value": str(_whole(metrics, name))}


def _named_scores(metrics: dict[str, Any], where: str) -> Iterator[dict[str, Any]]:
    counts, weights = (
        object_of(metrics.get(of)) for of in ("namedScoresCount", "namedScoreWeights")
    )
    for name, item in object_of(metrics.get("namedScores")).items():
        value = foreign.required(item, f"{where}: score {shown(name)}")
        count = foreign.count(counts.get(name))
        divisor = Decimal(foreign.present(weights.get(name)) or 0) or Decimal(count or 0)
        if divisor > 0:
            yield _mean(foreign.id_of(name), value, divisor, count or None, None)
        elif name not in counts and name not in weights:
            yield {"metric": foreign.id_of(name), "value": value}


def _mean(
    metric: str, total: str | int, divisor: int | Decimal, n: int | None, direction: str | None
) -> dict[str, Any]:
    value = foreign.quotient(total, divisor)
    return foreign.filled({"metric": metric, "value": value, "n": n, "direction": direction})


def _samples(column: Column, output: Output, *, keep_texts: bool) -> Iterator[dict[str, Any]]:
    ids = foreign.Repeats()
    for result in output.results():
        if result.column == column.index:
            facts = _facts(result, keep_texts=keep_texts)
            sample_id = ids.id_of(result.test or "no position")
            for values in _values(result):
                yield {"sample_id": sample_id, **values, **facts}


def _values(result: Result) -> Iterator[dict[str, Any]]:
    if result.passed is not None:
        yield {"metric": "pass_rate", "passed": result.passed}
    if (score := foreign.present(result.fields.get("score"))) is not None:
        yield {"metric": "score", "value": score}
    for name, item in object_of(result.fields.get("namedScores")).items():
        if (value := foreign.present(item)) is not None:
            yield {"metric": foreign.id_of(name), "value": value}


def _facts(result: Result, *, keep_texts: bool) -> dict[str, Any]:
    usage = object_of(result.fields.get("tokenUsage"))
    latency = foreign.present(result.fields.get("latencyMs"))
    return foreign.filled(
        {
            "slices": foreign.labels(result.case.get("metadata")),
            "latency_s": foreign.quotient(latency, 1000) if latency is not None else None,
            "cost_usd": foreign.present(result.fields.get("cost")),
            "tokens_in": foreign.present(usage.get("prompt")),
            "tokens_out": foreign.present(usage.get("completion")),
            "input": result.input if keep_texts else "",
            "output": result.output if keep_texts else "",
        }
    )


def _notes(column: Column, output: Output, metrics: dict[str, Any]) -> Iterator[str]:
    if identity := text_of(output.around.get("evalId")) or text_of(output.around.get("id")):
        yield f"eval {identity[:200]}"
    if column.provider:
        yield f"provider {column.provider[:200]}"
    if column.label:
        yield f"prompt {foreign.id_of(column.label)}"
    if errors := _whole(metrics, "testErrorCount"):
        yield f"{errors} of {_whole(metrics, *_TESTS)} tests ended in an error"
