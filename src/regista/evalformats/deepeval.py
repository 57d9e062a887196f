"""Test runs of DeepEval: `.deepeval/.latest_test_run.json`, its results folder, its result object.

The format: deepeval 4.3.1, `deepeval/test_run/test_run.py` (TestRun), `test_run/api.py`
(LLMApiTestCase, ConversationalApiTestCase), `tracing/api.py` (MetricData) and
`evaluate/types.py` (EvaluationResult). Layouts: the run itself, as a file of
`DEEPEVAL_RESULTS_FOLDER`; the run as `testRunData`; and `EvaluationResult.model_dump()`, whose
names have underscores.

- A metric's value is the mean of its scores over the test cases, as in DeepEval's own table of
  aggregate metrics; `METRIC.pass_rate` is how many reached their threshold. `pass_rate` is of
  test cases.
- A metric that ended in an error has no score: the run is partial then, and the note says how many.
- A flaky metric is kept like any other; that it decides nothing is DeepEval's own rule for
  `success`, and `pass_rate` is counted from that.
- Whether higher is better is not in the file: some of DeepEval's metrics, such as toxicity, pass
  when they are low.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from regista.evalformats import foreign
from regista.evalformats.jsontext import load_json, object_of, outline, text_of
from regista.evalformats.protocol import Choice, ImportedRun, Peek
from regista.model.names import shown

_CASES = ("testCases", "conversationalTestCases", "test_results")
_METRICS = ("metricsData", "metrics_data", "metricsMetadata")
_RATE = "pass_rate"


class DeepEval:
    """Adapter for test runs of DeepEval."""

    name = "deepeval"
    about = "test runs of DeepEval, such as .deepeval/.latest_test_run.json"

    def recognises(self, peek: Peek) -> bool:
        """Say whether a file is a test run of DeepEval."""
        seen = outline(peek)
        if seen.kind != "object" or not {*_CASES, "testRunData"} & seen.keys:
            return False
        return "testRunData" in seen.keys or any(f'"{of}"'.encode() in peek.head for of in _METRICS)

    def read(self, path: Path, choice: Choice) -> ImportedRun:
        """Read a test run.

        Raises:
            InvalidInputError: it is no test run of DeepEval, or is broken; the message says where.
        """
        where = shown(path.name, 200)
        document = object_of(load_json(path))
        run = object_of(document.get("testRunData")) or document
        cases = [object_of(item) for of in _CASES for item in foreign.sequence(run.get(of))]
        if not cases:
            foreign.not_of_format(where, "a test run of DeepEval, or has no test case in it")
        metrics = [metric for case in cases for metric in _metrics_of(case)]
        scores = list(_scores(cases, metrics, where))
        if not scores:
            foreign.not_of_format(where, "a test run of DeepEval: no test case has a result")
        errors = sum(metric.get("score") is None for metric in metrics)
        return ImportedRun(
            scores,
            samples=_samples(cases, keep_texts=choice.keep_texts),
            suite=text_of(run.get("identifier")) or text_of(run.get("testFile")),
            status="partial" if errors else "complete",
            dataset=text_of(run.get("datasetAlias")),
            harness="deepeval",
            note=f"{errors} of {len(metrics)} metrics ended in an error" if errors else "",
        )


FORMAT = DeepEval()


def _metrics_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [object_of(item) for of in _METRICS for item in foreign.sequence(case.get(of))]


def _name(metric: dict[str, Any]) -> str:
    return foreign.id_of(text_of(metric.get("name")) or text_of(metric.get("metric")) or "no name")


def _scores(
    cases: list[dict[str, Any]], metrics: list[dict[str, Any]], where: str
) -> Iterator[dict[str, Any]]:
    yield from _rate(_RATE, cases)
    by_name: dict[str, list[dict[str, Any]]] = {}
    for metric in metrics:
        by_name.setdefault(_name(metric), []).append(metric)
    for name, found in by_name.items():
        numbers = [
            Decimal(text)
            for metric in found
            if (text := foreign.number(metric.get("score"), f"{where}: a score of {shown(name)}"))
        ]
        if numbers:
            value = foreign.quotient(sum(numbers, Decimal(0)), len(numbers))
            yield {"metric": name, "value": value, "n": len(numbers)}
        yield from _rate(foreign.id_of(f"{name}.{_RATE}"), found)


def _rate(metric: str, of: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    known = [item["success"] for item in of if isinstance(item.get("success"), bool)]
    if known:
        value = foreign.quotient(sum(known), len(known))
        yield {"metric": metric, "value": value, "n": len(known), "direction": "higher"}


def _samples(cases: list[dict[str, Any]], *, keep_texts: bool) -> Iterator[dict[str, Any]]:
    ids = foreign.Repeats()
    for position, case in enumerate(cases):
        sample_id = ids.id_of(text_of(case.get("name")) or f"test_case_{position}")
        facts = _facts(case, keep_texts=keep_texts)
        if isinstance(case.get("success"), bool):
            yield {"sample_id": sample_id, "metric": _RATE, "passed": case["success"], **facts}
        metric_ids = foreign.Repeats()
        for metric in _metrics_of(case):
            value = foreign.present(metric.get("score"))
            name = metric_ids.id_of(_name(metric))
            if value is not None:
                passed = metric.get("success")
                yield {
                    "sample_id": sample_id,
                    "metric": name,
                    "value": value,
                    **({"passed": passed} if isinstance(passed, bool) else {}),
                    **facts,
                }


def _facts(case: dict[str, Any], *, keep_texts: bool) -> dict[str, Any]:
    output = text_of(case.get("actualOutput")) or text_of(case.get("actual_output"))
    return foreign.filled(
        {
            "slices": foreign.labels(case.get("metadata")),
            "latency_s": foreign.present(case.get("completionTime")),
            "cost_usd": foreign.present(case.get("tokenCost")),
            "tokens_in": foreign.present(case.get("inputTokenCount")),
            "tokens_out": foreign.present(case.get("outputTokenCount")),
            "input": text_of(case.get("input")) if keep_texts else "",
            "output": output if keep_texts else "",
        }
    )
