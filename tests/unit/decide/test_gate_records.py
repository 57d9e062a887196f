"""Gates about what is on record: coverage, lineage, metadata, integrity."""

from typing import Any

import pytest

from fakes.case import FakeCase, evaluate, score
from regista.decide.verdict import Finding, VerdictStatus

PASSED, FAILED, UNDECIDABLE = (
    VerdictStatus.PASSED,
    VerdictStatus.FAILED,
    VerdictStatus.UNDECIDABLE,
)


def covered(case: FakeCase, **params: object) -> Finding:
    return evaluate("coverage", params, case)


def evaluated() -> FakeCase:
    case = FakeCase()
    case.log(2, "smoke", score("accuracy", "0.9"))
    case.log(
        2,
        "holdout",
        score("auc", "0.9"),
        score("auc", "0.8", slice_="a"),
        score("f1", "0.9"),
        score("f1", "0.7", slice_="b"),
        score("acc", "1", task="law"),
    )
    return case


def test_any_complete_run_covers_any_suite() -> None:
    finding = covered(evaluated(), suites="any")
    assert (finding.status, finding.observed) == (PASSED, "2 complete runs")
    assert finding.evidence == ("run:r2-1", "run:r2-0")


def test_no_run_at_all_is_undecidable_with_the_command() -> None:
    finding = covered(FakeCase(), suites="any")
    assert (finding.status, finding.observed) == (UNDECIDABLE, "no complete run")
    assert finding.remedy == "regista eval log fraud/card@2 --suite SUITE --from FILE"


@pytest.mark.parametrize("status", ["partial", "failed"])
def test_runs_that_are_not_complete_cover_nothing(status: str) -> None:
    case = FakeCase()
    case.log(2, "smoke", score("accuracy", "0.9"), status=status)
    assert covered(case, suites="any").status == UNDECIDABLE
    assert covered(case, suite="smoke").status == UNDECIDABLE


def test_a_complete_run_without_scores_covers_nothing() -> None:
    case = FakeCase()
    case.log(2, "smoke")
    assert covered(case, suites="any").observed == "no complete run"


def test_every_named_suite_must_have_its_run() -> None:
    assert covered(evaluated(), suites=["smoke", "holdout"]).status == PASSED
    finding = covered(evaluated(), suites=["smoke", "safety"])
    assert (finding.status, finding.observed) == (UNDECIDABLE, "safety: no run")
    assert finding.remedy.endswith("--suite safety --from FILE")


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"metrics": ["auc", "f1"]}, PASSED),
        ({"metrics": ["auc", "recall"]}, FAILED),
        ({"slices": ["a", "b"]}, PASSED),
        ({"slices": ["a", "c"]}, FAILED),
        ({"metrics": ["auc"], "slices": ["a"]}, PASSED),
        ({"metrics": ["auc"], "slices": ["b"]}, FAILED),
        ({"metrics": ["acc"], "task": "law"}, PASSED),
        ({"metrics": ["acc"]}, FAILED),
    ],
)
def test_metrics_and_slices_are_looked_for_inside_the_run(
    params: dict[str, Any], status: VerdictStatus
) -> None:
    assert covered(evaluated(), suite="holdout", **params).status == status


def test_what_a_run_lacks_is_named() -> None:
    finding = covered(evaluated(), suite="holdout", metrics=["auc"], slices=["b"])
    assert finding.observed == "lacks holdout/auc in slice b"
    assert finding.required == "complete runs of holdout with auc in slices b"


def test_a_run_that_cannot_be_read_covers_nothing_inside() -> None:
    case = evaluated()
    case.runs.clear()
    assert covered(case, suite="holdout", metrics=["auc"]).status == UNDECIDABLE


def traced(*require: str, **fields: str) -> Finding:
    case = FakeCase()
    case.add(2, **fields)
    case.link("dataset", "digits@1")
    return evaluate("lineage", {"require": list(require)}, case)


def test_lineage_counts_relations_and_the_versions_own_fields() -> None:
    finding = traced("dataset", "run", "code", run="r1", code="abc")
    assert (finding.status, finding.observed) == (PASSED, "dataset, run, code")


def test_missing_lineage_is_named_with_the_flags_that_record_it() -> None:
    finding = traced("dataset", "run", "base", code="abc")
    assert (finding.status, finding.observed) == (FAILED, "dataset")
    assert finding.reason == "version 2 has no run and no base on record"
    assert "--run … --base …" in finding.remedy


def test_a_uri_counts_as_lineage() -> None:
    assert traced("uri", uri="s3://bucket/model").status == PASSED


def described(**params: object) -> Finding:
    case = FakeCase()
    case.add(
        2,
        tags={"license": "MIT", "owner": "ana", "cafe\u0301": "cafe\u0301"},
        card="# Card",
        label="1.0",
        params={"lr": "0.1"},
    )
    case.entry.tags["team"] = "risk"
    return evaluate("metadata", params, case)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"tags": ["owner"]}, PASSED),
        ({"tags": ["team"]}, PASSED),
        ({"tags": ["missing"]}, FAILED),
        ({"tags": [{"owner": "ana"}]}, PASSED),
        ({"tags": [{"owner": ["bob", "ana"]}]}, PASSED),
        ({"tags": [{"owner": "bob"}]}, FAILED),
        ({"licence": ["MIT", "Apache-2.0"]}, PASSED),
        ({"license": ["GPL-3.0-only"]}, FAILED),
        ({"card": True, "label": True}, PASSED),
        ({"description": True}, FAILED),
        ({"params": ["lr"]}, PASSED),
        ({"params": ["lr", "seed"]}, FAILED),
    ],
)
def test_metadata_asks_for_tags_texts_and_params(
    params: dict[str, Any], status: VerdictStatus
) -> None:
    assert described(**params).status == status


def test_metadata_names_everything_that_is_lacking_and_how_to_add_it() -> None:
    finding = described(tags=[{"owner": "bob"}], description=True, licence=["BSD"])
    assert finding.observed == "owner = ana, license = MIT, no description"
    assert finding.required == "tag owner = bob, tag license = BSD, a description"
    assert finding.remedy == (
        "regista tag fraud/card@2 owner=bob, regista tag fraud/card@2 license=BSD, "
        "regista describe fraud/card@2 TEXT"
    )


def test_the_entrys_description_serves_for_its_versions() -> None:
    case = FakeCase()
    case.entry = type(case.entry)(**{**case.entry.to_json(), "description_digest": "aa"})
    assert evaluate("metadata", {"description": True}, case).status == PASSED


def test_a_long_tag_value_is_cut_in_the_verdict() -> None:
    case = FakeCase()
    case.add(2, tags={"owner": "x" * 100_000})
    assert len(evaluate("metadata", {"tags": [{"owner": "y"}]}, case).observed) < 100


def whole(fact: object, **fields: object) -> Finding:
    case = FakeCase()
    version = case.add(2, **fields)
    case.facts["blobs", version.digest] = fact
    return evaluate("integrity", {}, case)


def test_whole_artifacts_pass() -> None:
    finding = whole({"ok": True, "missing": [], "corrupt": []}, files=3)
    assert (finding.status, finding.observed) == (PASSED, "3 files whole")


def test_damaged_artifacts_fail_and_are_named() -> None:
    finding = whole({"ok": False, "missing": ["a.bin"], "corrupt": ["b.bin", "c.bin"]})
    assert (finding.status, finding.observed) == (FAILED, "1 missing, 2 corrupt")
    assert finding.reason.endswith("missing: a.bin; corrupt: b.bin, c.bin")


def test_damage_without_names_fails_too() -> None:
    assert whole({"ok": False}).reason.endswith("are damaged")


@pytest.mark.parametrize("fact", [None, {}, {"ok": "yes"}, {"error": "timeout"}])
def test_what_could_not_be_observed_is_undecidable(fact: object) -> None:
    assert whole(fact).status == UNDECIDABLE


def test_artifacts_kept_elsewhere_cannot_be_checked() -> None:
    finding = whole(None, files=0, uri="s3://bucket/model")
    assert (finding.status, finding.observed) == (UNDECIDABLE, "kept elsewhere")
