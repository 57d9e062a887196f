"""Planning a commit: each operation sees those before it, and one refusal applies none."""

from datetime import timedelta

import pytest

from regista.decide.operations.context import Payload, Request
from regista.decide.planning import PLANNERS, plan_commit
from regista.errors import InvalidInputError, NotFoundError
from regista.model.commit import DataRef
from regista.registry import requests
from regista.registry.results import RESULT_TYPES
from support.history import History, demote, history_with, log, log_rows, promote, register
from support.registries import GATED

SCORE = {"task": "", "metric": "acc", "slice": "", "value": "0.9"}


def test_one_refusal_applies_none_and_records_the_decisions_only() -> None:
    history = history_with(1, GATED)
    before = dict(history.state.heads.changed)
    plan = history.do(
        register("two"),
        log("m@2", "0.95"),
        promote("m@2", "staging"),
        promote("m@1", "prod"),
        register("three"),
        requests.tag("m", {"a": "b"}, []),
    )
    assert plan.refused
    assert [op.decision.get("outcome") for op in plan.ops[2:4]] == ["passed", "refused"]
    assert [op.decision for op in plan.ops[4:]] == [{"skipped": True}] * 2
    assert {row["table"] for row in plan.rows} == {"decisions", "verdicts"}
    after = {key: value for key, value in history.state.heads.changed.items() if key[:2] != "t/"}
    assert after == {key: value for key, value in before.items() if key[:2] != "t/"}


def test_scores_that_a_refused_commit_brought_are_among_its_reads() -> None:
    history = history_with(1, GATED)
    history.do(log("m@1", "0.5"), promote("m@1", "staging"))
    op = history.commits[-1].ops[0]
    assert op.reads["payload"]["rows"]["eval_scores"] == [{**SCORE, "value": "0.5"}]
    assert history.version(1).runs["holdout"].main[0][2] == "0.9"


def test_bulk_scores_that_a_refused_commit_brought_are_among_its_reads() -> None:
    history = history_with(1, GATED)
    ref = history.store_data("eval_scores", [{**SCORE, "value": "0.5"}])
    request = requests.eval_log(
        "m@1",
        "holdout",
        status="complete",
        dataset="",
        facts={},
        source_digest="d",
        payload=Payload(data=(ref,)),
    )
    plan = history.do(request, promote("m@1", "staging"))
    assert plan.refused
    assert plan.data == ()
    assert history.commits[-1].ops[0].reads["payload"]["data"][0]["sha256"] == ref.sha256


def test_an_operation_that_cannot_be_done_makes_no_commit_at_all() -> None:
    history = history_with(1)
    commits = len(history.commits)
    with pytest.raises(NotFoundError):
        history.do(register("two"), promote("m@9"), register("three"))
    assert len(history.commits) == commits
    assert history.entry().last_version == 1


def test_a_commit_of_what_was_done_already_and_of_something_new_is_made() -> None:
    history = history_with(1)
    plan = history.do(register("content 1"), requests.tag("m", {"a": "b"}, []))
    assert not plan.changes_nothing
    assert plan.planned[0].existing == 2
    assert history.entry().tags == {"a": "b"}


def test_gates_see_the_scores_that_the_same_commit_brings() -> None:
    history = History(GATED)
    ref = history.store_data("eval_scores", [{**SCORE, "slice": "class=1"}])
    bulk = requests.eval_log(
        "m@1",
        "holdout",
        status="complete",
        dataset="",
        facts={},
        source_digest="d",
        payload=Payload({"eval_scores": [SCORE]}, (ref,)),
    )
    plan = history.do(register("one"), bulk, promote("m@1", "staging"))
    assert plan.ops[-1].decision["outcome"] == "passed"
    [data] = plan.data
    assert data.i == len(plan.rows)


def test_data_files_of_one_commit_are_placed_one_after_the_other() -> None:
    history = history_with(1)
    refs = [
        history.store_data("eval_scores", [{**SCORE, "metric": f"{name}{k}"} for k in range(3)])
        for name in "ab"
    ]
    plan = history.do(
        *(
            requests.eval_log(
                "m@1",
                suite,
                status="complete",
                dataset="",
                facts={},
                source_digest="d",
                payload=Payload(data=(ref,)),
            )
            for suite, ref in zip(("s", "t"), refs, strict=True)
        )
    )
    inline = len(plan.rows)
    assert [ref.i for ref in plan.data] == [inline, inline + 3]


def test_recorded_time_never_goes_back_and_no_commit_is_refused_for_it() -> None:
    history = history_with(1)
    before = history.state.time
    plan = history.do(promote("m@1"), seconds=-3600)
    assert plan.time == before
    assert history.commits[-1].clock < before
    later = history.do(demote(), seconds=7200)
    assert later.time == history.commits[-1].clock > before


def test_the_first_commit_follows_the_registrys_id() -> None:
    history = History()
    first = history.commits[0]
    assert (first.seq, first.parent, first.policy) == (1, first.registry, "")


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="'fly' is not an operation"):
        history_with(1).do(Request("fly", {}))


@pytest.mark.parametrize("op", ["init", "import"])
def test_init_and_import_are_commits_of_their_own(op: str) -> None:
    history = history_with(1)
    alone = Request(op, {"policy": history.state.policy_digest})
    with pytest.raises(InvalidInputError, match="cannot be in one commit"):
        history.do(register("two"), alone)


def test_every_operation_has_a_planner_and_a_result() -> None:
    assert set(PLANNERS) == set(RESULT_TYPES)


def test_a_payload_is_read_back_from_its_json() -> None:
    ref = DataRef("eval_samples", "ab" * 32, 3, 10, 0, {"suite": "s"})
    payload = Payload({"eval_scores": [SCORE]}, (ref,))
    assert Payload.from_json(payload.to_json()) == payload
    assert Payload().to_json() == Payload({"files": []}).to_json() == {}
    assert (payload.count("eval_scores"), payload.count("eval_samples")) == (1, 3)


def test_planning_twice_on_one_state_gives_the_same_plan() -> None:
    history = history_with(2, GATED)
    asked = [log_rows("m@1", [SCORE]), promote("m@1", "staging"), register("three")]
    first, second = (history.plan(*asked) for _ in range(2))
    assert first == second
    history.now += timedelta(days=1)
    later = plan_commit(
        history.state, asked, history, actor="bob", clock="2030-01-01T00:00:00.000000Z"
    )
    assert [op.decision for op in later.ops] == [op.decision for op in first.ops]
    assert later.time > first.time
