"""Results of pytest-benchmark: what `--benchmark-json` and `--benchmark-autosave` write.

The format: pytest-benchmark 5.3.1, `src/pytest_benchmark/session.py` (the document),
`fixture.py` and `stats.py` (the statistics of one benchmark). Times are seconds, of one call.

- `task` is the benchmark's name, or its full name where two have the same name.
- `mean` has a standard error: stddev is `statistics.stdev` over the rounds, so it is
  stddev / sqrt(rounds), and `n` is the number of rounds; one round has none. Neither a median nor
  an extreme has one that the file tells.
- Times are better when lower, `ops` (calls per second) when higher.
- Numbers in `extra_info` are metrics `extra_info.NAME`, of no known direction.
- Rounds are no examples: the tenth of one run has nothing to do with the tenth of another. So
  there are no samples.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regista.evalformats import foreign
from regista.evalformats.jsontext import load_json, object_of, outline, text_of
from regista.evalformats.protocol import Choice, ImportedRun, Peek
from regista.model.names import shown

_METRICS = {"mean": "lower", "median": "lower", "min": "lower", "max": "lower", "stddev": "lower",
            "iqr": "lower", "ops": "higher"}  # fmt: skip


class PytestBenchmark:
    """Adapter for JSON of pytest-benchmark."""

    name = "pytest_benchmark"
    about = "JSON of pytest-benchmark"

    def recognises(self, peek: Peek) -> bool:
        """Say whether a file is of pytest-benchmark."""
        return {"machine_info", "commit_info"} <= outline(peek).keys

    def read(self, path: Path, choice: Choice) -> ImportedRun:  # noqa: ARG002 - one run, no texts
        """Read the statistics of all benchmarks.

        Raises:
            InvalidInputError: it is not of pytest-benchmark, or is broken; the message says where.
        """
        where = shown(path.name, 200)
        document = object_of(load_json(path))
        benchmarks = [object_of(item) for item in foreign.sequence(document.get("benchmarks"))]
        if "machine_info" not in document or not benchmarks:
            foreign.not_of_format(where, "of pytest-benchmark, or has no benchmark in it")
        commit = object_of(document.get("commit_info"))
        names = Counter(text_of(item.get("name")) for item in benchmarks)
        return ImportedRun(
            [score for item in benchmarks for score in _scores(item, names, where)],
            harness="pytest-benchmark",
            harness_version=text_of(document.get("version")),
            code=text_of(commit.get("id")),
            time=foreign.moment(document.get("datetime")),
            note="; ".join(_notes(object_of(document.get("machine_info")), commit)),
        )


FORMAT = PytestBenchmark()


def _scores(benchmark: dict[str, Any], names: Counter[str], where: str) -> Iterator[dict[str, Any]]:
    name = text_of(benchmark.get("name"))
    task = name if names[name] == 1 else text_of(benchmark.get("fullname"))
    stats = object_of(benchmark.get("stats"))
    rounds = foreign.count(stats.get("rounds"))
    for metric, direction in _METRICS.items():
        value = foreign.number(stats.get(metric), f"{where}: {metric} of {shown(task)}")
        # ops of a benchmark that took no measurable time is the text "n/a"
        if value is not None:
            yield foreign.filled(
                {
                    "metric": metric,
                    "value": value,
                    "stderr": _stderr(stats, rounds) if metric == "mean" else None,
                    "n": rounds,
                    "task": foreign.id_of(task),
                    "direction": direction,
                }
            )
    for extra, value in object_of(benchmark.get("extra_info")).items():
        if (number := foreign.present(value)) is not None:
            metric = foreign.id_of(f"extra_info.{extra}")
            yield {"metric": metric, "value": number, "task": foreign.id_of(task)}


def _stderr(stats: dict[str, Any], rounds: int | None) -> str | None:
    stddev = foreign.present(stats.get("stddev"))
    if stddev is None or rounds is None or rounds < 2:  # noqa: PLR2004 - no spread of one value
        return None
    return foreign.stderr_of_mean(stddev, rounds)


def _notes(machine: dict[str, Any], commit: dict[str, Any]) -> Iterator[str]:
    cpu = object_of(machine.get("cpu"))
    parts = [text_of(machine.get(part)) for part in ("python_implementation", "python_version",
                                                     "system", "machine")]  # fmt: skip
    if described := " ".join(filter(None, [*parts, text_of(cpu.get("brand_raw"))])):
        yield f"on {described[:200]}"
    if commit.get("dirty") is True:
        yield "the working tree had changes"
