"""The demo: it runs, and who is refused and who is in prod is what it says, on every run."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# one worker runs all of them, and what they stand on is made once
pytestmark = pytest.mark.xdist_group("demo")
DEMO = Path(__file__).parents[2] / "examples" / "demo.py"
MODEL = "digits/classifier"


@dataclass(frozen=True)
class Ran:
    """A run of the demo: its registry, and what it printed."""

    registry: Path
    output: str

    def ask(self, *arguments: str, expect: int = 0) -> Any:
        """Run a command with `--json` on the registry."""
        done = subprocess.run(
            [sys.executable, "-m", "regista", "--registry", self.registry, *arguments, "--json"],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run the demo once."""
    folder = tmp_path_factory.mktemp("demo")
    registry = folder / "registry"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, DEMO, "--work", folder / "work", "--registry", registry],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert done.stderr == ""
    return Ran(registry, done.stdout)


def test_after_the_rollback_the_second_model_is_in_prod_and_the_best_is_still_named(
    ran: Ran,
) -> None:
    assert ran.ask("resolve", f"{MODEL}@prod")["version"] == 2
    assert ran.ask("resolve", f"{MODEL}@champion")["version"] == 5
    assert ran.ask("resolve", f"{MODEL}@prod~1")["version"] == 1
    assert ran.ask("resolve", "digits/explain@prod")["version"] == 2


def test_the_refusals_are_those_that_the_demo_tells_of(ran: Ran) -> None:
    refused = ran.ask(
        "sql",
        "SELECT version, stage, string_agg(gate, ' ' ORDER BY i) AS gates"
        " FROM verdicts WHERE status IN ('failed', 'undecidable')"
        " GROUP BY seq, version, stage ORDER BY seq",
    )
    assert [(row["version"], row["stage"], row["gates"]) for row in refused] == [
        (1, "staging", "good-enough"),
        (3, "prod", "no-regression no-digit-left-behind"),
        (4, "prod", "no-digit-left-behind"),
        (5, "prod", "rolled-back"),
    ]


def test_models_keep_their_files_lineage_scores_and_single_answers(ran: Ran) -> None:
    shown = ran.ask("show", f"{MODEL}@5")
    assert [item["path"] for item in shown["artifacts"]] == [
        "MODEL_CARD.md",
        "metrics.json",
        "model.joblib",
        "smoke.py",
    ]
    assert "digits@1" in [item["target"] for item in shown["lineage"]]
    assert (shown["evals"]["holdout"]["scores"], shown["evals"]["holdout"]["samples"]) == (12, 600)


def test_the_drill_loaded_the_model_that_would_come_back(ran: Ran) -> None:
    [drill] = ran.ask("sql", "SELECT ok, to_version, smoke FROM drills")
    assert drill == {"ok": True, "to_version": 1, "smoke": "python smoke.py"}


def test_verify_finds_nothing_wrong_and_then_the_forgery_that_the_demo_suggests(ran: Ran) -> None:
    found = ran.ask("verify", "--deep")
    assert found["ok"]
    assert found["problems"] == []
    [line] = [line for line in ran.output.splitlines() if line.lstrip().startswith("perl ")]
    file = Path(line.split()[-1]).name
    commit = ran.registry / "log" / "000000" / file
    text = commit.read_text("utf-8")
    assert "0.9483" in text
    commit.write_text(text.replace("0.9483", "0.9983"), "utf-8")
    try:
        problems = ran.ask("verify", expect=6)["problems"]
    finally:
        commit.write_text(text, "utf-8")
    assert {problem["kind"] for problem in problems} >= {"parent", "table"}


def test_the_output_fits_eighty_columns_and_shows_every_command(ran: Ran) -> None:
    lines = ran.output.splitlines()
    # what is printed of paths depends on where the demo runs
    wide = [line for line in lines if len(line) > 80 and "/" not in line]
    assert wide == []
    assert sum(line.startswith("$ regista ") for line in lines) >= 35


def test_the_site_lies_where_the_demo_says(ran: Ran) -> None:
    [line] = [line for line in ran.output.splitlines() if line.startswith("The site: ")]
    page = Path(line.removeprefix("The site: "))
    assert "digits/" in page.read_text("utf-8")
