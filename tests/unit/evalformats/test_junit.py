"""JUnit XML: counts as the test runner prints them, and everything that XML may hide."""

import tracemalloc
from pathlib import Path

import pytest

from regista.evalformats import xmltext
from regista.evalformats.junit import FORMAT
from regista.evalformats.protocol import Choice, Peek
from support.evalfiles import FIXTURES, peek_at, refusal, samples_of, scores_of, written

PYTEST = FIXTURES / "junit" / "pytest.xml"
CHOICE = Choice()
JEST = """<?xml version="1.0"?>
<!-- a comment --><testsuites name="jest tests" tests="4" time="1.5">
  <testsuite name="a" time="1" timestamp="2026-01-02T03:04:05">
    <properties><property name="ci" value="yes"/></properties>
    <testcase classname="x" name="y" time="0.5"/>
    <testcase classname="x" name="y" time="1,000.5"><failure/><error/></testcase>
  </testsuite>
  <testsuite name="b"><testsuite name="c"><testcase name="z"/></testsuite></testsuite>
</testsuites>
"""


def test_the_counts_are_those_of_pytest() -> None:
    # pytest's own last line: 1 failed, 2 passed, 1 skipped, 1 xfailed, 1 error in 0.03s
    run = FORMAT.read(PYTEST, CHOICE)
    values = {name: score["value"] for (_, name, _), score in scores_of(run).items()}
    assert values == {
        "pass_rate": "0.5", "tests": "6", "passed": "2", "failures": "1", "errors": "1",
        "skipped": "2", "time_s": "0.038",
    }  # fmt: skip
    assert run.scores[0] == {
        "metric": "pass_rate", "value": "0.5", "n": 4, "direction": "higher",
    }  # fmt: skip
    assert run.suite == "capitals"
    assert run.time == "2026-11-25T14:27:20.009656Z"
    assert run.status == "complete"


def test_each_test_that_ran_is_a_sample() -> None:
    rows = samples_of(FORMAT.read(PYTEST, CHOICE))
    assert [(row["sample_id"], row["passed"]) for row in rows] == [
        ("test_capitals::test_capital[France-Paris]", True),
        ("test_capitals::test_capital[Italy-Rome]", True),
        ("test_capitals::test_capital[Japan-Tokyo]", False),
        ("test_capitals::test_needs_database", False),
    ]
    assert rows[2]["slices"] == {
        "suite": "capitals", "class": "test_capitals", "continent": "Asia",
    }  # fmt: skip
    assert rows[2]["latency_s"] == "0.001"


def test_the_counts_are_those_of_jest() -> None:
    # jest's own lines: Tests: 1 failed, 1 skipped, 2 passed, 4 total; Time: 1.948 s
    run = FORMAT.read(FIXTURES / "junit" / "jest.xml", CHOICE)
    scores = scores_of(run)
    found = {name: score["value"] for (_, name, slice_), score in scores.items() if not slice_}
    assert found == {
        "pass_rate": "0.66666666666666667", "tests": "4", "passed": "2", "failures": "1",
        "errors": "0", "skipped": "1", "time_s": "1.925",
    }  # fmt: skip
    assert scores["", "pass_rate", "capitals"]["value"] == "0.5"
    assert [row["sample_id"] for row in samples_of(run)] == [
        "capitals France", "capitals Japan", "Nile",
    ]  # fmt: skip


def test_suites_nest_and_each_has_its_rate(tmp_path: Path) -> None:
    run = FORMAT.read(written(tmp_path / "a", JEST), CHOICE)
    scores = scores_of(run)
    assert scores["", "pass_rate", ""]["value"] == "0.66666666666666667"
    assert scores["", "pass_rate", "a"]["value"] == "0.5"
    assert scores["", "pass_rate", "c"]["n"] == 1
    assert scores["", "time_s", ""]["value"] == "1.5"
    assert (run.suite, run.time) == ("jest tests", "")


def test_a_test_that_ran_twice_keeps_both(tmp_path: Path) -> None:
    rows = samples_of(FORMAT.read(written(tmp_path / "a", JEST), CHOICE))
    assert [(row["sample_id"], row.get("latency_s")) for row in rows] == [
        ("x::y", "0.5"), ("x::y #2", "1000.5"), ("z", None),
    ]  # fmt: skip


def test_the_time_is_the_cases_sum_where_no_suite_says(tmp_path: Path) -> None:
    text = '<testsuite><testcase name="a" time="0.1"/><testcase name="b" time="0.2"/></testsuite>'
    run = FORMAT.read(written(tmp_path / "a", text), CHOICE)
    assert scores_of(run)["", "time_s", ""]["value"] == "0.3"


def test_a_run_without_tests_has_no_rate(tmp_path: Path) -> None:
    run = FORMAT.read(written(tmp_path / "a", "<testsuites/>"), CHOICE)
    assert ("", "pass_rate", "") not in scores_of(run)
    assert run.note == "no test ran"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no element found"),
        ("<testsuites>", "no element found"),
        ("<testsuite><testcase></testsuite>", "mismatched tag"),
        ("<a/>", "is not JUnit XML"),
        ("<testcase/>", "is not JUnit XML"),
        ("{}", "not well-formed"),
        ("<testsuite>&lt;&x;</testsuite>", "undefined entity"),
        ('<?xml version="1.0" encoding="no-such"?><testsuite/>', "unknown encoding"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "/etc/passwd">]><testsuites>&x;</testsuites>',
         "it has a document type"),
        ('<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><testsuites/>', "it has a document type"),
    ],
)  # fmt: skip
def test_what_is_broken_or_hostile_is_refused(text: str, message: str, tmp_path: Path) -> None:
    assert message in refusal(FORMAT, written(tmp_path / "a", text))


def test_what_is_missing_is_refused(tmp_path: Path) -> None:
    assert "cannot read 'no'" in refusal(FORMAT, tmp_path / "no")
    assert "cannot read" in refusal(FORMAT, tmp_path)


def test_a_document_above_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xmltext, "MAX_DOCUMENT", 1 << 20)
    path = written(tmp_path / "a", "<testsuite>" + " " * (1 << 20) + "</testsuite>")
    assert "'a' is larger than 1 MB" in refusal(FORMAT, path)


def test_a_large_document_is_read_in_bounded_memory(tmp_path: Path) -> None:
    case = '<testcase classname="c" name="n"><system-out>' + "x" * 1000 + "</system-out></testcase>"
    path = written(tmp_path / "a", "<testsuite>" + case * 20_000 + "</testsuite>")
    tracemalloc.start()
    run = FORMAT.read(path, CHOICE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert scores_of(run)["", "tests", ""]["value"] == "20000"
    assert peak < 2 << 20 < path.stat().st_size


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (JEST.encode(), True),
        (b"\xef\xbb\xbf<testsuite name='a'", True),
        (b"<testsuites/>", True),
        (b"<testsuite\n", True),
        (b"<!-- <testsuite> --><html>", False),
        (b"<!--" * 10_000, False),
        (b"<testsuitesx>", False),
        (b"<", False),
        (b"", False),
        (b"{}", False),
    ],
)
def test_it_is_known_by_its_outermost_element(head: bytes, *, known: bool, tmp_path: Path) -> None:
    assert FORMAT.recognises(Peek(tmp_path, head, len(head))) is known


def test_the_real_file_is_known() -> None:
    assert FORMAT.recognises(peek_at(PYTEST))
