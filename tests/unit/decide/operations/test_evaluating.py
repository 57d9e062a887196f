"""Planning `eval log`."""

import pytest

from regista.decide.operations.context import Payload
from regista.errors import InvalidInputError, NotFoundError
from regista.registry import requests
from support.history import History, history_with, log, log_rows, manifest_of, register

SCORE = {"task": "", "metric": "acc", "slice": "", "value": "0.9"}


def test_a_run_is_recorded_with_its_scores() -> None:
    history = history_with(1)
    decision = history.decision(log_rows("m@1", [SCORE, {**SCORE, "slice": "class=1"}]))
    assert decision == {
        "name": "m",
        "version": 1,
        "run_id": "r3-0",
        "suite": "holdout",
        "status": "complete",
        "scores": 2,
        "samples": 0,
    }
    run = history.version(1).runs["holdout"]
    assert (run.run_id, run.scores, run.seq) == ("r3-0", 2, 3)
    assert list(map(list, run.main)) == [["", "acc", "0.9", None, None, None]]
    assert history.state.heads.get("r/r3-0") == [history.entry().entry_id, 1, 3, "holdout"]


def test_the_latest_run_of_a_suite_counts_and_other_suites_stay() -> None:
    history = history_with(1)
    history.do(log("m@1", "0.5", suite="smoke"))
    history.do(log("m@1", "0.6"))
    runs = history.version(1).runs
    assert {suite: run.main[0][2] for suite, run in runs.items()} == {
        "holdout": "0.6",
        "smoke": "0.5",
    }


def test_two_runs_of_one_suite_in_one_commit_leave_the_second() -> None:
    history = history_with(1)
    history.do(log("m@1", "0.5"), log("m@1", "0.6"))
    run = history.version(1).runs["holdout"]
    assert (run.run_id, run.main[0][2]) == ("r3-2", "0.6")


def test_the_rows_of_a_run_by_digest_are_counted_and_placed_after_the_inline_ones() -> None:
    history = history_with(1)
    ref = history.store_data("eval_scores", [{**SCORE, "slice": f"s={k}"} for k in range(3)])
    payload = Payload({"eval_scores": [SCORE]}, (ref,))
    request = requests.eval_log(
        "m@1",
        "holdout",
        status="complete",
        dataset="",
        facts={},
        source_digest="d",
        payload=payload,
    )
    assert history.decision(request)["scores"] == 4
    [data] = history.commits[-1].data
    assert (data.i, data.rows) == (2, 3)
    assert data.columns["run_id"] == "r3-0"


@pytest.mark.parametrize("status", ["partial", "failed"])
def test_a_run_that_did_not_complete_may_have_no_score(status: str) -> None:
    history = history_with(1)
    history.do(log_rows("m@1", [], status=status))
    assert history.version(1).runs["holdout"].status == status


def test_a_complete_run_without_a_score_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="at least one score"):
        history_with(1).do(log_rows("m@1", []))


def test_a_dataset_of_ours_is_pinned() -> None:
    history = history_with(1)
    history.do(register("data", "digits", kind="dataset"))
    history.do(log("m@1", dataset="digits@latest"))
    run = history.version(1).runs["holdout"]
    assert (run.dataset, run.dataset_digest) == ("digits@1", manifest_of("data").digest)


def test_a_dataset_elsewhere_is_kept_as_it_is_called() -> None:
    history = history_with(1)
    history.do(log("m@1", dataset="s3://bucket/digits"))
    run = history.version(1).runs["holdout"]
    assert (run.dataset, run.dataset_digest) == ("s3://bucket/digits", "")


@pytest.mark.parametrize("ref", ["m@2", "n@1", "m@prod"])
def test_a_run_of_what_does_not_exist_is_refused(ref: str) -> None:
    with pytest.raises(NotFoundError):
        history_with(1).do(log(ref))


def test_a_dataset_of_ours_that_does_not_exist_is_refused() -> None:
    with pytest.raises(NotFoundError):
        history_with(1).do(log("m@1", dataset="digits@1"))


def test_a_run_of_a_deleted_version_is_refused() -> None:
    history = History()
    history.do(register("one"), register("two"))
    history.do(requests.status("delete", "m@1", reason=""))
    with pytest.raises(NotFoundError, match="was deleted"):
        history.do(log("m@1"))
