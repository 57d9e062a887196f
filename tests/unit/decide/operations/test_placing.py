"""Planning `promote` and `demote`: the gates decide, and what they decide is recorded."""

from typing import Any

import pytest

from regista.errors import InvalidInputError, NotFoundError, RefusedError
from regista.registry import requests
from support.history import History, demote, history_with, log, promote, register, rollback
from support.registries import GATED, OPEN, STAGES


def evaluated(*scores: str) -> History:
    """Return a history of versions with these scores under the gated policy."""
    history = History(GATED)
    for number, acc in enumerate(scores, 1):
        history.do(register(f"content {number}"), log(f"m@{number}", acc))
    return history


def tables(history: History) -> list[str]:
    return [row["table"] for row in history.commits[-1].rows]


def test_a_promotion_that_passes_moves_the_slot_and_records_why() -> None:
    history = evaluated("0.9")
    decision = history.decision(promote("m@1", "staging", reason="good"))
    assert decision["outcome"] == "passed"
    assert (decision["version"], decision["from_version"]) == (1, None)
    assert [(gate["kind"], gate["status"]) for gate in decision["gates"]] == [
        ("threshold", "passed")
    ]
    assert history.holder("staging") == 1
    assert tables(history) == ["decisions", "verdicts", "placements"]
    assert history.commits[-1].rows[-1]["reason"] == "good"


def test_a_promotion_that_is_refused_moves_nothing_and_is_recorded() -> None:
    history = evaluated("0.7")
    plan = history.do(promote("m@1", "staging"))
    assert plan.refused
    assert plan.ops[0].decision["outcome"] == "refused"
    assert history.holder("staging") is None
    assert tables(history) == ["decisions", "verdicts"]


def test_missing_evidence_refuses_and_is_called_undecidable() -> None:
    history = History(GATED)
    history.do(register("one"))
    [gate] = history.decision(promote("m@1", "staging"))["gates"]
    assert gate["status"] == "undecidable"


def test_the_latest_run_is_the_evidence_and_never_an_older_one() -> None:
    history = evaluated("0.9")
    history.do(log("m@1", "0.5"))
    assert history.decision(promote("m@1", "staging"))["outcome"] == "refused"
    history.do(
        requests.eval_log(
            "m@1",
            "holdout",
            status="failed",
            dataset="",
            facts={},
            source_digest="d",
            payload=log("m@1").payload.__class__(),
        )
    )
    [gate] = history.decision(promote("m@1", "staging"))["gates"]
    assert gate["status"] == "undecidable"


def test_every_matching_rule_and_its_from_must_pass() -> None:
    history = evaluated("0.9", "0.95")
    decision = history.decision(promote("m@2"))
    assert decision["outcome"] == "refused"
    assert [(gate["kind"], gate["status"]) for gate in decision["gates"]] == [
        ("from", "failed"),
        ("baseline", "passed"),
    ]
    history.do(promote("m@2", "staging"))
    assert history.decision(promote("m@2"))["outcome"] == "passed"


def test_a_promotion_leaves_the_lower_slot_as_it_is() -> None:
    history = evaluated("0.9")
    history.do(promote("m@1", "staging"))
    history.do(promote("m@1"))
    assert (history.holder("staging"), history.holder("prod")) == (1, 1)


def test_a_decision_names_the_policy_and_the_state_that_it_was_made_on() -> None:
    history = evaluated("0.9")
    parent = history.state.digest
    history.do(promote("m@1", "staging"))
    row = history.commits[-1].rows[0]
    assert row["state"] == parent == history.commits[-1].parent
    assert row["policy"] == history.commits[-1].policy == history.state.policy_digest


def test_promoting_the_holder_is_done_already_whatever_the_gates_say_now() -> None:
    history = evaluated("0.9")
    history.do(promote("m@1", "staging"))
    seq = history.state.seq
    history.do(log("m@1", "0.1"))
    plan = history.do(promote("m@1", "staging"))
    assert plan.planned[0].existing == seq


def test_without_a_rule_a_promotion_is_refused_or_marked() -> None:
    history = History({**STAGES, "ungated": "refuse", "rules": []})
    history.do(register("one"))
    refused = history.decision(promote("m@1"))
    assert (refused["outcome"], refused["gates"][0]["kind"]) == ("refused", "ungated")
    allowed = History(OPEN)
    allowed.do(register("one"))
    passed = allowed.decision(promote("m@1"))
    assert (passed["outcome"], passed["ungated"], passed["gates"]) == ("passed", True, [])


@pytest.mark.parametrize("op", ["deprecate", "archive"])
def test_only_active_versions_are_candidates(op: str) -> None:
    history = History(OPEN)
    history.do(register("one"), register("two"))
    history.do(requests.status(op, "m@1", reason=""))
    decision = history.decision(promote("m@1"))
    assert decision["outcome"] == "refused"
    assert decision["gates"][0]["kind"] == "status"
    history.do(requests.status("restore", "m@1", reason=""))
    assert history.decision(promote("m@1"))["outcome"] == "passed"


def test_a_deleted_version_is_not_found() -> None:
    history = History(OPEN)
    history.do(register("one"), register("two"))
    history.do(requests.status("delete", "m@1", reason=""))
    with pytest.raises(NotFoundError):
        history.do(promote("m@1"))


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (promote("m@9"), NotFoundError),
        (promote("n@1"), NotFoundError),
        (promote("m@1", "production"), InvalidInputError),
        (promote("m@1", ""), InvalidInputError),
        (promote("m@1", "pr\nod\ud800"), InvalidInputError),
        (promote("m@1", "champion"), InvalidInputError),
        (promote("m@1", "dev"), RefusedError),
        (demote("production"), InvalidInputError),
        (demote("prod"), NotFoundError),
        (demote("prod", "n"), NotFoundError),
    ],
)
def test_what_cannot_be_placed_is_refused_and_writes_nothing(
    request_: Any,
    error: type[Exception],
) -> None:
    history = evaluated("0.9")
    commits = len(history.commits)
    with pytest.raises(error) as caught:
        history.do(request_)
    assert str(caught.value).isprintable()
    assert len(history.commits) == commits


def test_coming_back_needs_a_reason_when_it_is_asked_for() -> None:
    with pytest.raises(InvalidInputError, match="reason"):
        promote("m@1", again=True)


def test_the_rest_of_the_gates_still_judge_what_comes_back_on_purpose() -> None:
    history = evaluated("0.9", "0.95")
    for number in (1, 2):
        history.do(promote(f"m@{number}", "staging"))
        history.do(promote(f"m@{number}"))
    history.do(rollback())
    history.do(log("m@2", "0.85"))
    decision = history.decision(promote("m@2", again=True, reason="try"))
    assert [(gate["kind"], gate["status"]) for gate in decision["gates"]] == [
        ("rolled-back", "passed"),
        ("from", "passed"),
        ("baseline", "failed"),
    ]
    assert decision["outcome"] == "refused"


def test_promotions_of_one_commit_see_each_other() -> None:
    history = evaluated("0.9", "0.894")
    plan = history.do(
        promote("m@1", "staging"), promote("m@1"), promote("m@2", "staging"), promote("m@2")
    )
    outcomes = [op.decision["outcome"] for op in plan.ops]
    assert outcomes == ["passed", "passed", "passed", "refused"]
    assert history.holder("staging") is None


def test_demote_empties_the_slot() -> None:
    history = history_with(1)
    history.do(promote("m@1"))
    decision = history.decision(demote())
    assert decision == {
        "name": "m",
        "version": 1,
        "stage": "prod",
        "from_version": 1,
        "to_version": None,
    }
    assert history.holder() is None


def test_a_stage_filled_by_register_can_be_emptied_and_is_filled_again() -> None:
    history = history_with(1)
    history.do(demote("dev"))
    assert history.holder("dev") is None
    history.do(register("two"))
    assert history.holder("dev") == 2
