from pathlib import Path
from typing import Any

import pytest

from regista.cli import ci
from regista.registry.results import Decided, EvalLogged

GATE: dict[str, Any] = {
    "id": "threshold:holdout.auc",
    "kind": "threshold",
    "status": "failed",
    "observed": "0.8",
    "required": ">= 0.9",
    "reason": "it is too low",
    "remedy": "train more",
}


def decided(**changes: Any) -> Decided:
    values = {
        "op": "promote",
        "seq": 7,
        "commit": "c" * 64,
        "name": "fraud/card",
        "version": 3,
        "stage": "prod",
        "from_version": 2,
        "outcome": "refused",
        "gates": [GATE],
    }
    return Decided(**{**values, **changes})


def github(folder: Path) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_OUTPUT": str(folder / "output.txt"),
    }


def outputs(text: str) -> dict[str, str]:
    """Read the heredoc form as GitHub does."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, _, end = line.partition("<<")
        value = []
        for more in lines:
            if more == end:
                break
            value.append(more)
        found[name] = "\n".join(value)
    return found


def test_github_gets_a_summary_and_outputs(tmp_path: Path) -> None:
    ci.tell_decision(decided(), asked=False, environ=github(tmp_path))
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "refused" in summary
    assert "| threshold:holdout.auc | 0.8 |" in summary
    assert "**Fix:** train more" in summary
    found = outputs((tmp_path / "output.txt").read_text(encoding="utf-8"))
    assert found["outcome"] == "refused"
    assert found["version"] == "3"
    assert found["seq"] == "7"
    assert found["failed_gates"] == "threshold:holdout.auc"


def test_summaries_are_appended_to_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "summary.md").write_text("before\n")
    ci.tell_decision(decided(), asked=True, environ=github(tmp_path))
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").startswith("before\n###")


def test_no_value_can_set_another_output(tmp_path: Path) -> None:
    hostile = "x\nregista_0\noutcome=passed\nEOF"
    ci.tell_decision(decided(stage=hostile), asked=False, environ=github(tmp_path))
    found = outputs((tmp_path / "output.txt").read_text(encoding="utf-8"))
    assert found["outcome"] == "refused"
    assert found["stage"] == hostile


@pytest.mark.parametrize(
    "hostile",
    [
        "<img src=x onerror=alert(1)>",
        "a | b",
        "[click](https://evil.example)",
        "`code`",
        "**bold**",
        "https://evil.example",
        "www.evil.example",
        "@everyone",
        "line\nbreak",
        "\x1b[31m",
        "&lt;",
    ],
)
def test_text_from_strangers_is_no_markup(hostile: str) -> None:
    text = ci.markdown(hostile)
    assert not {"<", ">", "\n", "\x1b", "@"} & set(text)
    assert "://" not in text.replace("\\://", "")
    assert "www." not in text.replace("www\\.", "")
    for mark in "|[`*":
        assert text.count(mark) == text.count(f"\\{mark}")


def test_an_evaluation_shows_its_scores_over_all_of_the_data(tmp_path: Path) -> None:
    result = EvalLogged("eval log", 5, "c", "m", 1, "r5-0", "holdout", "complete", 2, 0)
    scores = [{"metric": "auc", "value": "0.9"}, {"metric": "auc", "value": "0.7", "slice": "eu"}]
    ci.tell_eval(result, scores, github(tmp_path))
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "| auc | 0.9 |" in summary
    assert "0.7" not in summary
    assert outputs((tmp_path / "output.txt").read_text(encoding="utf-8"))["run_id"] == "r5-0"


def test_gitlab_gets_a_dotenv_file_only_where_it_is_named(tmp_path: Path) -> None:
    ci.tell_decision(decided(), asked=False, environ={"GITLAB_CI": "true"})
    environ = {"GITLAB_CI": "true", "REGISTA_DOTENV": str(tmp_path / "regista.env")}
    ci.tell_decision(decided(stage="a\nB=1"), asked=False, environ=environ)
    lines = (tmp_path / "regista.env").read_text(encoding="utf-8").splitlines()
    assert "REGISTA_OUTCOME=refused" in lines
    assert "REGISTA_STAGE=a B=1" in lines


def test_outside_of_ci_nothing_is_written(tmp_path: Path) -> None:
    environ = {"REGISTA_DOTENV": str(tmp_path / "x"), "GITHUB_OUTPUT": str(tmp_path / "y")}
    ci.tell_decision(decided(), asked=False, environ=environ)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {**github(tmp_path), "GITHUB_STEP_SUMMARY": str(tmp_path / "no" / "summary.md")}
    ci.tell_decision(decided(), asked=False, environ=environ)
    assert capsys.readouterr().err.startswith("warning: the CI system was not told")
    assert (tmp_path / "output.txt").exists()


def test_an_ungated_promotion_says_that_no_gate_had_a_say(tmp_path: Path) -> None:
    result = decided(outcome="passed", ungated=True, gates=[])
    ci.tell_decision(result, asked=False, environ=github(tmp_path))
    assert "no gate had a say" in (tmp_path / "summary.md").read_text(encoding="utf-8")
