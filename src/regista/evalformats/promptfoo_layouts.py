"""The layouts of promptfoo's results, brought into one: columns, and results by column.

What they are, and where they come from, stands in `regista.evalformats.promptfoo`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from regista.evalformats import foreign
from regista.evalformats.jsontext import json_lines, load_json, object_of, outline, text_of
from regista.evalformats.protocol import PEEK_BYTES, Peek

OF_A_RESULT = {"promptIdx", "testIdx", "success", "score"}
_ERROR = "2"


@dataclass(frozen=True, slots=True)
class Column:
    """A prompt with a provider.

    Attributes:
        index: position of the column.
        label: what the prompt is called; its text where it has no name.
        provider: id of the provider.
        metrics: what promptfoo added up over the tests; empty when the file does not say.
    """

    index: int
    label: str
    provider: str
    metrics: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What one test gave in one column.

    Attributes:
        column: position of the column.
        test: position of the test, as text.
        passed: whether all assertions held; None when the file does not say.
        error: whether the test did not come to its assertions.
        fields: the object as the file has it, for score, namedScores, latencyMs, cost, tokenUsage.
        case: the test case.
        label: what the prompt is called.
        provider: id of the provider.
        input: the prompt as it was sent.
        output: the answer.
    """

    column: int
    test: str
    passed: bool | None
    error: bool
    fields: dict[str, Any]
    case: dict[str, Any]
    label: str
    provider: str
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Output:
    """A file of promptfoo.

    Attributes:
        around: its outermost object.
        summary: the object with version and time.
        columns: by a name that is as short as it can be.
        results: gives all results, anew each time.
    """

    around: dict[str, Any]
    summary: dict[str, Any]
    columns: dict[str, Column]
    results: Callable[[], Iterator[Result]]


def read_output(path: Path) -> Output:
    """Read a file of any layout; JSON lines are read again for each look at the results.

    Raises:
        InvalidInputError: it is broken or too large; the message says where.
    """
    if _has_lines(path):
        return Output({}, {}, _named(_columns_of(_lines(path))), lambda: _lines(path))
    around = object_of(load_json(path))
    summary = object_of(around.get("results")) or around
    table = object_of(summary.get("table"))
    prompts = foreign.sequence(summary.get("prompts"))
    prompts = prompts or foreign.sequence(object_of(table.get("head")).get("prompts"))
    found = [object_of(item) for item in foreign.sequence(summary.get("results"))]

    def results() -> Iterator[Result]:
        # the older layouts tell columns apart in the table alone
        if found and all("promptIdx" in item for item in found):
            return (_result(item) for item in found)
        return _of_table(table)

    columns = [_column(index, prompt) for index, prompt in enumerate(prompts)]
    return Output(around, summary, _named(columns or _columns_of(results())), results)


def added_up(results: Iterable[Result]) -> dict[str, Any]:
    """Return what promptfoo would have added up over the results of a column.

    It is `updatePromptMetrics` of promptfoo's `src/evaluator.ts`, with each result counted once.
    """
    score = latency = cost = Decimal(0)
    counts = {"testPassCount": 0, "testFailCount": 0, "testErrorCount": 0}
    named: dict[str, Decimal] = {}
    weights: dict[str, Decimal] = {}
    times: dict[str, int] = {}
    for result in results:
        kind = "testErrorCount" if result.error else "testFailCount"
        counts["testPassCount" if result.passed else kind] += 1
        score += _decimal(result.fields.get("score"))
        latency += _decimal(result.fields.get("latencyMs"))
        cost += _decimal(result.fields.get("cost"))
        for name, value in object_of(result.fields.get("namedScores")).items():
            weight = _weight(result, name)
            named[name] = named.get(name, Decimal(0)) + _decimal(value) * weight
            weights[name] = weights.get(name, Decimal(0)) + weight
            times[name] = times.get(name, 0) + 1
    return {
        **{name: foreign.as_number(count) for name, count in counts.items()},
        "score": foreign.as_number(score),
        "totalLatencyMs": foreign.as_number(latency),
        "cost": foreign.as_number(cost),
        "namedScores": {name: foreign.as_number(value) for name, value in named.items()},
        "namedScoresCount": {name: foreign.as_number(count) for name, count in times.items()},
        "namedScoreWeights": {name: foreign.as_number(value) for name, value in weights.items()},
    }


def _weight(result: Result, name: str) -> Decimal:
    given = object_of(object_of(result.fields.get("gradingResult")).get("namedScoreWeights"))
    return Decimal(foreign.present(given.get(name)) or 1)


def _has_lines(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            first = outline(Peek(path, file.read(PEEK_BYTES), 0))
    except OSError:
        # whoever reads the whole file says what is wrong
        return False
    return first.keys >= OF_A_RESULT and "results" not in first.keys


def _lines(path: Path) -> Iterator[Result]:
    return (_result(object_of(value)) for _where, value in json_lines(path))


def _result(item: dict[str, Any]) -> Result:
    prompt, provider = object_of(item.get("prompt")), item.get("provider")
    success = item.get("success")
    return Result(
        column=foreign.count(item.get("promptIdx")) or 0,
        test=foreign.name_of(item.get("testIdx")),
        passed=success if isinstance(success, bool) else None,
        error=item.get("failureReason") == _ERROR,
        fields=item,
        case=object_of(item.get("testCase")),
        label=text_of(prompt.get("label")) or text_of(prompt.get("raw")),
        provider=text_of(object_of(provider).get("id")) or text_of(provider),
        input=text_of(prompt.get("raw")),
        output=text_of(object_of(item.get("response")).get("output")),
    )


def _of_table(table: dict[str, Any]) -> Iterator[Result]:
    for position, row in enumerate(map(object_of, foreign.sequence(table.get("body")))):
        outputs = map(object_of, foreign.sequence(row.get("outputs")))
        for index, output in enumerate(outputs):
            passed = output.get("pass")
            yield Result(
                column=index,
                test=foreign.name_of(row.get("testIdx")) or str(position),
                passed=passed if isinstance(passed, bool) else None,
                error=output.get("failureReason") == _ERROR,
                fields=output,
                case=object_of(row.get("test")),
                label="",
                provider=text_of(output.get("provider")),
                input=text_of(output.get("prompt")),
                output=text_of(output.get("text")),
            )


def _column(index: int, prompt: object) -> Column:
    about = object_of(prompt)
    names = (about.get("label"), about.get("display"), about.get("raw"), prompt)
    label = next(filter(None, map(text_of, names)), "")
    return Column(index, label, text_of(about.get("provider")), object_of(about.get("metrics")))


def _columns_of(results: Iterable[Result]) -> list[Column]:
    found: dict[int, Column] = {}
    for result in results:
        if result.column not in found:
            found[result.column] = Column(result.column, result.label, result.provider, {})
    return [found[index] for index in sorted(found)]


def _named(columns: list[Column]) -> dict[str, Column]:
    """Return columns by what tells them apart: the prompt, the provider, or both."""
    prompts, providers = ({getattr(c, part) for c in columns} for part in ("label", "provider"))
    ids = foreign.Repeats()
    named = {}
    for column in columns:
        both = f"{column.label} {column.provider}".strip()
        name = column.label if len(providers) == 1 else column.provider
        alone = len(providers) == 1 or len(prompts) == 1
        named[ids.id_of((name if alone else both) or f"column {column.index + 1}")] = column
    return named


def _decimal(value: object) -> Decimal:
    return Decimal(foreign.present(value) or 0)
