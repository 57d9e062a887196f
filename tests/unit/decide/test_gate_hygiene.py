"""Gates about how evidence came to be: who ran it, how often, on how many examples."""

from typing import Any

import pytest

from fakes.case import FakeCase, evaluate, score
from regista.decide.gates.fields import CheckContext
from regista.decide.gates.registry import find_kind
from regista.decide.verdict import Finding, VerdictStatus

PASSED, FAILED, UNDECIDABLE = (
    VerdictStatus.PASSED,
    VerdictStatus.FAILED,
    VerdictStatus.UNDECIDABLE,
)


def logged(*, by: str = "ben", n: int | None = None, **options: Any) -> FakeCase:
    case = FakeCase()
    case.log(2, "holdout", score("auc", "0.9", n=n), score("auc", "0.8", slice_="hard", n=n),
             **options)  # fmt: skip
    case.version.runs["holdout"] = case.version.runs["holdout"]._replace(by=by)
    return case


def not_author(case: FakeCase) -> Finding:
    return evaluate("evaluator", {"suite": "holdout", "not_author": True}, case)


def test_somebody_else_may_have_logged_the_run() -> None:
    finding = not_author(logged(by="ben"))
    assert (finding.status, finding.observed) == (PASSED, "ben")
    assert finding.evidence == ("run:r2-0", "commit:2")


def test_the_author_may_not_have_logged_it() -> None:
    finding = not_author(logged(by="ana"))
    assert (finding.status, finding.observed) == (FAILED, "ana")
    assert "regista eval log fraud/card@2 --suite holdout" in finding.remedy


def test_another_spelling_of_a_name_is_nobody_else_but_was_to_the_first_revision() -> None:
    case = logged(by="ana")
    case.add(2, by="ANA")
    assert not_author(case).status == FAILED
    params = {"suite": "holdout", "not_author": True}
    assert find_kind("evaluator", 1).evaluate(params, case).status == PASSED


def test_nobody_logged_it() -> None:
    assert not_author(FakeCase()).status == UNDECIDABLE


def test_a_gate_that_asks_for_nothing_is_refused() -> None:
    context = CheckContext(("prod",), target="prod")
    kind = find_kind("evaluator")
    assert [p.message for p in kind.check({"suite": "s", "not_author": False}, context)]
    assert [p.message for p in kind.check({"suite": "s"}, context)]


def uses(case: FakeCase, count: int, **params: Any) -> Finding:
    case.run_count = count
    return evaluate("overuse", {"suite": "holdout", "max_evaluations": 3, **params}, case)


@pytest.mark.parametrize(("count", "status"), [(1, PASSED), (3, PASSED), (4, FAILED)])
def test_so_many_looks_at_one_holdout_are_allowed(count: int, status: VerdictStatus) -> None:
    case = logged(dataset="digits@1", dataset_digest="a" * 64)
    finding = uses(case, count)
    assert (finding.status, finding.required) == (status, "at most 3 runs per entry")
    assert case.counts == [{"dataset_digest": "a" * 64}]
    assert case.queries == []


def test_looks_may_be_counted_for_the_candidate_alone_by_the_datasets_text() -> None:
    case = logged(dataset="o'neil")
    assert uses(case, 2, per="version").required == "at most 3 runs per version"
    assert case.counts == [{"dataset": "o'neil", "version": 2}]


def test_looks_at_nobody_knows_what_cannot_be_counted() -> None:
    assert uses(logged(dataset=""), 1).observed == "no dataset"
    assert uses(FakeCase(), 1).status == UNDECIDABLE


def test_the_first_revision_asked_as_an_sql_gate_does() -> None:
    params = {"suite": "holdout", "max_evaluations": 3, "per": "version"}
    first = find_kind("overuse", 1).evaluate
    case = logged(dataset="o'neil")
    case.answer = {"columns": ["runs"], "rows": [[4]]}
    assert first(params, case).status == FAILED
    [(query, _limits)] = case.queries
    assert query.endswith("WHERE dataset = 'o''neil' AND version = $version")
    assert case.saw_pending == [True]
    case.answer = {"error": "broken"}
    assert first(params, case).status == UNDECIDABLE


@pytest.mark.parametrize(
    ("n", "status", "observed"),
    [(100, PASSED, "0.9"), (99, UNDECIDABLE, "n 99"), (None, UNDECIDABLE, "n unknown")],
)
def test_a_threshold_may_ask_for_so_many_examples(
    n: int | None, status: VerdictStatus, observed: str
) -> None:
    params = {"suite": "holdout", "metric": "auc", "min": "0.7", "min_n": 100}
    finding = evaluate("threshold", params, logged(n=n))
    assert (finding.status, finding.observed) == (status, observed)


@pytest.mark.parametrize(("n", "status"), [(100, PASSED), (99, UNDECIDABLE), (None, UNDECIDABLE)])
@pytest.mark.parametrize("inside", [{"metrics": ["auc"]}, {"slices": ["hard"]}])
def test_coverage_may_ask_for_so_many_examples(
    inside: dict[str, Any], n: int | None, status: VerdictStatus
) -> None:
    params = {"suite": "holdout", "min_n": 100, **inside}
    assert evaluate("coverage", params, logged(n=n)).status == status


def test_coverage_counts_examples_of_what_it_names() -> None:
    context = CheckContext(("prod",), target="prod")
    [problem] = find_kind("coverage").check({"suite": "holdout", "min_n": 5}, context)
    assert problem.message == "min_n needs metrics or slices"


@pytest.mark.parametrize("kind", ["threshold", "baseline", "coverage"])
def test_kinds_that_learnt_more_still_judge_as_they_did(kind: str) -> None:
    assert (find_kind(kind, 1).revision, find_kind(kind).revision) == (1, 2)
