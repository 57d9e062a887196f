"""JUnit XML, as pytest, jest-junit, go-junit-report, Surefire and many others write it.

There is no one specification; what is read is what they share: `testsuites` and `testsuite`,
which may nest, and `testcase` with `failure`, `error` or `skipped` in it (pytest 9.2
`_pytest/junitxml.py`; the schema of the Jenkins xUnit plugin, `junit-10.xsd`). The counts are
counted from the test cases; the totals that a suite claims differ from tool to tool.

- `pass_rate` is the passed of those that ran: skipped ones are in neither number.
- `time_s` is what the outermost suites say, or the sum of the test cases' times.
- With several suites, each has its `pass_rate` as a slice.
- Properties of a test case, its suite and its class are the slices of its sample.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from regista.evalformats import foreign
from regista.evalformats.jsontext import Number
from regista.evalformats.protocol import Choice, ImportedRun, Peek
from regista.evalformats.xmltext import Tag, first_element, tags
from regista.model.names import shown

_ROOTS = ("testsuites", "testsuite")
_OUTCOMES = {"failure": "failures", "error": "errors", "skipped": "skipped"}
_PASSED = "passed"
_RATE = "pass_rate"


@dataclass(slots=True)
class _Case:
    """A test case as it is read."""

    suite: str
    attributes: dict[str, str]
    outcome: str = _PASSED
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Totals:
    """What is counted on the way through a file."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(
        (_PASSED, *_OUTCOMES.values()), 0))  # fmt: skip
    by_suite: dict[str, list[int]] = field(default_factory=dict)
    seconds: Decimal = Decimal(0)


class JUnit:
    """Adapter for JUnit XML."""

    name = "junit"
    about = "JUnit XML, as pytest, jest and go-junit-report write it"

    def recognises(self, peek: Peek) -> bool:
        """Say whether a file's outermost element is a test suite."""
        return first_element(peek.head) in _ROOTS

    def read(self, path: Path, choice: Choice) -> ImportedRun:  # noqa: ARG002 - one run, no texts
        """Count a file's test cases; the samples are a second pass.

        Raises:
            InvalidInputError: it is no JUnit XML, or is broken or too large.
        """
        suites: list[Tag] = []
        totals = _Totals()
        for case in _cases(path, suites):
            _count(totals, case)
        if not suites or suites[0].name not in _ROOTS:
            foreign.not_of_format(shown(path.name, 200), "JUnit XML: it has no test suite")
        # a root that holds one suite says less than that suite
        named = suites[1] if len(suites) == 2 else suites[0]  # noqa: PLR2004
        times = [foreign.moment(suite.attributes.get("timestamp", "")) for suite in suites]
        return ImportedRun(
            list(_scores(totals, suites)),
            samples=_samples(path),
            suite=named.attributes.get("name", "").strip(),
            time=min(filter(None, times), default=""),
            note="" if sum(totals.counts.values()) else "no test ran",
        )


FORMAT = JUnit()


def _cases(path: Path, suites: list[Tag] | None = None) -> Iterator[_Case]:
    """Yield the test cases of a file; outermost suites, and those in them, go to `suites`."""
    open_suites: list[str] = []
    case: _Case | None = None
    for tag in tags(path):
        if tag.name in _ROOTS:
            if not tag.begins:
                open_suites.pop()
                continue
            if suites is not None and len(open_suites) <= 1:
                suites.append(tag)
            open_suites.append(tag.attributes.get("name", ""))
        elif tag.name == "testcase":
            if not tag.begins and case is not None:
                yield case
            suite = open_suites[-1] if open_suites else ""
            case = _Case(suite, dict(tag.attributes)) if tag.begins else None
        elif case is not None and tag.begins:
            _describe(case, tag)


def _describe(case: _Case, tag: Tag) -> None:
    # an error in taking down stands beside a failure; the first of the two is the outcome
    if tag.name in _OUTCOMES and case.outcome == _PASSED:
        case.outcome = _OUTCOMES[tag.name]
    elif tag.name == "property":
        case.properties[tag.attributes.get("name", "")] = tag.attributes.get("value", "")


def _count(totals: _Totals, case: _Case) -> None:
    totals.counts[case.outcome] += 1
    totals.seconds += Decimal(_seconds(case.attributes) or 0)
    if case.outcome != "skipped":
        of_suite = totals.by_suite.setdefault(case.suite, [0, 0])
        of_suite[0] += case.outcome == _PASSED
        of_suite[1] += 1


def _seconds(attributes: Any) -> str | None:  # noqa: ANN401 - a mapping of texts
    # some write a comma for thousands
    return foreign.present(Number(attributes.get("time", "").replace(",", "")))


def _scores(totals: _Totals, suites: list[Tag]) -> Iterator[dict[str, Any]]:
    passed, ran = totals.counts[_PASSED], sum(totals.counts.values()) - totals.counts["skipped"]
    if ran:
        yield _rate(passed, ran, "")
    yield {"metric": "tests", "value": str(sum(totals.counts.values()))}
    for name, count in totals.counts.items():
        direction = {"failures": "lower", "errors": "lower", _PASSED: "higher"}.get(name)
        yield foreign.filled({"metric": name, "value": str(count), "direction": direction})
    outermost = suites[:1] if suites[0].name == "testsuites" else suites
    claimed = [_seconds(suite.attributes) for suite in outermost]
    if not all(claimed):
        claimed = [_seconds(suite.attributes) for suite in suites[1:]]
    known = [Decimal(text) for text in claimed if text]
    seconds = sum(known) if known else totals.seconds
    yield {"metric": "time_s", "value": str(seconds), "direction": "lower"}
    if len(totals.by_suite) > 1:
        for suite, (passed_of, ran_of) in totals.by_suite.items():
            yield _rate(passed_of, ran_of, foreign.id_of(suite or "no name"))


def _rate(passed: int, ran: int, suite: str) -> dict[str, Any]:
    return foreign.filled(
        {
            "metric": _RATE,
            "value": foreign.quotient(passed, ran),
            "n": ran,
            "slice": suite,
            "direction": "higher",
        }
    )


def _samples(path: Path) -> Iterator[dict[str, Any]]:
    ids = foreign.Repeats()
    for case in _cases(path):
        about = case.attributes
        # jest writes the same text twice, and a space before it
        parts = [about.get(of, "").strip() for of in ("classname", "name")]
        sample_id = ids.id_of("::".join(filter(None, dict.fromkeys(parts))) or "no name")
        if case.outcome == "skipped":
            continue
        slices = {"suite": case.suite, "class": parts[0], **case.properties}
        yield foreign.filled(
            {
                "sample_id": sample_id,
                "metric": _RATE,
                "passed": case.outcome == _PASSED,
                "slices": foreign.labels(slices),
                "latency_s": _seconds(about),
            }
        )
