"""Each gate kind in each status that it has, and replayed: by another view, with other threads."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from regista.decide.gates.registry import KINDS
from regista.read import duck
from support.gate_examples import FAILED, PASSED, STORIES, UNDECIDABLE, WAIVED, Story, Told, told
from support.registries import reopen
from support.scripted import Script

# the verdicts that have no third answer: what they read is always there
DECIDED = {"soak", "lineage", "metadata", "approvals", "from"}


@pytest.fixture(scope="module", params=STORIES, ids=lambda story: story.kind)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Story, Script, list[Told]]]:
    story: Story = request.param
    with told(story, tmp_path_factory.mktemp(story.kind)) as (script, found):
        yield story, script, found


def test_every_kind_has_a_story() -> None:
    assert {story.kind for story in STORIES} == {*KINDS, "from"}


def test_it_has_every_status(made: tuple[Story, Script, list[Told]]) -> None:
    story, _script, found = made
    wanted = {PASSED, FAILED}
    wanted |= set() if story.kind in DECIDED else {UNDECIDABLE}
    wanted |= set() if story.rule else {WAIVED}
    assert {item.status for item in found} == wanted


def test_each_says_what_it_should_with_a_reason_and_a_remedy(
    made: tuple[Story, Script, list[Told]],
) -> None:
    story, _script, found = made
    for item in found:
        for result in (item.checked, item.promoted):
            (gate,) = result.gates
            assert (gate["kind"], gate["status"]) == (story.kind, item.status), gate
            assert gate["observed"]
            assert gate["required"]
            assert gate["reason"]
            assert item.status == PASSED or gate["remedy"]
        outcome = {PASSED: "passed", WAIVED: "waived"}.get(item.status, "refused")
        assert item.promoted.outcome == outcome


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_replay_comes_to_the_same_verdicts_with_any_number_of_threads(
    made: tuple[Story, Script, list[Told]], monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    def connect(**options: Any) -> Any:
        return original(**{**options, "threads": threads})

    original = partial(duck.connect)
    monkeypatch.setattr(duck, "connect", connect)
    found = reopen(made[1].store).verify(deep=True).problems
    # one story is about lost artifacts, which is a problem of its own
    assert [problem for problem in found if problem.kind in {"decision", "replay"}] == []


def test_a_folder_of_the_story_is_its_own(tmp_path: Path) -> None:
    with told(STORIES[0], tmp_path / "one") as (_script, one):
        pass
    with told(STORIES[0], tmp_path / "other") as (_script, other):
        pass
    assert [item.checked for item in one] == [item.checked for item in other]
